"""Grouping by a key: every group is one row, so what is picked from it, or summed, is that row's.

Sound for one table grouped by a trusted key of it, if only picks, counts, sums and extremes are used.
"""

from ...compiler.terms import Abs, App, Field, Lit, Term, Var, children, rebuild
from ..context import Context, Rule
from ..relations import AGGREGATES, base_table, has


def apply(term: App, context: Context) -> Term | None:
    """Ungroup a projection of such groups, with the filter and sort between."""
    chain: list[App] = []
    inner: Term = term
    while isinstance(inner, App) and inner.fn in ("show", "where", "sort", "take") and inner.args:
        chain.append(inner)
        inner = inner.args[0]
    if not (isinstance(inner, App) and inner.fn == "group"):
        return None
    base = base_table(inner.args[0])
    table = context.scope.schema.table.get(base[1]) if base is not None else None
    if base is None or table is None:
        return None
    keys = {Field(Var(base[0]), key) for key in context.trusted_keys(table)}
    if not any(isinstance(k, Abs) and k.body in keys for k in inner.args[1:]):
        return None
    rebuilt: Term = inner.args[0]
    for stage in reversed(chain):
        rest = tuple(_single(a) for a in stage.args[1:])
        named = tuple((label, _single(a)) for label, a in stage.named)
        if any(has(a, AGGREGATES) for a in rest) or any(has(a, AGGREGATES) for _, a in named):
            return None
        rebuilt = App(stage.fn, (rebuilt, *rest), named)
    return rebuilt


def _single(term: Term) -> Term:
    """An expression over a group of one row, over that row."""
    match term:
        case App("pick" | "min" | "max" | "sum", (inner,)):
            return inner
        case App("count", ()):
            return Lit("number", "1")
    parts = children(term)
    return rebuild(term, tuple(_single(p) for p in parts)) if parts else term


RULE = Rule("groups", frozenset(("show",)), "one table, grouped by a trusted key", apply)
