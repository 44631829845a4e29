"""Projections come last: after sorting and taking rows; a projection of a projection is one projection.

Sound always: a projection keeps every row and their order. The outer stage must use columns that are plain
expressions of the row. Over groups likewise.
"""

from ...compiler.terms import Abs, App, Term
from ..context import Context, Rule
from ..relations import binders_of, columns_shown, over_columns


def apply(term: App, context: Context) -> Term | None:
    """Swap a stage with the projection below it, or merge two projections."""
    source = term.args[0] if term.args else None
    if not isinstance(source, App) or source.fn != "show" or not source.args:
        return None
    inner = source.args[0]
    if term.fn in ("take", "at"):
        return App("show", (App(term.fn, (inner, *term.args[1:])),), source.named)
    columns = columns_shown(source)
    if columns is None:
        return None
    binders = binders_of(inner)
    if term.fn == "sort":
        keys = _moved(term.args[1:], columns, binders)
        return None if keys is None else App("show", (App("sort", (inner, *keys)),), source.named)
    items = _moved(tuple(value for _, value in term.named), columns, binders)
    if items is None:
        return None
    labels = tuple(label for label, _ in term.named)
    return App("show", (inner,), tuple(zip(labels, items, strict=True)))


def _moved(overs: tuple[Term, ...], columns: dict[str, Term], binders: tuple[str, ...]) -> tuple[Term, ...] | None:
    moved: list[Term] = []
    for over in overs:
        if not isinstance(over, Abs) or over.body == App("all_fields"):
            return None
        body = over_columns(over.body, columns)
        if body is None:
            return None
        moved.append(Abs(over.kind, binders, body))
    return tuple(moved)


RULE = Rule(
    "show", frozenset(("sort", "take", "at", "show")), "the columns used are plain expressions of the row", apply
)
