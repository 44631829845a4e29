"""What a turn's programs are made of: constructs, size, names. The same for every language, since all of them are DL."""

from collections.abc import Iterator

from dlc.compiler.relations import keys_of
from dlc.compiler.schema import Schema
from dlc.compiler.terms import Abs, App, Lit, Record, Statement, Term, Turn, children
from dlc.runtime.step import missing_arguments

KEYWORDS = {
    "where": "WHERE",
    "aggregate": "AGG",
    "join": "JOIN",
    "group": "GROUP",
    "sort": "ORDER",
    "first rows": "LIMIT",
    "group condition": "HAVING",
    "set operation": "UNION, EXCEPT, INTERSECT",
    "subquery": "nested",
    "and": "AND",
    "or": "OR",
    "not": "NOT",
    "comparison": "<, >, BETWEEN",
    "membership": "IN",
    "text match": "LIKE",
    "projection": "SELECT of columns",
}
"""Constructs that SQL has a word for, and the word, as the CoSQL paper's figures have it."""

_CONSTRUCTS = {
    **dict.fromkeys(("<", "<=", ">", ">=", "between", "not_between"), "comparison"),
    **dict.fromkeys(("not", "!=", "not_in", "not_between", "not_like", "!~"), "not"),
    **dict.fromkeys(("in", "not_in"), "membership"),
    **dict.fromkeys(("~", "!~", "like", "not_like", "any_match", "starts_with", "ends_with"), "text match"),
    **dict.fromkeys(("join", "join_left", "join_right", "join_full"), "join"),
    **dict.fromkeys(("the", "exists"), "subquery"),
    **dict.fromkeys(("take", "at"), "first rows"),
    **{f"{fn}{every}": "set operation" for fn in ("union", "except", "intersect") for every in ("", "_all")},
    **{f"{fn}{kind}": "aggregate" for fn in ("sum", "avg") for kind in ("", "_distinct")},
    **dict.fromkeys(("count", "count_distinct", "min", "max"), "aggregate"),
    **{name: name for name in ("where", "and", "or", "sort", "group", "distinct", "then", "refer", "revise")},
    "is_any": "don't care",
}


def constructs(turn: Turn, schema: Schema) -> frozenset[str]:
    """Names of the constructs in a turn's statements, what they gave aside."""
    found: set[str] = set()
    for statement in turn.statements:
        found |= {kind for node in nodes(statement.term) for kind in _kinds(node, schema)}
        if statement.let is not None:
            found.add("let")
        if statement.status == "proposed":
            found.add("proposal")
        if missing_arguments(statement.term, schema):
            found.add("missing argument")
    if any(isinstance(a, Lit) and a.kind == "path" for act in turn.acts for a in act.args):
        found.add("requested field")
    return frozenset(found)


def _kinds(node: Term, schema: Schema) -> Iterator[str]:
    if not isinstance(node, App):
        if isinstance(node, Abs) and node.kind == "fn":
            yield "function"
        return
    function = schema.function.get(node.fn)
    if function is not None and function.action:
        yield "action"
    elif node.fn in _CONSTRUCTS and (function is None or node.args):
        yield _CONSTRUCTS[node.fn]
        if node.fn in ("not_in", "not_between"):
            yield "membership" if node.fn == "not_in" else "comparison"
        if node.fn == "where" and keys_of(node.args[0]) is not None:
            yield "group condition"
        if node.fn == "at" and any(isinstance(n, App) and n.fn == "sort" for n in nodes(node.args[0])):
            yield "ranking"
    elif node.fn == "show" and not all(isinstance(v, Abs) and v.body == App("all_fields") for _, v in node.named):
        yield "projection"


def nodes(term: Term) -> Iterator[Term]:
    """The term and all below it."""
    todo = [term]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(children(node))


def size(statements: tuple[Statement, ...]) -> tuple[int, int]:
    """Applications in statements (of functions, operators, tables, members of enums), and the depth of the deepest tree.

    A row or specification around an expression counts for nothing: it is never written.
    """
    calls = deepest = 0
    for statement in statements:
        todo = [(statement.term, 1)]
        while todo:
            node, depth = todo.pop()
            calls += isinstance(node, App)
            deepest = max(deepest, depth)
            below = depth if isinstance(node, Abs) and node.kind != "fn" else depth + 1
            todo.extend((child, below) for child in children(node))
    return calls, deepest


def names(statements: tuple[Statement, ...], schema: Schema) -> Iterator[str]:
    """Functions and tables applied, and `label=` of arguments and fields: the library that programs are written with."""
    for statement in statements:
        for node in nodes(statement.term):
            if isinstance(node, App):
                if node.args or node.named or node.fn in schema.function or node.fn in schema.table:
                    yield node.fn
                if node.fn != "show":
                    yield from (f"{label}=" for label, _ in node.named)
            elif isinstance(node, Record):
                yield from (f"{label}=" for label, _ in node.fields)
