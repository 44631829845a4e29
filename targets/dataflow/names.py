"""Names and types between Lispress and DL.

Every mapping here is one to one and needs no schema. Where a name of Lispress would be read as something else in
DL, it is written with a leading backslash in back quotes: `` `\\take`(xs, 2L) `` is the function `take` of Lispress.
A schema may give a function another name in DL (`fun PersonName(Text) -> PersonName @lispress "PersonName.apply"`);
the name it takes away from others is escaped in the same way.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from ...compiler.check import prelude
from ...compiler.operators import OPERATORS
from ...compiler.relations import RELATIONAL
from ...compiler.schema import FieldDecl, Function, Schema, fact
from ...compiler.types import Con, Type, TypeVar, resolve
from .program import TypeExpr

_TYPE_NAMES: Final = {
    "Constraint": "Spec",
    "CalflowIntension": "Ref",
    "Lambda": "Fn",
    "String": "Text",
    "Long": "Int",
    "Boolean": "Bool",
}
_DL_TYPE_NAMES: Final = {dl: name for name, dl in _TYPE_NAMES.items()}

ACCESSOR: Final = re.compile(r"([A-Z]\w*)\.([a-z]\w*)\Z")
"""A field of a type: `Event.start`."""
LIFTED: Final = re.compile(r"([A-Z]\w*)\.([a-z]\w*)_\?\Z")
"""The constraint on a type that a constraint on its field makes: `Event.start_?`."""
_ODD: Final = re.compile(r"[\],\\]")
MEMBER: Final = re.compile(r"([A-Z]\w*)\.([A-Z]\w*)\Z")
"""A constant of a type: `ShowAsStatus.Busy`."""

SHARED: Final = frozenset(("refer", "Execute", "intension", "Path"))
"""Functions that DL has under the same name and with the same meaning."""
_MARKED: Final = ("\\", "'", "#", ":")


def constant(head: str, schema: "Schema | None") -> tuple[str, str] | None:
    """The type and the name of a constant: capitalized both, or any member of an enum of the schema (`Area.north`);
    None if it is none."""
    match = MEMBER.match(head)
    owner, _, name = head.partition(".")
    enum = schema.enum.get(owner) if schema is not None else None
    return (owner, name) if match or (enum is not None and name in enum.names) else None


class Unsayable(Exception):
    """The other language has no way to say a part of a program."""


def dl_type(type_: TypeExpr) -> Con:
    """A type in DL. Raises Unsayable for `(Event)`, an application to nothing."""
    if type_.args == ():
        raise Unsayable(f"the type ({type_.name}) is applied to nothing")
    name = _TYPE_NAMES.get(type_.name)
    if name is None:
        name = f"\\{type_.name}" if type_.name in _DL_TYPE_NAMES or type_.name[0] == "\\" else type_.name
    return Con(name, tuple([dl_type(each) for each in type_.args or ()]))


def lispress_type(type_: Type) -> TypeExpr:
    """A type in Lispress; an open type is Dynamic. Raises Unsayable for types that only queries have."""
    type_ = resolve(type_)
    if isinstance(type_, TypeVar):
        return TypeExpr("Dynamic")
    if not isinstance(type_, Con):
        raise Unsayable("a row or record has no type in Lispress")
    name = _DL_TYPE_NAMES.get(type_.name) or type_.name.removeprefix("\\")
    return TypeExpr(name, tuple([lispress_type(each) for each in type_.args]) or None)


@lru_cache(maxsize=1 << 12)
def type_of_text(text: str) -> TypeExpr | None:
    """A type as version 1 spells it inside names (`Constraint[Event]`); None if brackets do not match."""
    opening = text.find("[")
    if opening < 0:
        return TypeExpr(text) if text and _ODD.search(text) is None else None
    if opening == 0 or text[-1] != "]":
        return None
    inner = type_of_text(text[opening + 1 : -1])
    name = text[:opening]
    return None if inner is None or _ODD.search(name) else TypeExpr(name, (inner,))


def text_of_type(type_: TypeExpr) -> str:
    """Inverse of `type_of_text`."""
    return type_.name if not type_.args else f"{type_.name}[{', '.join(text_of_type(each) for each in type_.args)}]"


@cache
def reserved() -> frozenset[str]:
    """Function names that DL reads in its own way: operators, stages, what every schema has."""
    own = frozenset(prelude().function) - SHARED
    return own | OPERATORS.keys() | RELATIONAL.keys() | {"all_fields", "coerce", "any", "none", "Constraint"}


class Names:
    """Names of one schema's functions and fields, both ways."""

    def __init__(self, schema: Schema | None) -> None:
        self.schema = schema
        self._to_dl: dict[str, str] = {}
        self._to_lispress: dict[str, str] = {}
        self.function: dict[str, Function] = {}
        """Functions by their name in Lispress."""
        self.fields: dict[tuple[str, str], FieldDecl] = {}
        """Fields that Lispress has an accessor or a constraint function for, by owner and name."""
        for function in schema.functions if schema is not None else ():
            name = fact(function.facts, "lispress") or unescaped(function.name)
            self._to_dl[name] = function.name
            self._to_lispress[function.name] = name
            self.function[name] = function
        for field in schema.fields if schema is not None else ():
            self.fields[field.owner, field.name] = field

    def dl(self, head: str, scope: frozenset[str] = frozenset()) -> str:
        """A function's name in DL."""
        name = self._to_dl.get(head)
        if name is None:
            taken = head in self._to_lispress or head in reserved() or head.startswith(_MARKED) or is_variable(head)
            name = escaped(head) if taken else head
        return spelled(escaped(head) if name in scope else name)

    def lispress(self, name: str) -> str:
        """A function's name in Lispress."""
        return self._to_lispress.get(name) or unescaped(name)

    def accessor(self, owner: str, name: str) -> bool:
        """Whether the schema says that a type has this field as an accessor."""
        field = self.fields.get((owner, name))
        return field is not None and fact(field.facts, "accessor") is not None


