"""The deterministic typed pushdown automaton over bytes, built from a network as far as it is visited.

A control state is a set of network states; what is left to do is a stack of frames, a frame being the set of
(procedure called, where to go on). When procedures return, the set of results says which members of the frame
survive: types narrow as text is read (an operand that can only be a Time leaves only comparisons of Times).

A configuration is a control state, a stack and an environment (results of what is bound, `net`). What an executor
needs, by number (`Automaton.controls`, `Automaton.frames`):

| table | from | to |
|---|---|---|
| step | control state, byte | control state, frames pushed (outermost first); or refused |
| ended | control state | results it may return with; `use(k)`, negative, stands for environment slot k |
| slots | control state | None; or the slots that a name begun here can still be: it may be entered only if one of them is bound and the frame on top goes on after what it holds |
| after | frame, set of results (no uses) | control state; or refused |
| binds | frame | whether the one result that returns to it is appended to the environment |
"""

from dataclasses import dataclass, field
from typing import Any

from .net import Net


class Ambiguous(Exception):
    """A network breaks the rule of `net`: a byte could be read both here and inside a call."""


@dataclass(slots=True, eq=False)
class Control:
    """A control state. `ended` are the results with which procedures may return here, `frame` is what a call would
    push, `slots` the slots that a variable's name begun here can be (None: it goes on otherwise too)."""

    number: int
    members: tuple[int, ...]
    ended: frozenset[int]
    frame: "Frame | None"
    slots: frozenset[int] | None
    steps: "dict[int, Step | None]" = field(default_factory=dict)
    reads: "dict[int, list[int] | None] | None" = None


@dataclass(slots=True, eq=False)
class Frame:
    """A return address: calls, and where each set of results leads. binds: a result that returns here is bound.
    callee: where the procedures called begin; reads: what each of them reads first. Both once asked for."""

    number: int
    calls: tuple[tuple[int, int], ...]
    binds: bool
    callee: Control | None = None
    reads: "list[dict[int, list[int] | None]] | None" = None
    after: "dict[frozenset[int], Control | None]" = field(default_factory=dict)


Step = tuple[Control, tuple[Frame, ...]]
_NOTHING: frozenset[int] = frozenset()


