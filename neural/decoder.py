"""`ConstrainedDecoder`: the decoder's front. States are values; masks are computed for batches.

decoder = ConstrainedDecoder(surface="dl", schema=schema, tokenizer=tokenizer)
state = decoder.start(batch=2, budget=64)
mask = decoder.mask(state)                 # bool [2, vocabulary]
state = decoder.advance(state, [17, 4711])
"""

from collections.abc import Sequence
from functools import cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.schema import Schema
from ..grammar.diagnostic import CompileError
from . import errors
from .cache import cached_vocabulary
from .dl_turns import dl_surface
from .framing import framed
from .grounded import GroundedExecutor, GroundedState
from .grounding import Grounding
from .grounding_requests import Requests, Texts, asked, price
from .growth import hold, release
from .machine import Cell, Machine
from .net import NEVER, Net, spaced
from .prepare import openings
from .reference import CellState, ReferenceExecutor
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    from .batch import ArrayState, BatchExecutor
    from .gpu import DeviceExecutor, DeviceState
    from .hf import TypedLogitsProcessor

SURFACES = ("dl", "dataflow")
BUDGETS = ("safe", "exact")
EXECUTORS = ("numpy", "cpu", "gpu")
UNBOUNDED = NEVER + 4096
ROOM = 4
"""Tokens that grounded literals of a finish have at least."""

DecoderState: TypeAlias = "CellState | ArrayState | DeviceState | GroundedState"
"""A batch of sequences, as the executor keeps it: a value, with `done`, `budgets` and `log_z`, a row each."""


