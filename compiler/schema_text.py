"""Schemas as DL text, both ways."""

from dataclasses import replace
from typing import Literal, cast

from ..grammar.lexer import Token
from ..grammar.parser import parse
from ..grammar.printer import print_tree
from ..grammar.syntax import Node, Tree, token
from .lower import lower_type
from .schema import (
    ActDecl,
    Column,
    EntityType,
    EnumType,
    Facts,
    FactValue,
    FieldDecl,
    Function,
    Member,
    Parameter,
    Schema,
    Table,
    Wrapper,
)
from .spelling import quote, quote_name, unescape, unquote_name
from .types import UNIT, Con, RecordType, Type


def read_schema(text: str, name: str = "schema") -> Schema:
    """Parse schema text. Raises CompileError (DLC00x). `name` is used if the text declares none."""
    schema = Schema(name)
    for decl in cast("tuple[Node, ...]", parse(text, "schema").children):
        schema = _declare(schema, decl)
    return schema


def _declare(schema: Schema, decl: Node) -> Schema:
    match decl.rule:
        case "schema_name":
            return replace(schema, name=_name(decl.children[0]), facts=_facts(decl))
        case "open" | "ordered":
            inner = cast(Node, decl.children[0])
            if inner.rule == "enum":
                made = replace(_enum(inner), open=decl.rule == "open", ordered=decl.rule == "ordered")
                return replace(schema, enums=(*schema.enums, made))
            return replace(schema, entities=(*schema.entities, replace(_entity(inner), open=True)))
        case "enum":
            return replace(schema, enums=(*schema.enums, _enum(decl)))
        case "entity_type":
            return replace(schema, entities=(*schema.entities, _entity(decl)))
        case "wrapper":
            type_ = lower_type(_child(decl, "type"))
            return replace(schema, wrappers=(*schema.wrappers, Wrapper(_name(decl.children[0]), type_, _facts(decl))))
        case "table":
            return replace(
                schema, tables=(*schema.tables, Table(_name(decl.children[0]), _columns(decl), _facts(decl)))
            )
        case "action" | "fun":
            return replace(schema, functions=(*schema.functions, _function(decl)))
        case "field_of":
            owner, name = _name(decl.children[0]), unquote_name(cast(Token, decl.children[1]).text[1:])
            made_field = FieldDecl(owner, name, lower_type(_child(decl, "type")), _facts(decl))
            return replace(schema, fields=(*schema.fields, made_field))
        case "act":
            speaker = cast(Literal["user", "agent"], cast(Node, decl.children[0]).rule)
            params = [
                _parameters(child) for child in decl.children if isinstance(child, Node) and child.rule == "params"
            ]
            act = ActDecl(speaker, _name(decl.children[1]), params[0] if params else (), _facts(decl))
            return replace(schema, acts=(*schema.acts, act))
    raise AssertionError(decl.rule)


def _name(tree: Tree) -> str:
    return unquote_name(cast(Token, tree).text)


def _label_name(tree: Tree) -> str:
    return unquote_name(cast(Token, tree).text.rstrip(":").removesuffix("?"))


def _child(node: Node, rule: str) -> Node:
    return next(c for c in node.children if isinstance(c, Node) and c.rule == rule)


def _nodes(node: Node, rule: str) -> list[Node]:
    return [c for c in node.children if isinstance(c, Node) and c.rule == rule]


def _facts(node: Node) -> Facts:
    facts: list[tuple[str, FactValue]] = []
    for child in _nodes(node, "fact"):
        name = cast(Token, child.children[0]).text[1:]
        value: FactValue = None
        if len(child.children) > 1:
            given = child.children[1]
            if isinstance(given, Node):
                value = tuple(unescape(cast(Token, item)) for item in given.children)
            else:
                value = unescape(given) if given.kind == "STR" else unquote_name(given.text)
        facts.append((name, value))
    return tuple(facts)


def _members(node: Node) -> tuple[Member, ...]:
    return tuple(Member(_name(m.children[0]), _facts(m)) for m in _nodes(node, "enum_member"))


def _enum(node: Node) -> EnumType:
    return EnumType(_name(node.children[0]), _members(node), facts=_facts(node))


