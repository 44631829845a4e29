"""Queries of DL: a source and stages, each over the rows that the stages before it left.

A query is drawn where it stands and as it is read, so that what its rows are is part of the state. Only a query in
parentheses that must give columns of certain types (a `Goal`) is a procedure.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..compiler.node import node
from ..compiler.schema import Table
from ..compiler.spelling import quote_name
from ..compiler.types import DYNAMIC, NUMBER, Con, Type
from .dl_calls import actions, one_call
from .dl_conditions import Spot, comparable, condition, short_condition
from .dl_context import Context, Dl, Row, all_columns, columns_of, own_fields, row_type, spelled_field
from .dl_instances import calls, is_in
from .dl_short import short_own, shortest_call
from .dl_show import Shown, best_item, default_items, show_items, shown_text, simple_items, whole_text
from .dl_sums import expression
from .net import Part

Tail = Callable[[int], None]
Way = tuple[bytes, int]
"""A text from where a query stands to the end of the procedure it is drawn in, and the stages that takes."""


@dataclass(frozen=True)
class Finish:
    """What comes after a query. draw: the end of the query, if it may end here; gives what else may follow after a
    space. way: a short way from here to the end (None: there is none)."""

    draw: Callable[[Part, int, "Standing"], Tail | None]
    way: Callable[["Standing"], Way | None]
    goal: "Goal | None" = None
    result: bytes | None = None
    """A short end after a space, if something other than a stage may follow one."""
    always: bytes | None = None
    """The way, if it is the same wherever a query stands."""

    def rest(self, dl: Dl, standing: "Standing") -> Callable[[], bytes | None]:
        """Gives a short rest from where a query stands, if its stages are enough for it."""

        if self.always is not None:
            return lambda: self.always

        def text() -> bytes | None:
            way = self.way(standing)
            return way[0] if way is not None and way[1] <= dl.limits.stages - standing.stages else None

        return text

    def spaced(self, dl: Dl, standing: "Standing") -> Callable[[], bytes | None]:
        """The same after a space."""

        def text() -> bytes | None:
            if self.result is not None:
                return self.result
            if standing.stages >= dl.limits.stages or standing.action is not None:
                return None
            more = shortest_stage(dl, standing, self)
            return b"| " + more if more is not None else None

        return text


_ENOUGH = 5
"""Stages that suffice to give any goal that some table can give: `show`, `join`, `whole`, `show`, and one to spare."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALIASES = (*_LETTERS, *(f"{t}{n}" for t in "tT" for n in range(1, 10)))


@node
class Goal:
    """Types of the columns that a query must give. rows: a table stands for its columns (in a set operation), not for
    one value, its key."""

    types: tuple[Type, ...]
    rows: bool = False


@node
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

    def draw(body: Part, state: int, standing: Standing) -> Tail | None:
        if (bare or standing.piped) and (goal is None or reached(dl, goal, standing.context)):
            body.end(state)
        return None

    def way(standing: Standing) -> Way | None:
        found = _finish(dl, standing.context, goal) if goal is not None else (b"", 0)
        if found is None or found[1] or bare or standing.piped:
            return found
        return b" | distinct", 1

    finish = Finish(draw, way, goal)
    return dl.net.procedure(
        ("query", inner, goal, bare),
        lambda part: sources(dl, part, part.start, inner, finish, False),
        lambda: short_source(dl, inner, finish),
    )


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
    return len(found) == len(goal.types) and all(
        a == b or DYNAMIC in (a, b) for a, b in zip(found, goal.types, strict=True)
    )


def can_reach(dl: Dl, goal: Goal) -> bool:
    """Whether some table alone can be made to give a goal's columns."""
    key = ("can reach", goal.types)
    if key not in dl.memo:
        dl.memo[key] = any(_table_gives(dl, table, goal) for table in tables(dl))
    return bool(dl.memo[key])


