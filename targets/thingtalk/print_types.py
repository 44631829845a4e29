"""Types and annotations to tokens."""

from typing import TYPE_CHECKING

from .values import Annotation, Argument, ArrayType, CompoundType, EntityType, EnumType, MeasureType, SimpleType, Type

if TYPE_CHECKING:
    from .printer import Printer


def type_tokens(type_: Type, printer: "Printer") -> list[str]:
    """Tokens of a type; the printer writes the values of annotations inside compound types."""
    match type_:
        case SimpleType(name):
            return [name]
        case EntityType(name):
            return ["Entity", "\b(", f"^^{name}", ")"]
        case MeasureType(unit):
            return ["Measure", "\b(", unit, ")"]
        case ArrayType(element):
            return ["Array", "\b(", *type_tokens(element, printer), ")"]
        case EnumType(members):
            tokens = ["Enum", "\b("]
            for i, member in enumerate(members):
                tokens += [",", member] if i else [member]
            return [*tokens, ")"]
        case CompoundType(fields):
            tokens = ["{"]
            for i, field in enumerate(fields):
                tokens += [",", *argument_tokens(field, printer)] if i else argument_tokens(field, printer)
            return [*tokens, "}"]


def argument_tokens(argument: Argument, printer: "Printer") -> list[str]:
    """`in req name : Type #[...]`."""
    tokens = argument.direction.split(" ") if argument.direction is not None else []
    tokens += [argument.name, ":", *type_tokens(argument.type, printer)]
    return tokens + annotation_tokens(argument.annotations, printer)


def annotation_tokens(annotations: tuple[Annotation, ...], printer: "Printer") -> list[str]:
    """`#[name=value] #_[name=value]`."""
    tokens: list[str] = []
    for annotation in annotations:
        inner = printer.fresh()
        inner.value(annotation.value)
        tokens += ["#_[" if annotation.translatable else "#[", annotation.name, "=", *inner.out, "]"]
    return tokens
