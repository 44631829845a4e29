"""Slot values as terms and back: a typed literal only if printing it gives back exactly what was annotated."""

import re
from dataclasses import dataclass
from typing import Final

from ...compiler.schema import Schema, fact
from ...compiler.terms import App, Entity, Lit, Term, Var
from ...compiler.terms import Field as FieldTerm
from ...compiler.types import Con, Type
from .layout import Target


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a corpus writes what is no plain value.

    absent: values that say nothing. any_like: other spellings of "do not care", kept raw, because
    printing the mark would not give them back. odd: characters that join alternatives in no agreed way.
    none, alternatives, negation: empty where the corpus has no such mark.
    """

    absent: frozenset[str] = frozenset(("", "not mentioned"))
    any: str = "dontcare"
    none: str = "none"
    any_like: frozenset[str] = frozenset(("dont care", "don't care", "do n't care", "do not care", "doesn't care"))
    true: str = "yes"
    false: str = "no"
    alternatives: str = "|"
    odd: str = "<>"
    negation: tuple[str, str] = ("NOT(", ")")


MULTIWOZ: Final = Spelling()

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?\Z", re.ASCII)
_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\Z", re.ASCII)
# Timetables run past midnight: 24:35 is a time of day that the next day's 00:35 does not print as.
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-4]):[0-5][0-9]\Z", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])\Z", re.ASCII)
_PATTERNS: Final = {"Number": (_NUMBER, "number"), "Time": (_TIME, "time"), "Date": (_DATE, "date")}


def typed(text: str, type_: Type, schema: Schema, spelling: Spelling = MULTIWOZ) -> Term | None:
    """The literal of a type that prints as this text, or None if there is none."""
    if not isinstance(type_, Con) or text in (spelling.any, spelling.none) or text in spelling.absent:
        return None
    if text in spelling.any_like or any(c in text for c in spelling.odd):
        return None
    if (spelling.alternatives and spelling.alternatives in text) or _is_negation(text, spelling):
        return None
    name = type_.name
    if name == "Text":
        return Lit("text", text)
    if name == "Bool":
        return Lit("bool", "true" if text == spelling.true else "false") if text in _booleans(spelling) else None
    if name == "Int":
        return Lit("int", text) if _INT.match(text) else None
    if name in _PATTERNS:
        pattern, kind = _PATTERNS[name]
        return Lit(kind, text) if pattern.match(text) else None  # type: ignore[arg-type]
    if name in schema.enum:
        enum = schema.enum[name]
        for member in enum.members:
            if (fact(member.facts, "slot") or member.name) == text:
                return App(member.name)
        return None
    if name in schema.entity or name in schema.table:
        return Entity(text)
    return None


def _is_negation(text: str, spelling: Spelling) -> bool:
    return bool(spelling.negation[0]) and text.startswith(spelling.negation[0])


def _booleans(spelling: Spelling) -> tuple[str, str]:
    return spelling.true, spelling.false


def spelled(term: Term, type_: Type, schema: Schema, spelling: Spelling = MULTIWOZ) -> str | None:
    """The text of a value; None for one that slots cannot hold (a placeholder, a computation)."""
    match term:
        case Lit("bool", value):
            return spelling.true if value == "true" else spelling.false
        case Lit("number", value) if "." in value:
            return value.rstrip("0").rstrip(".")
        case Lit(_, value):
            return value
        case App("text_of" | "number_of", (Lit(_, value),)):
            # What SQL compares as a text or number is written as the slot's own type.
            return value
        case Entity(text, identifier, _):
            return text if text is not None else identifier
        case App("any", (), ()):
            return spelling.any
        case App("none", (), ()):
            return spelling.none or None
        case App(name, (), (), ()) if isinstance(type_, Con) and type_.name in schema.enum:
            for member in schema.enum[type_.name].members:
                if member.name == name:
                    return fact(member.facts, "slot") or name
    return None


def read_argument(text: str, type_: Type, schema: Schema, spelling: Spelling = MULTIWOZ) -> Term:
    """An argument: a mark, a typed literal, or the text kept raw."""
    if text == spelling.any:
        return App("any")
    if text == spelling.none:
        return App("none")
    return typed(text, type_, schema, spelling) or Lit("raw", text)


def read_filter(text: str, target: Target, schema: Schema, spelling: Spelling = MULTIWOZ) -> Term:
    """The conjunct that one slot of a query stands for."""
    subject = FieldTerm(Var(target.owner), target.name)
    if text == spelling.any:
        return App("is_any", (subject,))
    if text == spelling.none:
        return App("is_none", (subject,))
    opening, closing = spelling.negation
    if target.op == "=" and text.startswith(opening) and text.endswith(closing):
        inner = _alternatives(text[len(opening) : -len(closing)], target, schema, spelling)
        if inner:
            excluded = (
                App("not_in", (subject, App("list", inner))) if len(inner) > 1 else App("!=", (subject, inner[0]))
            )
            return excluded
    values = _alternatives(text, target, schema, spelling)
    if not values:
        return App(target.op, (subject, Lit("raw", text)))
    if len(values) == 1:
        return App(target.op, (subject, values[0]))
    if target.op == "=":
        return App("in", (subject, App("list", values)))
    return App("or", tuple(App(target.op, (subject, value)) for value in values))


def _alternatives(text: str, target: Target, schema: Schema, spelling: Spelling) -> tuple[Term, ...]:
    """The literals of `a|b`, one or several; empty if any part is no literal."""
    values = tuple(typed(part, target.type, schema, spelling) for part in text.split(spelling.alternatives))
    return tuple(v for v in values if v is not None) if None not in values else ()


def read_listed(texts: tuple[str, ...], target: Target, schema: Schema, spelling: Spelling = MULTIWOZ) -> Term:
    """The conjunct or argument of a slot that lists several values (MultiWOZ 2.2), where 2.1 joins them to one text.

    A conjunct takes each value for itself; an argument, which is one value, keeps the joined text raw.
    """
    if target.role == "action":
        return Lit("raw", spelling.alternatives.join(texts))
    subject = FieldTerm(Var(target.owner), target.name)
    terms = tuple(typed(text, target.type, schema, spelling) or Lit("raw", text) for text in texts)
    if target.op == "=":
        return App("in", (subject, App("list", terms)))
    return App("or", tuple(App(target.op, (subject, term)) for term in terms))


def read_alternatives(texts: tuple[str, ...], subject: Term, type_: Type, schema: Schema, spelling: Spelling) -> Term:
    """The conjunct of a slot that lists its values, each one way to say it (SGD, MultiWOZ 2.2)."""
    if texts == (spelling.any,):
        return App("is_any", (subject,))
    terms = tuple(typed(text, type_, schema, spelling) or Lit("raw", text) for text in texts)
    return App("=", (subject, terms[0])) if len(terms) == 1 else App("in", (subject, App("list", terms)))


def write_alternatives(term: Term, type_: Type, schema: Schema, spelling: Spelling) -> tuple[str, ...] | None:
    """The values a conjunct lists: the inverse of `read_alternatives`. None for any other condition."""
    match term:
        case App("is_any", (_,)):
            return (spelling.any,)
        case App("=", (_, value)):
            texts = [spelled(value, type_, schema, spelling)]
        case App("in", (_, App("list", items))):
            texts = [spelled(item, type_, schema, spelling) for item in items]
        case _:
            return None
    return tuple(t for t in texts if t is not None) if texts and None not in texts else None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a conjunct puts into a slot: field and text, and what the text does not say ("" if nothing)."""

    field: str
    text: str
    lost: str = ""


