"""Recursive descent over the tokens of either syntax; here the values.

`parse_filters`, `parse_queries` and `programs` are built on it. Nesting is bounded where brackets nest and where a tree
grows by its left end, so that neither reading a program nor walking its tree can exhaust the stack. The grammar is the
reference's (`lib/new-syntax/parser.lr` of thingtalk 2.1), without its ambiguities.
"""

from collections.abc import Callable
from typing import Final, Literal, cast

from .ast import FILTER_CLASSES, Filter
from .lexer import NAME, NO_CURRENCY, NOT_A_UNIT, PLACEHOLDER
from .parse_constants import CONSTANTS
from .parse_types import annotated_type
from .scanner import Scanner
from .values import (
    Array,
    ArrayField,
    Boolean,
    Computation,
    ContextRef,
    Currency,
    Entity,
    Enum,
    Event,
    FilterValue,
    Measure,
    Number,
    Object,
    Placeholder,
    String,
    Undefined,
    Value,
    VarRef,
)

PRECEDENCE: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "**": 3}
AGGREGATES: Final = frozenset(("min", "max", "sum", "avg", "count"))
SCALAR_FUNCTIONS: Final = AGGREGATES | {"distance", "set_time"}
# What may follow a value and make it a larger one.
GOES_ON: Final = frozenset((*PRECEDENCE, "of", "filter"))


