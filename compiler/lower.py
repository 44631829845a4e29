"""Syntax tree to core: sugar goes, scopes are resolved, places are kept beside the terms."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, cast

from ..grammar.diagnostic import CompileError
from ..grammar.errors import MAX_NESTING, too_deep
from ..grammar.lexer import Token
from ..grammar.span import Span
from ..grammar.syntax import Node, Tree
from . import errors
from .spelling import unescape, unquote_name
from .terms import (
    Abs,
    Act,
    App,
    Apply,
    Ascribe,
    Entity,
    Field,
    Hole,
    Lit,
    LiteralKind,
    Outcome,
    Record,
    Statement,
    Term,
    Turn,
    Var,
)
from .types import Con, Type


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a term stood, and where each of its children did (in the order of `terms.children`)."""

    span: Span
    children: "tuple[Origin, ...]" = ()


@dataclass(frozen=True, slots=True)
class TurnOrigin:
    """Places of a turn's acts, statement terms, result records and error names."""

    span: Span
    acts: tuple[Origin, ...]
    statements: tuple[Origin, ...]
    outcomes: tuple["OutcomeOrigin | None", ...]


@dataclass(frozen=True, slots=True)
class OutcomeOrigin:
    """Places in an outcome."""

    results: tuple[Origin, ...]
    count: Origin | None
    error: Span | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Names around an expression: bound by `let` or `fn`, rows of enclosing queries, and the row in hand.

    A row's name counts only before a field (`Hotel.area`), so that a table's name inside a query over the
    same table still means the table.
    """

    bound: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()
    current: tuple[str, ...] = ()

    def row(self, binders: tuple[str, ...]) -> "Scope":
        return Scope(self.bound, self.rows | set(binders), binders)

    def spec(self) -> "Scope":
        return Scope(self.bound, self.rows, ("it",))

    def bind(self, name: str) -> "Scope":
        return replace(self, bound=self.bound | {name})


Lowered = tuple[Term, Origin]


def locate(origin: Origin, path: tuple[int, ...]) -> Span:
    """The place of the subterm reached by child indices; the nearest known parent's if there is none."""
    for index in path:
        if index >= len(origin.children):
            break
        origin = origin.children[index]
    return origin.span


def lower_program(node: Node) -> tuple[tuple[Turn, ...], tuple[TurnOrigin, ...]]:
    """Turns of a `program` tree with their places. Raises CompileError (DLC005, DLC10x)."""
    lowered = [lower_turn(child) for child in node.children if isinstance(child, Node)]
    return tuple(turn for turn, _ in lowered), tuple(origin for _, origin in lowered)


def lower_turn(node: Node) -> tuple[Turn, TurnOrigin]:
    """One turn."""
    speaker, acts_node, *stmts = cast("tuple[Node, ...]", node.children)
    acts, act_origins = _acts(acts_node)
    scope = Scope()
    statements, origins, outcomes = [], [], []
    for stmt in stmts:
        statement, origin, outcome = _statement(stmt, scope)
        statements.append(statement)
        origins.append(origin)
        outcomes.append(outcome)
        if statement.let is not None:
            scope = scope.bind(statement.let)
    said_by = cast(Literal["user", "agent"], speaker.rule)
    turn = Turn(said_by, acts, tuple(statements))
    return turn, TurnOrigin(node.span, act_origins, tuple(origins), tuple(outcomes))


def lower_query(node: Node) -> Lowered:
    """A `query` or `expr` sentence on its own."""
    inner = node.children[0] if node.rule in ("query", "expr") and len(node.children) == 1 else node
    return _expr(inner, Scope())


def lower_type(node: Node) -> Type:
    """A `type` tree."""
    name, *targs = node.children
    assert isinstance(name, Token)
    arguments: tuple[Type, ...] = ()
    if targs and isinstance(targs[0], Node):
        arguments = tuple(lower_type(child) for child in targs[0].children if isinstance(child, Node))
    return Con(unquote_name(name.text), arguments)


