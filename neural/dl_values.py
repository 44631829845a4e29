"""Operands of DL by type: literals, members, entities, placeholders, fields, calls, lists, specifications, aggregates.

`operand(T, context, kind)` is a procedure; `expression` draws one with the arithmetic that may follow. Kinds:

* `plain` shows its own type: a field, a call, an aggregate, a variable;
* `left` is the same without `it`;
* `shown` does so too, and may be a constant (a placeholder or entity with its type written);
* `exact` is a T, where a T is known to be wanted;
* `fit` is anything that may stand where a T is wanted, with the coercions that inference inserts.

Every name inside an operand is read in a procedure that the operand calls, and a place that offers words beside
operands (`not `, `any`) reads them as deep: see the rule of `net`.
"""

from collections.abc import Callable, Iterator, Sequence
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

Choice = tuple[Function, tuple[tuple[str, Type], ...]]
EXPECTED = ("exact", "fit")


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
    if kind in ("plain", "left"):
        return short_plain(dl, type_, context, kind == "plain")
    if isinstance(type_, Con) and type_.name == "Spec":
        return b"everything"
    literal = dl.words.short_literal(type_)
    options = [literal] if literal is not None else []
    if has_class(dl.schema, type_, Constraint("hole")):
        if kind in EXPECTED:
            options.append(b"$0")
        elif isinstance(type_, Con) and not type_.args:
            options.append(f"$0[{quote_name(type_.name)}]".encode())
    if not options:
        given = short_plain(dl, type_, context)
        options = [given] if given is not None else []
    return min(options, key=len, default=None)


def short_plain(dl: Dl, type_: Type, context: Context, subject: bool = True) -> bytes | None:
    """A short field, call, aggregate or variable of a type."""
    key = ("short plain", type_, context, subject)
    if key not in dl.memo:
        options = [s.encode() for s, _, found in fields(dl, context) if found == type_]
        options += [name.encode() for name, found in context.bound if found == type_]
        if subject and subject_of(context) == type_:
            options.append(b"it")
        if context.keys is not None:
            over = short_plain(dl, type_, context.ungrouped())
            options += [b"pick(" + over + b")"] if over is not None else []
            if type_ == NUMBER:
                options.append(b"count()")
        if not options:
            called = _shortest_call(dl, type_)
            options = [called] if called is not None else []
        dl.memo[key] = min(options, key=len, default=None)
    return dl.memo[key]  # type: ignore[no-any-return]


def _shortest_call(dl: Dl, type_: Type) -> bytes | None:
    """A short call of a type; its arguments are constants, so that it can be written anywhere."""
    key = ("shortest call", type_)
    if key not in dl.memo:
        dl.memo[key] = None  # a call whose arguments need such a call gives no short text
        texts = [short_call(dl, f, dict(b), NOWHERE, False) for f, b in calls(dl, type_, False)]
        dl.memo[key] = min((text for text in texts if text is not None), key=len, default=None)
    return dl.memo[key]  # type: ignore[no-any-return]


def short_call(dl: Dl, function: Function, binding: dict[str, Type], context: Context, known: bool) -> bytes | None:
    """A short call of a function."""
    given: list[bytes] = []
    for label, wanted, kind in arguments(function, binding, known):
        text = short(dl, wanted, context, kind) if isinstance(wanted, Con) else None
        if kind == "shown" and isinstance(wanted, Con) and wanted.name == "List":
            item = short(dl, wanted.args[0], context, "shown")
            text = b"[" + item + b"]" if item is not None else None
        if text is None:
            return None
        given.append((f"{quote_name(label)}: ".encode() if label else b"") + text)
    name = quote_name(function.name).encode()
    return name + (b"(" + b", ".join(given) + b")" if given else b"")


def arguments(function: Function, binding: dict[str, Type], known: bool) -> Iterator[tuple[str, Type, str]]:
    """Required arguments: label, type, and how it must be written. The first that names a type variable which
    nothing outside decides has to show it."""
    shown = {name for name, _ in function.tparams if known and mentions(function.result, name)}
    for parameter in function.params:
        if not parameter.optional:
            new = {n for n, _ in function.tparams if mentions(parameter.type, n)} - shown
            shown |= new
            kind = "shown" if new else "exact" if function.tparams else "fit"
            yield "" if parameter.positional else parameter.name or "", substitute(parameter.type, binding), kind


