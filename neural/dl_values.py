"""Values of DL by type: literals, members, entities, placeholders, fields, calls, lists, specifications, subqueries.

`value(T, context, fit=True)` offers everything that may stand where a T is expected, with the coercions that
inference inserts; with `fit=False` only what is a T itself. `plain(T, context)` offers what shows its own type: a
field or a call. It stands left of a comparison and where an argument fixes a type variable.
"""

from collections.abc import Iterator
from itertools import product

from ..compiler.classes import coercible, has_class
from ..compiler.expected import ground_types
from ..compiler.schema import Function, Parameter
from ..compiler.spelling import quote_name
from ..compiler.types import BOOL, DATE, INT, MONEY, NUMBER, TEXT, Con, Constraint, Param, Type, parts, substitute
from .dl_context import NOWHERE, Context, Dl, Row, fields
from .net import Part

_LITERAL_SOURCES = (INT, NUMBER, DATE)


def can_write(dl: Dl, type_: Type, context: Context) -> bool:
    """Whether some value of a type can be written here."""
    return isinstance(type_, Con) and (
        has_class(dl.schema, type_, Constraint("raw"))
        or type_.name == "Spec"
        or bool(_calls(dl, type_, context, False, True))
    )


def value(dl: Dl, type_: Type, context: Context, fit: bool = True, marks: int | None = None, firm: bool = False) -> int:
    """The procedure of values of a type; `marks` is one of words that may stand there instead. `firm`: only a literal,
    a member or a field, which cannot be a list as well."""
    key = ("value", type_, context, fit, marks, firm)

    def build(part: Part) -> None:
        _value(dl, part, type_, context, fit, marks, firm)
        if not firm:
            _scalar(dl, part, type_, context)

    return dl.net.procedure(key, build, lambda: short_value(dl, type_))


def short_value(dl: Dl, type_: Type) -> bytes | None:
    """A short value of a type, the same in any context."""
    if isinstance(type_, Con) and type_.name == "Spec":
        return b"everything"
    return dl.words.short_literal(type_) or (b"$0" if has_class(dl.schema, type_, Constraint("hole")) else None)


def short_plain(dl: Dl, type_: Type, context: Context) -> bytes | None:
    """A short field or call of exactly a type."""
    key = ("short plain", type_, context)
    if key not in dl.memo:
        options = [s.encode() for s, _, found in fields(dl, context) if found == type_]
        if len(context.rows) == 1 and context.rows[0].binder == "it" and context.rows[0].type == type_:
            options.append(b"it")
        if context.keys is not None:
            over = [s for s, _, found in fields(dl, context.ungrouped()) if found == type_]
            options += [f"pick({s})".encode() for s in over]
            if type_ == NUMBER:
                options.append(b"count()")
        if not options:
            calls = [_short_call(dl, f, dict(b), context, False) for f, b in _calls(dl, type_, context, False, False)]
            options = [text for text in calls if text is not None]
        dl.memo[key] = min(options, key=len, default=None)
    return dl.memo[key]  # type: ignore[no-any-return]


def _short_call(dl: Dl, function: Function, binding: dict[str, Type], context: Context, known: bool) -> bytes | None:
    shown = {name for name, _ in function.tparams if known and mentions(function.result, name)}
    given: list[bytes] = []
    for parameter in function.params:
        if parameter.optional:
            continue
        wanted = substitute(parameter.type, binding)
        new = {n for n, _ in function.tparams if mentions(parameter.type, n)} - shown
        shown |= new
        label = f"{quote_name(parameter.name)}: ".encode() if not parameter.positional and parameter.name else b""
        fields_ = [s.encode() for s, _, found in fields(dl, context) if found == wanted]
        text = min(fields_, key=len, default=None) if new else short_value(dl, wanted)
        if text is None:
            return None
        given.append(label + text)
    name = quote_name(function.name).encode()
    return name + (b"(" + b", ".join(given) + b")" if given else b"")


def plain(dl: Dl, type_: Type, context: Context) -> int:
    """The procedure of fields and calls of exactly a type."""
    build = lambda part: _plain(dl, part, type_, context, False)  # noqa: E731
    return dl.net.procedure(("plain", type_, context), build, lambda: short_plain(dl, type_, context))


def has_plain(dl: Dl, type_: Type, context: Context) -> bool:
    """Whether `plain` offers anything."""
    if type_ in field_types(dl, context):
        return True
    return (context.keys is not None and _has_aggregate(dl, type_, context)) or bool(
        _calls(dl, type_, context, False, False)
    )


