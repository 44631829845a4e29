"""Syntax tree to text: the grammar run backwards, and one fixed separator between any two tokens.

Canonical text is decided here alone. The separator depends only on the kinds of the two tokens, so how a
token lexes never depends on what follows it.
"""

from dataclasses import dataclass
from functools import cache

from .lexer import Token
from .rules import Production, load_grammar
from .syntax import Node, Tree

_OPENING = frozenset(("LPAR", "LSQB"))
_TIGHT_BEFORE = frozenset(("RPAR", "RSQB", "COMMA", "SEMICOLON", "QMARK"))
_CALLABLE = frozenset(("NAME", "RSQB"))
_TYPED = frozenset(("NAME", "HOLE", "ENT"))
_OPERANDS = frozenset(("NAME", "RPAR", "RSQB", "RBRACE", "FIELD", "STR", "HOLE", "ENT", "IT"))
_BEFORE_COLON = frozenset(("USER", "AGENT", "RPAR", "FIELD"))


def separator(left: str, right: str) -> str:
    """What canonical text puts between a token of kind `left` and one of kind `right`."""
    if left in _OPENING or right in _TIGHT_BEFORE:
        return ""
    if right == "LPAR":
        return "" if left in _CALLABLE else " "
    if right == "LSQB":
        return "" if left in _TYPED else " "
    if right == "FIELD":
        return "" if left in _OPERANDS else " "
    if right == "COLON":
        return "" if left in _BEFORE_COLON else " "
    if left == "LBRACE" and right == "RBRACE":
        return ""
    return " "


def print_tree(node: Node) -> str:
    """Canonical text of a tree: one turn or declaration a line, one space or nothing between tokens.

    Raises ValueError if the tree is not one the grammar can produce.
    """
    if node.rule in ("program", "schema"):
        return "".join(print_tree(child) + "\n" for child in node.children if isinstance(child, Node))
    return join(tokens_of(node))


def join(tokens: list[tuple[str, str]]) -> str:
    """Text of (kind, text) pairs in canonical spacing."""
    parts: list[str] = []
    left = "LPAR"
    for kind, text in tokens:
        parts.append(separator(left, kind))
        parts.append(text)
        left = kind
    return "".join(parts)


def tokens_of(tree: Tree) -> list[tuple[str, str]]:
    """The (kind, text) pairs of a tree, punctuation and keywords put back from the grammar."""
    out: list[tuple[str, str]] = []
    _emit(tree, out)
    return out


@dataclass(frozen=True, slots=True)
class _Plans:
    """For each node name its productions, and which child kinds each nonterminal can start with."""

    of_node: dict[str, tuple[Production, ...]]
    stands_for: dict[str, frozenset[str]]
    choose: dict[str, dict[str, Production]]
    childless: dict[str, Production]


def _emit(tree: Tree, out: list[tuple[str, str]]) -> None:
    if isinstance(tree, Token):
        out.append((tree.kind, tree.text))
        return
    plans = _plans()
    kinds = [child.kind if isinstance(child, Token) else child.rule for child in tree.children]
    for production in plans.of_node.get(tree.rule, ()):
        first = kinds[0] if kinds else None
        if _fits(production, first, plans):
            used = _expand(production, tree.children, kinds, 0, out, plans)
            if used == len(kinds):
                return
    raise ValueError(f"no production of {tree.rule} has children {kinds}")


def _fits(production: Production, first: str | None, plans: _Plans) -> bool:
    for symbol in production.symbols:
        if symbol.terminal:
            if symbol.kept:
                return symbol.name == first
        elif symbol.name.startswith("_"):
            if first in plans.choose[symbol.name]:
                return True
            if symbol.name not in plans.childless:
                return False
        else:
            return first in plans.stands_for[symbol.name]
    return first is None