def _entity(node: Node) -> EntityType:
    names = [c for c in node.children if isinstance(c, Token) and c.kind == "NAME"]
    supertype = _name(names[1]) if len(names) > 1 else None
    return EntityType(_name(names[0]), supertype, facts=_facts(node))


def _columns(node: Node) -> tuple[Column, ...]:
    return tuple(_column(child) for child in _nodes(node, "column"))


def _column(node: Node) -> Column:
    rules = {c.rule for c in node.children if isinstance(c, Node)}
    references = None
    for child in _nodes(node, "references"):
        references = (_name(child.children[0]), unquote_name(cast(Token, child.children[1]).text[1:]))
    return Column(
        _label_name(node.children[0]),
        lower_type(_child(node, "type")),
        "optional" in rules,
        "key" in rules,
        "unique" in rules,
        _bound(node, "minimum"),
        _bound(node, "maximum"),
        references,
        _facts(node),
    )


def _bound(node: Node, rule: str) -> str | None:
    for child in _nodes(node, rule):
        return cast(Token, child.children[0]).text
    return None


def _parameters(node: Node) -> tuple[Parameter, ...]:
    params: list[Parameter] = []
    for child in cast("tuple[Node, ...]", node.children):
        type_ = lower_type(_child(child, "type"))
        first = child.children[0]
        name = _label_name(first) if isinstance(first, Token) else None
        if child.rule == "positional":
            params.append(Parameter(name, type_, positional=True))
        else:
            optional = cast(Token, first).kind == "OPTIONAL_LABEL"
            bounds = (_bound(child, "minimum"), _bound(child, "maximum"))
            params.append(Parameter(name, type_, False, optional, *bounds, _facts(child)))
    return tuple(params)


def _function(node: Node) -> Function:
    name = _name(node.children[0])
    action = node.rule == "action"
    params = _parameters(_child(node, "params"))
    tparams: tuple[tuple[str, str], ...] = ()
    for child in _nodes(node, "tparams"):
        pairs = [cast("tuple[Token, ...]", t.children) for t in cast("tuple[Node, ...]", child.children)]
        tparams = tuple((_label_name(p[0]), _name(p[1]) if len(p) > 1 else "") for p in pairs)
    params = tuple(replace(p, type=_quantify(p.type, {t for t, _ in tparams})) for p in params)
    columns: tuple[Column, ...] = ()
    errors: tuple[Member, ...] = ()
    result: Type = UNIT
    for part in node.children:
        if isinstance(part, Node) and part.rule == "type":
            result = _quantify(lower_type(part), {t for t, _ in tparams})
        elif isinstance(part, Node) and part.rule == "columns":
            columns = _columns(part)
            result = RecordType(tuple((c.name, c.type) for c in columns))
        elif isinstance(part, Node) and part.rule == "errors":
            errors = _members(part)
    return Function(name, params, result, tparams, action, columns, errors, _facts(node))


def _quantify(type_: Type, names: set[str]) -> Type:
    from .types import Param

    if isinstance(type_, Con):
        if type_.name in names and not type_.args:
            return Param(type_.name)
        return Con(type_.name, tuple(_quantify(a, names) for a in type_.args))
    return type_


# ---------------------------------------------------------------- writing


def print_schema(schema: Schema) -> str:
    """Canonical schema text: one declaration a line."""
    decls: list[Node] = [Node("schema_name", (_spelled(schema.name), *_fact_nodes(schema.facts)))]
    decls += [_enum_node(e) for e in schema.enums]
    decls += [_entity_node(e) for e in schema.entities]
    decls += [
        Node("wrapper", (_spelled(w.name), token("EQ", "="), _type_node(w.type), *_fact_nodes(w.facts)))
        for w in schema.wrappers
    ]
    decls += [
        Node("table", (_spelled(t.name), *map(_column_node, t.columns), *_fact_nodes(t.facts))) for t in schema.tables
    ]
    decls += [
        Node("field_of", (_spelled(f.owner), _field_token(f.name), _type_node(f.type), *_fact_nodes(f.facts)))
        for f in schema.fields
    ]
    decls += [_function_node(f) for f in schema.functions]
    decls += [_act_node(a) for a in schema.acts]
    return print_tree(Node("schema", tuple(decls)))


def _spelled(name: str) -> Token:
    return token("NAME", quote_name(name, "schema"))


