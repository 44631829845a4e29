"""Counting: `count(.x)` of a required value is `count()`, so is `count_distinct` of a trusted key of one table.

Sound because a count of values leaves out missing ones only, and rows of one table differ in its key.
"""

from ...compiler.terms import App, Field, Term, Var
from ..context import Context, Rule
from ..relations import base_table


def apply(term: App, context: Context) -> Term | None:
    """Bring a count to `count()`, and an aggregate that ignores duplicates to the plain one."""
    if len(term.args) != 1:
        return None
    argument = term.args[0]
    if term.fn == "count":
        return None if context.scope.fact(argument).optional else App("count")
    base = base_table(context.grouped) if context.grouped is not None else None
    table = context.scope.schema.table.get(base[1]) if base is not None else None
    if base is None or table is None:
        return None
    if argument in {Field(Var(base[0]), key) for key in context.trusted_keys(table)}:
        return App("count") if term.fn == "count_distinct" else App(term.fn.removesuffix("_distinct"), term.args)
    return None


RULE = Rule(
    "counts",
    frozenset(("count", "count_distinct", "sum_distinct", "avg_distinct")),
    "the value is required; a trusted key of the only table",
    apply,
)
