"""Which functions can be called for a type: instances of their signatures, and what their arguments must be then."""

from collections.abc import Iterator

from ..compiler.classes import coercible, has_class
from ..compiler.expected import ground_types
from ..compiler.schema import Function
from ..compiler.types import DATE, DYNAMIC, INT, NUMBER, Con, Constraint, Param, Type, parts, substitute
from .dl_context import NOWHERE, Context, Dl, fields

Binding = tuple[tuple[str, Type], ...]
"""What the type variables of a function are, by name."""

Choice = tuple[Function, Binding]
Argument = tuple[str, Type, str]
"""Of a call: its label (empty if it is given by position), its type, the kind of operand it must be."""
EXPECTED = ("exact", "own", "fit")
"""Kinds of operand (`dl_values`) where a type is known to be wanted."""


def is_in(dl: Dl, type_: Type, cls: str) -> bool:
    """Whether a type is in a class of the overloaded operations."""
    return not cls or has_class(dl.schema, type_, Constraint(cls))


def below(dl: Dl, type_: Type) -> tuple[Type, ...]:
    """Types whose values may stand where one of `type_` is wanted."""
    key = ("below", type_)
    found = dl.memo.get(key)
    if found is None:
        sources = (INT, NUMBER, DATE, *(Con(e.name) for e in dl.schema.entities))
        found = dl.memo[key] = tuple(s for s in sources if s != type_ and coercible(dl.schema, s, type_))
    return found


def above(dl: Dl, type_: Type) -> tuple[Type, ...]:
    """Types that one of `type_` may be taken for."""
    key = ("above", type_)
    found = dl.memo.get(key)
    if found is None:
        found = dl.memo[key] = tuple(
            t for t in ground_types(dl.schema) if t != type_ and coercible(dl.schema, type_, t)
        )
    return found


def can_write(dl: Dl, type_: Type, context: Context) -> bool:
    """Whether some value of a type can be written where one is wanted."""
    return isinstance(type_, Con) and (
        has_class(dl.schema, type_, Constraint("raw"))
        or type_.name == "Spec"
        or bool(calls(dl, type_, True))
        or any(found == type_ for _, found in context.bound)
    )


def can_show(dl: Dl, type_: Type, context: Context) -> bool:
    """Whether something can be written here that shows its type to be this one."""
    if not isinstance(type_, Con):
        return False
    if type_.name == "List":
        return can_show(dl, type_.args[0], context)
    if not type_.args and has_class(dl.schema, type_, Constraint("hole")):
        return True
    return any(found == type_ for _, _, found in fields(dl, context)) or any(t == type_ for _, t in context.bound)


def calls(dl: Dl, type_: Type, known: bool) -> tuple[Choice, ...]:
    """Functions, with their type variables bound, whose result is of the type and whose arguments could be written.

    known: the type is known from outside; otherwise the arguments must show what every type variable is.
    """
    key = ("calls", type_, known)
    found = dl.memo.get(key)
    if found is None:
        found = dl.memo[key] = tuple(
            (function, binding)
            for function in _may_give(dl, type_, known)
            for binding in _bindings(dl, function, type_, known)
        )
    return found


def _may_give(dl: Dl, type_: Type, known: bool) -> tuple[Function, ...]:
    """Functions whose result has the type's constructor, or one not known."""
    name = type_.name if isinstance(type_, Con) else None
    key = ("may give", name, known)
    if key not in dl.memo:
        dl.memo[key] = tuple(
            f for f in dl.schema.functions
            if not f.action
            and (not isinstance(f.result, Con) or f.result.name == name or (known and f.result == DYNAMIC))
        )  # fmt: skip
    return dl.memo[key]  # type: ignore[no-any-return]


def _bindings(dl: Dl, function: Function, type_: Type, known: bool) -> Iterator[Binding]:
    matched = _match(function.result, type_)
    if matched is None and known and function.result == DYNAMIC:
        matched = {}
    open_ = _open_arguments(dl, function, known) if matched is not None else None
    if matched is None or open_ is None:
        return
    free = [(name, cls) for name, cls in function.tparams if name not in matched]
    if len(free) > 1 or any(not is_in(dl, matched[n], c) for n, c in function.tparams if n in matched):
        return
    if not free:
        if all(_can_pass(dl, substitute(t, matched), kind) for t, kind in open_):
            yield tuple(sorted(matched.items()))
        return
    ((name, cls),) = free
    for bound in _ground_types_in(dl, cls):
        types = {**matched, name: bound}
        if all(_can_pass(dl, substitute(t, types), kind) for t, kind in open_):
            yield tuple(sorted(types.items()))