def _expand(
    production: Production,
    children: tuple[Tree, ...],
    kinds: list[str],
    position: int,
    out: list[tuple[str, str]],
    plans: _Plans,
) -> int:
    fixed = load_grammar().fixed
    todo = list(reversed(production.symbols))
    while todo:
        symbol = todo.pop()
        kind = kinds[position] if position < len(kinds) else None
        if symbol.terminal:
            if not symbol.kept:
                out.append((symbol.name, fixed[symbol.name]))
            elif symbol.name == kind:
                _emit(children[position], out)
                position += 1
            else:
                raise ValueError(f"{production.node} wants {symbol.name}, has {kind}")
        elif symbol.name.startswith("_"):
            chosen = plans.choose[symbol.name].get(kind) if kind is not None else None
            chosen = chosen or plans.childless.get(symbol.name)
            if chosen is None:
                raise ValueError(f"{production.node} cannot continue with {kind}")
            todo.extend(reversed(chosen.symbols))
        elif kind in plans.stands_for[symbol.name]:
            _emit(children[position], out)
            position += 1
        else:
            raise ValueError(f"{production.node} wants {symbol.name}, has {kind}")
    return position


@cache
def _plans() -> _Plans:
    grammar = load_grammar()
    of_node: dict[str, list[Production]] = {}
    for production in grammar.productions:
        if not production.spliced:
            of_node.setdefault(production.node, []).append(production)
    stands_for = _stands_for()
    spliced = [p for p in grammar.productions if p.spliced]
    childless: dict[str, Production] = {}
    starts: dict[str, set[str]] = {p.origin: set() for p in spliced}
    choose: dict[str, dict[str, Production]] = {p.origin: {} for p in spliced}
    grown = True
    while grown:
        grown = False
        for production in spliced:
            found, empty = _child_first(production, starts, childless, stands_for)
            if empty and production.origin not in childless:
                childless[production.origin] = production
                grown = True
            if not found <= starts[production.origin]:
                starts[production.origin] |= found
                grown = True
            for kind in found:
                choose[production.origin].setdefault(kind, production)
    return _Plans({name: tuple(ps) for name, ps in of_node.items()}, stands_for, choose, childless)


def _child_first(
    production: Production,
    starts: dict[str, set[str]],
    childless: dict[str, Production],
    stands_for: dict[str, frozenset[str]],
) -> tuple[set[str], bool]:
    found: set[str] = set()
    for symbol in production.symbols:
        if symbol.terminal:
            if symbol.kept:
                return found | {symbol.name}, False
        elif symbol.name.startswith("_"):
            found |= starts[symbol.name]
            if symbol.name not in childless:
                return found, False
        else:
            return found | stands_for[symbol.name], False
    return found, True


def _stands_for() -> dict[str, frozenset[str]]:
    """Which node names and tokens can stand where a visible nonterminal is wanted."""
    grammar = load_grammar()
    sets: dict[str, set[str]] = {
        name: {p.node for p in alternatives} for name, alternatives in grammar.of.items() if not name.startswith("_")
    }
    only: dict[str, set[str]] = {name: set() for name in grammar.of}
    empty = {p.origin for p in grammar.productions if all(s.terminal and not s.kept for s in p.symbols)}
    grown = True
    while grown:
        grown = False
        for production in grammar.productions:
            bearing = [s for s in production.symbols if not (s.terminal and not s.kept) and s.name not in empty]
            if len(bearing) > 1:
                continue
            options = [bearing[0]] if bearing else [s for s in production.symbols if not s.terminal]
            if any(s.terminal and not s.kept for s in production.symbols):
                continue
            for symbol in options:
                found = {symbol.name} if symbol.terminal else sets.get(symbol.name, only[symbol.name])
                if production.spliced and not found <= only[production.origin]:
                    only[production.origin] |= found
                    grown = True
                if production.thin and not found <= sets[production.origin]:
                    sets[production.origin] |= found
                    grown = True
    return {name: frozenset(found) for name, found in sets.items()}
