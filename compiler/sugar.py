"""Core to syntax tree: the inverse of `lower`, so that printing needs nothing but the grammar.

Every construct that has surface syntax is written only that way; parentheses appear only where
precedence asks for them.
"""

from collections.abc import Callable, Iterable

from ..grammar.lexer import Token
from ..grammar.printer import join, print_tree, tokens_of
from ..grammar.syntax import Node, Tree, token
from .lower import default_label
from .spelling import is_identifier, quote, quote_name
from .terms import Abs, Act, App, Apply, Ascribe, Entity, Field, Hole, Lit, Outcome, Record, Statement, Term, Turn, Var
from .types import Con, RecordType, Row, Type, resolve

# Precedence of the node a term becomes; an operand below its place is put in parentheses.
_LAMBDA, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _UNARY, _POSTFIX, _PRIMARY = range(10)

_COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">=", "~", "!~"))
_MARKS = {"is_any": "mark_any", "is_none": "mark_none", "is_missing": "missing", "is_not_missing": "not_missing"}
_TOKEN_KINDS = {"number": "NUMBER", "int": "INT", "quantity": "QUANTITY", "date": "DATE", "time": "TIME"}
_TOKEN_KINDS |= {"datetime": "DATETIME"}
_SET_OPERATIONS = frozenset(("union", "except", "intersect", "union_all", "except_all", "intersect_all"))
_JOINS = {"join": None, "join_left": "left", "join_right": "right", "join_full": "full"}
_ARITY = {"where": 2, "distinct": 1, "whole": 1, "as": 2, "then": 2}
STAGES = frozenset(("where", "sort", "take", "at", "show", "distinct", "group", "whole", "then", "as"))
STAGES = STAGES | _SET_OPERATIONS | _JOINS.keys()

# A nullary call is written bare, but for the aggregates that also take an argument.
_ALWAYS_CALLED = frozenset(("count", "pick_all"))

Current = tuple[str, ...]


def print_turn(turn: Turn) -> str:
    """One line of canonical text. Raises ValueError for a term that has no spelling."""
    return print_tree(turn_tree(turn))


def print_turns(turns: Iterable[Turn]) -> str:
    """A program: one turn a line."""
    return "".join(print_turn(turn) + "\n" for turn in turns)


def print_term(term: Term) -> str:
    """A query or expression on its own."""
    return join(tokens_of(query_tree(term, ())))


def turn_tree(turn: Turn) -> Node:
    """The `turn` node."""
    acts: list[Tree] = []
    for i, act in enumerate(turn.acts):
        last = i == len(turn.acts) - 1
        has_arguments = bool(act.args or act.named)
        name = quote_name(act.name)
        acts.append(token("NAME", name) if has_arguments or not last else token("LABEL", name + ":"))
        if has_arguments:
            acts.append(_act_arguments(act))
    statements = tuple(_statement(s) for s in turn.statements)
    return Node("turn", (Node(turn.speaker, ()), Node("acts", tuple(acts)), *statements))


def _act_arguments(act: Act) -> Node:
    named = tuple(Node("named", (_label(label), _act_argument(value))) for label, value in act.named)
    return Node("args", (*(_act_argument(a) for a in act.args), *named))


def _act_argument(term: Term) -> Tree:
    match term:
        case Lit("path", path):
            owner, _, field = path.rpartition(".")
            if not owner:
                return _field(field)
            return Node("postfix", (_name_call(owner), _field(field)))
        case App("any" | "none" | "missing" as mark, (), (), ()):
            return Node(mark if mark == "missing" else f"mark_{mark}", ())
    # A field inside a larger argument is of no row, as a path is.
    return _expr(term, ("",), _LAMBDA)


def _statement(statement: Statement) -> Node:
    parts: list[Tree] = []
    default = "confirmed" if statement.outcome is not None else "accepted"
    if statement.status != default and statement.status != "accepted":
        parts.append(Node(statement.status, ()))
    if statement.let is not None:
        parts.append(Node("let", (token("NAME", quote_name(statement.let)), token("EQ", "="))))
    parts.append(query_tree(statement.term, ()))
    if statement.outcome is not None:
        parts.append(_outcome(statement.outcome))
    return Node("stmt", tuple(parts))


