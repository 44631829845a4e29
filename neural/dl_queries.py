"""Queries of DL: a table and stages, each over the rows that the stages before it left."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..compiler.classes import has_class
from ..compiler.lower import fresh_label
from ..compiler.schema import Table
from ..compiler.spelling import quote_name
from ..compiler.types import NUMBER, Con, Constraint, Type
from .dl_conditions import comparable, condition
from .dl_context import Columns, Context, Dl, Row, columns_of, fields, spelled_field
from .dl_values import action, plain
from .net import Part

Finish = Callable[[Part, int, "Standing"], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a query stands: its context, tables used (results may carry their columns), stages so far, what it
    shows (None before `show`), whether it ended in an action."""

    context: Context
    tables: tuple[str, ...]
    stages: int = 0
    shown: Columns | None = None
    action: str | None = None


def subquery(dl: Dl, context: Context, goal: tuple[Type, ...] | None) -> int:
    """The procedure of queries inside parentheses that show columns of exactly these types (None: any query)."""

    def build(part: Part) -> None:
        def finish(body: Part, state: int, standing: Standing) -> None:
            if goal is None or (standing.shown is not None and tuple(t for _, t in standing.shown) == goal):
                if standing.stages:
                    body.end(state)

        inner = context.inside(())
        sources(dl, part, part.start, inner, finish, goal)

    return dl.net.procedure(("query", context, goal), build, lambda: _short_query(dl, context, goal))


def can_show(dl: Dl, goal: tuple[Type, ...]) -> bool:
    """Whether some table alone can be made to show columns of these types."""
    return any(_table_shows(dl, table, goal) for table in tables(dl))


def tables(dl: Dl) -> list[Table]:
    """Tables whose bare name means the table."""
    return [t for t in dl.schema.tables if t.name not in dl.schema.enums_of_member and t.name not in dl.schema.function]


def _table_shows(dl: Dl, table: Table, goal: tuple[Type, ...] | None) -> bool:
    return goal is None or all(any(c.type == wanted for c in table.columns) for wanted in goal)


def _short_query(dl: Dl, context: Context, goal: tuple[Type, ...] | None) -> bytes | None:
    taken = context.taken()
    for table in sorted(tables(dl), key=lambda t: len(t.name)):
        if not _table_shows(dl, table, goal):
            continue
        source = quote_name(table.name)
        if table.name in taken:
            source += f" as {quote_name(fresh_label(table.name, set(taken)))}"
        if goal is None:
            return f"{source} | distinct".encode()
        items: list[str] = []
        labels: set[str] = set()
        for wanted in goal:
            names = sorted((c.name for c in table.columns if c.type == wanted), key=lambda n: (n in labels, len(n)))
            label = fresh_label(names[0], labels)
            before = "" if label == names[0] else f"{quote_name(label)}: "
            items.append(f"{before}.{spelled_field(names[0])}")
            labels.add(label)
        return f"{source} | show {', '.join(items)}".encode()
    return None


def sources(dl: Dl, part: Part, start: int, context: Context, finish: Finish, goal: tuple[Type, ...] | None) -> None:
    """Draw every table, and what may follow it."""
    for table in tables(dl):
        if not _table_shows(dl, table, goal):
            continue
        at = _name(dl, part, start, quote_name(table.name))
        type_ = Con(table.name)
        for binder, source in _binders(part, at, table.name, context.taken()):
            row = Row(binder, type_)
            standing = Standing(replace(context, rows=(row,)), (table.name,))
            target = part.lazy(lambda state, s=standing: _stages(dl, part, state, s, finish, goal))  # type: ignore[misc]
            part.join(source, target)


def _name(dl: Dl, part: Part, start: int, name: str) -> int:
    return dl.words.word(part, start, name)


def _binders(part: Part, at: int, name: str, taken: frozenset[str]) -> list[tuple[str, int]]:
    """The name a table's rows go by: its own, or if that is taken the first free one with a number."""
    if name not in taken:
        return [(name, at)]
    alias = fresh_label(name, set(taken))
    return [(alias, part.text(at, f" as {quote_name(alias)}"))]


