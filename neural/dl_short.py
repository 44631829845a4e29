"""Short texts of operands and calls, with which a program can be finished."""

from collections.abc import Iterator, Mapping, Sequence

from ..compiler.classes import has_class
from ..compiler.schema import Function
from ..compiler.spelling import quote_name
from ..compiler.types import NUMBER, Con, Constraint, Type, substitute
from .dl_context import NOWHERE, Context, Dl, fields, fields_of_type, spelled_field
from .dl_instances import EXPECTED, Argument, Binding, calls, required_of


def short(dl: Dl, type_: Type, context: Context, kind: str) -> bytes | None:
    """A short operand."""
    key = ("short", type_, context, kind)
    if key in dl.memo:
        return dl.memo[key]  # type: ignore[no-any-return]
    constant = short_constant(dl, type_, kind) if kind != "plain" else None
    found = constant or short_plain(dl, type_, context)
    if constant is not None or "asked" not in dl.memo:
        dl.memo[key] = found
    return found


def short_constant(dl: Dl, type_: Type, kind: str) -> bytes | None:
    """A short constant of a type, if it has any."""
    if isinstance(type_, Con) and type_.name == "Spec":
        return b"everything"
    literal = dl.words.short_literal(type_)
    options = [literal] if literal is not None else []
    if has_class(dl.schema, type_, Constraint("hole")):
        if kind in EXPECTED:
            options.append(b"$0")
        elif isinstance(type_, Con) and not type_.args:
            options.append(f"$0[{quote_name(type_.name)}]".encode())
    return min(options, key=len, default=None)


def short_plain(dl: Dl, type_: Type, context: Context) -> bytes | None:
    """A short field, call, aggregate or variable of a type."""
    return short_own(dl, type_, context) or shortest_call(dl, type_)


def short_own(dl: Dl, type_: Type, context: Context, subject: bool = True) -> bytes | None:
    """A short operand that only this context has: no call. subject: `it` too."""
    key = ("short own", context, subject)
    known = dl.memo.get(key)
    if known is None:
        known = dl.memo[key] = _shorts_here(dl, context, subject)
    return known.get(type_)


def _shorts_here(dl: Dl, context: Context, subject: bool) -> dict[Type, bytes]:
    """Short operands that only this context has, by type."""
    found: dict[Type, bytes] = {}

    def offer(type_: Type, text: bytes) -> None:
        if type_ not in found or len(text) < len(found[type_]):
            found[type_] = text

    for spelled, _, type_ in fields(dl, context):
        offer(type_, spelled.encode())
    for name, type_ in context.bound:
        offer(type_, name.encode())
        for field, inner_type in fields_of_type(dl, type_):
            offer(inner_type, f"{name}.{spelled_field(field)}".encode())
    own = subject_of(context)
    if subject and own is not None:
        offer(own, b"it")
    if context.keys is not None:
        from .dl_conditions import comparable

        inner = context.ungrouped()
        for type_ in comparable(dl, inner):
            over = short_plain(dl, type_, inner)
            if over is not None:
                offer(type_, b"pick(" + over + b")")
        offer(NUMBER, b"count()")
    return found


def shortest_call(dl: Dl, type_: Type) -> bytes | None:
    """A short call of a type; its arguments are constants, so that it can be written anywhere."""
    known: dict[Type, bytes | None] = dl.memo.setdefault("shortest calls", {})
    if "asked" in dl.memo:
        dl.memo["asked"][type_] = None
    elif type_ not in known:
        _find_calls(dl, type_, known)
    return known.get(type_)


def settle_calls(dl: Dl, shorts: Mapping[Type, bytes]) -> None:
    """Say short calls of types, where none was asked for yet."""
    known: dict[Type, bytes | None] = dl.memo.setdefault("shortest calls", {})
    for type_, text in shorts.items():
        known.setdefault(type_, text)


def _find_calls(dl: Dl, type_: Type, known: dict[Type, bytes | None]) -> None:
    """Add the short calls of a type and of those that their arguments ask for: the least solution, in rounds."""
    asked: dict[Type, None] = {type_: None}
    dl.memo["asked"] = asked
    settled, again = frozenset(known), True
    while again:
        again, size = False, len(asked)
        for each in [each for each in asked if each not in settled]:
            texts = [short_call(dl, f, b, False) for f, b in calls(dl, each, False)]
            best = min((text for text in texts if text is not None), key=len, default=None)
            before = known.get(each)
            if best is not None and (before is None or len(best) < len(before)):
                known[each], again = best, len(asked) > 1
        again = again or len(asked) > size
    del dl.memo["asked"]
    for each in asked:
        known.setdefault(each, None)


def short_call(dl: Dl, function: Function, binding: Binding, known: bool) -> bytes | None:
    """A short call of a function."""
    name = quote_name(function.name).encode()
    if not required_of(dl, function, binding, known):
        return name
    given = short_arguments(dl, function, binding, known)
    return name + b"(" + given + b")" if given is not None else None


def short_arguments(dl: Dl, function: Function, binding: Binding, known: bool) -> bytes | None:
    """Short arguments of a call, constants, so that they can be written anywhere: all that must be given; if none
    must, one. None if there are none."""
    key = ("short arguments", function.name, binding, known)
    if key in dl.memo:
        return dl.memo[key]  # type: ignore[no-any-return]
    required = required_of(dl, function, binding, known)
    options = (required,) if required else tuple((each,) for each in _optional(function, dict(binding)))
    texts = (short_rest(dl, each, frozenset()) for each in options)
    found = next((text[2:] for text in texts if text is not None), None)
    if "asked" not in dl.memo:
        dl.memo[key] = found
    return found


def short_rest(dl: Dl, required: Sequence[Argument], given: frozenset[str]) -> bytes | None:
    """Required arguments but those given, each after a comma, and nothing else."""
    found = b""
    for label, wanted, kind in required:
        if label not in given:
            text = short_argument(dl, wanted, kind)
            if text is None:
                return None
            found += (f", {quote_name(label)}: ".encode() if label else b", ") + text
    return found


def _optional(function: Function, binding: dict[str, Type]) -> Iterator[Argument]:
    kind = "exact" if function.tparams else "fit"
    return ((label, substitute(p.type, binding), kind) for label, p in function.labelled.items())


def short_argument(dl: Dl, type_: Type, kind: str) -> bytes | None:
    """A short argument of a call, a constant."""
    if kind == "shown" and isinstance(type_, Con) and type_.name == "List":
        item = short(dl, type_.args[0], NOWHERE, "shown")
        return b"[" + item + b"]" if item is not None else None
    return short(dl, type_, NOWHERE, kind) if isinstance(type_, Con) else None


def subject_of(context: Context) -> Type | None:
    """The type of `it`, where there is a single row that is a value."""
    return context.rows[0].type if len(context.rows) == 1 else None
