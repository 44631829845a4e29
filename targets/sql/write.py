"""DL queries as SQL, in any dialect of sqlglot.

Stages are put into one SELECT as long as SQL computes them in that order; a stage that comes too late for it makes the
rest a derived table. Rows go by their table's name, or by their binder where that differs. Conversions that SQLite
makes by itself are not written. See docs/sql.md.
"""

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from ...compiler.lower import default_label, fresh_label
from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Ascribe, Field, Lit, Statement, Term, Turn, Var, children, rebuild, subterms
from ...compiler.types import Con
from ..rows import Note, Written
from . import errors
from .blocks import Block, Bound, Columns, Join, Origin, Output, free_name
from .constants import member_text
from .dialects import text_of
from .names import Catalog, ColumnInfo
from .write_values import NotSaid, Scope, Writing, column, condition, ident, info_of, type_of, value

_JOINS = {"join": "", "join_left": "LEFT", "join_right": "RIGHT", "join_full": "FULL"}
_SET_OPERATIONS = {"union": exp.Union, "except": exp.Except, "intersect": exp.Intersect}


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A query with its constants taken out: `values` by parameter (`:v0`), `holes` the placeholders (`:p0` for `$0`)."""

    sql: str
    values: tuple[tuple[str, str | int | float], ...]
    holes: tuple[int, ...]


def write_sql(turn: Turn, schema: "Schema | Catalog", dialect: str = "sqlite") -> Written:
    """The queries of a turn, separated by `; `. What is no query is left out and noted.

    Rejected (`program` None) only if the turn has no query the database can answer. Raises CompileError (DLC242) for
    an unknown dialect.
    """
    trees, notes = _trees(turn, schema, dialect)
    if not trees:
        diagnostic = errors.no_query()
        return Written(None, (*notes, Note(diagnostic.code, diagnostic.message, loss=True)))
    return Written("; ".join(text_of(tree, dialect) for tree in trees), notes)


def bound_queries(
    turn: Turn, schema: "Schema | Catalog", dialect: str = "sqlite"
) -> tuple[tuple[BoundQuery, ...], tuple[Note, ...]]:
    """The queries of a turn with their constants as parameters, for a driver to bind."""
    trees, notes = _trees(turn, schema, dialect)
    return tuple(_bound(tree, dialect) for tree in trees), notes


def _bound(tree: Any, dialect: str) -> BoundQuery:
    values: list[tuple[str, str | int | float]] = []

    def taken(node: Any) -> Any:
        if isinstance(node, exp.Literal):
            text = node.this
            number = float(text) if not node.is_string else 0.0
            exact = text.isdigit() and len(text) < 19
            values.append((f"v{len(values)}", text if node.is_string else int(text) if exact else number))
            return exp.Placeholder(this=values[-1][0])
        return node

    made = tree.transform(taken)
    names = {p.name for p in made.find_all(exp.Placeholder) if p.name.startswith("p")}
    holes = tuple(sorted(int(name[1:]) for name in names))
    return BoundQuery(text_of(made, dialect), tuple(values), holes)


def _trees(turn: Turn, schema: "Schema | Catalog", dialect: str) -> tuple[list[Any], tuple[Note, ...]]:
    w = Writing(schema if isinstance(schema, Catalog) else Catalog(schema), dialect)
    trees: list[Any] = []
    lets: list[tuple[str, Statement]] = []
    for said in turn.statements:
        if said.let is not None and _mentioned(said.let, turn.statements):
            lets.append((said.let, said))
            continue
        try:
            trees.append(_statement(said, lets, w))
        except NotSaid as reason:
            w.drop(reason.diagnostic)
    if turn.acts:
        w.drop(errors.acts_elsewhere(), loss=False, part=turn.acts[0].name)
    if any(said.status == "proposed" for said in turn.statements):
        w.drop(errors.no_construct("that a query is only proposed"))
    if any(said.outcome is not None for said in turn.statements):
        w.drop(errors.no_construct("results"))
    return trees, tuple(w.notes)


def _mentioned(name: str, statements: tuple[Statement, ...]) -> bool:
    return any(Var(name) in subterms(s.term) for s in statements)


def _statement(said: Statement, lets: list[tuple[str, Statement]], w: Writing) -> Any:
    w.lets = {}
    ctes: list[Any] = []
    for name, bound in lets:
        made = _finish(_block(bound.term, _outermost(w), w), _outermost(w), w, keep_labels=True)
        w.lets[name] = made
        ctes.append((name, exp.CTE(this=made[0], alias=exp.TableAlias(this=ident(name)))))
    tree, _ = _finish(_block(said.term, _outermost(w), w), _outermost(w), w, top=True)
    needed = {t.name for t in tree.find_all(exp.Table)}
    for name, cte in reversed(ctes):
        if name in needed:
            needed |= {t.name for t in cte.find_all(exp.Table)}
    kept = [cte for name, cte in ctes if name in needed]
    if kept:
        tree.set("with_", exp.With(expressions=kept))
    return tree


def _outermost(w: Writing) -> Scope:
    return Scope({"": Bound(None, {}, value=w.catalog)}, False, frozenset())


def nested(term: Term, scope: Scope, w: Writing, width: int | None, erase: bool = False) -> Any:
    """A query inside an expression; with `width` 1 it shows a single value."""
    block = _block(term, scope, w)
    if width == 1 and block.shown is None and block.compound is None:
        _show_key(block)
    return _finish(block, scope, w, erase=erase)[0]


def _show_key(block: Block) -> None:
    """A relation as values: its rows' key, or its only column."""
    (binder, bound) = block.bounds[0]
    name = bound.key or (next(iter(bound.columns)) if len(bound.columns) == 1 else None)
    if len(block.bounds) != 1 or name is None:
        raise NotSaid(errors.no_construct("rows of several columns as values"))
    block.shown = ((name, Abs("row", (binder,), Field(Var(binder), name))),)


