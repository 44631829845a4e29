"""Filling in everything that tables can need: for devices, which cannot ask.

What runs between a push and its return is an *activation*: it begins where the procedures that the frame waits for
begin, whichever frame that is. So what can be read, pushed and returned is worked out once an activation, not once a
frame: an activation holds reaches and pushes frames; a frame belongs to the activations that push it and waits for
one; what that leaves is returned to the frame, and goes on in those that pushed it. The least solution, by a worklist.

What a slot may hold is taken to be anything that some frame binds, whichever slot it is. Where nothing goes on after a
return nothing is kept: once tables are closed, what they lack is refused.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ..grammar.diagnostic import CompileError
from . import errors, tables
from .automaton import Frame

if TYPE_CHECKING:
    from .tables import Tables

Activation: TypeAlias = tuple[int, int]
"""A machine, and the control state that it begins in (-1: a program)."""


class Closure:
    """One run over tables. limit: facts (which activation holds what, what it leaves) beyond which it gives up."""

    def __init__(self, of: "Tables", limit: int) -> None:
        self.tables = of
        self.limit = limit
        self.count = 0
        self._held: set[int] = set()
        self._inside: dict[Activation, set[int]] = {}
        self._left: dict[Activation, set[tuple[int, int]]] = {}
        self._frames: dict[Activation, list[int]] = {}
        self._waits: dict[int, Activation] = {}
        self._owners: dict[int, set[Activation]] = {}
        self._backs: dict[int, set[tuple[int, int]]] = {}
        self._uses: dict[int, list[tuple[int, int]]] = {}
        self._takes: dict[int, tuple[int, ...] | None] = {}
        self._takers: dict[int | None, list[int]] = {}
        self._named: set[Activation] = set()
        self._todo: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def run(self) -> int:
        """Until nothing is new; how many facts there are. Raises CompileError (DLC513)."""
        for machine, root in enumerate(self.tables.roots):
            self._control(root, (machine, -1))
        while self._todo:
            do, what = self._todo.pop()
            do(*what)
        return self.count

    def _counted(self) -> None:
        self.count += 1
        if self.count > self.limit:
            raise CompileError(errors.too_large_to_close(self.limit))

    # ------------------------------------------------------------ inside an activation

    def _control(self, control: int, inside: Activation) -> None:
        entry = self.tables.entry(tables.CONTROL, control).tolist()
        reach = entry[3] if entry[3] >= 0 else self.tables.grow(tables.MISS_REACH, control)
        self._reach(reach, inside)
        self._leave(entry[0], -1, inside)
        if entry[5] and inside not in self._named:
            self._named.add(inside)
            for frame in self._frames.get(inside, ()):
                self._open(frame)

    def _reach(self, reach: int, inside: Activation) -> None:
        known = self._inside.setdefault(inside, set())
        if reach not in known:
            known.add(reach)
            self._counted()
            self._todo.append((self._read, (reach, inside)))

    def _read(self, reach: int, inside: Activation) -> None:
        of = self.tables
        machine, kept = of.reaches[reach]
        for target in kept.targets:
            self._bind(machine, target.bound)
            self._control(of.control(machine, target.control), self._push(machine, target.pushed, inside))
        for rest in kept.rests:
            self._bind(machine, rest.bound)
            ended, place = of.ended(machine, rest.ended), of._place(machine, rest.place)
            self._leave(ended, place, self._push(machine, rest.pushed, inside))

    def _push(self, machine: int, frames: tuple[Frame, ...], inside: Activation) -> Activation:
        for frame in frames:
            number = self.tables.frame(machine, frame)
            owners = self._owners.get(number)
            if owners is None:
                owners = self._owners[number] = set()
                self._wait(machine, frame, number)
            if inside not in owners:
                owners.add(inside)
                for place, back in tuple(self._backs.get(number, ())):
                    self._stand(place, back, inside)
            inside = self._waits[number]
        return inside

    def _wait(self, machine: int, frame: Frame, number: int) -> None:
        """A new frame: which activation it waits for, and what that left already."""
        of = self.tables.machines[machine]
        callee = of.automaton.control(frozenset(of.net.starts[procedure] for procedure, _ in frame.calls))
        assert callee is not None
        waits = machine, callee.number
        self._waits[number] = waits
        takes = of.net.results(procedure for procedure, _ in frame.calls)
        numbers = None if takes is None else tuple(self.tables.result(machine, r) for r in takes)
        self._takes[number] = numbers
        for result in (None,) if numbers is None else numbers:
            self._takers.setdefault(result, []).append(number)
        self._frames.setdefault(waits, []).append(number)
        for ended, place in tuple(self._left.get(waits, ())):
            self._todo.append((self._back, (number, ended, place)))
        if waits in self._named:
            self._open(number)

    # ------------------------------------------------------------ returns

    def _leave(self, ended: int, place: int, inside: Activation) -> None:
        """Results leave an activation, in the middle of a token at a place, or (-1) for asking what is complete."""
        left = self._left.setdefault(inside, set())
        if ended and (ended, place) not in left:
            left.add((ended, place))
            self._counted()
            for frame in self._frames.get(inside, ()):
                self._todo.append((self._back, (frame, ended, place)))

    def _back(self, frame: int, ended: int, place: int) -> None:
        slot, plain, _ = self.tables.entry(tables.ENDED, ended).tolist()
        if slot < 0:
            self._return(frame, ended, place)
            return
        if plain:
            self._return(frame, plain, place)
        self._uses.setdefault(frame, []).append((ended, place))
        for result in self._taken(frame):
            self._use(frame, ended, place, result)

    def _taken(self, frame: int) -> tuple[int, ...]:
        """What slots may hold that a frame may go on after."""
        takes = self._takes[frame]
        return tuple(self._held) if takes is None else tuple(r for r in takes if r in self._held)

    def _use(self, frame: int, ended: int, place: int, result: int) -> None:
        if self._goes_on(frame, int(self.tables.entry(tables.RESULT, result)[0])):
            self._return(frame, self.tables.grow(tables.RESOLVED, ended, result), place)

    def _goes_on(self, frame: int, ended: int) -> bool:
        machine, of = self.tables.frames[frame]
        return self.tables.machines[machine].automaton.after(of, self.tables.endings[ended][1]) is not None

    def _return(self, frame: int, ended: int, place: int) -> None:
        of = self.tables
        if not self._goes_on(frame, ended):
            return
        if place < 0:
            back = of.grow(tables.AFTER, frame, ended)
            self._plans(frame, ended)
        else:
            back = of.grow(tables.BEYOND, frame, ended, place)
        single = int(of.entry(tables.ENDED, ended)[2])
        if of.entry(tables.FRAME, frame)[1] and single >= 0:
            self._hold(single)
        backs = self._backs.setdefault(frame, set())
        if (place, back) not in backs:
            backs.add((place, back))
            self._counted()
            for inside in tuple(self._owners[frame]):
                self._stand(place, back, inside)

    def _plans(self, frame: int, ended: int) -> None:
        """How a plan goes on after any of some results."""
        machine, results = self.tables.endings[ended]
        for result in results:
            number = self.tables.result(machine, result)
            if self._goes_on(frame, int(self.tables.entry(tables.RESULT, number)[0])):
                self.tables.grow(tables.BACK, frame, number)

    def _stand(self, place: int, back: int, inside: Activation) -> None:
        if place < 0:
            self._leave(int(self.tables.entry(tables.CONTROL, back)[0]), -1, inside)
        else:
            self._reach(back, inside)

    # ------------------------------------------------------------ names

    def _bind(self, machine: int, results: tuple[int, ...]) -> None:
        for result in results:
            self._hold(self.tables.result(machine, result))

    def _hold(self, result: int) -> None:
        """A slot may hold a result."""
        if result in self._held:
            return
        self._held.add(result)
        for frame in (*self._takers.get(result, ()), *self._takers.get(None, ())):
            for ended, place in tuple(self._uses.get(frame, ())):
                self._todo.append((self._use, (frame, ended, place, result)))
            if self._waits[frame] in self._named:
                self._after_name(frame, result)

    def _open(self, frame: int) -> None:
        """A frame that waits where a name may be begun: which names may be entered is asked there."""
        for result in self._taken(frame):
            self._after_name(frame, result)

    def _after_name(self, frame: int, result: int) -> None:
        ended = int(self.tables.entry(tables.RESULT, result)[0])
        if self._goes_on(frame, ended):
            self.tables.grow(tables.AFTER, frame, ended)
