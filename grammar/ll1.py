"""FIRST, FOLLOW and the predictive table of dl.lark, computed from the loaded rules.

Textbook construction (Aho, Sethi, Ullman, section 4.4). The decoder reads the same table.
"""

from dataclasses import dataclass
from functools import cache

from .rules import END, STARTS, Grammar, Production, load_grammar


@dataclass(frozen=True, slots=True)
class Table:
    """`predict[nonterminal][terminal]` is the production to expand; conflicts are kept for a test."""

    predict: dict[str, dict[str, Production]]
    first: dict[str, frozenset[str]]
    follow: dict[str, frozenset[str]]
    nullable: frozenset[str]
    conflicts: tuple[tuple[str, str, Production, Production], ...]


def build_table(grammar: Grammar, starts: tuple[str, ...] = STARTS) -> Table:
    """Compute the LL(1) table of `grammar` with end of text in FOLLOW of each start."""
    nullable = _nullable(grammar)
    first = _first(grammar, nullable)
    follow = _follow(grammar, nullable, first, starts)
    predict: dict[str, dict[str, Production]] = {name: {} for name in grammar.of}
    conflicts = []
    for production in grammar.productions:
        ahead, empty = first_of(production, 0, nullable, first)
        for terminal in sorted(ahead | follow[production.origin] if empty else ahead):
            row = predict[production.origin]
            if terminal in row:
                conflicts.append((production.origin, terminal, row[terminal], production))
            row[terminal] = production
    return Table(
        predict,
        {name: frozenset(terminals) for name, terminals in first.items()},
        {name: frozenset(terminals) for name, terminals in follow.items()},
        frozenset(nullable),
        tuple(conflicts),
    )


def first_of(
    production: Production, position: int, nullable: set[str] | frozenset[str], first: dict[str, set[str]]
) -> tuple[set[str], bool]:
    """FIRST of the symbols from `position` on, and whether all of them can be empty."""
    found: set[str] = set()
    for symbol in production.symbols[position:]:
        if symbol.terminal:
            return found | {symbol.name}, False
        found |= first[symbol.name]
        if symbol.name not in nullable:
            return found, False
    return found, True


def _nullable(grammar: Grammar) -> set[str]:
    nullable: set[str] = set()
    grown = True
    while grown:
        grown = False
        for production in grammar.productions:
            if production.origin not in nullable and all(s.name in nullable for s in production.symbols):
                nullable.add(production.origin)
                grown = True
    return nullable


def _first(grammar: Grammar, nullable: set[str]) -> dict[str, set[str]]:
    first: dict[str, set[str]] = {name: set() for name in grammar.of}
    grown = True
    while grown:
        grown = False
        for production in grammar.productions:
            found, _ = first_of(production, 0, nullable, first)
            if not found <= first[production.origin]:
                first[production.origin] |= found
                grown = True
    return first


def _follow(
    grammar: Grammar, nullable: set[str], first: dict[str, set[str]], starts: tuple[str, ...]
) -> dict[str, set[str]]:
    follow: dict[str, set[str]] = {name: set() for name in grammar.of}
    for start in starts:
        follow[start].add(END)
    grown = True
    while grown:
        grown = False
        for production in grammar.productions:
            for i, symbol in enumerate(production.symbols):
                if symbol.terminal:
                    continue
                found, empty = first_of(production, i + 1, nullable, first)
                if empty:
                    found |= follow[production.origin]
                if not found <= follow[symbol.name]:
                    follow[symbol.name] |= found
                    grown = True
    return follow


@cache
def load_table() -> Table:
    """The table of dl.lark."""
    return build_table(load_grammar())