def _table_gives(dl: Dl, table: Table, goal: Goal) -> bool:
    types = _types_of_tables(dl)[table.name]
    return bool(types) and all(wanted in types or wanted == NUMBER for wanted in goal.types)


def _types_of_tables(dl: Dl) -> dict[str, frozenset[Type]]:
    known: dict[str, frozenset[Type]] | None = dl.memo.get("types of tables")
    if known is None:
        known = dl.memo["types of tables"] = {t.name: frozenset(c.type for c in t.columns) for t in dl.schema.tables}
    return known


def tables(dl: Dl) -> tuple[Table, ...]:
    """Tables whose bare name means the table."""
    known: tuple[Table, ...] | None = dl.memo.get("tables")
    if known is None:
        taken = dl.schema.enums_of_member.keys() | dl.schema.function.keys()
        known = dl.memo["tables"] = tuple(t for t in dl.schema.tables if t.name not in taken)
    return known


def _shortest_first(dl: Dl) -> tuple[Table, ...]:
    known: tuple[Table, ...] | None = dl.memo.get("shortest tables first")
    if known is None:
        known = dl.memo["shortest tables first"] = tuple(sorted(tables(dl), key=lambda t: len(t.name)))
    return known


def _given_whole(dl: Dl, goal: Goal | None) -> tuple[Table, ...]:
    """A table whose columns are those of a goal of whole rows, if there is one."""
    if goal is None or not goal.rows:
        return ()
    known: dict[tuple[Type, ...], Table] | None = dl.memo.get("tables by columns")
    if known is None:
        known = dl.memo["tables by columns"] = {}
        for table in _shortest_first(dl):
            known.setdefault(tuple(c.type for c in table.columns), table)
    found = known.get(goal.types)
    return (found,) if found is not None else ()


def short_source(dl: Dl, context: Context, finish: Finish) -> bytes | None:
    """A short query from its beginning to the end of its procedure."""
    for table in (*_given_whole(dl, finish.goal), *_shortest_first(dl)):
        row = Row(table.name, Con(table.name))
        way = finish.way(Standing(replace(context, rows=(row,)), (table.name,)))
        if way is not None and way[1] <= dl.limits.stages:
            return quote_name(table.name).encode() + way[0]
    return None


def _finish(dl: Dl, context: Context, goal: Goal) -> tuple[bytes, int] | None:
    """A text that makes rows a goal's columns, and the stages it takes."""
    key = ("finish", context, goal)
    if key not in dl.memo:
        dl.memo[key] = _find_finish(dl, context, goal)
    return dl.memo[key]  # type: ignore[no-any-return]


def _find_finish(dl: Dl, context: Context, goal: Goal) -> Way | None:
    if reached(dl, goal, context):
        return b"", 0
    direct = shown_text(dl, context, goal.types, Shown())
    if direct is not None:
        return b" | show " + direct, 1
    around = whole_text(dl, context, goal.types)
    if around is not None:
        return b" | whole | show " + around, 2
    for table in _shortest_first(dl) if len(context.rows) < dl.limits.rows else ():
        if table.name not in context.taken() and _table_gives(dl, table, goal):
            row = Row(table.name, Con(table.name))
            wider = replace(context, rows=(*context.rows, row), keys=None)
            rest = _finish(dl, wider, goal)
            if rest is not None:
                return f" | join {quote_name(table.name)}".encode() + rest[0], 1 + rest[1]
    best = best_item(dl, context, set(), None)
    if best is None or len(context.rows) == 1:
        return None
    flat = replace(context, rows=(Row("it", None, ((best[1], best[2]),)),), keys=None)
    rest = _finish(dl, flat, goal)
    return (f" | show {best[0]}".encode() + rest[0], 1 + rest[1]) if rest is not None else None


def _needed(dl: Dl, context: Context, goal: Goal) -> int:
    found = _finish(dl, context, goal)
    return found[1] if found is not None else 1 << 10


