"""Filters that cannot be meant: those nothing can meet, and conditions that everything meets."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from ..compiler.schema import Schema
from ..compiler.terms import Abs, App, Field, Lit, Term, Turn, Var, children
from ..grammar.diagnostic import Diagnostic
from .difference import fragment
from .errors import everything_matches, nothing_matches
from .filters.decide import always, satisfiable
from .relations import conjunction
from .rows import Scope, row_of

# More conjuncts than this are not tried in pairs to name the two that exclude each other.
_PAIRS = 24
_ORDINARY = frozenset(("=", "~", "is_any", "is_none"))


@dataclass(frozen=True, slots=True)
class FilterLint:
    """What is odd, and where: the statement, and the path of the condition in its term."""

    statement: int
    path: tuple[int, ...]
    diagnostic: Diagnostic


def filter_lints(turn: Turn, schema: Schema) -> tuple[FilterLint, ...]:
    """The lints of a turn's filters, in order. The schema must include the prelude."""
    found: list[FilterLint] = []
    for i, statement in enumerate(turn.statements):
        for path, diagnostic in _walk(statement.term, (), Scope(schema)):
            found.append(FilterLint(i, path, diagnostic))
    return tuple(found)


Found = Iterator[tuple[tuple[int, ...], Diagnostic]]


def _walk(term: Term, path: tuple[int, ...], scope: Scope) -> Found:
    row = row_of(term.args[0], scope) if isinstance(term, App) and term.args else ()
    for i, child in enumerate(children(term)):
        if isinstance(child, Abs):
            of_row = child.kind == "row" or (isinstance(term, App) and term.fn == "where")
            inner = scope.over(child.params, row) if of_row else scope.without(child.params)
            if child.kind == "spec":
                yield from _judged(child, (*path, i, 0), inner)
            yield from _walk(child.body, (*path, i, 0), inner)
        else:
            yield from _walk(child, (*path, i), scope)


def _judged(filter_: Abs, path: tuple[int, ...], scope: Scope) -> Found:
    parts = list(_conjuncts(filter_.body, path))
    if _plain([part for _, part in parts]):
        return
    row = filter_.params
    if satisfiable(filter_.body, scope) is False:
        culprits = _culprits(parts, scope)
        yield culprits[0][0], nothing_matches([fragment(part, row) for _, part in culprits])
        return
    for place, part in parts:
        if part != Lit("bool", "true") and always(part, scope):
            yield place, everything_matches(fragment(part, row))


def _conjuncts(term: Term, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Term]]:
    if isinstance(term, App) and term.fn == "and" and not term.named:
        for i, part in enumerate(term.args):
            yield from _conjuncts(part, (*path, i))
    else:
        yield path, term


def _plain(parts: list[Term]) -> bool:
    """An equality or mark a field: nothing to find, and nearly every filter of a dialogue."""
    fields = set()
    for part in parts:
        if not (isinstance(part, App) and part.fn in _ORDINARY and isinstance(part.args[0], Field)):
            return False
        if len(part.args) == 2 and isinstance(part.args[1], Field | Var):
            return False
        if len(part.args) == 2 and isinstance(part.args[1], Lit) and not _whole(part.args[1]):
            # A fraction is no whole number.
            return False
        fields.add(part.args[0])
    return len(fields) == len(parts)


def _whole(literal: Lit) -> bool:
    return literal.kind != "number" or literal.value.isdigit()


def _culprits(parts: list[tuple[tuple[int, ...], Term]], scope: Scope) -> list[tuple[tuple[int, ...], Term]]:
    """One condition that cannot be met, or two that exclude each other, or all of them."""
    for one in parts:
        if satisfiable(one[1], scope) is False:
            return [one]
    if len(parts) <= _PAIRS:
        for two in combinations(parts, 2):
            if satisfiable(conjunction([part for _, part in two]), scope) is False:
                return list(two)
    return parts