def _acts(node: Node) -> tuple[tuple[Act, ...], tuple[Origin, ...]]:
    acts: list[Act] = []
    origins: list[Origin] = []
    scope = Scope(current=("",))
    for child in node.children:
        if isinstance(child, Token):
            acts.append(Act(unquote_name(child.text.rstrip(":") if child.kind == "LABEL" else child.text)))
            origins.append(Origin(Span(child.start, child.end)))
        else:
            args, named, arg_origins = _arguments(child, scope)
            acts[-1] = Act(acts[-1].name, tuple(map(_path, args)), tuple((n, _path(v)) for n, v in named))
            origins[-1] = Origin(origins[-1].span, arg_origins)
    return tuple(acts), tuple(origins)


def _path(term: Term) -> Term:
    """A field named in an act is a path, not a value: `.area`, `Hotel.area`."""
    match term:
        case Field(Var(""), name):
            return Lit("path", f".{name}")
        case Field(App(fn, (), (), ()), name):
            return Lit("path", f"{fn}.{name}")
    return term


def _statement(node: Node, scope: Scope) -> tuple[Statement, Origin, OutcomeOrigin | None]:
    status: Literal["accepted", "proposed", "confirmed"] | None = None
    let: str | None = None
    outcome: Outcome | None = None
    outcome_origin: OutcomeOrigin | None = None
    lowered: Lowered | None = None
    for child in node.children:
        rule = child.rule if isinstance(child, Node) else None
        if rule == "proposed" or rule == "confirmed":
            status = cast(Literal["proposed", "confirmed"], rule)
        elif rule == "let":
            let = unquote_name(cast(Token, cast(Node, child).children[0]).text)
        elif rule == "outcome":
            outcome, outcome_origin = _outcome(cast(Node, child), scope)
        else:
            lowered = _expr(child, scope)
    assert lowered is not None
    status = status or ("confirmed" if outcome is not None else "accepted")
    return Statement(lowered[0], status, let, outcome), lowered[1], outcome_origin


def _outcome(node: Node, scope: Scope) -> tuple[Outcome, OutcomeOrigin]:
    results, origins = [], []
    count: Lowered | None = None
    more, error, error_span = False, None, None
    for child in cast("tuple[Node, ...]", node.children):
        if child.rule == "record":
            record, origin = _record(child, scope)
            results.append(record)
            origins.append(origin)
        elif child.rule == "count":
            count = _expr(child.children[0], scope)
        elif child.rule == "more":
            more = True
        else:
            name = cast(Token, child.children[0])
            error, error_span = unquote_name(name.text), Span(name.start, name.end)
    outcome = Outcome(tuple(results), count[0] if count else None, more, error)
    return outcome, OutcomeOrigin(tuple(origins), count[1] if count else None, error_span)


def _record(node: Node, scope: Scope) -> tuple[Record, Origin]:
    fields, origins = [], []
    for child in cast("tuple[Node, ...]", node.children):
        label, value = child.children
        term, origin = _expr(value, scope)
        fields.append((_label(cast(Token, label)), term))
        origins.append(origin)
    return Record(tuple(fields)), Origin(node.span, tuple(origins))


def _label(token: Token) -> str:
    return unquote_name(token.text[:-1])


# ---------------------------------------------------------------- queries


def _query(node: Node, scope: Scope) -> Lowered:
    (term, origin), binders = _source(node.children[0], scope)
    rest = list(cast("tuple[Node, ...]", node.children[1:]))
    if len(rest) > MAX_NESTING:
        raise CompileError(too_deep(rest[MAX_NESTING].span))
    if rest and rest[0].rule == "alias":
        alias = rest.pop(0)
        name = _alias(alias)
        term, origin = _app("as", [(term, origin), (Lit("name", name), Origin(alias.span))], alias.span)
        binders = (name,)
    for stage in rest:
        span = Span(node.start, stage.end)
        (term, origin), binders = _STAGES[stage.rule](stage, (term, origin), binders, scope, span)
    return term, origin


def _source(tree: Tree, scope: Scope) -> tuple[Lowered, tuple[str, ...]]:
    """A pipeline's first term and the binder its rows go by."""
    lowered = _relation(tree, scope) or _expr(tree, scope)
    return lowered, binders_of(lowered[0])


