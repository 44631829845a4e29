"""The parser: a small interpreter of the predictive table. No recursion, so depth is only a bound we set."""

from functools import cache

from . import errors
from .diagnostic import CompileError, nearest
from .lexer import Token, lexicon, tokenize
from .ll1 import load_table
from .rules import END, Production, load_grammar
from .span import Span
from .syntax import Node, Tree

_OPENERS = frozenset(("LPAR", "LSQB", "LBRACE", "NOT", "MINUS", "FN"))
_CLOSERS = frozenset(("RPAR", "RSQB", "RBRACE"))


@cache
def _compiled() -> dict[str, dict[str, tuple[Production, tuple[tuple[str, bool, bool], ...]]]]:
    """The table with each right-hand side reversed, ready to push."""
    rows: dict[str, dict[str, tuple[Production, tuple[tuple[str, bool, bool], ...]]]] = {}
    shared: dict[int, tuple[Production, tuple[tuple[str, bool, bool], ...]]] = {}
    for nonterminal, row in load_table().predict.items():
        rows[nonterminal] = {}
        for terminal, production in row.items():
            entry = shared.get(id(production))
            if entry is None:
                entry = (production, tuple((s.name, s.terminal, s.kept) for s in reversed(production.symbols)))
                shared[id(production)] = entry
            rows[nonterminal][terminal] = entry
    return rows


def parse(text: str, start: str = "program") -> Node:
    """Parse `text` as `start` (program, query, expr, type or schema) into a syntax tree.

    Raises CompileError with DLC001 to DLC005.
    """
    return parse_tokens(tokenize(text, start), start)


def parse_tokens(tokens: list[Token], start: str = "program") -> Node:
    """Parse tokens that end with END. Shapes: one node for `start`, spliced and thin rules gone."""
    table = _compiled()
    position, depth = 0, 0
    token = tokens[0]
    kind = token.kind
    root: list[Tree] = []
    children = root
    open_lists: list[tuple[list[Tree], Production, int]] = []
    stack: list[tuple[str, bool, bool] | None] = [(start, False, False)]
    while stack:
        top = stack.pop()
        if top is None:
            parent, production, begin = open_lists.pop()
            if production.thin and len(children) == 1:
                parent.append(children[0])
            else:
                end = tokens[position - 1].end if position else 0
                parent.append(Node(production.node, tuple(children), begin, max(begin, end)))
            children = parent
            continue
        name, terminal, kept = top
        if terminal:
            if name != kind:
                raise CompileError(_unexpected(tokens, position, [name], start))
            if kept:
                children.append(token)
            if kind in _OPENERS:
                depth += 1
                if depth > errors.MAX_NESTING:
                    raise CompileError(errors.too_deep(Span(token.start, token.end)))
            elif kind in _CLOSERS:
                depth -= 1
            elif kind in ("SEMICOLON", "PIPE", "COMMA"):
                depth = _brackets_open(tokens, position) if depth > 50 else depth
            position += 1
            token = tokens[position] if position < len(tokens) else token
            kind = token.kind
            continue
        entry = table[name].get(kind)
        if entry is None:
            raise CompileError(_unexpected(tokens, position, list(table[name]), start))
        production, symbols = entry
        if not production.spliced:
            stack.append(None)
            open_lists.append((children, production, token.start))
            children = []
        stack.extend(symbols)
    if kind != END:
        raise CompileError(_unexpected(tokens, position, [END], start))
    node = root[0]
    if isinstance(node, Node):
        return node
    return Node(start, (node,), node.start, node.end)


def _brackets_open(tokens: list[Token], position: int) -> int:
    """Brackets still open before `position`: prefix operators end with the item they belong to."""
    level = 0
    for token in tokens[:position]:
        if token.kind in ("LPAR", "LSQB", "LBRACE"):
            level += 1
        elif token.kind in _CLOSERS:
            level -= 1
    return level


def expected_after(tokens: list[Token], start: str = "program") -> frozenset[str]:
    """Terminals that may follow the prefix `tokens` (without END); empty if the prefix is wrong."""
    table = load_table()
    stack = [start]
    for token in tokens:
        if not _shift(table.predict, stack, token.kind):
            return frozenset()
    return _viable(stack)


def _shift(predict: dict[str, dict[str, Production]], stack: list[str], kind: str) -> bool:
    while stack:
        top = stack.pop()
        if top not in predict:
            return top == kind
        production = predict[top].get(kind)
        if production is None:
            return False
        stack.extend(s.name for s in reversed(production.symbols))
    return False


def _viable(stack: list[str]) -> frozenset[str]:
    table = load_table()
    found: set[str] = set()
    for name in reversed(stack):
        if name not in table.first:
            return frozenset(found | {name})
        found |= table.first[name]
        if name not in table.nullable:
            return frozenset(found)
    return frozenset(found | {END})


def _unexpected(tokens: list[Token], position: int, wanted: list[str], start: str) -> "errors.Diagnostic":
    token = tokens[position]
    span = Span(token.start, token.end)
    kinds = expected_after(tokens[:position], start) or frozenset(wanted)
    expected = _categories(kinds)
    if token.kind == END:
        return errors.unexpected_end(expected, span)
    hints: tuple[str, ...] = ()
    keywords = lexicon(start).keywords
    if token.kind == "NAME":
        candidates = [word for word, kind in keywords.items() if kind in kinds]
        hints = tuple(f"did you mean `{word}`?" for word in nearest(token.text, candidates, 1))
    elif token.text in keywords and "NAME" in kinds:
        hints = (f"`{token.text}` is a word of the language; as a name it is written with back quotes",)
    elif token.kind == "RPAR" and "SEMICOLON" in kinds:
        hints = ("there is no open bracket here",)
    return errors.unexpected_token(f"`{token.text}`", expected, span, hints)


_LITERALS = frozenset(("NUMBER", "INT", "QUANTITY", "DATE", "TIME", "DATETIME", "STR", "HOLE", "ENT", "RAW"))
_LITERALS = _LITERALS | frozenset(("TRUE", "FALSE"))
_VALUES = frozenset(("NAME", "FIELD", "LPAR", "LSQB", "LBRACE", "IT", "EVERYTHING", "EXISTS", "FN"))
_OPERATORS = frozenset(("EQ", "LT", "CMP", "LIKE", "IN", "IS", "AND", "OR", "PLUS", "MINUS", "STAR", "SLASH"))
_OPERATORS = _OPERATORS | frozenset(("PERCENT", "NOT"))


def _categories(kinds: frozenset[str]) -> list[str]:
    """Expected terminals grouped the way a reader thinks of them, not a hundred token names."""
    fixed = load_grammar().fixed
    words: list[str] = []
    rest = set(kinds)
    if len(rest & _LITERALS) > 3:
        words.append("a value" if rest & _VALUES else "a literal")
        rest -= _LITERALS | _VALUES | {"MINUS", "NOT"}
    if len(rest & _OPERATORS) > 3:
        words.append("an operator")
        rest -= _OPERATORS
    names = {"NAME": "a name", "LABEL": "a label (`name:`)", "FIELD": "a field (`.name`)", "STR": "a string"}
    names |= {END: "the end", "NUMBER": "a number", "FACT": "a fact (`@name`)"}
    words += [names.get(kind, f"`{fixed[kind]}`" if kind in fixed else kind.lower()) for kind in sorted(rest)]
    return words
