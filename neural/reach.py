"""Tokens against the automaton: from a control state, which token leads where.

A token may end here or deeper (a class: one target control state and frames pushed), or run past the end of what
the control state reads; then the rest of it is left to the callers. What is left is a *place*: the nodes of the token
trie that are to be entered next. Place 0 is the beginning of a token. A reach leaves one place for each set of
results that may return, so a caller is asked once however many tokens run into it.

Nothing here depends on the stack or on the environment: where a variable is used, what it returns is filled in while
running (`machine`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .automaton import Automaton, Control, Frame, Step
from .trie import Trie

START: Final = 0
"""The place where a token begins."""
MAX_PUSHED: Final = 24
"""Frames that one token may push; what would push more is not allowed (stacks have a fixed depth)."""
_WIDE: Final = 30
"""Bytes that a control state reads from which on, if it calls nothing, the trie is walked by compiled loops."""
_MANY: Final = 64
"""Nodes of a subtree from which on that is worth it."""
REFUSED: Final = -1
UNKNOWN: Final = -2
HANDED: Final = -3
"""Marks of `_Plain`'s table: no move; not looked at yet; HANDED - k, step number k."""

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Where a class of tokens leads: a control state, with frames pushed (outermost first) and results bound.

    If the control state is inside a variable's name (`Control.slots`), the tokens are allowed only if one of these
    slots is bound and the frame on top goes on after what it holds.
    """

    control: Control
    pushed: tuple[Frame, ...]
    bound: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """What returned, and the place it left. bound: as of a target. pushed: as of a target; not empty only where
    `ended` has uses of slots, which return to the last of them."""

    ended: frozenset[int]
    place: int
    pushed: tuple[Frame, ...] = ()
    bound: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What the tokens at a place do from a control state.

    tokens[k] (ascending) leads to targets[which[k]]. named: indices of the targets inside variables' names.
    """

    targets: tuple[Target, ...]
    tokens: Ints
    which: Ints
    rests: tuple[Rest, ...]
    named: tuple[int, ...]


_Pushed = tuple[Frame, ...]
_Bound = tuple[int, ...]
_ByByte = dict[int, list[int]]
"""Nodes of the trie by the byte that leads into them."""


class _Found:
    """A reach being collected. todo: where to go on, a control state and nodes to enter. plain: nodes that plain text
    has entered, each with its control state."""

    __slots__ = ("classes", "groups", "nodes", "plain", "rests", "todo", "which")

    def __init__(self) -> None:
        self.todo: list[tuple[Control, _Pushed, _Bound, _ByByte]] = []
        self.plain: dict[tuple[_Pushed, _Bound], list[tuple[int, Control]]] = {}
        self.classes: dict[tuple[int, _Pushed, _Bound], int] = {}
        self.nodes: list[int] = []
        self.which: list[int] = []
        self.groups: list[tuple[Ints, Ints]] = []
        self.rests: dict[tuple[frozenset[int], _Pushed, _Bound], list[int]] = {}

    def number(self, control: Control, pushed: _Pushed, bound: _Bound) -> int:
        return self.classes.setdefault((control.number, pushed, bound), len(self.classes))