def binders_of(term: Term) -> tuple[str, ...]:
    """The binders of a relation's rows, read off its term: tables and variables name their rows."""
    match term:
        case App("as", (_, Lit("name", name))):
            return (name,)
        case App("join" | "join_left" | "join_right" | "join_full", (left, right, *_)):
            return binders_of(left) + binders_of(right)
        case App("where" | "sort" | "take" | "at" | "distinct" | "group" | "whole", (inner, *_)):
            return binders_of(inner)
        case App("union" | "union_all" | "except" | "except_all" | "intersect" | "intersect_all", (inner, _)):
            return binders_of(inner)
        case App(fn, (), (), ()) if fn not in ("show", "then"):
            return (fn,)
        case Var(name):
            return (name,)
        case Ascribe(term=inner):
            return binders_of(inner)
    return ("it",)


def _alias(node: Node) -> str:
    return unquote_name(cast(Token, node.children[0]).text)


def _app(fn: str, args: list[Lowered], span: Span) -> Lowered:
    return App(fn, tuple(t for t, _ in args)), Origin(span, tuple(o for _, o in args))


def _over_row(tree: Tree, binders: tuple[str, ...], scope: Scope, kind: Literal["spec", "row"] = "row") -> Lowered:
    body, origin = _expr(tree, scope.row(binders))
    return Abs(kind, binders, body), Origin(origin.span, (origin,))


Stage = tuple[Lowered, tuple[str, ...]]


