"""SQL text to DL: one query a statement.

A SELECT becomes stages in the order SQL computes them: tables and joins, `where`, `group` or `whole` (with HAVING as a
second `where`), `sort`, `take`, `show`, `distinct`; without `show` it is SELECT *. Nothing is normalized: BETWEEN, IN,
the order of conjuncts and of tables stay. See docs/sql.md.
"""

from typing import Any

from sqlglot import exp

from ...compiler.lower import fresh_label
from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Field, Statement, Term, Turn, Var
from ...grammar.diagnostic import CompileError
from ..rows import Note
from . import coerce, errors
from .conditions import condition
from .dialects import parse, place
from .names import Catalog, table_name
from .read_clauses import Fit, dealiased, grouped, has_aggregates, limits, order_keys, shown_items
from .read_from import CLAUSE_NAMES, named_columns, only_clauses, read_from
from .scope import Context, Frame, Rel, Shadowed, Shown, Source, Val, unsupported

_CLAUSES = frozenset(
    ("with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset")
)
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
    for tree in trees:
        if not isinstance(tree, exp.Query):
            kind = f"{tree.this}" if isinstance(tree, exp.Command) else tree.key.upper()
            raise CompileError(errors.not_a_query(kind))
        context = _read(tree, catalog, text, names)
        statements += [Statement(term, let=name) for name, term in context.let_terms[:-1]]
        names.update(name for name, _ in context.let_terms)
        statements.append(Statement(context.let_terms[-1][1]))
        notes += context.notes
    return Turn("agent" if speaker == "agent" else "user", (), tuple(statements)), tuple(notes)


def _read(tree: Any, catalog: Catalog, text: str, names: set[str]) -> Context:
    """A context whose last let term is the query itself."""
    keep = text.lower().count("select") > 1 and _reused_alias(tree)
    for unique in (False, True):
        context = Context(catalog, text, unique, keep, used=set(names))
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
            only_clauses(node, frozenset(("this", "alias", "with_", "order", "limit", "offset")))
            _with(node, parent, context)
            rel = query(node.this, parent, context, fit, flat)
            return _ordered(node, rel, parent, context)
        if type(node) in _SET_OPERATIONS:
            return _set_operation(node, parent, context, fit, flat)
    finally:
        context.depth -= 1
    raise unsupported("a table constructor" if isinstance(node, exp.Values) else node.key.upper(), node)


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


def _select(node: Any, parent: Frame | None, context: Context, fit: Fit | None, flat: bool) -> Rel:
    args = node.args
    for name, part in args.items():
        if part and name not in _CLAUSES:
            raise unsupported(CLAUSE_NAMES.get(name, name.strip("_").upper()), node)
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
    term = read_from(args, frame, context)
    selected = args["expressions"]
    if not selected:
        raise CompileError(errors.bad_sql("the SELECT shows nothing", place(node)))
    for item in selected:
        if isinstance(item, exp.Alias):
            frame.aliases.setdefault(item.alias.lower(), item.this)
    binders = frame.binders
    where = args.get("where")
    if where is not None:
        body = condition(dealiased(where.this, frame), frame, context)
        term = App("where", (term, Abs("spec", binders, body)))
    group, having, order = args.get("group"), args.get("having"), args.get("order")
    if group is not None:
        term = grouped(group, term, selected, frame, context)
    elif having is not None or has_aggregates(selected) or (order is not None and has_aggregates(order.expressions)):
        term = App("whole", (term,))
        frame.keys = frozenset()
    if having is not None:
        body = condition(dealiased(having.this, frame), frame, context)
        term = App("where", (term, Abs("spec", binders, body)))
    if order is not None:
        keys = order_keys(order, selected, frame, context)
        term = App("sort", (term, *(Abs("row", binders, key) for key in keys)))
    distinct = args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        raise unsupported("DISTINCT ON", node)
    limit = limits(args, frame, context)
    if limit is not None and distinct is None:
        term = App("take", (term, *limit))
    term, columns, shown = shown_items(selected, term, frame, context, fit, flat)
    if distinct is not None:
        term = App("distinct", (term,))
        if limit is not None:
            term = App("take", (term, *limit))
    return Rel(term, ("it",) if shown else binders, columns, shown)


def _set_operation(node: Any, parent: Frame | None, context: Context, fit: Fit | None, flat: bool) -> Rel:
    only_clauses(node, frozenset(("this", "expression", "distinct", "with_", "order", "limit", "offset")))
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
            frame.add(Source(rel.binders[0], "", named_columns(rel.columns)))
        selected: list[Any] = [exp.column(c.name, quoted=True) for c in rel.columns]
        keys = order_keys(order, selected, frame, context)
        term = App("sort", (term, *(Abs("row", rel.binders, key) for key in keys)))
    limit = limits(node.args, Frame(parent), context)
    if limit is not None:
        term = App("take", (term, *limit))
    return Rel(term, rel.binders, rel.columns, rel.shown)
