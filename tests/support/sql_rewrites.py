"""Rewrites of a query that keep what it means, each of a named cause that reference evaluations get wrong.

A rewrite gives a pair: most start from a gold query as it is; one that needs a column to be present (a reference that
may be missing is dropped by a join) asks for that on the other side.
"""

import random
from collections.abc import Iterator
from dataclasses import replace

from dlc.compiler.schema import Column, Schema, Table
from dlc.compiler.terms import Abs, App, Field, Lit, Term, Var, children, rebuild, replaced, subterms
from dlc.runtime.sql_replay import kept_alike

CAUSES = (
    "redundant join",
    "distinct on key",
    "set operation and in",
    "count forms",
    "group by key",
    "duplicated disjunct",
    "join order",
)

Pair = tuple[Term, Term]
_STAGES = ("where", "sort", "take", "at", "group", "whole")
_SETS = ("union", "except", "intersect", "union_all", "except_all", "intersect_all")


def rewritten(term: Term, cause: str, schema: Schema, chance: random.Random) -> Pair | None:
    """Two queries of one meaning; None if the cause has nothing to work on."""
    # Where SQLite keeps a number here and its text there, the other spelling is not the same.
    pairs = [pair for pair in _MAKERS[cause](term, schema) if kept_alike(*pair, schema)]
    return chance.choice(pairs) if pairs else None


# ---------------------------------------------------------------- what a query is made of


def trusted_key(table: Table) -> Column | None:
    """The column that identifies a row for certain: not one of a bridge table's references."""
    references = sum(c.references is not None for c in table.columns)
    for column in table.columns:
        if column.key and not (column.references is not None and references > 1):
            return column
    return None


def sources(term: Term, schema: Schema) -> dict[str, str] | None:
    """Binder to table of the rows under a query's stages, if they are tables joined."""
    match term:
        case App("join", (left, right, *_)):
            a, b = sources(left, schema), sources(right, schema)
            return {**a, **b} if a is not None and b is not None else None
        case App("as", (App(name, ()), Lit(value=binder))) if name in schema.table:
            return {binder: name}
        case App(name, ()) if name in schema.table:
            return {name: name}
        case App(fn, (inner, *_)) if fn in _STAGES:
            return sources(inner, schema)
    return None


def with_source(term: Term, change: "Change") -> Term | None:
    """The query over changed joined tables: `change` gives the new source, and the binder that it adds."""
    match term:
        case App("distinct", (inner,)):
            made = with_source(inner, change)
            return App("distinct", (made,)) if made is not None else None
        case App("show", (inner, *_), named):
            below = _below(inner, change)
            return App("show", (below,), tuple((label, _over(o, change)) for label, o in named)) if below else None
    return None


class Change:
    """A new source for the rows of a query."""

    def __init__(self, source: Term, new: Term, added: str) -> None:
        self.source, self.new, self.added = source, new, added


def _below(term: Term, change: Change) -> Term | None:
    if term == change.source:
        return change.new
    match term:
        case App(fn, (inner, *overs)) if fn in _STAGES:
            below = _below(inner, change)
            if below is None:
                return None
            return App(fn, (below, *(_over(o, change) for o in overs)))
    return None


def _over(over: Term, change: Change) -> Term:
    if isinstance(over, Abs) and change.added:
        return replace(over, params=(*over.params, change.added))
    return over


def joined_part(term: Term) -> Term | None:
    """The tables and joins under the stages of a query's `show`."""
    while isinstance(term, App) and term.args and (term.fn in _STAGES or term.fn in ("distinct", "show")):
        term = term.args[0]
    return term if isinstance(term, App) and (not term.args or term.fn in ("join", "as")) else None


def shown(term: Term) -> App | None:
    """The query's own `show`, under `distinct`."""
    inner = term.args[0] if isinstance(term, App) and term.fn == "distinct" else term
    return inner if isinstance(inner, App) and inner.fn == "show" else None


def grouped(term: Term) -> bool:
    """Whether the rows under a query's `show` are groups."""
    show = shown(term)
    inner: Term | None = show.args[0] if show is not None else None
    while isinstance(inner, App) and inner.args and inner.fn in _STAGES:
        if inner.fn in ("group", "whole"):
            return True
        inner = inner.args[0]
    return False


# ---------------------------------------------------------------- the causes


def _redundant_join(term: Term, schema: Schema) -> Iterator[Pair]:
    """A join with the parent that a reference leads to, of which nothing is used."""
    part = joined_part(term)
    tables = sources(part, schema) if part is not None else None
    if part is None or not tables or shown(term) is None or _uses_all_fields(term):
        return
    if len(tables) > 2:
        return
    for binder, table in tables.items():
        for column in schema.table[table].columns:
            if column.references is None or column.references[0] not in schema.table:
                continue
            parent, key = column.references
            target = trusted_key(schema.table[parent])
            if target is None or target.name != key:
                continue
            added = parent
            while added in tables:
                added += "_"
            right: Term = App(parent) if added == parent else App("as", (App(parent), Lit("name", added)))
            own = Field(Var(binder), column.name)
            on = Abs("row", (*tables, added), App("=", (own, Field(Var(added), key))))
            longer = with_source(term, Change(part, App("join", (part, right, on)), added))
            present = App("where", (part, Abs("spec", tuple(tables), App("is_not_missing", (own,)))))
            plain = with_source(term, Change(part, present, "")) if column.optional else term
            if longer is not None and plain is not None:
                yield plain, longer


