"""Operands of DL by type: literals, members, entities, placeholders, fields, calls, lists, specifications, aggregates.

`operand(T, context, kind)` is a procedure; `expression` draws one with the arithmetic that may follow. Kinds:

* `plain` shows its own type: a field, a call, an aggregate, a variable;
* `left` is the same without `it` and calls;
* `shown` does so too, and may be a constant (a placeholder or entity with its type written);
* `exact` is a T, where a T is known to be wanted;
* `own` is one too, and no call of no known type may stand for it: it would decide a type variable;
* `fit` is anything that may stand where a T is wanted, with the coercions that inference inserts.

Every name inside an operand is read in a procedure that the operand calls, and a place that offers words beside
operands (`not `, `any`) reads them as deep: see the rule of `net`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from ..compiler.classes import coercible, has_class
from ..compiler.expected import ground_types
from ..compiler.schema import Function
from ..compiler.spelling import quote_name
from ..compiler.types import (
    BOOL,
    DATE,
    DYNAMIC,
    INT,
    NUMBER,
    TEXT,
    Con,
    Constraint,
    Param,
    Type,
    parts,
    substitute,
)
from .dl_context import NOWHERE, Context, Dl, fields, fields_of_type, spelled_field
from .net import Part

Binding = tuple[tuple[str, Type], ...]
"""What the type variables of a function are, by name."""

Choice = tuple[Function, Binding]
Argument = tuple[str, Type, str]
"""Of a call: its label (empty if it is given by position), its type, the kind of operand it must be."""
EXPECTED = ("exact", "own", "fit")


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


def operand(dl: Dl, type_: Type, context: Context, kind: str) -> int:
    """The procedure of operands of a type."""
    return dl.net.procedure(
        ("operand", kind, type_, context),
        lambda part: _operand(dl, part, type_, context, kind),
        lambda: short(dl, type_, context, kind),
    )


# ---------------------------------------------------------------- short texts, for finishing


def short(dl: Dl, type_: Type, context: Context, kind: str) -> bytes | None:
    """A short operand."""
    key = ("short", type_, context, kind)
    if key in dl.memo:
        return dl.memo[key]  # type: ignore[no-any-return]
    if kind == "left":
        return short_own(dl, type_, context, False)
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
    if not _required(dl, function, binding, known):
        return name
    given = short_arguments(dl, function, binding, known)
    return name + b"(" + given + b")" if given is not None else None


def _required(dl: Dl, function: Function, binding: Binding, known: bool) -> tuple[Argument, ...]:
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


# ---------------------------------------------------------------- what an operand may be


def has_plain(dl: Dl, type_: Type, context: Context) -> bool:
    """Whether there is an operand of kind `plain`."""
    return short_plain(dl, type_, context) is not None


def _operand(dl: Dl, part: Part, type_: Type, context: Context, kind: str) -> None:
    assert isinstance(type_, Con)
    start, end = part.start, part.new()
    part.end(end)
    _own(dl, part, type_, context, end, kind != "left")
    if kind == "left":
        return
    _calls(dl, part, type_, context, end, kind in EXPECTED, kind == "own")
    sources = below(dl, type_) if kind == "fit" else ()
    for source in sources:
        _own(dl, part, source, context, end)
        _calls(dl, part, source, context, end, False)
    if kind == "plain":
        return
    if kind == "fit" and type_ == DYNAMIC:
        sources = tuple(t for t in ground_types(dl.schema) if t != DYNAMIC)
    for literal in dict.fromkeys(p for s in (type_, *sources) for p in dl.words.literals(s)):
        part.call(start, literal, end)
    if type_ == TEXT or TEXT in sources:
        part.call(start, dl.words.quoted(), end)
    if type_.name in dl.schema.enum:
        enum = dl.schema.enum[type_.name]
        names = [m.name for m in enum.members if kind in EXPECTED or _only_a_member(dl, m.name)]
        if names:
            part.call(start, dl.words.names((enum.name, len(names)), [quote_name(n) for n in names]), end)
    _constants(dl, part, type_, kind, end)
    if type_.name == "List" and len(type_.args) == 1:
        _list(dl, part, type_.args[0], context, kind, end)
    if type_.name == "Spec" and len(type_.args) == 1 and kind in EXPECTED:
        part.join(dl.words.word(part, start, "everything"), end)
        braces = _braces(dl, type_.args[0], context)
        if braces is not None:
            part.call(start, braces, end)


def _only_a_member(dl: Dl, name: str) -> bool:
    owners = dl.schema.enums_of_member[name]
    return len(owners) == 1 and name not in dl.schema.function and name not in dl.schema.table


def _own(dl: Dl, part: Part, type_: Type, context: Context, end: int, subject: bool = True) -> None:
    """Operands that only this context has. subject: `it` too."""
    for spelled, _, found in fields(dl, context):
        if found == type_:
            field_word(dl, part, part.start, spelled, end)
    for name, found in context.bound:
        if found == type_:
            part.join(dl.words.word(part, part.start, name), end)
        _then_fields(dl, part, found, type_, end, lambda name=name: dl.words.word(part, part.start, name))
    if subject_of(context) == type_ and subject:
        part.join(dl.words.word(part, part.start, "it"), end)
    if context.keys is not None:
        from .dl_aggregates import aggregates

        aggregates(dl, part, type_, context, end)


def _calls(dl: Dl, part: Part, type_: Type, context: Context, end: int, known: bool, own: bool = False) -> None:
    """Calls of a type, and fields of that type of what other calls give."""
    found_heads = heads(dl, type_, known, own)
    if found_heads is not None:
        call(dl, part, part.start, found_heads, context, lambda _: end)
    for owner, name in owners(dl, type_):
        found_heads, field = heads(dl, owner, False), f".{spelled_field(name)}"
        if found_heads is not None:
            after = part.new()
            part.text(after, field, end)
            call(dl, part, part.start, found_heads, context, lambda _, after=after: after, field.encode())  # type: ignore[misc]


def _then_fields(dl: Dl, part: Part, owner: Type, type_: Type, end: int, head) -> None:  # type: ignore[no-untyped-def]
    for name, found in fields_of_type(dl, owner):
        if found == type_:
            part.text(head(), f".{spelled_field(name)}", end)


def subject_of(context: Context) -> Type | None:
    """The type of `it`, where there is a single row that is a value."""
    return context.rows[0].type if len(context.rows) == 1 else None


def field_word(dl: Dl, part: Part, source: int, spelled: str, end: int) -> None:
    """A field: after a dot it is read here; one after a row's name stands beside other names, so it is a call."""
    if spelled.startswith("."):
        part.text(source, spelled, end)
    else:
        part.join(dl.words.word(part, source, spelled), end)