def _value(dl: Dl, part: Part, type_: Type, context: Context, fit: bool, marks: int | None, firm: bool) -> None:
    assert isinstance(type_, Con)
    schema, words, start, end = dl.schema, dl.words, part.start, part.new()
    part.end(end)
    if marks is not None:
        part.call(start, marks, end)
    if firm:
        _fields(dl, part, type_, context, fit, end)
    else:
        _plain(dl, part, type_, context, fit, end)
    sources = [type_, *(s for s in _LITERAL_SOURCES if fit and coercible(schema, s, type_))]
    for literal in dict.fromkeys(p for s in sources for p in words.literals(s)):
        part.call(start, literal, end)
    if type_ == TEXT:
        part.call(part.text(start, '"'), words.string(), end)
    if type_.name in schema.enum:
        enum = schema.enum[type_.name]
        if enum.members:
            part.call(start, words.names(enum.name, [quote_name(m.name) for m in enum.members]), end)
    # A type is written after a constant where it can be narrower; an entity that is itself narrower may say so.
    below = [e.name for e in schema.entities if type_.name in schema.supertypes(e.name)] if fit else []
    if schema.supertypes(type_.name):
        below.append(type_.name)
    if has_class(schema, type_, Constraint("entity")) and schema.is_entity(type_):
        part.call(start, _entity(dl, tuple(below)), end)
    if firm:
        return
    if has_class(schema, type_, Constraint("hole")):
        part.call(start, _hole(dl, tuple(below)), end)
    if has_class(schema, type_, Constraint("raw")):
        part.call(words.word(part, start, 'raw "'), words.string(), end)
    if type_.name == "List" and len(type_.args) == 1:
        _list(dl, part, type_.args[0], context, end)
    if type_.name == "Spec" and len(type_.args) == 1:
        part.join(words.word(part, start, "everything"), end)
        braces = _braces(dl, type_.args[0], context)
        if braces is not None:
            part.call(start, braces, end)


def _scalar(dl: Dl, part: Part, type_: Type, context: Context) -> None:
    from .dl_queries import can_show, subquery

    if context.rows and context.depth < dl.limits.nesting and can_show(dl, (type_,)):
        inner = part.call(part.text(part.start, "("), subquery(dl, context, (type_,)))
        part.end(part.text(inner, ")"))


def _plain(dl: Dl, part: Part, type_: Type, context: Context, fit: bool, end: int | None = None) -> None:
    known = end is not None
    if end is None:
        end = part.new()
        part.end(end)
    _fields(dl, part, type_, context, fit, end)
    if len(context.rows) == 1 and context.rows[0].binder == "it" and context.rows[0].type == type_:
        part.join(dl.words.word(part, part.start, "it"), end)
    if context.keys is not None:
        _aggregates(dl, part, type_, context, end)
    for function, binding in _calls(dl, type_, context, fit, known):
        part.call(part.start, call(dl, function, binding, context, known), end)


def _fields(dl: Dl, part: Part, type_: Type, context: Context, fit: bool, end: int) -> None:
    """A field after a dot is read here; one after a row's name stands beside other names, so it is a call."""
    for spelled, _, found in fields(dl, context):
        if found == type_ or (fit and coercible(dl.schema, found, type_)):
            if spelled.startswith("."):
                part.text(part.start, spelled, end)
            else:
                part.join(dl.words.word(part, part.start, spelled), end)


# ---------------------------------------------------------------- constants


def _suffix(dl: Dl, body: Part, source: int, below: tuple[str, ...]) -> None:
    body.end(source)
    if below:
        inner = body.new()
        body.words(body.text(source, "["), [quote_name(name) for name in below], inner)
        body.end(body.text(inner, "]"))


def _entity(dl: Dl, below: tuple[str, ...]) -> int:
    def build(body: Part) -> None:
        string = dl.words.string()
        at = body.text(body.start, "@")
        named = body.call(body.text(at, '"'), string)
        done = body.new()
        body.join(named, done)
        for source in (at, named):
            body.call(body.text(source, '#"'), string, done)
        _suffix(dl, body, done, below)

    return dl.net.procedure(("entity", below), build, lambda: b'@""')


def _hole(dl: Dl, below: tuple[str, ...]) -> int:
    def build(body: Part) -> None:
        _suffix(dl, body, body.call(body.start, dl.words.pattern("hole")), below)

    return dl.net.procedure(("hole", below), build, lambda: b"$0")


def _list(dl: Dl, part: Part, item: Type, context: Context, end: int) -> None:
    inside = part.text(part.start, "[")
    part.text(inside, "]", end)
    if can_write(dl, item, context):
        after = part.call(inside, value(dl, item, context, False))
        part.text(after, "]", end)
        part.call(part.text(after, ", "), value(dl, item, context, False), after)