def _outcome(outcome: Outcome) -> Node:
    parts: list[Tree] = [_record(result, (), "record") for result in outcome.results]
    if outcome.count is not None:
        parts.append(Node("count", (_expr(outcome.count, (), _LAMBDA),)))
    if outcome.more:
        parts.append(Node("more", ()))
    if outcome.error is not None:
        parts.append(Node("error", (token("NAME", quote_name(outcome.error)),)))
    return Node("outcome", tuple(parts))


def _record(record: Record, current: Current, rule: str) -> Node:
    fields = tuple(Node("field", (_label(label), _expr(value, current, _LAMBDA))) for label, value in record.fields)
    return Node(rule, fields)


def _label(label: str) -> Token:
    return token("LABEL", quote_name(label) + ":")


def _field(name: str) -> Token:
    return token("FIELD", "." + (name if is_identifier(name) else quote_name(name)))


# ---------------------------------------------------------------- queries


def query_tree(term: Term, current: Current) -> Tree:
    """A pipeline as `query`; any other term as an expression."""
    if not is_pipeline(term):
        return _expr(term, current, _LAMBDA)
    stages: list[Tree] = []
    while is_pipeline(term):
        assert isinstance(term, App)
        stages.extend(reversed(_stage(term, current)))
        if term.fn == "as":
            inner = term.args[0]
            source = _parenthesized(inner, current) if is_pipeline(inner) else _expr(inner, current, _LAMBDA)
            return Node("query", (source, *reversed(stages)))
        term = term.args[0]
    return Node("query", (_expr(term, current, _LAMBDA), *reversed(stages)))


def is_pipeline(term: Term) -> bool:
    """Whether a term is written with `|` (or `as`)."""
    if not isinstance(term, App) or term.fn not in STAGES or not term.args or term.targs:
        return False
    if term.fn != "show" and term.named:
        return False
    wanted = _ARITY.get(term.fn)
    if wanted is not None and len(term.args) != wanted:
        return False
    if term.fn in ("where", "then"):
        return isinstance(term.args[1], Abs)
    return True


def _parenthesized(term: Term, current: Current) -> Tree:
    return Node("paren", (query_tree(term, current),))


def _stage(term: App, current: Current) -> list[Tree]:
    fn, rest = term.fn, term.args[1:]
    if fn in _SET_OPERATIONS:
        every = (Node("all", ()),) if fn.endswith("_all") else ()
        return [Node(fn.removesuffix("_all"), (*every, query_tree(rest[0], current)))]
    if fn in _JOINS:
        return [_join(fn, rest, current)]
    if fn == "as":
        return [Node("alias", (_binder_name(rest[0]),))]
    if fn == "where":
        return [Node("where", (_body(rest[0]),))]
    if fn == "sort":
        return [Node("sort", tuple(_sort_key(key) for key in rest))]
    if fn == "take":
        skip = (Node("skip", (_expr(rest[1], current, _LAMBDA),)),) if len(rest) > 1 else ()
        return [Node("take", (_expr(rest[0], current, _LAMBDA), *skip))]
    if fn == "at":
        return [Node("at", tuple(_expr(index, current, _LAMBDA) for index in rest))]
    if fn == "show":
        return [_show(term.named)]
    if fn == "group":
        return [Node("group", tuple(_body(key) for key in rest))]
    if fn == "then":
        return [Node("then", (_then_body(rest[0]),))]
    return [Node(fn, ())]


def _then_body(over: Term) -> Tree:
    assert isinstance(over, Abs)
    return query_tree(over.body, over.params)


def _body(over: Term) -> Tree:
    if not isinstance(over, Abs):
        raise ValueError("a stage needs an abstraction over its row")
    return _expr(over.body, over.params, _LAMBDA)


