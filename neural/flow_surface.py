"""Lispress over a schema as a network: canonical untyped text on one line, as SMCalFlow's programs are written.

A value is read against the set of types that may stand there, and returns its type. So a call is one walk: the name
says the signature, whose variables are narrowed by the types expected, the type arguments, and the type of each
argument as it returns; `(== a b)` takes any type first and that type then. Sets are those that have values, so there
are no dead ends. Variables stand wherever a value does; which of them go, their types say.

    program = "(let (x0 " value " x1 " value … ") " value ")" | value
    value   = literal | variable | "(" name arguments ")" | "(^(" types ") " name arguments ")"
    argument = " " value, as long as no parameter is left out; then " :label " value
"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..compiler.check import Checker, prelude
from ..compiler.schema import Schema
from ..compiler.types import BOOL, INT, NUMBER, TEXT, Con
from ..grammar.diagnostic import CompileError
from ..targets.dataflow.judge import Judge
from ..targets.dataflow.names import Names
from . import errors
from .flow_signatures import Count, Signature, Signatures, Space
from .flow_type_names import TypeNames
from .flow_types import Ids
from .net import Net, Part, Short
from .patterns import any_name, characters, draw, rest_of_name

ESCAPED = (
    r'["\\bfnrt]|u(?:00(?:0[0-7be]|0f|1[0-9a-f]|[89a-f][0-9a-f])|0[1-9a-f][0-9a-f]{2}'
    r"|[1-9a-cef][0-9a-f]{3}|d[0-7][0-9a-f]{2}|d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})"
)
"""What follows a backslash in a string: JSON's escapes as `json.dumps` writes them."""
LONG = r"(?:0|[1-9][0-9]*)L"
FLOAT = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
VARIABLE = r"x[0-9]+"
MEMBER_NAME = r"[A-Z][A-Za-z0-9_]*"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """Bounds of the decoder's Lispress: how deep the constructors of a type nest, how many names a let binds.

    To compare with context-free grammars: `only` these ground types, and with `scoped` off any variable may be named
    and used anywhere.
    """

    types: int = 5
    names: int = 16
    only: tuple[Con, ...] | None = None
    scoped: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A signature that may be called, with what its variables may be. Interned (`Flow.candidate`), so that it is a
    key."""

    signature: Signature
    space: Space


def dataflow_surface(schema: Schema, count: Count, limits: FlowLimits | None = None) -> tuple[Net, int]:
    """The network of Lispress over a schema, and its root procedure. count: the tokens a text takes at least.

    Raises CompileError (DLC502) if no type has a value.
    """
    limits = limits or FlowLimits()
    names = Names(schema)
    signatures = Signatures(schema, Judge(schema, names, Checker(schema)), limits.types, count, limits.only)
    if not signatures.inhabited.any():
        given = ", ".join(dict.fromkeys(signatures.universe.texts[:5]))
        raise CompileError(errors.nothing_to_say(given))
    net = Net()
    flow = Flow(net, signatures, limits)
    net.beginnings = flow.beginnings
    return net, net.procedure(("program",), flow.program)


def _opening(candidate: Candidate, given: list[bytes]) -> bytes:
    """A call after its parenthesis, up to the end of its name."""
    head = candidate.signature.head.encode()
    return b"^(" + b" ".join(given) + b") " + head if given else head


Builder = Callable[[Part, int], None]
Hint = Callable[[], Short | None]


@dataclass
class Flow:
    """The surface being built. States are remembered by what is left to read, whichever procedure they are in."""

    net: Net
    signatures: Signatures
    limits: FlowLimits
    _states: dict[Hashable, int] = field(default_factory=dict)
    _masks: dict[bytes, NDArray[np.bool_]] = field(default_factory=dict)
    _interned: dict[Hashable, Candidate] = field(default_factory=dict)
    _calls: dict[Candidate, tuple[list[bytes], bytes, int]] = field(default_factory=dict)
    _spellings: dict[Candidate, list[int]] = field(default_factory=dict)
    _by_result: dict[int, list[Candidate]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._open: list[Candidate] = []
        number = self.signatures.universe.number
        for signature, space in zip(self.signatures.all, self.signatures.spaces, strict=True):
            if space is None:
                continue
            candidate = self.candidate(signature, space)
            if signature.component(signature.function.result) is None:
                self._by_result.setdefault(number[signature.function.result], []).append(candidate)
            else:
                self._open.append(candidate)
        self.type_names = TypeNames(self.net, self.signatures.universe.types, self.signatures.universe.texts)
        self.results = self.type_names.results[: len(number)]
        self.type_of = {result: i for i, result in enumerate(self.results)}
        self.root = self.net.procedure(("states",), lambda part: None)
        schema = self.signatures.schema
        functions = [s.head for s in self.signatures.all if s.function.params]
        # A constant of a function's name would be taken for that function.
        declared = (f.name for f in (*schema.functions, *prelude().functions))
        taken = frozenset(name for name in declared if re.fullmatch(MEMBER_NAME, name))
        self._open_enums = {
            f"{enum.name}.": (number[Con(enum.name)], taken.difference(enum.names))
            for enum in schema.enums
            if enum.open and Con(enum.name) in number and not any(f.startswith(f"{enum.name}.") for f in functions)
        }
        """How names of constants of open enums begin; their types, and names that are none."""

    # ------------------------------------------------------------ sets, states

    def _set(self, numbers: Ids) -> bytes:
        """The key of a set of types."""
        mask = np.zeros(len(self.results), dtype=np.bool_)
        mask[numbers] = True
        key = np.packbits(mask).tobytes()
        self._masks.setdefault(key, mask)
        return key

    def _state(self, key: Hashable, build: "Builder") -> int:
        """The state of a key; drawn when first looked at."""
        known = self._states.get(key)
        if known is None:
            part = Part(self.net, self.root)
            known = self._states[key] = part.lazy(lambda state: build(part, state))
        return known

    def _hint(self, state: int, short: "Hint") -> None:
        self.net.states[state].rest = short

    def _ended(self, number: int) -> int:
        """After a value of a type."""
        return self._state(("ended", number), lambda part, state: part.end(state, self.results[number]))

    def beginnings(self) -> Iterator[bytes]:
        """Every call of each signature up to each of its arguments, and up to a call in its place."""
        yield from (b"", b"(", b"(^(", b"(^((", b"(let (", b"(let (x0 ", b"(let (x0 (")
        for own in self._open_enums:
            yield from (f"({own[:-1]}".encode(), f"({own}".encode())
        signatures = self.signatures
        for signature, space in zip(signatures.all, signatures.spaces, strict=True):
            if space is None:
                continue
            one = signatures.cheapest(signature, space)
            text = signatures.opening(signature, one)
            for i, before in signatures.required(signature, 0):
                text += before
                yield text
                yield from (text + b"(", text + b"(^(", text + b"(^((", text + b'"')
                text += signatures.short(
                    int(signatures.instances(signature, signature.function.params[i].type, one)[0])
                )

    # ------------------------------------------------------------ programs

    def program(self, part: Part) -> None:
        """A value, or a let around one."""
        everything = self._set(np.flatnonzero(self.signatures.inhabited).astype(np.int32))
        self._draw_value(part, part.start, everything)
        cheapest = self._cheapest(everything)[0]
        count = self.signatures.count
        done = part.new()
        part.end(done)
        body = part.new()
        after = part.new()
        part.text(after, ")", done)
        part.call(body, self.value(everything), self.net.continuation(lambda _: after, lambda _: count(b")")))
        at = part.text(part.start, "(let (")
        dearest = count(b") ") + count(cheapest) + count(b")")
        if not self.limits.scoped:
            named, bound = part.new(), part.new()
            draw(part, at, VARIABLE, named)
            goes = self.net.continuation(lambda _: bound, lambda _: dearest)
            part.call(part.text(named, " "), self.value(everything), goes)
            part.text(bound, ") ", body)
            part.text(bound, " ", at)
            return
        for slot in range(self.limits.names):
            bound = part.new()
            goes = self.net.continuation(lambda _, bound=bound: bound, lambda _: dearest)  # type: ignore[misc]
            part.call(part.text(at, f"x{slot} "), self.value(everything), goes, binds=True)
            part.text(part.text(bound, ")"), " ", body)
            at = part.text(bound, " ")

    # ------------------------------------------------------------ values

    def value(self, types: bytes) -> int:
        """The procedure of values of one of a set of types; it returns the type."""

        def build(part: Part) -> None:
            self._draw_value(part, part.start, types)

        number = self.net.procedure(("value", types), build)
        self.net.shorten(number, lambda: self._cheapest(types))
        self.net.returning(number, lambda: self._results_of(types))
        return number

    def _results_of(self, types: bytes) -> list[int]:
        return [self.results[n] for n in np.flatnonzero(self._masks[types]).tolist()]

    def _cheapest(self, types: bytes) -> Short:
        numbers = np.flatnonzero(self._masks[types])
        best = int(numbers[self.signatures.cost[numbers].argmin()])
        return self.signatures.short(best), self.results[best]

    def _draw_value(self, part: Part, start: int, types: bytes) -> None:
        mask, number = self._masks[types], self.signatures.universe.number
        self._hint(start, lambda: self._cheapest(types))
        for type_, literal in ((TEXT, self._string), (INT, self._long), (NUMBER, self._float), (BOOL, self._truth)):
            if type_ in number and mask[number[type_]]:
                part.join(start, self._state(("literal", type_), literal))
        if self.limits.scoped:
            part.join(start, self._state("variable", lambda part, state: part.variables(state, self.limits.names)))
        else:
            draw(
                part,
                start,
                VARIABLE,
                self._state(("any", types), lambda part, state: self._anything(part, state, mask)),
            )
        part.text(start, "(", self._state(("call", types), lambda part, state: self._heads(part, state, types)))

    def _anything(self, part: Part, state: int, mask: NDArray[np.bool_]) -> None:
        """After a variable that may be of any type."""
        for number in np.flatnonzero(mask).tolist():
            part.join(state, self._ended(number))

    def _string(self, part: Part, state: int) -> None:
        end = self._ended(self.signatures.universe.number[TEXT])
        inside = part.text(state, '"')
        characters(part, inside)
        draw(part, part.text(inside, "\\"), ESCAPED, inside)
        part.text(inside, '"', end)

    def _long(self, part: Part, state: int) -> None:
        draw(part, state, LONG, self._ended(self.signatures.universe.number[INT]))

    def _float(self, part: Part, state: int) -> None:
        draw(part, state, FLOAT, self._ended(self.signatures.universe.number[NUMBER]))

    def _truth(self, part: Part, state: int) -> None:
        part.words(state, ("true", "false"), self._ended(self.signatures.universe.number[BOOL]))

    # ------------------------------------------------------------ heads

    def candidates(self, types: bytes) -> list[Candidate]:
        """Signatures whose result may be one of a set of types, narrowed to it."""
        mask = self._masks[types]
        found = [c for n in np.flatnonzero(mask).tolist() for c in self._by_result.get(n, ())]
        for candidate in self._open:
            signature = candidate.signature
            space = self.signatures.narrowed(signature, signature.function.result, candidate.space, mask)
            if space is not None:
                found.append(self.candidate(signature, space))
        return found

    def _heads(self, part: Part, state: int, types: bytes) -> None:
        """After an opening parenthesis."""
        found = self.candidates(types)
        # Constants that an open enum lists are read as those that it does not list.
        plain = [c for c in found if not c.signature.written and not self._is_constant(c)]
        written = [c for c in found if c.signature.written]
        self._names(part, state, self._sorted(plain), 0)
        if written:
            part.text(state, "^(", self._type_argument(tuple(written), 0))
        self._members(part, state, types)
        self._hint(state, lambda: self._shortest(found, _opening))

    def _is_constant(self, candidate: Candidate) -> bool:
        head, dot, _ = candidate.signature.head.partition(".")
        return not candidate.signature.function.params and head + dot in self._open_enums

    def _members(self, part: Part, state: int, types: bytes) -> None:
        """Constants of open enums, listed or not."""
        for own, (type_, but) in self._open_enums.items():
            if self._masks[types][type_]:
                after = self._state(("constant", type_), self._closing(type_))
                part.call(part.text(state, own), self._constants(but), after)

    def _closing(self, type_: int) -> "Builder":
        return lambda part, state: part.end(part.text(state, ")"), self.results[type_])

    def _constants(self, but: frozenset[str]) -> int:
        """The procedure of names of constants: any but some. All types whose names are free share it."""
        return self.net.procedure(
            ("constants", but),
            lambda part: any_name(part, but, _CAPITALS),
            lambda: rest_of_name("", but, _CAPITALS),
        )

    def _sorted(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        return tuple(sorted(candidates, key=lambda c: c.signature.head.encode()))

    def _call(self, candidate: Candidate) -> tuple[list[bytes], bytes, int]:
        """A short call: its type arguments, what comes after its name, and the number of its type."""
        if candidate not in self._calls:
            signature, space = candidate.signature, candidate.space
            one = self.signatures.cheapest(signature, space) if signature.written else space
            given = self.signatures.arguments(signature, one) if signature.written else []
            self._calls[candidate] = given, *self.signatures.ending(signature, one, 0)
        return self._calls[candidate]

    def _shortest(
        self, candidates: Sequence[Candidate], before: Callable[[Candidate, list[bytes]], bytes]
    ) -> Short | None:
        """The shortest of some calls, from where `before` begins."""
        best: tuple[int, bytes, int] | None = None
        for candidate in candidates:
            given, text, number = self._call(candidate)
            whole = before(candidate, given) + text
            if best is None or len(whole) < best[0]:
                best = len(whole), whole, self.results[number]
        return None if best is None else best[1:]

    def _names(self, part: Part, state: int, candidates: tuple[Candidate, ...], at: int) -> None:
        """Names from their byte `at` on; all candidates agree before it. A call is read on where its name is over."""
        groups: dict[int, list[Candidate]] = {}
        for candidate in candidates:
            head = candidate.signature.head.encode()
            if len(head) == at:
                part.join(state, self._filled(candidate.signature, candidate.space, 0, True))
            else:
                groups.setdefault(head[at], []).append(candidate)
        for byte, group in groups.items():
            part.byte(state, byte, byte, self._name(tuple(group), at + 1))

    def _name(self, candidates: tuple[Candidate, ...], at: int) -> int:
        """In the name of one of some calls, before its byte `at`: one state for all that may be called together."""
        if len(candidates) == 1:
            return self._spelled(candidates[0])[at]

        def build(part: Part, state: int) -> None:
            self._names(part, state, candidates, at)
            self._hint(state, lambda: self._rest_of_name(candidates, at))

        return self._state(("name", candidates, at), build)

    def _spelled(self, candidate: Candidate) -> list[int]:
        """The states in the name of a call, by the bytes of it that have been read."""
        if candidate not in self._spellings:
            filled = self._filled(candidate.signature, candidate.space, 0, True)
            part, head = Part(self.net, self.root), candidate.signature.head.encode()
            self._spellings[candidate] = part.along(head, filled)
        return self._spellings[candidate]

    def _rest_of_name(self, candidates: Sequence[Candidate], at: int) -> Short | None:
        return self._shortest(candidates, lambda c, _: c.signature.head.encode()[at:])

    # ------------------------------------------------------------ type arguments

    def _type_argument(self, candidates: tuple[Candidate, ...], index: int) -> int:
        """Before the type argument number `index` of one of some signatures."""

        def build(part: Part, state: int) -> None:
            numbers = [self._column(c, index) for c in candidates]
            types = tuple(np.unique(np.concatenate(numbers)).tolist())
            goes = self.net.continuation(
                lambda result: self._type_given(candidates, index, result), lambda _: dearest()
            )
            part.call(state, self.type_names.one_of(types), goes)
            self._hint(state, lambda: self._rest_of_types(candidates, index))

        def dearest() -> int:
            return max(self._dearest(c, index + 1) for c in candidates)

        return self._state(("type argument", candidates, index), build)

    def _column(self, candidate: Candidate, index: int) -> Ids:
        name = candidate.signature.function.tparams[index][0]
        at = next(i for i, c in enumerate(candidate.signature.components) if name in c)
        return candidate.space[at][:, candidate.signature.components[at].index(name)]

    def _dearest(self, candidate: Candidate, index: int) -> int:
        signature, space = candidate.signature, candidate.space
        count = self.signatures.count
        types = [
            self.signatures.type_cost[self._column(candidate, i)] for i in range(index, len(signature.function.tparams))
        ]
        given = sum(int(each.max()) + count(b" ") for each in types)
        rest = self.signatures.dearest(signature, space, 0, True)
        return given + count(b") ") + count(signature.head.encode()) + rest

    def _type_given(self, candidates: tuple[Candidate, ...], index: int, result: int) -> int | None:
        """After a type argument."""
        number = self.type_of[result]
        left: list[Candidate] = []
        for candidate in candidates:
            name = candidate.signature.function.tparams[index][0]
            at = next(i for i, c in enumerate(candidate.signature.components) if name in c)
            rows = candidate.space[at][self._column(candidate, index) == number]
            if len(rows):
                space = candidate.space
                left.append(self.candidate(candidate.signature, (*space[:at], rows, *space[at + 1 :])))
        over = self._sorted([c for c in left if len(c.signature.function.tparams) == index + 1])
        more = tuple(c for c in left if len(c.signature.function.tparams) > index + 1)
        if not left:
            return None

        def build(part: Part, state: int) -> None:
            if more:
                part.text(state, " ", self._type_argument(more, index + 1))
            if over:
                part.text(state, ") ", self._name(over, 0))
            self._hint(state, lambda: self._after_type(over, more, index))

        return self._state(("type given", tuple(left), index), build)

    def _after_type(self, over: Sequence[Candidate], more: tuple[Candidate, ...], index: int) -> Short | None:
        if over:
            rest = self._rest_of_name(over, 0)
            return (b") " + rest[0], rest[1]) if rest is not None else None
        rest = self._rest_of_types(more, index + 1)
        return (b" " + rest[0], rest[1]) if rest is not None else None

    def _rest_of_types(self, candidates: Sequence[Candidate], index: int) -> Short | None:
        """A short rest of a call from its type argument `index` on."""
        return self._shortest(candidates, lambda c, given: b" ".join(given[index:]) + b") " + c.signature.head.encode())

    # ------------------------------------------------------------ arguments

    def candidate(self, signature: Signature, space: Space) -> Candidate:
        """The one candidate of a signature and a space."""
        key = signature.head, self._key(space)
        if key not in self._interned:
            self._interned[key] = Candidate(signature, space)
        return self._interned[key]

    def _key(self, space: Space) -> tuple[bytes, ...]:
        return tuple(rows.tobytes() for rows in space)

    def _filled(self, signature: Signature, space: Space, index: int, by_position: bool) -> int:
        """In a call, before parameter `index`; all parameters before it are done with. by_position: all were given."""

        def build(part: Part, state: int) -> None:
            params = signature.function.params
            last = index
            while last < len(params) and params[last].optional:
                last += 1
            if last == len(params):
                number = int(self.signatures.instances(signature, signature.function.result, space)[0])
                part.text(state, ")", self._ended(number))
            given = [
                (i, n)
                for i in range(index, min(last + 1, len(params)))
                if (n := self._narrowed(signature, space, i)) is not None
            ]
            spaced = part.text(state, " ") if given else state
            for i, narrowed in given:
                before = self.signatures.label(signature, i, by_position and i == index)
                self._argument(part, part.text(spaced, before[1:].decode()), signature, narrowed, i, before == b" ")
            self._hint(state, lambda: self._rest(signature, space, index, by_position))

        return self._state(("filled", signature.head, self._key(space), index, by_position), build)

    def _narrowed(self, signature: Signature, space: Space, index: int) -> Space | None:
        type_ = signature.function.params[index].type
        return self.signatures.narrowed(signature, type_, space, self.signatures.inhabited)

    def _rest(self, signature: Signature, space: Space, index: int, by_position: bool) -> Short:
        text, number = self.signatures.ending(signature, space, index, by_position)
        return text, self.results[number]

    def _argument(
        self, part: Part, state: int, signature: Signature, space: Space, index: int, by_position: bool
    ) -> None:
        numbers = np.unique(self.signatures.instances(signature, signature.function.params[index].type, space))
        goes = self.net.continuation(
            lambda result: self._went(signature, space, index, by_position, result),
            lambda _: self.signatures.dearest(signature, space, index + 1, by_position),
        )
        part.call(state, self.value(self._set(numbers)), goes)

    def _went(self, signature: Signature, space: Space, index: int, by_position: bool, result: int) -> int | None:
        """Where a call goes on after the argument of a parameter."""
        number = self.type_of.get(result)
        if number is None:
            return None
        keep = np.zeros(len(self.results), dtype=np.bool_)
        keep[number] = True
        narrowed = self.signatures.narrowed(signature, signature.function.params[index].type, space, keep)
        return None if narrowed is None else self._filled(signature, narrowed, index + 1, by_position)