def _distinct_on_key(term: Term, schema: Schema) -> Iterator[Pair]:
    """DISTINCT where a key is shown."""
    show = shown(term)
    if show is None or grouped(term) or _uses_all_fields(term):
        return
    tables = sources(show.args[0], schema)
    if not tables or len(tables) > 2:
        return
    keys = {b: trusted_key(schema.table[t]) for b, t in tables.items()}
    if any(key is None for key in keys.values()):
        return
    labels = {label for label, _ in show.named}
    named = list(show.named)
    for binder, key in keys.items():
        assert key is not None
        over = Abs("row", tuple(tables), Field(Var(binder), key.name))
        if not any(o.body == over.body for _, o in named if isinstance(o, Abs)):
            label = key.name
            while label in labels:
                label += "_"
            labels.add(label)
            named.append((label, over))
    whole = App("show", show.args, tuple(named))
    yield whole, App("distinct", (whole,))


def _set_operation_and_in(term: Term, schema: Schema) -> Iterator[Pair]:
    """INTERSECT and IN, EXCEPT and NOT IN, UNION and OR, on a key."""
    show = shown(term)
    if show is None or grouped(term) or _uses_all_fields(term):
        return
    tables = sources(show.args[0], schema)
    if not tables or len(tables) != 1:
        return
    ((binder, table),) = tables.items()
    key = trusted_key(schema.table[table])
    condition = _condition(show.args[0])
    if key is None or condition is None or binder != table:
        return
    source = App(table)
    of_key = Field(Var(table), key.name)
    labels = ((key.name, Abs("row", (table,), of_key)),)

    def keys(spec: Term | None) -> App:
        rows = source if spec is None else App("where", (source, Abs("spec", (table,), spec)))
        return App("show", (rows,), labels)

    parts = condition.args if isinstance(condition, App) and condition.fn in ("and", "or") else (condition,)
    first, rest = parts[0], parts[1:]
    second = (rest[0] if len(rest) == 1 else App("and", rest)) if rest else None
    both = App("in", (of_key, keys(condition)))
    yield App("except", (keys(None), keys(condition))), keys(App("not_in", (of_key, keys(condition))))
    yield App("intersect", (keys(None), keys(condition))), keys(both)
    if second is not None:
        yield (
            App("intersect", (keys(first), keys(second))),
            keys(App("and", (first, App("in", (of_key, keys(second)))))),
        )
        yield App("union", (keys(first), keys(second))), keys(App("or", (first, second)))
        yield (
            App("except", (keys(first), keys(second))),
            keys(App("and", (first, App("not_in", (of_key, keys(second)))))),
        )
    for child in schema.tables:
        for column in child.columns:
            if column.references == (table, key.name):
                theirs = Field(Var(child.name), column.name)
                there = Abs("spec", (child.name,), App("is_not_missing", (theirs,)))
                rows = App("where", (App(child.name), there))
                used = App("show", (rows,), ((column.name, Abs("row", (child.name,), theirs)),))
                yield (
                    App("except", (keys(condition), used)),
                    keys(App("and", (condition, App("not_in", (of_key, used))))),
                )
                yield (
                    App("intersect", (keys(condition), used)),
                    keys(App("and", (condition, App("in", (of_key, used))))),
                )


def _condition(rows: Term) -> Term | None:
    while isinstance(rows, App) and rows.args:
        if rows.fn == "where" and isinstance(rows.args[1], Abs):
            return rows.args[1].body
        rows = rows.args[0]
    return None


def _count_forms(term: Term, schema: Schema) -> Iterator[Pair]:
    """COUNT(*), COUNT of a key and COUNT(DISTINCT of the key) of the only table."""
    show = shown(term)
    tables = sources(show.args[0], schema) if show is not None else None
    if not tables or len(tables) > 2:
        return
    if not any(p == App("count") for p in subterms(term)):
        return
    for binder, table in tables.items():
        key = trusted_key(schema.table[table])
        if key is None or key.optional:
            continue
        of_key = Field(Var(binder), key.name)
        yield term, replaced(term, App("count"), App("count", (of_key,)))
        if len(tables) == 1:
            yield term, replaced(term, App("count"), App("count_distinct", (of_key,)))


