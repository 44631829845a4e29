"""All calls that show their own type, as one procedure: beside a left side or an item they differ in what they give."""

from collections.abc import Callable
from dataclasses import dataclass

from ..compiler.expected import ground_types
from ..compiler.schema import Function
from ..compiler.types import Con, Type, substitute
from .dl_context import Context, Dl, fields_of_type, spelled_field
from .dl_values import Choice, Heads, call, calls, heads_of, short_call
from .net import NEVER, Count, Part

Way = tuple[str, Type]
"""A field taken of what a call gives, as it is written (empty: none), and the type of that."""


@dataclass(frozen=True, slots=True)
class Called:
    """Calls of one function that give one type: the label they get, the instances, a short one."""

    function: Function
    label: str
    result: Type
    group: tuple[Choice, ...]
    short: bytes


def all_calls(dl: Dl) -> tuple[Called, ...]:
    """Calls of every function at every instance that shows its own type."""
    known: tuple[Called, ...] | None = dl.memo.get("all calls")
    if known is None:
        grouped: dict[tuple[str, Type], list[Choice]] = {}
        results = (f.result for f in dl.schema.functions if not f.action and not f.tparams)
        for type_ in dict.fromkeys((*ground_types(dl.schema), *results)):
            for choice in calls(dl, type_, False):
                grouped.setdefault((choice[0].name, type_), []).append(choice)
        found = []
        for (name, type_), group in grouped.items():
            function, binding = group[0]
            text = short_call(dl, function, binding, False)
            if text is not None:
                label = name if name[0].isalpha() else "value"
                found.append(Called(function, label, type_, tuple(group), text))
        known = dl.memo["all calls"] = tuple(found)
    return known


def some_calls(dl: Dl, which: tuple[int, ...], context: Context) -> int:
    """The procedure of some of `all_calls`, as deep in calls as one in an operand. Its result says which it was."""
    every = all_calls(dl)
    key = ("heads of some", which)
    if key not in dl.memo:
        by_function: dict[str, list[Choice]] = {}
        for i in which:
            by_function.setdefault(every[i].function.name, []).extend(every[i].group)
        dl.memo[key] = heads_of(dl, by_function.values(), False)
    if "place of call" not in dl.memo:
        dl.memo["place of call"] = {(c.function.name, c.result): i for i, c in enumerate(every)}
    begins: Heads = dl.memo[key]
    place: dict[tuple[str, Type], int] = dl.memo["place of call"]

    def build(part: Part) -> None:
        ends: dict[int, int] = {}

        def end(choice: Choice) -> int:
            function, binding = choice
            type_ = substitute(function.result, dict(binding))
            which = place[function.name, type_]
            if which not in ends:
                ends[which] = part.new()
                part.end(ends[which], was(dl, which))
            return ends[which]

        call(dl, part, part.start, begins, context, end)

    procedure = dl.net.procedure(("some calls", which, context), build)
    shortest = min(which, key=lambda i: (len(every[i].short), i))
    dl.net.shorten(procedure, lambda: (every[shortest].short, was(dl, shortest)))
    dl.net.returning(procedure, lambda: (was(dl, i) for i in which))
    return procedure


def was(dl: Dl, which: int) -> int:
    """The result that says which of `all_calls` it was."""
    return dl.net.name(("was", which))


def is_value(type_: Type) -> bool:
    """Whether something of a type can be compared at all."""
    if isinstance(type_, Con) and type_.name in ("Rel", "Groups", "Action"):
        return False
    return isinstance(type_, Con) and all(map(is_value, type_.args))


def each_call(
    dl: Dl, part: Part, start: int, context: Context, arrived: Callable[[Type], int],
    tail: Callable[[Type], bytes], rest: Callable[[], bytes | None],
) -> None:  # fmt: skip
    """Draw all calls, and fields of what they give. arrived: where an operand of a type ends. tail, rest: short texts,
    one after the other, from there to the end of the procedure; the first depends on nothing but the type."""
    which, ways_of, firsts = _ways(dl)
    key = ("tails of calls", tail)
    if key not in dl.memo:
        dl.memo[key] = tuple(dict.fromkeys(path.encode() + tail(type_) for path, type_ in firsts))
    tails: tuple[bytes, ...] = dl.memo[key]

    def then(result: int) -> int | None:
        ways = ways_of.get(result)
        if ways is None:
            return None
        path, type_ = ways[0]
        if len(ways) == 1 and not path:
            return arrived(type_)

        def draw(state: int) -> None:
            for path, type_ in ways:
                part.text(state, path, arrived(type_))

        def text() -> bytes | None:
            after = rest()
            return path.encode() + tail(type_) + after if after is not None else None

        return part.lazy(draw, text)

    def dearest(count: Count) -> int:
        after = rest()
        return max(count(each + after) for each in tails) if after is not None else NEVER

    if ways_of:
        part.call(start, some_calls(dl, which, context), dl.net.continuation(then, dearest))


def _ways(dl: Dl) -> tuple[tuple[int, ...], dict[int, tuple[Way, ...]], tuple[Way, ...]]:
    """Which of all calls may stand where operands do; by result, what each may be: fields taken of what it gives, with
    their types; the first of each."""
    known: tuple[tuple[int, ...], dict[int, tuple[Way, ...]], tuple[Way, ...]] | None = dl.memo.get("ways")
    if known is None:
        found: dict[int, tuple[Way, ...]] = {}
        for i, called in enumerate(all_calls(dl)):
            paths = ((f".{spelled_field(n)}", t) for n, t in fields_of_type(dl, called.result))
            ways = tuple((path, t) for path, t in (("", called.result), *paths) if is_value(t))
            if ways:
                found[i] = ways
        of = {was(dl, i): ways for i, ways in found.items()}
        known = dl.memo["ways"] = tuple(found), of, tuple(dict.fromkeys(ways[0] for ways in found.values()))
    return known
