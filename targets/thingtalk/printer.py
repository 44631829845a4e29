"""Values, filters and expressions to tokens, and tokens to text in either syntax.

What is printed reads back as the same tree: brackets stand where the tree needs them and nowhere else, order is the
tree's. `print_programs` does the rest of the language.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from . import values
from .lexer import CLASS_NAME, TOKENIZED
from .parser import PRECEDENCE
from .print_types import type_tokens
from .values import Num, Placeholder, Text, Value

# A token that is glued to the one before it in the normal syntax: the bracket of a call or an index.
CALL: Final = "\b("
INDEX: Final = "\b["
_NO_SPACE_BEFORE: Final = frozenset((")", "]", ",", ";", ".", "="))
_NO_SPACE_AFTER: Final = frozenset(("(", "[", ".", "=", "!", "#[", "#_["))

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


class ThingTalkPrintError(ValueError):
    """A tree that the asked-for syntax cannot write: a placeholder in the normal one, some strings in the other."""


def join_tokens(tokens: Iterable[str], tokenized: bool) -> str:
    """Text of tokens: a space between any two, or spaces where a person would put them."""
    if tokenized:
        return " ".join([token[1:] if token[0] == "\b" else token for token in tokens])
    parts: list[str] = []
    glued = True
    for token in tokens:
        if token[0] == "\b":
            token = token[1:]
        elif not glued and token not in _NO_SPACE_BEFORE:
            parts.append(" ")
        parts.append(token)
        glued = token in _NO_SPACE_AFTER
    return "".join(parts)


def quote(text: str) -> str:
    """A string literal of the normal syntax."""
    return f'"{text.translate(_ESCAPES)}"'


def number_text(value: int | float) -> str:
    """A number as JavaScript would write it."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    if -7 < int(exponent) < 0:
        return f"{value:.{len(mantissa.replace('-', '').replace('.', '')) - 1 - int(exponent)}f}"
    return f"{mantissa}e{int(exponent):+d}"


class Printer:
    """Tokens of one text, in the order they are added to `out`.

    loose: a placeholder may stand in the normal syntax, where only our own parser reads it.
    """

    __slots__ = ("loose", "out", "tokenized")

    def __init__(self, tokenized: bool, loose: bool = False) -> None:
        self.tokenized, self.loose = tokenized, loose
        self.out: list[str] = []

    def fresh(self) -> "Printer":
        """An empty printer of the same syntax."""
        return Printer(self.tokenized, self.loose)

    def text(self) -> str:
        """What was printed so far."""
        return join_tokens(self.out, self.tokenized)

    # ------------------------------------------------------------ pieces

    def path(self, name: str) -> None:
        """A dotted name: in the tokenized syntax its dots are tokens."""
        if self.tokenized and "." in name:
            self.out += name.replace(".", " . ").split(" ")
        else:
            self.out.append(name)

    def function(self, kind: str, name: str) -> None:
        """`@kind.name`."""
        if self.tokenized:
            self.out += (f"@{kind}", ".", name)
        else:
            self.out.append(f"@{kind}.{name}")

    def commas(self, items: Iterable[Any], one: Callable[[Any], None]) -> None:
        """Items with commas between them."""
        first = True
        for item in items:
            if not first:
                self.out.append(",")
            first = False
            one(item)

    def placeholder(self, held: Placeholder) -> None:
        """A placeholder. Raises ThingTalkPrintError in the normal syntax, which has none."""
        if not self.tokenized and not self.loose:
            raise ThingTalkPrintError(f"{held.token} stands for a value that the normal syntax must spell out")
        if held.negative:
            self.out.append("-")
        self.out.append(held.token)

    def string(self, said: Text) -> None:
        """A string. Raises ThingTalkPrintError for one that would end early."""
        if isinstance(said, Placeholder):
            self.placeholder(said)
        else:
            self.out.append(self.string_token(said))

    def string_token(self, said: str) -> str:
        """A string literal as one token."""
        if not self.tokenized:
            return quote(said)
        if not said:
            return '""'
        token = f'" {said} "'
        if '"' in said:
            match = TOKENIZED.match(token)
            if match is None or match.group() != token:
                raise ThingTalkPrintError(f"the tokenized syntax cannot hold the string {said!r}")
        return token

    def number(self, value: Num) -> None:
        """A number; in the tokenized syntax its sign is a token."""
        if isinstance(value, Placeholder):
            self.placeholder(value)
            return
        text = number_text(value)
        if self.tokenized and text[0] == "-":
            self.out += ("-", text[1:])
        else:
            self.out.append(text)

    def _unit(self, value: Num, unit: str) -> None:
        self.number(value)
        if self.tokenized:
            self.out.append(unit)
        else:
            self.out[-1] += unit

    # ------------------------------------------------------------ values

    def value(self, value: Value, least: int = 0) -> None:
        """A value, bracketed if it binds less tightly than `least`: 0 anything, 2 a sum, 5 no operator."""
        kind = value.__class__
        if kind in _LOOSE and value_level(value) < least:
            self.out.append("(")
            _VALUES[kind](self, value)
            self.out.append(")")
        else:
            _VALUES[kind](self, value)

    def _entity(self, value: values.Entity) -> None:
        if self.tokenized and value.display is None and isinstance(value.value, str):
            # Classes and functions have a spelling of their own, which the reference writes in this syntax.
            if value.type == "tt:device" and CLASS_NAME.fullmatch(value.value):
                self.out.append(f"@{value.value}")
                return
        if value.value is None:
            self.out.append("null")
        else:
            self.string(value.value)
        self.out.append(f"^^{value.type}" if self.tokenized else f"\b^^{value.type}")
        if value.display is not None:
            self.out.append(CALL)
            self.string(value.display)
            self.out.append(")")

    def _time(self, value: values.Time) -> None:
        self.out += ("new", "Time", CALL)
        self.commas(
            (value.hour, value.minute) if value.second == 0 else (value.hour, value.minute, value.second), self.number
        )
        self.out.append(")")

    def _location(self, value: values.Location) -> None:
        self.out += ("new", "Location", CALL)
        self.number(value.latitude)
        self.out.append(",")
        self.number(value.longitude)
        if value.display is not None:
            self.out.append(",")
            self.string(value.display)
        self.out.append(")")

    def _text_call(self, what: str, said: Text) -> None:
        self.out += ("new", what, CALL)
        self.string(said)
        self.out.append(")")

    def _date_parts(self, value: values.DateParts) -> None:
        self.out += ("new", "Date", CALL)
        for i, part in enumerate(value.parts):
            if i:
                self.out.append(",")
            if part is not None:
                self.number(part)
        # A part that is left out at the end shows only by a comma of its own.
        if value.parts[-1] is None:
            self.out.append(",")
        if value.time is not None:
            self.out.append(",")
            self.value(value.time)
        self.out.append(")")

    def _week_day(self, value: values.WeekDay) -> None:
        self.out += ("new", "Date", CALL, "enum", value.day)
        if value.time is not None:
            self.out.append(",")
            self.value(value.time)
        self.out.append(")")

    def _relative(self, head: str, name: str) -> None:
        self.out += (head, ".", name)

    def _recurrent(self, value: values.RecurrentTime) -> None:
        self.out += ("new", "RecurrentTimeSpecification", CALL)
        self.commas(value.rules, self._fields)
        self.out.append(")")

    def _fields(self, fields: tuple[tuple[str, Value], ...]) -> None:
        self.out.append("{")
        self.commas(fields, self._assignment)
        self.out.append("}")

    def _assignment(self, pair: tuple[str, Value]) -> None:
        self.path(pair[0])
        self.out.append("=")
        self.value(pair[1])

    def _arg_map(self, value: values.ArgMap) -> None:
        self.out += ("new", "ArgMap", CALL)
        self.commas(value.fields, self.typed_name)
        self.out.append(")")

    def typed_name(self, pair: tuple[str, values.Type]) -> None:
        """`name : Type`."""
        self.out += (pair[0], ":")
        self.out += type_tokens(pair[1], self)

    def _array(self, value: values.Array) -> None:
        self.out.append("[")
        self.commas(value.values, self.value)
        self.out.append("]")

    def _context(self, value: values.ContextRef) -> None:
        self.out += ("$context", ".")
        self.path(value.name)
        self.out.append(":")
        self.out += type_tokens(value.type, self)

    def _computation(self, value: values.Computation) -> None:
        level = PRECEDENCE.get(value.op)
        if level is None or len(value.operands) != 2:
            self.out += (value.op, CALL)
            self.commas(value.operands, self.value)
            self.out.append(")")
            return
        # Levels of values are one above those of the parser; operators group to the left.
        self.value(value.operands[0], level + 1)
        self.out.append(value.op)
        self.value(value.operands[1], level + 2)

    def _array_field(self, value: values.ArrayField) -> None:
        self.path(value.field)
        self.out.append("of")
        self.value(value.value, 1)

    def _filter_value(self, value: values.FilterValue) -> None:
        # Values hold filters and filters values; this way round is rare.
        from .print_filters import print_narrow_filter

        self.value(value.value, 2)
        self.out.append("filter")
        print_narrow_filter(self, value.filter)


