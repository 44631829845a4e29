"""`distinct` goes where no row can occur twice, or where nobody counts.

Sound if the rows carry a trusted key of every table they come from, all group keys, or if only the set of rows
is used (below another `distinct`, in `in`, `exists`, `union`, `except`, `intersect`).
"""

from ...compiler.terms import Abs, App, Field, Lit, Term, Var
from ..context import Context, Rule


def apply(term: App, context: Context) -> Term | None:
    """Drop a superfluous `distinct`; grouping that only lists its keys is `distinct`."""
    if term.fn == "show":
        return _keys_only(term)
    source = term.args[0]
    if not context.multiset:
        return source
    if isinstance(source, App) and (source.fn == "distinct" or source.fn in ("union", "except", "intersect")):
        return source
    return source if unique_rows(source, context) else None


def unique_rows(term: Term, context: Context) -> bool:
    """Whether no row occurs twice for certain."""
    if not isinstance(term, App):
        return False
    if term.fn in ("where", "sort", "take", "at") and term.args:
        return unique_rows(term.args[0], context)
    if term.fn == "show" and term.args:
        shown = {over.body for _, over in term.named if isinstance(over, Abs)}
        inner = term.args[0]
        while isinstance(inner, App) and inner.args and inner.fn in ("where", "sort", "take", "at"):
            inner = inner.args[0]
        if isinstance(inner, App) and inner.fn == "group":
            return all(isinstance(k, Abs) and k.body in shown for k in inner.args[1:])
        if isinstance(inner, App) and inner.fn == "whole":
            return True
        keys = _keys(inner, context)
        return keys is not None and all(any(key in shown for key in of_binder) for of_binder in keys)
    keys = _keys(term, context)
    return keys is not None and all(keys)


def _keys(term: Term, context: Context) -> list[list[Term]] | None:
    """For each binder of a join of tables, the columns that identify its row; None for other relations."""
    match term:
        case App("where", (inner, *_)):
            return _keys(inner, context)
        case App("join", (left, right, *_)):
            first, second = _keys(left, context), _keys(right, context)
            return None if first is None or second is None else first + second
        case App("as", (App(name, (), (), ()), Lit("name", binder))):
            return _table_keys(name, binder, context)
        case App(name, (), (), ()):
            return _table_keys(name, name, context)
    return None


def _table_keys(name: str, binder: str, context: Context) -> list[list[Term]] | None:
    table = context.scope.schema.table.get(name)
    if table is None:
        return None
    return [[Field(Var(binder), key) for key in sorted(context.trusted_keys(table))]]


def _keys_only(term: App) -> Term | None:
    inner = term.args[0] if term.args else None
    if not (isinstance(inner, App) and inner.fn == "group" and len(inner.args) > 1):
        return None
    keys = {k.body for k in inner.args[1:] if isinstance(k, Abs)}
    shown = [over.body for _, over in term.named if isinstance(over, Abs)]
    if len(shown) != len(term.named) or set(shown) != keys:
        return None
    return App("distinct", (App("show", (inner.args[0],), term.named),))


RULE = Rule(
    "distinct", frozenset(("distinct", "show")), "rows carry a trusted key of each table, or only sets matter", apply
)
