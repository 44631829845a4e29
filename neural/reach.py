"""Tokens against the automaton: from a control state, which token leads where.

A token may end here or deeper (a class: one target control state and frames pushed), or run past the end of what
the control state reads; then the rest of it is left to the callers. What is left is a *place*: the nodes of the token
trie that are to be entered next. Place 0 is the beginning of a token. A reach leaves one place for each set of
results that may return, so a caller is asked once however many tokens run into it.

Nothing here depends on the stack or on the environment: where a variable is used, what it returns is filled in while
running (`machine`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .automaton import Automaton, Control, Frame, Step
from .paged import zeros
from .trie import Loop, Trie

START: Final = 0
"""The place where a token begins."""
MAX_PUSHED: Final = 24
"""Frames that one token may push; what would push more is not allowed (stacks have a fixed depth)."""
_WIDE: Final = 10
"""Bytes that a control state reads from which on, if it calls nothing, the trie is walked by compiled loops."""
_MANY: Final = 4
"""Nodes of a subtree from which on that is worth it."""
_MANY_IN_ALL: Final = 200
"""The same of all subtrees together."""
_SOME: Final = 24
"""Nodes from which on numpy handles them faster than lists do."""
_ROWS: Final = 4096
"""Control states of plain text that there is room for at first."""
_ROW_AT_ONCE: Final = 8
"""Bytes asked for from which on all moves of a control state are found."""
REFUSED: Final = -1
UNKNOWN: Final = -2
HANDED: Final = -3
"""Marks of `_Plain`'s table: no move; not looked at yet; HANDED - k, step number k."""

FEW: Final = 512
"""Tokens up to which tables list them by what they cost; for more they have rows of bits."""
_VERY_MANY: Final = 4096
"""Tokens from which on, if they lead to one target, a reach does not list them."""

Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]
Row = NDArray[np.uint32]


