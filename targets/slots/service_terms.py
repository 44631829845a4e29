"""The terms a service's state is made of: a query with its conjuncts and shown fields, a call with its arguments."""

from typing import TypeAlias

from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Lit, Term, Var
from ...compiler.terms import Field as FieldTerm
from .services import SGD, Intent, Place
from .values import read_alternatives, typed

Values: TypeAlias = list[tuple[Place, tuple[str, ...]]]
"""Fields with the ways to say their value."""


def query(head: Intent, values: Values, shown: tuple[str, ...], schema: Schema) -> Term:
    """`Table | where ... | show ...`; an action's call without arguments if `head` is one."""
    row = Var(head.owner.name)
    term: Term = App(head.owner.name)
    conjuncts = tuple(
        read_alternatives(texts, FieldTerm(row, place.name), place.type, schema, SGD) for place, texts in values
    )
    if conjuncts:
        body = conjuncts[0] if len(conjuncts) == 1 else App("and", conjuncts)
        term = App("where", (term, Abs("spec", (row.name,), body)))
    if shown:
        labels = _labels(shown)
        items = tuple(
            (label, Abs("row", (row.name,), FieldTerm(row, name))) for label, name in zip(labels, shown, strict=True)
        )
        term = App("show", (term,), items)
    return term


def _labels(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names with a number after each that came before."""
    return tuple(name if name not in names[:i] else f"{name}_{i + 1}" for i, name in enumerate(names))


def call(intent: Intent, values: Values, schema: Schema) -> Term:
    """A call of an action, its arguments as declared; of several ways to say one the first."""
    given = {place.name: argument(texts[0], place, schema) for place, texts in values}
    return App(intent.owner.name, (), tuple((p.name, given[p.name]) for p in intent.slots.values() if p.name in given))


def argument(text: str, place: Place, schema: Schema) -> Term:
    """An argument or result: the mark, a typed literal, or the text kept raw."""
    if text == SGD.any:
        return App("any")
    return typed(text, place.type, schema, SGD) or Lit("raw", text)