# ---------------------------------------------------------------- stages


def _block(term: Term, scope: Scope, w: Writing) -> Block:
    """The block a query's last stage leaves open. Raises NotSaid."""
    stages: list[App] = []
    while isinstance(term, App | Ascribe):
        if isinstance(term, Ascribe):
            term = term.term
        elif term.fn in _STAGES and term.args:
            stages.append(term)
            term = term.args[0]
        else:
            break
    block = _source(term, scope, w)
    for stage in reversed(stages):
        block = _STAGES[stage.fn](block, stage, scope, w)
    return block


def _source(term: Term, scope: Scope, w: Writing) -> Block:
    match term:
        case App("list", (_,)):
            return Block([("it", Bound(None, {}))])
        case App("the", (inner,)):
            return _block(inner, scope, w)
        case App(fn, (), ()):
            table = w.catalog.by_name.get(fn)
            if table is None:
                raise NotSaid(errors.no_counterpart(fn))
            key = next((c.name for c in table.columns.values() if c.column.key), None)
            origin = Origin(exp.Table(this=ident(table.sql)), fn, table)
            return Block([(fn, Bound(origin, dict(table.columns), key))], [origin])
        case Var(name) if name in w.lets:
            select, outputs = w.lets[name]
            del select
            origin = Origin(exp.Table(this=ident(name)), name)
            return Block([(name, Bound(origin, outputs))], [origin])
        case App(fn):
            raise NotSaid(errors.no_counterpart(fn))
    raise NotSaid(errors.no_construct("a statement that is no query"))


