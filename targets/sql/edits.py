"""What changes from one query to the next: turn-switch labels, and what each query does with each column.

Labels after SCoRe (Yu et al., ICLR 2021): an operation and a clause, `INS(WHERE)`, `DEL(SELECT.agg)`,
`CHANGE(ORDER_BY.dir)`. Clauses: SELECT the columns shown, SELECT.agg their aggregates, DISTINCT, FROM the tables, WHERE and
HAVING their conditions, GROUP_BY and ORDER_BY their keys, ORDER_BY.dir the direction of a key both have, LIMIT, and UNION,
EXCEPT, INTERSECT the queries combined. A clause that both lost and gained something has changed. They are
computed from DL, so that spelling, aliases and the order of tables and conditions make no difference.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ...compiler.terms import Abs, App, Ascribe, Entity, Field, Lit, Term, Var, children

CLAUSES = (
    "SELECT",
    "SELECT.agg",
    "DISTINCT",
    "FROM",
    "WHERE",
    "GROUP_BY",
    "HAVING",
    "ORDER_BY",
    "ORDER_BY.dir",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
)
AGGREGATES = frozenset(
    ("count", "count_distinct", "sum", "avg", "sum_distinct", "avg_distinct", "min", "max", "pick_all")
)
_TRANSPARENT = frozenset(("pick", "number_of", "text_of", "untyped", "coerce"))
_JOINS = frozenset(("join", "join_left", "join_right", "join_full"))
_SETS = {"union": "UNION", "except": "EXCEPT", "intersect": "INTERSECT"}

Parts = dict[str, Counter[Any]]
Tables = dict[str, str]


def turn_switch(before: Term | None, after: Term | None) -> tuple[str, ...]:
    """The labels of the edit between two queries, by clause; `("NONE",)` if nothing changed.

    before: None for the first query of a dialogue, all of whose clauses are inserted.
    """
    old = parts(before) if before is not None else {}
    new = parts(after) if after is not None else {}
    labels: list[str] = []
    for clause in CLAUSES:
        a, b = old.get(clause, Counter()), new.get(clause, Counter())
        if clause == "ORDER_BY.dir":
            a, b = _shared_directions(a, b)
        lost, gained = a - b, b - a
        if lost and gained:
            labels.append(f"CHANGE({clause})")
        elif gained:
            labels.append(f"INS({clause})")
        elif lost:
            labels.append(f"DEL({clause})")
    return tuple(labels) or ("NONE",)


def _shared_directions(a: Counter[Any], b: Counter[Any]) -> tuple[Counter[Any], Counter[Any]]:
    keys = {key for key, _ in a} & {key for key, _ in b}
    return Counter(p for p in a.elements() if p[0] in keys), Counter(p for p in b.elements() if p[0] in keys)


def parts(term: Term) -> Parts:
    """A query's clauses, each a multiset of what stands in it."""
    found: Parts = {clause: Counter() for clause in CLAUSES}
    tables: Tables = {}
    _collect(term, found, tables)
    if not found["SELECT"]:
        found["SELECT"]["*"] += 1
    return found


def _collect(term: Term, found: Parts, tables: Tables) -> None:
    match term:
        case Ascribe(term=inner):
            _collect(inner, found, tables)
        case App(fn, (left, right, *on)) if fn in _JOINS:
            _collect(left, found, tables)
            _collect(right, found, tables)
            del on
        case App("as", (inner, Lit(value=name))):
            if isinstance(inner, App) and not inner.args:
                tables[name] = inner.fn
                found["FROM"][inner.fn] += 1
            else:
                _collect(inner, found, tables)
        case App(fn, (left, right)) if fn.removesuffix("_all") in _SETS:
            _collect(left, found, tables)
            found[_SETS[fn.removesuffix("_all")]][spelled(right, tables)] += 1
        case App("where", (inner, Abs(body=body))):
            _collect(inner, found, tables)
            clause = "HAVING" if _is_grouped(inner) else "WHERE"
            for conjunct in _conjuncts(body):
                found[clause][spelled(conjunct, tables)] += 1
        case App("group", (inner, *keys)):
            _collect(inner, found, tables)
            for key in keys:
                found["GROUP_BY"][spelled(_body(key), tables)] += 1
        case App("sort", (inner, *keys)):
            _collect(inner, found, tables)
            for key in keys:
                direction = _body(key)
                assert isinstance(direction, App)
                spelling = spelled(direction.args[0], tables)
                found["ORDER_BY"][spelling] += 1
                found["ORDER_BY.dir"][(spelling, direction.fn)] += 1
        case App("take" | "at", (inner, *counts)):
            _collect(inner, found, tables)
            found["LIMIT"][tuple(spelled(c, tables) for c in counts)] += 1
        case App("show", (inner,), named):
            _collect(inner, found, tables)
            for _, over in named:
                _shown(_body(over), found, tables)
        case App("distinct", (inner,)):
            _collect(inner, found, tables)
            found["DISTINCT"]["DISTINCT"] += 1
        case App("whole", (inner,)):
            _collect(inner, found, tables)
        case App(fn, ()):
            tables[fn] = fn
            found["FROM"][fn] += 1
        case Var(name):
            tables[name] = name
            found["FROM"][name] += 1


