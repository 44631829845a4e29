"""Lispress as programs: calls, arguments, types, literals, variables.

These terms keep what a text says, in the order in which it says it: `reader.read_program` and
`writer.write_program` are inverse to each other and change nothing. Standard forms are `canonical`'s business.

Both versions of Lispress read into the same terms. Version 1 writes `#(Schema json)` literals, accessors `(:key x)`
and bracketed types inside names; version 2 type arguments `^(T ...)`, ascriptions `^T e` and `3L`.
"""

import json
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from .sexp import Sexp

_JSON: Final = json.JSONDecoder(strict=False)

LiteralKind = Literal["String", "Long", "Number", "Boolean"]


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """A type: `Event` (`args` is None) or `(List Event)`; `(Event)` has `args == ()`."""

    name: str
    args: "tuple[TypeExpr, ...] | None" = None


@dataclass(frozen=True, slots=True)
class Atom:
    """A bare literal: `"x"`, `3L`, `0.5`, `true`. `text` is its spelling."""

    kind: LiteralKind
    text: str

    @property
    def value(self) -> str | int | float | bool:
        """What the literal denotes. A string that is no JSON string stands for the characters between its quotes."""
        if self.kind == "Long":
            return int(self.text[:-1])
        if self.kind != "String":
            result: int | float | bool = json.loads(self.text)
            return result
        try:
            return str(_JSON.decode(self.text))
        except json.JSONDecodeError:
            return self.text[1:-1]


@dataclass(frozen=True, slots=True)
class Tagged:
    """`#(Schema value ...)`: the schema's name and the atoms after it, as spelled (usually one piece of JSON)."""

    schema: str
    values: tuple[str, ...]

    @property
    def value(self) -> object:
        """The values joined and read as JSON; the joined text itself where it is no JSON."""
        text = " ".join(self.values)
        try:
            return _JSON.decode(text)
        except json.JSONDecodeError:
            return text


@dataclass(frozen=True, slots=True)
class Var:
    """A use of a name that `let` or `lambda` binds, or of an unbound `x<digits>`, which is reserved for variables."""

    name: str


@dataclass(frozen=True, slots=True)
class Name:
    """A bare symbol that is neither variable nor literal: the same function as `(name)`."""

    name: str


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument. `name` is None for a positional one; `value` is None for a `:name` that nothing follows."""

    name: str | None
    value: "Expr | None"


@dataclass(frozen=True, slots=True)
class Call:
    """`(head arg ...)` or `(^(T ...) head arg ...)`. A head with a leading `:` is version 1's accessor."""

    head: str
    args: tuple[Arg, ...] = ()
    type_args: tuple[TypeExpr, ...] | None = None


@dataclass(frozen=True, slots=True)
class Let:
    """`(let (name value ...) body ...)`: each value sees the names before it."""

    bindings: "tuple[tuple[str, Expr], ...]"
    body: "tuple[Expr, ...]"


@dataclass(frozen=True, slots=True)
class Lambda:
    """`(lambda (name) body)` or `(lambda (^T name) body)`."""

    name: str
    type: TypeExpr | None
    body: "Expr"


@dataclass(frozen=True, slots=True)
class Ascribed:
    """`^T e`."""

    type: TypeExpr
    expr: "Expr"


@dataclass(frozen=True, slots=True)
class Empty:
    """`()`: the empty program, or a unit value."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A list whose head is neither a symbol nor a typed symbol, such as `((f) x)`: kept, without a meaning."""

    sexp: Sexp


Expr: TypeAlias = Atom | Tagged | Var | Name | Call | Let | Lambda | Ascribed | Empty | Opaque

EMPTY: Final = Empty()


def positional(*values: Expr) -> tuple[Arg, ...]:
    """Positional arguments."""
    return tuple(Arg(None, value) for value in values)


def named(**values: Expr) -> tuple[Arg, ...]:
    """Named arguments, in the order given."""
    return tuple(Arg(name, value) for name, value in values.items())


def string(value: str) -> Atom:
    """A string literal, spelled as JSON in ASCII."""
    return Atom("String", json.dumps(value))
