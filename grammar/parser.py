"""The parser: a small interpreter of the predictive table. No recursion, so depth is only a bound we set."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from . import errors
from .diagnostic import CompileError, Diagnostic, nearest
from .lexer import Token, lexicon, tokenize
from .ll1 import first_of, load_table
from .rules import END, Production, Symbol, load_grammar
from .span import Span
from .syntax import Node, Tree

_OPENING = frozenset(("LPAR", "LSQB", "LBRACE"))
_CLOSING = frozenset(("RPAR", "RSQB", "RBRACE"))
_PREFIX = frozenset(("NOT", "MINUS", "FN"))
_ITEM_ENDS = frozenset(("SEMICOLON", "COMMA", "PIPE", "AND", "OR"))

# What the parser's stack holds: (code, payload). A chain stands for the tails of thin rules, one around the
# other; most of the time all of them are empty, and one look-up says so.
_TERMINAL, _NONTERMINAL, _CLOSE, _CHAIN = range(4)
Item = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class _Step:
    """What to do in a nonterminal when a terminal is ahead: nodes to open, whether the terminal is eaten and
    kept, and what then waits (innermost last)."""

    opens: tuple[str, ...]
    eats: bool
    keeps: bool
    push: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Chain:
    """Tails of thin rules, inner first. `starts` tells which tail a terminal begins; `outer` the chain
    around each; `rest` a tail's symbols, ready to push; `node` the node it makes."""

    starts: dict[str, int]
    node: tuple[str, ...]
    rest: tuple[tuple[Item, ...], ...]
    outer: "tuple[tuple[Item, ...], ...]"


def parse(text: str, start: str = "program") -> Node:
    """Parse `text` as `start` (program, query, expr, type or schema) into a syntax tree.

    Raises CompileError with DLC001 to DLC005.
    """
    return parse_tokens(tokenize(text, start), start)


def parse_tokens(tokens: list[Token], start: str = "program") -> Node:
    """Parse tokens that end with END. Shapes: one node for `start`, spliced and thin rules gone."""
    if len(tokens) > errors.MAX_NESTING:
        _check_nesting(tokens)
    steps = _steps()
    position = 0
    kind = tokens[0].kind
    children: list[Tree] = []
    open_nodes: list[tuple[list[Tree], int]] = []
    stack: list[Item] = [(_NONTERMINAL, steps[start])]
    pop = stack.pop
    while stack:
        code, payload = pop()
        if code == _NONTERMINAL:
            try:
                step = payload[kind]
            except KeyError:
                raise CompileError(_unexpected(tokens, position, start)) from None
            for _ in step.opens:
                open_nodes.append((children, tokens[position].start))
                children = []
            stack += step.push
            if step.eats:
                if step.keeps:
                    children.append(tokens[position])
                position += 1
                kind = tokens[position].kind
        elif code == _CHAIN:
            index = payload.starts.get(kind)
            if index is not None:
                first = children.pop()
                open_nodes.append((children, first.start))
                children = [first]
                stack += payload.outer[index]
                stack.append((_CLOSE, payload.node[index]))
                stack += payload.rest[index]
        elif code == _CLOSE:
            inner = children
            children, begin = open_nodes.pop()
            end = tokens[position - 1].end if position else 0
            children.append(Node(payload, tuple(inner), begin, end if end > begin else begin))
        else:
            name, kept = payload
            if name != kind:
                raise CompileError(_unexpected(tokens, position, start))
            if kept:
                children.append(tokens[position])
            position += 1
            kind = tokens[position].kind
    if kind != END:
        raise CompileError(_unexpected(tokens, position, start))
    node = children[0]
    if isinstance(node, Node):
        return node
    return Node(start, (node,), node.start, node.end)


def _check_nesting(tokens: list[Token]) -> None:
    """Bound brackets and prefix operators, which a tree holds inside one another."""
    brackets, prefixes = 0, 0
    for token in tokens:
        kind = token.kind
        if kind in _OPENING:
            brackets += 1
        elif kind in _CLOSING:
            brackets -= 1
        elif kind in _PREFIX:
            prefixes += 1
        elif kind in _ITEM_ENDS:
            prefixes = 0
        if brackets + prefixes > errors.MAX_NESTING:
            raise CompileError(errors.too_deep(Span(token.start, token.end)))


