"""The automaton as arrays: what the compiled executors read instead of following objects.

Everything integer lies in one buffer (`memory`), in sections whose offsets are in `head`; rows of token bits lie
beside it, each distinct row once. Sections have spare room and double when it is used up, so that tables can grow
while a decoder runs: an executor that meets a place it does not know says which (a *miss*), and `grow` fills it in.
`close` fills in everything that can be reached, for devices that cannot ask.

    section   one entry                                              key
    CONTROL   ended, cost, plan (-1: in a name), reach at the start of a token (-1: missed), names: from, how many
    FRAME     cost, whether it binds                                 frame
    ENDED     the slot it uses (-1: none), without that slot, its result if it has only one (-1)    set of results
    RESULT    the set with nothing but it                            result
    REACH     tokens: from, how many; lookup: from, how many; rows: from, how many; rests: from, how many; least cost;
              named classes: from, how many; the class of most tokens, which LOOK leaves out (-1: none), and the bits
              of those tokens in ITEM
    TOKEN     token, cost; ascending by cost: a budget allows a prefix (reaches of few tokens)
    LOOK      token, class; ascending by token
    ROW       cost, row of bits; ascending: the last that is paid for holds (reaches of many tokens)
    NAMED     class inside a variable's name; its tokens: from, how many
    REST      ended, place; frames pushed: from, how many; results bound: from, how many
    CLASS     control state; frames pushed: from, how many; cost; results bound: from, how many
    NAME      slot, plan
    PLAN      tokens: from, how many; the result that then returns (use(k), negative: what slot k holds)
    ITEM      frames, results, tokens and bits of tokens, by the sections that say from where
    AFTER     (frame, ended) → control state (-1: none)               hashed
    BEYOND    (frame, ended, place) → reach (-1: none)                hashed
    BACK      (frame, result) → plan                                  hashed
    RESOLVED  (ended, what its slot holds) → ended                    hashed
"""

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .automaton import Control, Frame
from .machine import Machine, Row
from .net import NEVER, use
from .paged import zeros
from .reach import FEW, Reach

CONTROL, FRAME, ENDED, RESULT, REACH, TOKEN, LOOK, ROW, NAMED, REST, CLASS, NAME, PLAN, ITEM = range(14)
AFTER, BEYOND, BACK, RESOLVED = range(14, 18)
_STRIDES: Final = (6, 2, 3, 1, 13, 2, 2, 2, 3, 6, 6, 2, 3, 1, 4, 4, 4, 4)
_HASHED: Final = (AFTER, BEYOND, BACK, RESOLVED)
MASKS: Final = len(_STRIDES)
"""head[MASKS + i] is the number of slots of the i-th hashed section, less one."""
CLOSED: Final = MASKS + len(_HASHED)
"""head[CLOSED] is 1 where nothing is missing: a key that AFTER, BEYOND or RESOLVED lack leads nowhere."""

MISS_REACH: Final = -1
"""What a miss says instead of a hashed section: the reach of a control state."""
NO_KEY: Final = -1
_FIRST_ROOM: Final = 1 << 13
"""Entries of each section that there is room for at first."""
_ROW_ROOM: Final = 1 << 24
"""Words of rows that there is room for at first."""
_MORE_ROOM: Final = {CONTROL: 4, TOKEN: 16, LOOK: 64, CLASS: 16, PLAN: 4, ITEM: 128}
"""How many times that, for the sections that grow most: making room anew moves everything."""

Ints = NDArray[np.int32]


