"""DL stages put into SELECT blocks.

Stages are put into one SELECT as long as SQL computes them in that order; a stage that comes too late for it makes the
rest a derived table.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ...compiler.terms import Abs, App, Ascribe, Field, Lit, Term, Var, children, rebuild
from . import errors
from .blocks import Block, Bound, Columns, Join, Origin, free_name
from .write_select import finished
from .write_terms import NotSaid, Scope, Writing, ident

_JOINS = {"join": "", "join_left": "LEFT", "join_right": "RIGHT", "join_full": "FULL"}


_SET_OPERATIONS = {"union": exp.Union, "except": exp.Except, "intersect": exp.Intersect}


def nested(term: Term, scope: Scope, w: Writing, width: int | None, erase: bool = False) -> Any:
    """A query inside an expression; with `width` 1 it shows a single value."""
    block = block_of(term, scope, w)
    if width == 1 and block.shown is None and block.compound is None:
        _show_key(block)
    return finished(block, scope, w, erase=erase)[0]


def _show_key(block: Block) -> None:
    """A relation as values: its rows' key, or its only column."""
    (binder, bound) = block.bounds[0]
    name = bound.key or (next(iter(bound.columns)) if len(bound.columns) == 1 else None)
    if len(block.bounds) != 1 or name is None:
        raise NotSaid(errors.no_construct("rows of several columns as values"))
    block.shown = ((name, Abs("row", (binder,), Field(Var(binder), name))),)


def block_of(term: Term, scope: Scope, w: Writing) -> Block:
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
            return block_of(inner, scope, w)
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
    right = block_of(stage.args[1], scope, w)
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
    right = block_of(stage.args[1], scope, w)
    left_tree, outputs = finished(_side(block, scope, w), scope, w)
    right_block = _side(right, scope, w)
    if right_block.compound is not None:
        right_block = _wrapped(right_block, scope, w)
    right_tree, _ = finished(right_block, scope, w)
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


_STAGES: dict[str, Callable[[Block, App, Scope, Writing], Block]] = {
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
    tree, outputs = finished(block, scope, w)
    origin = Origin(exp.Subquery(this=tree), bounds[0][0] if len(bounds) == 1 else "q", derived=True)
    if not places:
        key = bounds[0][1].key
        return Block([(bounds[0][0], Bound(origin, outputs, key))], [origin])
    columns: dict[str, Columns] = {}
    for (binder, name), output in zip(places, outputs.values(), strict=True):
        columns.setdefault(binder, {})[name] = output
    return Block([(name, Bound(origin, columns.get(name, {}), bound.key)) for name, bound in bounds], [origin])