class Reaches:
    """Reaches and places, worked out once each."""

    def __init__(self, automaton: Automaton, trie: Trie) -> None:
        self.automaton = automaton
        self.trie = trie
        self.places: list[_ByByte] = []
        self._places: dict[bytes, int] = {}
        self._known: dict[tuple[int, int], Reach] = {}
        self.place(trie.kid[: trie.kids[1]].tolist())

    def at(self, control: Control, place: int = START) -> Reach:
        """The reach of a control state at a place."""
        key = (control.number, place)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._walk(control, self.places[place])
        return known

    def place(self, nodes: Sequence[int]) -> int:
        """The number of the place of some nodes."""
        array = np.sort(np.array(nodes, dtype=np.int32))
        key = array.tobytes()
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = len(self.places)
            self.places.append(self._by_byte(array.tolist()))
        return known

    def _by_byte(self, nodes: Sequence[int]) -> _ByByte:
        if len(nodes) > _MANY:
            array = np.array(nodes, dtype=np.int32)
            order = np.argsort(self.trie.byte[array], kind="stable")
            letters, starts = np.unique(self.trie.byte[array][order], return_index=True)
            parts = np.split(array[order], starts[1:])
            return {byte: part.tolist() for byte, part in zip(letters.tolist(), parts, strict=True)}
        found: _ByByte = {}
        bytes_ = self.trie.bytes_
        for node in nodes:
            found.setdefault(bytes_[node], []).append(node)
        return found

    def _walk(self, control: Control, place: _ByByte) -> Reach:
        found = _Found()
        found.todo.append((control, (), (), place))
        while found.todo or found.plain:
            if found.todo:
                self._step(found, *found.todo.pop())
            else:
                (pushed, bound), entered = found.plain.popitem()
                self._loops(found, pushed, bound, entered)
        controls = self.automaton.controls
        targets = tuple(Target(controls[number], pushed, bound) for number, pushed, bound in found.classes)
        rests = tuple(
            Rest(ended, self.place(nodes), pushed, bound) for (ended, pushed, bound), nodes in found.rests.items()
        )
        named = tuple(i for i, target in enumerate(targets) if target.control.slots is not None)
        return Reach(targets, *self._tokens(found), rests, named)

    def _tokens(self, found: _Found) -> tuple[Ints, Ints]:
        """The tokens at the nodes found, ascending, and the class of each."""
        trie = self.trie
        nodes = np.array(found.nodes, dtype=np.int32)
        which = np.array(found.which, dtype=np.int32)
        if found.groups:
            from .walks import collect, spread

            total = 0
            for each, classes in ((nodes, which), *found.groups):
                total += spread(trie.first, trie.count, trie.order, each, classes, self._plain.of)
            tokens, which = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
            collect(self._plain.of, tokens, which)
            return tokens, which
        counts = trie.count[nodes]
        tokens = trie.order[np.repeat(trie.first[nodes], counts) + _within(counts)]
        order = np.argsort(tokens)
        return tokens[order], np.repeat(which, counts)[order]

    def _step(self, found: _Found, state: Control, pushed: _Pushed, bound: _Bound, nodes: _ByByte) -> None:
        """Enter nodes in a control state; those that it does not read are left to what it returns to."""
        reads = self.automaton.reads(state)
        for byte in nodes if len(nodes) < len(reads) else reads:
            if byte in nodes and byte in reads:
                step = self.automaton.step(state, byte)
                assert step is not None
                for node in nodes[byte]:
                    self._enter(found, step, pushed, bound, node)
        if state.ended:
            left: list[int] = []
            for byte, some in nodes.items():
                if byte not in reads:
                    left += some
            if left:
                self._leave(found, state, pushed, bound, left)

    def _enter(self, found: _Found, step: Step, pushed: _Pushed, bound: _Bound, node: int) -> None:
        """A node was entered by a step."""
        target, more = step
        if more:
            pushed += more
            if len(pushed) > MAX_PUSHED:
                return
        trie = self.trie
        if trie.counts[node]:
            found.nodes.append(node)
            found.which.append(found.number(target, pushed, bound))
        child, end = node + 1, trie.ends[node]
        if end - child >= _MANY and is_wide(self.automaton, target):
            found.plain.setdefault((pushed, bound), []).append((node, target))
        elif child < end:
            below: _ByByte = {}
            while child < end:
                below[trie.bytes_[child]] = [child]
                child = trie.ends[child]
            found.todo.append((target, pushed, bound, below))

    def _leave(self, found: _Found, state: Control, pushed: _Pushed, bound: _Bound, left: list[int]) -> None:
        """Nodes are left to what a control state returns to."""
        if not pushed or min(state.ended) < 0:
            found.rests.setdefault((state.ended, pushed, bound), []).extend(left)
            return
        back = self.automaton.after(pushed[-1], state.ended)
        if back is not None:
            bound += self.automaton.bound(pushed[-1], state.ended)
            found.todo.append((back, pushed[:-1], bound, self._by_byte(left)))

    def _loops(self, found: _Found, pushed: _Pushed, bound: _Bound, entered: list[tuple[int, Control]]) -> None:
        """Walk subtrees as far as they are plain text."""
        plain = self._plain
        (nodes, rows), stops, hands = plain.walk(entered)
        numbers = np.full(len(plain.controls), -1, dtype=np.int32)
        for row in np.flatnonzero(np.bincount(rows)).tolist():
            numbers[row] = found.number(plain.controls[row], pushed, bound)
        if len(nodes):
            found.groups.append((nodes, numbers[rows]))
        for row in np.flatnonzero(np.bincount(stops[:, 1])).tolist():
            self._leave(found, plain.controls[row], pushed, bound, stops[stops[:, 1] == row, 0].tolist())
        for node, number in hands:
            self._enter(found, plain.steps[number], pushed, bound, node)

    @cached_property
    def _plain(self) -> "_Plain":
        return _Plain(self.automaton, self.trie)