# ---------------------------------------------------------------- what an operand may be


def has_plain(dl: Dl, type_: Type, context: Context) -> bool:
    """Whether there is an operand of kind `plain`."""
    return short_plain(dl, type_, context) is not None


def _operand(dl: Dl, part: Part, type_: Type, context: Context, kind: str) -> None:
    assert isinstance(type_, Con)
    start, end = part.start, part.new()
    part.end(end)
    _plain(dl, part, type_, context, end, kind in EXPECTED, kind != "left")
    sources = below(dl, type_) if kind == "fit" else ()
    for source in sources:
        _plain(dl, part, source, context, end, False)
    if kind in ("plain", "left"):
        return
    if kind == "fit" and type_ == DYNAMIC:
        sources = tuple(t for t in ground_types(dl.schema) if t != DYNAMIC)
    for literal in dict.fromkeys(p for s in (type_, *sources) for p in dl.words.literals(s)):
        part.call(start, literal, end)
    if type_ == TEXT or TEXT in sources:
        part.call(part.text(start, '"'), dl.words.string(), end)
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


def _plain(dl: Dl, part: Part, type_: Type, context: Context, end: int, known: bool, subject: bool = True) -> None:
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
        _aggregates(dl, part, type_, context, end)
    _calls(dl, part, part.start, calls(dl, type_, known), context, known, end)
    for owner, name in owners(dl, type_):
        after = part.new()
        part.text(after, f".{spelled_field(name)}", end)
        _calls(dl, part, part.start, calls(dl, owner, False), context, False, after)


def _calls(
    dl: Dl, part: Part, start: int, choices: tuple[Choice, ...], context: Context, known: bool, end: int
) -> None:
    by_function: dict[Function, list[Choice]] = {}
    for choice in choices:
        by_function.setdefault(choice[0], []).append(choice)
    for function, group in by_function.items():
        call(dl, part, start, function, group, context, known, lambda _: end)


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
        part.call(dl.words.word(part, part.start, 'raw "'), dl.words.string(), end)


def _suffix(body: Part, source: int, names: tuple[str, ...], must: bool) -> None:
    if not must:
        body.end(source)
    if names:
        inner = body.new()
        body.words(body.text(source, "["), [quote_name(name) for name in names], inner)
        body.end(body.text(inner, "]"))


def _entity(dl: Dl, names: tuple[str, ...], must: bool) -> int:
    def build(body: Part) -> None:
        string = dl.words.string()
        at = body.text(body.start, "@")
        named = body.call(body.text(at, '"'), string)
        done = body.new()
        body.join(named, done)
        for source in (at, named):
            body.call(body.text(source, '#"'), string, done)
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

    must = kind == "shown"

    def items(inside: int) -> None:
        if not must:
            part.text(inside, "]", end)
        if can_show(dl, item, context) if must else can_write(dl, item, context):
            after = part.new()
            expression(dl, part, inside, item, context, "shown" if must else "exact", after)
            part.text(after, "]", end)
            part.text(after, ", ", part.lazy(lambda s: expression(dl, part, s, item, context, "exact", after)))

    part.text(part.start, "[", part.lazy(items))


def _braces(dl: Dl, subject: Type, context: Context) -> int | None:
    from .dl_conditions import condition, short_condition
    from .dl_context import Row

    around = context.rows + context.outer
    inner = Context((Row("it", subject),), around, None, context.depth, context.bound)
    if short_condition(dl, inner) is None:
        return None

    def build(body: Part) -> None:
        def inside(state: int) -> None:
            for _, spaced in condition(dl, body, state, inner).any:
                body.end(body.text(spaced, "}"))

        body.text(body.start, "{ ", body.lazy(inside))

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
            (function, tuple(sorted(binding.items())))
            for function in dl.schema.functions
            if not function.action
            for binding in _bindings(dl, function, type_, known)
        )
    return found