def _field_token(name: str) -> Token:
    return token("FIELD", "." + (name if name.isidentifier() and name.isascii() else f"`{name}`"))


def _type_node(type_: Type) -> Node:
    if isinstance(type_, Con):
        targs = (Node("targs", tuple(map(_type_node, type_.args))),) if type_.args else ()
        return Node("type", (_spelled(type_.name), *targs))
    return Node("type", (_spelled(getattr(type_, "name", "_")),))


def _fact_nodes(facts: Facts) -> tuple[Node, ...]:
    nodes = []
    for name, value in facts:
        parts: list[Tree] = [token("FACT", "@" + name)]
        if isinstance(value, tuple):
            parts.append(Node("fact_list", tuple(token("STR", quote(item)) for item in value)))
        elif value is not None:
            parts.append(token("STR", quote(value)))
        nodes.append(Node("fact", tuple(parts)))
    return tuple(nodes)


def _member_node(member: Member) -> Node:
    return Node("enum_member", (_spelled(member.name), *_fact_nodes(member.facts)))


def _enum_node(enum: EnumType) -> Node:
    body: list[Tree] = [_spelled(enum.name), *_fact_nodes(enum.facts)]
    if enum.members:
        body += [token("EQ", "="), *map(_member_node, enum.members)]
    node = Node("enum", tuple(body))
    return Node("open", (node,)) if enum.open else Node("ordered", (node,)) if enum.ordered else node


def _entity_node(entity: EntityType) -> Node:
    above = (token("LT", "<"), _spelled(entity.supertype)) if entity.supertype else ()
    node = Node("entity_type", (_spelled(entity.name), *above, *_fact_nodes(entity.facts)))
    return Node("open", (node,)) if entity.open else node


def _label_token(name: str, optional: bool = False) -> Token:
    spelled = quote_name(name, "schema")
    return token("OPTIONAL_LABEL", spelled + "?:") if optional else token("LABEL", spelled + ":")


def _column_node(column: Column) -> Node:
    parts: list[Tree] = [_label_token(column.name), _type_node(column.type)]
    parts += [Node(rule, ()) for rule in ("optional", "key", "unique") if getattr(column, rule)]
    parts += _bound_nodes(column.minimum, column.maximum)
    if column.references is not None:
        parts.append(Node("references", (_spelled(column.references[0]), _field_token(column.references[1]))))
    return Node("column", (*parts, *_fact_nodes(column.facts)))


def _bound_nodes(minimum: str | None, maximum: str | None) -> list[Tree]:
    bounds = (("minimum", minimum), ("maximum", maximum))
    return [Node(rule, (token("NUMBER", value),)) for rule, value in bounds if value is not None]


def _params_node(params: tuple[Parameter, ...]) -> Node:
    nodes = []
    for param in params:
        if param.positional:
            label = (_label_token(param.name),) if param.name else ()
            nodes.append(Node("positional", (*label, _type_node(param.type))))
        else:
            assert param.name is not None
            bounds = _bound_nodes(param.minimum, param.maximum)
            parts = (_label_token(param.name, param.optional), _type_node(param.type), *bounds)
            nodes.append(Node("parameter", (*parts, *_fact_nodes(param.facts))))
    return Node("params", tuple(nodes))


def _function_node(function: Function) -> Node:
    parts: list[Tree] = [_spelled(function.name)]
    if function.tparams:
        pairs = [(_label_token(name), _spelled(cls)) if cls else (_spelled(name),) for name, cls in function.tparams]
        parts.append(Node("tparams", tuple(Node("tparam", pair) for pair in pairs)))
    parts.append(_params_node(function.params))
    if function.columns:
        parts.append(Node("columns", tuple(map(_column_node, function.columns))))
    elif not (function.action and function.result == UNIT):
        parts.append(_type_node(function.result))
    parts += _fact_nodes(function.facts)
    if function.errors:
        parts.append(Node("errors", tuple(map(_member_node, function.errors))))
    return Node("action" if function.action else "fun", tuple(parts))


def _act_node(act: ActDecl) -> Node:
    params = (_params_node(act.params),) if act.params else ()
    return Node("act", (Node(act.speaker, ()), _spelled(act.name), *params, *_fact_nodes(act.facts)))
