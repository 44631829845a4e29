"""Queries of DL: a source and stages, each over the rows that the stages before it left.

A query is drawn where it stands and as it is read, so that what its rows are is part of the state. Only a query in
parentheses that must give columns of certain types (a `Goal`) is a procedure.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..compiler.classes import has_class
from ..compiler.lower import fresh_label
from ..compiler.schema import Table
from ..compiler.spelling import quote_name
from ..compiler.types import DYNAMIC, NUMBER, Con, Constraint, Type
from .dl_conditions import Spot, comparable, condition
from .dl_context import Context, Dl, Row, all_columns, columns_of, own_fields, row_type, spelled_field
from .dl_show import Shown, best_item, show_items, shown_text, whole_text
from .dl_sums import expression
from .dl_values import action, call, calls
from .net import Part

Tail = Callable[[int], None]
Finish = Callable[[Part, int, "Standing"], Tail | None]
"""Draws the end of a query, if it may end here; gives what else may follow after a space."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALIASES = (*_LETTERS, *(f"{t}{n}" for t in "tT" for n in range(1, 10)))


@dataclass(frozen=True, slots=True)
class Goal:
    """Types of the columns that a query must give. rows: a table stands for its columns (in a set operation), not for
    one value, its key."""

    types: tuple[Type, ...]
    rows: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a query stands: its context, tables used in order (results may carry their columns), stages so far,
    whether a `|` or `as` was written, the action it ended in."""

    context: Context
    tables: tuple[str, ...] = ()
    stages: int = 0
    piped: bool = False
    action: str | None = None


def subquery(dl: Dl, inner: Context, goal: Goal | None, bare: bool = False) -> int:
    """The procedure of queries inside parentheses. goal: what they must give (None: anything). bare: a table alone
    will do."""

    def build(part: Part) -> None:
        def finish(body: Part, state: int, standing: Standing) -> Tail | None:
            if (bare or standing.piped) and (goal is None or reached(dl, goal, standing.context)):
                body.end(state)
            return None

        sources(dl, part, part.start, inner, finish, goal)

    return dl.net.procedure(("query", inner, goal, bare), build, lambda: _short_query(dl, inner, goal))


def scalar(dl: Dl, context: Context, type_: Type) -> int | None:
    """The procedure of queries that stand in parentheses for one value of a type; None if there are none here."""
    goal = Goal((type_,))
    if context.depth >= dl.limits.nesting or not can_reach(dl, goal):
        return None
    return subquery(dl, context.inside(), goal)


def reached(dl: Dl, goal: Goal, context: Context) -> bool:
    """Whether rows are what a goal asks for."""
    if goal.rows:
        found = [t for _, t in all_columns(dl, context.rows)]
    else:
        found = [t for row in context.rows for t in ([row.type] if row.type else [t for _, t in row.columns])]
    return len(found) == len(goal.types) and all(a == b or DYNAMIC in (a, b) for a, b in zip(found, goal.types, strict=True))


def can_reach(dl: Dl, goal: Goal) -> bool:
    """Whether some table alone can be made to give a goal's columns."""
    key = ("can reach", goal.types)
    if key not in dl.memo:
        dl.memo[key] = any(_table_gives(dl, table, goal) for table in tables(dl))
    return bool(dl.memo[key])


def _table_gives(dl: Dl, table: Table, goal: Goal) -> bool:
    types = {c.type for c in table.columns}
    return bool(types) and all(wanted in types or wanted == NUMBER for wanted in goal.types)


def tables(dl: Dl) -> list[Table]:
    """Tables whose bare name means the table."""
    return [t for t in dl.schema.tables if t.name not in dl.schema.enums_of_member and t.name not in dl.schema.function]


def _short_query(dl: Dl, inner: Context, goal: Goal | None) -> bytes | None:
    for table in sorted(tables(dl), key=lambda t: len(t.name)):
        if goal is None:
            return f"{quote_name(table.name)} | distinct".encode()
        if _table_gives(dl, table, goal):
            context = replace(inner, rows=(Row(table.name, Con(table.name)),))
            return quote_name(table.name).encode() + (_finish(dl, context, goal) or (b"", 0))[0]
    return None