def _open_arguments(dl: Dl, function: Function, known: bool) -> tuple[tuple[Type, str], ...] | None:
    """Required arguments whose types have variables; None where the others could not be written, or where nothing
    shows what a variable is."""
    key = ("open arguments", function.name, known)
    if key not in dl.memo:
        wanted = _wanted(dl, function, known)
        closed = all(_can_pass(dl, t, kind) for _, t, kind, generic in wanted if not generic)
        shown = known or all(_is_shown(function, name) for name, _ in function.tparams)
        dl.memo[key] = tuple((t, kind) for _, t, kind, generic in wanted if generic) if closed and shown else None
    return dl.memo[key]  # type: ignore[no-any-return]


def _ground_types_in(dl: Dl, cls: str) -> tuple[Type, ...]:
    key = ("ground types in", cls)
    if key not in dl.memo:
        dl.memo[key] = tuple(t for t in ground_types(dl.schema) if is_in(dl, t, cls))
    return dl.memo[key]  # type: ignore[no-any-return]


def _is_shown(function: Function, name: str) -> bool:
    """Whether an argument that must come, and comes first, shows what a type variable is."""
    return any(mentions(p.type, name) for p in function.positional if not p.optional)


def _match(pattern: Type, type_: Type) -> dict[str, Type] | None:
    if isinstance(pattern, Param):
        return {pattern.name: type_}
    if not (isinstance(pattern, Con) and isinstance(type_, Con) and pattern.name == type_.name):
        return None
    if len(pattern.args) != len(type_.args):
        return None
    found: dict[str, Type] = {}
    for a, b in zip(pattern.args, type_.args, strict=True):
        inner = _match(a, b)
        if inner is None or any(found.get(k, v) != v for k, v in inner.items()):
            return None
        found |= inner
    return found


def _can_pass(dl: Dl, type_: Type, kind: str) -> bool:
    key = ("can pass", type_, kind == "shown")
    found = dl.memo.get(key)
    if found is None:
        if not isinstance(type_, Con) or type_depth(type_) > dl.limits.types or not _ground(type_):
            found = False
        elif kind == "shown":
            # Only a value itself, or a list of values, shows its type.
            found = can_show(dl, type_, NOWHERE)
        else:
            found = has_class(dl.schema, type_, Constraint("raw")) or type_.name == "Spec"
        dl.memo[key] = found
    return found


def _ground(type_: Type) -> bool:
    return not isinstance(type_, Param) and all(_ground(part) for part in parts(type_))


def type_depth(type_: Type) -> int:
    """How deep constructors nest: 1 for Number, 3 for `Spec[Ref[Number]]`."""
    return 1 + max((type_depth(part) for part in parts(type_)), default=0)


def mentions(type_: Type, name: str) -> bool:
    """Whether a signature's type names a type parameter."""
    return type_ == Param(name) or any(mentions(part, name) for part in parts(type_))


def required_of(dl: Dl, function: Function, binding: Binding, known: bool) -> tuple[Argument, ...]:
    """Required arguments: label, type, and how it must be written."""
    key = ("required", function.name, binding, known)
    found = dl.memo.get(key)
    if found is None:
        types = dict(binding)
        given = []
        for label, type_, kind, generic in _wanted(dl, function, known):
            wanted = substitute(type_, types) if generic else type_
            if kind == "exact" and isinstance(type_, Param) and parts(wanted):
                # `if_else(c, untyped(3), [$0])` is Dynamic, and nothing decides the list's items.
                kind = "own"
            given.append((label, wanted, kind))
        found = dl.memo[key] = tuple(given)
    return found


def _wanted(dl: Dl, function: Function, known: bool) -> tuple[tuple[str, Type, str, bool], ...]:
    """The same of every instance, with whether the type names a variable. The first that names one which nothing
    outside decides has to show it."""
    key = ("wanted", function.name, known)
    found = dl.memo.get(key)
    if found is None:
        names = [name for name, _ in function.tparams]
        shown = {name for name in names if known and mentions(function.result, name)}
        wanted = []
        for parameter in function.params:
            if not parameter.optional:
                named = {name for name in names if mentions(parameter.type, name)}
                kind = "shown" if named - shown else "exact" if names else "fit"
                shown |= named
                label = "" if parameter.positional else parameter.name or ""
                wanted.append((label, parameter.type, kind, bool(named)))
        found = dl.memo[key] = tuple(wanted)
    return found
