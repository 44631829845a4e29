"""Rows by position: nested slices are one, the first row is `take 1`, and `take 0` of anything is the same.

Sound always for literal counts of whole, non-negative numbers. From the end only where the order is total:
`sort k desc | at 1` is `sort k asc | at -1` if the first key identifies the row (trusted keys).
"""

from ...compiler.terms import Abs, App, Field, Lit, Term, Var
from ..context import Context, Rule
from ..relations import base_table


def apply(term: App, context: Context) -> Term | None:
    """Merge slices and bring single positions to one form."""
    source = term.args[0]
    counts = [_count(a) for a in term.args[1:]]
    if term.fn == "at":
        if counts == [1]:
            return App("take", (source, Lit("number", "1")))
        if len(counts) == 1 and counts[0] is not None and counts[0] < 0:
            return _from_the_end(source, counts[0], context)
        return None
    if any(c is None or c < 0 for c in counts):
        return None
    number, skip = counts[0], counts[1] if len(counts) > 1 else 0
    assert number is not None and skip is not None
    if number == 1 and skip > 0:
        return App("at", (source, Lit("number", str(skip + 1))))
    if isinstance(source, App) and source.fn == "take":
        inner = [_count(a) for a in source.args[1:]]
        if all(c is not None and c >= 0 for c in inner):
            first, start = inner[0], inner[1] if len(inner) > 1 else 0
            assert first is not None and start is not None
            return _take(source.args[0], max(0, min(number, first - skip)), start + skip)
    if len(term.args) == 3 and skip == 0:
        return _take(source, number, 0)
    return None


def _take(source: Term, number: int, skip: int) -> Term:
    tail = (Lit("number", str(skip)),) if skip and number else ()
    return App("take", (source, Lit("number", str(number)), *tail))


def _count(term: Term) -> int | None:
    if isinstance(term, Lit) and term.kind in ("number", "int") and term.value.lstrip("-").isdigit():
        return int(term.value)
    return None


def _from_the_end(source: Term, index: int, context: Context) -> Term | None:
    if not (isinstance(source, App) and source.fn == "sort" and len(source.args) == 2):
        return None
    base, key = base_table(source.args[0]), source.args[1]
    table = context.scope.schema.table.get(base[1]) if base is not None else None
    if base is None or table is None or not isinstance(key, Abs) or not isinstance(key.body, App):
        return None
    if key.body.args[0] not in {Field(Var(base[0]), k) for k in context.trusted_keys(table)}:
        return None
    turned = Abs("row", key.params, App("asc" if key.body.fn == "desc" else "desc", key.body.args))
    return App("at", (App("sort", (source.args[0], turned)), Lit("number", str(-index))))


RULE = Rule("slices", frozenset(("take", "at")), "literal counts; from the end only in a total order", apply)
