"""Typing rules of queries: a relation's row is a tuple of named binders, so joins never concatenate records."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..grammar.diagnostic import Diagnostic
from . import errors
from .lower import default_label, fresh_label
from .operators import columns_of, relate
from .terms import Abs, App, Lit, Term, with_args
from .types import BOOL, NUMBER, Con, RecordType, Row, Type, TypeVar, resolve, show

if TYPE_CHECKING:
    from .infer import Env, Inference, Path, Typed

Rule = Callable[["Inference", App, "Env", "Path"], "Typed"]


def _relation(
    inference: "Inference", term: Term, env: "Env", path: "Path"
) -> tuple[Con, tuple[tuple[str, Type], ...], Term]:
    """Type (`Rel` or `Groups`), binders and elaboration of a relation; lists count as relations."""
    found, node = inference.infer(term, env, path)
    found = resolve(found)
    if isinstance(found, Con) and found.name in ("Rel", "Groups"):
        row = resolve(found.args[0])
        if isinstance(row, Row):
            return found, row.binders, node
    binders: tuple[tuple[str, Type], ...]
    if isinstance(found, Con) and found.name == "List":
        binders = (("it", found.args[0]),)
    elif isinstance(found, TypeVar):
        subject = inference.solver.fresh()
        binders = (("it", subject),)
        inference.unify(found, _rel("Rel", binders), path, lambda f, _: _no_relation(f))
    else:
        binders = (("it", inference.report(_no_relation(found), path)),)
    return _rel("Rel", binders), binders, node


def _no_relation(found: Type) -> Diagnostic:
    return errors.mismatch(show(found), "Rel", f"a query works on a table or a query, this is {show(found)}")


def _rel(kind: str, binders: tuple[tuple[str, Type], ...]) -> Con:
    return Con(kind, (Row(binders),))


def _over(
    inference: "Inference",
    over: Term,
    binders: tuple[tuple[str, Type], ...],
    env: "Env",
    path: "Path",
    keys: frozenset[Term] | None,
) -> tuple[Type, Abs]:
    """Type and elaboration of an expression over a row."""
    if not isinstance(over, Abs):
        raise TypeError("a stage needs an abstraction over its row")
    if keys is None and len(over.params) == len(binders) == 1:
        inner = inference.inside(env, over.params[0], binders[0][1])
        found, body = inference.infer(over.body, inner, (*path, 0))
        return found, over if body is over.body else Abs(over.kind, over.params, body)
    if len(over.params) != len(binders):
        inference.report(errors.binder_count(len(binders), len(over.params)), path)
    rows = {name: type_ for name, (_, type_) in zip(over.params, binders, strict=False)}
    if len(rows) < len(over.params):
        rows |= {name: inference.solver.fresh() for name in over.params if name not in rows}
    found, body = inference.infer(over.body, env.with_rows(rows, keys), (*path, 0))
    return found, over if body is over.body else Abs(over.kind, over.params, body)


def keys_of(term: Term) -> frozenset[Term] | None:
    """The group keys in force for a grouped relation, as written; None if it is not grouped."""
    while isinstance(term, App) and term.args:
        if term.fn == "group":
            return frozenset(key.body for key in term.args[1:] if isinstance(key, Abs))
        if term.fn == "whole":
            return frozenset()
        if term.fn not in ("where", "sort", "take", "at", "distinct"):
            return None
        term = term.args[0]
    return None


def _where(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    over = term.args[1]
    if not isinstance(over, Abs):
        found, node = inference.infer(over, env, (*path, 1))
        return rows, with_args(term, (rel, node))
    keys = keys_of(term.args[0]) if rows.name == "Groups" else None
    found, body = _over(inference, over, binders, env, (*path, 1), keys)
    inference.expect_bool(found, (*path, 1, 0))
    return rows, with_args(term, (rel, body))


def _sort(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    keys = keys_of(term.args[0]) if rows.name == "Groups" else None
    nodes: list[Term] = []
    for i, over in enumerate(term.args[1:], 1):
        found, body = _over(inference, over, binders, env, (*path, i), keys)
        inference.require(found, "Ord", (*path, i, 0, 0))
        nodes.append(body)
    return rows, with_args(term, (rel, *nodes))


def _direction(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    found, node = inference.infer(term.args[0], env, (*path, 0))
    return found, with_args(term, (node,))


def _indexed(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, _binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    nodes: list[Term] = []
    for i, index in enumerate(term.args[1:], 1):
        found, node = inference.infer(index, env, (*path, i), NUMBER)
        what = "an index" if term.fn == "at" else "a number of rows"
        if resolve(found) != Con("Int"):
            node = inference.argument(found, node, NUMBER, (*path, i), what)
        nodes.append(node)
    return rows, with_args(term, (rel, *nodes))


def _same_rows(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, _binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    return rows, with_args(term, (rel,))


def _as(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    name = term.args[1]
    assert isinstance(name, Lit)
    if len(binders) != 1:
        inference.report(errors.binder_count(1, len(binders)), path)
    return _rel(rows.name, ((name.value, binders[0][1]),)), with_args(term, (rel, name))


def _group(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    _, binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    nodes: list[Term] = [
        _over(inference, key, binders, env, (*path, i), None)[1] for i, key in enumerate(term.args[1:], 1)
    ]
    return _rel("Groups", binders), with_args(term, (rel, *nodes))


def _whole(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    _, binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    return _rel("Groups", binders), with_args(term, (rel,))


def _show(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    keys = keys_of(term.args[0]) if rows.name == "Groups" else None
    fields: list[tuple[str, Type]] = []
    nodes: list[tuple[str, Term]] = []
    for i, (label, over) in enumerate(term.named, 1):
        if isinstance(over, Abs) and over.body in _EVERY_COLUMN:
            for name, type_ in _all_columns(inference, binders):
                fields.append((fresh_label(name, {n for n, _ in fields}), type_))
            nodes.append((label, over))
            continue
        found, body = _over(inference, over, binders, env, (*path, i), keys)
        fields.append((label, found))
        nodes.append((label, body))
    return Con("Rel", (Row((("it", RecordType(tuple(fields))),)),)), with_args(term, (rel,), tuple(nodes))


# `*`, and any row of a group whole.
_EVERY_COLUMN = (App("all_fields"), App("pick_all"))


def _all_columns(inference: "Inference", binders: tuple[tuple[str, Type], ...]) -> list[tuple[str, Type]]:
    columns: list[tuple[str, Type]] = []
    for name, type_ in binders:
        type_ = resolve(type_)
        if isinstance(type_, RecordType):
            columns += type_.fields
        elif isinstance(type_, Con) and type_.name in inference.schema.table:
            columns += [(c.name, c.type) for c in inference.schema.table[type_.name].columns]
        else:
            columns.append((name, type_))
    return columns


def _join(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    _, left, first = _relation(inference, term.args[0], env, (*path, 0))
    _, right, second = _relation(inference, term.args[1], env, (*path, 1))
    binders = left + right
    nodes: list[Term] = [first, second]
    if len(term.args) > 2:
        found, body = _over(inference, term.args[2], binders, env, (*path, 2), None)
        inference.expect_bool(found, (*path, 2, 0))
        nodes.append(body)
    return _rel("Rel", binders), with_args(term, tuple(nodes))


def _set_operation(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, left, first = _relation(inference, term.args[0], env, (*path, 0))
    _, right, second = _relation(inference, term.args[1], env, (*path, 1))
    ours, theirs = _all_columns(inference, left), _all_columns(inference, right)
    if len(ours) != len(theirs):
        inference.report(errors.column_count(len(ours), len(theirs), term.fn), (*path, 1))
    for (name, a), (_, b) in zip(ours, theirs, strict=False):
        inference.unify(
            b,
            a,
            (*path, 1),
            lambda f, e, name=name: errors.mismatch(  # type: ignore[misc]
                show(f), show(e), f"column `{name}` is {show(e)} on one side and {show(f)} on the other"
            ),
        )
    return rows, with_args(term, (first, second))


def _then(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    _, binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    found, body = _over(inference, term.args[1], binders, env, (*path, 1), None)
    found = resolve(found)
    if isinstance(found, Con) and found.name in ("Rel", "Action"):
        return found, with_args(term, (rel, body))
    return Con("Rel", (Row((("it", found),)),)), with_args(term, (rel, body))


def _the(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    rows, _binders, rel = _relation(inference, term.args[0], env, (*path, 0))
    columns = columns_of(rows)
    if len(columns) != 1:
        return inference.report(errors.one_column(len(columns)), path), with_args(term, (rel,))
    return columns[0][1], with_args(term, (rel,))


def _exists(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    _, _, rel = _relation(inference, term.args[0], env, (*path, 0))
    return BOOL, with_args(term, (rel,))


def _count(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    if len(term.args) > 1 or term.named:
        return _misgiven(inference, term, "takes one argument or none", "count(), count(.field)", path)
    if env.groups is None:
        inference.report(errors.aggregate_outside(term.fn), path)
    return NUMBER, App(term.fn, _inside_group(inference, term, env, path))


def _pick_all(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
    if term.args or term.named:
        return _misgiven(inference, term, "takes no arguments", "pick_all()", path)
    if env.groups is None:
        inference.report(errors.aggregate_outside(term.fn), path)
    return inference.solver.fresh(), term


def _misgiven(inference: "Inference", term: App, message: str, signature: str, path: "Path") -> "Typed":
    return inference.report(errors.wrong_arguments(term.fn, message, signature), path), term


def _aggregate(cls: str, number: bool = False) -> Rule:
    def infer(inference: "Inference", term: App, env: "Env", path: "Path") -> "Typed":
        if len(term.args) != 1 or term.named:
            return _misgiven(inference, term, "takes one argument", f"{term.fn}(.field)", path)
        if env.groups is None and term.fn != "pick":
            inference.report(errors.aggregate_outside(term.fn), path)
        inner = env.with_rows({}, None)
        found, node = inference.infer(term.args[0], inner, (*path, 0))
        if cls:
            inference.require(found, cls, (*path, 0))
        return (NUMBER if number else found), with_args(term, (node,))

    return infer


def _inside_group(inference: "Inference", term: App, env: "Env", path: "Path") -> tuple[Term, ...]:
    inner = env.with_rows({}, None)
    return tuple(inference.infer(a, inner, (*path, i))[1] for i, a in enumerate(term.args))


RELATIONAL: dict[str, Rule] = {
    "where": _where,
    "sort": _sort,
    "asc": _direction,
    "desc": _direction,
    "take": _indexed,
    "at": _indexed,
    "distinct": _same_rows,
    "as": _as,
    "group": _group,
    "whole": _whole,
    "show": _show,
    **{fn: _join for fn in ("join", "join_left", "join_right", "join_full")},
    **{f"{fn}{every}": _set_operation for fn in ("union", "except", "intersect") for every in ("", "_all")},
    "then": _then,
    "the": _the,
    "exists": _exists,
    "count": _count,
    "count_distinct": _aggregate("", number=True),
    "pick": _aggregate(""),
    "pick_all": _pick_all,
    **{f"{fn}{kind}": _aggregate("Num") for fn in ("sum", "avg") for kind in ("", "_distinct")},
    "min": _aggregate("Ord"),
    "max": _aggregate("Ord"),
}

__all__ = ["RELATIONAL", "default_label", "keys_of", "relate"]