class Parser(Scanner):
    """Reads values at the current token."""

    __slots__ = ()

    # ------------------------------------------------------------ values

    def value(self) -> Value:
        """A value."""
        left = self.primary()
        if self.toks[self.i] in GOES_ON:
            return self.longer(left)
        return left

    def longer(self, left: Value) -> Value:
        """What a value becomes by `of`, operators or `filter` after it."""
        if self.toks[self.i] == "of" and isinstance(left, VarRef):
            self.i += 1
            inner = self.primary()
            if self.toks[self.i] in PRECEDENCE:
                inner = self.sum(inner, 1)
            return ArrayField(left.name, self.filtered(inner))
        if self.toks[self.i] in PRECEDENCE:
            left = self.sum(left, 1)
        return self.filtered(left)

    def filtered(self, value: Value) -> Value:
        """What a value becomes by `filter` after it."""
        if self.toks[self.i] != "filter":
            return value
        # Values hold filters and filters values; this way round is rare.
        from .parse_filters import unary

        self.i += 1
        return FilterValue(value, cast(Filter, unary(self, narrow=True)))

    def sum(self, left: Value, least: int, operand: "Callable[[Parser], Value] | None" = None) -> Value:
        """Operators at least as tight as `least` after `left`, all of them grouping to the left.

        operand: how the values between them are read; `primary` if not given.
        """
        toks = self.toks
        wrapped = False
        while (level := PRECEDENCE.get(toks[self.i], 0)) >= least:
            if left.__class__ in FILTER_CLASSES:
                self.unexpected("a filter or `)`")
            op = toks[self.i]
            self.i += 1
            right = operand(self) if operand is not None else self.primary()
            if PRECEDENCE.get(toks[self.i], 0) > level:
                right = self.sum(right, level + 1, operand)
            if right.__class__ in FILTER_CLASSES:
                self.unexpected("a comparison")
            if wrapped:
                self.wrap()
            left, wrapped = Computation(op, (left, right)), True
        return left

    def primary(self) -> Value:
        """A value without operators."""
        token = self.toks[self.i]
        if token == "enum":
            return Enum(self.enum_member())
        handler = _PRIMARY.get(token)
        if handler is not None:
            return handler(self)
        first = token[:1]
        if first.isalpha() or first == "_":
            if first.isupper() and (self.tokenized or ":" in token):
                match = PLACEHOLDER.fullmatch(token)
                if match is not None:
                    self.i += 1
                    held = Placeholder(token)
                    return self._measured(held) if match.lastindex == 2 else self._identified(held, match.lastindex)
            return VarRef(self.path("a value"))
        if first == '"' or (first == "'" and not self.tokenized):
            return self._string_or_entity()
        if first == "@":
            return self._class_as_value()
        if first.isdigit() or first in ("-", "."):
            value = self.literal_number()
            return self._measured(value)
        self.unexpected("a value")

    def enum_member(self) -> str:
        """`enum member` or `enum(member)`."""
        self.expect("enum")
        if self.take("("):
            name = self.word("a member")
            self.expect(")")
            return name
        return self.word("a member")

    def unit(self) -> str:
        """A unit of measure."""
        token = self.toks[self.i]
        if token in NOT_A_UNIT or not NAME.fullmatch(token):
            self.unexpected("a unit")
        self.i += 1
        return token

    def _measured(self, value: int | float | Placeholder) -> Value:
        """What a number becomes by the unit or currency after it."""
        token = self.toks[self.i]
        if token.isidentifier():
            if token not in NOT_A_UNIT and token.isascii():
                self.i += 1
                return Measure(value, token)
        elif token[:1] == "$" and token not in NO_CURRENCY and NAME.fullmatch("_" + token[1:]):
            self.i += 1
            return Currency(value, token[1:])
        return value if isinstance(value, Placeholder) else Number(value)

    def _negative(self) -> Value:
        return self._measured(self.any_number())

    def _string_or_entity(self) -> Value:
        said = self.string()
        return Entity(said, *self._entity_rest()) if self.toks[self.i][:2] == "^^" else String(said)

    def _identified(self, held: Placeholder, kind: int | None) -> Value:
        """A placeholder of a string may be the identifier of an entity."""
        return Entity(held, *self._entity_rest()) if kind == 1 and self.toks[self.i][:2] == "^^" else held

    def _entity_rest(self) -> tuple[str, str | Placeholder | None]:
        type_ = self.entity_type()
        if self.toks[self.i] != "(":
            return type_, None
        self.i += 1
        display = self.text_or_placeholder()
        self.expect(")")
        return type_, display

    def _null(self) -> Value:
        self.i += 1
        type_ = self.entity_type()
        self.expect("(")
        display = self.text_or_placeholder()
        self.expect(")")
        return Entity(None, type_, display)

    def _class_as_value(self) -> Value:
        kind = self.class_name()
        if self.take("."):
            return Entity(f"{kind}.{self.name()}", "tt:function")
        return Entity(kind, "tt:device")

    def _bracketed_value(self) -> Value:
        self.enter()
        self.i += 1
        inner = self.value()
        self.expect(")")
        self.depth -= 1
        return inner

    def _array(self) -> Value:
        self.enter()
        self.i += 1
        found: list[Value] = []
        while self.toks[self.i] != "]" if not found else self.take(","):
            found.append(self.value())
        self.expect("]")
        self.depth -= 1
        return Array(tuple(found))

    def object(self) -> Object:
        """`{ name = value, ... }`, with or without a last comma."""
        self.enter()
        self.expect("{")
        toks = self.toks
        fields: list[tuple[str, Value]] = []
        while toks[self.i] != "}":
            fields.append(self.object_field())
            if toks[self.i] != ",":
                break
            self.i += 1
        self.expect("}")
        self.depth -= 1
        return Object(tuple(fields))

    def object_field(self) -> tuple[str, Value]:
        """`name = value`."""
        name = self.path("a field name")
        self.expect("=")
        return name, self.value()

    def _scalar_function(self) -> Value:
        op = self.toks[self.i]
        if self.toks[self.i + 1] != "(":
            return VarRef(self.path())
        self.enter()
        self.i += 2
        operands = self.values()
        self.expect(")")
        self.depth -= 1
        return Computation(op, operands)

    def values(self) -> tuple[Value, ...]:
        """One value or more, between commas."""
        found = [self.value()]
        while self.take(","):
            found.append(self.value())
        return tuple(found)

    def _context(self) -> Value:
        self.i += 1
        self.expect(".")
        name = self.path()
        return ContextRef(name, annotated_type(self))

    def _boolean(self) -> Value:
        self.i += 1
        return Boolean(self.toks[self.i - 1] == "true")

    def _undefined(self) -> Value:
        self.i += 1
        return Undefined()

    def _event(self) -> Value:
        self.i += 1
        name = self.toks[self.i - 1][1:]
        return Event(None if name == "result" else cast(Literal["type", "program_id", "source"], name))


_PRIMARY: Final[dict[str, Callable[[Parser], Value]]] = {
    "null": Parser._null,
    "(": Parser._bracketed_value,
    "[": Parser._array,
    "{": Parser.object,
    "true": Parser._boolean,
    "false": Parser._boolean,
    "-": Parser._negative,
    "$?": Parser._undefined,
    "$undefined": Parser._undefined,
    "$context": Parser._context,
    **dict.fromkeys(("$result", "$type", "$program_id", "$source"), Parser._event),
    **dict.fromkeys(SCALAR_FUNCTIONS, Parser._scalar_function),
    **CONSTANTS,
}