def leading(function: Function) -> int:
    """How many of its parameters untyped Lispress gives by position, if all before them are given."""
    given = fact(function.facts, "leading")
    return int(given) if given is not None and given.isdigit() else len(function.positional)


def is_variable(name: str) -> bool:
    """Whether a name is one that Lispress reserves for variables: x and digits."""
    return name[:1] == "x" and name[1:].isdecimal()


def escaped(name: str) -> str:
    """A name behind a backslash; two, if its own first character would be read as part of the escape."""
    return ("\\\\" if name[:1] in ("\\", "'") else "\\") + name


def plain(head: str) -> str:
    """A function's name in DL under which no schema knows it, so that its call stays as it is written."""
    return spelled("\\'" + head)


def unescaped(name: str) -> str:
    """Inverse of `escaped` and `plain`."""
    return name[2:] if name.startswith(("\\\\", "\\'")) else name[1:] if name[:1] == "\\" else name


def spelled(name: str) -> str:
    """The name itself. Raises Unsayable if DL has no spelling for it (empty, a back quote or a line end in it)."""
    if not name or "`" in name or "\n" in name:
        raise Unsayable(f"DL cannot spell the name {name!r}")
    return name


DIRECT: Final[Mapping[str, str]] = {"==": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "+": "+", "-": "-"}
"""Binary functions that DL writes between their arguments."""
COMPARED: Final[Mapping[str, str]] = {
    "?=": "=", "?~=": "~", "?<": "<", "?>": ">", "?<=": "<=", "?>=": ">="
}  # fmt: skip
"""Constraints that compare their subject with a value."""
CONNECTED: Final[Mapping[str, str]] = {"&": "and", "orConstraint": "or", "negate": "not"}
"""Constraints made of constraints on the same subject."""
