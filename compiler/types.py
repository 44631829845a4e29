"""Types of DL, and the variables that inference solves.

`Con` covers every named type: base types, enums, entities, tables and applied constructors
(`List[a]`, `Rel[r]`, `Spec[a]`, `Ref[a]`, `Action[a]`, `Fn[a, b]`, `Measure[kg]`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from .node import node


@node
class Con:
    """A type constructor applied to arguments: `Number`, `List[Number]`."""

    name: str
    args: "tuple[Type, ...]" = ()


@node
class Row:
    """A relation's row: named binders, each over a table or record type. Joins append binders."""

    binders: "tuple[tuple[str, Type], ...]"


@node
class RecordType:
    """A record: fields in order; `rest` is the variable for further fields, or None if closed."""

    fields: "tuple[tuple[str, Type], ...]"
    rest: "TypeVar | None" = None


@node
class Param:
    """A quantified variable of a signature, by name (`T` in `fun refer[T](...)`)."""

    name: str


@dataclass(slots=True, eq=False)
class TypeVar:
    """An unsolved type. `link` is its solution; `level` the depth of the let that owns it.

    Constraints collected on an unsolved variable are checked when it is solved (`unify`).
    """

    id: int
    level: int
    link: "Type | None" = None
    constraints: "list[Constraint]" = field(default_factory=list)


Type: TypeAlias = Con | Row | RecordType | Param | TypeVar


@node
class Constraint:
    """A demand on a type that waits until the type is known.

    kind: `Eq`, `Ord`, `Num`, `Text` (a class), `member` (an enum with member `name`), `field` (a type
    with field `name` of type `result`), `hole` (a type a placeholder may have), `entity`, `raw`, `unknown` (stands for an error already reported).
    """

    kind: str
    name: str = ""
    result: "Type | None" = None
    path: tuple[int, ...] = ()


BOOL, INT, NUMBER, TEXT = Con("Bool"), Con("Int"), Con("Number"), Con("Text")
DATE, TIME, DATETIME, DURATION, MONEY = Con("Date"), Con("Time"), Con("DateTime"), Con("Duration"), Con("Money")
UNIT, DYNAMIC = Con("Unit"), Con("Dynamic")
MAX_SIZE: Final = 10_000

# Constructors with their number of arguments; everything else is declared in a schema.
BUILTIN_TYPES = {
    **{name: 0 for name in ("Bool", "Int", "Number", "Text", "Date", "Time", "DateTime", "Duration", "Money")},
    **{name: 0 for name in ("Unit", "Dynamic", "Path", "Location")},
    **{name: 1 for name in ("Measure", "List", "Rel", "Groups", "Spec", "Ref", "Action")},
    "Fn": 2,
}


def list_of(item: Type) -> Con:
    """`List[item]`."""
    return Con("List", (item,))


def rel(*binders: tuple[str, Type]) -> Con:
    """`Rel` of a row with these binders."""
    return Con("Rel", (Row(binders),))


def spec(subject: Type) -> Con:
    """`Spec[subject]`: a predicate over it."""
    return Con("Spec", (subject,))


def resolve(type_: Type) -> Type:
    """Follow solved variables at the top, shortening the path."""
    while isinstance(type_, TypeVar) and type_.link is not None:
        if isinstance(type_.link, TypeVar) and type_.link.link is not None:
            type_.link = type_.link.link
        type_ = type_.link
    return type_


def parts(type_: Type) -> "tuple[Type, ...]":
    """The immediate component types."""
    match type_:
        case Con(args=args):
            return args
        case Row(binders):
            return tuple(t for _, t in binders)
        case RecordType(fields, rest):
            return tuple(t for _, t in fields) + ((rest,) if rest is not None else ())
    return ()


def zonk(type_: Type) -> Type:
    """The type with every solved variable replaced; the very type if there is none."""
    type_ = resolve(type_)
    match type_:
        case Con(name, args):
            new = _zonk_all(args)
            return type_ if new is args else Con(name, new)
        case Row(binders):
            given = tuple([t for _, t in binders])
            new = _zonk_all(given)
            return type_ if new is given else Row(_renamed(binders, new))
        case RecordType(fields, rest):
            given = tuple([t for _, t in fields])
            new = _zonk_all(given)
            if rest is None:
                return type_ if new is given else RecordType(_renamed(fields, new))
            tail = zonk(rest)
            own = _renamed(fields, new)
            if isinstance(tail, RecordType):
                return RecordType(tuple(sorted(own + tail.fields)), tail.rest)
            return RecordType(own, tail if isinstance(tail, TypeVar) else None)
    return type_