def _where(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    return _app("where", [rel, _over_row(node.children[0], binders, scope, "spec")], span), binders


def _sort(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    keys = [rel]
    for key in cast("tuple[Node, ...]", node.children):
        descending = len(key.children) > 1 and cast(Node, key.children[1]).rule == "desc"
        body, origin = _expr(key.children[0], scope.row(binders))
        keyed = App("desc" if descending else "asc", (body,))
        keys.append((Abs("row", binders, keyed), Origin(key.span, (Origin(key.span, (origin,)),))))
    return _app("sort", keys, span), binders


def _take(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    args = [rel, _expr(node.children[0], scope)]
    if len(node.children) > 1:
        args.append(_expr(cast(Node, node.children[1]).children[0], scope))
    return _app("take", args, span), binders


def _at(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    return _app("at", [rel, *(_expr(child, scope) for child in node.children)], span), binders


def _distinct(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    return _app("distinct", [rel], span), binders


def _group(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    return _app("group", [rel, *(_over_row(child, binders, scope) for child in node.children)], span), binders


def _whole(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    return _app("whole", [rel], span), binders


def _show(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    items: list[tuple[str, Term]] = []
    origins = [rel[1]]
    for item in cast("tuple[Node, ...]", node.children):
        written = None
        if item.rule == "star":
            body: Lowered = (App("all_fields"), Origin(item.span))
        else:
            written = _label(cast(Token, item.children[0])) if len(item.children) == 2 else None
            body = _expr(item.children[-1], scope.row(binders))
        label = written or fresh_label(default_label(body[0]), {name for name, _ in items})
        items.append((label, Abs("row", binders, body[0])))
        origins.append(Origin(body[1].span, (body[1],)))
    return (App("show", (rel[0],), tuple(items)), Origin(span, tuple(origins))), ("it",)


def default_label(term: Term) -> str:
    """The label of an unlabelled `show` item: its last field name, else the function's name."""
    match term:
        case Field(name=name):
            return name
        case App("pick", (inner,)):
            return default_label(inner)
        case App(fn, (), ()) | App(fn, _, _):
            return fn if fn[0].isalpha() else "value"
        case Var(name):
            return name
    return "value"


def fresh_label(label: str, taken: set[str]) -> str:
    """`label`, or `label2`, `label3` and so on, the first that is not taken."""
    if label not in taken:
        return label
    number = 2
    while f"{label}{number}" in taken:
        number += 1
    return f"{label}{number}"


def _join(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    fn = "join"
    right: Lowered | None = None
    right_binders: tuple[str, ...] = ()
    on: Node | None = None
    for child in node.children:
        if isinstance(child, Token):
            name = unquote_name(child.text)
            place = Origin(Span(child.start, child.end))
            right, right_binders = ((Var(name) if name in scope.bound else App(name)), place), (name,)
        elif child.rule in ("left", "right", "full"):
            fn = f"join_{child.rule}"
        elif child.rule == "alias":
            name = _alias(child)
            assert right is not None
            right = _app("as", [right, (Lit("name", name), Origin(child.span))], child.span)
            right_binders = (name,)
        elif child.rule == "on":
            on = child
        else:
            right = _expr(child, scope)
            right_binders = binders_of(right[0])
    assert right is not None
    taken = [name for name in right_binders if name in binders]
    if taken:
        raise CompileError(errors.binder_taken(taken[0], node.span))
    args = [rel, right]
    if on is not None:
        args.append(_over_row(on.children[0], binders + right_binders, scope))
    return _app(fn, args, span), binders + right_binders


def _set_operation(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    every = cast(Node, node.children[0]).rule == "all"
    other = _expr(node.children[-1], scope)
    return _app(node.rule + ("_all" if every else ""), [rel, other], span), binders


def _then(node: Node, rel: Lowered, binders: tuple[str, ...], scope: Scope, span: Span) -> Stage:
    return _app("then", [rel, _over_row(node.children[0], binders, scope)], span), ("it",)


_STAGES: dict[str, Callable[[Node, Lowered, tuple[str, ...], Scope, Span], Stage]] = {
    "where": _where,
    "sort": _sort,
    "take": _take,
    "at": _at,
    "distinct": _distinct,
    "group": _group,
    "whole": _whole,
    "show": _show,
    "join": _join,
    "union": _set_operation,
    "except": _set_operation,
    "intersect": _set_operation,
    "then": _then,
}


# ---------------------------------------------------------------- expressions

_LITERALS: dict[str, LiteralKind] = {
    "NUMBER": "number",
    "INT": "int",
    "QUANTITY": "quantity",
    "DATE": "date",
    "TIME": "time",
    "DATETIME": "datetime",
}


def _expr(tree: Tree, scope: Scope) -> Lowered:
    if isinstance(tree, Token):
        return _token(tree, scope)
    lower = _RULES.get(tree.rule)
    if lower is None:
        raise AssertionError(f"no lowering for {tree.rule}")
    return lower(tree, scope)


def _token(token: Token, scope: Scope) -> Lowered:
    origin = Origin(Span(token.start, token.end))
    kind = token.kind
    if kind in _LITERALS:
        return Lit(_LITERALS[kind], token.text[:-1] if kind == "INT" else token.text), origin
    if kind == "STR":
        return Lit("text", unescape(token)), origin
    if kind == "FIELD":
        return Field(_row_variable(scope, token), unquote_name(token.text[1:])), Origin(origin.span, (origin,))
    if kind == "NAME":
        name = unquote_name(token.text)
        return (Var(name) if name in scope.bound else App(name)), origin
    raise AssertionError(kind)


def _row_variable(scope: Scope, token: Token) -> Var:
    if len(scope.current) == 1:
        return Var(scope.current[0])
    raise CompileError(errors.which_row(token.text, list(scope.current), Span(token.start, token.end)))


def _nary(fn: str) -> Callable[[Node, Scope], Lowered]:
    def lower(node: Node, scope: Scope) -> Lowered:
        return _app(fn, [_expr(child, scope) for child in node.children], node.span)

    return lower


def _negative(node: Node, scope: Scope) -> Lowered:
    return _app("negate_number", [_expr(node.children[-1], scope)], node.span)


def _comparison(node: Node, scope: Scope) -> Lowered:
    left = _expr(node.children[0], scope)
    return _tail(cast(Node, node.children[1]), left, scope, node.span)


def _tail(tail: Node, left: Lowered, scope: Scope, span: Span) -> Lowered:
    if tail.rule == "compare":
        operator = cast(Token, tail.children[0]).text
        return _app(operator, [left, _expr(tail.children[1], scope)], span)
    if tail.rule == "like":
        return _app("like", [left, _expr(tail.children[0], scope)], span)
    if tail.rule == "is":
        return _is(tail, left, scope, span)
    if tail.rule == "excluded":
        positive = _tail(cast(Node, tail.children[0]), left, scope, span)
        term = cast(App, positive[0])
        return App(f"not_{term.fn}", term.args), positive[1]
    low = _relation(tail.children[0], scope) or _expr(tail.children[0], scope)
    if len(tail.children) == 2:
        return _app("between", [left, low, _expr(cast(Node, tail.children[1]).children[0], scope)], span)
    return _app("in", [left, low], span)


def _relation(tree: Tree, scope: Scope) -> Lowered | None:
    """A parenthesized query after `in`, or before a stage, is the relation itself, not the one value in it."""
    if isinstance(tree, Node) and tree.rule == "paren" and len(tree.children) == 1:
        inner = tree.children[0]
        if isinstance(inner, Node) and inner.rule == "query":
            return _expr(inner, scope)
    return None


_MARKS = {"mark_any": "is_any", "mark_none": "is_none", "missing": "is_missing", "not_missing": "is_not_missing"}


def _is(node: Node, left: Lowered, scope: Scope, span: Span) -> Lowered:
    what = node.children[0]
    if isinstance(what, Node) and what.rule in _MARKS:
        return _app(_MARKS[what.rule], [left], span)
    return _app("is", [left, _expr(what, scope)], span)


def _prefix_is(node: Node, scope: Scope) -> Lowered:
    if len(scope.current) != 1:
        raise CompileError(errors.which_row("is", list(scope.current), node.span))
    subject = Origin(Span(node.start, node.start))
    return _is(node, (Var(scope.current[0]), subject), scope, node.span)


def _chain(node: Node, scope: Scope) -> Lowered:
    if len(node.children) > 2 * MAX_NESTING:
        raise CompileError(too_deep(node.span))
    left = _expr(node.children[0], scope)
    for i in range(1, len(node.children), 2):
        operator = cast(Token, node.children[i]).text
        right = _expr(node.children[i + 1], scope)
        left = _app(operator, [left, right], Span(node.start, right[1].span.end))
    return left


def _postfix(node: Node, scope: Scope) -> Lowered:
    if len(node.children) > MAX_NESTING:
        raise CompileError(too_deep(node.span))
    term, origin = _row_name(node.children[0], scope) or _expr(node.children[0], scope)
    for field in cast("tuple[Token, ...]", node.children[1:]):
        term, origin = Field(term, unquote_name(field.text[1:])), Origin(Span(node.start, field.end), (origin,))
    return term, origin


def _row_name(tree: Tree, scope: Scope) -> Lowered | None:
    if isinstance(tree, Node) and tree.rule == "call" and len(tree.children) == 1:
        name = unquote_name(cast(Token, tree.children[0]).text)
        if name in scope.rows:
            return Var(name), Origin(tree.span)
    return None


def _call(node: Node, scope: Scope) -> Lowered:
    token = cast(Token, node.children[0])
    name = unquote_name(token.text)
    targs: tuple[Type, ...] = ()
    args: tuple[Term, ...] = ()
    named: tuple[tuple[str, Term], ...] = ()
    origins: tuple[Origin, ...] = ()
    called = False
    for child in cast("tuple[Node, ...]", node.children[1:]):
        if child.rule == "targs":
            targs = tuple(lower_type(t) for t in child.children if isinstance(t, Node))
        else:
            called = True
            args, named, origins = _arguments(child, scope)
    if name in scope.bound:
        variable = Var(name)
        if not called:
            return variable, Origin(node.span)
        return Apply(variable, args), Origin(node.span, (Origin(Span(token.start, token.end)), *origins))
    return App(name, args, named, targs), Origin(node.span, origins)


def _arguments(node: Node, scope: Scope) -> tuple[tuple[Term, ...], tuple[tuple[str, Term], ...], tuple[Origin, ...]]:
    args: list[Lowered] = []
    named: list[tuple[str, Lowered]] = []
    for child in node.children:
        if isinstance(child, Node) and child.rule == "named":
            value = child.children[1]
            rule = value.rule if isinstance(value, Node) else ""
            if rule in ("mark_any", "mark_none", "missing"):
                lowered: Lowered = (App(rule.removeprefix("mark_")), Origin(cast(Node, value).span))
            else:
                lowered = _expr(value, scope)
            named.append((_label(cast(Token, child.children[0])), lowered))
        elif named:
            span = child.span if isinstance(child, Node) else Span(child.start, child.end)
            raise CompileError(errors.positional_after_label(span))
        else:
            args.append(_expr(child, scope))
    origins = tuple(o for _, o in args) + tuple(o for _, (_, o) in named)
    return tuple(t for t, _ in args), tuple((label, t) for label, (t, _) in named), origins


def _lambda(node: Node, scope: Scope) -> Lowered:
    name = unquote_name(cast(Token, node.children[0]).text)
    body, origin = _expr(node.children[1], scope.bind(name))
    return Abs("fn", (name,), body), Origin(node.span, (origin,))


def _paren(node: Node, scope: Scope) -> Lowered:
    inner = node.children[0]
    query = isinstance(inner, Node) and inner.rule == "query"
    lowered = _expr(inner, scope)
    if query:
        lowered = _app("the", [lowered], node.span)
    if len(node.children) > 1:
        type_ = lower_type(cast(Node, cast(Node, node.children[1]).children[0]))
        return Ascribe(lowered[0], type_), Origin(node.span, (lowered[1],))
    return lowered


def _braces(node: Node, scope: Scope) -> Lowered:
    if not node.children or (isinstance(node.children[0], Node) and node.children[0].rule == "field"):
        return _record(node, scope)
    body, origin = _expr(node.children[0], scope.spec())
    return Abs("spec", ("it",), body), Origin(node.span, (origin,))


def _it(node: Node, scope: Scope) -> Lowered:
    if len(scope.current) != 1:
        raise CompileError(errors.which_row("it", list(scope.current), node.span))
    return Var(scope.current[0]), Origin(node.span)


def _typed_constant(node: Node, scope: Scope) -> Lowered:
    token = cast(Token, node.children[0])
    type_ = None
    if len(node.children) > 1:
        type_ = lower_type(cast(Node, cast(Node, node.children[1]).children[0]))
    if token.kind == "HOLE":
        return Hole(int(token.text[1:]), type_), Origin(node.span)
    text, _, identifier = _entity_parts(token)
    return Entity(text, identifier, type_), Origin(node.span)


def _entity_parts(token: Token) -> tuple[str | None, str, str | None]:
    body = token.text[1:]
    if body.startswith("#"):
        return None, "", unescape(token._replace(text=body[1:]))
    end = 1
    while body[end] != '"':
        end += 2 if body[end] == "\\" else 1
    text = unescape(token._replace(text=body[: end + 1]))
    rest = body[end + 1 :]
    return text, "", unescape(token._replace(text=rest[1:])) if rest else None


def _constant(kind: LiteralKind, value: str) -> Callable[[Node, Scope], Lowered]:
    def lower(node: Node, scope: Scope) -> Lowered:
        return Lit(kind, value), Origin(node.span)

    return lower


def _raw(node: Node, scope: Scope) -> Lowered:
    return Lit("raw", unescape(cast(Token, node.children[0]))), Origin(node.span)


def _everything(node: Node, scope: Scope) -> Lowered:
    return App("everything"), Origin(node.span)


_RULES: dict[str, Callable[[Node, Scope], Lowered]] = {
    "query": _query,
    "disjunction": _nary("or"),
    "conjunction": _nary("and"),
    "not": _nary("not"),
    "exists": _nary("exists"),
    "list": _nary("list"),
    "negative": _negative,
    "comparison": _comparison,
    "is": _prefix_is,
    "sum": _chain,
    "product": _chain,
    "postfix": _postfix,
    "call": _call,
    "lambda": _lambda,
    "paren": _paren,
    "braces": _braces,
    "it": _it,
    "hole": _typed_constant,
    "entity": _typed_constant,
    "raw": _raw,
    "true": _constant("bool", "true"),
    "false": _constant("bool", "false"),
    "everything": _everything,
}
