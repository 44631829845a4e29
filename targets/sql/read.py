"""SQL text to DL: one query a statement.

A SELECT becomes stages in the order SQL computes them: tables and joins, `where`, `group` or `whole` (with HAVING as a
second `where`), `sort`, `take`, `show`, `distinct`; without `show` it is SELECT *. Nothing is normalized: BETWEEN, IN,
the order of conjuncts and of tables stay. See docs/sql.md.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ...compiler.lower import default_label, fresh_label
from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Field, Lit, Statement, Term, Turn, Var
from ...compiler.types import Con, Type
from ...grammar.diagnostic import CompileError
from ..rows import Note
from . import coerce, errors
from .conditions import condition
from .dialects import parse, place
from .expressions import AGGREGATES, value
from .names import Catalog, ColumnInfo, table_name
from .scope import Context, Frame, Rel, Shadowed, Shown, Source, Val, unsupported

Fit = Callable[[int, Val], Term]

_CLAUSES = frozenset(
    ("with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset")
)
_NAMES = {
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
_SET_OPERATIONS = {exp.Union: "union", exp.Except: "except", exp.Intersect: "intersect"}


def read_sql(
    text: str, schema: "Schema | Catalog", dialect: str = "sqlite", speaker: str = "user"
) -> tuple[Turn, tuple[Note, ...]]:
    """The turn that asks the queries of a text, and what there is to say about it.

    schema: the database's; pass a `Catalog` to share its tables between calls. Raises CompileError (DLC240 to DLC245).
    """
    catalog = schema if isinstance(schema, Catalog) else Catalog(schema)
    trees = parse(text, dialect)
    if not trees:
        raise CompileError(errors.bad_sql("there is no query"))
    statements: list[Statement] = []
    notes: list[Note] = []
    names: set[str] = set()
    several = text.lower().count("select") > 1
    for tree in trees:
        if not isinstance(tree, exp.Query):
            kind = f"{tree.this}" if isinstance(tree, exp.Command) else tree.key.upper()
            raise CompileError(errors.not_a_query(kind))
        context = _read(tree, catalog, names, several)
        statements += [Statement(term, let=name) for name, term in context.let_terms[:-1]]
        names.update(name for name, _ in context.let_terms)
        statements.append(Statement(context.let_terms[-1][1]))
        notes += context.notes
    return Turn("agent" if speaker == "agent" else "user", (), tuple(statements)), tuple(notes)


def _read(tree: Any, catalog: Catalog, names: set[str], several: bool) -> Context:
    """A context whose last let term is the query itself."""
    keep = several and _reused_alias(tree)
    for unique in (False, True):
        context = Context(catalog, unique, keep, used=set(names))
        try:
            rel = query(tree, None, context, None)
        except Shadowed:
            continue
        except RecursionError as error:
            raise CompileError(errors.too_large("levels of nesting", errors.MAX_DEPTH)) from error
        context.let_terms.append(("", rel.term))
        return context
    raise AssertionError("names are unique")


def _reused_alias(tree: Any) -> bool:
    """Whether one alias names different tables in different parts of a query: then it is kept, because readers that
    take an alias for one table throughout, as the corpora's evaluator does, would read another query without it."""
    tables: dict[str, str] = {}
    for table in tree.find_all(exp.Table):
        alias = table.alias
        if alias and tables.setdefault(alias.lower(), table.name.lower()) != table.name.lower():
            return True
    return False


def subquery(node: Any, frame: Frame, context: Context, width: int | None, fit: Fit | None) -> Rel:
    """A query inside an expression; with `width` it must show that many columns."""
    rel = query(node, frame, context, fit, flat=width is not None)
    if width is not None and len(rel.columns) != width:
        raise unsupported(f"a query of {len(rel.columns)} columns where one value is wanted", node)
    return rel


def query(node: Any, parent: Frame | None, context: Context, fit: Fit | None, flat: bool = False) -> Rel:
    """A query. `flat`: its rows are shown even for SELECT *; `fit` is applied to each shown value."""
    context.depth += 1
    if context.depth > errors.MAX_DEPTH:
        raise CompileError(errors.too_large("levels of nesting", errors.MAX_DEPTH))
    try:
        if isinstance(node, exp.Select):
            return _select(node, parent, context, fit, flat)
        if isinstance(node, exp.Subquery):
            _only(node, frozenset(("this", "alias", "with_", "order", "limit", "offset")))
            _with(node, parent, context)
            rel = query(node.this, parent, context, fit, flat)
            return _ordered(node, rel, parent, context)
        if type(node) in _SET_OPERATIONS:
            return _set_operation(node, parent, context, fit, flat)
    finally:
        context.depth -= 1
    raise unsupported("a table constructor" if isinstance(node, exp.Values) else node.key.upper(), node)


