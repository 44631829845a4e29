"""Sorting: one `sort`, no key that cannot decide anything, none at all where nobody sees the order.

Sound because sorting is stable: an earlier sort breaks the ties of a later one. A key after one that
identifies the row decides nothing (trusted keys only), nor does a repeated or constant one.
"""

from ...compiler.terms import Abs, App, Entity, Field, Hole, Lit, Term, Var
from ..context import Context, Rule
from ..relations import base_table


def apply(term: App, context: Context) -> Term | None:
    """Merge, shorten or drop a sort."""
    source, keys = term.args[0], term.args[1:]
    if context.ordered == 0:
        return source
    if isinstance(source, App) and source.fn == "sort":
        return App("sort", (source.args[0], *keys, *source.args[1:]))
    if isinstance(source, App) and source.fn == "distinct":
        return App("distinct", (App("sort", (source.args[0], *keys)),))
    kept: list[Term] = []
    seen: set[Term] = set()
    unique = _unique(source, context)
    for key in keys:
        body = key.body.args[0] if isinstance(key, Abs) and isinstance(key.body, App) and key.body.args else None
        if body is None:
            return None
        if body in seen or isinstance(body, Lit | Hole | Entity):
            continue
        seen.add(body)
        kept.append(key)
        if body in unique:
            break
    if len(kept) == len(keys):
        return None
    return App("sort", (source, *kept)) if kept else source


def _unique(source: Term, context: Context) -> set[Term]:
    base = base_table(source)
    table = context.scope.schema.table.get(base[1]) if base is not None else None
    if base is None or table is None:
        return set()
    return {Field(Var(base[0]), key) for key in context.trusted_keys(table)}


RULE = Rule("sort", frozenset(("sort",)), "sorting is stable; trusted keys for what a key decides", apply)