def _finish(dl: Dl, context: Context, goal: Goal) -> tuple[bytes, int] | None:
    """A text that makes rows a goal's columns, and the stages it takes."""
    if reached(dl, goal, context):
        return b"", 0
    direct = shown_text(dl, context, goal.types, Shown())
    if direct is not None:
        return b" | show " + direct, 1
    around = whole_text(dl, context, goal.types)
    if around is not None:
        return b" | whole | show " + around, 2
    for table in sorted(tables(dl), key=lambda t: len(t.name)) if len(context.rows) < dl.limits.rows else ():
        if table.name not in context.taken() and _table_gives(dl, table, goal):
            row = Row(table.name, Con(table.name))
            wider = replace(context, rows=(*context.rows, row), keys=None)
            rest = _finish(dl, wider, goal)
            if rest is not None:
                return f" | join {quote_name(table.name)}".encode() + rest[0], 1 + rest[1]
    return None


def _needed(dl: Dl, context: Context, goal: Goal) -> int:
    key = ("needed", context, goal)
    known = dl.memo.get(key)
    if known is None:
        found = _finish(dl, context, goal)
        known = dl.memo[key] = found[1] if found is not None else 1 << 10
    return known  # type: ignore[no-any-return]


# ---------------------------------------------------------------- sources


def sources(dl: Dl, part: Part, start: int, context: Context, finish: Finish, goal: Goal | None) -> None:
    """Draw everything that rows can come from, and what may follow it."""
    for table in tables(dl):
        at = dl.words.word(part, start, quote_name(table.name), depth=2)
        row = Row(table.name, Con(table.name))
        _source(dl, part, at, context, row, (table.name,), finish, goal)
    for name, type_ in context.bound:
        rows = row_type(type_)
        if rows is not None and len(rows) == 1:
            at = dl.words.word(part, start, name, depth=2)
            _source(dl, part, at, context, replace(rows[0], binder=name), ("",), finish, goal)
    for at, row in _listed(dl, part, start, context):
        _source(dl, part, at, context, row, ("",), finish, goal)
    if context.depth < dl.limits.nesting:
        part.join(part.text(start, "("), part.lazy(lambda state: _derived(dl, part, state, context, finish, goal)))


def _source(
    dl: Dl, part: Part, at: int, context: Context, row: Row, used: tuple[str, ...], finish: Finish, goal: Goal | None
) -> None:
    """A source by the name of its rows, or renamed."""

    def go_on(state: int, named: Row, piped: bool) -> None:
        standing = Standing(replace(context, rows=(named,)), used, piped=piped)
        if _feasible(dl, standing, goal):
            part.join(state, part.lazy(lambda s: _stages(dl, part, s, standing, finish, goal)))

    go_on(at, row, False)
    part.join(part.text(at, " as "), part.lazy(lambda s: _aliases(dl, part, s, row, (), go_on)))


def _aliases(
    dl: Dl, part: Part, start: int, row: Row, taken: tuple[str, ...], go_on: Callable[[int, Row, bool], None]
) -> None:
    """Names that rows may be given: their own with a number, or one letter (`t` and `T` with a number)."""
    numbered = [f"{row.binder}{n}" for n in range(2, dl.limits.rows + 1)] if row.binder != "it" else []
    schema = dl.schema
    for name in (*numbered, *_ALIASES):
        known = name in schema.table or name in schema.function or name in schema.enums_of_member
        if not known and name not in taken and name != row.binder:
            go_on(part.text(start, quote_name(name)), replace(row, binder=name), True)


def _listed(dl: Dl, part: Part, start: int, context: Context) -> list[tuple[int, Row]]:
    """Calls that give lists: each item is a row."""
    found: list[tuple[int, Row]] = []
    for type_ in dict.fromkeys(f.result for f in dl.schema.functions if not f.action and not f.tparams):
        if isinstance(type_, Con) and type_.name == "List":
            for choice in calls(dl, type_, False):
                function = choice[0]
                if not function.params or any(not p.optional for p in function.params):
                    at = part.new()
                    call(dl, part, start, function, [choice], context, False, lambda _, at=at: at, 2)  # type: ignore[misc]
                    found.append((at, Row("it" if function.params else function.name, type_.args[0])))
    return found