def is_wide(automaton: Automaton, control: Control) -> bool:
    """Whether a control state is plain text that may be almost anything."""
    return control.frame is None and len(automaton.reads(control)) >= _WIDE


class _Plain:
    """Moves of plain text as a table for `walks.walk`. steps: those that lead elsewhere."""

    def __init__(self, automaton: Automaton, trie: Trie) -> None:
        self.automaton = automaton
        self.trie = trie
        self.controls: list[Control] = []
        self.steps: list[Step] = []
        self.of = np.full(int(trie.order.max(initial=-1)) + 1, -1, dtype=np.int32)
        self._rows: dict[int, int] = {}
        self._table = np.full((32, 256), UNKNOWN, dtype=np.int32)
        self._ended = np.zeros(32, dtype=np.bool_)
        size = len(trie.byte)
        self._state_of = np.zeros(size, dtype=np.int32)
        self._found, self._stops, self._hands = (np.empty((size, 2), dtype=np.int32) for _ in range(3))

    def walk(self, entered: list[tuple[int, Control]]) -> tuple[Ints, Ints, list[list[int]]]:
        """Go on from nodes, each in a control state. Nodes with tokens, and the row of the control state at each
        [2, nodes]; [stops, 2], node and row where a node is left to callers; (node, step) where something else is entered."""
        from .walks import walk

        trie = self.trie
        starts = np.array([node for node, _ in entered], dtype=np.int32)
        for node, control in entered:
            self._state_of[node] = self._row(control)
        progress = np.zeros(5, dtype=np.int32)
        while walk(
            trie.byte, trie.end, trie.parent, trie.count, self._table, self._ended, self._state_of, starts,
            self._found, self._stops, self._hands, progress,
        ):  # fmt: skip
            self._fill(int(self._state_of[trie.parent[progress[1]]]))
        nodes, stops, hands = progress[2:].tolist()
        return self._found[:nodes].T.copy(), self._stops[:stops], self._hands[:hands].tolist()

    def _row(self, control: Control) -> int:
        known = self._rows.get(control.number)
        if known is None:
            known = self._rows[control.number] = len(self.controls)
            self.controls.append(control)
            if known == len(self._table):
                self._table = np.concatenate((self._table, np.full_like(self._table, UNKNOWN)))
                self._ended = np.concatenate((self._ended, np.zeros_like(self._ended)))
            self._ended[known] = bool(control.ended)
        return known

    def _fill(self, row: int) -> None:
        control = self.controls[row]
        moves = [REFUSED] * 256
        for byte in self.automaton.reads(control):
            step = self.automaton.step(control, byte)
            assert step is not None
            if not step[1] and is_wide(self.automaton, step[0]):
                moves[byte] = self._row(step[0])
            else:
                moves[byte] = HANDED - len(self.steps)
                self.steps.append(step)
        self._table[row] = moves


def _within(counts: Ints) -> NDArray[np.int64]:
    """0, 1, … for each of several runs."""
    total = int(counts.sum())
    starts = np.cumsum(counts) - counts
    return np.arange(total) - np.repeat(starts, counts)