_LOOSE: Final = frozenset((values.ArrayField, values.FilterValue, values.Computation))


def value_level(value: Value) -> int:
    if isinstance(value, values.ArrayField):
        return 0
    if isinstance(value, values.FilterValue):
        return 1
    if isinstance(value, values.Computation) and len(value.operands) == 2:
        return PRECEDENCE.get(value.op, 4) + 1
    return 5


_VALUES: Final[dict[type, Callable[[Printer, Any], None]]] = {
    values.Placeholder: Printer.placeholder,
    values.Boolean: lambda p, v: p.out.append("true" if v.value else "false"),
    values.Number: lambda p, v: p.number(v.value),
    values.String: lambda p, v: p.out.append(p.string_token(v.value)),
    values.Enum: lambda p, v: p.out.extend(("enum", v.name)),
    values.Entity: Printer._entity,
    values.Measure: lambda p, v: p._unit(v.value, v.unit),
    values.Currency: lambda p, v: p._unit(v.value, f"${v.code}"),
    values.Time: Printer._time,
    values.RelativeTime: lambda p, v: p._relative("$time", v.name),
    values.Location: Printer._location,
    values.NamedLocation: lambda p, v: p._text_call("Location", v.name),
    values.RelativeLocation: lambda p, v: p._relative("$location", v.name),
    values.Now: lambda p, v: p.out.append("$now"),
    values.IsoDate: lambda p, v: p._text_call("Date", v.text),
    values.DateParts: Printer._date_parts,
    values.WeekDay: Printer._week_day,
    values.DateEdge: lambda p, v: p.out.extend((f"${v.edge}", CALL, v.unit, ")")),
    values.RecurrentTime: Printer._recurrent,
    values.ArgMap: Printer._arg_map,
    values.Undefined: lambda p, v: p.out.append("$?"),
    values.Array: Printer._array,
    values.Object: lambda p, v: p._fields(v.fields),
    values.VarRef: lambda p, v: p.path(v.name),
    values.Event: lambda p, v: p.out.append(f"${v.name or 'result'}"),
    values.ContextRef: Printer._context,
    values.Computation: Printer._computation,
    values.ArrayField: Printer._array_field,
    values.FilterValue: Printer._filter_value,
}
