"""DL values in ThingTalk's normal syntax."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...compiler.schema import EnumType, Schema
from ...compiler.terms import App, Entity, Field, Hole, Lit, Term, Var
from ...compiler.types import BOOL, DYNAMIC, MONEY, NUMBER, TEXT, TIME, Con, Type
from ...compiler.units import quantity_type, split_quantity
from ..rows import Note
from . import write_notes as say
from .stand_ins import pieces_of
from .write_names import Names, is_closed

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_PLACEHOLDERS: Final = {
    "Number": "NUMBER",
    "Int": "NUMBER",
    "Text": "QUOTED_STRING",
    "Time": "TIME",
    "Date": "DATE",
    "DateTime": "DATE",
    "Money": "CURRENCY",
    "Duration": "DURATION",
    "Location": "LOCATION",
}
_ARITHMETIC: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2}


class NotSaid(Exception):
    """Raised inside the writer for a part that ThingTalk cannot say; always caught there."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.message)
        self.note = note


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field in hand: its ThingTalk name (with `first.` after a join), type, and whether it may be missing."""

    name: str | None
    type: Type
    optional: bool
    part: str


Scope = Mapping[str, Mapping[str, FieldInfo]]
"""Fields by binder and DL name."""


class TableScope(dict[str, Mapping[str, FieldInfo]]):
    """The scope of one table by itself, which lives as long as its schema's memo.

    known: conditions over it that were written before, with what they left out.
    """

    def __init__(self, fields: Mapping[str, Mapping[str, FieldInfo]]) -> None:
        super().__init__(fields)
        self.known: dict[Term, tuple[object, tuple[Note, ...]]] = {}


@dataclass
class Context:
    """What the writer has in hand: the schema, its names, and what it had to leave out so far."""

    schema: Schema
    names: Names
    notes: list[Note] = field(default_factory=list)
    subquery: "Callable[..., str] | None" = None
    subqueries: int = 0
    cache: dict[object, object] = field(default_factory=dict)
    placeholders: bool = False

    def drop(self, note: Note) -> None:
        """Go on without a part."""
        self.notes.append(note)


def string(text: str) -> str:
    """A string literal."""
    return f'"{text.translate(_ESCAPES)}"'


def field_of(term: Term, scope: Scope) -> FieldInfo | None:
    """The field a term is, if it is one of a row in hand."""
    match term:
        case Field(Var(binder), name):
            return scope.get(binder, {}).get(name)
        case Field(Field() as whole, name):
            info = field_of(whole, scope)
            # A part of a compound value, of whose type DL knows nothing.
            if info is not None and info.name is not None and info.type == DYNAMIC:
                return FieldInfo(f"{info.name}.{name}", DYNAMIC, True, f"{info.part}.{name}")
    return None


def type_of(term: Term, scope: Scope) -> Type | None:
    """The type of a field, literal or sum, as far as it shows."""
    match term:
        case Field():
            info = field_of(term, scope)
            return info.type if info is not None else None
        case App("+" | "-" | "*" | "/" | "%", (left, right)):
            return type_of(left, scope) or type_of(right, scope)
        case Lit("number" | "int"):
            return NUMBER
        case Lit("time"):
            return TIME
        case Lit("bool"):
            return BOOL
        case Lit("text"):
            return TEXT
        case Lit("quantity", amount):
            return quantity_type(split_quantity(amount)[1])
    return None


def value(term: Term, type_: Type | None, scope: Scope, context: Context, part: str, constant: bool = False) -> str:
    """A value of an expected type. Raises NotSaid.

    constant: inside a result, where the reference wants every entity to have an identifier; the text serves.
    """
    match term:
        case Lit("raw", text):
            return _raw(text, type_, context, part, constant)
        case Lit("text", text):
            if isinstance(type_, Con) and (type_.name in context.schema.entity or type_.name in context.schema.table):
                return _entity(Entity(text), type_, context, part, constant)
            return string(text)
        case Lit():
            return _literal(term, part)
        case Entity():
            return _entity(term, type_, context, part, constant)
        case Field():
            info = field_of(term, scope)
            if info is None or info.name is None:
                raise NotSaid(say.no_counterpart(info.part if info is not None else term.name))
            return info.name
        case App(fn, args) if pieces := pieces_of(fn, context.schema):
            texts = [value(arg, type_of(arg, scope), scope, context, part) for arg in args]
            return pieces[0] + "".join(map("".join, zip(texts, pieces[1:], strict=True)))
        case Hole(index, own):
            return _placeholder(index, own or type_, context, part)
        case App("text_of" | "number_of" as fn, (Lit() as constant_given,)) if not constant:
            return value(_converted(fn, constant_given, part), type_, scope, context, part)
        case App("now", (), ()):
            return "$now"
        case App("negate_number", (Lit("number", text),)):
            return f"-{text}"
        case App("list", items):
            inner = type_.args[0] if isinstance(type_, Con) and type_.name == "List" and type_.args else type_
            return f"[{', '.join(value(item, inner, scope, context, part, constant) for item in items)}]"
        case App(op, (left, right)) if op in _ARITHMETIC and not constant:
            return _sum(op, left, right, type_, scope, context, part)
        case App(name, (), (), ()):
            if constant and type_ is None:
                return f"enum {name}"
            return _member(name, type_, context, part)
    raise NotSaid(say.no_value(part, f"`{getattr(term, 'fn', type(term).__name__)}`"))


def _converted(fn: str, given: Lit, part: str) -> Lit:
    """A constant that SQL converts before comparing, converted: `text_of(2)` is "2", `number_of("1974")` is 1974."""
    if fn == "text_of" and given.kind == "number" and given.value.lstrip("-").isdigit():
        return Lit("text", given.value)
    if fn == "number_of" and given.kind == "text" and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", given.value):
        return Lit("number", given.value)
    raise NotSaid(say.no_value(part, f"`{fn}({given.value})`"))


def _placeholder(index: int, type_: Type | None, context: Context, part: str) -> str:
    """A delexicalized constant, which only the tokenized syntax has: named after its type and numbered."""
    if context.placeholders and isinstance(type_, Con):
        if type_.name in _PLACEHOLDERS:
            return f"{_PLACEHOLDERS[type_.name]}_{index}"
        if type_.name in context.schema.entity or type_.name in context.schema.table:
            entity = context.names.entity(type_.name)
            kind = entity[3:].upper() if entity.startswith("tt:") else f"GENERIC_ENTITY_{entity}"
            return f"{kind}_{index}"
    raise NotSaid(say.no_value(part, f"the placeholder ${index}"))


def _sum(op: str, left: Term, right: Term, type_: Type | None, scope: Scope, context: Context, part: str) -> str:
    level = _ARITHMETIC[op]

    def operand(term: Term, least: int) -> str:
        # The type of an operand is its own: a time less a duration is a time.
        own = type_of(term, scope) or type_
        text = value(term, own, scope, context, part)
        below = isinstance(term, App) and _ARITHMETIC.get(term.fn, 9) < least and len(term.args) == 2
        return f"({text})" if below else text

    return f"{operand(left, level)} {op} {operand(right, level + 1)}"


def _raw(text: str, type_: Type | None, context: Context, part: str, constant: bool) -> str:
    name = type_.name if isinstance(type_, Con) else ""
    if name in context.schema.entity or name in context.schema.table:
        return _entity(Entity(text), type_, context, part, constant)
    if constant and name in context.schema.enum and text.isidentifier():
        return f"enum {text}"
    if name == "Text" or constant:
        return string(text)
    raise NotSaid(say.no_value(part, f'"{text}", which is no {name or "value"},'))


def _literal(term: Lit, part: str) -> str:
    match term.kind:
        case "number":
            return term.value
        case "int":
            return term.value.removesuffix("L")
        case "bool":
            return term.value
        case "time":
            pieces = [str(int(piece)) for piece in term.value.split(":")]
            return f"new Time({', '.join(pieces)})"
        case "date":
            return f"new Date({', '.join(str(int(piece)) for piece in term.value.split('-'))})"
        case "datetime":
            return f"new Date({string(term.value)})"
        case "quantity":
            amount, unit = split_quantity(term.value)
            return f"{amount}${unit}" if quantity_type(unit) == MONEY else f"{amount}{unit}"
    raise NotSaid(say.no_value(part, f"`{term.value}`"))


def _entity(term: Entity, type_: Type | None, context: Context, part: str, constant: bool) -> str:
    wanted = term.type if term.type is not None else type_
    if isinstance(wanted, Con) and wanted.name == "Text" and term.text is not None:
        return string(term.text)
    if not isinstance(wanted, Con) or not (wanted.name in context.schema.entity or wanted.name in context.schema.table):
        raise NotSaid(say.no_value(part, f'the entity "{term.text or term.id}"'))
    of = f"^^{context.names.entity(wanted.name)}"
    identifier = term.id if term.id is not None or not constant else term.text
    shown = f"({string(term.text)})" if term.text is not None else ""
    return f"{string(identifier) if identifier is not None else 'null'}{of}{shown}"


def _member(name: str, type_: Type | None, context: Context, part: str) -> str:
    enum = context.schema.enum.get(type_.name) if isinstance(type_, Con) else None
    if enum is not None and (name in enum.names or enum.open):
        return member(name, enum, context)
    raise NotSaid(say.no_value(part, f"`{name}`"))


def member(name: str, enum: EnumType, context: Context) -> str:
    """A member of an enum: a string where ThingTalk's type is one."""
    return f"enum {context.names.members(enum)[name]}" if is_closed(enum) else string(name)
