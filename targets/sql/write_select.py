"""A block of stages as one SELECT."""

from dataclasses import replace
from typing import Any

from sqlglot import exp

from ...compiler.lower import default_label, fresh_label
from ...compiler.terms import Abs, App, Field, Lit, Term
from ...compiler.types import Con
from . import errors
from .blocks import Block, Bound, Columns, Origin, Output
from .constants import member_text
from .names import ColumnInfo
from .write_conditions import condition
from .write_terms import NotSaid, Scope, Writing, ident, info_of, type_of
from .write_values import column, value


def finished(
    block: Block, outer: Scope, w: Writing, top: bool = False, erase: bool = False, keep_labels: bool = False
) -> tuple[Any, Columns]:
    """The block's SQL tree and its columns by label."""
    if block.compound is not None:
        return _finish_compound(block, outer, w), block.outputs
    scope = _named(block, outer, w)
    names = tuple(name for name, _ in block.bounds)
    select = exp.Select()
    if block.origins:
        select.set("from_", exp.From(this=_table(block.origins[0])))
    joins = []
    for join in block.joins:
        on = _over(join.on, names, block, scope, w, condition) if join.on is not None else None
        if on is None and join.side:
            on = exp.Boolean(this=True)
        made = exp.Join(this=_table(join.origin), on=on, side=join.side or None)
        if on is None:
            made = exp.Join(this=_table(join.origin), kind="CROSS")
        joins.append(made)
    if joins:
        select.set("joins", joins)
    where = _all(_conditions(block.where, names, block, scope, w))
    if where is not None:
        select.set("where", exp.Where(this=where))
    if block.groups:
        keys = [_over(key, names, block, scope, w, value) for key in block.groups]
        select.set("group", exp.Group(expressions=keys))
    having = _all(_conditions(block.having, names, block, scope, w))
    if having is not None:
        select.set("having", exp.Having(this=having))
    outputs = _select_items(block, select, names, scope, w, top, erase, keep_labels)
    if block.distinct:
        select.set("distinct", exp.Distinct())
    _order_and_limit(select, block, [_ordered(key, names, block, scope, w) for key in block.order], w)
    if block.groups == [] and not _aggregates(select):
        # Without an aggregate it would be a row for each of them.
        raise NotSaid(errors.no_construct("one row of picks for all rows"))
    return select, outputs


def _aggregates(select: Any) -> bool:
    """Whether there is an aggregate in a SELECT, the queries inside it left out."""
    inside = select.walk(prune=lambda node: node is not select and isinstance(node, exp.Query))
    return any(isinstance(node, exp.AggFunc) for node in inside)


def _conditions(overs: list[Abs], names: tuple[str, ...], block: Block, scope: Scope, w: Writing) -> list[Any]:
    """Conditions, those SQL cannot say noted and left out."""
    said: list[Any] = []
    for over in overs:
        try:
            said.append(_over(over, names, block, scope, w, condition))
        except NotSaid as reason:
            w.drop(reason.diagnostic)
    return said


def _over(over: Abs | None, names: tuple[str, ...], block: Block, scope: Scope, w: Writing, write: Any) -> Any:
    """An expression over the rows known when it was written, which may go by other names now."""
    assert over is not None
    if over.params != names[: len(over.params)]:
        bounds = dict(scope.bounds)
        for param, (_, bound) in zip(over.params, block.bounds, strict=False):
            bounds[param] = bound
        scope = Scope(bounds, scope.qualified, scope.own | set(over.params), scope.visible)
    return write(over.body, scope, w)


def _named(block: Block, outer: Scope, w: Writing) -> Scope:
    """Names for the entries of FROM, and the scope of the block's expressions."""
    taken: set[str] = set()
    own = frozenset(name for name, _ in block.bounds)
    hidden = {b.origin.visible.lower() for n, b in outer.bounds.items() if n and n not in own and b.origin is not None}
    for origin in block.origins:
        if origin.table is not None and origin.wanted == origin.table.name:
            origin.visible = origin.table.sql
            if origin.visible.lower() in taken | hidden:
                origin.visible = origin.alias = _fresh(origin.visible, taken | hidden, w)
        elif origin.derived:
            origin.visible = _fresh(origin.wanted if origin.wanted != "it" else "q", taken | hidden, w)
            if len(block.origins) > 1 or w.dialect not in ("sqlite", "duckdb"):
                origin.alias = origin.visible
        else:
            base = origin.wanted if origin.wanted != "it" else "q"
            plain = origin.table is None and base == origin.tree.name
            origin.visible = base if plain and base.lower() not in taken | hidden else _fresh(base, taken | hidden, w)
            if not plain or origin.visible != base:
                origin.alias = origin.visible
        taken.add(origin.visible.lower())
    bounds = {**outer.bounds, **dict(block.bounds)}
    return Scope(bounds, len(block.origins) > 1, own)


def _fresh(name: str, taken: set[str], w: Writing) -> str:
    """A name that neither a sibling, nor a row around, nor a table of the database has."""
    if name.lower() not in taken and name.lower() not in w.catalog.tables:
        return name
    number = 2
    while f"{name}{number}".lower() in taken or f"{name}{number}".lower() in w.catalog.tables:
        number += 1
    return f"{name}{number}"