def _bindings(dl: Dl, function: Function, type_: Type, known: bool) -> Iterator[dict[str, Type]]:
    matched = _match(function.result, type_)
    if matched is None and known and function.result == DYNAMIC:
        matched = {}
    if matched is None:
        return
    free = [(name, cls) for name, cls in function.tparams if name not in matched]
    if len(free) > 1 or any(not is_in(dl, matched[n], c) for n, c in function.tparams if n in matched):
        return
    options = [[t for t in ground_types(dl.schema) if is_in(dl, t, cls)] for _, cls in free]
    for chosen in product(*options):
        binding = matched | {name: t for (name, _), t in zip(free, chosen, strict=True)}
        if all(_can_pass(dl, t, kind) for _, t, kind in arguments(function, binding, known)):
            yield binding


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
    if not isinstance(type_, Con) or type_depth(type_) > dl.limits.types or not _ground(type_):
        return False
    if kind == "shown":
        # Only a value itself, or a list of values, shows its type.
        return can_show(dl, type_, NOWHERE)
    return has_class(dl.schema, type_, Constraint("raw")) or type_.name == "Spec"


def _ground(type_: Type) -> bool:
    return not isinstance(type_, Param) and all(_ground(part) for part in parts(type_))


def type_depth(type_: Type) -> int:
    """How deep constructors nest: 1 for Number, 3 for `Spec[Ref[Number]]`."""
    return 1 + max((type_depth(part) for part in parts(type_)), default=0)


def mentions(type_: Type, name: str) -> bool:
    """Whether a signature's type names a type parameter."""
    return type_ == Param(name) or any(mentions(part, name) for part in parts(type_))


def call(
    dl: Dl, part: Part, start: int, function: Function, choices: Sequence[Choice], context: Context, known: bool,
    end: Callable[[Choice], int], depth: int = 1,
) -> None:  # fmt: skip
    """Draw the calls of one function at some instances of its type, each to an end of its own. The name is one
    procedure for all of them."""
    name = quote_name(function.name)
    if any(p.optional for p in function.params) or not function.params:
        if not any(True for _ in arguments(function, dict(choices[0][1]), known)):
            bare = dl.words.word(part, start, name, depth)
            for choice in choices:
                part.join(bare, end(choice))
    if not function.params:
        return

    def inside(state: int) -> None:
        closings: dict[int, int] = {}
        for choice in choices:
            target = end(choice)
            if target not in closings:
                closings[target] = part.new()
                part.text(closings[target], ")", target)
            part.call(state, _arguments(dl, function, choice[1], context, known), closings[target])

    part.join(dl.words.word(part, start, f"{name}(", depth), part.lazy(inside))


def one_call(dl: Dl, function: Function, choices: tuple[Choice, ...], context: Context) -> int:
    """The procedure of calls of one function, as deep in calls as one in an operand."""

    def build(part: Part) -> None:
        end = part.new()
        part.end(end)
        call(dl, part, part.start, function, choices, context, False, lambda _: end)

    return dl.net.procedure(
        ("one call", function.name, choices[0][1], context),
        build,
        lambda: short_call(dl, function, dict(choices[0][1]), context, False),
    )


def _arguments(dl: Dl, function: Function, binding: tuple[tuple[str, Type], ...], context: Context, known: bool) -> int:
    """The procedure of the arguments of a function at one instance of its type, between its parentheses."""
    required = list(arguments(function, dict(binding), known))

    def build(part: Part) -> None:
        at = part.start
        positional = [given for given in required if not given[0]]
        for i, (_, wanted, kind) in enumerate(positional):
            if i:
                at = part.text(at, ", ")
            after = part.new()
            _argument(dl, part, at, wanted, context, kind, after)
            at = after
        done = part.new()
        part.end(done)
        kinds = {label: kind for label, _, kind in required if label}
        wanted_of = {label: substitute(p.type, dict(binding)) for label, p in function.labelled.items()}
        _labelled(dl, part, at, function, wanted_of, kinds, context, bool(positional), done, None)

    def text() -> bytes | None:
        whole = short_call(dl, function, dict(binding), context, known)
        if whole is None:
            return None
        inside = whole.removeprefix(quote_name(function.name).encode())[1:-1]
        return inside if required else None

    return dl.net.procedure(("arguments", function.name, binding, context, known), build, text)


def _argument(dl: Dl, part: Part, at: int, type_: Type, context: Context, kind: str, after: int) -> None:
    from .dl_conditions import condition
    from .dl_sums import expression

    if type_ == BOOL and kind in EXPECTED:
        for done, _ in condition(dl, part, at, context, True).any:
            part.join(done, after)
    else:
        expression(dl, part, at, type_, context, kind, after)


