"""`let` in a turn: what is used once, or is a constant, stands where it is used, the rest are numbered in order.

Sound for an accepted statement without outcome: naming a value evaluates nothing by itself, and a value used
once is evaluated once either way. Not moved under a row or function, where it would be evaluated again.
"""

from collections.abc import Callable
from dataclasses import replace

from ..compiler.terms import Abs, App, Apply, Entity, Hole, Lit, Statement, Term, Turn, Var, children, rebuild, subterms
from .relations import renamed, replace_free

MAX_DEPTH = 50
"""Terms are not nested deeper than this by putting variables in their places: text that nests without bound cannot be
read. SMCalFlow's programs with variables reach 20."""


def plain_lets(turn: Turn) -> Turn:
    """Inline lets that are used once, rename the others `x0`, `x1` and so on."""
    if all(s.let is None for s in turn.statements):
        return turn
    statements = list(turn.statements)
    index = 0
    while index < len(statements):
        name = statements[index].let
        if name is not None and _movable(statements[index]):
            later = statements[index + 1 :]
            end = next((i for i, s in enumerate(later) if s.let == name), len(later) - 1) + 1
            uses = [_uses(s.term, name) for s in later[:end]]
            value = statements[index].term
            if isinstance(value, Lit | Entity | Hole) and any(uses):
                # A constant needs no name, wherever it is used.
                for place in range(end):
                    if uses[place]:
                        changed = replace_free(later[place].term, _constant(name, value), frozenset((name,)))
                        statements[index + 1 + place] = replace(later[place], term=changed)
                del statements[index]
                continue
            if sum(uses) == 1:
                place = uses.index(1)
                new = _put(later[place].term, name, value)
                if new is not None and not _rebound(value, later[:place]) and _depth(new) <= MAX_DEPTH:
                    statements[index + 1 + place] = replace(later[place], term=new)
                    del statements[index]
                    continue
        index += 1
    return replace(turn, statements=tuple(_numbered(statements)))


def _depth(term: Term) -> int:
    """How deep a term nests, counted no further than needed."""
    depth, level = 0, [term]
    while level and depth <= MAX_DEPTH:
        depth, level = depth + 1, [below for each in level for below in children(each)]
    return depth


def _constant(name: str, value: Term) -> Callable[[Term], Term | None]:
    return lambda part: value if part == Var(name) else None


def _movable(statement: Statement) -> bool:
    return statement.status == "accepted" and statement.outcome is None


def _uses(term: Term, name: str) -> int:
    return sum(isinstance(t, Var) and t.name == name for t in subterms(term))


def _rebound(value: Term, between: list[Statement]) -> bool:
    used = {t.name for t in subterms(value) if isinstance(t, Var)}
    return any(s.let in used for s in between)


def _put(term: Term, name: str, value: Term) -> Term | None:
    """The term with the one use of `name` replaced; None if it stands under a binder."""
    if isinstance(term, Var):
        return value if term.name == name else term
    if isinstance(term, Abs):
        return None if _uses(term.body, name) else term
    if isinstance(term, Apply) and term.fn == Var(name):
        return None
    if isinstance(term, App) and not term.args and not term.named:
        return term
    parts = []
    for part in children(term):
        new = _put(part, name, value)
        if new is None:
            return None
        parts.append(new)
    return rebuild(term, tuple(parts)) if parts else term


def _numbered(statements: list[Statement]) -> list[Statement]:
    called = {t.fn for s in statements for t in subterms(s.term) if isinstance(t, App)}
    bound = {p for s in statements for t in subterms(s.term) if isinstance(t, Abs) for p in t.params}
    names: dict[str, str] = {}
    out: list[Statement] = []
    number = 0
    for statement in statements:
        term = renamed(statement.term, names) if names else statement.term
        let = statement.let
        if let is not None:
            while f"x{number}" in called or f"x{number}" in bound:
                number += 1
            names = {**names, let: f"x{number}"}
            let = f"x{number}"
            number += 1
        out.append(replace(statement, term=term, let=let))
    return out