def named_call(dl: Dl, procedure: int) -> int:
    """A call whose name stands beside other words, as deep in calls as they are."""
    return dl.net.procedure(
        ("named call", procedure), lambda body: body.end(body.call(body.start, procedure)), lambda: dl.net.short(procedure)
    )


def _derived(dl: Dl, part: Part, start: int, context: Context, finish: Finish, goal: Goal | None) -> None:
    """A query in parentheses, and the name of its rows."""

    def close(body: Part, state: int, standing: Standing) -> Tail | None:
        rows = standing.context.rows
        if standing.piped and len(rows) == 1 and standing.action is None:
            named = body.text(state, ") as ")

            def go_on(at: int, row: Row, _: bool) -> None:
                after = Standing(replace(context, rows=(row,)), standing.tables, piped=True)
                if _feasible(dl, after, goal):
                    body.join(at, body.lazy(lambda s: _stages(dl, body, s, after, finish, goal)))

            body.join(named, body.lazy(lambda s: _aliases(dl, body, s, rows[0], (), go_on)))
        return None

    sources(dl, part, start, replace(context, depth=context.depth + 1), close, None)


# ---------------------------------------------------------------- stages


def _feasible(dl: Dl, standing: Standing, goal: Goal | None) -> bool:
    """Whether the stages left are enough to give what is asked for."""
    return goal is None or _needed(dl, standing.context, goal) <= dl.limits.stages - standing.stages


def _stages(
    dl: Dl, part: Part, at: int, standing: Standing, finish: Finish, goal: Goal | None, spaced: int | None = None
) -> None:
    """What may follow a source or stage that ended at `at` (or, after a space, at `spaced`)."""
    tail = finish(part, at, standing)
    more = standing.stages < dl.limits.stages and standing.action is None
    if goal is not None:
        part.rest(at, lambda: (_finish(dl, standing.context, goal) or (None, 0))[0])
    if not more and tail is None:
        return
    if spaced is None:
        spaced = part.text(at, " ")
    if tail is not None:
        tail(spaced)
    if more:
        part.text(spaced, "| ", part.lazy(lambda bar: Stages(dl, part, bar, standing, finish, goal).draw()))