def _sort_key(key: Term) -> Node:
    if not (isinstance(key, Abs) and isinstance(key.body, App) and key.body.fn in ("asc", "desc")):
        raise ValueError("a sort key is an ascending or descending abstraction")
    return Node("sort_key", (_expr(key.body.args[0], key.params, _LAMBDA), Node(key.body.fn, ())))


def _show(named: tuple[tuple[str, Term], ...]) -> Node:
    items: list[Tree] = []
    taken: set[str] = set()
    for label, over in named:
        if not isinstance(over, Abs):
            raise ValueError("a shown item is an abstraction over the row")
        implied = default_label(over.body)
        written = label != implied or label in taken
        taken.add(label)
        if over.body == App("all_fields"):
            items.append(Node("star", (token("STAR", "*"),)))
            continue
        body = _expr(over.body, over.params, _LAMBDA)
        items.append(Node("item", (_label(label), body) if written else (body,)))
    return Node("show", tuple(items))


def _join(fn: str, rest: tuple[Term, ...], current: Current) -> Node:
    parts: list[Tree] = []
    kind = _JOINS[fn]
    if kind is not None:
        parts.append(Node(kind, ()))
    right = rest[0]
    alias: Term | None = None
    if isinstance(right, App) and right.fn == "as":
        right, alias = right.args
    match right:
        case App(name, (), (), ()):
            parts.append(token("NAME", quote_name(name)))
        case Var(name):
            parts.append(token("NAME", quote_name(name)))
        case _:
            parts.append(query_tree(right, current))
    if alias is not None:
        parts.append(Node("alias", (_binder_name(alias),)))
    if len(rest) > 1:
        parts.append(Node("on", (_body(rest[1]),)))
    return Node("join", tuple(parts))


def _binder_name(term: Term) -> Token:
    assert isinstance(term, Lit)
    return token("NAME", quote_name(term.value))


# ---------------------------------------------------------------- expressions


def _expr(term: Term, current: Current, level: int) -> Tree:
    tree, own = _term(term, current)
    return tree if own >= level else Node("paren", (tree,))


def _term(term: Term, current: Current) -> tuple[Tree, int]:
    match term:
        case Lit():
            return _literal(term), _PRIMARY
        case App():
            return _app(term, current)
        case Field():
            return _field_path(term, current)
        case Var(name):
            if current == (name,):
                return Node("it", ()), _PRIMARY
            return _name_call(name), _PRIMARY
        case Entity(text, identifier, type_):
            spelled = "@" + (quote(text) if text is not None else "")
            spelled += "#" + quote(identifier) if identifier is not None else ""
            return Node("entity", (token("ENT", spelled), *_of_type(type_))), _PRIMARY
        case Hole(index, type_):
            return Node("hole", (token("HOLE", f"${index}"), *_of_type(type_))), _PRIMARY
        case Abs("spec", ("it",), body):
            return Node("braces", (_expr(body, ("it",), _LAMBDA),)), _PRIMARY
        case Abs("fn", (name,), body):
            return Node("lambda", (token("NAME", quote_name(name)), _expr(body, current, _LAMBDA))), _LAMBDA
        case Record():
            return _record(term, current, "braces"), _PRIMARY
        case Apply(fn, args):
            if not isinstance(fn, Var):
                raise ValueError("only a variable can be applied")
            arguments = Node("args", tuple(_expr(a, current, _LAMBDA) for a in args))
            return Node("call", (token("NAME", quote_name(fn.name)), arguments)), _PRIMARY
        case Ascribe(inner, type_):
            shown = inner.args[0] if _is_scalar_query(inner) and isinstance(inner, App) else inner
            ascription = Node("ascription", (type_tree(type_),))
            return Node("paren", (query_tree(shown, current), ascription)), _PRIMARY
    raise ValueError(f"no spelling for {term!r}")


