"""Aggregates of DL: `count()`, and functions of a column of a group, in the operands of a grouped query."""

from collections.abc import Callable, Sequence

from ..compiler.types import NUMBER, Type
from .dl_context import Context, Dl
from .dl_instances import is_in
from .dl_short import short_plain
from .net import Part

OVER = {
    "sum": "Num",
    "avg": "Num",
    "sum_distinct": "Num",
    "avg_distinct": "Num",
    "min": "Ord",
    "max": "Ord",
    "pick": "",
}
COUNTS = ("count", "count_distinct")


def aggregates(dl: Dl, part: Part, type_: Type, context: Context, end: int) -> None:
    """Draw the aggregates that give a type, as operands."""
    inner = context.ungrouped()
    if type_ == NUMBER:
        part.join(dl.words.word(part, part.start, "count()"), end)
        for name in COUNTS:
            aggregate(dl, part, part.start, name, over(dl, name, inner), inner, lambda _: end)
    for name in OVER:
        if type_ in over(dl, name, inner):
            aggregate(dl, part, part.start, name, (type_,), inner, lambda _: end)


def aggregate_of(dl: Dl, type_: Type, context: Context) -> int | None:
    """The procedure of aggregates that give a type; None if there are none."""

    def build(part: Part) -> None:
        end = part.new()
        part.end(end)
        aggregates(dl, part, type_, context, end)

    def text() -> bytes | None:
        picked = short_plain(dl, type_, context.ungrouped()) if type_ != NUMBER else None
        return b"count()" if type_ == NUMBER else b"pick(" + picked + b")" if picked is not None else None

    return dl.net.procedure(("aggregate", type_, context), build, text) if text() is not None else None


def over(dl: Dl, name: str, inner: Context) -> tuple[Type, ...]:
    """Types of what an aggregate can be over."""
    from .dl_conditions import comparable

    return tuple(t for t in comparable(dl, inner) if is_in(dl, t, OVER.get(name, "")))


def aggregate(
    dl: Dl, part: Part, start: int, name: str, types: Sequence[Type], inner: Context, end: Callable[[Type], int]
) -> None:
    """Draw an aggregate over expressions of some types, each to an end of its own, where the procedure may end."""

    def inside(state: int) -> None:
        for type_ in types:
            after = part.call(state, _aggregated(dl, type_, inner))
            part.text(after, ")", end(type_))

    def text() -> bytes | None:
        over = min((t for t in (short_plain(dl, t, inner) for t in types) if t is not None), key=len, default=None)
        return over + b")" if over is not None else None

    if types:
        dl.words.word(part, start, f"{name}(", target=part.lazy(inside, text))


def _aggregated(dl: Dl, type_: Type, inner: Context) -> int:
    from .dl_sums import expression

    def build(part: Part) -> None:
        after = part.new()
        part.end(after)
        expression(dl, part, part.start, type_, inner, "plain", after, rest=lambda: b"")

    return dl.net.procedure(("aggregated", type_, inner), build, lambda: short_plain(dl, type_, inner))