@dataclass(frozen=True)
class Stages:
    """The stages that may follow a `|`."""

    dl: Dl
    part: Part
    bar: int
    standing: Standing
    finish: Finish
    goal: Goal | None

    def draw(self) -> None:
        """All of them."""
        dl, part, bar, context = self.dl, self.part, self.bar, self.standing.context
        if comparable(dl, context):
            part.join(part.text(bar, "where "), part.lazy(self._where))
        if any(has_class(dl.schema, t, Constraint("Ord")) for t in comparable(dl, context)):
            part.join(part.text(bar, "sort "), part.lazy(self._sort))
        self._take()
        self._go_on(part.text(bar, "distinct"), None, self.standing)
        self._go_on(part.text(bar, "whole"), None, self._with(keys=()))
        if any(columns_of(dl, row) for row in context.rows):
            part.join(part.text(bar, "group "), part.lazy(lambda s: self._group(s, ())))
        part.join(part.text(bar, "show "), part.lazy(self._show))
        if len(context.rows) < dl.limits.rows:
            part.join(part.text(bar, "join "), part.lazy(self._join))
        self._set_operations()
        if context.depth == 0 and self.goal is None:
            part.join(part.text(bar, "then "), part.lazy(self._then))

    def _with(self, **changes: object) -> Standing:
        return replace(self.standing, context=replace(self.standing.context, **changes))  # type: ignore[arg-type]

    def _go_on(self, state: int, spaced: int | None, after: Standing) -> bool:
        """Go on after this stage, if what is asked for can still be given."""
        after = replace(after, stages=self.standing.stages + 1, piped=True)
        if not _feasible(self.dl, after, self.goal):
            return False
        dl, part, finish, goal = self.dl, self.part, self.finish, self.goal
        if spaced is None:
            part.join(state, part.lazy(lambda s: _stages(dl, part, s, after, finish, goal)))
            return True
        at, past = part.new(), part.new()
        drawn: list[bool] = []

        def draw(source: int, target: int) -> None:
            # Whoever comes first, to the end or past the space, draws what follows both.
            if not drawn:
                drawn.append(True)
                _stages(dl, part, at, after, finish, goal, past)
            part.join(source, target)

        part.join(state, part.lazy(lambda s: draw(s, at)))
        part.join(spaced, part.lazy(lambda s: draw(s, past)))
        return True

    def _where(self, start: int) -> None:
        part, done, spaced = self.part, self.part.new(), self.part.new()
        for end, end_spaced in condition(self.dl, part, start, self.standing.context).any:
            part.join(end, done)
            part.join(end_spaced, spaced)
        self._go_on(done, spaced, self.standing)

    def _sort(self, start: int) -> None:
        dl, part, context = self.dl, self.part, self.standing.context
        done, spaced, nowhere = part.new(), part.new(), part.new()
        for type_ in comparable(dl, context):
            if has_class(dl.schema, type_, Constraint("Ord")):
                expression(dl, part, start, type_, context, "plain", nowhere, spaced, queries=False)
        part.words(spaced, ("asc", "desc"), done)
        part.text(done, ", ", start)
        self._go_on(done, None, self.standing)

    def _take(self) -> None:
        part, count = self.part, counted(self.dl)
        taken = part.call(part.text(self.bar, "take "), count)
        self._go_on(taken, None, self.standing)
        self._go_on(part.call(part.text(taken, " skip "), count), None, self.standing)
        index = part.text(self.bar, "at ")
        done = part.call(index, count)
        part.text(done, ", ", index)
        self._go_on(done, None, self.standing)

    def _group(self, start: int, chosen: tuple[tuple[str, str], ...]) -> None:
        part, context = self.part, self.standing.context
        inner = replace(context, keys=None, outer=())
        names = [(row.binder, name) for row in context.rows for name, _ in columns_of(self.dl, row)]
        for key, (spelled, _, _) in zip(names, own_fields(self.dl, inner), strict=True):
            after = self.dl.words.word(part, start, spelled)
            keys = chosen if key in chosen else (*chosen, key)
            self._go_on(after, None, self._with(keys=keys))
            if len(keys) < self.dl.limits.columns:
                part.join(part.text(after, ", "), part.lazy(lambda s, k=keys: self._group(s, k)))  # type: ignore[misc]

    def _show(self, start: int) -> None:
        left = self.dl.limits.stages - self.standing.stages - 1
        limit = max(self.dl.limits.columns, len(self.goal.types) if self.goal is not None else 0)

        def may(shown: Shown) -> bool:
            """Whether a list of items can be completed to one that serves."""
            if self.goal is None or _needed(self.dl, self._flat(shown), self.goal) <= left:
                return True
            types = tuple(t for _, t in shown.columns)
            rest = self.goal.types[len(types) :] if self.goal.types[: len(types)] == types else None
            if rest and shown_text(self.dl, self.standing.context, rest, shown) is not None:
                return True
            room = len(shown.columns) + len(self.goal.types) <= limit
            return left > 0 and room and shown_text(self.dl, self.standing.context, self.goal.types, shown) is not None

        def follow(spot: Spot, shown: Shown) -> None:
            self._go_on(spot[0], spot[1], replace(self.standing, context=self._flat(shown)))

        def rest(shown: Shown) -> bytes | None:
            """A short end of the query after some items and a comma."""
            if self.goal is None:
                return None
            types = tuple(t for _, t in shown.columns)
            exact = self.goal.types[: len(types)] == types and self.goal.types[len(types) :]
            if exact:
                return shown_text(self.dl, self.standing.context, exact, shown)
            items = shown_text(self.dl, self.standing.context, self.goal.types, shown)
            again = shown_text(self.dl, self._after_all(shown), self.goal.types, Shown()) if items else None
            return items + b" | show " + again if items and again else None

        show_items(self.dl, self.part, start, self.standing.context, Shown(), follow, may, rest, limit)

    def _after_all(self, shown: Shown) -> Context:
        """The rows after these items and then one of each type of the goal."""
        assert self.goal is not None
        for wanted in self.goal.types:
            best = best_item(self.dl, self.standing.context, set(shown.labels), wanted)
            assert best is not None
            shown = shown.with_item(best[1], ((best[1], wanted),))
        return self._flat(shown)

    def _flat(self, shown: Shown) -> Context:
        return replace(self.standing.context, rows=(Row("it", None, shown.columns),), keys=None)

    def _join(self, start: int) -> None:
        dl, part, context = self.dl, self.part, self.standing.context
        source = part.new()
        part.join(start, source)
        for kind in ("left ", "right ", "full "):
            part.join(dl.words.word(part, start, kind, depth=2), source)
        for table in tables(dl):
            at = dl.words.word(part, source, quote_name(table.name), depth=2)
            row = Row(table.name, Con(table.name))
            self._joined(part, at, (row,), (table.name,))
            part.join(part.text(at, " as "), part.lazy(lambda s, r=row: self._renamed(s, r, (r.binder,))))  # type: ignore[misc]
        if context.depth < dl.limits.nesting:
            part.join(part.text(source, "("), part.lazy(self._join_query))

    def _renamed(self, start: int, row: Row, used: tuple[str, ...]) -> None:
        taken = tuple(self.standing.context.taken())
        _aliases(self.dl, self.part, start, row, taken, lambda at, named, _: self._joined(self.part, at, (named,), used))

    def _joined(self, part: Part, at: int, rows: tuple[Row, ...], used: tuple[str, ...]) -> None:
        context = self.standing.context
        if {r.binder for r in rows} & context.taken() or len(rows) + len(context.rows) > self.dl.limits.rows:
            return
        wider = replace(context, rows=(*context.rows, *rows), keys=None)
        after = replace(self.standing, context=wider, tables=(*self.standing.tables, *used))

        def on(state: int) -> None:
            done, spaced = part.new(), part.new()
            for end, end_spaced in condition(self.dl, part, state, wider).any:
                part.join(end, done)
                part.join(end_spaced, spaced)
            self._go_on(done, spaced, after)

        if self._go_on(at, None, after) and comparable(self.dl, wider):
            part.join(part.text(at, " on "), part.lazy(on))

    def _join_query(self, start: int) -> None:
        def close(body: Part, state: int, standing: Standing) -> Tail | None:
            rows = standing.context.rows
            if standing.piped and standing.action is None:
                closed = body.text(state, ")")
                self._joined(body, closed, rows, standing.tables)
                if len(rows) == 1:
                    body.join(
                        body.text(closed, " as "), body.lazy(lambda s: self._renamed(s, rows[0], standing.tables))
                    )
            return None

        sources(self.dl, self.part, start, self.standing.context.beside(), close, None)

    def _set_operations(self) -> None:
        context = self.standing.context
        goal = Goal(tuple(t for _, t in all_columns(self.dl, context.rows)), True)
        if context.depth >= self.dl.limits.nesting or not goal.types or not can_reach(self.dl, goal):
            return
        start = self.part.new()
        words = [f"{word}{every} (" for word in ("union", "except", "intersect") for every in ("", " all")]
        self.part.words(self.bar, words, start)
        inner = self.part.call(start, subquery(self.dl, context.beside(), goal))
        self._go_on(self.part.text(inner, ")"), None, self._with(keys=None))

    def _then(self, start: int) -> None:
        context = replace(self.standing.context, keys=None)
        for function in self.dl.schema.functions:
            if function.action:
                done = self.part.call(start, action(self.dl, function, context))
                self._go_on(done, None, replace(self.standing, context=context, action=function.name))


def counted(dl: Dl) -> int:
    """How many rows, or which: a number or a placeholder."""

    def build(body: Part) -> None:
        end = body.new()
        for kind in ("number", "int", "hole"):
            body.call(body.start, dl.words.pattern(kind), end)
        body.end(end)

    return dl.net.procedure(("count",), build, lambda: b"0")


__all__ = ["Finish", "Goal", "Standing", "scalar", "sources", "spelled_field", "subquery", "tables"]