def _only(node: Any, allowed: frozenset[str]) -> None:
    for name, part in node.args.items():
        if part and name not in allowed:
            raise unsupported(_NAMES.get(name, name.strip("_").upper()), node)


def _with(node: Any, parent: Frame | None, context: Context) -> None:
    """WITH: each query a `let` before the statement; one that mentions rows around it cannot stand there."""
    clause = node.args.get("with_")
    if clause is None:
        return
    if clause.args.get("recursive"):
        raise unsupported("WITH RECURSIVE", node)
    for cte in clause.expressions:
        rel = query(cte.this, None, context, None, flat=True)
        rel = _renamed_columns(rel, cte)
        taken = {name for name, _ in context.let_terms} | context.used
        name = table_name(cte.alias)
        while (
            name in taken
            or name.lower() in context.catalog.taken
            or name in context.catalog.schema.function
            or name in context.catalog.schema.enums_of_member
        ):
            name += "_"
        context.let_terms.append((name, rel.term))
        context.lets[cte.alias.lower()] = Rel(Var(name), (name,), rel.columns, True)


def _renamed_columns(rel: Rel, cte: Any) -> Rel:
    alias = cte.args.get("alias")
    names = [c.name for c in alias.columns] if alias is not None else []
    if not names:
        return rel
    if len(names) != len(rel.columns):
        raise unsupported(f"{len(names)} names for {len(rel.columns)} columns", cte)
    labels: list[str] = []
    for name in names:
        labels.append(fresh_label(name, set(labels)))
    binder = rel.binders[0]
    items = tuple(
        (label, Abs("row", (binder,), Field(Var(binder), c.label)))
        for label, c in zip(labels, rel.columns, strict=True)
    )
    columns = tuple(
        Shown(n.lower(), label, c.type, c.info) for n, label, c in zip(names, labels, rel.columns, strict=True)
    )
    return Rel(App("show", (rel.term,), items), ("it",), columns, True)


# ---------------------------------------------------------------- SELECT


def _select(node: Any, parent: Frame | None, context: Context, fit: Fit | None, flat: bool) -> Rel:
    args = node.args
    for name, part in args.items():
        if part and name not in _CLAUSES:
            raise unsupported(_NAMES.get(name, name.strip("_").upper()), node)
    outer = context.lets
    if args.get("with_") is not None:
        context.lets = dict(outer)
        _with(node, parent, context)
    try:
        return _stages(node, args, parent, context, fit, flat)
    finally:
        context.lets = outer


def _stages(node: Any, args: Any, parent: Frame | None, context: Context, fit: Fit | None, flat: bool) -> Rel:
    frame = Frame(parent)
    term = _from(args, frame, context)
    selected = args["expressions"]
    for item in selected:
        if isinstance(item, exp.Alias):
            frame.aliases.setdefault(item.alias.lower(), item.this)
    binders = frame.binders
    where = args.get("where")
    if where is not None:
        body = condition(_dealiased(where.this, frame), frame, context)
        term = App("where", (term, Abs("spec", binders, body)))
    group, having, order = args.get("group"), args.get("having"), args.get("order")
    if group is not None:
        term = _group(group, term, selected, frame, context)
    elif having is not None or _aggregates(selected) or (order is not None and _aggregates(order.expressions)):
        term = App("whole", (term,))
        frame.keys = frozenset()
    if having is not None:
        body = condition(_dealiased(having.this, frame), frame, context)
        term = App("where", (term, Abs("spec", binders, body)))
    if order is not None:
        keys = _order_keys(order, selected, frame, context)
        term = App("sort", (term, *(Abs("row", binders, key) for key in keys)))
    distinct = args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        raise unsupported("DISTINCT ON", node)
    limit = _limit(args, frame, context)
    if limit is not None and distinct is None:
        term = App("take", (term, *limit))
    term, columns, shown = _show(selected, term, frame, context, fit, flat)
    if distinct is not None:
        term = App("distinct", (term,))
        if limit is not None:
            term = App("take", (term, *limit))
    return Rel(term, ("it",) if shown else binders, columns, shown)