def owners(dl: Dl, type_: Type) -> tuple[tuple[Type, str], ...]:
    """Types that calls give and that have a field of this type, with its name."""
    table = dl.memo.get("owners")
    if table is None:
        table = {}
        for owner in dict.fromkeys(f.result for f in dl.schema.functions if not f.action):
            for name, found in fields_of_type(dl, owner):
                table.setdefault(found, []).append((owner, name))
        dl.memo["owners"] = table
    return tuple(table.get(type_, ()))


# ---------------------------------------------------------------- constants


def _constants(dl: Dl, part: Part, type_: Con, kind: str, end: int) -> None:
    """Entities, placeholders and raw values. Their type may be written; where nothing else shows it, it must be."""
    types = [type_] if not type_.args else []
    if kind == "fit" and dl.schema.is_entity(type_):
        types += [t for t in below(dl, type_) if isinstance(t, Con)]
    must = kind == "shown"
    if must and not types:
        return
    names = tuple(t.name for t in types)
    if has_class(dl.schema, type_, Constraint("entity")):
        part.call(part.start, _entity(dl, names, must), end)
    if has_class(dl.schema, type_, Constraint("hole")):
        part.call(part.start, hole(dl, names, must), end)
    if has_class(dl.schema, type_, Constraint("raw")) and not must:
        part.call(dl.words.word(part, part.start, "raw "), dl.words.quoted(), end)


def _suffix(body: Part, source: int, names: tuple[str, ...], must: bool) -> None:
    if not must:
        body.end(source)
    if names:
        inner = body.new()
        body.words(body.text(source, "["), [quote_name(name) for name in names], inner)
        body.end(body.text(inner, "]"))


def _entity(dl: Dl, names: tuple[str, ...], must: bool) -> int:
    def build(body: Part) -> None:
        string = dl.words.quoted()
        at = body.text(body.start, "@")
        named = body.call(at, string)
        done = body.new()
        body.join(named, done)
        for source in (at, named):
            body.call(body.text(source, "#"), string, done)
        _suffix(body, done, names, must)

    def text() -> bytes:
        return f'@""[{min(map(quote_name, names), key=len)}]'.encode() if must else b'@""'

    return dl.net.procedure(("entity", names, must), build, text)


def hole(dl: Dl, names: tuple[str, ...], must: bool) -> int:
    """The procedure of placeholders, with one of `names` as their type, if that must or may be written."""

    def build(body: Part) -> None:
        _suffix(body, body.call(body.start, dl.words.pattern("hole")), names, must)

    def text() -> bytes:
        return f"$0[{min(map(quote_name, names), key=len)}]".encode() if must else b"$0"

    return dl.net.procedure(("hole", names, must), build, text)


