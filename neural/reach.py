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
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .automaton import Automaton, Control, Frame
from .trie import Trie

_NOTHING: Final[frozenset[int]] = frozenset()
START: Final = 0
"""The place where a token begins."""
MAX_PUSHED: Final = 24
"""Frames that one token may push; what would push more is not allowed (stacks have a fixed depth)."""
_WIDE: Final = 30
"""Moves by byte from which on the trie is walked a level at a time, in numpy."""

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


class _Found:
    """A reach being collected."""

    __slots__ = ("classes", "ids", "rests", "which")

    def __init__(self) -> None:
        self.classes: dict[tuple[int, _Pushed, _Bound], int] = {}
        self.ids: list[Ints | list[int]] = []
        self.which: list[int] = []
        self.rests: dict[tuple[frozenset[int], _Pushed, _Bound], dict[int, frozenset[int]]] = {}

    def add(self, control: Control, pushed: _Pushed, bound: _Bound, ids: "Ints | list[int]") -> None:
        number = self.classes.setdefault((control.number, pushed, bound), len(self.classes))
        self.ids.append(ids)
        self.which.append(number)

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
            if node == 0 and not taken and self._is_wide(control):
                self._levels(found, control)
            else:
                self._nodes(found, control, (), node, taken)
        controls = self.automaton.controls
        targets = tuple(Target(controls[number], pushed, bound) for number, pushed, bound in found.classes)
        lengths = [len(ids) for ids in found.ids]
        tokens = np.concatenate([np.asarray(ids, dtype=np.int32) for ids in found.ids] or [np.zeros(0, dtype=np.int32)])
        which = np.repeat(np.array(found.which, dtype=np.int32), lengths)
        order = np.argsort(tokens, kind="stable")
        rests = tuple(
            Rest(ended, self.place(nodes.items()), pushed, bound)
            for (ended, pushed, bound), nodes in found.rests.items()
        )
        named = tuple(i for i, target in enumerate(targets) if target.control.slots is not None)
        return Reach(targets, tokens[order], which[order], rests, named)

    def _nodes(
        self, found: _Found, control: Control, pushed: tuple[Frame, ...], node: int, taken: frozenset[int]
    ) -> None:
        """Walk a subtree node by node."""
        step, after = self.automaton.step, self.automaton.after
        trie = self.trie
        bytes_, ends, counts, firsts, tokens = trie.bytes_, trie.ends, trie.counts, trie.firsts, trie.tokens
        todo: list[tuple[Control, _Pushed, _Bound, int, frozenset[int]]] = [(control, pushed, (), node, taken)]
        while todo:
            state, pushed, bound, at, skip = todo.pop()
            child, last = at + 1, ends[at]
            refused = False
            read: set[int] = set()
            while child < last:
                byte = bytes_[child]
                if byte not in skip:
                    moved = step(state, byte)
                    if moved is None:
                        refused = True
                    else:
                        read.add(byte)
                        target, more = moved
                        frames = pushed + more if more else pushed
                        if len(frames) <= MAX_PUSHED:
                            count = counts[child]
                            if count:
                                first = firsts[child]
                                found.add(target, frames, bound, tokens[first : first + count])
                            if ends[child] > child + 1:
                                todo.append((target, frames, bound, child, _NOTHING))
                child = ends[child]
            if refused and state.ended:
                left = frozenset(read) | skip
                if min(state.ended) < 0:
                    found.leave(state.ended, pushed, bound, at, left)
                elif pushed:
                    back = after(pushed[-1], state.ended)
                    if back is not None:
                        bound += self.automaton.bound(pushed[-1], state.ended)
                        todo.append((back, pushed[:-1], bound, at, left))
                else:
                    found.leave(state.ended, (), bound, at, left)

    def _is_wide(self, control: Control) -> bool:
        """Whether a control state reads many bytes itself, calls nothing and cannot return: a string, a free text."""
        if control.frame is not None or control.ended:
            return False
        states = self.automaton.net.states
        return sum(len(states[n].moves) for n in control.members) >= _WIDE

    def _levels(self, found: _Found, start: Control) -> None:
        """Walk the whole trie a level at a time, as far as control states are wide; the rest node by node."""
        trie, step = self.trie, self.automaton.step
        known: list[Control] = [start]
        numbers = {start.number: 0}
        moves: dict[int, int] = {}
        state_of = np.full(len(trie.byte), -1, dtype=np.int32)
        state_of[0] = 0
        for nodes in trie.levels[1:]:
            above = state_of[trie.parent[nodes]]
            nodes = nodes[above >= 0]
            if not len(nodes):
                break
            pairs = state_of[trie.parent[nodes]].astype(np.int64) * 256 + trie.byte[nodes]
            distinct, inverse = np.unique(pairs, return_inverse=True)
            reached = np.full(len(distinct), -1, dtype=np.int32)
            handed: list[tuple[int, Control, tuple[Frame, ...]]] = []
            for i, pair in enumerate(distinct.tolist()):
                if pair in moves:
                    reached[i] = moves[pair]
                    continue
                moved = step(known[pair >> 8], pair & 255)
                if moved is not None and not moved[1] and self._is_wide(moved[0]):
                    target = moved[0]
                    if target.number not in numbers:
                        numbers[target.number] = len(known)
                        known.append(target)
                    reached[i] = moves[pair] = numbers[target.number]
                elif moved is not None:
                    handed.append((i, *moved))
                else:
                    moves[pair] = -1
            state_of[nodes] = reached[inverse]
            for i, control, pushed in handed:
                for node in nodes[inverse == i].tolist():
                    count = trie.counts[node]
                    if count and len(pushed) <= MAX_PUSHED:
                        first = trie.firsts[node]
                        found.add(control, pushed, (), trie.tokens[first : first + count])
                    if trie.ends[node] > node + 1:
                        self._nodes(found, control, pushed, node, _NOTHING)
        state_of[0] = -1
        for number, control in enumerate(known):
            here = np.flatnonzero((state_of == number) & (trie.count > 0))
            if len(here):
                sorted_at = np.repeat(trie.first[here], trie.count[here]) + _within(trie.count[here])
                found.add(control, (), (), trie.order[sorted_at])


def _within(counts: Ints) -> NDArray[np.int64]:
    """0, 1, … for each of several runs."""
    total = int(counts.sum())
    starts = np.cumsum(counts) - counts
    return np.arange(total) - np.repeat(starts, counts)