def _braces(dl: Dl, subject: Type, context: Context) -> int | None:
    from .dl_conditions import condition, short_condition

    around = context.rows + context.outer
    inner = Context((Row("it", subject),), around, None, context.depth)

    def build(body: Part) -> None:
        ends = condition(dl, body, body.text(body.start, "{ "), inner)
        for state in ends.any:
            body.end(body.text(state, " }"))

    def short() -> bytes | None:
        inside = short_condition(dl, inner)
        return b"{ " + inside + b" }" if inside is not None else None

    if short_condition(dl, inner) is None:
        return None
    return dl.net.procedure(("braces", subject, context), build, short)


# ---------------------------------------------------------------- calls


_Choice = tuple[Function, tuple[tuple[str, Type], ...]]


def _calls(dl: Dl, type_: Type, context: Context, fit: bool, known: bool) -> list[_Choice]:
    """Functions, with their type variables bound, whose result is of the type and whose arguments can be written.

    known: the type is known from outside; otherwise the arguments must show what every type variable is.
    """
    here = field_types(dl, context)
    return [choice for choice, wanted in _instances(dl, type_, fit, known) if wanted is None or wanted in here]


def field_types(dl: Dl, context: Context) -> frozenset[Type]:
    """Types of the fields that can be written here."""
    found = dl.memo.get(("field types", context))
    if found is None:
        found = dl.memo["field types", context] = frozenset(t for _, _, t in fields(dl, context))
    return found


def _instances(dl: Dl, type_: Type, fit: bool, known: bool) -> tuple[tuple[_Choice, Type | None], ...]:
    """Instances of functions with this result, each with the type of field that must show its free type variable."""
    key = ("instances", type_, fit, known)
    found = dl.memo.get(key)
    if found is None:
        found = dl.memo[key] = tuple(
            ((function, tuple(sorted(binding.items()))), wanted)
            for function in dl.schema.functions
            if not function.action
            for binding, wanted in _bindings(dl, function, type_, fit, known)
        )
    return found


def _bindings(
    dl: Dl, function: Function, type_: Type, fit: bool, known: bool
) -> Iterator[tuple[dict[str, Type], Type | None]]:
    matched = _match(function.result, type_)
    if matched is None and fit and not function.tparams and coercible(dl.schema, function.result, type_):
        matched = {}
    if matched is None:
        return
    free = [(name, cls) for name, cls in function.tparams if name not in matched]
    if len(free) > 1 or any(not _in_class(dl, matched[n], c) for n, c in function.tparams if n in matched):
        return
    options = [[t for t in ground_types(dl.schema) if _in_class(dl, t, cls)] for _, cls in free]
    for chosen in product(*options):
        binding = matched | {name: t for (name, _), t in zip(free, chosen, strict=True)}
        if all(_can_pass(dl, p.type, binding) for p in function.params if not p.optional):
            hidden = free if known else function.tparams
            if not hidden:
                yield binding, None
            elif len(hidden) == 1:
                for parameter in function.positional:
                    if mentions(parameter.type, hidden[0][0]):
                        yield binding, substitute(parameter.type, binding)
                        break


def _in_class(dl: Dl, type_: Type, cls: str) -> bool:
    return not cls or has_class(dl.schema, type_, Constraint(cls))


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


def _can_pass(dl: Dl, parameter: Type, binding: dict[str, Type]) -> bool:
    type_ = substitute(parameter, binding)
    if not isinstance(type_, Con) or type_depth(type_) > dl.limits.types:
        return False
    return has_class(dl.schema, type_, Constraint("raw")) or type_.name == "Spec"


def type_depth(type_: Type) -> int:
    """How deep constructors nest: 1 for Number, 3 for `Spec[Ref[Number]]`."""
    return 1 + max((type_depth(part) for part in parts(type_)), default=0)


def mentions(type_: Type, name: str) -> bool:
    """Whether a signature's type names a type parameter."""
    return type_ == Param(name) or any(mentions(part, name) for part in parts(type_))


def call(
    dl: Dl, function: Function, binding: tuple[tuple[str, Type], ...], context: Context, known: bool = True
) -> int:
    """The procedure of calls of one function at one instance of its type."""
    return dl.net.procedure(
        ("call", function.name, binding, context, known),
        lambda part: _call(dl, part, function, dict(binding), context, known),
        lambda: _short_call(dl, function, dict(binding), context, known),
    )


