"""The standard form of a program: what the published `program_to_lispress` writes.

A program is a graph; `let` only gives a node a name so that it can be used twice. The standard form names exactly
the nodes that are used at least twice, `x0`, `x1`, ... in the order in which they are complete, in one `let` at the
top; joins several roots (a value never used is one) with `do`; sorts arguments that are all named; spells literals
as JSON; writes `(get X #(Path "k"))` as `(:k X)`; and parenthesizes bare names. A shared node that needs the
parameter of a `lambda` is named inside that `lambda`, where the published tool would take it out of its scope.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from .program import Arg, Ascribed, Atom, Call, Empty, Expr, Lambda, Let, Name, Opaque, Tagged, TypeExpr, Var
from .sexp import META, VALUE, LispressError, Sexp, symbol, write
from .writer import sexp_of, type_sexp

_PLAIN_SCHEMAS = ("Number", "String", "Boolean")


@dataclass(slots=True)
class _Node:
    head: Sexp
    """The whole expression for a leaf, the head of a list for a call, unused for `lambda` and its parameter."""
    kind: str
    args: list[tuple[str | None, int | None]] = field(default_factory=list)
    type: TypeExpr | None = None
    params: frozenset[int] = frozenset()
    """The lambda parameters that the node depends on."""


def canonical(expr: Expr) -> Sexp:
    """The standard form. Raises `LispressError` for an unbound variable."""
    nodes: list[_Node] = []
    try:
        if not isinstance(expr, Empty):
            _add(expr, {}, nodes)
    except RecursionError:
        raise LispressError("nested too deep") from None
    return _nest(nodes) if nodes else ()


def write_canonical(expr: Expr) -> str:
    """The standard form on one line."""
    return write(canonical(expr))


def _new(nodes: list[_Node], node: _Node) -> int:
    for _, arg in node.args:
        if arg is not None:
            node.params |= nodes[arg].params
    nodes.append(node)
    return len(nodes) - 1


def _add(expr: Expr, env: dict[str, int], nodes: list[_Node]) -> int:
    """Add the nodes of `expr` after those of its parts; the id of its root."""
    match expr:
        case Var(name):
            if name not in env:
                raise LispressError(f"`{name}` is not bound")
            return env[name]
        case Name(name):
            return _new(nodes, _Node(symbol(name), "call"))
        case Call(head, args, None) if head.startswith(":") and len(args) == 1 and _is_positional(args[0]):
            return _add(Call("get", (*args, Arg(None, Tagged("Path", (json.dumps(head[1:]),))))), env, nodes)
        case Call(head, args, type_args):
            ids = [(arg.name, None if arg.value is None else _add(arg.value, env, nodes)) for arg in args]
            if all(name is not None for name, _ in ids):
                ids.sort(key=lambda pair: pair[0] or "")
            name_sexp: Sexp = symbol(head)
            if type_args is not None:
                name_sexp = (META, tuple([type_sexp(each) for each in type_args]), name_sexp)
            return _new(nodes, _Node(name_sexp, "call", ids))
        case Let(bindings, body):
            inner = dict(env)
            for name, value in bindings:
                inner[name] = _add(value, inner, nodes)
            return [_add(each, inner, nodes) for each in body][-1]
        case Lambda(name, given, body_expr):
            param = _new(nodes, _Node((), "param", type=given))
            nodes[param].params = frozenset({param})
            body_id = _add(body_expr, {**env, name: param}, nodes)
            result = _new(nodes, _Node((), "lambda", [(None, param), (None, body_id)]))
            nodes[result].params -= {param}
            return result
        case Ascribed(given, inner_expr):
            root = _add(inner_expr, env, nodes)
            if not _is_variable(inner_expr):
                nodes[root].type = given
            return root
        case Atom():
            return _new(nodes, _Node(_atom(expr), "leaf"))
        case Tagged():
            return _new(nodes, _Node(_tagged(expr), "leaf"))
        case Empty() | Opaque():
            return _new(nodes, _Node(sexp_of(expr), "leaf"))


def _is_positional(arg: Arg) -> bool:
    return arg.name is None and arg.value is not None


def _is_variable(expr: Expr) -> bool:
    while isinstance(expr, Let):
        expr = expr.body[-1]
    return isinstance(expr, Var)


def _atom(atom: Atom) -> str:
    if atom.kind == "Long":
        return f"{_digits(atom.text[:-1])}L"
    try:
        return json.dumps(json.loads(atom.text, strict=False))
    except ValueError:
        return atom.text


def _digits(text: str) -> str:
    return text.lstrip("0") or "0"


def _tagged(tagged: Tagged) -> Sexp:
    value = tagged.value
    if tagged.schema in _PLAIN_SCHEMAS and isinstance(value, str | int | float):
        return json.dumps(value)
    if tagged.schema == "Long" and isinstance(value, int):
        return f"{value}L"
    if isinstance(value, dict) or (isinstance(value, list) and value):
        return (VALUE, (symbol(tagged.schema), *tagged.values))
    return (VALUE, (symbol(tagged.schema), json.dumps(value)))


def _in_order(nodes: list[_Node], root: int) -> list[int]:
    """Ids below `root`, each after its arguments, left to right, once."""
    order: list[int] = []
    seen: set[int] = set()
    pending: list[tuple[int, bool]] = [(root, False)]
    while pending:
        node, complete = pending.pop()
        if complete:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            pending.append((node, True))
            pending += [(arg, False) for _, arg in reversed(nodes[node].args) if arg is not None]
    return order


def _nest(nodes: list[_Node]) -> Sexp:
    uses = Counter(arg for node in nodes for _, arg in node.args if arg is not None)
    roots = [i for i in range(len(nodes)) if not uses[i]]
    root = roots[0] if len(roots) == 1 else _new(nodes, _Node("do", "call", [(None, i) for i in roots]))

    sexps: dict[int, Sexp] = {}
    bound: dict[int | None, list[Sexp]] = {}
    names = 0
    for i in _in_order(nodes, root):
        node = nodes[i]
        if node.kind == "leaf":
            sexp = node.head
        elif node.kind == "param":
            sexp = f"x{names}"
        elif node.kind == "lambda":
            param, body = [arg for _, arg in node.args if arg is not None]
            given = nodes[param].type
            mark = sexps[param] if given is None else (META, type_sexp(given), sexps[param])
            sexp = ("lambda", (mark,), _with_bindings(bound.pop(param, []), sexps[body]))
        else:
            sexp = _call(node, sexps)
        if node.type is not None and node.kind != "param":
            sexp = (META, type_sexp(node.type), sexp)
        if node.kind == "param":
            names += 1
        elif uses[i] >= 2:
            bound.setdefault(max(node.params, default=None), []).extend((f"x{names}", sexp))
            sexp = f"x{names}"
            names += 1
        sexps[i] = sexp
    return _with_bindings(bound.pop(None, []), sexps[root])


def _with_bindings(bindings: list[Sexp], body: Sexp) -> Sexp:
    return ("let", tuple(bindings), body) if bindings else body


def _call(node: _Node, sexps: dict[int, Sexp]) -> Sexp:
    items = [node.head]
    for name, arg in node.args:
        if name is not None:
            items.append(f":{symbol(name)}" if name else ":")
        if arg is not None:
            items.append(sexps[arg])
    if len(items) == 3 and items[0] == "get" and node.args[0][0] is None:
        path = items[2]
        if isinstance(path, tuple) and len(path) == 2 and path[0] == VALUE and isinstance(path[1], tuple):
            text = path[1][1] if len(path[1]) == 2 else ""
            if isinstance(text, str) and text.startswith('"') and text[1:-1].isalnum():
                return (f":{text[1:-1]}", items[1])
    return tuple(items)
