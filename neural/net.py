"""Recursive transition networks over bytes: what a surface compiles a schema into.

A network has procedures ("a value of type Time", "the body of a string") made of states. A state moves on a byte,
or calls a procedure and goes on when it returns. States are expanded when first looked at, so a network may be
unbounded (every join makes a new context) as long as each program visits little of it.

The one rule a surface keeps: after any prefix, whether the next byte is read here, read inside a called procedure,
or read by the caller after this procedure returns, is decided by that byte. Alternatives of one kind may be alive
side by side; `automaton` determinizes them. That is LL(1) at the level of bytes, and it is checked while running.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

Call = tuple[int, int]


@dataclass(slots=True)
class State:
    """A state: moves by byte, silent moves, calls as (procedure, state to go on in); whether its procedure
    may end here, and a short text to that end if the surface knows one."""

    owner: int
    moves: dict[int, list[int]] = field(default_factory=dict)
    silent: list[int] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    ends: bool = False
    expand: Callable[[], None] | None = None
    rest: Callable[[], bytes | None] | None = None


class Net:
    """Procedures by key, states by number. Building is done through `Part`."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.starts: list[int] = []
        self.keys: list[Hashable] = []
        self._shorts: list[Callable[[], bytes | None] | None] = []
        self._texts: dict[int, bytes | None] = {}
        self._numbers: dict[Hashable, int] = {}

    def procedure(
        self, key: Hashable, build: "Callable[[Part], None]", short: "Callable[[], bytes | None] | None" = None
    ) -> int:
        """The number of a procedure; `build` fills its body when it is first entered.

        short: gives one short text of it, so that finding a way to finish need not look inside (and expand it).
        """
        number = self._numbers.get(key)
        if number is None:
            number = len(self.starts)
            self._numbers[key] = number
            self.keys.append(key)
            self._shorts.append(short)
            start = self._new(number)
            self.starts.append(start)
            self.states[start].expand = lambda: build(Part(self, number))
        return number

    def short(self, procedure: int) -> bytes | None:
        """A short text of a procedure, if its maker gave one."""
        if procedure not in self._texts:
            make = self._shorts[procedure]
            self._texts[procedure] = make() if make is not None else None
        return self._texts[procedure]

    def _new(self, owner: int) -> int:
        self.states.append(State(owner))
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
    """A hand that draws the states of one procedure. Methods take a state and return where they arrive."""

    net: Net
    owner: int

    @property
    def start(self) -> int:
        """The procedure's first state."""
        return self.net.starts[self.owner]

    def new(self) -> int:
        """A fresh state."""
        return self.net._new(self.owner)

    def lazy(self, expand: Callable[[int], None]) -> int:
        """A state whose moves `expand(state)` draws when it is first looked at."""
        number = self.new()
        self.net.states[number].expand = lambda: expand(number)
        return number

    def rest(self, state: int, short: Callable[[], bytes | None]) -> None:
        """Give a short text from a state to the end of its procedure."""
        self.net.states[state].rest = short

    def end(self, state: int) -> None:
        """The procedure may return here."""
        self.net.states[state].ends = True

    def join(self, source: int, target: int) -> None:
        """A silent move."""
        self.net.states[source].silent.append(target)

    def byte(self, source: int, low: int, high: int, target: int) -> None:
        """A move on every byte from `low` to `high`."""
        moves = self.net.states[source].moves
        for byte in range(low, high + 1):
            moves.setdefault(byte, []).append(target)

    def text(self, source: int, text: str, target: int | None = None) -> int:
        """A move along a fixed text."""
        data = text.encode()
        for i, byte in enumerate(data):
            step = target if target is not None and i == len(data) - 1 else self.new()
            self.net.states[source].moves.setdefault(byte, []).append(step)
            source = step
        if not data and target is not None:
            self.join(source, target)
            return target
        return source

    def words(self, source: int, words: Iterable[str], target: int) -> None:
        """A move along any of several texts (their common beginnings are shared when determinized)."""
        for word in words:
            self.text(source, word, target)

    def call(self, source: int, procedure: int, target: int | None = None) -> int:
        """A call; returns where it goes on."""
        target = self.new() if target is None else target
        self.net.states[source].calls.append((procedure, target))
        return target
