"""Projections come last: after sorting and taking rows; a projection of a projection is one projection.

Sound always: a projection keeps every row and their order. The outer stage must use columns that are plain
expressions of the row. Over groups likewise. What follows with `then` may use the row as it was before it was
projected, and a projection of what follows is made there.
"""

from ...compiler.terms import Abs, App, Term
from ..context import Context, Rule
from ..relations import ALL, SET_OPERATIONS, STAGES, Columns, binders_of, columns_shown, over_columns, renamed

_QUERIES = STAGES | SET_OPERATIONS


def apply(term: App, context: Context) -> Term | None:
    """Swap a stage with the projection below it, or merge two projections."""
    source = term.args[0] if term.args else None
    if not isinstance(source, App) or not source.args:
        return None
    if term.fn == "show" and source.fn == "then":
        return _of_what_follows(term, source, context)
    if source.fn != "show":
        return None
    inner = source.args[0]
    if term.fn in ("take", "at"):
        return App("show", (App(term.fn, (inner, *term.args[1:])),), source.named)
    columns = columns_shown(source, context.fields)
    if columns is None:
        return None
    binders = binders_of(inner)
    if term.fn in ("sort", "then"):
        moved = _moved(term.args[1:], columns, binders)
        if moved is None:
            return None
        above = App(term.fn, (inner, *moved))
        return above if term.fn == "then" else App("show", (above,), source.named)
    items: list[tuple[str, Term]] = []
    labels = [label for label, _ in term.named]
    for label, over in term.named:
        if isinstance(over, Abs) and over.body == ALL:
            # Every column of the projection below; labels that clash would be told apart by where they stand.
            if not set(labels).isdisjoint(columns.named):
                return None
            items.extend(source.named)
            continue
        moved = _moved((over,), columns, binders)
        if moved is None:
            return None
        items.append((label, moved[0]))
    return App("show", (inner,), tuple(items))


def _moved(overs: tuple[Term, ...], columns: Columns, binders: tuple[str, ...]) -> tuple[Term, ...] | None:
    moved: list[Term] = []
    for over in overs:
        if not isinstance(over, Abs) or over.body == ALL:
            return None
        body = over_columns(over.body, columns, binders)
        if body is None:
            return None
        moved.append(Abs(over.kind, binders, body))
    return tuple(moved)


def _of_what_follows(term: App, source: App, context: Context) -> Term | None:
    """`q | then (r) | show c` is `q | then (r | show c)`."""
    following = source.args[1]
    if not isinstance(following, Abs) or not _is_query(following.body, context):
        return None
    binders = binders_of(following.body)
    items: list[tuple[str, Term]] = []
    for label, over in term.named:
        if not isinstance(over, Abs) or len(over.params) != len(binders) or over.body == ALL:
            return None
        names = {a: b for a, b in zip(over.params, binders, strict=True) if a != b}
        items.append((label, Abs(over.kind, binders, renamed(over.body, names))))
    if set(binders) & set(following.params):
        return None
    shown = App("show", (following.body,), tuple(items))
    return App("then", (source.args[0], Abs(following.kind, following.params, shown)))


def _is_query(term: Term, context: Context) -> bool:
    return isinstance(term, App) and (term.fn in _QUERIES or term.fn in context.scope.schema.table)


RULE = Rule(
    "show",
    frozenset(("sort", "take", "at", "show", "then")),
    "the columns used are plain expressions of the row",
    apply,
)