def _list(dl: Dl, part: Part, item: Type, context: Context, kind: str, end: int) -> None:
    from .dl_sums import expression

    must, wanted = kind == "shown", "own" if parts(item) else "exact"

    def close() -> bytes:
        return b"]"

    def another() -> bytes | None:
        text = short(dl, item, context, wanted)
        return text + b"]" if text is not None else None

    def first() -> bytes | None:
        text = short(dl, item, context, "shown") if must else b""
        return text + b"]" if text is not None else None

    def items(inside: int) -> None:
        if not must:
            part.text(inside, "]", end)
        if can_show(dl, item, context) if must else can_write(dl, item, context):
            after = part.new()
            expression(dl, part, inside, item, context, "shown" if must else wanted, after, rest=close)
            part.text(after, "]", end)
            more = part.lazy(lambda s: expression(dl, part, s, item, context, wanted, after, rest=close), another)
            part.text(after, ", ", more)

    part.text(part.start, "[", part.lazy(items, first))


def _braces(dl: Dl, subject: Type, context: Context) -> int | None:
    from .dl_conditions import condition, short_condition
    from .dl_context import Row

    around = context.rows + context.outer
    inner = Context((Row("it", subject),), around, None, context.depth, context.bound)
    if short_condition(dl, inner) is None:
        return None

    def build(body: Part) -> None:
        def inside(state: int) -> None:
            for _, spaced in condition(dl, body, state, inner, lambda: b" }").any:
                body.end(body.text(spaced, "}"))

        def text() -> bytes | None:
            found = short_condition(dl, inner)
            return found + b" }" if found is not None else None

        body.text(body.start, "{ ", body.lazy(inside, text))

    def text() -> bytes | None:
        inside = short_condition(dl, inner)
        return b"{ " + inside + b" }" if inside is not None else None

    return dl.net.procedure(("braces", subject, context), build, text)


# ---------------------------------------------------------------- calls


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
    if matched is None:
        return
    if not known and not all(_is_shown(function, name) for name, _ in function.tparams):
        return
    free = [(name, cls) for name, cls in function.tparams if name not in matched]
    if len(free) > 1 or any(not is_in(dl, matched[n], c) for n, c in function.tparams if n in matched):
        return
    options = [[t for t in ground_types(dl.schema) if is_in(dl, t, cls)] for _, cls in free]
    for chosen in product(*options):
        types = matched | {name: t for (name, _), t in zip(free, chosen, strict=True)}
        binding = tuple(sorted(types.items()))
        if all(_can_pass(dl, t, kind) for _, t, kind in _required(dl, function, binding, known)):
            yield binding


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


@dataclass(frozen=True, slots=True)
class Heads:
    """How calls may begin: the procedure of their names, each with its parenthesis if one follows; what each of its
    results has begun; short texts that end any of them.

    known: whether the type of the calls is known from outside.
    """

    procedure: int
    begun: dict[int, "Begun"]
    ends: tuple[bytes, ...]
    known: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A function's name was read, at some instances of its type. end: a short text of arguments and the parenthesis
    that closes them; empty where the name is all."""

    function: Function
    choices: tuple[Choice, ...]
    end: bytes


def heads(dl: Dl, type_: Type, known: bool, own: bool = False) -> Heads | None:
    """How calls of a type begin; None if there are none. own: of those whose type is known."""
    key = ("heads", type_, known, own)
    if key not in dl.memo:
        by_function: dict[str, list[Choice]] = {}
        for choice in calls(dl, type_, known):
            if not own or choice[0].result != DYNAMIC:
                by_function.setdefault(choice[0].name, []).append(choice)
        dl.memo[key] = heads_of(dl, by_function.values(), known)
    return dl.memo[key]  # type: ignore[no-any-return]


def heads_of(dl: Dl, groups: Iterable[Sequence[Choice]], known: bool) -> Heads | None:
    """How calls of some functions begin, each at some instances of its type; None if none of them can be written."""
    begun: dict[int, Begun] = {}
    words: list[tuple[str, int]] = []

    def begins(word: str, opened: bool, choices: Sequence[Choice], end: bytes) -> None:
        result = dl.net.name(("begun", choices[0][0].name, opened))
        begun[result] = Begun(choices[0][0], tuple(choices), end)
        words.append((word, result))

    for choices in groups:
        function, binding = choices[0]
        name = quote_name(function.name)
        if not _required(dl, function, binding, known):
            begins(name, False, choices, b"")
        given = short_arguments(dl, function, binding, known)
        if given is not None:
            begins(f"{name}(", True, choices, given + b")")
    if not words:
        return None
    ends = tuple(dict.fromkeys(each.end for each in begun.values()))
    return Heads(dl.words.one_of(tuple(words)), begun, ends, known)


def call(
    dl: Dl, part: Part, start: int, begins: Heads, context: Context, end: Callable[[Choice], int], rest: bytes = b""
) -> None:
    """Draw calls, each to an end of its own. rest: a short text from the ends to the end of the procedure. What follows
    a name is drawn once it is read."""

    def then(result: int) -> int | None:
        begun = begins.begun.get(result)
        if begun is None:
            return None
        first = end(begun.choices[0])
        if not begun.end:
            return first

        def inside(state: int) -> None:
            closings: dict[int, int] = {}
            for function, binding in begun.choices:
                target = end((function, binding))
                if target not in closings:
                    closings[target] = part.new()
                    part.text(closings[target], ")", target)
                part.call(state, _arguments(dl, function, binding, context, begins.known), closings[target])

        return part.lazy(inside, lambda: begun.end + rest, dl.net.states[first].result)

    goes = dl.net.continuation(then, lambda count: max(count(each + rest) for each in begins.ends))
    part.call(start, begins.procedure, goes)


def short_of(dl: Dl, procedure: int) -> bytes | None:
    """The short text that a procedure's maker gave."""
    known = dl.net.short(procedure)
    return known[0] if known is not None else None