def _group_by_key(term: Term, schema: Schema) -> Iterator[Pair]:
    """Grouping by a key against no grouping; by a parent's key against the reference; by what a key determines."""
    show = shown(term)
    if show is None or _uses_all_fields(term):
        return
    tables = sources(show.args[0], schema)
    if not tables or len(tables) > 2 or any(isinstance(p, App) and p.fn in ("take", "at") for p in subterms(term)):
        # Among groups that tie, which come first is SQLite's choice, and it goes by the keys' spelling.
        return
    group = _group(show.args[0])
    if group is None and not grouped(term) and len(tables) == 1:
        ((binder, table),) = tables.items()
        key = trusted_key(schema.table[table])
        plain = all(isinstance(o, Abs) and isinstance(o.body, Field) for _, o in show.named)
        stages_kept = isinstance(show.args[0], App) and (not show.args[0].args or show.args[0].fn == "where")
        if key is not None and plain and stages_kept:
            of_key = Field(Var(binder), key.name)
            over = Abs("row", (binder,), of_key)
            named = tuple(
                (label, o if isinstance(o, Abs) and o.body == of_key else replace(o, body=App("pick", (o.body,))))
                for label, o in show.named
                if isinstance(o, Abs)
            )
            yield term, rebuild_show(term, App("show", (App("group", (show.args[0], over)),), named))
    if group is None or len(group.args) != 2 or not isinstance(group.args[1], Abs):
        return
    key_term = group.args[1].body
    for other, same in _equal_columns(group.args[0]):
        for mine, theirs in ((other, same), (same, other)):
            if key_term == mine:
                new = replace(group.args[1], body=theirs)
                changed = replaced(term, group, App("group", (group.args[0], new)))
                # What was shown as the key is shown as the column that equals it.
                yield term, _keysreplaced(changed, mine, theirs)
    if isinstance(key_term, Field) and isinstance(key_term.subject, Var) and key_term.subject.name in tables:
        table = schema.table[tables[key_term.subject.name]]
        own = trusted_key(table)
        if own is not None and own.name == key_term.name:
            for column in table.columns:
                if column.name != own.name:
                    extra = replace(group.args[1], body=Field(key_term.subject, column.name))
                    yield term, replaced(term, group, App("group", (*group.args, extra)))
                    break


def rebuild_show(term: Term, show: Term) -> Term:
    """The query with another `show` in the place of its own."""
    return App("distinct", (show,)) if isinstance(term, App) and term.fn == "distinct" else show


def _group(rows: Term) -> App | None:
    while isinstance(rows, App) and rows.args and rows.fn in _STAGES:
        if rows.fn == "group":
            return rows
        rows = rows.args[0]
    return None


def _equal_columns(rows: Term) -> Iterator[tuple[Term, Term]]:
    for part in subterms(rows):
        match part:
            case App("join", (_, _, Abs(body=App("=", (Field() as a, Field() as b))))):
                yield a, b


def _keysreplaced(term: Term, old: Term, new: Term) -> Term:
    """Above the grouping, the old key read as the new one (inside aggregates rows are rows)."""
    match term:
        case App("group"):
            return term
        case App("count" | "sum" | "avg" | "min" | "max" | "count_distinct" | "pick"):
            return term
    if term == old:
        return new
    parts = children(term)
    return rebuild(term, tuple(_keysreplaced(p, old, new) for p in parts)) if parts else term


def _duplicated_disjunct(term: Term, schema: Schema) -> Iterator[Pair]:
    """`a or a`, `a and a`, `a or (a and b)`, in the place of a condition."""
    for part in subterms(term):
        if isinstance(part, App) and part.fn == "where" and isinstance(part.args[1], Abs):
            spec = part.args[1]
            body = spec.body
            parts = body.args if isinstance(body, App) and body.fn in ("and", "or") else (body,)
            for new in (
                App("or", (body, body)),
                App("or", (*parts, parts[0])) if isinstance(body, App) and body.fn == "or" else App("or", (body, body)),
                App("or", (body, App("and", (body, parts[-1])))),
                App("and", (body, App("or", (body, parts[0])))),
            ):
                yield term, replaced(term, part, App("where", (part.args[0], replace(spec, body=new))))


def _join_order(term: Term, schema: Schema) -> Iterator[Pair]:
    """Two tables joined the other way round."""
    part = joined_part(term)
    if isinstance(part, App) and part.fn == "join" and len(part.args) == 3 and not _uses_all_fields(term):
        left, right, on = part.args
        tables = sources(part, schema)
        if tables is None or len(tables) != 2 or not isinstance(on, Abs):
            return
        turned = App("join", (right, left, replace(on, params=on.params[::-1])))
        made = with_source(term, Change(part, turned, ""))
        if made is not None and not any(isinstance(p, App) and p.fn in ("take", "at", "pick") for p in subterms(term)):
            yield term, _turned(made, tuple(tables))


def _turned(term: Term, binders: tuple[str, ...]) -> Term:
    parts = tuple(_turned(p, binders) for p in children(term))
    made = rebuild(term, parts) if parts else term
    return replace(made, params=binders[::-1]) if isinstance(made, Abs) and made.params == binders else made


def _uses_all_fields(term: Term) -> bool:
    return any(p in (App("all_fields"), App("pick_all")) for p in subterms(term)) or shown(term) is None


_MAKERS = {
    "redundant join": _redundant_join,
    "distinct on key": _distinct_on_key,
    "set operation and in": _set_operation_and_in,
    "count forms": _count_forms,
    "group by key": _group_by_key,
    "duplicated disjunct": _duplicated_disjunct,
    "join order": _join_order,
}