def _literal(term: Lit) -> Tree:
    match term:
        case Lit("text", value):
            return token("STR", quote(value))
        case Lit("bool", value):
            return Node(value, ())
        case Lit("raw", value):
            return Node("raw", (token("STR", quote(value)),))
        case Lit("int", value):
            return token("INT", value + "L")
        case Lit("name" | "path"):
            raise ValueError(f"{term!r} is no value")
    return token(_TOKEN_KINDS[term.kind], term.value)


def _of_type(type_: Type | None) -> tuple[Node, ...]:
    return (Node("of_type", (type_tree(type_),)),) if type_ is not None else ()


def type_tree(type_: Type) -> Node:
    """A `type` node. Raises ValueError for rows and open records, which have no spelling."""
    match resolve(type_):
        case Con(name, args):
            targs = (Node("targs", tuple(type_tree(a) for a in args)),) if args else ()
            return Node("type", (token("NAME", quote_name(name)), *targs))
        case Row(((_, only),)):
            return type_tree(only)
        case RecordType() | Row():
            return Node("type", (token("NAME", "_"),))
    return Node("type", (token("NAME", "_"),))


def _name_call(name: str) -> Node:
    return Node("call", (token("NAME", quote_name(name)),))


def _field_path(term: Field, current: Current) -> tuple[Tree, int]:
    fields: list[Token] = []
    inner: Term = term
    while isinstance(inner, Field):
        fields.append(_field(inner.name))
        inner = inner.subject
    fields.reverse()
    if isinstance(inner, Var) and current == (inner.name,):
        return (fields[0], _PRIMARY) if len(fields) == 1 else (Node("postfix", tuple(fields)), _POSTFIX)
    head = _expr(inner, current, _PRIMARY)
    if isinstance(head, Token) and head.kind != "STR":
        head = Node("paren", (head,))
    if isinstance(head, Node) and head.rule in ("true", "false", "raw", "everything", "exists"):
        head = Node("paren", (head,))
    return Node("postfix", (head, *fields)), _POSTFIX


def _is_scalar_query(term: Term) -> bool:
    return isinstance(term, App) and term.fn == "the" and len(term.args) == 1 and is_pipeline(term.args[0])


def _app(term: App, current: Current) -> tuple[Tree, int]:
    fn, args = term.fn, term.args
    if not term.named and not term.targs:
        sugar = _SUGAR.get(fn)
        if sugar is not None:
            written = sugar(fn, args, current)
            if written is not None:
                return written
    parts: list[Tree] = [token("NAME", quote_name(fn))]
    if term.targs:
        parts.append(Node("targs", tuple(type_tree(t) for t in term.targs)))
    if args or term.named or fn in _ALWAYS_CALLED:
        positional = tuple(_expr(a, current, _LAMBDA) for a in args)
        parts.append(Node("args", positional + tuple(_named(label, value, current) for label, value in term.named)))
    return Node("call", tuple(parts)), _PRIMARY


def _named(label: str, value: Term, current: Current) -> Node:
    match value:
        case App("any" | "none" | "missing" as mark, (), (), ()):
            return Node("named", (_label(label), Node(mark if mark == "missing" else f"mark_{mark}", ())))
    return Node("named", (_label(label), _expr(value, current, _LAMBDA)))


Written = tuple[Tree, int] | None
Args = tuple[Term, ...]


def _connective(rule: str, level: int) -> Callable[[str, Args, Current], Written]:
    def write(fn: str, args: Args, current: Current) -> Written:
        if len(args) < 2:
            return None
        return Node(rule, tuple(_expr(a, current, level + 1) for a in args)), level

    return write


def _not(fn: str, args: Args, current: Current) -> Written:
    return (Node("not", (_expr(args[0], current, _NOT),)), _NOT) if len(args) == 1 else None


def _compare(fn: str, args: Args, current: Current) -> Written:
    if len(args) != 2:
        return None
    kind = {"=": "EQ", "<": "LT"}.get(fn, "CMP")
    tail = Node("compare", (token(kind, fn), _expr(args[1], current, _SUM)))
    return Node("comparison", (_expr(args[0], current, _SUM), tail)), _COMPARISON