def one_call(dl: Dl, function: Function, choices: tuple[Choice, ...], context: Context) -> int | None:
    """The procedure of calls of one function, as deep in calls as one in an operand; None if it cannot be written."""
    key = ("heads of one", function.name, choices[0][1])
    if key not in dl.memo:
        dl.memo[key] = heads_of(dl, (choices,), False)
    begins: Heads | None = dl.memo[key]
    if begins is None:
        return None

    def build(part: Part) -> None:
        end = part.new()
        part.end(end)
        call(dl, part, part.start, begins, context, lambda _: end)

    return dl.net.procedure(
        ("one call", function.name, choices[0][1], context),
        build,
        lambda: short_call(dl, function, choices[0][1], False),
    )


def _arguments(dl: Dl, function: Function, binding: Binding, context: Context, known: bool) -> int:
    """The procedure of the arguments of a function at one instance of its type, between its parentheses."""
    required = _required(dl, function, binding, known)
    wanted_of = {label: substitute(p.type, dict(binding)) for label, p in function.labelled.items()}
    positional = [given for given in required if not given[0]]

    def left(first: int, given: frozenset[str]) -> bytes | None:
        return _short_rest(dl, required[first:], given)

    def build(part: Part) -> None:
        at = part.start
        for i, (_, wanted, kind) in enumerate(positional):
            if i:
                at = part.text(at, ", ")
            after = part.new()
            _argument(dl, part, at, wanted, context, kind, after, lambda i=i: left(i + 1, frozenset()))  # type: ignore[misc]
            at = after
        done = part.new()
        part.end(done)
        kinds = {label: kind for label, _, kind in required if label}
        labels = Labels(dl, part, function, wanted_of, kinds, context, bool(positional), done, None,
                        lambda given: left(len(positional), given))  # fmt: skip
        labels.draw(at, frozenset())

    return dl.net.procedure(
        ("arguments", function.name, binding, context, known),
        build,
        lambda: short_arguments(dl, function, binding, known),
    )


def _short_rest(dl: Dl, required: Sequence[Argument], given: frozenset[str]) -> bytes | None:
    """Required arguments but those given, each after a comma, and nothing else."""
    found = b""
    for label, wanted, kind in required:
        if label not in given:
            text = short_argument(dl, wanted, kind)
            if text is None:
                return None
            found += (f", {quote_name(label)}: ".encode() if label else b", ") + text
    return found


def short_arguments(dl: Dl, function: Function, binding: Binding, known: bool) -> bytes | None:
    """Short arguments of a call, constants, so that they can be written anywhere: all that must be given; if none
    must, one. None if there are none."""
    key = ("short arguments", function.name, binding, known)
    if key in dl.memo:
        return dl.memo[key]  # type: ignore[no-any-return]
    required = _required(dl, function, binding, known)
    options = (required,) if required else tuple((each,) for each in _optional(function, dict(binding)))
    texts = (_short_rest(dl, each, frozenset()) for each in options)
    found = next((text[2:] for text in texts if text is not None), None)
    if "asked" not in dl.memo:
        dl.memo[key] = found
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