class Automaton:
    """Control states and frames, interned. `root` starts the procedure given."""

    def __init__(self, net: Net, procedure: int) -> None:
        self.net = net
        self.controls: list[Control] = []
        self.frames: list[Frame] = []
        self._controls: dict[frozenset[int], Control] = {}
        self._frames: dict[frozenset[tuple[int, int]], Frame] = {}
        self._alone: dict[int, Control] = {}
        root = self.control(frozenset((net.starts[procedure],)))
        assert root is not None
        self.root = root

    def control(self, kernel: frozenset[int]) -> Control | None:
        """The control state of a set of network states; None for the empty set."""
        if not kernel:
            return None
        if len(kernel) == 1:
            return self.alone(next(iter(kernel)))
        known = self._controls.get(kernel)
        if known is None:
            known = self._controls[kernel] = self._closed(self._closure(kernel))
        return known

    def alone(self, number: int) -> Control:
        """The control state of one network state and where it silently leads: most are of one."""
        known = self._alone.get(number)
        if known is None:
            state = self.net.state(number)
            if state.silent:
                known = self._closed(self._closure(frozenset((number,))))
            else:
                ended = _NOTHING if state.result is None else frozenset((state.result,))
                frame = self.frame(frozenset(state.calls)) if state.calls else None
                slots = frozenset(slot for slot, _ in state.slots) if state.slots else None
                known = Control(len(self.controls), (number,), ended, frame, slots)
                self.controls.append(known)
            self._alone[number] = known
        return known

    def _closed(self, closed: frozenset[int]) -> Control:
        known = self._controls.get(closed)
        if known is None:
            known = self._controls[closed] = self._make(closed)
        return known

    def _closure(self, kernel: frozenset[int]) -> frozenset[int]:
        seen, todo = set(kernel), list(kernel)
        while todo:
            for target in self.net.state(todo.pop()).silent:
                if target not in seen:
                    seen.add(target)
                    todo.append(target)
        return frozenset(seen)

    def _make(self, closed: frozenset[int]) -> Control:
        states = [self.net.state(n) for n in closed]
        ended = frozenset(s.result for s in states if s.result is not None)
        calls = frozenset(call for s in states for call in s.calls)
        named = all(s.slots for s in states)
        slots = frozenset(slot for s in states for slot, _ in s.slots) if named else None
        frame = self.frame(calls) if calls else None
        control = Control(len(self.controls), tuple(sorted(closed)), ended, frame, slots)
        self.controls.append(control)
        return control

    def frame(self, calls: frozenset[tuple[int, int]]) -> Frame:
        """The frame of a set of calls."""
        known = self._frames.get(calls)
        if known is None:
            binds = {target in self.net.binding for _, target in calls}
            if len(binds) > 1:
                raise Ambiguous("what is read here is bound by some callers and not by others")
            known = Frame(len(self.frames), tuple(sorted(calls)), binds.pop())
            self.frames.append(known)
            self._frames[calls] = known
        return known

    def step(self, control: Control, byte: int) -> Step | None:
        """Where a byte leads without returning: the control state and frames pushed (outermost first)."""
        if byte in control.steps:
            return control.steps[byte]
        found = control.steps[byte] = self._step(control, byte)
        return found

    def reads(self, control: Control) -> dict[int, list[int] | None]:
        """The bytes a control state reads: with the network states they lead to, or None if a call reads them."""
        if control.reads is None:
            if len(control.members) == 1 and control.frame is None:
                only: Any = self.net.state(control.members[0]).moves
                control.reads = only
                return only  # type: ignore[no-any-return]
            moves = sorted((self.net.state(number).moves for number in control.members), key=len)
            found: dict[int, list[int] | None] = dict(moves.pop())
            for each in moves:
                for byte, targets in each.items():
                    known = found.get(byte)
                    found[byte] = targets if known is None else known + targets
            if control.frame is not None:
                for byte in self.reads(self._callee(control.frame)):
                    found[byte] = None if byte not in found else []
            control.reads = found
        return control.reads

    def _callee(self, frame: Frame) -> Control:
        """Where the procedures that a frame calls begin."""
        if frame.callee is None:
            frame.callee = self.control(frozenset([self.net.starts[p] for p, _ in frame.calls]))
            assert frame.callee is not None
        return frame.callee

    def _step(self, control: Control, byte: int) -> Step | None:
        reads = self.reads(control)
        if byte not in reads:
            return None
        here = reads[byte]
        if here is None:
            assert control.frame is not None
            inside = self.step(self._callee(control.frame), byte)
            assert inside is not None
            return inside[0], (self._entered(control.frame, byte), *inside[1])
        if not here:
            keys = [self.net.keys[self.net.states[n].owner] for n in control.members]
            raise Ambiguous(f"byte {bytes((byte,))!r} is read here and in a call, in {keys}")
        return self.target(here), ()

    def _entered(self, frame: Frame, byte: int) -> Frame:
        """What a frame still waits for once a byte was read in one of its calls."""
        if len(frame.calls) == 1:
            return frame
        if frame.reads is None:
            frame.reads = [self.reads(self.alone(self.net.starts[procedure])) for procedure, _ in frame.calls]
        calls = [call for call, reads in zip(frame.calls, frame.reads, strict=True) if byte in reads]
        return frame if len(calls) == len(frame.calls) else self.frame(frozenset(calls))

    def target(self, here: list[int]) -> Control:
        """The control state of the network states that a byte leads to."""
        target = self.alone(here[0]) if len(here) == 1 else self.control(frozenset(here))
        assert target is not None
        return target

    def after(self, frame: Frame, ended: frozenset[int]) -> Control | None:
        """Where a frame goes on when the results `ended` return to it; None if it waits for none of them."""
        if ended in frame.after:
            return frame.after[ended]
        then = self.net.then
        targets = {then(call, result) for call in frame.calls for result in ended}
        found = self.control(frozenset(t for t in targets if t is not None))
        frame.after[ended] = found
        return found

    def bound(self, frame: Frame, ended: frozenset[int]) -> tuple[int, ...]:
        """What a return appends to the environment."""
        if not frame.binds:
            return ()
        if len(ended) != 1:
            raise Ambiguous(f"a name is bound to one of {len(ended)} results")
        return tuple(ended)