# ---------------------------------------------------------------- sources


def sources(dl: Dl, part: Part, start: int, context: Context, finish: Finish, derived: bool = True) -> None:
    """Draw everything that rows can come from, and what may follow it. derived: a query in parentheses too (not where
    a sum in parentheses may begin as well: what is in them is read at different depths)."""
    part.rest(start, lambda: short_source(dl, context, finish))
    named = {quote_name(t.name): (Row(t.name, Con(t.name)), (t.name,)) for t in tables(dl)}
    named |= {row.binder: (row, ("",)) for row in relations(context)}
    dl.words.choose(
        part, start, named,
        lambda state, way: _draw_source(dl, part, state, context, *way, finish),
        lambda way: finish.rest(dl, _at_source(context, *way))(),
        2,
    )  # fmt: skip
    for procedure, row in _listed(dl, context):
        after = part.lazy(
            lambda state, r=row: _draw_source(dl, part, state, context, r, ("",), finish),  # type: ignore[misc]
            finish.rest(dl, _at_source(context, row, ("",))),
        )
        part.call(start, procedure, after)
    if derived and context.depth < dl.limits.nesting:
        inner, inside = _derived(dl, part, context, finish)
        query = part.lazy(lambda s: sources(dl, part, s, inner, inside), lambda: short_source(dl, inner, inside))
        part.text(start, "(", query)


def relations(context: Context) -> Iterator[Row]:
    """The rows of variables that are relations, by the variable's name."""
    for name, type_ in context.bound:
        rows = row_type(type_)
        if rows is not None and len(rows) == 1:
            yield replace(rows[0], binder=name)


def gives(dl: Dl, context: Context, item: Type) -> Iterator[str]:
    """Names that stand for queries of one column of a type: tables, variables."""
    for row in (*(Row(t.name, Con(t.name)) for t in tables(dl)), *relations(context)):
        if reached(dl, Goal((item,)), Context((row,))):
            yield quote_name(row.binder)


def _at_source(context: Context, row: Row, used: tuple[str, ...], piped: bool = False) -> Standing:
    """Where a query stands after its source."""
    return Standing(replace(context, rows=(row,)), used, piped=piped)


def _draw_source(
    dl: Dl, part: Part, at: int, context: Context, row: Row, used: tuple[str, ...], finish: Finish
) -> None:
    """Draw what follows a source, by the name of its rows or renamed."""
    _stand(dl, part, at, _at_source(context, row, used), finish)
    names = _aliases(
        dl, part, row, (),
        lambda s, named: _stand(dl, part, s, _at_source(context, named, used, True), finish),
        lambda named: finish.rest(dl, _at_source(context, named, used, True))(),
    )  # fmt: skip
    part.text(at, " as ", names)


def _stand(dl: Dl, part: Part, at: int, standing: Standing, finish: Finish) -> None:
    """What may follow a source, if it can serve."""
    if _feasible(dl, standing, finish):
        _stages(dl, part, at, standing, finish)


def _aliases(
    dl: Dl, part: Part, row: Row, taken: tuple[str, ...], go_on: Callable[[int, Row], None],
    rest: Callable[[Row], bytes | None],
) -> int:  # fmt: skip
    """The state before a name that rows may be given: their own with a number, or one letter (`t` and `T` with a
    number). go_on: draws what follows, when it is reached. rest: a short end after a name."""

    def text(name: str) -> bytes | None:
        return rest(replace(row, binder=name))

    def draw(start: int) -> None:
        for name in _names(dl, row, taken):
            named = replace(row, binder=name)
            after = part.lazy(lambda s, r=named: go_on(s, r), lambda n=name: text(n))  # type: ignore[misc]
            part.text(start, quote_name(name), after)

    def first() -> bytes | None:
        name = next(_names(dl, row, taken))
        after = text(name)
        return quote_name(name).encode() + after if after is not None else None

    return part.lazy(draw, first)