def _stages(dl: Dl, part: Part, at: int, standing: Standing, finish: Finish, goal: tuple[Type, ...] | None) -> None:
    finish(part, at, standing)
    if standing.stages >= dl.limits.stages or standing.action is not None:
        return
    if goal is not None and standing.shown is None:
        part.rest(at, lambda: _short_show(dl, standing.context, goal))
    bar = part.text(at, " | ")
    # A query that has still to show something keeps a stage for it.
    last = goal is not None and standing.shown is None and standing.stages == dl.limits.stages - 1

    def follow(state: int, after: Standing) -> None:
        after = replace(after, stages=standing.stages + 1)
        part.join(state, part.lazy(lambda s: _stages(dl, part, s, after, finish, goal)))

    if last:
        _show(dl, part, bar, standing, follow, goal)
        return
    _where(dl, part, bar, standing, follow)
    if any(has_class(dl.schema, t, Constraint("Ord")) for t in comparable(dl, standing.context)):
        _sort(dl, part, bar, standing, follow)
    _take(dl, part, bar, standing, follow)
    follow(part.text(bar, "distinct"), standing)
    if standing.shown is None:
        _show(dl, part, bar, standing, follow, goal)
    if standing.context.keys is None:
        if standing.stages < dl.limits.stages - 2 or goal is None:
            follow(part.text(bar, "whole"), replace(standing, context=replace(standing.context, keys=()), shown=None))
            _group(dl, part, bar, standing, follow)
        if standing.shown is None:
            _join(dl, part, bar, standing, follow)
    if standing.shown is not None and standing.context.depth < dl.limits.nesting and _again(dl, standing.shown):
        _set_operation(dl, part, bar, standing, follow)
    if standing.context.depth == 0 and standing.context.keys is None and goal is None:
        for function in dl.schema.functions:
            if function.action:
                then = part.call(part.text(bar, "then "), action(dl, function, standing.context))
                follow(then, replace(standing, action=function.name))


def _again(dl: Dl, shown: Columns) -> bool:
    return can_show(dl, tuple(t for _, t in shown))


Follow = Callable[[int, Standing], None]


def _short_show(dl: Dl, context: Context, goal: tuple[Type, ...]) -> bytes | None:
    items: list[str] = []
    taken: set[str] = set()
    for wanted in goal:
        options = [(label in taken, len(s), s, label) for s, label, t in _items(dl, context) if t == wanted]
        if not options:
            return None
        again, _, spelled, label = min(options)
        fresh = fresh_label(label, taken)
        items.append(f"{quote_name(fresh)}: {spelled}" if again else spelled)
        taken.add(fresh)
    return f" | show {', '.join(items)}".encode()


def _where(dl: Dl, part: Part, bar: int, standing: Standing, follow: Follow) -> None:
    if not comparable(dl, standing.context):
        return

    def draw(start: int) -> None:
        state = part.new()
        for end in condition(dl, part, start, standing.context).any:
            part.join(end, state)
        follow(state, standing)

    part.join(part.text(bar, "where "), part.lazy(draw))


def _sort(dl: Dl, part: Part, bar: int, standing: Standing, follow: Follow) -> None:
    part.join(part.text(bar, "sort "), part.lazy(lambda start: _sort_keys(dl, part, start, standing, follow)))


def _sort_keys(dl: Dl, part: Part, key: int, standing: Standing, follow: Follow) -> None:
    types = [t for t in comparable(dl, standing.context) if has_class(dl.schema, t, Constraint("Ord"))]
    done = part.new()
    for type_ in types:
        after = part.call(key, plain(dl, type_, standing.context))
        part.words(after, (" asc", " desc"), done)
    part.text(done, ", ", key)
    follow(done, standing)


def _take(dl: Dl, part: Part, bar: int, standing: Standing, follow: Follow) -> None:
    count = _count(dl)
    taken = part.call(part.text(bar, "take "), count)
    follow(taken, standing)
    follow(part.call(part.text(taken, " skip "), count), standing)
    index = part.text(bar, "at ")
    done = part.call(index, count)
    part.text(done, ", ", index)
    follow(done, standing)


def _count(dl: Dl) -> int:
    """How many rows, or which: a number or a placeholder."""

    def build(body: Part) -> None:
        end = body.new()
        for kind in ("number", "int", "hole"):
            body.call(body.start, dl.words.pattern(kind), end)
        body.end(end)

    return dl.net.procedure(("count",), build)


def _group(dl: Dl, part: Part, bar: int, standing: Standing, follow: Follow) -> None:
    context = standing.context
    if context.rows[0].type is None:
        return
    part.join(part.text(bar, "group "), part.lazy(lambda key: _group_keys(dl, part, key, standing, (), follow)))


def _group_keys(
    dl: Dl, part: Part, key: int, standing: Standing, chosen: tuple[tuple[str, str], ...], follow: Follow
) -> None:
    context = standing.context
    for row in context.rows:
        for name, _ in columns_of(dl, row):
            if (row.binder, name) in chosen:
                continue
            spelled = next(
                s
                for s, n, _ in fields(dl, replace(context, rows=context.rows, outer=()))
                if _is_field(s, n, row, context, name)
            )
            after = _spelled(dl, part, key, spelled)
            keys = (*chosen, (row.binder, name))
            follow(after, replace(standing, context=replace(context, keys=keys)))
            if len(keys) < dl.limits.columns:
                comma = part.text(after, ", ")
                part.join(
                    comma,
                    part.lazy(lambda s, k=keys: _group_keys(dl, part, s, standing, k, follow)),  # type: ignore[misc]
                )