def _from(args: Any, frame: Frame, context: Context) -> Term:
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
        _only(node, frozenset(("this", "alias", "joins", "indexed", "db", "catalog")))
        if not isinstance(node.this, exp.Identifier):
            raise unsupported("a table function", node)
        name = node.this.this
        if node.args.get("alias") is not None and node.args["alias"].columns:
            raise unsupported("column names in a table alias", node)
        let = context.lets.get(name.lower()) if not node.args.get("db") else None
        if let is not None:
            binder = context.binder(let.binders[0], frame)
            frame.add(Source(binder, (alias or name).lower(), _named_columns(let.columns)))
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
        rel = query(node, None, context, None, flat=True)
        if node.args.get("alias") is not None and node.args["alias"].columns:
            raise unsupported("column names in a table alias", node)
        if not joined:
            frame.add(Source("it", alias.lower(), _named_columns(rel.columns)))
            return rel.term
        binder = context.derived_binder(alias, frame)
        frame.add(Source(binder, alias.lower(), _named_columns(rel.columns)))
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


def _named_columns(columns: tuple[Shown, ...]) -> dict[str, Shown]:
    named: dict[str, Shown] = {}
    for column in columns:
        named.setdefault(column.name, column)
    return named


def _join(node: Any, term: Term, frame: Frame, context: Context) -> Term:
    _only(node, frozenset(("this", "on", "side", "kind", "using", "method")))
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


# ---------------------------------------------------------------- GROUP BY, ORDER BY, LIMIT


def _aggregates(nodes: list[Any]) -> bool:
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


def _dealiased(node: Any, frame: Frame) -> Any:
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


def _group(group: Any, term: Term, selected: list[Any], frame: Frame, context: Context) -> Term:
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
        if not 1 <= index <= len(selected) or any(_is_star(s) for s in selected):
            raise unsupported(f"position {node.this}", node)
        item = selected[index - 1]
        return item.this if isinstance(item, exp.Alias) else item
    if isinstance(node, exp.Column) and not node.args.get("table"):
        name = node.name.lower()
        if name in frame.aliases and not any(name in s.columns for s in frame.sources):
            return frame.aliases[name]
    return _dealiased(node, frame)


def _order_keys(order: Any, selected: list[Any], frame: Frame, context: Context) -> list[Term]:
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


def _limit(args: Any, frame: Frame, context: Context) -> tuple[Term, ...] | None:
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


def _is_star(node: Any) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _show(
    selected: list[Any], term: Term, frame: Frame, context: Context, fit: Fit | None, flat: bool
) -> tuple[Term, tuple[Shown, ...], bool]:
    binders = frame.binders
    if len(selected) == 1 and _is_star(selected[0]) and _every_source(selected[0], frame):
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
        elif _is_star(item):
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


# ---------------------------------------------------------------- set operations


def _set_operation(node: Any, parent: Frame | None, context: Context, fit: Fit | None, flat: bool) -> Rel:
    _only(node, frozenset(("this", "expression", "distinct", "with_", "order", "limit", "offset")))
    outer = context.lets
    if node.args.get("with_") is not None:
        context.lets = dict(outer)
        _with(node, parent, context)
    try:
        left = query(node.this, parent, context, fit, flat)
        first = left.columns

        def fitted(index: int, val: Val) -> Term:
            term = val.term if fit is None else fit(index, val)
            wanted = first[index].type if index < len(first) else None
            return coerce.made_one(wanted, Val(term, val.type))

        right = query(node.expression, parent, context, None, flat)
        if len(right.columns) != len(first):
            raise CompileError(
                errors.bad_sql(f"{len(first)} columns are combined with {len(right.columns)}", place(node))
            )
        mixed = any(
            a.type is not None and b.type is not None and a.type != b.type
            for a, b in zip(first, right.columns, strict=True)
        )
        if mixed or fit is not None:
            right = query(node.expression, parent, context, fitted, True)
        fn = _SET_OPERATIONS[type(node)] + ("_all" if node.args.get("distinct") is False else "")
        rel = Rel(App(fn, (left.term, right.term)), left.binders, first, left.shown)
        return _ordered(node, rel, parent, context)
    finally:
        context.lets = outer


def _ordered(node: Any, rel: Rel, parent: Frame | None, context: Context) -> Rel:
    """ORDER BY and LIMIT after a whole query."""
    term = rel.term
    order = node.args.get("order")
    if order is not None:
        frame = Frame(parent)
        if len(rel.binders) == 1:
            frame.add(Source(rel.binders[0], "", _named_columns(rel.columns)))
        selected: list[Any] = [exp.column(c.name, quoted=True) for c in rel.columns]
        keys = _order_keys(order, selected, frame, context)
        term = App("sort", (term, *(Abs("row", rel.binders, key) for key in keys)))
    limit = _limit(node.args, Frame(parent), context)
    if limit is not None:
        term = App("take", (term, *limit))
    return Rel(term, rel.binders, rel.columns, rel.shown)
