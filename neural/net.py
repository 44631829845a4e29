"""Recursive transition networks over bytes: what a surface compiles a schema into.

A network has procedures ("a value of type Time", "the body of a string") made of states. A state moves on a byte,
or calls a procedure and goes on when it returns. States are expanded when first looked at, so a network may be
unbounded (every join makes a new context) as long as each program visits little of it.

What returns is a *result*: a number, by which the callers that waited choose how to go on. A procedure's result is
its own number unless an end says another (a type: "a value of type Time", whichever procedure it was read by). The
environment is a sequence of results, one for each name bound so far; it only grows, and it is no part of any state.
A call may *bind*: what returns to it is appended to the environment. A state may end as a *use* of slot k: it returns
whatever result slot k holds, and is a dead end where k names are not bound or no caller waits for that result. Uses
are written `use(k)`, which is negative; every other result is a procedure's number or a `Net.name`.

The one rule a surface keeps: after any prefix, whether the next byte is read here, read inside a called procedure,
or read by the caller after this procedure returns, is decided by that byte. Alternatives of one kind may be alive
side by side; `automaton` determinizes them. That is LL(1) at the level of bytes, and it is checked while running.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NEVER: Final = 1 << 20
"""The tokens of what cannot be said: more than anything takes."""

Call = tuple[int, int]
"""A procedure, and where to go on: a state, taken if the procedure's own number returned; or, below zero, a
continuation, asked for every result (`Net.then`)."""


def use(slot: int) -> int:
    """The result that stands for what slot `slot` of the environment holds; its own inverse."""
    return -1 - slot


Count = Callable[[bytes], int]
"""The tokens of a text (`Costs.count`)."""

Short = tuple[bytes, int]
"""A short text to the end of a procedure, and the result it returns."""


class State:
    """A state: moves by byte, silent moves, calls. result: what its procedure returns if it ends here (None: it
    may not). rest: a short text to an end, if the surface knows one. slots: not empty where all that can follow is
    the rest of a variable's name: the slots it can still name, each with the text that is left of the name."""

    __slots__ = ("calls", "expand", "moves", "owner", "rest", "result", "silent", "slots")

    def __init__(self, owner: int, moves: dict[int, list[int]]) -> None:
        self.owner = owner
        self.moves = moves
        self.silent: Sequence[int] = ()
        self.calls: Sequence[Call] = ()
        self.result: int | None = None
        self.slots: tuple[tuple[int, bytes], ...] = ()
        self.expand: Callable[[], None] | None = None
        self.rest: Callable[[], Short | None] | None = None

    def call(self, procedure: int, target: int) -> None:
        """One more call. Most states have none, so there is no list before there is one."""
        if isinstance(self.calls, list):
            self.calls.append((procedure, target))
        else:
            self.calls = [(procedure, target)]


