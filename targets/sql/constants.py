"""Constants between SQL and DL, by how their column keeps them.

`@sql_as` says what a text column holds: "text" a number as text, "time" `HH:MM`, "amount" a number followed by its
unit ("23.60 pounds"), or two words for false and true ("no/yes"). Without it a Number is a number and everything else
the text people use: an enum's member, an entity's name.
"""

import re
from typing import Any

from sqlglot import exp

from ...compiler.schema import Schema, fact
from ...compiler.terms import App, Entity, Lit, Term
from ...compiler.types import Con, Type
from ...compiler.units import split_quantity
from .names import ColumnInfo

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")
_TIME = re.compile(r"([0-9]{1,2}):([0-5][0-9])\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
BASIC = frozenset(("Number", "Text", "Bool", "Int"))


def member_text(schema: Schema, enum: str, member: str) -> str:
    """How the database spells a member of an enum."""
    for listed in schema.enum[enum].members if enum in schema.enum else ():
        if listed.name == member:
            return fact(listed.facts, "sql") or member
    return member


def term_of_text(schema: Schema, type_: Type, value: str, stored: str = "") -> Term | None:
    """The DL constant of a type that a column's text stands for; None if printing it would not give the text back."""
    if not isinstance(type_, Con):
        return None
    name = type_.name
    if name == "Text":
        return Lit("text", value)
    if name in ("Number", "Int"):
        return Lit("number" if name == "Number" else "int", value) if _NUMBER.match(value) else None
    if name == "Bool" and "/" in stored:
        words = stored.split("/")
        return Lit("bool", "true" if value == words[1] else "false") if value in words[:2] else None
    if name == "Time":
        return Lit("time", value) if _TIME.match(value) and len(value) == 5 else None
    if name == "Date":
        return Lit("date", value) if _DATE.match(value) else None
    if name in schema.enum:
        enum = schema.enum[name]
        for member in enum.members:
            if (fact(member.facts, "sql") or member.name) == value:
                return App(member.name)
        return App(value) if enum.open and value else None
    if schema.is_entity(type_):
        return Entity(value)
    wrapper = schema.wrapper.get(name)
    return term_of_text(schema, wrapper.type, value, stored) if wrapper is not None else None


def text_of_term(schema: Schema, type_: Type, term: Term, stored: str = "") -> str | None:
    """The text that a constant is kept as in a column of its type; None if it has none."""
    match term:
        case Lit("text" | "raw", value):
            return value
        case Entity(text, _):
            return text
        case Lit("bool", value) if "/" in stored:
            words = stored.split("/")
            return words[1] if value == "true" else words[0]
        case Lit("time", value):
            hours, minutes, *seconds = value.split(":")
            return f"{int(hours):02}:{minutes}" + (f":{seconds[0]}" if seconds and seconds[0] != "00" else "")
        case Lit("date" | "datetime" | "number" | "int", value):
            return value
        case App(fn, (), (), ()) if isinstance(type_, Con) and type_.name in schema.enum:
            return member_text(schema, type_.name, fn)
    return None


def number_literal(text: str) -> Any:
    """A number in SQL."""
    if text.startswith("-"):
        return exp.Neg(this=exp.Literal.number(text[1:]))
    return exp.Literal.number(text)


def amount(term: Term, info: ColumnInfo) -> Any | None:
    """A quantity in the unit its column's text is in ("gbp", "min"); None for another unit."""
    if not isinstance(term, Lit) or term.kind != "quantity":
        return None
    value, unit = split_quantity(term.value)
    wanted = fact(info.column.facts, "sql_unit")
    return number_literal(value) if unit == wanted else None
