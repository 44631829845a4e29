"""GROUP BY, ORDER BY, LIMIT and what is shown."""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ...compiler.lower import default_label, fresh_label
from ...compiler.terms import Abs, App, Field, Lit, Term
from ...compiler.types import Con, Type
from ...grammar.diagnostic import CompileError
from . import coerce, errors
from .dialects import place
from .expressions import AGGREGATES, value
from .names import ColumnInfo
from .scope import Context, Frame, Shown, Source, Val, unsupported

Fit = Callable[[int, Val], Term]


def has_aggregates(nodes: list[Any]) -> bool:
    """Whether an aggregate stands in one of the expressions, subqueries not counted."""
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, AGGREGATES):
            return True
        if isinstance(node, exp.Query | exp.Column | exp.Literal):
            continue
        todo.extend(node.iter_expressions())
    return False


def dealiased(node: Any, frame: Frame) -> Any:
    """A condition with the aliases of shown values replaced by them, where no column has that name."""
    if not frame.aliases:
        return node

    def replaced(part: Any) -> Any:
        if isinstance(part, exp.Column) and not part.args.get("table"):
            name = part.name.lower()
            if name in frame.aliases and not any(name in s.columns for s in frame.sources):
                return exp.Paren(this=frame.aliases[name].copy())
        return part

    return node.transform(replaced)


def grouped(group: Any, term: Term, selected: list[Any], frame: Frame, context: Context) -> Term:
    for name, part in group.args.items():
        if part and name != "expressions":
            raise unsupported(f"GROUP BY {name.upper()}", group)
    keys: list[Term] = []
    for node in group.expressions:
        key = value(_meant(node, selected, frame), frame, context).term
        if key not in keys:
            keys.append(key)
    frame.keys = frozenset(keys)
    return App("group", (term, *(Abs("row", frame.binders, key) for key in keys)))


def _meant(node: Any, selected: list[Any], frame: Frame) -> Any:
    """What GROUP BY or ORDER BY means by a position or an alias."""
    if isinstance(node, exp.Literal) and not node.is_string:
        index = int(node.this) if node.this.isdigit() else 0
        if not 1 <= index <= len(selected) or any(is_star(s) for s in selected):
            raise unsupported(f"position {node.this}", node)
        item = selected[index - 1]
        return item.this if isinstance(item, exp.Alias) else item
    if isinstance(node, exp.Column) and not node.args.get("table"):
        name = node.name.lower()
        if name in frame.aliases and not any(name in s.columns for s in frame.sources):
            return frame.aliases[name]
    return dealiased(node, frame)


def order_keys(order: Any, selected: list[Any], frame: Frame, context: Context) -> list[Term]:
    keys: list[Term] = []
    for item in order.expressions:
        if item.args.get("with_fill"):
            raise unsupported("WITH FILL", item)
        val = value(_meant(item.this, selected, frame), frame, context)
        keys += _directed(item, val)
    return keys


def _directed(item: Any, val: Val) -> list[Term]:
    descending = bool(item.args.get("desc"))
    nulls_first = bool(item.args.get("nulls_first"))
    term = App("number_of", (val.term,)) if _unordered(val.type) else val.term
    keys: list[Term] = []
    if nulls_first == descending:
        # Missing values come first in ascending order and last in descending; anything else is a key of its own.
        rank = App("if_else", (App("is_missing", (val.term,)), Lit("number", "1"), Lit("number", "0")))
        keys.append(App("desc" if nulls_first else "asc", (rank,)))
    keys.append(App("desc" if descending else "asc", (term,)))
    return keys


def _unordered(type_: Type | None) -> bool:
    return isinstance(type_, Con) and type_.name == "Bool"


def limits(args: Any, frame: Frame, context: Context) -> tuple[Term, ...] | None:
    limit, offset = args.get("limit"), args.get("offset")
    if limit is None and offset is None:
        return None
    if limit is not None and not isinstance(limit, exp.Limit):
        raise unsupported("FETCH", limit)
    outside = Frame(None)
    count: Term = Lit("number", "-1")
    if limit is not None:
        if limit.args.get("expressions"):
            raise unsupported("LIMIT BY", limit)
        count = coerce.as_number(value(limit.expression, outside, context), "LIMIT", limit, context)
        if limit.args.get("offset") is not None:
            skip = coerce.as_number(value(limit.args["offset"], outside, context), "OFFSET", limit, context)
            return count, skip
    if offset is None:
        return (count,)
    return count, coerce.as_number(value(offset.expression, outside, context), "OFFSET", offset, context)