def _names(dl: Dl, row: Row, taken: tuple[str, ...]) -> Iterator[str]:
    schema = dl.schema
    named = row.binder in schema.table or row.binder in schema.function
    numbered = [f"{row.binder}{n}" for n in range(2, dl.limits.rows + 1)] if named else []
    for name in (*_ALIASES, *numbered):
        known = name in schema.table or name in schema.function or name in schema.enums_of_member
        if not known and name not in taken and name != row.binder:
            yield name


def _listed(dl: Dl, context: Context) -> Iterator[tuple[int, Row]]:
    """Calls that give lists: each item is a row."""
    for type_ in dict.fromkeys(f.result for f in dl.schema.functions if not f.action and not f.tparams):
        if isinstance(type_, Con) and type_.name == "List":
            for choice in calls(dl, type_, False):
                function = choice[0]
                if not function.params or any(not p.optional for p in function.params):
                    row = Row("it" if function.params else function.name, type_.args[0])
                    called = one_call(dl, function, (choice,), context)
                    if called is not None:
                        yield called, row


def _derived(dl: Dl, part: Part, context: Context, finish: Finish) -> tuple[Context, Finish]:
    """A query in parentheses, whose rows get a name: where it is written, and what comes after it."""

    def outer(row: Row, used: tuple[str, ...]) -> Standing:
        return Standing(replace(context, rows=(row,)), used, piped=True)

    def close(body: Part, state: int, standing: Standing) -> Tail | None:
        rows = standing.context.rows
        if standing.piped and len(rows) == 1 and standing.action is None:
            used = standing.tables
            body.text(state, ") as ", _aliases(
                dl, body, rows[0], (), lambda s, named: _stand(dl, body, s, outer(named, used), finish),
                lambda named: finish.rest(dl, outer(named, used))(),
            ))  # fmt: skip
        return None

    def way(standing: Standing) -> Way | None:
        shown = _one_row(dl, standing)
        if shown is None:
            return None
        before, stages, row = shown
        alias = next(_names(dl, row, ()))
        rest = finish.way(outer(replace(row, binder=alias), standing.tables))
        return (before + f") as {quote_name(alias)}".encode() + rest[0], stages) if rest is not None else None

    return replace(context, depth=context.depth + 1), Finish(close, way)


def _one_row(dl: Dl, standing: Standing) -> tuple[bytes, int, Row] | None:
    """A text after which a query was piped and has one row, the stages that takes, the row."""
    rows = standing.context.rows
    if len(rows) == 1:
        return (b"", 0, rows[0]) if standing.piped else (b" | distinct", 1, rows[0])
    best = min(simple_items(dl, standing.context), key=lambda item: (len(item[0]), item[:2]), default=None)
    if best is None:
        return None
    return f" | show {best[0]}".encode(), 1, Row("it", None, ((best[1], best[2]),))


# ---------------------------------------------------------------- stages


def _feasible(dl: Dl, standing: Standing, finish: Finish) -> bool:
    """Whether the stages left are enough to end as the query must."""
    if finish.always is not None:
        return True
    if finish.goal is not None and dl.limits.stages - standing.stages >= _ENOUGH and standing.context.rows:
        return True
    way = finish.way(standing)
    return way is not None and way[1] <= dl.limits.stages - standing.stages


def _stages(dl: Dl, part: Part, at: int, standing: Standing, finish: Finish, spaced: int | None = None) -> None:
    """What may follow a source or stage that ended at `at` (or, after a space, at `spaced`)."""
    tail = finish.draw(part, at, standing)
    more = standing.stages < dl.limits.stages and standing.action is None
    if not more and tail is None:
        return
    if spaced is None:
        spaced = part.text(at, " ")
    if tail is not None:
        tail(spaced)
    if more:
        bar = part.lazy(
            lambda bar: Stages(dl, part, bar, standing, finish).draw(), lambda: shortest_stage(dl, standing, finish)
        )
        part.text(spaced, "| ", bar)


