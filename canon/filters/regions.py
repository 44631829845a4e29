"""Conditions on one subject: a set of its cells as a term, the shortest of a few fixed forms.

Constants the set does not depend on go first, so the term depends on the set of values only.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast

from ...compiler.schema import Schema
from ...compiler.terms import App, Field, Lit, Term, Var
from ..constants import spell
from ..matching import matches
from ..rows import Fact, type_name
from .atoms import MEMBER, Literal, Subject, Value
from .cells import Axis, Cut, Line, Points, Space, coordinates, product, space_of, subject_space
from .shape import FALSE, TRUE, Printer, Variable, both, either, weight
from .table import Table


def region(subject: Subject, space: Space, mask: int) -> Term:
    """The condition that the subject is in a set of cells."""
    full = space.full
    if mask == full:
        return TRUE
    if mask == 0:
        return FALSE
    if subject.kind == "prop":
        if mask == 2:
            return subject.term
        if subject.type == MEMBER and isinstance(subject.term, App):
            return App("not_in", subject.term.args)
        return App("not", (subject.term,))
    space, kept = reduced(space, [mask >> c & 1 for c in range(space.size)])
    present = (1 << space.present) - 1
    inside = 0
    for cell, old in enumerate(kept):
        inside |= (mask >> old & 1) << cell
    missing = bool(inside >> space.present)
    inside &= present
    if not missing:
        if inside == present:
            return App("is_not_missing", (subject.term,))
        return _present(subject, space, inside)
    if not inside:
        return App("is_missing", (subject.term,))
    outside = App("not", (_present(subject, space, present & ~inside),))
    spelled = either([App("is_missing", (subject.term,)), _present(subject, space, inside)])
    return outside if weight(outside) < weight(spelled) else spelled


_ALWAYS_EQUAL = frozenset(("text", "entity", "number", "bool", "date", "time", "duration", "raw"))


def plain_equality(subject: Subject, literal: Literal, schema: Schema) -> Term | None:
    """The form of a lone `subject = constant` without cutting anything up; None if it takes a closer look.

    Between whole numbers, or with a single member, an equality may be always false or always true.
    """
    scale, value = str(literal.test[1]), cast(Value, literal.test[2])
    if scale not in _ALWAYS_EQUAL and not scale.startswith(("money:", "measure:", "term:")):
        enum = schema.enum.get(type_name(subject.fact.type)) if scale == "enum" else None
        if scale != "enum" or (enum is not None and not enum.open and (enum.ordered or len(enum.members) < 2)):
            return None
    return App("=", (subject.term, _spelled(subject, scale, value)))


# Scales whose constants have one spelling and whose cells no schema decides.
_SPELLED = frozenset(("text", "number", "int", "count", "bool", "time", "date", "datetime", "datetimeZ", "duration"))
_SUBJECT = Var("subject")


def lone(subject: Subject, literal: Literal) -> Term | None:
    """The form of a comparison whatever else is asked of its subject, remembered; None where a schema or a
    spelling is needed to tell."""
    operator, scale = literal.test[0], literal.test[1] if len(literal.test) == 3 else None
    if not isinstance(scale, str) or operator == "match":
        return None
    if scale not in _SPELLED and not scale.startswith(("money:", "measure:")):
        return None
    value = cast(Value, literal.test[2])
    found = _comparison(
        str(operator), scale, value, literal.positive, subject.fact.optional, isinstance(subject.term, Field)
    )
    return _about(subject.term, found)


@lru_cache(maxsize=1 << 14)
def _comparison(operator: str, scale: str, value: Value, positive: bool, optional: bool, field: bool) -> Term:
    term: Term = Field(_SUBJECT, "field") if field else _SUBJECT
    subject = Subject("", "value", term, Fact(None, optional), {scale: {value}})
    space = subject_space(subject, Schema(""))
    return region(subject, space, space.mask(Literal("", (operator, scale, value), positive)))


def _about(subject: Term, condition: Term) -> Term:
    """The same condition of another subject."""
    if not isinstance(condition, App):
        return condition
    if condition.fn in ("and", "or", "not"):
        return App(condition.fn, tuple([_about(subject, a) for a in condition.args]))
    return App(condition.fn, (subject, *condition.args[1:]))


def _present(subject: Subject, space: Space, mask: int) -> Term:
    """A set of present values; the term is false if the value is missing."""
    if len(space.sizes) == 1 and space.axes:
        return _on_axis(subject, space.axes[0], mask)
    variables: list[Variable] = []
    for i, axis in enumerate(space.axes):
        variables.append(Variable(i, axis.size, _axis_writer(subject, axis)))
    for i, (operator, sought) in enumerate(space.patterns, start=len(space.axes)):
        variables.append(Variable(i, 2, _match_writer(subject, operator, sought)))
    return Printer(Table(space.sizes)).term(mask, variables)


def _axis_writer(subject: Subject, axis: Axis) -> Callable[[int], Term]:
    return lambda mask: _on_axis(subject, axis, mask)


def _match_writer(subject: Subject, operator: str, sought: Term) -> Callable[[int], Term]:
    opposite = {"~": "!~", "like": "not_like"}.get(operator)

    def write(mask: int) -> Term:
        if mask == 2:
            return App(operator, (subject.term, sought))
        if opposite is not None:
            return App(opposite, (subject.term, sought))
        absent = App("not", (App(operator, (subject.term, sought)),))
        return both([App("is_not_missing", (subject.term,)), absent]) if subject.fact.optional else absent

    return write


# ---------------------------------------------------------------- which constants matter


def reduced(space: Space, cofactors: Sequence[object]) -> tuple[Space, list[int]]:
    """The space over the constants that matter to a function, and an old cell for each of its cells.

    `cofactors[c]` is what is left of the function in cell c.
    """
    if len(space.sizes) == 1 and space.axes:
        axis, cells = _coarser(space.axes[0], cofactors)
        if space.optional:
            cells.append(space.present)
        if axis is space.axes[0]:
            return space, cells
        return space_of((axis,), (), space.optional), cells
    if not space.axes and not space.patterns:
        return space, list(range(space.size))
    kept_patterns = [
        i
        for i in range(len(space.patterns))
        if _slices(space, cofactors, len(space.axes) + i)[0] != _slices(space, cofactors, len(space.axes) + i)[1]
    ]
    axes: list[Axis] = []
    cells_by_axis: list[list[int]] = []
    for i, axis in enumerate(space.axes):
        slices = _slices(space, cofactors, i)
        known = [axis.point(c) for c in range(axis.size)]
        if space.patterns and any(k is not None for k in known):
            new, cells = _with_matches(space, axis, slices, known)
        else:
            new, cells = _coarser(axis, slices)
        if new.size > 1:
            axes.append(new)
            cells_by_axis.append(cells)
        else:
            cells_by_axis.append(cells[:1])
    patterns = tuple(space.patterns[i] for i in kept_patterns)
    for i in range(len(space.patterns)):
        cells_by_axis.append([0, 1] if i in kept_patterns else [0])
    target = space_of(tuple(axes), patterns, space.optional)
    strides, stride = [], 1
    for size in space.sizes:
        strides.append(stride)
        stride *= size
    offsets = [0]
    for cells, stride in zip(cells_by_axis, strides, strict=True):
        offsets = [o + c * stride for c in cells for o in offsets]
    return target, offsets + [space.present] * space.optional


def _slices(space: Space, cofactors: Sequence[object], index: int) -> list[tuple[object, ...]]:
    """What is left of the function for each cell of one axis, the other axes in order."""
    stride = product(space.sizes[:index])
    size = space.sizes[index]
    out: list[list[object]] = [[] for _ in range(size)]
    for cell in range(space.present):
        out[cell // stride % size].append(cofactors[cell])
    return [tuple(s) for s in out]


def _coarser(axis: Axis, slices: Sequence[object]) -> tuple[Axis, list[int]]:
    """The axis without the cuts and points that make no difference, and an old cell for each new one."""
    if isinstance(axis, Points):
        if axis.closed:
            return axis, list(range(axis.size))
        rest = slices[axis.size - 1]
        named = [i for i in range(len(axis.names)) if slices[i] != rest]
        if len(named) == len(axis.names):
            return axis, list(range(axis.size))
        return Points(axis.scale, tuple(axis.names[i] for i in named)), [*named, axis.size - 1]
    kept = [i for i in range(len(axis.cuts)) if slices[i] != slices[i + 1]]
    last = len(axis.cuts) + 1
    if len(kept) == len(axis.cuts):
        return axis, list(range(axis.size))
    cells = [0, *(i + 1 for i in kept)] + [last] * axis.fallible
    return Line(axis.scale, axis.order, tuple(axis.cuts[i] for i in kept), axis.fallible, axis.members), cells


def _with_matches(
    space: Space, axis: Axis, slices: list[tuple[object, ...]], known: list[str | None]
) -> tuple[Axis, list[int]]:
    """The same where text matches are decided at single texts.

    A text matters if the function there is not what it would be for any other text around it that matches the
    same patterns.
    """
    index = space.axes.index(axis)
    rest = space.sizes[:index] + space.sizes[index + 1 :]
    first_pattern = len(space.axes) - 1

    def agrees(point: int, around: int) -> bool:
        text = known[point]
        assert text is not None
        truth = [
            int(matches(op, text, sought.value)) if isinstance(sought, Lit) and sought.kind == "text" else None
            for op, sought in space.patterns
        ]
        for place, (here, there) in enumerate(zip(slices[point], slices[around], strict=True)):
            where = coordinates(place, rest)[first_pattern:]
            if all(t is None or t == w for t, w in zip(truth, where, strict=True)) and here != there:
                return False
        return True

    if isinstance(axis, Points):
        last = axis.size - 1
        named = [i for i in range(last) if not agrees(i, last)]
        return Points(axis.scale, tuple(axis.names[i] for i in named)), [*named, last]
    cuts: list[Cut] = []
    first_wide = 1 if known[0] is not None else 0
    cells = [first_wide]

    def cut_at(cut: Cut, cell: int) -> None:
        cuts.append(cut)
        cells.append(cell)

    # A single text lies between two stretches; only "" has none before it.
    if first_wide and not agrees(0, 1):
        cells[0] = 0
        cut_at(("", 1), 1)
    left = first_wide
    for cell in range(first_wide + 1, len(axis.cuts) + 1):
        if known[cell] is not None:
            continue
        text = known[cell - 1]
        if cell - 1 == left:
            if slices[left] != slices[cell]:
                cut_at(axis.cuts[cell - 1], cell)
        elif text is not None:
            fits_left, fits_right = agrees(cell - 1, left), agrees(cell - 1, cell)
            if slices[left] != slices[cell]:
                if fits_right:
                    cut_at((text, 0), cell)
                elif fits_left:
                    cut_at((text, 1), cell)
            if not fits_left and not fits_right:
                cut_at((text, 0), cell - 1)
                cut_at((text, 1), cell)
        left = cell
    if axis.fallible:
        cells.append(len(axis.cuts) + 1)
    return Line(axis.scale, axis.order, tuple(cuts), axis.fallible), cells


# ---------------------------------------------------------------- one axis


def _on_axis(subject: Subject, axis: Axis, mask: int) -> Term:
    full = (1 << axis.size) - 1
    if mask == full:
        return App("is_not_missing", (subject.term,)) if subject.fact.optional else TRUE
    if isinstance(axis, Points):
        return _on_points(subject, axis, mask)
    return _on_line(subject, axis, mask)


def _on_points(subject: Subject, axis: Points, mask: int) -> Term:
    inside = [n for i, n in enumerate(axis.names) if mask >> i & 1]
    outside = [n for i, n in enumerate(axis.names) if not mask >> i & 1]
    if axis.closed and len(inside) <= len(outside):
        return _one_of(subject, axis.scale, inside)
    if axis.closed or mask >> len(axis.names) & 1:
        return _one_of(subject, axis.scale, outside, False)
    return _one_of(subject, axis.scale, inside)


def _one_of(subject: Subject, scale: str, values: Sequence[Value], within: bool = True) -> Term:
    spelled = tuple(_spelled(subject, scale, v) for v in values)
    if len(spelled) == 1:
        return App("=" if within else "!=", (subject.term, spelled[0]))
    return App("in" if within else "not_in", (subject.term, App("list", spelled)))


def _spelled(subject: Subject, scale: str, value: Value) -> Term:
    known = subject.terms.get((scale, value))
    if known is not None:
        return known
    if scale == "enum":
        return App(str(value))
    scale = {"count": "number", "money:": "number"}.get(scale, scale)
    literal = spell(scale, value)
    assert literal is not None, (scale, value)
    return literal


def _on_line(subject: Subject, axis: Line, mask: int) -> Term:
    """The union of stretches, or all but the stretches left out, whichever makes fewer tests."""
    last = len(axis.cuts)
    if axis.fallible and mask >> (last + 1) & 1:
        # Comparable or not is no test of its own: say what does not hold, of a present subject.
        every = (1 << axis.size) - 1
        absent = App("not", (_on_line(subject, axis, every & ~mask),))
        return both([App("is_not_missing", (subject.term,)), absent]) if subject.fact.optional else absent
    if axis.fallible and mask == (1 << (last + 1)) - 1:
        return either([_compare(subject, axis, "<=", 0), _compare(subject, axis, ">", 0)])
    inside = _stretches(mask, last)
    outside = _stretches(((1 << (last + 1)) - 1) & ~mask, last)
    positive = _union(subject, axis, inside)
    negative = _all_but(subject, axis, outside)
    return positive if weight(positive) <= weight(negative) else negative


def _stretches(mask: int, last: int) -> list[tuple[int, int]]:
    """Maximal runs of cells, first and last cell of each."""
    runs: list[tuple[int, int]] = []
    for cell in range(last + 1):
        if mask >> cell & 1:
            if runs and runs[-1][1] == cell - 1:
                runs[-1] = (runs[-1][0], cell)
            else:
                runs.append((cell, cell))
    return runs


def _ends(axis: Line, run: tuple[int, int]) -> tuple[Cut | None, Cut | None]:
    low = axis.cuts[run[0] - 1] if run[0] else None
    high = axis.cuts[run[1]] if run[1] < len(axis.cuts) else None
    return low, high


def _single(axis: Line, run: tuple[int, int]) -> Value | None:
    """The one value a stretch consists of."""
    low, high = _ends(axis, run)
    order = axis.order
    if order.kind == "discrete":
        first = _whole(low) if low is not None else order.low
        end = _whole(high) if high is not None else None if order.high is None else order.high + 1
        return first if first is not None and end is not None and first + 1 == end else None
    if low is None and high is not None and order.kind == "text":
        return "" if high == ("", 1) else None
    return low[0] if low is not None and high is not None and low[0] == high[0] else None


def _union(subject: Subject, axis: Line, runs: list[tuple[int, int]]) -> Term:
    singles = [v for v in (_single(axis, run) for run in runs) if v is not None]
    parts = [_stretch(subject, axis, run) for run in runs if _single(axis, run) is None]
    if singles:
        parts.append(_one_of(subject, axis.scale, [_value(axis, v) for v in singles]))
    return either(parts)


def _all_but(subject: Subject, axis: Line, runs: list[tuple[int, int]]) -> Term:
    singles = [v for v in (_single(axis, run) for run in runs) if v is not None]
    parts: list[Term] = []
    for run in runs:
        if _single(axis, run) is not None:
            continue
        low, high = _ends(axis, run)
        if low is not None and high is not None:
            closed = _closed(axis, low, high)
            if closed is not None:
                ends = tuple(_spelled(subject, axis.scale, _value(axis, v)) for v in closed)
                parts.append(App("not_between", (subject.term, *ends)))
                continue
            parts.append(either([_upper(subject, axis, low), _lower(subject, axis, high)]))
        elif low is not None:
            parts.append(_upper(subject, axis, low))
        elif high is not None:
            parts.append(_lower(subject, axis, high))
    if singles:
        parts.append(_one_of(subject, axis.scale, [_value(axis, v) for v in singles], False))
    return both(parts)


def _stretch(subject: Subject, axis: Line, run: tuple[int, int]) -> Term:
    low, high = _ends(axis, run)
    if low is not None and high is not None:
        closed = _closed(axis, low, high)
        if closed is not None:
            ends = tuple(_spelled(subject, axis.scale, _value(axis, v)) for v in closed)
            return App("between", (subject.term, *ends))
        return both([_lower(subject, axis, low), _upper(subject, axis, high)])
    if low is not None:
        return _lower(subject, axis, low)
    assert high is not None
    return _upper(subject, axis, high)


def _closed(axis: Line, low: Cut, high: Cut) -> tuple[Value, Value] | None:
    """First and last value of a stretch, if it has both and they are no longer to write than their neighbours."""
    if axis.order.kind == "discrete":
        first, end = _whole(low), _whole(high)
        if axis.scale == "time" and (first % 60 == 1 or end % 60 == 0):
            return None
        return first, end - 1
    return (low[0], high[0]) if low[1] == 0 and high[1] == 1 else None


def _lower(subject: Subject, axis: Line, cut: Cut) -> Term:
    """Above a cut. Whole numbers from their first value on, but `> 14:30` rather than `>= 14:30:01`."""
    value, side = cut
    if axis.order.kind == "discrete":
        first = _whole(cut)
        if axis.scale == "time" and first % 60 == 1:
            return _compare(subject, axis, ">", first - 1)
        return _compare(subject, axis, ">=", first)
    return _compare(subject, axis, ">" if side else ">=", value)


def _upper(subject: Subject, axis: Line, cut: Cut) -> Term:
    """Below a cut."""
    value, side = cut
    if axis.order.kind == "discrete":
        end = _whole(cut)
        if axis.scale == "time" and end % 60 == 0:
            return _compare(subject, axis, "<", end)
        return _compare(subject, axis, "<=", end - 1)
    return _compare(subject, axis, "<=" if side else "<", value)


def _compare(subject: Subject, axis: Line, operator: str, value: Value) -> Term:
    return App(operator, (subject.term, _spelled(subject, axis.scale, _value(axis, value))))


def _value(axis: Line, value: Value) -> Value:
    return axis.members[value] if axis.members and isinstance(value, int) else value


def _whole(cut: Cut) -> int:
    """The first value above a cut of a discrete line."""
    assert isinstance(cut[0], int)
    return cut[0]