class _Row(dict[str, _Step]):
    """Steps of one nonterminal by the terminal ahead, each worked out when first needed."""

    __slots__ = ("name", "rows")

    def __init__(self, name: str, rows: "dict[str, _Row]") -> None:
        super().__init__()
        self.name, self.rows = name, rows

    def __missing__(self, kind: str) -> _Step:
        if kind not in load_table().predict[self.name]:
            raise KeyError(kind)
        step = _step(self.name, kind, self.rows)
        self[kind] = step
        return step


@cache
def _steps() -> dict[str, _Row]:
    """The predictive table with every run of expansions up to the next terminal taken at once."""
    rows: dict[str, _Row] = {}
    for name in load_table().predict:
        rows[name] = _Row(name, rows)
    return rows


def _step(name: str, kind: str, rows: dict[str, _Row]) -> _Step:
    predict = load_table().predict
    front: list[tuple[str, Any]] = [("expand", name)]
    opens: list[str] = []
    eats = keeps = False
    while front:
        what, payload = front[0]
        if what == "expand":
            production = predict[payload][kind]
            front[:1] = _symbols_of(production)
        elif what == "open":
            opens.append(payload)
            front.pop(0)
        elif what == "terminal" and payload[0] == kind:
            eats, keeps = True, payload[1]
            front.pop(0)
            break
        else:
            break
    return _Step(tuple(opens), eats, keeps, _items(front, rows))


def _symbols_of(production: Production) -> list[tuple[str, Any]]:
    symbols: list[tuple[str, Any]] = [_symbol(symbol) for symbol in production.symbols]
    if production.spliced:
        return symbols
    if production.thin:
        return [symbols[0], *([("tail", production)] if len(symbols) > 1 else [])]
    return [("open", production.node), *symbols, ("close", production.node)]


def _symbol(symbol: Symbol) -> tuple[str, Any]:
    return ("terminal", (symbol.name, symbol.kept)) if symbol.terminal else ("expand", symbol.name)


def _items(todo: list[tuple[str, Any]], rows: dict[str, _Row]) -> tuple[Item, ...]:
    """Symbols still to match, as stack items, last one first; neighbouring tails become one chain."""
    items: list[Item] = []
    index = 0
    while index < len(todo):
        what, payload = todo[index]
        if what == "tail":
            run = [payload]
            while index + 1 < len(todo) and todo[index + 1][0] == "tail":
                index += 1
                run.append(todo[index][1])
            items.append((_CHAIN, _chain(run, rows)))
        elif what == "expand":
            items.append((_NONTERMINAL, rows[payload]))
        elif what == "terminal":
            items.append((_TERMINAL, payload))
        else:
            items.append((_CLOSE, payload))
        index += 1
    return tuple(reversed(items))


def _chain(tails: list[Production], rows: dict[str, _Row]) -> _Chain:
    table = load_table()
    first = {name: set(terminals) for name, terminals in table.first.items()}
    starts: dict[str, int] = {}
    rest: list[tuple[Item, ...]] = []
    outer: list[tuple[Item, ...]] = []
    for i, production in enumerate(tails):
        for kind in first_of(production, 1, table.nullable, first)[0]:
            starts.setdefault(kind, i)
        rest.append(_items([_symbol(symbol) for symbol in production.symbols[1:]], rows))
        around = tails[i + 1 :]
        outer.append(((_CHAIN, _chain(around, rows)),) if around else ())
    return _Chain(starts, tuple(p.node for p in tails), tuple(rest), tuple(outer))


def expected_after(tokens: list[Token], start: str = "program") -> frozenset[str]:
    """Terminals that may follow the prefix `tokens` (without END); empty if the prefix is wrong."""
    stack = stack_after(tokens, start)
    return _viable(stack) if stack or not tokens else frozenset()


def stack_after(tokens: list[Token], start: str = "program") -> list[str]:
    """Symbols still to match after a prefix, innermost last; empty if the prefix is wrong."""
    predict = load_table().predict
    stack = [start]
    for token in tokens:
        if not _shift(predict, stack, token.kind):
            return []
    return stack


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


def _unexpected(tokens: list[Token], position: int, start: str) -> Diagnostic:
    token = tokens[position]
    span = Span(token.start, token.end)
    kinds = expected_after(tokens[:position], start)
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
    elif kinds == {"COMMA", "LPAR"}:
        hints = ("the acts of a turn end with `:`",)
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
