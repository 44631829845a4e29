"""A statement taken apart into what a slot state can hold: its head, its conjuncts, the fields it shows."""

from dataclasses import dataclass
from typing import Final

from ...compiler.terms import Abs, App, Statement, Term, Var
from ...compiler.terms import Field as FieldTerm
from ..rows import Note
from . import notes as say

_OF_SEVERAL: Final = frozenset(("join", "join_left", "join_right", "join_full", "union", "except", "intersect", "then"))


@dataclass(frozen=True, slots=True)
class Opened:
    """head: the table or action, None where a state has no place for the statement. shown: `Table.field`."""

    head: App | None
    conjuncts: tuple[Term, ...]
    shown: tuple[str, ...]
    notes: tuple[Note, ...]


def opened(statement: Statement) -> Opened:
    """The parts of a statement; what slots cannot say is noted."""
    notes: list[Note] = []
    shown: list[str] = []
    conjuncts: list[Term] = []
    if statement.status == "proposed":
        return Opened(None, (), (), (say.no_slot("proposed", "what is only proposed"),))
    if statement.let is not None:
        notes.append(say.no_slot(statement.let, "a `let`"))
    term = statement.term
    while isinstance(term, App) and term.args:
        if term.fn == "where" and len(term.args) == 2 and isinstance(term.args[1], Abs):
            body = term.args[1].body
            conjuncts = [*(body.args if isinstance(body, App) and body.fn == "and" else (body,)), *conjuncts]
        elif term.fn == "show":
            for label, item in term.named:
                path = _shown(item)
                if path is None:
                    notes.append(say.no_slot(label, "a computed column"))
                else:
                    shown.append(path)
        else:
            notes.append(say.no_slot(term.fn, f"`{term.fn}`"))
            if term.fn in _OF_SEVERAL:
                return Opened(None, (), (), tuple(notes))
        term = term.args[0]
    if not isinstance(term, App):
        notes.append(no_domain(""))
        return Opened(None, (), (), tuple(notes))
    return Opened(term, tuple(conjuncts), tuple(shown), tuple(notes))


def no_domain(name: str) -> Note:
    """What is said of a statement about nothing the states know."""
    return say.no_slot(name, "this statement: the schema has no such domain")


def subject_of(term: Term) -> str:
    """What a condition is about, as far as it shows."""
    inner = term
    while isinstance(inner, App) and inner.args:
        inner = inner.args[0]
    return inner.name if isinstance(inner, FieldTerm) else getattr(term, "fn", "")


def _shown(item: Term) -> str | None:
    match item:
        case Abs(_, _, FieldTerm(Var(row), name)):
            return f"{row}.{name}"
    return None