def _argument(
    dl: Dl, part: Part, at: int, type_: Type, context: Context, kind: str, after: int, rest: Callable[[], bytes | None]
) -> None:
    from .dl_conditions import condition
    from .dl_sums import expression

    if type_ == BOOL and kind in EXPECTED:
        for done, _ in condition(dl, part, at, context, rest, True).any:
            part.join(done, after)
    else:
        expression(dl, part, at, type_, context, kind, after, rest=rest)


@dataclass(frozen=True)
class Labels:
    """Labelled arguments, each once, in any order; those without `?` must come (unless there are marks, as in an
    action). Which were given is in the state, drawn as it is reached.

    some: whether an argument came before them. marks: the procedure of words that may stand for a value. rest: gives a
    short text after some labels that ends the procedure.
    """

    dl: Dl
    part: Part
    function: Function
    wanted: dict[str, Type]
    kinds: dict[str, str]
    context: Context
    some: bool
    done: int
    marks: int | None
    rest: Callable[[frozenset[str]], bytes | None]

    def draw(self, state: int, given: frozenset[str]) -> None:
        """What may follow these labels."""
        labelled, part, marks = self.function.labelled, self.part, self.marks
        some = bool(given) or self.some
        if some and (marks is not None or all(p.optional or n in given for n, p in labelled.items())):
            part.join(state, self.done)
        options = [n for n in labelled if n not in given and (marks is not None or self._writable(n))]
        if not options:
            return
        start = part.text(state, ", ") if some else state
        for name in options:
            then = given | {name}
            after = part.lazy(lambda s, g=then: self.draw(s, g), lambda g=then: self.rest(g))  # type: ignore[misc]
            value = part.lazy(
                lambda s, n=name, a=after, g=then: self._value(s, n, a, g),  # type: ignore[misc]
                lambda n=name, g=then: self._short(n, g),  # type: ignore[misc]
            )
            part.text(start, f"{quote_name(name)}: ", value)

    def _kind(self, name: str) -> str:
        return self.kinds.get(name, "exact" if self.function.tparams else "fit")

    def _writable(self, name: str) -> bool:
        return can_write(self.dl, self.wanted[name], self.context)

    def _short(self, name: str, given: frozenset[str]) -> bytes | None:
        """A value and a short end."""
        marked = self.marks is not None
        text = b"any" if marked else short_argument(self.dl, self.wanted[name], self._kind(name))
        after = self.rest(given) if text is not None else None
        return text + after if text is not None and after is not None else None

    def _value(self, label: int, name: str, after: int, given: frozenset[str]) -> None:
        if self._writable(name):
            wanted, kind = self.wanted[name], self._kind(name)
            _argument(self.dl, self.part, label, wanted, self.context, kind, after, lambda: self.rest(given))
        if self.marks is not None:
            self.part.call(label, self.marks, after)


def actions(
    dl: Dl, part: Part, start: int, context: Context, after: Callable[[str], int], rest: Callable[[str], bytes | None],
    depth: int = 1,
) -> None:  # fmt: skip
    """Draw calls of actions: any arguments in any order, each a value, `any`, `none` or `missing`. after: where the
    call of an action ends. rest: a short text from there to the end of the procedure."""

    def draw(state: int, name: str) -> None:
        function, done, end = dl.schema.function[name], part.new(), after(name)
        part.join(state, end)
        if not function.labelled:
            return
        part.text(done, ")", end)
        wanted = {label: p.type for label, p in function.labelled.items()}
        marks = deep(dl, "marks", ("any", "none", "missing"))

        def close() -> bytes | None:
            found = rest(name)
            return b")" + found if found is not None else None

        labels = Labels(dl, part, function, wanted, {}, context, False, done, marks, lambda _: close())
        first = f"{min(map(quote_name, wanted), key=len)}: any".encode()
        inside = part.lazy(
            lambda s: labels.draw(s, frozenset()), lambda: None if (end := close()) is None else first + end
        )
        part.text(state, "(", inside)

    named = {quote_name(f.name): f.name for f in dl.schema.functions if f.action}
    dl.words.choose(part, start, named, draw, rest, depth)


def deep(dl: Dl, key: str, names: tuple[str, ...]) -> int:
    """Words that stand where operands do, as deep in calls as the names in them."""
    inner = dl.words.names(key, names)
    return dl.net.procedure(
        ("deep", key), lambda body: body.end(body.call(body.start, inner)), lambda: min(names, key=len).encode()
    )


__all__ = ["NOWHERE", "actions", "call", "can_write", "has_plain", "mentions", "operand"]