class Tables:
    """Tables of the automata of one or more schemas over one vocabulary, in one numbering."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = tuple(machines)
        self.words = machines[0].words
        self._used = [0] * len(_STRIDES)
        self._room = [_FIRST_ROOM * stride * _MORE_ROOM.get(section, 1) for section, stride in enumerate(_STRIDES)]
        self.head = np.zeros(CLOSED + 1, dtype=np.int64)
        self.memory: Ints = np.zeros(0, dtype=np.int32)
        self.rows: NDArray[np.uint32] = zeros((max(1, _ROW_ROOM // self.words), self.words), np.uint32)
        self._rows: dict[bytes, int] = {}
        self._numbers: dict[Hashable, int] = {}
        self.controls: list[tuple[int, Control]] = []
        self.frames: list[tuple[int, Frame]] = []
        self.reaches: list[tuple[int, Reach]] = []
        self.endings: list[tuple[int, frozenset[int]]] = []
        self.results: list[tuple[int, int]] = []
        self.places: list[tuple[int, int]] = []
        self.version = 0
        """Counts up whenever anything is added: what lies on a device is then out of date."""
        self._lay_out()
        self.ended(0, frozenset())
        self.roots = [self.control(i, m.automaton.root) for i, m in enumerate(machines)]

    # ------------------------------------------------------------ the buffer

    def _lay_out(self) -> None:
        """Move every section to a buffer with the room they now want."""
        from .hashed import move

        # The largest comes last: memory that nothing is written to costs nothing, and none of it is sent to a device.
        order = [s for s in range(len(_STRIDES)) if s != LOOK] + [LOOK]
        starts, at = [0] * len(_STRIDES), 0
        for section in order:
            starts[section], at = at, at + self._room[section]
        memory = zeros(at, np.int32)
        for section in set(order).difference(_HASHED):
            old, used, start = int(self.head[section]), self._used[section], starts[section]
            memory[start : start + used] = self.memory[old : old + used]
        tables = {s: self._slots(s)[0] for s in _HASHED} if len(self.memory) else {}
        self.memory = memory
        self.head[: len(_STRIDES)] = starts
        for i, section in enumerate(_HASHED):
            room = self._room[section]
            self.head[MASKS + i] = room // 4 - 1
            memory[starts[section] : starts[section] + room] = NO_KEY
            if section in tables:
                move(tables[section], self._slots(section)[0])

    def _make_room(self, section: int, wanted: int) -> None:
        """Room for so much of a section; and for more of every other that is half full, since everything is moved."""
        for each, used in enumerate(self._used):
            needed = wanted if each == section else 2 * used * (2 if each in _HASHED else 1)
            while needed > self._room[each]:
                self._room[each] *= 2
        self._lay_out()

    @property
    def written(self) -> Ints:
        """The buffer without the room at its end that is not used yet."""
        return self.memory[: int(self.head[LOOK]) + self._used[LOOK]]

    def _slots(self, section: int) -> tuple[Ints, int]:
        """The slots of a hashed section, and their number less one."""
        start, mask = int(self.head[section]), int(self.head[MASKS + section - AFTER])
        return self.memory[start : start + 4 * mask + 4].reshape(-1, 4), mask

    def _entries(self, section: int) -> list[list[int]]:
        slots = self._slots(section)[0]
        return slots[slots[:, 0] != NO_KEY].tolist()  # type: ignore[no-any-return]

    def _append(self, section: int, values: "Ints | Sequence[int]") -> int:
        """Add entries to a section; the number of the first."""
        used, size = self._used[section], len(values)
        if used + size > self._room[section]:
            self._make_room(section, used + size)
        start = int(self.head[section]) + used
        self.memory[start : start + size] = values
        self._used[section] = used + size
        self.head[CLOSED] = 0
        self.version += 1
        return used // _STRIDES[section]

    def _put(self, section: int, a: int, b: int, c: int, value: int) -> None:
        self._used[section] += 4
        if self._used[section] * 2 > self._room[section]:
            self._make_room(section, self._used[section] * 2)
        self._set(section, a, b, c, value)
        self.version += 1

    def _set(self, section: int, a: int, b: int, c: int, value: int) -> None:
        slots, mask = self._slots(section)
        slot = slot_of(a, b, c, mask)
        while slots[slot, 0] != NO_KEY:
            slot = (slot + 1) & mask
        slots[slot] = a, b, c, value

    def get(self, section: int, a: int, b: int, c: int = 0) -> int | None:
        """The value of a key of a hashed section; None if it is not there yet."""
        slots, mask = self._slots(section)
        slot = slot_of(a, b, c, mask)
        while slots[slot, 0] != NO_KEY:
            if slots[slot, :3].tolist() == [a, b, c]:
                return int(slots[slot, 3])
            slot = (slot + 1) & mask
        return None

    def entry(self, section: int, number: int) -> Ints:
        """One entry of a section."""
        at = int(self.head[section]) + number * _STRIDES[section]
        return self.memory[at : at + _STRIDES[section]]

    def section(self, section: int) -> Ints:
        """Everything in a section that is not hashed: int32 [entries, fields]."""
        start, stride = int(self.head[section]), _STRIDES[section]
        return self.memory[start : start + self._used[section]].reshape(-1, stride)

    def sizes(self) -> dict[str, int]:
        """How many there are of what, and the bytes they take."""
        return {
            "controls": len(self.controls),
            "frames": len(self.frames),
            "reaches": len(self.reaches),
            "rows": len(self._rows),
            "classes": self._used[CLASS] // 6,
            "lookups": self._used[LOOK] // 2,
            "memory": 4 * sum(self._used[s] if s not in _HASHED else self._room[s] for s in range(len(_STRIDES))),
            "row memory": 4 * self.words * len(self._rows),
        }

    # ------------------------------------------------------------ numbers

    def control(self, machine: int, control: Control) -> int:
        """The number of a control state."""
        known = self._numbers.get((CONTROL, machine, control.number))
        if known is None:
            of = self.machines[machine]
            cost, state = of.costs.control(control)
            plan, names = -1, (0, 0)
            if control.slots is None:
                plan = self._plan(machine, of.costs.plan(state), self._returned(machine, state))
            else:
                pairs = [pair for n in control.members for pair in of.net.states[n].slots]
                plans = [(slot, self._plan(machine, of.vocabulary.spell(text), use(slot))) for slot, text in pairs]
                names = self._append(NAME, [x for pair in plans for x in pair]), len(plans)
            entry = (self.ended(machine, control.ended), cost, plan, -1, *names)
            known = self._numbers[CONTROL, machine, control.number] = self._append(CONTROL, entry)
            self.controls.append((machine, control))
        return known

    def ended(self, machine: int, results: frozenset[int]) -> int:
        """The number of a set of results that may return; 0 for none."""
        key = (ENDED, machine, results) if results else ENDED
        known = self._numbers.get(key)
        if known is None:
            used = [r for r in results if r < 0]
            assert len(used) < 2, "a text that is two variables' names"
            plain = results.difference(used)
            single = self.result(machine, next(iter(plain))) if len(plain) == 1 and not used else -1
            entry = (use(used[0]), self.ended(machine, plain), single) if used else (-1, 0, single)
            known = self._numbers[key] = self._append(ENDED, entry)
            self.endings.append((machine, results))
        return known

    def result(self, machine: int, result: int) -> int:
        """The number of a result (no use)."""
        known = self._numbers.get((RESULT, machine, result))
        if known is None:
            known = self._numbers[RESULT, machine, result] = self._append(RESULT, (-1,))
            self.results.append((machine, result))
            self.entry(RESULT, known)[0] = self.ended(machine, frozenset((result,)))
        return known

    def frame(self, machine: int, frame: Frame) -> int:
        """The number of a frame."""
        known = self._numbers.get((FRAME, machine, frame.number))
        if known is None:
            entry = (self.machines[machine].costs.frame(frame), int(frame.binds))
            known = self._numbers[FRAME, machine, frame.number] = self._append(FRAME, entry)
            self.frames.append((machine, frame))
        return known

    def _returned(self, machine: int, state: int) -> int:
        """What the rest of a network state returns."""
        rest = self.machines[machine].costs.rest(state)
        return self.result(machine, rest[1]) if rest is not None else 0

    def _plan(self, machine: int, tokens: Sequence[int], result: int) -> int:
        return self._interned(PLAN, (*self._items(tokens), result))

    def _interned(self, section: int, entry: tuple[int, ...]) -> int:
        key = (section, entry)
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = self._append(section, entry)
        return known

    def _items(self, values: Sequence[int]) -> tuple[int, int]:
        """Where a sequence of numbers lies, and how many they are."""
        key = (ITEM, tuple(values))
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = self._append(ITEM, values)
        return known, len(values)

    def _pushed(self, machine: int, frames: tuple[Frame, ...]) -> tuple[int, int]:
        return self._items([self.frame(machine, frame) for frame in frames])

    def _bound(self, machine: int, results: tuple[int, ...]) -> tuple[int, int]:
        return self._items([self.result(machine, result) for result in results])

    def _place(self, machine: int, place: int) -> int:
        key = ("place", machine, place)
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self.places)
            self.places.append((machine, place))
        return known

    def row(self, bits: Row) -> int:
        """The number of a row of bits."""
        key = bits.tobytes()
        known = self._rows.get(key)
        if known is None:
            known = self._rows[key] = len(self._rows)
            if known >= len(self.rows):
                more = zeros((2 * known, self.words), np.uint32)
                more[:known] = self.rows
                self.rows = more
            self.rows[known] = bits
            self.version += 1
        return known

    def reach(self, machine: int, reach: Reach) -> int:
        """The number of a reach."""
        key = (REACH, machine, id(reach))
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = self._add_reach(machine, reach)
            self.reaches.append((machine, reach))
        return known

    def _add_reach(self, machine: int, reach: Reach) -> int:
        of = self.machines[machine]
        costs = of.class_costs(reach)
        classes: list[int] = []
        places: dict[tuple[tuple[Frame, ...], tuple[int, ...]], tuple[int, ...]] = {}
        for target, cost in zip(reach.targets, costs.tolist(), strict=True):
            key = target.pushed, target.bound
            if key not in places:
                places[key] = (*self._pushed(machine, target.pushed), *self._bound(machine, target.bound))
            at, count, bound, names = places[key]
            classes += (self.control(machine, target.control), at, count, cost, bound, names)
        first = self._append(CLASS, classes)
        possible = costs < NEVER
        tokens, which = reach.tokens, reach.which
        named: list[int] = []
        for i in reach.named:
            if possible[i]:
                named += (first + i, *self._items(tokens[which == i].tolist()))
        possible[list(reach.named)] = False
        few = tiers = (0, 0)
        if reach.together is None and len(tokens) <= FEW:
            pairs = np.stack((tokens, costs[which]), axis=1)[possible[which]]
            few = self._append(TOKEN, pairs[np.lexsort(pairs.T)].ravel()), len(pairs)
        else:
            distinct = sorted(set(costs[possible].tolist()))
            rows = [x for cost in distinct for x in (cost, self.row(of.chosen(reach, possible & (costs <= cost))))]
            tiers = self._append(ROW, rows), len(distinct)
        looked = self._append(LOOK, np.stack((tokens, which + np.int32(first)), axis=1).ravel())
        rests: list[int] = []
        for rest in reach.rests:
            rests += self.ended(machine, rest.ended), self._place(machine, rest.place)
            rests += (*self._pushed(machine, rest.pushed), *self._bound(machine, rest.bound))
        least = int(costs[possible].min(initial=NEVER))
        entry = (*few, looked, len(tokens), *tiers, self._append(REST, rests), len(reach.rests), least)
        together = (first + reach.most, self._bits(reach.together)) if reach.together is not None else (-1, 0)
        return self._append(REACH, (*entry, self._append(NAMED, named), len(named) // 3, *together))

    def _bits(self, row: Row) -> int:
        """Where the bits of some tokens lie among the items."""
        key = (ITEM, row.tobytes())
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = self._append(ITEM, row.view(np.int32))
        return known

    # ------------------------------------------------------------ growth

    def visit(self, machine: int, control: Control) -> None:
        """Fill in what the tokens do from a control state."""
        self.grow(MISS_REACH, self.control(machine, control))

    def grow(self, section: int, a: int, b: int = 0, c: int = 0) -> int:
        """Fill in what was missed; what is there now."""
        if section == MISS_REACH:
            machine, control = self.controls[a]
            number = self.reach(machine, self.machines[machine].reaches.at(control))
            self.entry(CONTROL, a)[3] = number
            self.version += 1
            return number
        known = self.get(section, a, b, c)
        if known is None:
            known = self._fresh(section, a, b, c)
            self._put(section, a, b, c, known)
        return known

    def _fresh(self, section: int, a: int, b: int, c: int) -> int:
        if section == RESOLVED:
            machine, results = self.endings[a]
            plain = frozenset(r for r in results if r >= 0)
            return self.ended(machine, plain | {self.results[b][1]})
        machine, frame = self.frames[a]
        of = self.machines[machine]
        if section == BACK:
            state = of.costs.back(frame, self.results[b][1])[1]
            return self._plan(machine, of.costs.plan(state), self._returned(machine, state))
        back = of.automaton.after(frame, self.endings[b][1])
        if back is None:
            return -1
        if section == AFTER:
            return self.control(machine, back)
        return self.reach(machine, of.reaches.at(back, self.places[c][1]))

    def close(self, limit: int = 2_000_000) -> int:
        """Fill in everything that can be reached (`closure`); how many facts that took.

        Raises CompileError (DLC513) beyond `limit` of them.
        """
        from .closure import Closure

        count = Closure(self, limit).run()
        self.head[CLOSED] = 1
        self.version += 1
        return count


def slot_of(a: int, b: int, c: int, mask: int) -> int:
    """Where a key's search begins in a table of mask + 1 slots (31-bit arithmetic, the same everywhere)."""
    mixed = (a * 40503 + b * 20021 + c * 9973) & 0x7FFFFFFF
    return (mixed ^ (mixed >> 9)) & mask
