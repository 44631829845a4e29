"""Types, annotations and the declaration of parameters."""

from typing import TYPE_CHECKING, Final

from .values import (
    Annotation,
    Argument,
    ArrayType,
    CompoundType,
    EntityType,
    EnumType,
    MeasureType,
    SimpleType,
    Type,
)

if TYPE_CHECKING:
    from .parser import Parser

_SIMPLE: Final = frozenset(
    [
        "ArgMap",
        "Boolean",
        "Currency",
        "Date",
        "Location",
        "Number",
        "Time",
        "String",
        "Object",
        "RecurrentTimeSpecification",
    ]
)


def annotated_type(p: "Parser") -> Type:
    """`: Type`."""
    p.expect(":")
    return type_ref(p)


def type_ref(p: "Parser") -> Type:
    """A type."""
    token = p.toks[p.i]
    if token in _SIMPLE:
        p.i += 1
        return SimpleType(token)
    if token.startswith("Entity("):
        p.i += 1
        return EntityType(token[len("Entity(") : -1])
    if token in ("Array", "Entity", "Measure", "Enum"):
        p.i += 1
        p.expect("(")
        made = _applied(p, token)
        p.expect(")")
        return made
    if token == "{":
        return _compound(p)
    return SimpleType(p.name("a type"))


def _applied(p: "Parser", constructor: str) -> Type:
    if constructor == "Array":
        p.enter()
        made = ArrayType(type_ref(p))
        p.depth -= 1
        return made
    if constructor == "Entity":
        return EntityType(p.entity_type())
    if constructor == "Measure":
        return MeasureType(p.unit())
    members = [p.word("a member")]
    while p.take(","):
        members.append(p.word("a member"))
    return EnumType(tuple(members))


def _compound(p: "Parser") -> Type:
    p.enter()
    p.expect("{")
    fields: list[Argument] = []
    while not fields or p.take(","):
        if fields and p.toks[p.i] == "}":
            break
        at = p.i
        name = p.name("a field name")
        type_ = annotated_type(p)
        fields.append(Argument(name, type_, None, annotations(p), at))
    p.expect("}")
    p.depth -= 1
    return CompoundType(tuple(fields))


def annotations(p: "Parser") -> tuple[Annotation, ...]:
    """Any number of `#[name=value]` and `#_[name=value]`."""
    if p.toks[p.i] not in ("#[", "#_["):
        return ()
    found: list[Annotation] = []
    while (token := p.toks[p.i]) in ("#[", "#_["):
        p.i += 1
        name = p.name("the name of an annotation")
        p.expect("=")
        found.append(Annotation(name, p.value(), token == "#_["))
        p.expect("]")
    return tuple(found)


def arguments(p: "Parser") -> tuple[Argument, ...]:
    """`(in req a : T, in opt b : T, out c : T)`; without a direction, `in req`."""
    p.expect("(")
    found: list[Argument] = []
    while p.toks[p.i] != ")" if not found else p.take(","):
        found.append(_argument(p))
    p.expect(")")
    return tuple(found)


def _argument(p: "Parser") -> Argument:
    if p.take("out"):
        at = p.i
        name = p.name("a parameter")
        return Argument(name, annotated_type(p), "out", annotations(p), at)
    required = True
    if p.take("in"):
        required = p.take("req")
        if not required:
            p.expect("opt")
    at = p.i
    name = p.name("a parameter")
    return Argument(name, annotated_type(p), "in req" if required else "in opt", annotations(p), at)


def typed_names(p: "Parser") -> tuple[tuple[str, Type], ...]:
    """`(a : T, b : T)`."""
    p.expect("(")
    found: list[tuple[str, Type]] = []
    while p.toks[p.i] != ")" if not found else p.take(","):
        name = p.name("a parameter")
        found.append((name, annotated_type(p)))
    p.expect(")")
    return tuple(found)