def _where(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    over = stage.args[1]
    if not isinstance(over, Abs):
        if over == App("everything"):
            return block
        raise NotSaid(errors.no_construct("a computed specification"))
    if block.groups is not None and block.shown is None and not block.distinct and block.limit is None:
        block.having.append(over)
        return block
    if not block.open:
        block = _wrapped(block, scope, w)
    block.where.append(over)
    return block


def _join(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    side = _JOINS[stage.fn]
    if not block.open or (side and block.where):
        block = _wrapped(block, scope, w)
    right = _block(stage.args[1], scope, w)
    on = stage.args[2] if len(stage.args) > 2 else None
    if len(right.origins) != 1 or not right.open or right.where or right.order:
        right = _wrapped(right, scope, w)
    if on is not None and not isinstance(on, Abs):
        raise NotSaid(errors.no_construct("a computed join"))
    names = [name for name, _ in (*block.bounds, *right.bounds)]
    if len(set(names)) != len(names):
        if on is None or len(on.params) != len(names):
            raise NotSaid(errors.no_construct("two rows of one name"))
    block.joins.append(Join(right.origins[0], side, on))
    block.origins.append(right.origins[0])
    block.bounds = [*block.bounds, *right.bounds]
    return block


def _group(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    if not block.open:
        block = _wrapped(block, scope, w)
    block.order = []
    block.groups = [key for key in stage.args[1:] if isinstance(key, Abs)]
    return block


def _sort(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    keys = [key for key in stage.args[1:] if isinstance(key, Abs)]
    if block.limit is not None or (block.compound is not None and not _by_column(keys)):
        block = _wrapped(block, scope, w)
    if block.shown is not None:
        keys = [_unshown(key, block) for key in keys]
    block.order = [*keys, *block.order]
    return block


def _by_column(keys: list[Abs]) -> bool:
    return all(isinstance(k.body, App) and isinstance(k.body.args[0], Field) for k in keys)


def _unshown(key: Abs, block: Block) -> Abs:
    """A sort key over shown columns, as one over the rows they are shown from."""
    assert block.shown is not None
    names = tuple(name for name, _ in block.bounds)

    def back(term: Term) -> Term:
        if isinstance(term, Field) and term.subject == Var(key.params[0]):
            for label, over in block.shown or ():
                if label == term.name and isinstance(over, Abs):
                    return over.body
            raise NotSaid(errors.no_construct(f"the order of `.{term.name}`"))
        below = children(term)
        return rebuild(term, tuple(map(back, below))) if below else term

    if any(isinstance(over, Abs) and over.body == App("all_fields") for _, over in block.shown):
        return Abs("row", names, key.body) if key.params == names else Abs("row", key.params, key.body)
    return Abs("row", names, back(key.body))


def _take(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    if block.limit is not None:
        block = _wrapped(block, scope, w)
    block.limit = stage.args[1:]
    return block


def _at(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    if len(stage.args) != 2 or not (isinstance(stage.args[1], Lit) and stage.args[1].value.lstrip("-").isdigit()):
        raise NotSaid(errors.no_construct("rows at several or computed places"))
    index = int(stage.args[1].value)
    if block.limit is not None:
        block = _wrapped(block, scope, w)
    if index < 0:
        if not block.order:
            raise NotSaid(errors.no_construct("a place from the end of rows in no order"))
        block.order = [_reversed(key) for key in block.order]
    place = abs(index)
    block.limit = (Lit("number", "1" if place else "0"),)
    if place > 1:
        block.limit = (Lit("number", "1"), Lit("number", str(place - 1)))
    return block


def _reversed(key: Abs) -> Abs:
    body = key.body
    assert isinstance(body, App)
    return Abs(key.kind, key.params, App("asc" if body.fn == "desc" else "desc", body.args))


def _show(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    if block.shown is not None or block.compound is not None or block.distinct:
        block = _wrapped(block, scope, w)
    block.shown = stage.named
    return block


def _distinct(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    if block.limit is not None or block.compound is not None:
        block = _wrapped(block, scope, w)
    block.distinct = True
    return block


def _as(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    name = stage.args[1]
    assert isinstance(name, Lit)
    if not block.open or block.where or len(block.bounds) != 1:
        block = _wrapped(block, scope, w)
    _, bound = block.bounds[0]
    block.bounds = [(name.value, bound)]
    if bound.origin is not None:
        bound.origin.wanted = name.value
    return block


def _set_operation(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    every = stage.fn.endswith("_all")
    right = _block(stage.args[1], scope, w)
    left_tree, outputs = _finish(_side(block, scope, w), scope, w)
    right_block = _side(right, scope, w)
    if right_block.compound is not None:
        right_block = _wrapped(right_block, scope, w)
    right_tree, _ = _finish(right_block, scope, w)
    kind = _SET_OPERATIONS[stage.fn.removesuffix("_all")]
    tree = kind(this=left_tree, expression=right_tree, distinct=not every)
    return Block(
        [("it" if block.shown is not None else block.bounds[0][0], Bound(None, {}))], compound=tree, outputs=outputs
    )


def _side(block: Block, scope: Scope, w: Writing) -> Block:
    """A side of a set operation has neither order nor limit of its own."""
    if block.limit is not None:
        return _wrapped(block, scope, w)
    block.order = []
    return block


def _then(block: Block, stage: App, scope: Scope, w: Writing) -> Block:
    w.drop(errors.no_construct("what is done with the rows (`then`)"))
    return block


_STAGES = {
    "where": _where,
    **{fn: _join for fn in _JOINS},
    "group": _group,
    "whole": _group,
    "sort": _sort,
    "take": _take,
    "at": _at,
    "show": _show,
    "distinct": _distinct,
    "as": _as,
    **{f"{fn}{every}": _set_operation for fn in _SET_OPERATIONS for every in ("", "_all")},
    "then": _then,
}


def _wrapped(block: Block, scope: Scope, w: Writing) -> Block:
    """The block as a derived table of a new one."""
    bounds = block.bounds if block.shown is None and block.compound is None else [("it", Bound(None, {}))]
    places: list[tuple[str, str]] = []
    if block.shown is None and block.compound is None and len(block.bounds) > 1:
        shown: list[tuple[str, Term]] = []
        names = tuple(name for name, _ in block.bounds)
        taken: set[str] = set()
        for binder, bound in block.bounds:
            for name in bound.columns:
                label = free_name(name, taken)
                taken.add(label.lower())
                field: Term = Field(Var(binder), name)
                if block.groups is not None and not any(key.body == field for key in block.groups):
                    field = App("pick", (field,))
                shown.append((label, Abs("row", names, field)))
                places.append((binder, name))
        block.shown = tuple(shown)
    tree, outputs = _finish(block, scope, w)
    origin = Origin(exp.Subquery(this=tree), bounds[0][0] if len(bounds) == 1 else "q", derived=True)
    if not places:
        key = bounds[0][1].key
        return Block([(bounds[0][0], Bound(origin, outputs, key))], [origin])
    columns: dict[str, Columns] = {}
    for (binder, name), output in zip(places, outputs.values(), strict=True):
        columns.setdefault(binder, {})[name] = output
    return Block([(name, Bound(origin, columns.get(name, {}), bound.key)) for name, bound in bounds], [origin])


# ---------------------------------------------------------------- one SELECT


def _finish(
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
    where = _all([_over(over, names, block, scope, w, condition) for over in block.where])
    if where is not None:
        select.set("where", exp.Where(this=where))
    if block.groups:
        keys = [_over(key, names, block, scope, w, value) for key in block.groups]
        select.set("group", exp.Group(expressions=keys))
    having = _all([_over(over, names, block, scope, w, condition) for over in block.having])
    if having is not None:
        select.set("having", exp.Having(this=having))
    outputs = _select_items(block, select, names, scope, w, top, erase, keep_labels)
    if block.distinct:
        select.set("distinct", exp.Distinct())
    _order_and_limit(select, block, [_ordered(key, names, block, scope, w) for key in block.order], w)
    return select, outputs


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
        if (
            (isinstance(body, App)
            and body.fn == "untyped")
            or (erase and isinstance(body, App) and body.fn == "number_of" and w.affine)
        ):
            body = body.args[0]
        item = _over(Abs("row", over.params, body), names, block, scope, w, value)
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
    """A shown column keeps how it is stored only if nothing was computed from it."""
    return info if info is None or not (info.missing or info.stored) else None


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
        if isinstance(term, App) and term.fn == "number_of" and w.affine:
            return value(term.args[0], scope, w)
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
    outer = _outermost(w)
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


__all__ = ["nested", "write_sql"]
