"""A Lispress program through the published graph form and back (`lispress_to_program`, `program_to_lispress`).

Kept apart from `targets.dataflow.canonical`, which is meant to be right: this one is meant to agree with the published
tool on every text, faults included (they are listed in `dataflow_canonical`). Anything the published tool would have
stopped at raises some exception here, of no particular class.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Raw: TypeAlias = str | list["Raw"]

_LONG = re.compile(r"([0-9]+)L$")
_SCHEMA_OF = {str: "String", float: "Number", int: "Number", bool: "Boolean"}
_WRAPPED_ONLY_IN_V1 = ("Number", "String", "Boolean")


@dataclass(slots=True)
class _Node:
    id: int
    head: Raw
    """A value's text, or a function's name."""
    is_value: bool = False
    names: list[str | None] = field(default_factory=list)
    args: list[int] = field(default_factory=list)
    type_args: list[Raw] | None = None
    type: Raw | None = None


def through_graph(expr: Raw) -> Raw:
    """The program rebuilt from its graph, accessors as `(:key X)`."""
    expr = _without_accessors(expr)
    if expr == []:
        return []
    nodes: list[_Node] = []
    _add(expr, 0, {}, nodes)
    return _with_accessors(_nest(nodes))


def _parts(expr: Raw) -> list[Raw]:
    """The elements of a list, or the characters of a string: the published code unpacks either without looking."""
    return [*expr]


def _without_accessors(expr: Raw) -> Raw:
    if isinstance(expr, str) or not expr:
        return expr
    if isinstance(expr[0], str) and expr[0].startswith(":"):
        key, inner = expr
        return ["get", _without_accessors(inner), ["#", ["Path", f'"{str(key)[1:]}"']]]
    return list(map(_without_accessors, expr))


def _with_accessors(expr: Raw) -> Raw:
    if isinstance(expr, str) or not expr:
        return expr
    if expr[0] == "get":
        _, inner, path = expr
        try:
            _, pair = _parts(path)
            _, key = _parts(pair)
        except ValueError:
            return expr
        if isinstance(key, str) and key.startswith('"') and key.endswith('"') and key[1:-1].isalnum():
            return [f":{key[1:-1]}", _with_accessors(inner)]
    return list(map(_with_accessors, expr))


_Env: TypeAlias = dict[str, int]


def _add(expr: Raw, last: int, env: _Env, nodes: list[_Node]) -> tuple[int, int, _Env]:
    """Append the nodes of `expr`. In and out: the last id given, and what is bound; also out: the id of `expr`."""
    if isinstance(expr, str):
        return _add_atom(expr, last, env, nodes)
    if not expr:
        return _value([], "Unit", last, env, nodes)
    head, *rest = [each for each in expr if each != "ExternalReference"]
    start = len(nodes)
    if not isinstance(head, str):
        if len(head) != 3 or head[0] != "^":
            raise ValueError("a list as head")
        _, types, function = head
        found = _add([function, *rest], last, env, nodes)
        nodes[start:][-1].type_args = [_type(each) for each in types]
        return found
    if len(head) > 1 and head[0] == "x" and head[1:].isnumeric():
        return env[head], last, env
    if head.startswith("[") and head.endswith("]"):
        return int(head[1:-1]), last, env
    if head == "let":
        return _add_let(rest, last, env, nodes)
    if head == "lambda":
        return _add_lambda(rest, last, env, nodes)
    if head == "^":
        given, inner = rest
        found = _add(inner, last, env, nodes)
        if len(nodes) > start:
            nodes[-1].type = _type(given)
        return found
    if head == "#":
        (body,) = rest
        schema, *words = _parts(body)
        text = " ".join(_only_atoms(words))
        try:
            return _value(json.loads(text), schema, last, env, nodes)
        except json.JSONDecodeError:
            return _value(text, schema, last, env, nodes)
    named = "A" <= head[:1] <= "Z"
    names: list[str | None] = []
    args: list[int] = []
    key: str | None = None
    for item in rest:
        if named and isinstance(item, str) and item.startswith(":"):
            key = item[1:]
            continue
        arg, last, env = _add(item, last, env, nodes)
        names.append(key if named else f"arg{len(args)}")
        args.append(arg)
    if "nonEmptyBase" in names and named:
        base = args[names.index("nonEmptyBase")]
        names, args = ["nonEmptyBase", *names], [base, *args]
    nodes.append(_Node(last + 1, head, names=names, args=args))
    return last + 1, last + 1, env


def _only_atoms(words: list[Raw]) -> list[str]:
    atoms = [word for word in words if isinstance(word, str)]
    if len(atoms) < len(words):
        raise TypeError("a list inside a value")
    return atoms


def _add_atom(text: str, last: int, env: _Env, nodes: list[_Node]) -> tuple[int, int, _Env]:
    long = _LONG.match(text)
    if long is not None:
        return _value(int(long.group(1)), "Long", last, env, nodes)
    if text in env:
        return env[text], last, env
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return _add([text], last, env, nodes)
    if type(value) not in _SCHEMA_OF:
        return _add([text], last, env, nodes)
    return _value(value, _SCHEMA_OF[type(value)], last, env, nodes)


def _value(value: Any, schema: Raw, last: int, env: _Env, nodes: list[_Node]) -> tuple[int, int, _Env]:
    head: Raw
    if schema == "Long":
        head = f"{value}L"
    elif value is None or isinstance(value, dict) or (isinstance(value, list) and value):
        raise ValueError("a value that the published writer refuses")
    elif schema in _WRAPPED_ONLY_IN_V1:
        head = json.dumps(value)
    else:
        head = ["#", [schema, json.dumps(value)]]
    nodes.append(_Node(last + 1, head, is_value=True))
    return last + 1, last + 1, env


def _add_let(rest: list[Raw], last: int, env: _Env, nodes: list[_Node]) -> tuple[int, int, _Env]:
    pairs, *body = rest
    if not body or len(pairs) % 2:
        raise ValueError("let")
    for at in range(0, len(pairs), 2):
        name = pairs[at]
        found, last, env = _add(pairs[at + 1], last, env, nodes)
        if not isinstance(name, str):
            raise TypeError("let")
        env[name] = found
    for each in body:
        found, last, env = _add(each, last, env, nodes)
    return found, last, env


def _add_lambda(rest: list[Raw], last: int, env: _Env, nodes: list[_Node]) -> tuple[int, int, _Env]:
    params, body = rest
    (param,) = _parts(params)
    mark, given, name = _parts(param)
    if mark != "^" or not isinstance(name, str):
        raise ValueError("lambda")
    arg = last + 1
    nodes.append(_Node(arg, "lambda_arg", type_args=[_type(given)]))
    result, last, env = _add(body, arg, {**env, name: arg}, nodes)
    nodes.append(_Node(result + 1, "lambda", names=["arg0", "arg1"], args=[arg, result]))
    return result + 1, result + 1, env


def _type(expr: Raw) -> Raw:
    """A type as it will be printed: a name without arguments loses its parentheses."""
    if isinstance(expr, str):
        return expr
    head, *rest = expr
    return [head, *map(_type, rest)] if rest else head


def _in_order(nodes: list[_Node]) -> list[_Node]:
    """Each node once, after its arguments, left to right; several roots get a `do`."""
    by_id = {node.id: node for node in nodes}
    used = {arg for node in nodes for arg in node.args}
    roots = [node.id for node in nodes if node.id not in used]
    if len(roots) != 1:
        if not roots:
            raise ValueError("no root")
        top = max(by_id) + 1
        by_id[top] = _Node(top, "do", names=[f"arg{i}" for i in range(len(roots))], args=roots)
        roots = [top]
    order: list[_Node] = []
    seen: set[int] = set()
    pending = [(roots[0], False)]
    while pending:
        id_, complete = pending.pop()
        if complete:
            order.append(by_id[id_])
        elif id_ not in seen:
            seen.add(id_)
            pending.append((id_, True))
            pending += [(arg, False) for arg in reversed(by_id[id_].args)]
    return order


def _nest(nodes: list[_Node]) -> Raw:
    nodes = _in_order(nodes)
    uses = Counter(arg for node in nodes for arg in node.args)
    names: dict[int, str] = {}
    params: dict[int, Raw] = {}
    exprs: dict[int, Raw] = {}
    bindings: list[Raw] = []
    roots: list[Raw] = []
    for node in nodes:
        expr = node.head if node.is_value else _call(node, names, params, exprs)
        if node.type is not None:
            expr = ["^", node.type, expr]
        if node.head == "lambda_arg" and not node.is_value:
            names[node.id] = f"x{len(names)}"
            params[node.id] = ["^", *(node.type_args or []), names[node.id]]
        elif uses[node.id] >= 2:
            names[node.id] = f"x{len(names)}"
            bindings += [names[node.id], expr]
        elif not uses[node.id]:
            roots.append(expr)
        else:
            exprs[node.id] = expr
    if not roots:
        raise ValueError("no root")
    result = roots[0] if len(roots) == 1 else ["do", *roots]
    return ["let", bindings, result] if bindings else result


def _call(node: _Node, names: dict[int, str], params: dict[int, Raw], exprs: dict[int, Raw]) -> Raw:
    head: Raw = node.head
    if node.type_args is not None:
        if not node.type_args:
            raise TypeError("an empty list of type arguments")
        head = ["^", list(node.type_args), head]
    pairs = list(zip(node.names, node.args, strict=True))
    if None not in node.names:
        pairs.sort(key=lambda pair: (pair[0] or "", f"[{pair[1]}]"))
    items = [head]
    for at, (name, arg) in enumerate(pairs):
        if name is not None and not name.startswith("arg"):
            items.append(f":{name}")
        if at == 0 and node.head == "lambda" and arg in params:
            items.append([params[arg]])
        elif arg in names:
            items.append(names[arg])
        elif arg in exprs:
            items.append(exprs[arg])
        else:
            items.append(["ExternalReference", f"[{arg}]"])
    return items
