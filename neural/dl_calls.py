"""Calls of DL: how they begin, their arguments, actions; all calls that show their own type as one procedure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..compiler.expected import ground_types
from ..compiler.node import node
from ..compiler.schema import Function
from ..compiler.spelling import quote_name
from ..compiler.types import BOOL, DYNAMIC, Con, Type, substitute
from .dl_context import Context, Dl, fields_of_type, spelled_field
from .dl_instances import EXPECTED, Binding, Choice, calls, can_write, required_of
from .dl_short import settle_calls, short_argument, short_arguments, short_call, short_rest
from .net import NEVER, Count, Part, Short

Way = tuple[str, Type]
"""A field taken of what a call gives, as it is written (empty: none), and the type of that."""


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


@node
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
        if not required_of(dl, function, binding, known):
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
    required = required_of(dl, function, binding, known)
    wanted_of = {label: substitute(p.type, dict(binding)) for label, p in function.labelled.items()}
    positional = [given for given in required if not given[0]]

    def left(first: int, given: frozenset[str]) -> bytes | None:
        return short_rest(dl, required[first:], given)

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
    dl: Dl, part: Part, start: int, context: Context, after: Callable[[int, str], None],
    rest: Callable[[str], bytes | None], depth: int = 1,
) -> None:  # fmt: skip
    """Draw calls of actions: any arguments in any order, each a value, `any`, `none` or `missing`. after: draws
    what follows the call of an action. rest: a short text of that."""

    def draw(state: int, name: str) -> None:
        function, done = dl.schema.function[name], part.new()
        end = part.lazy(lambda s: after(s, name), lambda: rest(name))
        part.join(state, end)
        if not function.labelled:
            return
        part.text(done, ")", end)
        wanted = {label: p.type for label, p in function.labelled.items()}
        marks = dl.words.deep("marks", ("any", "none", "missing"))

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


@node
class Called:
    """Calls of one function that give one type. ways: what may be taken of it, nothing or a field: how that is written
    after it, the label it gets, its type. names: those labels. group: the instances. short: a short call."""

    function: Function
    result: Type
    ways: tuple[tuple[str, str, Type], ...]
    names: frozenset[str]
    group: tuple[Choice, ...]
    short: bytes


def all_calls(dl: Dl) -> tuple[Called, ...]:
    """Calls of every function at every instance that shows its own type."""
    known: tuple[Called, ...] | None = dl.memo.get("all calls")
    if known is None:
        grouped: dict[tuple[str, Type], list[Choice]] = {}
        results = (f.result for f in dl.schema.functions if not f.action and not f.tparams)
        for type_ in dict.fromkeys((*ground_types(dl.schema), *results)):
            for choice in calls(dl, type_, False):
                grouped.setdefault((choice[0].name, type_), []).append(choice)
        found = []
        for (name, type_), group in grouped.items():
            function, binding = group[0]
            text = short_call(dl, function, binding, False)
            if text is not None:
                label = name if name[0].isalpha() else "value"
                fields = ((f".{spelled_field(n)}", n, t) for n, t in fields_of_type(dl, type_))
                ways = (("", label, type_), *fields)
                found.append(Called(function, type_, ways, frozenset(n for _, n, _ in ways), tuple(group), text))
        known = dl.memo["all calls"] = tuple(found)
        shorts: dict[Type, list[bytes]] = {}
        for called in known:
            shorts.setdefault(called.result, []).append(called.short)
        settle_calls(dl, {type_: min(texts, key=len) for type_, texts in shorts.items()})
    return known


def some_calls(dl: Dl, which: tuple[int, ...], context: Context) -> int:
    """The procedure of some of `all_calls`, as deep in calls as one in an operand. Its result says which it was."""
    every = all_calls(dl)
    key = ("heads of some", which)
    if key not in dl.memo:
        by_function: dict[str, list[Choice]] = {}
        for i in which:
            by_function.setdefault(every[i].function.name, []).extend(every[i].group)
        dl.memo[key] = heads_of(dl, by_function.values(), False)
    if "place of call" not in dl.memo:
        dl.memo["place of call"] = {(c.function.name, c.result): i for i, c in enumerate(every)}
    begins: Heads = dl.memo[key]
    place: dict[tuple[str, Type], int] = dl.memo["place of call"]

    def build(part: Part) -> None:
        ends: dict[int, int] = {}

        def end(choice: Choice) -> int:
            function, binding = choice
            type_ = substitute(function.result, dict(binding))
            which = place[function.name, type_]
            if which not in ends:
                ends[which] = part.new()
                part.end(ends[which], was(dl, which))
            return ends[which]

        call(dl, part, part.start, begins, context, end)

    procedure = dl.net.procedure(("some calls", which, context), build)

    def shortest() -> Short:
        best = min(which, key=lambda i: (len(every[i].short), i))
        return every[best].short, was(dl, best)

    dl.net.shorten(procedure, shortest)
    dl.net.returning(procedure, lambda: (was(dl, i) for i in which))
    return procedure


def was(dl: Dl, which: int) -> int:
    """The result that says which of `all_calls` it was, and of which type."""
    results: tuple[int, ...] | None = dl.memo.get("was")
    if results is None:
        names = (("was", i, called.result) for i, called in enumerate(all_calls(dl)))
        results = dl.memo["was"] = tuple(map(dl.net.name, names))
    return results[which]


def is_value(type_: Type) -> bool:
    """Whether something of a type can be compared at all."""
    if isinstance(type_, Con) and type_.name in ("Rel", "Groups", "Action"):
        return False
    return isinstance(type_, Con) and all(map(is_value, type_.args))


def each_call(
    dl: Dl, part: Part, start: int, context: Context, arrived: Callable[[Type], int],
    tail: Callable[[Dl, Type], bytes], rest: Callable[[], bytes | None],
) -> None:  # fmt: skip
    """Draw all calls, and fields of what they give. arrived: where an operand of a type ends. tail, rest: short texts,
    one after the other, from there to the end of the procedure; the first depends on nothing but the type."""
    which, ways_of, firsts = _ways(dl)
    key = ("tails of calls", tail)
    if key not in dl.memo:
        dl.memo[key] = tuple(dict.fromkeys(path.encode() + tail(dl, type_) for path, type_ in firsts))
    tails: tuple[bytes, ...] = dl.memo[key]

    def then(result: int) -> int | None:
        ways = ways_of.get(result)
        if ways is None:
            return None
        path, type_ = ways[0]
        if len(ways) == 1 and not path:
            return arrived(type_)

        def draw(state: int) -> None:
            for path, type_ in ways:
                part.text(state, path, arrived(type_))

        def text() -> bytes | None:
            after = rest()
            return path.encode() + tail(dl, type_) + after if after is not None else None

        return part.lazy(draw, text)

    def dearest(count: Count) -> int:
        after = rest()
        if after is None:
            return NEVER
        key = ("dearest tail", tail, after, count)
        if key not in dl.memo:
            dl.memo[key] = max(count(each + after) for each in tails)
        return dl.memo[key]  # type: ignore[no-any-return]

    if ways_of:
        part.call(start, some_calls(dl, which, context), dl.net.continuation(then, dearest))


def _ways(dl: Dl) -> tuple[tuple[int, ...], dict[int, tuple[Way, ...]], tuple[Way, ...]]:
    """Which of all calls may stand where operands do; by result, what each may be: fields taken of what it gives, with
    their types; the first of each."""
    known: tuple[tuple[int, ...], dict[int, tuple[Way, ...]], tuple[Way, ...]] | None = dl.memo.get("ways")
    if known is None:
        found: dict[int, tuple[Way, ...]] = {}
        for i, called in enumerate(all_calls(dl)):
            ways = tuple((path, t) for path, _, t in called.ways if is_value(t))
            if ways:
                found[i] = ways
        of = {was(dl, i): ways for i, ways in found.items()}
        known = dl.memo["ways"] = tuple(found), of, tuple(dict.fromkeys(ways[0] for ways in found.values()))
    return known