# ---------------------------------------------------------------- what is shown


def is_star(node: Any) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def shown_items(
    selected: list[Any], term: Term, frame: Frame, context: Context, fit: Fit | None, flat: bool
) -> tuple[Term, tuple[Shown, ...], bool]:
    binders = frame.binders
    if len(selected) == 1 and is_star(selected[0]) and _every_source(selected[0], frame):
        columns = _all_columns(frame.sources)
        if frame.keys is not None:
            return App("show", (term,), (("pick_all", Abs("row", binders, App("pick_all"))),)), columns, True
        if fit is None and not any(s.merged for s in frame.sources):
            if not flat:
                return term, columns, False
            if len(columns) != 1:
                return App("show", (term,), (("all_fields", Abs("row", binders, App("all_fields"))),)), columns, True
    items: list[tuple[str, Term]] = []
    shown: list[Shown] = []
    labels: set[str] = set()

    def add(val: Val, name: str | None) -> None:
        body = val.term if fit is None else fit(len(items), val)
        label = fresh_label(name or default_label(body), labels)
        labels.add(label)
        items.append((label, Abs("row", binders, body)))
        info = val.info if val.affine else None
        shown.append(Shown((name or _sql_label(val, label)).lower(), label, val.type, info))

    for item in selected:
        if (
            isinstance(item, exp.Star)
            and fit is None
            and frame.keys is None
            and not any(s.merged for s in frame.sources)
        ):
            _plain_star(item)
            items.append(("all_fields", Abs("row", binders, App("all_fields"))))
            for column in _all_columns(frame.sources):
                label = fresh_label(column.label, labels)
                labels.add(label)
                shown.append(column._replace(label=label))
        elif is_star(item):
            _add_star(item, frame, add)
        elif isinstance(item, exp.Alias):
            add(value(item.this, frame, context), item.alias)
        else:
            add(value(item, frame, context), None)
    return App("show", (term,), tuple(items)), tuple(shown), True


def _sql_label(val: Val, label: str) -> str:
    return val.info.sql if val.info is not None and val.affine else label


def _every_source(star: Any, frame: Frame) -> bool:
    _plain_star(star)
    return isinstance(star, exp.Star) or (len(frame.sources) == 1 and star.args["table"].this.lower() in frame.by_alias)


def _plain_star(star: Any) -> None:
    inner = star.this if isinstance(star, exp.Column) else star
    if any(inner.args.get(k) for k in ("except_", "replace", "rename", "ilike")):
        raise unsupported("* with EXCEPT or REPLACE", star)


def _add_star(star: Any, frame: Frame, add: Callable[[Val, str | None], None]) -> None:
    _plain_star(star)
    sources = frame.sources
    if isinstance(star, exp.Column):
        alias = star.args["table"].this
        source = frame.by_alias.get(alias.lower())
        if source is None:
            raise CompileError(errors.unknown_table(alias, [s.alias for s in sources], place(star)))
        sources = [source]
    for source in sources:
        for name, found in source.columns.items():
            if name in source.merged and len(sources) > 1:
                continue
            field: Term = Field(source.var, found.name if isinstance(found, ColumnInfo) else found.label)
            if frame.keys is not None and field not in frame.keys:
                field = App("pick", (field,))
            info = found if isinstance(found, ColumnInfo) else found.info
            add(Val(field, found.type, info, True), None)


def _all_columns(sources: list[Source]) -> tuple[Shown, ...]:
    columns: list[Shown] = []
    labels: set[str] = set()
    for source in sources:
        for name, found in source.columns.items():
            base = found.name if isinstance(found, ColumnInfo) else found.label
            label = fresh_label(base, labels)
            labels.add(label)
            columns.append(Shown(name, label, found.type, found if isinstance(found, ColumnInfo) else found.info))
    return tuple(columns)
