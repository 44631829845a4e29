"""FROM: tables, derived tables and joins, as sources whose rows have names."""

from typing import Any

from sqlglot import exp

from ...compiler.terms import Abs, App, Field, Lit, Term
from ...grammar.diagnostic import CompileError
from . import errors
from .conditions import condition
from .dialects import place
from .names import ColumnInfo, table_name
from .scope import Context, Frame, Shown, Source, unsupported

CLAUSE_NAMES = {
    "windows": "WINDOW",
    "qualify": "QUALIFY",
    "into": "INTO",
    "laterals": "LATERAL",
    "pivots": "PIVOT",
    "sample": "TABLESAMPLE",
    "locks": "FOR UPDATE",
    "connect": "CONNECT BY",
    "kind": "SELECT AS",
    "hint": "a hint",
}


def read_from(args: Any, frame: Frame, context: Context) -> Term:
    clause = args.get("from_")
    if clause is None:
        if args.get("joins"):
            raise unsupported("a join without a first table")
        frame.add(Source("it", "", {}))
        return App("list", (Lit("bool", "true"),))
    joins = args.get("joins") or ()
    first = clause.this
    term = _source(first, frame, context, bool(joins) or bool(first.args.get("joins")))
    for join in (*(first.args.get("joins") or ()), *joins):
        term = _join(join, term, frame, context)
    return term


def _source(node: Any, frame: Frame, context: Context, joined: bool) -> Term:
    """A source is added to the frame; its term names its rows if they cannot go by the table's own name."""
    context.tables += 1
    if context.tables > errors.MAX_TABLES:
        raise CompileError(errors.too_large("tables", errors.MAX_TABLES, place(node)))
    alias = node.alias
    if isinstance(node, exp.Table):
        only_clauses(node, frozenset(("this", "alias", "joins", "indexed", "db", "catalog")))
        if not isinstance(node.this, exp.Identifier):
            raise unsupported("a table function", node)
        name = node.this.this
        if node.args.get("alias") is not None and node.args["alias"].columns:
            raise unsupported("column names in a table alias", node)
        let = context.lets.get(name.lower()) if not node.args.get("db") else None
        if let is not None:
            binder = context.binder(let.binders[0], frame)
            frame.add(Source(binder, (alias or name).lower(), named_columns(let.columns)))
            return let.term if binder == let.binders[0] else App("as", (let.term, Lit("name", binder)))
        info = context.catalog.tables.get(name.lower())
        if info is None:
            known = [t.sql for t in context.catalog.tables.values()]
            raise CompileError(errors.unknown_table(name, known, place(node)))
        wanted = info.name
        if context.keep_aliases and alias and alias.lower() not in context.catalog.taken:
            wanted = table_name(alias)
        binder = context.binder(wanted, frame)
        frame.add(Source(binder, (alias or name).lower(), info.folded))
        return App(info.name) if binder == info.name else App("as", (App(info.name), Lit("name", binder)))
    if isinstance(node, exp.Subquery):
        if isinstance(node.this, exp.Table):
            return _parenthesized_join(node, frame, context)
        from .read import query

        rel = query(node, None, context, None, flat=True)
        if node.args.get("alias") is not None and node.args["alias"].columns:
            raise unsupported("column names in a table alias", node)
        if not joined:
            frame.add(Source("it", alias.lower(), named_columns(rel.columns)))
            return rel.term
        binder = context.derived_binder(alias, frame)
        frame.add(Source(binder, alias.lower(), named_columns(rel.columns)))
        return App("as", (rel.term, Lit("name", binder)))
    if isinstance(node, exp.Values):
        raise unsupported("a table constructor", node)
    raise unsupported(node.key.upper(), node)


def _parenthesized_join(node: Any, frame: Frame, context: Context) -> Term:
    """FROM (a JOIN b): the parentheses change nothing on the left."""
    if frame.sources:
        raise unsupported("a join in parentheses on the right of another", node)
    inner = node.this
    term = _source(inner, frame, context, True)
    for join in (*(inner.args.get("joins") or ()), *(node.args.get("joins") or ())):
        term = _join(join, term, frame, context)
    return term


def named_columns(columns: tuple[Shown, ...]) -> dict[str, Shown]:
    named: dict[str, Shown] = {}
    for column in columns:
        named.setdefault(column.name, column)
    return named


def _join(node: Any, term: Term, frame: Frame, context: Context) -> Term:
    only_clauses(node, frozenset(("this", "on", "side", "kind", "using", "method")))
    side = node.side.upper()
    kind = node.kind.upper()
    method = node.method.upper()
    if kind not in ("", "INNER", "CROSS", "OUTER"):
        raise unsupported(f"a {kind} join", node)
    fn = {"": "join", "LEFT": "join_left", "RIGHT": "join_right", "FULL": "join_full"}.get(side)
    if fn is None or method not in ("", "NATURAL"):
        raise unsupported(f"a {method or side} join", node)
    before = len(frame.sources)
    right = _source(node.this, frame, context, True)
    on = node.args.get("on")
    shared = [c.name.lower() for c in node.args.get("using") or ()]
    source = frame.sources[before]
    if method == "NATURAL":
        shared = [c for c in source.columns if any(c in s.columns for s in frame.sources[:before])]
    if shared and side in ("RIGHT", "FULL"):
        raise unsupported(f"a {side} join with shared columns", node, "write the condition with ON")
    if shared:
        body = _using(shared, source, frame, before, node)
        return App(fn, (term, right, Abs("row", frame.binders, body)))
    if on is None or (isinstance(on, exp.Boolean) and on.this):
        if fn == "join":
            return App(fn, (term, right))
        return App(fn, (term, right, Abs("row", frame.binders, Lit("bool", "true"))))
    return App(fn, (term, right, Abs("row", frame.binders, condition(on, frame, context))))


def _using(shared: list[str], source: Source, frame: Frame, before: int, node: Any) -> Term:
    pairs: list[Term] = []
    for name in shared:
        left = next((s for s in frame.sources[:before] if name in s.columns), None)
        if left is None or name not in source.columns:
            raise CompileError(errors.unknown_column(name, sorted(source.columns), place(node)))
        pairs.append(App("=", (Field(left.var, _label(left, name)), Field(source.var, _label(source, name)))))
    source.merged = frozenset(shared)
    return pairs[0] if len(pairs) == 1 else App("and", tuple(pairs))


def _label(source: Source, name: str) -> str:
    found = source.columns[name]
    return found.name if isinstance(found, ColumnInfo) else found.label


def only_clauses(node: Any, allowed: frozenset[str]) -> None:
    for name, part in node.args.items():
        if part and name not in allowed:
            raise unsupported(CLAUSE_NAMES.get(name, name.strip("_").upper()), node)