def _is_field(spelled: str, name: str, row: Row, context: Context, wanted: str) -> bool:
    before = spelled.rpartition(".")[0] if not spelled.endswith("`") else spelled[: spelled.index(".")]
    return name == wanted and (len(context.rows) == 1 or before == quote_name(row.binder))


def _spelled(dl: Dl, part: Part, source: int, spelled: str) -> int:
    return part.text(source, spelled) if spelled.startswith(".") else dl.words.word(part, source, spelled)


def _show(dl: Dl, part: Part, bar: int, standing: Standing, follow: Follow, goal: tuple[Type, ...] | None) -> None:
    part.join(part.text(bar, "show "), part.lazy(lambda start: _shown(dl, part, start, standing, follow, goal)))


def _shown(dl: Dl, part: Part, start: int, standing: Standing, follow: Follow, goal: tuple[Type, ...] | None) -> None:
    if standing.context.keys is None and goal is None:
        star = part.text(start, "*")
        every: dict[str, Type] = {}
        for row in standing.context.rows:
            for name, type_ in columns_of(dl, row):
                every[fresh_label(name, set(every))] = type_
        follow(star, _flat(standing, tuple(every.items())))
    _show_items(dl, part, start, standing, (), follow, goal)


def _flat(standing: Standing, columns: Columns) -> Standing:
    context = replace(standing.context, rows=(Row("it", None, columns),), keys=None)
    return replace(standing, context=context, shown=columns)


def _show_items(
    dl: Dl, part: Part, start: int, standing: Standing, shown: Columns, follow: Follow, goal: tuple[Type, ...] | None
) -> None:
    taken = {label for label, _ in shown}
    for spelled, label, type_ in _items(dl, standing.context):
        if goal is not None and (len(shown) >= len(goal) or goal[len(shown)] != type_):
            continue
        if label in taken:
            fresh = fresh_label(label, taken)
            after = _spelled(dl, part, dl.words.word(part, start, f"{quote_name(fresh)}: "), spelled)
        else:
            fresh = label
            after = _spelled(dl, part, start, spelled)
        columns = (*shown, (fresh, type_))
        follow(after, _flat(standing, columns))
        if len(columns) < dl.limits.columns and (goal is None or len(columns) < len(goal)):
            part.join(
                part.text(after, ", "),
                part.lazy(lambda s, c=columns: _show_items(dl, part, s, standing, c, follow, goal)),  # type: ignore[misc]
            )


def _items(dl: Dl, context: Context) -> list[tuple[str, str, Type]]:
    """What can be shown: fields, and in a group aggregates; with the label each has by default, and its type."""
    items = [(s, n, t) for s, n, t in fields(dl, replace(context, outer=()))]
    if context.keys is None:
        return items
    inner = list(fields(dl, replace(context, keys=None, outer=())))
    items.append(("count()", "count", NUMBER))
    for spelled, name, type_ in inner:
        items.append((f"count({spelled})", "count", NUMBER))
        items.append((f"count_distinct({spelled})", "count_distinct", NUMBER))
        items.append((f"pick({spelled})", name, type_))
        for fn, cls in (("sum", "Num"), ("avg", "Num"), ("min", "Ord"), ("max", "Ord")):
            if has_class(dl.schema, type_, Constraint(cls)):
                items.append((f"{fn}({spelled})", fn, type_))
    return items


def _join(dl: Dl, part: Part, bar: int, standing: Standing, follow: Follow) -> None:
    context = standing.context
    if len(context.rows) >= dl.limits.rows:
        return
    start = part.new()
    part.words(bar, ("join ", "join left ", "join right ", "join full "), start)
    part.join(start, part.lazy(lambda s: _joined(dl, part, s, standing, follow)))


def _joined(dl: Dl, part: Part, start: int, standing: Standing, follow: Follow) -> None:
    context = standing.context
    for table in dl.schema.tables:
        at = _name(dl, part, start, quote_name(table.name))
        for binder, source in _binders(part, at, table.name, frozenset(r.binder for r in context.rows + context.outer)):
            wider = replace(context, rows=(*context.rows, Row(binder, Con(table.name))))
            after = replace(standing, context=wider, tables=(*standing.tables, table.name))
            follow(source, after)

            def on(state: int, after: Standing = after) -> None:
                end = part.new()
                for done in condition(dl, part, state, after.context).any:
                    part.join(done, end)
                follow(end, after)

            part.join(part.text(source, " on "), part.lazy(on))


def _set_operation(dl: Dl, part: Part, bar: int, standing: Standing, follow: Follow) -> None:
    assert standing.shown is not None
    goal = tuple(t for _, t in standing.shown)
    start = part.new()
    words = [f"{word}{every} (" for word in ("union", "except", "intersect") for every in ("", " all")]
    part.words(bar, words, start)
    around = Context((), (), None, standing.context.depth)
    inner = part.call(start, subquery(dl, around, goal))
    follow(part.text(inner, ")"), standing)


__all__ = ["Finish", "Standing", "sources", "subquery"]
