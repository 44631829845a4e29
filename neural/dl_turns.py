"""Turns of DL: who speaks, the acts, the statements with their outcomes. The root of the DL surface."""

from collections.abc import Iterable

from ..compiler.check import prelude
from ..compiler.schema import Schema, merge
from ..compiler.spelling import quote_name
from ..compiler.types import RecordType, Type
from .dl_context import NOWHERE, Columns, Context, Dl, Limits, Row, columns_of, spelled_field
from .dl_queries import Standing, sources, tables
from .dl_values import action, call, can_write, value
from .net import Net, Part
from .words import Words


def dl_surface(schema: Schema, limits: Limits | None = None) -> tuple[Net, int]:
    """The network of DL over a schema, and its root procedure: one turn."""
    net = Net()
    dl = Dl(net, merge(prelude(), schema), Words(net), limits or Limits())
    return net, net.procedure(("turn",), lambda part: _turn(dl, part))


def _turn(dl: Dl, part: Part) -> None:
    statements = part.new()
    for speaker in ("user", "agent"):
        said = part.text(part.start, speaker)
        part.text(said, ":", statements)
        acts = sorted(name for who, name in dl.schema.act if who == speaker)
        if acts:
            _acts(dl, part, part.text(said, " "), acts, statements)
    part.end(statements)
    statement = part.text(statements, " ")
    part.text(part.call(statement, _statement(dl)), ";", statements)


def _acts(dl: Dl, part: Part, start: int, acts: list[str], statements: int) -> None:
    """Acts in any order; each may name fields."""
    named = part.call(start, dl.words.names(("acts", tuple(acts)), [quote_name(name) for name in acts]))
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
        everything = sorted({name for names in owned.values() for name in names})
        end = body.new()
        body.words(body.start, [f".{spelled_field(name)}" for name in everything], end)
        for owner, names in owned.items():
            body.words(body.start, [f"{quote_name(owner)}.{spelled_field(name)}" for name in names], end)
        body.end(end)

    return dl.net.procedure(("path",), build)


def _statement(dl: Dl) -> int:
    def build(part: Part) -> None:
        words = dl.words
        _body(dl, part, part.start, outcome=True)
        _body(dl, part, words.word(part, part.start, "proposed "), outcome=True)
        _body(dl, part, words.word(part, part.start, "confirmed "), outcome=False)

    def short() -> bytes | None:
        names = [t.name for t in tables(dl)] + [f.name for f in dl.schema.functions if f.action]
        return min((quote_name(name).encode() for name in names), key=len, default=None)

    return dl.net.procedure(("statement",), build, short)


def _body(dl: Dl, part: Part, start: int, outcome: bool) -> None:
    def finish(body: Part, state: int, standing: Standing) -> None:
        body.end(state)
        if outcome:
            _outcome(dl, body, state, _columns(dl, standing), standing.action)

    sources(dl, part, start, NOWHERE, finish, None)
    for function in dl.schema.functions:
        if function.action:
            done = part.call(start, action(dl, function, NOWHERE))
            finish(part, done, Standing(NOWHERE, (), 0, None, function.name))
        elif not function.tparams and all(can_write(dl, p.type, NOWHERE) for p in function.params if not p.optional):
            part.end(part.call(start, call(dl, function, (), NOWHERE)))


def _columns(dl: Dl, standing: Standing) -> tuple[tuple[str, Type], ...]:
    """Fields that result records may have, with the types checked of them."""
    if standing.action is not None:
        result = dl.schema.function[standing.action].result
        return result.fields if isinstance(result, RecordType) else ()
    found: dict[str, Type] = {}
    for name in standing.tables:
        for column in dl.schema.table[name].columns:
            found.setdefault(column.name, column.type)
    if standing.shown is None:
        for row in standing.context.rows:
            found |= dict(columns_of(dl, row))
    else:
        found |= dict(standing.shown)
    return tuple(found.items())


def _outcome(dl: Dl, part: Part, state: int, columns: Columns, called: str | None) -> None:
    errors = [m.name for m in dl.schema.function[called].errors] if called is not None else []

    def records(body: Part) -> None:
        start = body.text(body.start, "[")
        close = body.new()
        body.join(start, close)
        if any(can_write(dl, t, NOWHERE) for _, t in columns):
            after = body.call(start, _record(dl, columns))
            body.call(body.text(after, ", "), _record(dl, columns), after)
            body.join(after, close)
        at = body.text(close, "]")
        body.end(at)
        counted = body.text(at, " of ")
        after_count = body.new()
        for kind in ("number", "int", "hole"):
            body.call(counted, dl.words.pattern(kind), after_count)
        body.end(after_count)
        more = body.new()
        body.end(more)
        for source in (at, after_count):
            body.text(source, " more", more)
        if errors:
            wrong = body.new()
            for source in (at, after_count, more):
                body.text(source, " error ", wrong)
            body.end(body.call(wrong, dl.words.names(("errors", called), [quote_name(e) for e in errors])))

    part.end(
        part.call(part.text(state, " -> "), dl.net.procedure(("outcome", columns, called), records, lambda: b"[]"))
    )


def _record(dl: Dl, columns: Columns) -> int:
    def build(body: Part) -> None:
        start, after = body.text(body.start, "{ "), body.new()
        for name, type_ in columns:
            if can_write(dl, type_, NOWHERE):
                body.call(body.text(start, f"{quote_name(name)}: "), value(dl, type_, NOWHERE), after)
        body.end(body.text(after, " }"))
        body.text(after, ", ", start)

    return dl.net.procedure(("record", columns), build)


__all__ = ["Context", "Iterable", "Row", "dl_surface"]
