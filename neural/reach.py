"""Tokens against the automaton: from a control state, which token leads where.

A token may end here or deeper (a class: one target control state and frames pushed), or run past the end of what
the control state reads; then the rest of it is left to the callers. What is left is a *place*: a set of nodes of the
token trie, each with the bytes that were read there already (the callers get only the others). Place 0 is the
beginning of a token. A reach leaves one place for each set of results that may return, so a caller is asked once
however many tokens run into it.

Nothing here depends on the stack or on the environment: where a variable is used, what it returns is filled in while
running (`machine`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .automaton import Automaton, Control, Frame, Step
from .trie import Trie

_NOTHING: Final[frozenset[int]] = frozenset()
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
STOPPED: Final = 1 << 30
"""Marks of `_Plain`'s table: no move; not looked at yet; HANDED - k, step number k; a node that was left to callers."""

Place = frozenset[tuple[int, frozenset[int]]]
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
_Todo = tuple[Control, _Pushed, _Bound, int, frozenset[int]]
"""Where a walk goes on: a control state, frames pushed, results bound, a node and the bytes read there already."""


class _Found:
    """A reach being collected."""

    __slots__ = ("classes", "groups", "nodes", "rests", "which")

    def __init__(self) -> None:
        self.classes: dict[tuple[int, _Pushed, _Bound], int] = {}
        self.nodes: list[int] = []
        self.which: list[int] = []
        self.groups: list[tuple[Ints, Ints]] = []
        self.rests: dict[tuple[frozenset[int], _Pushed, _Bound], dict[int, frozenset[int]]] = {}

    def number(self, control: Control, pushed: _Pushed, bound: _Bound) -> int:
        return self.classes.setdefault((control.number, pushed, bound), len(self.classes))

    def leave(self, ended: frozenset[int], pushed: _Pushed, bound: _Bound, node: int, taken: frozenset[int]) -> None:
        self.rests.setdefault((ended, pushed, bound), {})[node] = taken