def _shown(body: Term, found: Parts, tables: Tables) -> None:
    while isinstance(body, App) and body.fn in _TRANSPARENT and body.args:
        body = body.args[0]
    if isinstance(body, App) and body.fn in AGGREGATES:
        found["SELECT.agg"][body.fn] += 1
        found["SELECT"][spelled(body.args[0], tables) if body.args else "*"] += 1
    elif body == App("all_fields"):
        found["SELECT"]["*"] += 1
    else:
        found["SELECT"][spelled(body, tables)] += 1


def _is_grouped(term: Term) -> bool:
    while isinstance(term, App) and term.args:
        if term.fn in ("group", "whole"):
            return True
        if term.fn not in ("where", "sort", "take", "at"):
            return False
        term = term.args[0]
    return False


def _conjuncts(body: Term) -> Iterator[Term]:
    if isinstance(body, App) and body.fn == "and":
        for arg in body.args:
            yield from _conjuncts(arg)
    else:
        yield body


def _body(over: Term) -> Term:
    return over.body if isinstance(over, Abs) else over


def spelled(term: Term, tables: Mapping[str, str]) -> Any:
    """A term as a value to compare: rows by their table, conversions and labels left out."""
    match term:
        case Field(Var(name), field):
            return (tables.get(name, name), field)
        case App(fn, (inner,)) if fn in _TRANSPARENT:
            return spelled(inner, tables)
        case Lit(kind, value):
            return (kind, value)
        case Entity(text, identifier):
            return ("entity", text, identifier)
        case App(fn, args, named):
            known: Tables = dict(tables)
            if fn in ("where", "show", "sort", "group", "whole", "distinct", "take", "union", "except", "intersect"):
                clauses = parts(term)
                return tuple((clause, tuple(sorted(map(str, clauses[clause].elements())))) for clause in CLAUSES)
            return (fn, *(spelled(a, known) for a in args), *(spelled(v, known) for _, v in named))
        case Abs(body=body):
            return spelled(body, tables)
    return (type(term).__name__, *(spelled(child, tables) for child in children(term)))


CLAUSE_WORDS = ("SELECT", "SELECT DISTINCT", "FROM", "WHERE", "GROUP_BY", "HAVING", "ORDER_BY")
"""Where a column stands, the first part of its label."""

