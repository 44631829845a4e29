"""Turns of DL: who speaks, the acts, the statements with their outcomes. The root of the DL surface."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ..compiler.check import prelude
from ..compiler.expected import ground_types
from ..compiler.schema import Schema, merge
from ..compiler.spelling import quote_name
from ..compiler.types import NUMBER, TEXT, Con, RecordType, Type
from ..compiler.types import Row as BinderRow
from .dl_calls import actions, all_calls, each_call, is_value
from .dl_conditions import comparable
from .dl_context import NOWHERE, VARIABLES, Columns, Context, Dl, Limits, Row, label_types, named, spelled_field
from .dl_instances import can_show
from .dl_outcomes import elsewhere, outcome
from .dl_queries import Finish, Standing, Tail, Way, short_source, sources, tables
from .dl_show import best_item
from .dl_values import operand
from .net import Net, Part
from .words import Words


def dl_surface(schema: Schema, limits: Limits | None = None) -> tuple[Net, int]:
    """The network of DL over a schema, and its root procedure: one turn."""
    net = Net()
    dl = Dl(net, merge(prelude(), schema), Words(net), limits or Limits())
    # What is known of a schema as a whole is found now, and not by the first program that asks.
    comparable(dl, NOWHERE)
    all_calls(dl)
    elsewhere(dl)
    net.beginnings = lambda: _beginnings(dl)
    return net, net.procedure(("turn",), lambda part: _turn(dl, part))


def _beginnings(dl: Dl) -> Iterator[bytes]:
    """Turns up to where acts, paths, statements, conditions, literals and results begin."""
    yield from (b"", b"user", b"user a", b"user a(", b"user:")
    for table in tables(dl)[:1]:
        name = quote_name(table.name)
        yield from (f"user: {name} | where ".encode(), f"user: {name} -> [{{ ".encode(), f"user a({name}".encode())
    for type_, said in ((TEXT, '"'), (NUMBER, "1")):
        columns = ((table, column) for table in tables(dl) for column in table.columns if column.type == type_)
        for table, column in islice(columns, 1):
            yield f"user: {quote_name(table.name)} | where .{spelled_field(column.name)} = {said}".encode()


def _turn(dl: Dl, part: Part) -> None:
    statements = part.lazy(lambda state: _statements(dl, part, state, NOWHERE), lambda: b"")
    for speaker in ("user", "agent"):
        said = part.text(part.start, speaker)
        part.text(said, ":", statements)
        declared = sorted(name for who, name in dl.schema.act if who == speaker)
        if declared or dl.limits.lints:
            _acts(dl, part, part.text(said, " "), declared, statements)


def open_names(
    dl: Dl, part: Part, start: int, declared: Iterable[str], end: int, others: bool, rest: bytes = b""
) -> None:
    """Names that are declared, and any identifier if others may be. rest: a short text from the end to the end of the
    procedure."""
    ways = {quote_name(name): True for name in declared}
    other = True if others else None
    dl.words.choose(part, start, ways, lambda state, _: part.join(state, end), lambda _: rest, other=other)


def _acts(dl: Dl, part: Part, start: int, declared: list[str], statements: int) -> None:
    """Acts in any order; each may name fields."""
    named = part.new()
    open_names(dl, part, start, declared, named, dl.limits.lints, b":")
    part.text(named, ":", statements)
    part.text(named, ", ", start)
    open_ = part.text(named, "(")
    path = part.call(open_, _path(dl))
    part.call(part.text(path, ", "), _path(dl), path)
    closed = part.text(path, ")")
    part.text(closed, ":", statements)
    part.text(closed, ", ", start)


def _path(dl: Dl) -> int:
    """A field named in an act: alone, or of a table or function."""

    def build(body: Part) -> None:
        owned: dict[str, list[str]] = {}
        for table in dl.schema.tables:
            owned[table.name] = [c.name for c in table.columns]
        for function in dl.schema.functions:
            owned.setdefault(function.name, []).extend((*function.labelled, *(c.name for c in function.columns)))
        for declared in dl.schema.fields:
            owned.setdefault(declared.owner, []).append(declared.name)

        lints, end = dl.limits.lints, body.new()
        body.end(end)

        def dotted(source: int, names: tuple[str, ...]) -> None:
            """A field after its dot: one of these, or where the checker only warns, any."""
            fields = {spelled_field(name): True for name in names}
            other = True if lints else None
            dot = body.text(source, ".")
            dl.words.choose(
                body, dot, fields, lambda s, _: body.join(s, end), lambda _: b"", other=other, reserved=False
            )

        def short(names: tuple[str, ...]) -> bytes:
            return f".{min(map(spelled_field, names), key=len)}".encode() if names else b".a"

        owners = {quote_name(owner): tuple(names) for owner, names in owned.items() if names}
        everything = tuple(sorted({name for names in owned.values() for name in names}))
        if everything or lints:
            dotted(body.start, everything)
        dl.words.choose(body, body.start, owners, dotted, short, other=() if lints else None)

    return dl.net.procedure(("path",), build)


# ---------------------------------------------------------------- statements


def _statements(dl: Dl, part: Part, state: int, context: Context) -> None:
    """The end of the turn, or one more statement; `context` has the variables bound so far."""
    again: dict[Context, int] = {context: state}

    def next_(after: Context) -> int:
        if after not in again:
            again[after] = part.lazy(lambda s: _statements(dl, part, s, after), lambda: b"")
        return again[after]

    part.end(state)
    plain = _Term(dl, part, context, next_, True, None)
    start = part.lazy(lambda s: _statement(dl, part, s, context, next_), plain.rest)
    part.text(state, " ", start)


Next = Callable[[Context], int]


def _statement(dl: Dl, part: Part, start: int, context: Context, next_: Next) -> None:
    """A statement by its status, and what it binds."""
    for status in ("", "proposed ", "confirmed "):
        results = status != "confirmed "
        term = _Term(dl, part, context, next_, results, None)
        at = dl.words.word(part, start, status, depth=2) if status else start
        part.join(at, part.lazy(term.draw, term.rest))
        name = next((n for n in VARIABLES[len(context.bound) :] if _is_free(dl, n, context)), None)
        if name is not None and len(context.bound) < dl.limits.lets:
            bound = _Term(dl, part, context, next_, results, name)
            named = dl.words.word(part, at, "let ", depth=2)
            part.text(named, f"{name} = ", part.lazy(bound.draw, bound.rest))


def _is_free(dl: Dl, name: str, context: Context) -> bool:
    known = (dl.schema.table, dl.schema.function, dl.schema.enums_of_member)
    return not any(name in names for names in known) and all(name != other for other, _ in context.bound)


@dataclass(frozen=True)
class _Term:
    """The term of a statement, its outcome, and the `;`. results: whether it may have an outcome. let: the variable
    that is bound to it."""

    dl: Dl
    part: Part
    context: Context
    next_: Next
    results: bool
    let: str | None

    def _after(self, type_: Type | None) -> int | None:
        """The state after the `;`: a variable of this type is bound; None if it cannot be."""
        if self.let is None:
            return self.next_(self.context)
        return self.next_(Context(bound=(*self.context.bound, (self.let, type_)))) if type_ is not None else None

    def finish(self) -> Finish:
        """What comes after a query."""

        def draw(body: Part, state: int, standing: Standing) -> Tail | None:
            target = self._after(_relation(standing))
            if target is None:
                return None
            body.text(state, ";", target)
            if not self.results:
                return None
            return lambda spaced: _result(self.dl, body, spaced, standing, target)

        def way(standing: Standing) -> Way | None:
            if self.let is None or _relation(standing) is not None:
                return b";", 0
            if standing.action is not None:
                return None
            best = best_item(self.dl, standing.context, set(), None)
            return (f" | show {best[0]};".encode(), 1) if best is not None else None

        result = b"-> [];" if self.results and self.let is None else None
        return Finish(draw, way, result=result, always=b";" if self.let is None else None)

    def rest(self) -> bytes | None:
        """A short term and its end."""
        return short_source(self.dl, self.context, self.finish())

    def draw(self, start: int) -> None:
        """All of it."""
        dl, part, context, let, finish = self.dl, self.part, self.context, self.let, self.finish()
        sources(dl, part, start, context, finish)
        if let is None:

            def acted(state: int, name: str) -> None:
                tail = finish.draw(part, state, Standing(context, action=name))
                if tail is not None:
                    tail(part.text(state, " "))

            actions(dl, part, start, context, acted, lambda _: b";", depth=2)
            value = self._value(None)
            names = {name: type_ for name, type_ in named(dl, context).items() if is_value(type_)}
            if names:
                ways = dict.fromkeys(names, value)
                dl.words.choose(part, start, ways, part.join, lambda _: b";", depth=2, types=names)
            each_call(dl, part, start, context, lambda _: value, _nothing, lambda: b";")
            return
        for type_ in dict.fromkeys((*ground_types(dl.schema), *comparable(dl, context))):
            if can_show(dl, type_, context):
                part.call(start, operand(dl, type_, context, "shown"), self._value(type_))

    def _value(self, type_: Type | None) -> int:
        """The state after an expression of a type as a statement."""
        target = self._after(type_)
        assert target is not None
        return self.part.lazy(lambda state: self._valued(state, target), lambda: b";")

    def _valued(self, state: int, target: int) -> None:
        """After an expression as a statement."""
        part = self.part
        part.text(state, ";", target)
        if self.results and self.let is None:
            spaced = part.text(state, " ")
            part.text(part.call(part.text(spaced, "-> "), outcome(self.dl, None, {}, None)), ";", target)


def _nothing(_dl: Dl, _type: Type) -> bytes:
    return b""


def _relation(standing: Standing) -> Type | None:
    """The type of a query as a variable: one row that is no group."""
    rows = standing.context.rows
    if len(rows) != 1 or standing.context.keys is not None or standing.action is not None:
        return None
    inner = rows[0].type if rows[0].type is not None else RecordType(rows[0].columns)
    return Con("Rel", (BinderRow(((rows[0].binder, inner),)),))


def _result(dl: Dl, part: Part, spaced: int, standing: Standing, target: int) -> None:
    columns, others = _columns(dl, standing)
    part.text(part.call(part.text(spaced, "-> "), outcome(dl, columns, others, standing.action)), ";", target)


def _columns(dl: Dl, standing: Standing) -> tuple[Columns | None, dict[str, Type]]:
    """Fields that result records have (None: nothing is known of them), and others that the checker takes from the
    statement's tables and calls: the first it meets by a name counts, so those of later ones only if all of that
    name have one type."""
    others: dict[str, Type] = {}
    for i, name in enumerate(standing.tables):
        for column in dl.schema.table[name].columns if name else ():
            if i == 0 or len(types_of_label(dl).get(column.name, ())) == 1:
                others.setdefault(column.name, column.type)
    if standing.action is not None:
        function = dl.schema.function[standing.action]
        for label, parameter in function.labelled.items():
            if not standing.tables or len(types_of_label(dl).get(label, ())) == 1:
                others.setdefault(label, parameter.type)
        return (function.result.fields if isinstance(function.result, RecordType) else None), others
    found: dict[str, Type] = {}
    for row in standing.context.rows:
        if row.type is None:
            found |= dict(row.columns)
        elif isinstance(row.type, Con) and row.type.name in dl.schema.table:
            found |= {c.name: c.type for c in dl.schema.table[row.type.name].columns}
        else:
            found[row.binder] = row.type
    return tuple(found.items()), {n: t for n, t in others.items() if n not in found}


def types_of_label(dl: Dl) -> dict[str, set[Type]]:
    """Types that columns and parameters of a name have anywhere in the schema."""
    if "types of label" not in dl.memo:
        dl.memo["types of label"] = label_types(dl.schema)
    return dl.memo["types of label"]  # type: ignore[no-any-return]


__all__ = ["Context", "Row", "dl_surface", "tables"]
