"""Masks whose literals are grounded: a layer over an executor, which knows nothing of it.

The executor says what is well typed and affordable; this layer follows the text of each row, and inside the quotes of
a literal that is grounded it follows a pointer into the strings allowed (`grounding.Literals`). There the mask is cut
down to the tokens that go on along the pointer, found by walking the token trie along both; elsewhere only tokens with
a quote in them need a look. Tables stay those of the schema, whatever the request says.

Budgets: the executor's costs count `room` tokens for what each literal of a finish says (`costs`), and no request
needs more for its shortest literals. Inside a literal the way to its end is counted instead. Where nothing is
affordable, a finish is followed to its end, its literals the shortest of the request.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..grammar.diagnostic import CompileError
from . import errors
from .exact import Ahead
from .literal_places import FREE, NAME, OUT
from .literal_walks import NO_OPENING, Ints, Request, Spot, Walks
from .machine import Cell, Machine
from .net import NEVER
from .vocabulary import Vocabulary

Bits = NDArray[np.uint32]
Plan = tuple[int, ...]


class Inner(Protocol):
    """What is asked of the executor below; its states are its own."""

    machines: tuple[Machine, ...]
    ends: Bits

    def start(self, which: Sequence[int], cells: Sequence[Cell], budgets: Sequence[int]) -> Any:
        """A state of configurations."""

    def bits(self, state: Any) -> Bits:
        """Allowed tokens, packed, in an array of the caller's own."""

    def fill(self, state: Any, row: int, out: Bits) -> None:
        """One row of `bits`."""

    def advance(self, state: Any, tokens: NDArray[np.int64]) -> Any:
        """The state after one token a row."""

    def complete(self, state: Any) -> NDArray[np.bool_]:
        """Whether each row is a whole program."""

    def fork(self, state: Any, index: Sequence[int]) -> Any:
        """Rows picked by index."""

    def join(self, states: Sequence[Any]) -> Any:
        """The rows of several states."""

    def cell(self, state: Any, row: int) -> tuple[int, Cell]:
        """The machine of a row and its configuration."""

    def with_budgets(self, state: Any, budgets: Sequence[int]) -> Any:
        """The state with other numbers of tokens left."""

    def with_log_z(self, state: Any, log_z: Sequence[float]) -> Any:
        """The state with other sums of log Z."""


