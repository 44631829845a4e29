"""Whole ThingTalk texts to text: dialogue states, programs, class definitions, policies, control commands."""

from typing import cast

from .ast import DialogueState, Item
from .declarations import (
    ClassDef,
    Control,
    Dataset,
    EntityDef,
    Example,
    ExpressionStatement,
    FunctionDeclaration,
    FunctionDef,
    Import,
    Input,
    Let,
    Member,
    Policy,
    PolicyFunction,
    Return,
    Statement,
)
from .print_filters import print_filter
from .print_queries import print_expression, print_params
from .print_types import annotation_tokens, argument_tokens
from .printer import CALL, Printer
from .values import Annotation, Object, Value


def to_text(tree: Input, tokenized: bool = False) -> str:
    """A whole text on one line. Raises ThingTalkPrintError for what the syntax cannot write."""
    p = Printer(tokenized)
    match tree:
        case DialogueState():
            _dialogue(p, tree)
        case Policy():
            _policy(p, tree)
        case Control(name, value):
            p.out.append(f"${name}")
            if value is not None:
                p.out.append(CALL)
                p.value(value)
                p.out.append(")")
            p.out.append(";")
        case _:
            _annotations(p, tree.annotations)
            for statement in tree.statements:
                _statement(p, statement)
    return p.text()


def _annotations(p: Printer, annotations: tuple[Annotation, ...]) -> None:
    if annotations:
        p.out += annotation_tokens(annotations, p)


# ---------------------------------------------------------------- dialogue states


def _dialogue(p: Printer, state: DialogueState) -> None:
    p.out.append("$dialogue")
    p.function(state.policy, state.act)
    if state.params is not None:
        p.out.append(CALL)
        p.commas(state.params, p.value)
        p.out.append(")")
    _annotations(p, state.annotations)
    p.out.append(";")
    for item in state.items:
        _item(p, item)


def _item(p: Printer, item: Item) -> None:
    print_expression(p, item.expression)
    results = item.results
    if results is not None:
        p.out += ("#[", "results", "=", "[")
        p.commas(results.rows, lambda row: p.value(cast(Object, row)))
        p.out += ("]", "]")
        if results.count is not None:
            _annotation(p, "count", results.count)
        if results.more:
            p.out += ("#[", "more", "=", "true", "]")
        if results.error is not None:
            _annotation(p, "error", results.error)
    elif item.confirm != "accepted" or item.annotations:
        p.out += ("#[", "confirm", "=", "enum", item.confirm, "]")
    _annotations(p, item.annotations)
    p.out.append(";")


def _annotation(p: Printer, name: str, value: Value) -> None:
    p.out += ("#[", name, "=")
    p.value(value)
    p.out.append("]")


# ---------------------------------------------------------------- programs


def _statement(p: Printer, statement: Statement | Return) -> None:
    match statement:
        case ExpressionStatement(expression):
            print_expression(p, expression)
            p.out.append(";")
        case Let(name, expression):
            p.out += ("let", name, "=")
            print_expression(p, expression)
            p.out.append(";")
        case Return(expression):
            p.out.append("return")
            print_expression(p, expression)
            p.out.append(";")
        case FunctionDeclaration(name, params, body, annotations):
            p.out += ("function", name, CALL)
            p.commas(params, p.typed_name)
            p.out.append(")")
            _annotations(p, annotations)
            p.out.append("{")
            for inner in body:
                _statement(p, inner)
            p.out.append("}")
        case Dataset():
            _dataset(p, statement)
        case ClassDef():
            _class(p, statement)


def _dataset(p: Printer, dataset: Dataset) -> None:
    p.out += ("dataset", f"@{dataset.name}")
    if dataset.language is not None:
        p.out += ("language", p.string_token(dataset.language))
    _annotations(p, dataset.annotations)
    p.out.append("{")
    for example in dataset.examples:
        _example(p, example)
    p.out.append("}")


def _example(p: Printer, example: Example) -> None:
    p.out.append(example.kind)
    if example.params:
        p.out.append("(")
        p.commas(example.params, p.typed_name)
        p.out.append(")")
    p.out.append("=")
    print_expression(p, example.expression)
    _annotations(p, example.annotations)
    p.out.append(";")


def _class(p: Printer, class_: ClassDef) -> None:
    class_head(p, class_)
    _annotations(p, class_.annotations)
    p.out.append("{")
    for member in class_.members:
        class_member(p, member)
    p.out.append("}")


def class_head(p: Printer, class_: ClassDef) -> None:
    """`abstract class @name extends @a, @b`."""
    p.out += ("abstract", "class") if class_.abstract else ("class",)
    p.out.append(f"@{class_.name}")
    if class_.extends:
        p.out.append("extends")
        p.commas(class_.extends, lambda name: p.out.append(f"@{name}"))


def class_member(p: Printer, member: Member) -> None:
    """One member of a class, with its `;`."""
    match member:
        case Import(facets, module, params):
            p.out.append("import")
            p.commas(facets, p.out.append)
            p.out += ("from", f"@{module}")
            print_params(p, params)
        case EntityDef(annotations=annotations):
            entity_head(p, member)
            _annotations(p, annotations)
        case FunctionDef(args=args, annotations=annotations):
            function_head(p, member)
            p.commas(args, lambda arg: p.out.extend(argument_tokens(arg, p)))
            p.out.append(")")
            _annotations(p, annotations)
    p.out.append(";")


def entity_head(p: Printer, entity: EntityDef) -> None:
    """`entity name extends a, ^^class:b`."""
    p.out += ("entity", entity.name)
    if entity.extends:
        p.out.append("extends")
        p.commas(entity.extends, lambda name: p.out.append(f"^^{name}" if ":" in name else name))


def function_head(p: Printer, function: FunctionDef) -> None:
    """`monitorable list query name extends a (`."""
    if function.is_monitorable:
        p.out.append("monitorable")
    if function.is_list:
        p.out.append("list")
    p.out += (function.kind, function.name)
    if function.extends:
        p.out.append("extends")
        p.commas(function.extends, p.out.append)
    p.out.append(CALL)


# ---------------------------------------------------------------- policies


def _policy(p: Printer, policy: Policy) -> None:
    p.out += ("$policy", "{")
    print_filter(p, policy.principal)
    p.out.append(":")
    _policy_function(p, policy.query, "now")
    p.out.append("=>")
    _policy_function(p, policy.action, "notify")
    p.out += (";", "}")


def _policy_function(p: Printer, function: PolicyFunction | None, builtin: str) -> None:
    if function is None:
        p.out.append(builtin)
    elif function.kind is None:
        p.out.append("*")
    elif function.function is None:
        p.out += (f"@{function.kind}", ".", "*")
    else:
        p.function(function.kind, function.function)
        if function.filter is not None:
            p.out.append("filter")
            print_filter(p, function.filter)