class ConstrainedDecoder:
    """Allows a token exactly when a well-typed program of the surface goes on that way (docs/decoding.md).

    surface: `dl` or `dataflow` (Lispress). schema: a schema, or a sequence of them (each row of a batch names its own).
    tokenizer: a Hugging Face fast tokenizer, a `tokenizers.Tokenizer`, or a `Vocabulary` (`cache` keeps them on disk).
    executor: `numpy`, the reference; `cpu`, compiled batches; `gpu`, tensors on `device`
    (default: CUDA where there is one). Their masks are equal bit by bit.
    budgets: `safe` keeps every budget by a finish that is always at hand; `exact` by the least number of tokens there
    is (small schemas and vocabularies).
    marker: if given, free text comes before the program (reasoning) and ends with this. after: text behind the program,
    such as a closing fence.
    ends: token ids that end a sequence; default the tokenizer's end-of-sequence token.
    Raises CompileError (DLC501, DLC502, DLC509, DLC510).
    """

    def __init__(
        self,
        *,
        surface: str = "dl",
        schema: "Schema | Sequence[Schema]",
        tokenizer: Any,
        ends: tuple[int, ...] | None = None,
        budgets: str = "safe",
        executor: str = "numpy",
        device: Any = None,
        marker: str = "",
        after: str = "",
    ) -> None:
        options = (("surface", surface, SURFACES), ("budgets", budgets, BUDGETS), ("executor", executor, EXECUTORS))
        for name, given, known in options:
            if given not in known:
                raise CompileError(errors.unknown_option(name, given, known))
        if budgets == "exact" and executor != "numpy":
            raise CompileError(errors.unknown_option("executor of exact budgets", executor, ("numpy",)))
        is_vocabulary = isinstance(tokenizer, Vocabulary)
        self.vocabulary: Vocabulary = tokenizer if is_vocabulary else cached_vocabulary(tokenizer, ends)
        self.surface = surface
        self._frame = marker.encode(), after.encode()
        self.budgets = budgets
        self.schemas = (schema,) if isinstance(schema, Schema) else tuple(schema)
        self.executor_name = executor
        self._requests: Requests | None = None
        self._grounded: dict[int, GroundedExecutor] = {}
        held = hold()
        try:
            self._compile(device)
        finally:
            release(held)

    def _compile(self, device: Any) -> None:
        """Make the machines and their executor, and visit the states in which much may come next."""
        self.machines = tuple(self._machine(each) for each in self.schemas)
        self.executor = self._executor(self.executor_name, self.machines, device)
        for which, machine in enumerate(self.machines if self.budgets == "safe" else ()):
            for cell in openings(machine, self._frame[0]):
                self.executor.visit(which, cell)

    def _machine(self, schema: Schema, room: int = 0, like: Machine | None = None) -> Machine:
        if like is not None and self.surface == "dl":
            # What is short in Lispress is counted in tokens, so its network depends on the room.
            return Machine(like.net, -1, self.vocabulary, self.budgets == "exact", room, like)
        net, root = self._surface(schema, room)
        if any(self._frame):
            root = framed(net, root, *self._frame)
        if self.vocabulary.leading_space and not self._frame[0]:
            root = spaced(net, root)
        machine = Machine(net, root, self.vocabulary, self.budgets == "exact", room)
        if machine.costs.rest(net.starts[root]) is None:
            raise CompileError(errors.nothing_to_say("a program"))
        return machine

    def _surface(self, schema: Schema, room: int) -> tuple[Net, int]:
        if self.surface == "dl":
            return dl_surface(schema)
        from .flow_surface import dataflow_surface

        return dataflow_surface(schema, cache(price(self.vocabulary, room)))

    def _executor(
        self, name: str, machines: Sequence[Machine], device: Any = None
    ) -> "ReferenceExecutor | BatchExecutor | DeviceExecutor":
        if name == "numpy":
            return ReferenceExecutor(machines, self.vocabulary)
        if name == "gpu":
            from .gpu import DeviceExecutor

            return DeviceExecutor(machines, self.vocabulary, device)
        from .batch import BatchExecutor

        return BatchExecutor(machines, self.vocabulary)

    def _runs(self, state: DecoderState) -> Any:
        """The executor of a state."""
        return state.executor if isinstance(state, GroundedState) else self.executor

    # ------------------------------------------------------------ states

    def start(
        self,
        batch: int,
        budget: "int | Sequence[int] | None" = None,
        schemas: Sequence[int] | None = None,
        prefix: str | bytes = "",
        texts: Texts | None = None,
        grounding: "Grounding | Sequence[Grounding | None] | None" = None,
    ) -> DecoderState:
        """A state of `batch` sequences at the beginning of a program (or after `prefix`, text of one).

        budget: tokens a program may take, the end token not counted; one for all or one a row. schemas: for each
        row the index of its schema. texts: for each row the texts its string literals must be parts of (None: any
        literal). grounding: the same with sets and options, one for all or one a row; `texts` go before its own.
        Raises CompileError: DLC503 if no program fits, DLC504 if the prefix is wrong, DLC516 and DLC517 for what
        nothing can be grounded in, DLC510 on an executor that does not ground.
        """
        which = [0] * batch if schemas is None else list(schemas)
        limits = [budget] * batch if budget is None or isinstance(budget, int) else list(budget)
        if len(which) != batch or len(limits) != batch:
            raise CompileError(errors.wrong_shape(f"{batch} rows, {len(which)} schemas, {len(limits)} budgets"))
        data = prefix.encode() if isinstance(prefix, str) else prefix
        each = asked(batch, texts, grounding)
        if any(row is not None for row in each):
            return self._start_grounded(which, limits, data, each)
        return self.executor.start(which, *self._begin(self.machines, which, limits, data))

    def _begin(
        self, machines: Sequence[Machine], which: Sequence[int], limits: "Sequence[int | None]", data: bytes
    ) -> tuple[tuple[Cell, ...], tuple[int, ...]]:
        """Configurations after a prefix, and budgets that suffice."""
        cells = tuple(self._after(machines[i], data) for i in which)
        budgets = tuple(UNBOUNDED if limit is None else limit for limit in limits)
        for cell, limit, i in zip(cells, budgets, which, strict=True):
            if not machines[i].within(cell, limit):
                raise CompileError(errors.budget_too_small(limit, cell.cost))
        return cells, budgets

    def _start_grounded(
        self, which: Sequence[int], limits: "Sequence[int | None]", data: bytes, each: "Sequence[Grounding | None]"
    ) -> GroundedState:
        if self.executor_name == "gpu":
            raise CompileError(errors.unknown_option("executor of grounded literals", "gpu", ("numpy", "cpu")))
        if b'"' in self._frame[1]:
            raise CompileError(errors.wrong_shape("literals are grounded only where no quote comes after a program"))
        if self._requests is None:
            self._requests = Requests(self.surface, self.schemas, self.vocabulary)
        known: dict[tuple[int, int], Any] = {}
        requests = []
        for i, (schema, row) in enumerate(zip(which, each, strict=True)):
            if row is not None and (id(row), schema) not in known:
                known[id(row), schema] = self._requests.request(i, schema, row)
            requests.append(None if row is None else known[id(row), schema])
        runs = self._grounding(max(self._requests.room(r) for r in requests if r is not None))
        cells, budgets = self._begin(runs.machines, which, limits, data)
        return runs.start(which, cells, budgets, requests, data)

    def _grounding(self, needed: int) -> GroundedExecutor:
        """The executor whose finishes have room for literals of so many tokens; there are few of them, by size."""
        room = ROOM
        while room < needed:
            room *= 4
        if room not in self._grounded:
            machines = [self._machine(*each) for each in zip(self.schemas, repeat(room), self.machines, strict=False)]
            inner: Any = self._executor(self.executor_name, machines)
            self._grounded[room] = GroundedExecutor(inner, self.vocabulary, self.surface == "dl", self._frame[0])
        return self._grounded[room]

    def _after(self, machine: Machine, data: bytes) -> Cell:
        if not data:
            return machine.start
        low = 0
        for low in range(1, len(data) + 1):
            cell = machine.read(machine.start, data[:low])
            if cell is None:
                raise CompileError(errors.bad_prefix(data[:200].decode("utf-8", "replace"), low - 1))
        assert cell is not None
        return cell

    # ------------------------------------------------------------ masks

    def bits(self, state: DecoderState) -> Any:
        """Allowed tokens, packed: uint32 [batch, ceil(vocabulary / 32)], token t at bit t % 32 of word t // 32
        (on `gpu` a tensor of int32 there)."""
        return self._runs(state).bits(state)

    def fill(self, state: DecoderState, row: int, out: NDArray[np.uint32]) -> None:
        """One row of `bits`, written into `out`, uint32 [ceil(vocabulary / 32)]. Raises CompileError (DLC508)."""
        words = (self.vocabulary.size + 31) // 32
        if out.shape != (words,) or out.dtype != np.uint32 or not out.flags.writeable:
            raise CompileError(errors.wrong_shape(f"a mask of {out.dtype} {list(out.shape)}, not of uint32 [{words}]"))
        if not 0 <= row < len(state):
            raise CompileError(errors.wrong_shape(f"row {row} of {len(state)}"))
        self._runs(state).fill(state, row, out)

    def mask(self, state: DecoderState) -> NDArray[np.bool_]:
        """Allowed tokens: bool [batch, vocabulary]. The end token is allowed exactly where a program is complete."""
        packed = host_bits(self.bits(state))
        bytes_ = packed.astype("<u4", copy=False).view(np.uint8)
        return np.unpackbits(bytes_, axis=1, bitorder="little")[:, : self.vocabulary.size].astype(np.bool_)

    # ------------------------------------------------------------ steps

    def advance(self, state: DecoderState, tokens: "Sequence[int] | NDArray[np.integer[Any]]") -> DecoderState:
        """The state after one token a row. Finished rows take any token that ends or pads (it is not looked at).

        Raises CompileError (DLC505, DLC508) and leaves `state` as it was.
        """
        if len(tokens) != len(state):
            raise CompileError(errors.wrong_shape(f"{len(tokens)} tokens for {len(state)} rows"))
        return self._runs(state).advance(state, self._tokens(tokens))  # type: ignore[no-any-return]

    def _tokens(self, tokens: Any) -> Any:
        """Token ids as the executor takes them."""
        return (
            tokens if self.executor_name == "gpu" and hasattr(tokens, "device") else np.asarray(tokens, dtype=np.int64)
        )

    def is_complete(self, state: DecoderState) -> NDArray[np.bool_]:
        """bool [batch]: whether each row is a whole program, ended or not."""
        return self._runs(state).complete(state)  # type: ignore[no-any-return]

    def fork(self, state: DecoderState, index: Sequence[int]) -> DecoderState:
        """Rows picked by index, repeats allowed: beam search, resampling, rollback to a state that was kept."""
        return self._runs(state).fork(state, [int(i) for i in index])  # type: ignore[no-any-return]

    def with_budget(self, state: DecoderState, budget: "int | Sequence[int]") -> DecoderState:
        """The state with another number of tokens left, one for all or one a row."""
        each = [budget] * len(state) if isinstance(budget, int) else list(budget)
        return self._runs(state).with_budgets(state, each)  # type: ignore[no-any-return]

    def observe(self, state: DecoderState, log_z: Sequence[float]) -> DecoderState:
        """The state with this step's log Z added, row by row."""
        summed = [float(a) + float(b) for a, b in zip(state.log_z, log_z, strict=True)]
        return self._runs(state).with_log_z(state, summed)  # type: ignore[no-any-return]

    def forced(self, state: DecoderState, limit: int = 64) -> list[list[int]]:
        """For each row the tokens that are the only ones possible, one after the other (jump ahead). A row where
        several spellings of the same bytes are possible is not forced."""
        out: list[list[int]] = []
        for i in range(len(state)):
            one = self.fork(state, [i])
            run: list[int] = []
            while len(run) < limit and not one.done[0]:
                row = host_bits(self.bits(one))[0]
                words = np.flatnonzero(row)
                if len(words) != 1 or int(row[words[0]]).bit_count() != 1:
                    break
                token = int(words[0]) * 32 + int(row[words[0]]).bit_length() - 1
                if token in self.vocabulary.ends:
                    break
                run.append(token)
                one = self.advance(one, [token])
            out.append(run)
        return out

    def logits_processor(
        self,
        budget: "int | Sequence[int] | None" = None,
        *,
        schemas: Sequence[int] | None = None,
        prefix: str = "",
        beams: int = 1,
        texts: Texts | None = None,
        grounding: "Grounding | Sequence[Grounding | None] | None" = None,
    ) -> "TypedLogitsProcessor":
        """A `transformers.LogitsProcessor` for one call of `generate`: greedy, sampling or with beams, whose number
        it must be told. The others are those of `start`, for the prompts of the batch."""
        from .hf import TypedLogitsProcessor

        return TypedLogitsProcessor(
            self, budget, schemas=schemas, prefix=prefix, beams=beams, texts=texts, grounding=grounding
        )


def host_bits(bits: Any) -> NDArray[np.uint32]:
    """Bits of any executor as numpy has them."""
    return bits if isinstance(bits, np.ndarray) else bits.cpu().numpy().view(np.uint32)