@dataclass(slots=True)
class Row:
    """One sequence: its request (None: nothing is grounded), its spot, and the finish it follows. found: what it
    allows and the finish it must follow from here, once that was worked out."""

    request: Request | None
    spot: Spot
    plan: Plan | None = None
    found: tuple[Bits, Plan | None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class GroundedState:
    """A batch of sequences: the state of the executor below, and what is grounded, row by row."""

    executor: "GroundedExecutor"
    inner: Any
    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def done(self) -> Any:
        """For each row, whether the end token has come."""
        return self.inner.done

    @property
    def budgets(self) -> Any:
        """Tokens left, row by row."""
        return self.inner.budgets

    @property
    def log_z(self) -> Any:
        """Sums of log Z, row by row."""
        return self.inner.log_z


@dataclass(frozen=True, slots=True)
class _Here:
    """A row's machine, configuration and tokens left."""

    number: int
    machine: Machine
    cell: Cell
    left: int

    def most_needed(self, data: bytes) -> int:
        """The most tokens that the end of a literal may take after one more, if `data` and a quote lead behind it."""
        if self.left >= NEVER:
            return NEVER - 1
        closed = self.machine.read(self.cell, data + b'"')
        return -1 if closed is None else min(NEVER, self.left) - 1 - closed.cost


class GroundedExecutor:
    """The layer. names: whether the language has back-quoted names. marker: what ends free text before a program."""

    def __init__(self, inner: Inner, vocabulary: Vocabulary, names: bool, marker: bytes) -> None:
        self.inner = inner
        self.machines = inner.machines
        self.vocabulary = vocabulary
        self.walks = Walks(vocabulary, names, marker)
        self._quoted = self._packed(np.flatnonzero(self.walks.quotes))

    # ------------------------------------------------------------ states

    def start(
        self,
        which: Sequence[int],
        cells: Sequence[Cell],
        budgets: Sequence[int],
        requests: Sequence[Request | None],
        prefix: bytes,
    ) -> GroundedState:
        """A state of configurations after `prefix`. Raises CompileError: DLC503 if a literal begun by the prefix
        cannot be finished in a budget, DLC504 if one is not grounded."""
        rows = []
        for request, machine, cell, budget in zip(requests, which, cells, budgets, strict=True):
            spot = self.walks.begin
            if request is not None:
                spot = self._after(request, spot, prefix)
                if spot.literals is not None:
                    after = self.machines[machine].read(cell, spot.literals.rest(spot.pointer) + b'"')
                    needed = spot.literals.need(spot.pointer) + (NEVER if after is None else after.cost)
                    if needed > budget:
                        raise CompileError(errors.budget_too_small(budget, needed))
            rows.append(Row(request, spot))
        return GroundedState(self, self.inner.start(which, cells, budgets), tuple(rows))

    def _after(self, request: Request, begin: Spot, prefix: bytes) -> Spot:
        spot: Spot | None = begin
        for at in range(len(prefix)):
            spot = self.walks.follow(request, spot, prefix[at : at + 1]) if spot is not None else None
            if spot is None:
                raise CompileError(errors.bad_prefix(prefix[:200].decode("utf-8", "replace"), at))
        assert spot is not None
        return spot

    def complete(self, state: GroundedState) -> NDArray[np.bool_]:
        """bool [batch]: whether each row is a whole program, ended or not."""
        return self.inner.complete(state.inner)

    def fork(self, state: GroundedState, index: Sequence[int]) -> GroundedState:
        """Rows picked by index."""
        return replace(state, inner=self.inner.fork(state.inner, index), rows=tuple(state.rows[i] for i in index))

    def with_budgets(self, state: GroundedState, budgets: Sequence[int]) -> GroundedState:
        """The state with other numbers of tokens left."""
        rows = tuple(Row(row.request, row.spot, row.plan) for row in state.rows)
        return replace(state, inner=self.inner.with_budgets(state.inner, budgets), rows=rows)

    def with_log_z(self, state: GroundedState, log_z: Sequence[float]) -> GroundedState:
        """The state with other sums of log Z."""
        return replace(state, inner=self.inner.with_log_z(state.inner, log_z))

    # ------------------------------------------------------------ masks

    def bits(self, state: GroundedState) -> Bits:
        """Allowed tokens, packed: uint32 [batch, words]."""
        out = self.inner.bits(state.inner)
        for i, row in enumerate(state.rows):
            if row.request is not None:
                out[i] = self._found(state, i, out[i])[0]
        return out

    def fill(self, state: GroundedState, row: int, out: Bits) -> None:
        """One row of `bits`, written into `out` [words]."""
        self.inner.fill(state.inner, row, out)
        if state.rows[row].request is not None:
            out[:] = self._found(state, row, out)[0]

    def _found(self, state: GroundedState, i: int, typed: Bits | None = None) -> tuple[Bits, Plan | None]:
        """What row i allows, and the finish it must follow from here. typed: what the executor below allows."""
        row = state.rows[i]
        if row.found is None:
            if typed is None:
                typed = np.empty_like(self.inner.ends)
                self.inner.fill(state.inner, i, typed)
            row.found = self._work_out(state, i, row, typed.copy())
        return row.found

    def _work_out(self, state: GroundedState, i: int, row: Row, typed: Bits) -> tuple[Bits, Plan | None]:
        assert row.request is not None
        if state.done[i]:
            return typed, None
        complete = bool((typed & self.inner.ends).any())
        if row.plan is not None:
            return (self.inner.ends.copy() if complete else self._packed(row.plan[:1])), row.plan
        number, cell = self.inner.cell(state.inner, i)
        here = _Here(number, self.machines[number], cell, int(state.budgets[i]))
        if here.machine.exact is not None:
            return self._exact(here, row, row.request, typed), None
        if complete or not self._only_planned(here, typed):
            allowed = self._cut(here, row.request, row.spot, typed)
            if complete or allowed.any():
                return allowed, None
        plan = self._finish(here, row.request, row.spot)
        return self._packed(plan[:1]), plan

    def _packed(self, tokens: "Ints | Plan | NDArray[np.int64]") -> Bits:
        return self.machines[0].pack(tokens)  # type: ignore[arg-type]

    def _only_planned(self, here: _Here, typed: Bits) -> bool:
        """Whether all that the executor below allows is its own plan."""
        words = np.flatnonzero(typed)
        if len(words) > 1 or int(typed[words[0]]).bit_count() > 1:
            return False
        return not here.machine.is_open(here.cell, here.left)

    def _cut(self, here: _Here, request: Request, spot: Spot, typed: Bits) -> Bits:
        """What of the tokens allowed is grounded."""
        if spot.literals is not None:
            return typed & self._packed(np.concatenate(list(self._inside(here, request, spot, b"", 0, typed))))
        looked = typed & self._quoted
        if not looked.any():
            return typed
        tokens, kept = self._tokens(looked), list[Ints]()
        if spot.mode in (OUT, NAME):
            openings = self.walks.opening(spot.mode)[tokens]
            kept.append(tokens[openings == NO_OPENING])
            for node in np.unique(openings[openings != NO_OPENING]).tolist():
                some, before = tokens[openings == node], self.walks.spelled(node)
                opened = self.walks.follow(request, spot, before)
                assert opened is not None
                if opened.literals is None:
                    once = self.walks.quotes[some] == before.count(b'"')
                    kept += [some[once], self._one_by_one(here, request, spot, some[~once])]
                else:
                    kept += self._inside(here, request, opened, before, node, typed)
        else:
            kept.append(self._one_by_one(here, request, spot, tokens))
        return (typed & ~self._quoted) | (typed & self._packed(np.concatenate(kept)))

    def _tokens(self, bits: Bits) -> Ints:
        """The tokens of a row of bits."""
        flags = np.unpackbits(bits.astype("<u4", copy=False).view(np.uint8), bitorder="little")
        return np.flatnonzero(flags).astype(np.int32)

    def _inside(
        self, here: _Here, request: Request, spot: Spot, before: bytes, node: int, typed: Bits
    ) -> Iterator[Ints]:
        """Tokens that go on inside a literal at a spot, which the bytes `before` of a token (at `node`) led to."""
        assert spot.literals is not None
        found = self.walks.walk(spot.literals, node, spot.pointer)
        yield found.tokens[found.needs <= here.most_needed(before + spot.literals.rest(spot.pointer))]
        for closing in found.closings:
            data, some = self.walks.spelled(closing), self.walks.below(closing)
            once = self.walks.quotes[some] == data.count(b'"')
            yield some[once]
            more = some[~once]
            more = more[(typed[more >> 5] >> (more & 31).astype(np.uint32)) & np.uint32(1) != 0]
            if len(more):
                after = self.walks.follow(request, spot, data[len(before) :])
                assert after is not None
                yield self._one_by_one(here, request, after, more, len(data))

    def _one_by_one(self, here: _Here, request: Request, spot: Spot, tokens: Ints, read: int = 0) -> Ints:
        """Those of some tokens whose literals are grounded, `read` bytes of them having led to the spot."""
        kept = []
        for token in tokens.tolist():
            data = self.vocabulary.tokens[token] or b""
            after = self.walks.follow(request, spot, data[read:])
            if after is None:
                continue
            if after.literals is not None:
                most = here.most_needed(data + after.literals.rest(after.pointer))
                if after.literals.need(after.pointer) > most:
                    continue
            kept.append(token)
        return np.array(kept, dtype=np.int32)

    # ------------------------------------------------------------ finishing

    def _finish(self, here: _Here, request: Request, begin: Spot) -> Plan:
        """The tokens of a finish: the executor's own, with what the request lets its literals say."""
        cell, spot, tokens = here.cell, begin, list[int]()
        if spot.literals is not None:
            data = spot.literals.rest(spot.pointer) + b'"'
            tokens += self.vocabulary.spell(data)
            after, spot = here.machine.read(cell, data), self._after(request, spot, data)
            assert after is not None
            cell = after
        for text in here.machine.finish(cell):
            piece = bytearray()
            for at in range(len(text)):
                byte = text[at : at + 1]
                if spot.literals is not None and byte != b'"':
                    continue
                piece += byte
                spot = self._after(request, spot, byte)
                if spot.literals is not None:
                    said = spot.literals.rest(spot.pointer)
                    tokens += self.vocabulary.spell(bytes(piece)) + self.vocabulary.spell(said)
                    spot = self._after(request, spot, said)
                    piece.clear()
            tokens += self.vocabulary.spell(bytes(piece))
        assert len(tokens) <= here.left
        return tuple(tokens)

    # ------------------------------------------------------------ steps

    def advance(self, state: GroundedState, tokens: NDArray[np.int64]) -> GroundedState:
        """The state after one token a row. Raises CompileError (DLC505)."""
        rows, finishing = list(state.rows), list[int]()
        for i, token in enumerate(tokens.tolist()):
            row = rows[i]
            if row.request is None or state.done[i] or token in self.vocabulary.ends:
                continue
            data = self.vocabulary.tokens[token] if 0 <= token < self.vocabulary.size else None
            if not data:
                raise CompileError(errors.token_not_allowed(i, token))
            plan = None
            if row.found is not None or row.plan is not None or self._matters(row.spot, data, int(state.budgets[i])):
                bits, plan = self._found(state, i)
                if not bits[token >> 5] >> np.uint32(token & 31) & np.uint32(1):
                    raise CompileError(errors.token_not_allowed(i, token))
            spot = self.walks.follow(row.request, row.spot, data)
            assert spot is not None
            rows[i] = Row(row.request, spot, None if plan is None else plan[1:])
            if plan is not None:
                finishing.append(i)
        return replace(state, inner=self._advanced(state, tokens, finishing), rows=tuple(rows))

    def _matters(self, spot: Spot, data: bytes, left: int) -> bool:
        """Whether this layer has a say in a token."""
        return left < NEVER or spot.literals is not None or b'"' in data or spot.mode == FREE

    def _advanced(self, state: GroundedState, tokens: NDArray[np.int64], finishing: Sequence[int]) -> Any:
        """The state below. Rows that follow a finish of this layer are set down where it leads: the executor's own
        would be another."""
        if not finishing:
            return self.inner.advance(state.inner, tokens)
        others = [i for i in range(len(state)) if i not in set(finishing)]
        at = np.array(others, dtype=np.int64)
        moved = [self.inner.advance(self.inner.fork(state.inner, others), tokens[at])] if others else []
        which, cells = [], []
        for i in finishing:
            number, cell = self.inner.cell(state.inner, i)
            after = self.machines[number].read(cell, self.vocabulary.tokens[int(tokens[i])] or b"")
            assert after is not None
            which.append(number)
            cells.append(after)
        set_down = self.inner.start(which, cells, [int(state.budgets[i]) - 1 for i in finishing])
        set_down = self.inner.with_log_z(set_down, [float(state.log_z[i]) for i in finishing])
        order = np.argsort(np.array([*others, *finishing])).tolist()
        return self.inner.fork(self.inner.join([*moved, set_down]), order)

    # ------------------------------------------------------------ exact budgets

    def _exact(self, here: _Here, row: Row, request: Request, typed: Bits) -> Bits:
        """Tokens after which some grounded program fits."""
        looks = request.looks.get(here.number)
        if looks is None:
            looks = request.looks[here.number] = Looks(here.machine, self.walks, request)
        at = looks.place(here.cell, row.spot)
        after = looks.after(at, self._tokens(typed))
        return self._packed(tuple(token for token, to in after if looks.ahead.within(to, here.left - 1))) | (
            typed & self.inner.ends
        )


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A configuration and a spot: what `Ahead` looks at. complete, cost: as of a cell."""

    number: int
    cell: Cell
    spot: Spot
    complete: bool
    cost: int


class Looks:
    """Looking ahead over places, for exact budgets."""

    def __init__(self, machine: Machine, walks: Walks, request: Request) -> None:
        self.machine = machine
        self.walks = walks
        self.request = request
        self._places: dict[tuple[int, bytes], Place] = {}
        spelled = [i for i, token in enumerate(walks.vocabulary.tokens) if token]
        self._all = np.array(spelled, dtype=np.int32)
        self.ahead = Ahead[Place](lambda place: (after for _, after in self.after(place, self._all)))

    def place(self, cell: Cell, spot: Spot) -> Place:
        """The interned place."""
        key = (cell.number, spot.said)
        if key not in self._places:
            cost = cell.cost
            if spot.literals is not None:
                closed = self.machine.read(cell, spot.literals.rest(spot.pointer) + b'"')
                cost = spot.literals.need(spot.pointer) + (NEVER if closed is None else closed.cost)
            self._places[key] = Place(len(self._places), cell, spot, cell.complete, cost)
        return self._places[key]

    def after(self, place: Place, tokens: Ints) -> Iterator[tuple[int, Place]]:
        """Tokens that go on from a place, each with the place after it."""
        for token in tokens.tolist():
            data = self.walks.vocabulary.tokens[token]
            if data:
                spot = self.walks.follow(self.request, place.spot, data)
                cell = self.machine.read(place.cell, data) if spot is not None else None
                if cell is not None and spot is not None:
                    yield token, self.place(cell, spot)