def _table(origin: Origin) -> Any:
    if origin.alias is not None:
        origin.tree.set("alias", exp.TableAlias(this=ident(origin.alias)))
    return origin.tree


def _all(parts: list[Any]) -> Any | None:
    """The conjunction of the conditions that say anything; None if none does."""
    made: Any = None
    for part in parts:
        if isinstance(part, exp.Boolean) and part.this:
            continue
        part = exp.Paren(this=part) if isinstance(part, exp.Or) and len(parts) > 1 else part
        made = part if made is None else exp.And(this=made, expression=part)
    return made


def _select_items(
    block: Block, select: Any, names: tuple[str, ...], scope: Scope, w: Writing, top: bool, erase: bool, keep: bool
) -> Columns:
    if block.shown is None:
        select.set("expressions", [exp.Star()])
        return _star_outputs(block)
    items: list[Any] = []
    outputs: Columns = {}
    labels: set[str] = set()
    for label, over in block.shown:
        assert isinstance(over, Abs)
        body = over.body
        if body in (App("all_fields"), App("pick_all")):
            items.append(exp.Star())
            for name, found in _star_outputs(block).items():
                outputs.setdefault(fresh_label(name, set(outputs)), found)
            labels.add(label)
            continue
        if (isinstance(body, App) and body.fn == "untyped") or (
            erase and isinstance(body, App) and body.fn == "number_of" and w.affine
        ):
            body = body.args[0]
        # What is only shown is shown as it is kept: "23.60 pounds" stays so.
        write = column if isinstance(body, Field) else value
        item = _over(Abs("row", over.params, body), names, block, scope, w, write)
        implied = fresh_label(default_label(over.body), labels)
        labels.add(label)
        if ((top or keep) and label != implied) or (keep and not isinstance(item, exp.Column)):
            item = exp.Alias(this=item, alias=ident(label))
        inner = _scoped(over, block, scope)
        outputs[label] = Output(
            label, select, len(items), type_of(body, inner), _plain_info(body, info_of(body, inner))
        )
        items.append(item)
    select.set("expressions", items)
    return outputs


def _scoped(over: Abs, block: Block, scope: Scope) -> Scope:
    bounds = dict(scope.bounds)
    for param, (_, bound) in zip(over.params, block.bounds, strict=False):
        bounds[param] = bound
    return Scope(bounds, scope.qualified, scope.own)


def _plain_info(body: Term, info: ColumnInfo | None) -> ColumnInfo | None:
    """A shown column keeps how it is kept only if nothing was computed from it; missing values are NULL by now."""
    if info is None or (info.stored and not isinstance(body, Field)):
        return None
    return replace(info, missing=()) if info.missing else info


def _star_outputs(block: Block) -> Columns:
    outputs: Columns = {}
    for _, bound in block.bounds:
        for name, found in bound.columns.items():
            outputs.setdefault(fresh_label(name, set(outputs)), found)
    return outputs


def _ordered(key: Abs, names: tuple[str, ...], block: Block, scope: Scope, w: Writing) -> Any:
    body = key.body
    assert isinstance(body, App)
    descending = body.fn == "desc"
    inner: Any = _over(Abs("row", key.params, body.args[0]), names, block, scope, w, _sort_value)
    return exp.Ordered(this=inner, desc=True if descending else None, nulls_first=not descending)


def _sort_value(term: Term, scope: Scope, w: Writing) -> Any:
    """A sort key: an enum by the place of its members."""
    info = info_of(term, scope)
    enum = w.schema.enum.get(info.type.name) if info is not None and isinstance(info.type, Con) else None
    if enum is None or not enum.ordered or not isinstance(term, Field):
        return value(term, scope, w)
    subject = column(term, scope, w)
    ranks = [
        exp.If(
            this=exp.EQ(this=subject.copy(), expression=exp.Literal.string(member_text(w.schema, enum.name, m.name))),
            true=exp.Literal.number(i),
        )
        for i, m in enumerate(enum.members)
    ]
    return exp.Case(ifs=ranks)


def _order_and_limit(tree: Any, block: Block, keys: list[Any], w: Writing) -> None:
    if keys:
        tree.set("order", exp.Order(expressions=keys))
    if block.limit is None:
        return
    outer = outermost(w)
    count, *skip = block.limit
    if count != Lit("number", "-1") or not skip or w.affine:
        tree.set("limit", exp.Limit(expression=value(count, outer, w)))
    if skip:
        tree.set("offset", exp.Offset(expression=value(skip[0], outer, w)))


def _finish_compound(block: Block, outer: Scope, w: Writing) -> Any:
    tree = block.compound
    keys: list[Any] = []
    for key in block.order:
        assert isinstance(key.body, App)
        field = key.body.args[0]
        assert isinstance(field, Field)
        found = block.outputs.get(field.name)
        if found is None:
            raise NotSaid(errors.no_construct(f"the order of `.{field.name}`"))
        name = found.sql if isinstance(found, ColumnInfo) else found.column_name()
        descending = key.body.fn == "desc"
        key_column: Any = exp.Column(this=ident(name))
        keys.append(exp.Ordered(this=key_column, desc=True if descending else None, nulls_first=not descending))
    _order_and_limit(tree, block, keys, w)
    return tree


def outermost(w: Writing) -> Scope:
    return Scope({"": Bound(None, {}, value=w.catalog)}, False, frozenset())
