"""Operands of DL by type: literals, members, entities, placeholders, fields, calls, lists, specifications, aggregates.

`operand(T, context, kind)` is a procedure; `expression` draws one with the arithmetic that may follow. Kinds:

* `plain` shows its own type: a field, a call, an aggregate, a variable;
* `shown` does so too, and may be a constant (a placeholder or entity with its type written);
* `exact` is a T, where a T is known to be wanted;
* `own` is one too, and no call of no known type may stand for it: it would decide a type variable;
* `fit` is anything that may stand where a T is wanted, with the coercions that inference inserts.

Every name inside an operand is read in a procedure that the operand calls, and a place that offers words beside
operands (`not `, `any`) reads them as deep: see the rule of `net`.
"""

from ..compiler.classes import has_class
from ..compiler.expected import ground_types
from ..compiler.spelling import quote_name
from ..compiler.types import DYNAMIC, TEXT, Con, Constraint, Type, parts
from .dl_calls import call, heads
from .dl_context import Context, Dl, fields_of_type, spelled_field, spellings
from .dl_instances import EXPECTED, below, can_show, can_write
from .dl_short import short, subject_of
from .net import Part


def operand(dl: Dl, type_: Type, context: Context, kind: str) -> int:
    """The procedure of operands of a type."""
    return dl.net.procedure(
        ("operand", kind, type_, context),
        lambda part: _operand(dl, part, type_, context, kind),
        lambda: short(dl, type_, context, kind),
    )


def _operand(dl: Dl, part: Part, type_: Type, context: Context, kind: str) -> None:
    assert isinstance(type_, Con)
    start, end = part.start, part.new()
    part.end(end)
    _own(dl, part, type_, context, end)
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


def _own(dl: Dl, part: Part, type_: Type, context: Context, end: int) -> None:
    """Operands that only this context has."""
    for spelled in spellings(dl, context, type_):
        dl.words.word(part, part.start, spelled, target=end)
    if subject_of(context) == type_:
        dl.words.word(part, part.start, "it", target=end)
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
