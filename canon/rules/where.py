"""Filters come together, right above the tables: before sorting, projecting and dropping duplicates.

Sound always for `where` over `where`, `sort` and `distinct` (they keep rows or drop whole rows, and order is
kept); over `show` if every column the filter uses is a plain expression. Not over `take`, `at`.
"""

from ...compiler.terms import Abs, App, Lit, Term
from ..context import Context, Rule
from ..relations import binders_of, columns_shown, conjunction, conjuncts, is_grouped, over_columns, where


def apply(term: App, context: Context) -> Term | None:
    """Move a filter one stage towards the tables, or merge it with the filter there."""
    if len(term.args) != 2 or not isinstance(term.args[1], Abs):
        return None
    source, condition = term.args[0], term.args[1].body
    if condition == Lit("bool", "true"):
        return source
    if not isinstance(source, App) or not source.args:
        return None
    match source.fn:
        case "where" if isinstance(source.args[1], Abs) and source.args[1].params == term.args[1].params:
            return where(source.args[0], conjunction((*conjuncts(source.args[1].body), *conjuncts(condition))))
        case "sort" | "distinct":
            return App(source.fn, (where(source.args[0], condition), *source.args[1:]))
        case "show" if not is_grouped(source.args[0]):
            columns = columns_shown(source, context.fields)
            moved = over_columns(condition, columns, binders_of(source.args[0])) if columns is not None else None
            if moved is not None:
                return App("show", (where(source.args[0], moved),), source.named)
    return None


RULE = Rule(
    "where", frozenset(("where",)), "rows are kept or dropped whole; shown columns are plain expressions", apply
)