AGGREGATE_WORDS = ("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "SUM_DISTINCT", "AVG_DISTINCT", "MIN", "MAX")
"""The aggregate over the column."""

OPERATOR_WORDS = (
    *("=", "!=", "<", "<=", ">", ">=", "IN", "NOT IN", "LIKE", "NOT LIKE", "BETWEEN", "NOT BETWEEN"),
    *("IS NULL", "IS NOT NULL", "ASC", "DESC", "ASC LIMIT", "DESC LIMIT"),
)
"""What the column is compared by, or the order it gives; LIMIT where only its first rows are taken."""

CONNECTIVE_WORDS = ("OR", "NOT")
"""Before the operator: that the comparison is one of several alternatives, or denied."""

NESTING_WORDS = ("UNION", "EXCEPT", "INTERSECT", "EXISTS")
"""Before the label: the combined or nested query it stands in; a subquery that is compared has the label of the
comparison instead (`WHERE NOT IN SELECT`)."""


def column_operations(term: Term) -> dict[tuple[str, str], tuple[str, ...]]:
    """What a query does with each column, by (table, column): its labels, sorted.

    A label is [nesting] clause [aggregate] [connective] [operator], by the words above: `SELECT`, `SELECT COUNT`,
    `WHERE OR =`, `ORDER_BY DESC LIMIT`, `HAVING AVG >`, `FROM =` for a join's columns, `EXCEPT WHERE =`.
    """
    found: dict[tuple[str, str], set[str]] = {}
    _operations(term, "", found, {})
    return {column: tuple(sorted(labels)) for column, labels in found.items()}


Operations = dict[tuple[str, str], set[str]]


def _operations(term: Term, prefix: str, found: Operations, tables: Tables, limited: bool = False) -> None:
    match term:
        case App(fn, (left, right, *on)) if fn in _JOINS:
            _operations(left, prefix, found, tables)
            _operations(right, prefix, found, tables)
            for over in on:
                _mentions(_body(over), f"{prefix}FROM", found, tables)
        case App("as", (inner, Lit(value=name))):
            if isinstance(inner, App) and not inner.args:
                tables[name] = inner.fn
            else:
                _operations(inner, prefix, found, tables)
        case App(fn, (left, right)) if fn.removesuffix("_all") in _SETS:
            _operations(left, prefix, found, tables)
            _operations(right, f"{prefix}{_SETS[fn.removesuffix('_all')]} ", found, {})
        case App("where", (inner, Abs(body=body))):
            _operations(inner, prefix, found, tables)
            _mentions(body, f"{prefix}{'HAVING' if _is_grouped(inner) else 'WHERE'}", found, tables)
        case App("group", (inner, *keys)):
            _operations(inner, prefix, found, tables)
            for key in keys:
                _mentions(_body(key), f"{prefix}GROUP_BY", found, tables)
        case App("sort", (inner, *keys)):
            _operations(inner, prefix, found, tables)
            for key in keys:
                direction = _body(key)
                assert isinstance(direction, App)
                words = direction.fn.upper() + (" LIMIT" if limited else "")
                _mentions(direction.args[0], f"{prefix}ORDER_BY", found, tables, words)
        case App("show", (inner,), named):
            _operations(inner, prefix, found, tables, limited)
            for _, over in named:
                _mentions(_body(over), f"{prefix}SELECT", found, tables)
        case App("distinct", (App("show", (inner,), named),)):
            _operations(inner, prefix, found, tables, limited)
            for _, over in named:
                _mentions(_body(over), f"{prefix}SELECT DISTINCT", found, tables)
        case App("take" | "at", (inner, *_)):
            _operations(inner, prefix, found, tables, True)
        case App("distinct" | "whole", (inner, *_)):
            _operations(inner, prefix, found, tables, limited)
        case App(fn, ()):
            tables[fn] = fn


_TESTS = {"not_in": "NOT IN", "not_like": "NOT LIKE", "not_between": "NOT BETWEEN", "is_missing": "IS NULL"}
_TESTS |= {"is_not_missing": "IS NOT NULL", "between": "BETWEEN", "in": "IN", "like": "LIKE"}
_COMPARING = frozenset(("=", "!=", "<", "<=", ">", ">=", *_TESTS))


def _mentions(term: Term, label: str, found: Operations, tables: Tables, suffix: str = "") -> None:
    match term:
        case Field(Var(name), field):
            words = label if not suffix else f"{label} {suffix}"
            found.setdefault((tables.get(name, name), field), set()).add(words)
        case App(fn, args) if fn in AGGREGATES:
            for arg in args:
                _mentions(arg, f"{label} {fn.upper()}", found, tables, suffix)
        case App(fn, args) if fn in _COMPARING:
            operator = _TESTS.get(fn, fn)
            for arg in args:
                if isinstance(arg, App) and arg.fn in ("show", "distinct", "union", "except", "intersect", "take"):
                    _operations(arg, f"{label} {operator} ", found, dict(tables))
                else:
                    _mentions(arg, label, found, tables, operator)
        case App("exists", (inner,)):
            _operations(inner, f"{label} EXISTS ", found, dict(tables))
        case App("the", (inner,)):
            _operations(inner, f"{label} {suffix} ".replace("  ", " "), found, dict(tables))
        case App("or" | "not" as fn, args):
            for arg in args:
                _mentions(arg, label if label.endswith(fn.upper()) else f"{label} {fn.upper()}", found, tables, suffix)
        case App(args=args):
            for arg in args:
                _mentions(arg, label, found, tables, suffix)
