"""Inlining a dialogue's metacomputation: references and revisions give way to the program fragments they return.

What a call returns is known to whoever keeps the dialogue's graph, and is handed in. The rule is sound because the
fragment is the very computation that evaluating the call would share. Source: Andreas et al. 2020, section 7.
"""

from collections.abc import Mapping
from dataclasses import replace

from ..compiler.terms import App, Statement, Term, Turn, children, rebuild

Path = tuple[int, ...]
Referents = Mapping[tuple[int, Path], Term]
"""By a statement's position and a call's path within its term: what the call returned."""


def inlined(turn: Turn, referents: Referents) -> Turn:
    """A turn with each call named in `referents` replaced; what is not named stays."""
    statements = tuple(
        replace(statement, term=_inlined(statement.term, i, (), referents))
        for i, statement in enumerate(turn.statements)
    )
    return replace(turn, statements=statements)


def _inlined(term: Term, index: int, path: Path, referents: Referents) -> Term:
    known = referents.get((index, path))
    if known is not None:
        return known
    below = children(term)
    if not below:
        return term
    made = tuple(_inlined(child, index, (*path, i), referents) for i, child in enumerate(below))
    return simplified(rebuild(term, made) if made != below else term)


def simplified(term: Term) -> Term:
    """`Execute(intension(x))` is x; `a is intension(x)`, a constraint that only x's own value meets, is `a = x`."""
    match term:
        case App("Execute", (App("intension", (inner,)),), ()):
            return inner
        case App("is", (subject, App("intension", (inner,))), ()):
            return App("=", (subject, inner))
    return term


def plain(turn: Turn) -> bool:
    """Whether a turn refers to nothing that came before it."""
    return not any(_refers(statement) for statement in turn.statements)


def _refers(statement: Statement) -> bool:
    pending = [statement.term]
    while pending:
        term = pending.pop()
        if isinstance(term, App) and term.fn in METACOMPUTATION:
            return True
        pending.extend(children(term))
    return False


METACOMPUTATION = frozenset(("refer", "revise", "substitute", "transform"))