def _call(dl: Dl, part: Part, function: Function, binding: dict[str, Type], context: Context, known: bool) -> None:
    at = part.text(part.start, quote_name(function.name))
    shown = {name for name, _ in function.tparams if known and mentions(function.result, name)}
    labelled = list(function.labelled.items())
    if not function.positional and not any(not p.optional for _, p in labelled):
        part.end(at)
    if not function.params:
        return
    at = part.text(at, "(")
    done = part.new()
    for i, parameter in enumerate(function.positional):
        if i:
            at = part.text(at, ", ")
        wanted = substitute(parameter.type, binding)
        new = {n for n, _ in function.tparams if mentions(parameter.type, n)} - shown
        if new:
            at = part.call(at, _field_of(dl, wanted, context))
        else:
            at = part.call(at, value(dl, wanted, context, not function.tparams))
        shown |= new
    _labelled(dl, part, at, labelled, binding, context, bool(function.positional), done)
    part.end(part.text(done, ")"))


def _field_of(dl: Dl, type_: Type, context: Context) -> int:
    def build(part: Part) -> None:
        end = part.new()
        part.end(end)
        for spelled, _, found in fields(dl, context):
            if found == type_:
                part.text(part.start, spelled, end)

    return dl.net.procedure(("field", type_, context), build)


def _labelled(
    dl: Dl,
    part: Part,
    at: int,
    labelled: list[tuple[str, Parameter]],
    binding: dict[str, Type],
    context: Context,
    some: bool,
    done: int,
) -> None:
    """Labelled arguments in the order declared; those without `?` must come."""
    fresh, used = (None, at) if some else (at, None)
    for name, parameter in labelled:
        wanted = substitute(parameter.type, binding)
        after = part.new()
        for source, comma in ((fresh, ""), (used, ", ")):
            if source is not None:
                label = part.text(source, f"{comma}{quote_name(name)}: ")
                part.call(label, value(dl, wanted, context, not binding), after)
        if parameter.optional and used is not None:
            part.join(used, after)
        used = after
        if not parameter.optional:
            fresh = None
    if used is not None:
        part.join(used, done)


def action(dl: Dl, function: Function, context: Context) -> int:
    """The procedure of a call of an action: any arguments, in the order declared, each a value, `any` or `none`."""

    def build(part: Part) -> None:
        name = part.text(part.start, quote_name(function.name))
        part.end(name)
        open_ = part.text(name, "(")
        close = part.new()
        fresh: list[int] = [open_]
        used: list[int] = []
        marks = dl.words.names("marks", ("any", "none"))
        for label, parameter in function.labelled.items():
            after = part.new()
            for source in fresh:
                _argument(dl, part, part.text(source, f"{quote_name(label)}: "), parameter.type, context, marks, after)
            for source in used:
                _argument(
                    dl, part, part.text(source, f", {quote_name(label)}: "), parameter.type, context, marks, after
                )
            used.append(after)
        for source in used:
            part.join(source, close)
        if used:
            part.end(part.text(close, ")"))

    return dl.net.procedure(("action", function.name, context), build, quote_name(function.name).encode)


def _argument(dl: Dl, part: Part, source: int, type_: Type, context: Context, marks: int, after: int) -> None:
    if can_write(dl, type_, context):
        part.call(source, value(dl, type_, context, True, marks), after)
    else:
        part.call(source, marks, after)


# ---------------------------------------------------------------- aggregates

_NUMERIC = {"sum": "Num", "avg": "Num", "min": "Ord", "max": "Ord", "pick": ""}


def _has_aggregate(dl: Dl, type_: Type, context: Context) -> bool:
    return type_ == NUMBER or any(found == type_ for _, _, found in fields(dl, context.ungrouped()))


def _aggregates(dl: Dl, part: Part, type_: Type, context: Context, end: int) -> None:
    inner = context.ungrouped()
    columns = list(fields(dl, inner))

    def over(name: str, keep: list[str]) -> None:
        if keep:
            key = ("over", name, tuple(keep))

            def build(body: Part) -> None:
                target = body.new()
                body.words(body.text(body.start, f"{name}("), keep, target)
                body.end(body.text(target, ")"))

            part.call(part.start, dl.net.procedure(key, build), end)

    if type_ == NUMBER:
        part.join(dl.words.word(part, part.start, "count()"), end)
        over("count", [s for s, _, _ in columns])
        over("count_distinct", [s for s, _, _ in columns])
    for name, cls in _NUMERIC.items():
        over(name, [s for s, _, t in columns if t == type_ and _in_class(dl, t, cls)])


__all__ = ["BOOL", "MONEY", "NOWHERE", "action", "call", "can_write", "has_plain", "mentions", "plain", "value"]