class Reaches:
    """Reaches and places, worked out once each."""

    def __init__(self, automaton: Automaton, trie: Trie) -> None:
        self.automaton = automaton
        self.trie = trie
        self.places: list[Place] = [frozenset(((0, _NOTHING),))]
        self._places: dict[Place, int] = {self.places[0]: START}
        self._known: dict[tuple[int, int], Reach] = {}

    def at(self, control: Control, place: int = START) -> Reach:
        """The reach of a control state at a place."""
        key = (control.number, place)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._walk(control, self.places[place])
        return known

    def place(self, nodes: Iterable[tuple[int, frozenset[int]]]) -> int:
        """The number of a place."""
        key = frozenset(nodes)
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = len(self.places)
            self.places.append(key)
        return known

    def _walk(self, control: Control, place: Place) -> Reach:
        found = _Found()
        for node, taken in sorted(place, key=lambda each: each[0]):
            self._nodes(found, control, node, taken)
        controls = self.automaton.controls
        targets = tuple(Target(controls[number], pushed, bound) for number, pushed, bound in found.classes)
        rests = tuple(
            Rest(ended, self.place(nodes.items()), pushed, bound)
            for (ended, pushed, bound), nodes in found.rests.items()
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

            for each, classes in ((nodes, which), *found.groups):
                spread(trie.first, trie.count, trie.order, each, classes, self._plain.of)
            total = int(trie.count[nodes].sum()) + sum(int(trie.count[each].sum()) for each, _ in found.groups)
            tokens, which = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
            collect(self._plain.of, tokens, which)
            return tokens, which
        counts = trie.count[nodes]
        tokens = trie.order[np.repeat(trie.first[nodes], counts) + _within(counts)]
        order = np.argsort(tokens)
        return tokens[order], np.repeat(which, counts)[order]

    def _nodes(self, found: _Found, control: Control, node: int, taken: frozenset[int]) -> None:
        """Walk a subtree: node by node, but plain text by compiled loops."""
        step, reads_of = self.automaton.step, self.automaton.reads
        trie = self.trie
        bytes_, ends, counts = trie.bytes_, trie.ends, trie.counts
        todo: list[_Todo] = [(control, (), (), node, taken)]
        while todo:
            state, pushed, bound, at, skip = todo.pop()
            reads = reads_of(state)
            child, last = at + 1, ends[at]
            if last - at > _MANY and is_wide(self.automaton, state):
                self._loops(found, todo, state, pushed, bound, at, skip)
                continue
            refused = False
            while child < last:
                byte = bytes_[child]
                if byte in skip:
                    pass
                elif byte not in reads:
                    refused = True
                else:
                    target, more = step(state, byte)  # type: ignore[misc]
                    self._enter(found, todo, target, pushed + more if more else pushed, bound, child, counts[child])
                child = ends[child]
            if refused and state.ended:
                self._leave(found, todo, state, pushed, bound, at, skip)

    def _enter(
        self, found: _Found, todo: list[_Todo], target: Control, pushed: _Pushed, bound: _Bound, node: int, count: int
    ) -> None:
        """A node was reached, in a control state."""
        if len(pushed) > MAX_PUSHED:
            return
        if count:
            found.nodes.append(node)
            found.which.append(found.number(target, pushed, bound))
        if self.trie.ends[node] > node + 1:
            todo.append((target, pushed, bound, node, _NOTHING))

    def _leave(
        self,
        found: _Found,
        todo: list[_Todo],
        state: Control,
        pushed: _Pushed,
        bound: _Bound,
        node: int,
        skip: frozenset[int],
    ) -> None:
        """What a node's control state does not read is left to what it returns to."""
        trie, reads = self.trie, self.automaton.reads(state)
        read, child = set(skip), node + 1
        while child < trie.ends[node]:
            if trie.bytes_[child] in reads:
                read.add(trie.bytes_[child])
            child = trie.ends[child]
        left = frozenset(read)
        if not pushed or min(state.ended) < 0:
            found.leave(state.ended, pushed, bound, node, left)
            return
        back = self.automaton.after(pushed[-1], state.ended)
        if back is not None:
            todo.append((back, pushed[:-1], bound + self.automaton.bound(pushed[-1], state.ended), node, left))

    def _loops(
        self,
        found: _Found,
        todo: list[_Todo],
        state: Control,
        pushed: _Pushed,
        bound: _Bound,
        node: int,
        skip: frozenset[int],
    ) -> None:
        """Walk a subtree as far as it is plain text."""
        plain = self._plain
        nodes, rows, stops, hands = plain.walk(state, node, skip)
        numbers = np.full(len(plain.controls), -1, dtype=np.int32)
        for row in np.flatnonzero(np.bincount(rows, minlength=1)).tolist():
            numbers[row] = found.number(plain.controls[row], pushed, bound)
        if len(nodes):
            found.groups.append((nodes, numbers[rows]))
        for at, row in stops:
            self._leave(found, todo, plain.controls[row], pushed, bound, at, skip if at == node else _NOTHING)
        for at, number in hands:
            target, more = plain.steps[number]
            self._enter(found, todo, target, pushed + more, bound, at, self.trie.counts[at])

    @cached_property
    def _plain(self) -> "_Plain":
        return _Plain(self.automaton, self.trie)


def is_wide(automaton: Automaton, control: Control) -> bool:
    """Whether a control state is plain text that may be almost anything."""
    return control.frame is None and len(automaton.reads(control)) >= _WIDE


class _Plain:
    """Moves of control states that call nothing, as a table for `walks.walk`. steps: those that lead elsewhere."""

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

    def walk(
        self, control: Control, node: int, skip: frozenset[int]
    ) -> tuple[Ints, Ints, list[list[int]], list[list[int]]]:
        """Nodes with tokens and the row of the control state at each; (node, row) where something is left to callers;
        (node, step) where a call begins."""
        from .walks import walk

        trie = self.trie
        taken = np.zeros(256, dtype=np.bool_)
        taken[list(skip)] = True
        self._state_of[node] = self._row(control)
        sizes = np.zeros(3, dtype=np.int32)
        at = node + 1
        while at < trie.ends[node]:
            at = walk(
                trie.byte, trie.end, trie.parent, trie.count, self._table, self._ended, self._state_of, node, at, taken,
                self._found, self._stops, self._hands, sizes,
            )  # fmt: skip
            if at < trie.ends[node]:
                self._fill(int(self._state_of[trie.parent[at]]) & (STOPPED - 1))
        found = self._found[: sizes[0]].T.copy()
        return found[0], found[1], self._stops[: sizes[1]].tolist(), self._hands[: sizes[2]].tolist()

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