def shortest_stage(dl: Dl, standing: Standing, finish: Finish) -> bytes | None:
    """A short stage and end of the query after a bar: `distinct` changes nothing of what a query stands for."""
    after = replace(standing, stages=standing.stages + 1, piped=True)
    if _feasible(dl, after, finish):
        way = finish.way(after)
        return b"distinct" + way[0] if way is not None else None
    way = finish.way(standing)
    # The last stages are those that the way needs.
    return way[0].removeprefix(b" | ") if way is not None else None


@dataclass(frozen=True)
class Stages:
    """The stages that may follow a `|`."""

    dl: Dl
    part: Part
    bar: int
    standing: Standing
    finish: Finish

    @property
    def goal(self) -> Goal | None:
        """What the query must give."""
        return self.finish.goal

    def _next(self, after: Standing) -> Standing:
        """Where the query stands after this stage."""
        return replace(after, stages=self.standing.stages + 1, piped=True)

    def _rest(self, before: bytes | None, after: Standing) -> bytes | None:
        """A short rest: a text of this stage, then the way from there."""
        way = self.finish.rest(self.dl, self._next(after))() if before is not None else None
        return before + way if before is not None and way is not None else None

    def draw(self) -> None:
        """All of them."""
        dl, part, bar, context = self.dl, self.part, self.bar, self.standing.context
        part.rest(bar, lambda: shortest_stage(dl, self.standing, self.finish))
        if self._may(self.standing):
            types = comparable(dl, context)
            if types:
                condition = part.lazy(self._where, lambda: self._rest(short_condition(dl, context), self.standing))
                part.text(bar, "where ", condition)
            if any(is_in(dl, t, "Ord") for t in types):
                part.text(bar, "sort ", part.lazy(self._sort, lambda: self._sort_rest()))
            self._take()
            self._go_on(part.text(bar, "distinct"), None, self.standing)
        self._go_on(part.text(bar, "whole"), None, self._with(keys=()))
        keys = self._keys()
        if keys and self._may(self._with(keys=keys[:1])):
            part.text(bar, "group ", part.lazy(lambda s: self._group(s, ()), lambda: self._group_rest(())))
        part.text(bar, "show ", part.lazy(self._show, lambda: self._show_rest(Shown())))
        if len(context.rows) < dl.limits.rows:
            part.text(bar, "join ", part.lazy(self._join, self._shortest_join))
        self._set_operations()
        if context.depth == 0 and self.goal is None:
            part.text(bar, "then ", part.lazy(self._then))

    def _may(self, after: Standing) -> bool:
        """Whether what is asked for can still be given after this stage."""
        return _feasible(self.dl, self._next(after), self.finish)

    def _with(self, **changes: object) -> Standing:
        return replace(self.standing, context=replace(self.standing.context, **changes))  # type: ignore[arg-type]

    def _go_on(self, state: int, spaced: int | None, after: Standing) -> bool:
        """Go on after this stage, if what is asked for can still be given."""
        after = self._next(after)
        if not _feasible(self.dl, after, self.finish):
            return False
        dl, part, finish = self.dl, self.part, self.finish
        rest = finish.rest(dl, after)
        if spaced is None:
            part.join(state, part.lazy(lambda s: _stages(dl, part, s, after, finish), rest))
            return True
        at, past = part.new(), part.new()
        drawn: list[bool] = []

        def draw(source: int, target: int) -> None:
            # Whoever comes first, to the end or past the space, draws what follows both.
            if not drawn:
                drawn.append(True)
                _stages(dl, part, at, after, finish, past)
            part.join(source, target)

        part.join(state, part.lazy(lambda s: draw(s, at), rest))
        part.join(spaced, part.lazy(lambda s: draw(s, past), finish.spaced(dl, after)))
        return True

    def _where(self, start: int) -> None:
        part, done, spaced = self.part, self.part.new(), self.part.new()
        rest = self.finish.rest(self.dl, self._next(self.standing))
        for end, end_spaced in condition(self.dl, part, start, self.standing.context, rest).any:
            part.join(end, done)
            part.join(end_spaced, spaced)
        self._go_on(done, spaced, self.standing)

    def _sort(self, start: int) -> None:
        dl, part, context = self.dl, self.part, self.standing.context
        done, spaced, nowhere = part.new(), part.new(), part.new()
        way = self.finish.rest(dl, self._next(self.standing))

        def rest() -> bytes | None:
            after = way()
            return b" asc" + after if after is not None else None

        for type_ in comparable(dl, context):
            if is_in(dl, type_, "Ord"):
                expression(dl, part, start, type_, context, "plain", nowhere, spaced, False, rest)
        part.words(spaced, ("asc", "desc"), done)
        part.text(done, ", ", start)
        self._go_on(done, None, self.standing)

    def _sort_rest(self) -> bytes | None:
        dl, context = self.dl, self.standing.context
        ordered = [t for t in comparable(dl, context) if is_in(dl, t, "Ord")]
        own = (key for t in ordered if (key := short_own(dl, t, context)) is not None)
        calls = (key for t in ordered if (key := shortest_call(dl, t)) is not None)
        best = min(own, key=len, default=None) or next(calls, None)
        return self._rest(best + b" asc", self.standing) if best is not None else None

    def _take(self) -> None:
        part, count = self.part, counted(self.dl)
        taken = part.call(part.text(self.bar, "take "), count)
        self._go_on(taken, None, self.standing)
        self._go_on(part.call(part.text(taken, " skip "), count), None, self.standing)
        index = part.text(self.bar, "at ")
        done = part.call(index, count)
        part.text(done, ", ", index)
        self._go_on(done, None, self.standing)

    def _keys(self) -> tuple[tuple[str, str], ...]:
        """Fields that a group may be by."""
        return tuple((row.binder, name) for row in self.standing.context.rows for name, _ in columns_of(self.dl, row))

    def _spelled_keys(self) -> Iterator[tuple[tuple[str, str], str]]:
        inner = replace(self.standing.context, keys=None, outer=())
        for key, (spelled, _, _) in zip(self._keys(), own_fields(self.dl, inner), strict=True):
            yield key, spelled

    def _group(self, start: int, chosen: tuple[tuple[str, str], ...]) -> None:
        part = self.part

        def draw(state: int, keys: tuple[tuple[str, str], ...]) -> None:
            self._go_on(state, None, self._with(keys=keys))
            if len(keys) < self.dl.limits.columns:
                more = part.lazy(lambda s: self._group(s, keys), lambda: self._group_rest(keys))
                part.text(state, ", ", more)

        for key, spelled in self._spelled_keys():
            keys = chosen if key in chosen else (*chosen, key)
            rest = self.finish.rest(self.dl, self._next(self._with(keys=keys)))
            self.dl.words.word(part, start, spelled, target=part.lazy(lambda s, k=keys: draw(s, k), rest))  # type: ignore[misc]

    def _group_rest(self, chosen: tuple[tuple[str, str], ...]) -> bytes | None:
        key, spelled = min(self._spelled_keys(), key=lambda each: (len(each[1]), each))
        keys = chosen if key in chosen else (*chosen, key)
        return self._rest(spelled.encode(), self._with(keys=keys))

    def _show(self, start: int) -> None:
        left = self.dl.limits.stages - self.standing.stages - 1
        limit = max(self.dl.limits.columns, len(self.goal.types) if self.goal is not None else 0)

        free = self.goal is None or left >= _ENOUGH

        def may(shown: Shown) -> bool:
            """Whether a list of items can be completed to one that serves."""
            if free or self.goal is None or _needed(self.dl, self._flat(shown), self.goal) <= left:
                return True
            types = tuple(t for _, t in shown.columns)
            rest = self.goal.types[len(types) :] if self.goal.types[: len(types)] == types else None
            if rest and shown_text(self.dl, self.standing.context, rest, shown) is not None:
                return True
            room = len(shown.columns) + len(self.goal.types) <= limit
            return left > 0 and room and shown_text(self.dl, self.standing.context, self.goal.types, shown) is not None

        def follow(spot: Spot, shown: Shown) -> None:
            self._go_on(spot[0], spot[1], replace(self.standing, context=self._flat(shown)))

        def way(shown: Shown) -> bytes | None:
            """A short end of the query after some items."""
            return self.finish.rest(self.dl, self._next(replace(self.standing, context=self._flat(shown))))()

        show_items(self.dl, self.part, start, self.standing.context, Shown(), follow, may, self._show_rest, way, limit,
                   self.finish.always, free)  # fmt: skip

    def _show_rest(self, shown: Shown) -> bytes | None:
        """A short end of the query after some items and a comma."""
        if self.goal is not None:
            types = tuple(t for _, t in shown.columns)
            exact = self.goal.types[: len(types)] == types and self.goal.types[len(types) :]
            text = shown_text(self.dl, self.standing.context, exact, shown) if exact else None
            if text is not None:
                return text
            listed = shown_text(self.dl, self.standing.context, self.goal.types, shown)
            again = shown_text(self.dl, self._after_all(shown), self.goal.types, Shown()) if listed else None
            if listed and again and self.dl.limits.stages - self.standing.stages > 1:
                return listed + b" | show " + again
        items = default_items(self.dl, self.standing.context, set(shown.labels))
        for spelled, label, type_ in sorted(items, key=lambda item: (len(item[0]), item[:2])):
            after = shown.with_item(label, ((label, type_),))
            rest = self._rest(spelled.encode(), replace(self.standing, context=self._flat(after)))
            if rest is not None:
                return rest
        return None

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
        for state in (start, source):
            part.rest(state, self._shortest_join)
        for kind in ("left ", "right ", "full "):
            part.join(dl.words.word(part, start, kind, depth=2), source)
        joined = [(Row(table.name, Con(table.name)), table.name) for table in tables(dl)]
        for row, table in (*joined, *((row, "") for row in relations(context))):
            rest = self._join_rest(row, (table,))
            if rest is not None:
                after = part.lazy(
                    lambda s, r=row, t=table: self._joined_row(part, s, r, (t,)),  # type: ignore[misc]
                    lambda text=rest: text,  # type: ignore[misc]
                )
                dl.words.word(part, source, quote_name(row.binder), 2, after)
        if context.depth < dl.limits.nesting:
            inner, finish = self._join_query()
            query = part.lazy(lambda s: sources(dl, part, s, inner, finish), lambda: short_source(dl, inner, finish))
            part.text(source, "(", query)

    def _wider(self, rows: tuple[Row, ...], used: tuple[str, ...]) -> Standing:
        """Where a query stands with more rows beside its own."""
        wider = self._with(rows=(*self.standing.context.rows, *rows), keys=None)
        return replace(wider, tables=(*self.standing.tables, *used))

    def _join_rest(self, row: Row, used: tuple[str, ...]) -> bytes | None:
        """A short end after the rows joined, by another name if theirs is taken; None if that cannot serve."""
        taken, renamed = self.standing.context.taken(), b""
        if row.binder in taken:
            row = replace(row, binder=next(_names(self.dl, row, tuple(taken))))
            renamed = f" as {quote_name(row.binder)}".encode()
        after = self._wider((row,), used)
        return self._rest(renamed, after) if self._may(after) else None

    def _shortest_join(self) -> bytes | None:
        for table in _shortest_first(self.dl):
            rest = self._join_rest(Row(table.name, Con(table.name)), (table.name,))
            if rest is not None:
                return quote_name(table.name).encode() + rest
        return None

    def _joined_row(self, part: Part, at: int, row: Row, used: tuple[str, ...]) -> None:
        """What may follow one row joined: its name, `on`."""
        self._joined(part, at, (row,), used)
        taken = tuple(self.standing.context.taken())
        renamed = _aliases(
            self.dl, part, row, taken, lambda s, named: self._joined(part, s, (named,), used),
            lambda named: self._rest(b"", self._wider((named,), used)),
        )  # fmt: skip
        part.text(at, " as ", renamed)

    def _joined(self, part: Part, at: int, rows: tuple[Row, ...], used: tuple[str, ...]) -> None:
        context = self.standing.context
        if {r.binder for r in rows} & context.taken() or len(rows) + len(context.rows) > self.dl.limits.rows:
            return
        after = self._wider(rows, used)
        wider = after.context

        def on(state: int) -> None:
            done, spaced = part.new(), part.new()
            rest = self.finish.rest(self.dl, self._next(after))
            for end, end_spaced in condition(self.dl, part, state, wider, rest).any:
                part.join(end, done)
                part.join(end_spaced, spaced)
            self._go_on(done, spaced, after)

        if self._go_on(at, None, after) and comparable(self.dl, wider):
            part.text(at, " on ", part.lazy(on, lambda: self._rest(short_condition(self.dl, wider), after)))

    def _join_query(self) -> tuple[Context, Finish]:
        """A query joined: where it is written, and what comes after it."""

        def close(body: Part, state: int, standing: Standing) -> Tail | None:
            rows = standing.context.rows
            if standing.piped and standing.action is None:
                closed = body.text(state, ")")
                if len(rows) == 1:
                    self._joined_row(body, closed, rows[0], standing.tables)
                else:
                    self._joined(body, closed, rows, standing.tables)
            return None

        def way(standing: Standing) -> Way | None:
            found = _one_row(self.dl, standing)
            if found is None:
                return None
            before, stages, row = found
            alias = next(_names(self.dl, row, tuple(self.standing.context.taken())))
            rest = self._rest(
                before + f") as {quote_name(alias)}".encode(),
                self._wider((replace(row, binder=alias),), standing.tables),
            )
            return (rest, stages) if rest is not None else None

        return self.standing.context.beside(), Finish(close, way)

    def _set_operations(self) -> None:
        context = self.standing.context
        goal = Goal(tuple(t for _, t in all_columns(self.dl, context.rows)), True)
        if context.depth >= self.dl.limits.nesting or not goal.types or not can_reach(self.dl, goal):
            return
        if not self._may(self._with(keys=None)):
            return
        start = self.part.new()
        words = [f"{word}{every} (" for word in ("union", "except", "intersect") for every in ("", " all")]
        self.part.words(self.bar, words, start)
        inner = self.part.call(start, subquery(self.dl, context.beside(), goal, True))
        self._go_on(self.part.text(inner, ")"), None, self._with(keys=None))

    def _then(self, start: int) -> None:
        context = replace(self.standing.context, keys=None)

        def acted(name: str) -> Standing:
            return replace(self.standing, context=context, action=name)

        def after(state: int, name: str) -> None:
            self._go_on(state, None, acted(name))

        actions(self.dl, self.part, start, context, after, lambda name: self._rest(b"", acted(name)))


def counted(dl: Dl) -> int:
    """How many rows, or which: a number or a placeholder."""

    def build(body: Part) -> None:
        end = body.new()
        for kind in ("number", "int", "hole"):
            body.call(body.start, dl.words.pattern(kind), end)
        body.end(end)

    return dl.net.procedure(("count",), build, lambda: b"0")


__all__ = ["Finish", "Goal", "Standing", "scalar", "sources", "spelled_field", "subquery", "tables"]