@dataclass(slots=True, eq=False)
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

    tokens[k] (ascending) leads to targets[which[k]]. Where very many tokens lead to one target, `most`, these are not
    among them but in `together`, as bits (else `most` is -1). named: indices of the targets inside variables' names.
    """

    targets: tuple[Target, ...]
    tokens: Ints
    which: Ints
    most: int
    together: Row | None
    rests: tuple[Rest, ...]
    named: tuple[int, ...]

    def find(self, token: int) -> Target | None:
        """Where a token leads."""
        if self.together is not None and self.together[token >> 5] >> np.uint32(token & 31) & np.uint32(1):
            return self.targets[self.most]
        at = int(np.searchsorted(self.tokens, token))
        return self.targets[self.which[at]] if at < len(self.tokens) and self.tokens[at] == token else None


_Pushed = tuple[Frame, ...]
_Bound = tuple[int, ...]
_Entered = tuple[Control, _Pushed, _Bound]
_ByByte = Mapping[int, "list[int] | Ints"]
"""Nodes of the trie by the byte that leads into them."""


class _Found:
    """A reach being collected. todo: where to go on, a control state and nodes to enter. free, plain: nodes that loops
    and other plain text have entered, by control state. of: the class of each token that plain text has read, once
    there is any. most, row: the loop of most tokens, and those. listed: tokens of other loops, with their classes.
    rests: nodes that are left, in pieces."""

    __slots__ = ("classes", "free", "listed", "most", "nodes", "of", "plain", "rests", "row", "todo", "which")

    def __init__(self) -> None:
        self.todo: list[tuple[Control, _Pushed, _Bound, _ByByte]] = []
        self.free: dict[_Entered, list[list[int]]] = {}
        self.plain: dict[tuple[_Pushed, _Bound], list[tuple[Control, list[int]]]] = {}
        self.classes: dict[tuple[int, _Pushed, _Bound], int] = {}
        self.nodes: list[int] = []
        self.which: list[int] = []
        self.of: Shorts | None = None
        self.most: _Entered | None = None
        self.row: Row | None = None
        self.listed: list[tuple[Ints, int]] = []
        self.rests: dict[tuple[frozenset[int], _Pushed, _Bound], list[Ints | list[int]]] = {}

    def number(self, control: Control, pushed: _Pushed, bound: _Bound) -> int:
        return self.classes.setdefault((control.number, pushed, bound), len(self.classes))


class Reaches:
    """Reaches and places, worked out once each. size: of the vocabulary."""

    def __init__(self, automaton: Automaton, trie: Trie, size: int) -> None:
        self.automaton = automaton
        self.trie = trie
        self.size = size
        self.places: list[_ByByte] = []
        self._rows: dict[bytes, Row] = {}
        self._places: dict[bytes, int] = {}
        self._known: dict[tuple[int, int], Reach] = {}
        self._loops: dict[int, Loop | Literal[False] | None] = {}
        self.place([trie.kid[: trie.kids[1]]])

    def at(self, control: Control, place: int = START) -> Reach:
        """The reach of a control state at a place."""
        key = (control.number, place)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._walk(control, self.places[place])
        return known

    def place(self, pieces: "Sequence[Ints | list[int]]") -> int:
        """The number of the place of some nodes, given in pieces."""
        array = np.concatenate([np.asarray(piece, dtype=np.int32) for piece in pieces])
        array.sort()
        key = array.tobytes()
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = len(self.places)
            self.places.append(self._by_byte(array))
        return known

    def _by_byte(self, nodes: "list[int] | Ints") -> _ByByte:
        if len(nodes) > _SOME:
            array = np.asarray(nodes, dtype=np.int32)
            letters = self.trie.byte[array]
            order = np.argsort(letters, kind="stable")
            letters, array = letters[order], array[order]
            cuts = np.flatnonzero(letters[1:] != letters[:-1]) + 1
            firsts = [0, *cuts.tolist(), len(array)]
            return {
                byte: array[start:end]
                for byte, start, end in zip(letters[firsts[:-1]].tolist(), firsts, firsts[1:], strict=False)
            }
        if not isinstance(nodes, list):
            nodes = nodes.tolist()
        found: dict[int, list[int]] = {}
        bytes_ = self.trie.bytes_
        for node in nodes:
            found.setdefault(bytes_[node], []).append(node)
        return found

    def _walk(self, control: Control, place: _ByByte) -> Reach:
        found = _Found()
        found.todo.append((control, (), (), place))
        while found.todo or found.plain or found.free:
            if found.todo:
                self._step(found, *found.todo.pop())
            elif found.plain:
                (pushed, bound), entered = found.plain.popitem()
                self._texts(found, pushed, bound, entered)
            else:
                self._regions(found)
        controls = self.automaton.controls
        targets = tuple(Target(controls[number], pushed, bound) for number, pushed, bound in found.classes)
        rests = tuple(
            Rest(ended, self.place(nodes), pushed, bound) for (ended, pushed, bound), nodes in found.rests.items()
        )
        named = tuple(i for i, target in enumerate(targets) if target.control.slots is not None)
        return Reach(targets, *self._tokens(found), rests, named)

    def _tokens(self, found: _Found) -> tuple[Ints, Ints, int, Row | None]:
        """The tokens found and their classes, as a reach has them."""
        trie = self.trie
        nodes, which = np.array(found.nodes, dtype=np.int32), np.array(found.which, dtype=np.int32)
        counts = trie.count[nodes]
        tokens, which = trie.order[np.repeat(trie.first[nodes], counts) + _within(counts)], np.repeat(which, counts)
        if found.listed:
            tokens = np.concatenate((tokens, *(some for some, _ in found.listed)))
            which = np.concatenate((which, *(np.full(len(some), of, dtype=np.int32) for some, of in found.listed)))
        most, together = -1, None
        if found.most is not None and found.row is not None:
            most, together = found.number(*found.most), self._rows.setdefault(found.row.tobytes(), found.row)
        if found.of is None:
            order = np.argsort(tokens)
            return tokens[order], which[order], most, together
        assert len(found.classes) < np.iinfo(np.int16).max, "classes of one state"
        found.of[tokens] = which
        return self._listed(found.of, len(found.classes), most, together)

    def _listed(self, of: Shorts, classes: int, most: int, together: Row | None) -> tuple[Ints, Ints, int, Row | None]:
        """The same from the class of each token, -1 for none, but those of `together`."""
        from .walks import bits, pairs, sizes

        size = np.zeros(classes, dtype=np.int64)
        sizes(of, size)
        but = -1
        if together is None and classes and size.max() > _VERY_MANY:
            most = but = int(size.argmax())
            row = np.empty(len(of) // 32, dtype=np.uint32)
            bits(of, most, row)
            together = self._rows.setdefault(row.tobytes(), row)
            size[most] = 0
        found = np.empty((2, int(size.sum())), dtype=np.int32)
        pairs(of, but, found[0], found[1])
        return found[0], found[1], most, together

    def _nowhere(self) -> Shorts:
        """No class for any token."""
        return np.full((self.size + 31) // 32 * 32, -1, dtype=np.int16)

    def _step(self, found: _Found, state: Control, pushed: _Pushed, bound: _Bound, nodes: _ByByte) -> None:
        """Enter nodes in a control state; those that it does not read are left to what it returns to."""
        reads = self.automaton.reads(state)
        for byte in nodes.keys() & reads.keys():
            step = self.automaton.step(state, byte)
            assert step is not None
            some = nodes[byte]
            self._enter(found, step, pushed, bound, some if isinstance(some, list) else some.tolist())
        if state.ended:
            left = {byte: some for byte, some in nodes.items() if byte not in reads}
            if left:
                self._leave(found, state, pushed, bound, left)

    def _enter(self, found: _Found, step: Step, pushed: _Pushed, bound: _Bound, nodes: list[int]) -> None:
        """Nodes were entered by a step."""
        target, more = step
        if more:
            pushed += more
            if len(pushed) > MAX_PUSHED:
                return
        trie, automaton = self.trie, self.automaton
        counts, ends = trie.counts, trie.ends
        while True:
            reads = target.reads
            if reads is None:
                reads = automaton.reads(target)
            if len(reads) >= _WIDE and self.loop(target) is not None:
                found.free.setdefault((target, pushed, bound), []).append(nodes)
                return
            tokens = [node for node in nodes if counts[node]]
            if tokens:
                found.nodes += tokens
                found.which += [found.number(target, pushed, bound)] * len(tokens)
            nodes = [node for node in nodes if ends[node] > node + 1]
            if not nodes:
                return
            # A fixed text, one byte after the other.
            if len(reads) != 1 or target.frame is not None or target.ended:
                break
            ((byte, here),) = reads.items()
            assert here is not None
            nodes = [child for node in nodes for child in trie.below(node).get(byte, ())]
            if not nodes:
                return
            target = automaton.target(here)
        if is_wide(self.automaton, target):
            large = [node for node in nodes if ends[node] - node > _MANY]
            if large:
                found.plain.setdefault((pushed, bound), []).append((target, large))
                nodes = [node for node in nodes if ends[node] - node <= _MANY]
        if nodes:
            found.todo.append((target, pushed, bound, self._below(nodes)))

    def _below(self, nodes: list[int]) -> _ByByte:
        """The children of nodes."""
        trie = self.trie
        if len(nodes) > _SOME:
            array = np.array(nodes, dtype=np.int32)
            counts = trie.kids[array + 1] - trie.kids[array]
            return self._by_byte(trie.kid[np.repeat(trie.kids[array], counts) + _within(counts)])
        if len(nodes) == 1:
            return trie.below(nodes[0])
        below: dict[int, list[int]] = {}
        for node in nodes:
            for byte, children in trie.below(node).items():
                below[byte] = below[byte] + children if byte in below else children
        return below

    def _leave(self, found: _Found, state: Control, pushed: _Pushed, bound: _Bound, left: "_ByByte | Ints") -> None:
        """Nodes are left to what a control state returns to."""
        if not pushed or min(state.ended) < 0:
            pieces = [left] if isinstance(left, np.ndarray) else left.values()
            found.rests.setdefault((state.ended, pushed, bound), []).extend(pieces)
            return
        back = self.automaton.after(pushed[-1], state.ended)
        if back is not None:
            bound += self.automaton.bound(pushed[-1], state.ended)
            by_byte = self._by_byte(left) if isinstance(left, np.ndarray) else left
            found.todo.append((back, pushed[:-1], bound, by_byte))

    def _texts(self, found: _Found, pushed: _Pushed, bound: _Bound, entered: list[tuple[Control, list[int]]]) -> None:
        """Walk subtrees as far as they are plain text."""
        plain, ends = self._plain, self.trie.ends
        if found.of is None and sum(ends[node] - node for _, nodes in entered for node in nodes) < _MANY_IN_ALL:
            found.todo += ((control, pushed, bound, self._below(nodes)) for control, nodes in entered)
            return
        if found.of is None:
            found.of = self._nowhere()
        known = {c: i for i, (c, *which) in enumerate(found.classes) if which == [pushed, bound]}
        fresh, stops, hands = plain.walk(entered, found.of, known, len(found.classes))
        for control in fresh:
            found.number(control, pushed, bound)
        for row, nodes in _grouped(stops):
            self._leave(found, plain.controls[row], pushed, bound, nodes)
        for number, nodes in _grouped(hands):
            self._enter(found, plain.steps[number], pushed, bound, nodes.tolist())

    @cached_property
    def _plain(self) -> "_Plain":
        return _Plain(self.automaton, self.trie, self.loop)

    def loop(self, control: Control) -> Loop | None:
        """The trie to a control state that reads some bytes and stays as it is; None if this one is another."""
        known = self._loops.get(control.number, False)
        if known is False:
            known = None
            if is_wide(self.automaton, control):
                reads = self.automaton.reads(control)
                known = self.trie.loop(reads) if all(here == [*control.members] for here in reads.values()) else None
            self._loops[control.number] = known
        return known

    def _regions(self, found: _Found) -> None:
        """Go on from the nodes that loops have entered, those of most tokens first."""
        trie = self.trie
        free, found.free = found.free, {}
        entered = {key: np.concatenate([np.asarray(p, dtype=np.int32) for p in some]) for key, some in free.items()}
        tokens = {key: int((trie.starts[trie.end[nodes]] - trie.starts[nodes]).sum()) for key, nodes in entered.items()}
        for key in sorted(tokens, key=tokens.__getitem__, reverse=True):
            self._region(found, key, entered[key], tokens[key])

    def _region(self, found: _Found, key: _Entered, nodes: Ints, tokens: int) -> None:
        """Go on from nodes that one loop has entered. tokens: below them, read or not."""
        from .walks import left, region

        trie, (control, pushed, bound) = self.trie, key
        loop = self.loop(control)
        assert loop is not None
        is_most = key == found.most or (found.most is None and tokens > _VERY_MANY)
        if is_most and found.row is None:
            found.row = np.zeros((self.size + 31) // 32, dtype=np.uint32)
        row = found.row if is_most and found.row is not None else np.zeros(0, dtype=np.uint32)
        count = region(nodes, trie.end, trie.depths, trie.starts, trie.order, loop.tops, row, self._scratch)
        if count and is_most:
            found.most = key
            found.number(*key)
        elif count:
            found.listed.append((self._scratch[:count].copy(), found.number(*key)))
        if control.ended:
            count = left(nodes, trie.end, trie.depths, loop.stops, loop.above, self._scratch)
            if count:
                self._leave(found, control, pushed, bound, self._scratch[:count].copy())

    @cached_property
    def _scratch(self) -> Ints:
        return np.empty(len(self.trie.byte) + len(self.trie.order), dtype=np.int32)


def is_wide(automaton: Automaton, control: Control) -> bool:
    """Whether a control state is plain text that may be almost anything."""
    return control.frame is None and len(control.reads or automaton.reads(control)) >= _WIDE


class _Plain:
    """Moves of plain text as a table for `walks.walk`. steps: those that lead elsewhere."""

    def __init__(self, automaton: Automaton, trie: Trie, loop: Callable[[Control], Loop | None]) -> None:
        self.automaton = automaton
        self.trie = trie
        self.loop = loop
        self.controls: list[Control] = []
        self.steps: list[Step] = []
        self._rows: dict[int, int] = {}
        self._steps: dict[Step, int] = {}
        self._table = zeros((_ROWS, 256), np.int32)
        self._ended = np.zeros(_ROWS, dtype=np.bool_)
        self._states = np.zeros(int(trie.depth.max()) + 1, dtype=np.int32)
        self._stops, self._hands, self._unknown = (np.empty((len(trie.byte), 2), dtype=np.int32) for _ in range(3))

    def walk(
        self, entered: list[tuple[Control, list[int]]], of: Shorts, known: dict[int, int], fresh: int
    ) -> tuple[list[Control], Ints, Ints]:
        """Go on from nodes, each in a control state, and write the class of every token read into `of`.

        known: classes by number of the control state; fresh: the first number for more. The control states that got
        one, in order; [stops, 2], node and row where a node is left to callers; [hands, 2], node and step where
        something else is entered.
        """
        from .walks import walk

        trie = self.trie
        nodes = [node for _, some in entered for node in some]
        rows = np.repeat([self._row(control, len(some)) for control, some in entered], [len(s) for _, s in entered])
        starts = np.stack((nodes, rows), axis=1).astype(np.int32)
        counts = np.array((fresh, 0, 0, 0), dtype=np.int32)
        classes, inside, numbered = np.full(len(self._table), -1, dtype=np.int32), True, len(self.controls)
        for number, of_control in known.items():
            if number in self._rows:
                classes[self._rows[number]] = of_control
        while len(starts):
            if len(classes) < len(self._table):
                classes = np.append(classes, np.full(len(self._table) - len(classes), -1, dtype=np.int32))
            for row, control in enumerate(self.controls[numbered:], numbered):
                classes[row] = known.get(control.number, -1)
            numbered = len(self.controls)
            walk(
                trie.byte, trie.end, trie.depths, trie.starts, trie.order, self._table, self._ended, self._states,
                starts, inside, classes, of, self._stops, self._hands, self._unknown, counts,
            )  # fmt: skip
            starts, inside = self._unknown[: counts[3]].copy(), False
            self._find(starts)
        found = np.flatnonzero(classes >= fresh)
        more = [self.controls[row] for row in found[np.argsort(classes[found])].tolist()]
        return more, self._stops[: counts[1]], self._hands[: counts[2]]

    def _row(self, control: Control, asked: int = 0) -> int:
        """The row of a control state. asked: moves that will be asked for at once, at most."""
        known = self._rows.get(control.number)
        if known is None:
            known = self._rows[control.number] = len(self.controls)
            self.controls.append(control)
            if known == len(self._table):
                table = zeros((2 * known, 256), np.int32)
                table[:known] = self._table
                self._table, self._ended = table, np.concatenate((self._ended, np.zeros_like(self._ended)))
            self._table[known] = UNKNOWN
            self._ended[known] = bool(control.ended)
            if asked > _ROW_AT_ONCE:
                self._fill(known)
        return known

    def _find(self, asked: Ints) -> None:
        """Find the moves asked for, int32 [asked, 2]: nodes, each with a row. Where many are, all of the row."""
        wanted: dict[int, list[int]] = {}
        for code in np.unique(asked[:, 1] * 256 + self.trie.byte[asked[:, 0]]).tolist():
            wanted.setdefault(code >> 8, []).append(code & 255)
        for row, some in wanted.items():
            if len(some) > _ROW_AT_ONCE:
                self._fill(row)
                continue
            control = self.controls[row]
            for byte in some:
                step = self.automaton.step(control, byte)
                self._table[row, byte] = REFUSED if step is None else self._move(step)

    def _fill(self, row: int) -> None:
        reads = self.automaton.reads(self.controls[row])
        # Many bytes lead on together: by one list.
        lists = list(map(id, reads.values()))
        moves = {
            each: self._move(self.automaton.step(self.controls[row], byte))
            for each, byte in dict(zip(lists, reads, strict=True)).items()
        }
        self._table[row] = REFUSED
        self._table[row, list(reads)] = list(map(moves.__getitem__, lists))

    def _move(self, step: Step | None) -> int:
        """How the table says where a step leads."""
        assert step is not None
        target, more = step
        if not more and is_wide(self.automaton, target) and self.loop(target) is None:
            return self._row(target)
        number = self._steps.setdefault(step, len(self.steps))
        if number == len(self.steps):
            self.steps.append(step)
        return HANDED - number


def _grouped(pairs: Ints) -> Iterator[tuple[int, Ints]]:
    """The first of some pairs by their second: int32 [pairs, 2]."""
    order = np.argsort(pairs[:, 1], kind="stable")
    firsts, seconds = pairs[order, 0], pairs[order, 1]
    cuts = [0, *(np.flatnonzero(seconds[1:] != seconds[:-1]) + 1).tolist(), len(firsts)]
    for start, end in pairwise(cuts):
        if start < end:
            yield int(seconds[start]), firsts[start:end]


def _within(counts: Ints) -> NDArray[np.int64]:
    """0, 1, … for each of several runs."""
    total = int(counts.sum())
    starts = np.cumsum(counts) - counts
    return np.arange(total) - np.repeat(starts, counts)