def _zonk_all(types: "tuple[Type, ...]") -> "tuple[Type, ...]":
    """Each type zonked once; the very tuple if none changes."""
    for i, type_ in enumerate(types):
        first = zonk(type_)
        if first is not type_:
            return (*types[:i], first, *map(zonk, types[i + 1 :]))
    return types


def _renamed(named: "tuple[tuple[str, Type], ...]", types: "tuple[Type, ...]") -> "tuple[tuple[str, Type], ...]":
    return tuple([(name, type_) for (name, _), type_ in zip(named, types, strict=True)])


def too_large(type_: Type) -> bool:
    """Whether a type written out has more than `MAX_SIZE` parts. Types share what they repeat, so a short program can
    have a type that nobody could print; every walk over types is bounded by keeping such types out."""
    left, todo = MAX_SIZE, [type_]
    while todo:
        left -= 1
        if left < 0:
            return True
        todo.extend(parts(resolve(todo.pop())))
    return False


def closed(type_: Type) -> Type | None:
    """The type with every solved variable replaced, or None if an unsolved one is left."""
    if _without_variables(type_):
        return type_
    type_ = zonk(type_)
    return None if is_open(type_) else type_


def _without_variables(type_: Type) -> bool:
    """Whether there is no variable in a type, solved or not."""
    if isinstance(type_, Con):
        return not type_.args or all(map(_without_variables, type_.args))
    if isinstance(type_, Row):
        return all([_without_variables(t) for _, t in type_.binders])
    if isinstance(type_, RecordType):
        return type_.rest is None and all([_without_variables(t) for _, t in type_.fields])
    return isinstance(type_, Param)


def is_open(type_: Type) -> bool:
    """Whether an unsolved variable is in the type."""
    type_ = resolve(type_)
    if isinstance(type_, TypeVar):
        return True
    if isinstance(type_, Con):
        return bool(type_.args) and any(map(is_open, type_.args))
    return any(map(is_open, parts(type_)))


def variables(type_: Type) -> Iterator[TypeVar]:
    """Unsolved variables, left to right, with repeats."""
    type_ = resolve(type_)
    if isinstance(type_, TypeVar):
        yield type_
    for part in parts(type_):
        yield from variables(part)


def substitute(type_: Type, binding: "dict[str, Type]") -> Type:
    """Replace signature parameters by name."""
    if not binding:
        return type_
    match type_:
        case Param(name):
            return binding.get(name, type_)
        case Con(name, args) if args:
            return Con(name, tuple(substitute(a, binding) for a in args))
        case Row(binders):
            return Row(tuple((n, substitute(t, binding)) for n, t in binders))
        case RecordType(fields, rest):
            return RecordType(tuple((n, substitute(t, binding)) for n, t in fields), rest)
    return type_


def show(type_: Type, names: "dict[int, str] | None" = None) -> str:
    """The type as DL writes it; unsolved variables get letters in order of appearance."""
    names = {} if names is None else names
    type_ = resolve(type_)
    match type_:
        case Con("Rel" | "Groups" as name, (Row(binders),)):
            return f"{name}[{', '.join(_binder(b, t, names) for b, t in binders)}]"
        case Con(name, args):
            shown = name if name.isidentifier() else f"`{name}`"
            return shown + (f"[{', '.join(show(a, names) for a in args)}]" if args else "")
        case Row(binders):
            return "(" + ", ".join(f"{b}: {show(t, names)}" for b, t in binders) + ")"
        case RecordType(fields, rest):
            inner = [f"{n}: {show(t, names)}" for n, t in fields] + ([show(rest, names)] if rest is not None else [])
            return "{ " + ", ".join(inner) + " }" if inner else "{}"
        case Param(name):
            return name
        case TypeVar(id=number):
            return names.setdefault(number, _letter(len(names)))
    raise TypeError(type_)


def _binder(binder: str, type_: Type, names: "dict[int, str]") -> str:
    shown = show(type_, names)
    return shown if shown == binder or binder == "it" else f"{binder}: {shown}"


def _letter(index: int) -> str:
    return chr(ord("a") + index % 26) + (str(index // 26) if index >= 26 else "")
