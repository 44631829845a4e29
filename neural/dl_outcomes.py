"""Outcomes of DL statements: result records, how many there are, whether there are more, the error."""

from ..compiler.expected import ground_types
from ..compiler.spelling import quote_name
from ..compiler.types import Type
from .dl_context import NOWHERE, Columns, Dl
from .dl_instances import can_show, can_write
from .dl_queries import counted
from .dl_short import short
from .dl_sums import expression
from .dl_values import operand
from .net import Part


def outcome(dl: Dl, columns: Columns | None, others: dict[str, Type], called: str | None) -> int:
    """The procedure of outcomes after `-> `. columns: fields of result records (None: any). others: further labels
    whose types are known. called: the action, whose error codes are declared."""
    key = ("outcome", columns, tuple(sorted(others.items(), key=lambda other: other[0])), called)

    def build(body: Part) -> None:
        start = body.text(body.start, "[")
        close, after = body.new(), body.new()
        record = _record(dl, columns, others)
        body.join(start, close)
        body.call(start, record, after)
        body.call(body.text(after, ", "), record, after)
        body.join(after, close)
        at = body.text(close, "]")
        numbered = body.call(body.text(at, " of "), counted(dl))
        more = body.new()
        for source in (at, numbered):
            body.text(source, " more", more)
        wrong = body.new()
        for source in (at, numbered, more):
            body.end(source)
            body.text(source, " error ", wrong)
        _error(dl, body, wrong, called)

    return dl.net.procedure(key, build, lambda: b"[]")


def _error(dl: Dl, part: Part, start: int, called: str | None) -> None:
    from .dl_turns import open_names

    end = part.new()
    part.end(end)
    declared = [member.name for member in dl.schema.function[called].errors] if called is not None else []
    # Only an action declares its errors; of anything else the checker takes any.
    open_names(dl, part, start, declared, end, called is None or dl.limits.lints)


def _record(dl: Dl, columns: Columns | None, others: dict[str, Type]) -> int:
    known = dict(columns or ()) | ({} if columns is None else others)

    def build(body: Part) -> None:
        open_ = body.text(body.start, "{")
        body.end(body.text(open_, "}"))
        start, after, spaced = body.text(open_, " "), body.new(), body.new()
        _labels(dl, body, start, after, spaced, columns, known)
        body.end(body.text(spaced, "}"))
        body.text(after, ", ", start)

    return dl.net.procedure(("record", columns, tuple(sorted(known.items(), key=lambda k: k[0]))), build, lambda: b"{}")


Value = tuple[Type | None, str]
"""The value of a label: of a type, of a kind of operand; or (no type) any that shows its own."""


def _labels(
    dl: Dl, body: Part, start: int, after: int, spaced: int, columns: Columns | None, known: dict[str, Type]
) -> None:
    """Labels with values: of the known ones any of their types, of others such as show it. Labels that nothing
    declares the checker only warns of (or, columns unknown, takes)."""
    from .dl_turns import types_of_label

    lints = columns is not None and dl.limits.lints
    others = elsewhere(dl).items() if lints else ()
    ways: dict[str, Value] = {quote_name(n): (t, "shown") for n, t in others if n not in known}
    ways |= {quote_name(n): (t, "fit") for n, t in known.items() if can_write(dl, t, NOWHERE)}
    taken = () if columns is None else (*types_of_label(dl), *(name for name, _ in columns))

    def draw(state: int, value: Value) -> None:
        type_, kind = value
        given = body.text(state, ": ")
        if type_ is not None and kind == "fit":
            expression(dl, body, given, type_, NOWHERE, kind, after, spaced, rest=lambda: b" }")
            return
        done = body.call(given, shown(dl, type_) if type_ is not None else constant(dl))
        body.join(done, after)
        body.text(done, " ", spaced)

    def end(value: Value) -> bytes | None:
        type_, kind = value
        given = short(dl, type_, NOWHERE, kind) if type_ is not None else b"0"
        return b": " + given + b" }" if given is not None else None

    any_ = (None, "shown") if columns is None or lints else None
    dl.words.choose(body, start, ways, draw, end, other=any_, but=frozenset(taken))


def elsewhere(dl: Dl) -> dict[str, Type]:
    """Labels of other tables and calls. The checker warns of one in a result, unless the statement uses its table
    somewhere: a value that shows the type all of that name have is right either way."""
    from .dl_turns import types_of_label

    found = {name: next(iter(types)) for name, types in types_of_label(dl).items() if len(types) == 1}
    return {name: type_ for name, type_ in found.items() if can_show(dl, type_, NOWHERE)}


def shown(dl: Dl, type_: Type) -> int:
    """Values that show a type, as deep in calls as `constant`."""
    return dl.net.deeper(operand(dl, type_, NOWHERE, "shown"))


def constant(dl: Dl) -> int:
    """The procedure of values that show their own type, whatever it is."""

    def build(body: Part) -> None:
        end = body.new()
        body.end(end)
        for type_ in ground_types(dl.schema):
            if can_show(dl, type_, NOWHERE):
                body.call(body.start, operand(dl, type_, NOWHERE, "shown"), end)

    return dl.net.procedure(("constant",), build, lambda: b"0")


__all__ = ["constant", "outcome"]