class Net:
    """Procedures by key, states by number. Building is done through `Part`."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.starts: list[int] = []
        """First state by procedure; -1 for a name that is a result only."""
        self.keys: list[Hashable] = []
        self.beginnings: Callable[[], Iterable[bytes]] = tuple
        """Beginnings of programs after which much may come next, the commonest first (`prepare`)."""
        self.binding: set[int] = set()
        """States and continuations of calls whose result is appended to the environment."""
        self.endless: set[int] = set()
        """States in names that may be any: what has been read begins no name that is known."""
        self._shorts: list[Callable[[], Short | None] | None] = []
        self._texts: dict[int, Short | None] = {}
        self._results: dict[int, Callable[[], Iterable[int]]] = {}
        self._numbers: dict[Hashable, int] = {}
        self._continuations: list[tuple[Callable[[int], int | None], Callable[[Count], int]]] = []
        self._gone_on: dict[tuple[int, int], int | None] = {}

    def procedure(
        self, key: Hashable, build: "Callable[[Part], None]", short: "Callable[[], bytes | None] | None" = None
    ) -> int:
        """The number of a procedure; `build` fills its body when it is first entered.

        short: gives one short text of it, so that finding a way to finish need not look inside (and expand it).
        """
        number = self._numbers.get(key)
        if number is None:
            number = self._number(key)
            if short is not None:
                self._shorts[number] = lambda: None if (text := short()) is None else (text, number)
            start = self.starts[number] = self._new(number)
            self.states[start].expand = lambda: build(Part(self, number))
        return number

    def deeper(self, procedure: int) -> int:
        """A procedure that calls another and nothing else: read as deep in calls as what that one may stand beside."""

        def short() -> bytes | None:
            known = self.short(procedure)
            return known[0] if known is not None else None

        return self.procedure(("deeper", procedure), lambda body: body.end(body.call(body.start, procedure)), short)

    def name(self, key: Hashable) -> int:
        """The number of a result that no procedure is: a type, say. Shares its numbering with procedures."""
        number = self._numbers.get(key)
        return self._number(key) if number is None else number

    def _number(self, key: Hashable) -> int:
        number = self._numbers[key] = len(self.keys)
        self.keys.append(key)
        self.starts.append(-1)
        self._shorts.append(None)
        return number

    def shorten(self, procedure: int, short: Callable[[], Short | None]) -> None:
        """Give one short text of a procedure that returns something else than its own number."""
        self._shorts[procedure] = short

    def returning(self, procedure: int, results: Callable[[], Iterable[int]]) -> None:
        """Say all that a procedure may return, but for uses: what `closure` need not ask about otherwise."""
        self._results[procedure] = results

    def results(self, procedures: Iterable[int]) -> tuple[int, ...] | None:
        """What some procedures may return; None where one of them has not said."""
        found: dict[int, None] = {}
        for procedure in procedures:
            if procedure not in self._results:
                return None
            found |= dict.fromkeys(self._results[procedure]())
        return tuple(found)

    def continuation(self, then: Callable[[int], int | None], dearest: Callable[[Count], int]) -> int:
        """A way to go on after a call that depends on what returned: a state, or None if nothing goes on, which is
        fine after a use; what else the procedure called may return must be waited for, or it would be a dead end.

        dearest: no less than the tokens of the rest of any state it goes on in, which may be too many to ask; it is
        given what counts the tokens of a text.
        """
        self._continuations.append((then, dearest))
        return -len(self._continuations)

    def dearest(self, continuation: int, count: Count) -> int:
        """The bound given with a continuation."""
        return self._continuations[-1 - continuation][1](count)

    def then(self, call: Call, result: int) -> int | None:
        """The state in which a call goes on when a result returns; None if it does not wait for it."""
        procedure, target = call
        if target >= 0:
            return target if procedure == result else None
        key = (target, result)
        if key not in self._gone_on:
            self._gone_on[key] = self._continuations[-1 - target][0](result)
        return self._gone_on[key]

    def short(self, procedure: int) -> Short | None:
        """A short text of a procedure, if its maker gave one."""
        if procedure not in self._texts:
            make = self._shorts[procedure]
            self._texts[procedure] = make() if make is not None else None
        return self._texts[procedure]

    def _new(self, owner: int) -> int:
        self.states.append(State(owner, {}))
        return len(self.states) - 1

    def state(self, number: int) -> State:
        """A state, expanded."""
        state = self.states[number]
        if state.expand is not None:
            expand, state.expand = state.expand, None
            expand()
        return state


@dataclass(frozen=True, slots=True)
class Part:
    """A hand that draws the states of one procedure. Methods take a state and return where they arrive. returned: what
    the procedure returns where nothing else is said; its own number if None."""

    net: Net
    owner: int
    returned: int | None = None

    @property
    def start(self) -> int:
        """The procedure's first state."""
        return self.net.starts[self.owner]

    def new(self) -> int:
        """A fresh state."""
        return self.net._new(self.owner)

    def lazy(
        self,
        expand: Callable[[int], None],
        rest: Callable[[], bytes | None] | None = None,
        result: int | None = None,
    ) -> int:
        """A state whose moves `expand(state)` draws when it is first looked at. rest, result: as of `rest`; where it is
        known the state can be priced without being drawn, so it must be empty where the procedure may return at once."""
        number = self.new()
        self.net.states[number].expand = lambda: expand(number)
        if rest is not None:
            self.rest(number, rest, result)
        return number

    def rest(self, state: int, short: Callable[[], bytes | None], result: int | None = None) -> None:
        """Give a short text from a state to the end of its procedure, which then returns its own number, or another
        result."""
        returned = self._returned(result)
        self.net.states[state].rest = lambda: None if (text := short()) is None else (text, returned)

    def end(self, state: int, result: int | None = None) -> None:
        """The procedure may return here: its own number, or another result."""
        self.net.states[state].result = self._returned(result)

    def _returned(self, result: int | None) -> int:
        return result if result is not None else self.owner if self.returned is None else self.returned

    def variables(self, source: int, count: int) -> None:
        """The names of `count` slots, `x0` and so on, read from `source`."""
        names = {slot: f"x{slot}".encode() for slot in range(count)}
        at: dict[bytes, int] = {}
        for slot, name in names.items():
            for end in range(1, len(name) + 1):
                if name[:end] not in at:
                    number = at[name[:end]] = self.new()
                    before = at[name[: end - 1]] if end > 1 else source
                    self.net.states[before].moves.setdefault(name[end - 1], []).append(number)
            self.end(at[name], use(slot))
        for begun, number in at.items():
            self.net.states[number].slots = tuple(
                (slot, name[len(begun) :]) for slot, name in names.items() if name.startswith(begun)
            )

    def join(self, source: int, target: int) -> None:
        """A silent move."""
        state = self.net.states[source]
        state.silent = (*state.silent, target)

    def byte(self, source: int, low: int, high: int, target: int) -> None:
        """A move on every byte from `low` to `high`."""
        moves = self.net.states[source].moves
        for byte in range(low, high + 1):
            moves.setdefault(byte, []).append(target)

    def moves(self, bytes_: Iterable[int], target: int) -> dict[int, list[int]]:
        """Moves on some bytes to one target, for `each`."""
        together = [target]
        return {byte: together for byte in bytes_}

    def each(self, source: int, moves: dict[int, list[int]], instead: Mapping[int, int]) -> None:
        """Moves from a state that has none yet: `moves`, but where `instead` says for a byte."""
        self.net.states[source].moves = moves | {byte: [target] for byte, target in instead.items()}

    def text(self, source: int, text: str, target: int | None = None) -> int:
        """A move along a fixed text."""
        data = text.encode()
        target = self.new() if target is None else target
        if data:
            self.net.states[source].moves.setdefault(data[0], []).append(self.along(data[1:], target)[0])
        else:
            self.join(source, target)
        return target

    def along(self, text: bytes, target: int) -> list[int]:
        """The states before each byte of a text, and the target after it."""
        first = len(self.net.states)
        states = [*range(first, first + len(text)), target]
        self.net.states += [State(self.owner, {byte: [after]}) for byte, after in zip(text, states[1:], strict=True)]
        return states

    def words(self, source: int, words: Iterable[str], target: int) -> None:
        """A move along any of several texts, their common beginnings shared."""
        beginnings: dict[bytes, int] = {b"": source}
        for data in {word.encode(): None for word in words}:
            if not data:
                self.join(source, target)
            for i in range(1, len(data)):
                if data[:i] not in beginnings:
                    beginnings[data[:i]] = self.new()
                    self.net.states[beginnings[data[: i - 1]]].moves.setdefault(data[i - 1], []).append(
                        beginnings[data[:i]]
                    )
            if data:
                self.net.states[beginnings[data[:-1]]].moves.setdefault(data[-1], []).append(target)

    def call(self, source: int, procedure: int, target: int | None = None, binds: bool = False) -> int:
        """A call; returns where it goes on (a state, or the continuation given). binds: what returns is appended to
        the environment."""
        target = self.new() if target is None else target
        self.net.states[source].call(procedure, target)
        if binds:
            self.net.binding.add(target)
        return target


def spaced(net: Net, procedure: int) -> int:
    """A procedure with or without a space before it, which the tokenizer takes away again when it decodes."""

    def build(part: Part) -> None:
        done = part.new()
        part.end(done)
        goes = net.continuation(lambda _: done, lambda _: 0)
        part.call(part.start, procedure, goes)
        part.call(part.text(part.start, " "), procedure, goes)

    return net.procedure(("spaced", procedure), build)