def _like(fn: str, args: Args, current: Current) -> Written:
    if len(args) != 2:
        return None
    return _tail(fn, args[0], Node("like", (_expr(args[1], current, _SUM),)), current)


def _in(fn: str, args: Args, current: Current) -> Written:
    if len(args) != 2:
        return None
    member = args[1]
    right = _parenthesized(member, current) if is_pipeline(member) else _expr(member, current, _SUM)
    return _tail(fn, args[0], Node("member", (right,)), current)


def _between(fn: str, args: Args, current: Current) -> Written:
    if len(args) != 3:
        return None
    upto = Node("upto", (_expr(args[2], current, _SUM),))
    return _tail(fn, args[0], Node("member", (_expr(args[1], current, _SUM), upto)), current)


def _tail(fn: str, left: Term, tail: Node, current: Current) -> Written:
    tail = Node("excluded", (tail,)) if fn.startswith("not_") else tail
    return Node("comparison", (_expr(left, current, _SUM), tail)), _COMPARISON


def _mark(fn: str, args: Args, current: Current) -> Written:
    return _is_tail(args[0], Node(_MARKS[fn], ()), current) if len(args) == 1 else None


def _is(fn: str, args: Args, current: Current) -> Written:
    return _is_tail(args[0], _expr(args[1], current, _SUM), current) if len(args) == 2 else None


def _is_tail(left: Term, what: Tree, current: Current) -> Written:
    if isinstance(left, Var) and current == (left.name,):
        return Node("is", (what,)), _COMPARISON
    return Node("comparison", (_expr(left, current, _SUM), Node("is", (what,)))), _COMPARISON


def _arithmetic(rule: str, level: int) -> Callable[[str, Args, Current], Written]:
    kinds = {"+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH", "%": "PERCENT"}

    def write(fn: str, args: Args, current: Current) -> Written:
        if len(args) != 2:
            return None
        left = _expr(args[0], current, level)
        right = _expr(args[1], current, level + 1)
        first = left.children if isinstance(left, Node) and left.rule == rule else (left,)
        return Node(rule, (*first, token(kinds[fn], fn), right)), level

    return write


def _negative(fn: str, args: Args, current: Current) -> Written:
    return (
        (Node("negative", (token("MINUS", "-"), _expr(args[0], current, _UNARY))), _UNARY) if len(args) == 1 else None
    )


def _list(fn: str, args: Args, current: Current) -> Written:
    return Node("list", tuple(_expr(a, current, _LAMBDA) for a in args)), _PRIMARY


def _exists(fn: str, args: Args, current: Current) -> Written:
    return (Node("exists", (query_tree(args[0], current),)), _PRIMARY) if len(args) == 1 else None


def _the(fn: str, args: Args, current: Current) -> Written:
    if len(args) == 1 and is_pipeline(args[0]):
        return _parenthesized(args[0], current), _PRIMARY
    return None


def _everything(fn: str, args: Args, current: Current) -> Written:
    return (Node("everything", ()), _PRIMARY) if not args else None


_SUGAR: dict[str, Callable[[str, Args, Current], Written]] = {
    "or": _connective("disjunction", _OR),
    "and": _connective("conjunction", _AND),
    "not": _not,
    **{operator: _compare for operator in _COMPARISONS},
    "like": _like,
    "not_like": _like,
    "in": _in,
    "not_in": _in,
    "between": _between,
    "not_between": _between,
    **{mark: _mark for mark in _MARKS},
    "is": _is,
    "+": _arithmetic("sum", _SUM),
    "-": _arithmetic("sum", _SUM),
    "*": _arithmetic("product", _PRODUCT),
    "/": _arithmetic("product", _PRODUCT),
    "%": _arithmetic("product", _PRODUCT),
    "negate_number": _negative,
    "list": _list,
    "exists": _exists,
    "the": _the,
    "everything": _everything,
}