def write_filter(
    term: Term, owner: str, targets: "dict[str, Target]", schema: Schema, spelling: Spelling = MULTIWOZ
) -> Spoken | None:
    """The slot of a conjunct: the inverse of `read_filter`, approximate where slots have only equality.

    targets: by column name. None if the conjunct is about no single column with a slot.
    """
    if not isinstance(term, App):
        return None
    if term.fn == "or":
        return _same_field(term, owner, targets, schema, spelling)
    if term.fn == "not":
        return _negated(term.args[0], owner, targets, schema, spelling)
    if not term.args:
        return None
    column = _column(term.args[0], owner)
    target = targets.get(column) if column is not None else None
    if column is None or target is None:
        return None
    if term.fn in ("is_any", "is_none"):
        return Spoken(column, spelling.any if term.fn == "is_any" else spelling.none)
    if len(term.args) != 2:
        return None
    value = term.args[1]
    if term.fn in ("in", "not_in"):
        items = value.args if isinstance(value, App) and value.fn == "list" else ()
        texts = [spelled(item, target.type, schema, spelling) for item in items]
        if not texts or None in texts:
            return None
        joined = spelling.alternatives.join(t for t in texts if t is not None)
        return Spoken(column, joined if term.fn == "in" else joined.join(spelling.negation))
    text = spelled(value, target.type, schema, spelling)
    if text is None:
        return None
    if term.fn == "!=":
        return Spoken(column, text.join(spelling.negation))
    if term.fn == target.op:
        misread = isinstance(value, Lit) and value.kind == "text" and typed(text, target.type, schema, spelling) is None
        return Spoken(column, text, f'"{text}", which slots read otherwise' if misread else "")
    if term.fn in ("=", "<", "<=", ">", ">=", "~", "like"):
        return Spoken(column, text, f"the comparison `{term.fn}`")
    return None


def _negated(term: Term, owner: str, targets: "dict[str, Target]", schema: Schema, spelling: Spelling) -> Spoken | None:
    """`not (f = a)`, which is `f != a` where every row has the field."""
    if not isinstance(term, App) or term.fn not in ("=", "in"):
        return None
    spoken = write_filter(App("!=" if term.fn == "=" else "not_in", term.args), owner, targets, schema, spelling)
    column = schema.column(owner, spoken.field) if spoken is not None else None
    if spoken is None or column is None or not column.optional:
        return spoken
    return Spoken(spoken.field, spoken.text, "that a row without the field counts")


def _same_field(
    term: App, owner: str, targets: "dict[str, Target]", schema: Schema, spelling: Spelling
) -> Spoken | None:
    """`f >= a or f >= b` is one slot with alternatives; anything else an `or` says is not."""
    parts = [write_filter(arg, owner, targets, schema, spelling) for arg in term.args]
    known = [p for p in parts if p is not None and not p.lost]
    compared = all(
        isinstance(arg, App) and arg.fn == targets[p.field].op for arg, p in zip(term.args, known, strict=False)
    )
    if len(known) != len(parts) or len({p.field for p in known}) != 1 or not compared:
        return None
    return Spoken(known[0].field, spelling.alternatives.join(p.text for p in known))


def _column(term: Term, owner: str) -> str | None:
    match term:
        case FieldTerm(Var(name), column) if name == owner:
            return column
    return None
