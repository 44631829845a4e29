"""Groups of a projection are groups of the rows projected: `q | show c | group .c` needs no `show`.

Sound if every column used is a plain expression of the row, and every key a field: a projection keeps every row. Not
over `distinct`.
"""

from ...compiler.terms import Abs, App, Field, Term
from ..context import Context, Rule
from ..relations import ALL, Columns, binders_of, columns_shown, is_grouped, over_columns


def apply(term: App, context: Context) -> Term | None:
    """Take the projection below the groups out of a projection of groups."""
    chain: list[App] = []
    inner: Term = term
    while isinstance(inner, App) and inner.fn in ("show", "where", "sort", "take", "at") and inner.args:
        chain.append(inner)
        inner = inner.args[0]
    if not (isinstance(inner, App) and inner.fn in ("group", "whole")):
        return None
    source = inner.args[0]
    if not (isinstance(source, App) and source.fn == "show" and source.args) or is_grouped(source.args[0]):
        return None
    columns = columns_shown(source, context.fields)
    if columns is None:
        return None
    binders = binders_of(source.args[0])
    rebuilt: Term = source.args[0]
    for stage in (inner, *reversed(chain)):
        rest = [_moved(a, columns, binders) for a in stage.args[1:]]
        named = [(label, _moved(a, columns, binders)) for label, a in stage.named]
        if any(a is None for a in rest) or any(a is None for _, a in named):
            return None
        if stage is inner and not all(isinstance(a, Abs) and isinstance(a.body, Field) for a in rest):
            # A key is known again above the groups as the field it is.
            return None
        rebuilt = App(stage.fn, (rebuilt, *(a for a in rest if a)), tuple((n, a) for n, a in named if a))
    return rebuilt


def _moved(over: Term, columns: Columns, binders: tuple[str, ...]) -> Term | None:
    if not isinstance(over, Abs):
        return over
    if over.body == ALL or any(body == ALL for body in columns.named.values()):
        return None
    body = over_columns(over.body, columns, binders)
    return None if body is None else Abs(over.kind, binders, body)


RULE = Rule("aggregates", frozenset(("show",)), "the columns used are plain expressions of the row", apply)