def _labelled(
    dl: Dl, part: Part, at: int, function: Function, wanted: dict[str, Type], kinds: dict[str, str], context: Context,
    some: bool, done: int, marks: int | None,
) -> None:  # fmt: skip
    """Labelled arguments from `at`, each once, in any order; those without `?` must come (unless there are marks, as
    in an action). Which were given is in the state, drawn as it is reached."""
    labelled = function.labelled

    def draw(state: int, given: frozenset[str]) -> None:
        if (given or some) and (marks is not None or all(p.optional or n in given for n, p in labelled.items())):
            part.join(state, done)
        options = [n for n in labelled if n not in given and (marks is not None or can_write(dl, wanted[n], context))]
        if not options:
            return
        start = part.text(state, ", ") if given or some else state
        for name in options:
            kind = kinds.get(name, "exact" if function.tparams else "fit")
            writable = can_write(dl, wanted[name], context)
            after = part.lazy(lambda s, g=given | {name}: draw(s, g))  # type: ignore[misc]

            def value(
                label: int, name: str = name, kind: str = kind, after: int = after, some: bool = writable
            ) -> None:
                if some:
                    _argument(dl, part, label, wanted[name], context, kind, after)
                if marks is not None:
                    part.call(label, marks, after)

            part.text(start, f"{quote_name(name)}: ", part.lazy(value))

    draw(at, frozenset())


def action(dl: Dl, function: Function, context: Context) -> int:
    """The procedure of a call of an action: any arguments in any order, each a value, `any`, `none` or `missing`."""

    def build(part: Part) -> None:
        name = part.text(part.start, quote_name(function.name))
        part.end(name)
        if not function.labelled:
            return
        done = part.new()
        wanted = {label: p.type for label, p in function.labelled.items()}
        marks = deep(dl, "marks", ("any", "none", "missing"))
        inside = part.lazy(lambda s: _labelled(dl, part, s, function, wanted, {}, context, False, done, marks))
        part.text(name, "(", inside)
        part.end(part.text(done, ")"))

    return dl.net.procedure(("action", function.name, context), build, quote_name(function.name).encode)


def deep(dl: Dl, key: str, names: tuple[str, ...]) -> int:
    """Words that stand where operands do, as deep in calls as the names in them."""
    inner = dl.words.names(key, names)
    return dl.net.procedure(
        ("deep", key), lambda body: body.end(body.call(body.start, inner)), lambda: min(names, key=len).encode()
    )


# ---------------------------------------------------------------- aggregates

OVER = {
    "sum": "Num",
    "avg": "Num",
    "sum_distinct": "Num",
    "avg_distinct": "Num",
    "min": "Ord",
    "max": "Ord",
    "pick": "",
}
COUNTS = ("count", "count_distinct")


def _aggregates(dl: Dl, part: Part, type_: Type, context: Context, end: int) -> None:
    inner = context.ungrouped()
    if type_ == NUMBER:
        part.join(dl.words.word(part, part.start, "count()"), end)
        for name in COUNTS:
            aggregate(dl, part, part.start, name, over(dl, name, inner), inner, lambda _: end)
    for name in OVER:
        if type_ in over(dl, name, inner):
            aggregate(dl, part, part.start, name, (type_,), inner, lambda _: end)


def over(dl: Dl, name: str, inner: Context) -> tuple[Type, ...]:
    """Types of what an aggregate can be over."""
    from .dl_conditions import comparable

    return tuple(t for t in comparable(dl, inner) if is_in(dl, t, OVER.get(name, "")))


def aggregate(
    dl: Dl, part: Part, start: int, name: str, types: Sequence[Type], inner: Context, end: Callable[[Type], int],
    depth: int = 1,
) -> None:  # fmt: skip
    """Draw an aggregate over expressions of some types, each to an end of its own."""

    def inside(state: int) -> None:
        for type_ in types:
            after = part.call(state, _aggregated(dl, type_, inner))
            part.text(after, ")", end(type_))

    if types:
        part.join(dl.words.word(part, start, f"{name}(", depth), part.lazy(inside))


def _aggregated(dl: Dl, type_: Type, inner: Context) -> int:
    from .dl_sums import expression

    def build(part: Part) -> None:
        after = part.new()
        part.end(after)
        expression(dl, part, part.start, type_, inner, "plain", after)

    return dl.net.procedure(("aggregated", type_, inner), build, lambda: short_plain(dl, type_, inner))


__all__ = ["NOWHERE", "action", "call", "can_write", "has_plain", "mentions", "operand"]
