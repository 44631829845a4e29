"""Programs sampled from models that know little: what models are, and how a batch of programs is drawn from them.

A model gives weights to tokens. What it would choose if there were no budget is chosen first; only where the budget does
not allow that, it chooses again among what is allowed. So a sample says whether its budget ever overruled its model,
and is distributed as if only the second choice were made.
"""

import collections
import dataclasses
import gc
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dlc.neural import core
from dlc.neural.batch import ArrayState
from dlc.neural.decoder import UNBOUNDED, ConstrainedDecoder

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a model sees: tokens so far (-1: before the beginning) int64 [batch, steps], how many int64 [batch], and the
    decoder's state and its two innermost open procedures, int64 [batch, 3]."""

    said: Ints
    lengths: Ints
    places: Ints

    def last(self, count: int) -> Ints:
        """The last tokens of each row, the last one first: int64 [batch, count]."""
        at = self.lengths[:, None] - 1 - np.arange(count)
        found = np.take_along_axis(self.said, np.maximum(at, 0), axis=1)
        return np.where(at < 0, -1, found)


class Model(Protocol):
    """Weights of tokens, float64 [batch, vocabulary], not all zero wherever something is allowed."""

    def weights(self, rows: Rows, rng: np.random.Generator) -> Floats: ...


def places(state: ArrayState) -> Ints:
    """The decoder's state and its two innermost open procedures: int64 [batch, 3]."""
    rows = state.rows
    depth = rows[:, core.DEPTH].astype(np.int64)
    out = np.empty((len(rows), 3), dtype=np.int64)
    out[:, 0] = rows[:, core.STATE]
    for i in (1, 2):
        at = np.maximum(core.STACK + depth - i, core.STACK)
        out[:, i] = np.where(depth >= i, rows[np.arange(len(rows)), at], -1)
    return out


# ---------------------------------------------------------------- models


class Uniform:
    """Every token alike."""

    def __init__(self, size: int) -> None:
        self.size = size

    def weights(self, rows: Rows, rng: np.random.Generator) -> Floats:
        return np.ones((len(rows.said), self.size))


_STATE, _INNER, _OUTER = range(3)
CONTEXTS = (
    ((_STATE, _INNER, _OUTER), 5), ((_STATE, _INNER), 3), ((_STATE, _INNER, _OUTER), 1), ((_STATE, _INNER, _OUTER), 0),
    ((_STATE, _INNER), 0), ((_STATE,), 0), ((_INNER, _OUTER), 0), ((_INNER,), 0), ((), 1), ((), 0),
)  # fmt: skip
"""What an n-gram goes by, most first: which of the decoder's places, how many of the last tokens. Places know
which brackets are open and what is wanted in them; a model of tokens alone opens more than it closes."""


class NGram:
    """Shares in a corpus by context, from the longest context to the shortest by Witten and Bell's weights, then all
    tokens alike. At a step in `wild` of all the choice is uniform, so that what the corpus lacks occurs too."""

    def __init__(self, seen: Rows, chosen: Ints, size: int, wild: float, contexts: Any = None) -> None:
        self.size, self.wild, self.contexts = size, wild, contexts or CONTEXTS
        self.tables = [_Counts(_keys(seen, *context), chosen, size) for context in self.contexts]

    def weights(self, rows: Rows, rng: np.random.Generator) -> Floats:
        out = np.zeros((len(rows.said), self.size))
        left = np.ones(len(rows.said))
        for context, table in zip(self.contexts, self.tables, strict=True):
            left = table.add(_keys(rows, *context), left, out)
        out += left[:, None] * 1e-3 / self.size
        out[rng.random(len(out)) < self.wild] = 1.0
        return out


def _keys(rows: Rows, places: tuple[int, ...], tokens: int) -> Ints:
    """Contexts as numbers (64-bit hashes): int64 [batch]."""
    parts = np.concatenate((rows.places[:, list(places)], rows.last(tokens)), axis=1).astype(np.uint64)
    key = np.full(len(parts), 1469598103934665603, dtype=np.uint64)
    for column in parts.T:
        key = (key ^ (column + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(1099511628211)
        key ^= key >> np.uint64(29)
    return key.view(np.int64)


class _Counts:
    """How often each token follows each context, as sorted arrays."""

    def __init__(self, keys: Ints, chosen: Ints, size: int) -> None:
        contexts, which = np.unique(keys, return_inverse=True)
        pairs, counts = np.unique(which.astype(np.int64) * size + chosen, return_counts=True)
        self.contexts, self.tokens = contexts, pairs % size
        of = pairs // size
        self.starts = np.searchsorted(of, np.arange(len(contexts) + 1))
        totals, distinct = np.bincount(of, weights=counts), np.diff(self.starts)
        self.shares = counts / (totals + distinct)[of]
        self.rest = distinct / (totals + distinct)

    def add(self, keys: Ints, left: Floats, out: Floats) -> Floats:
        """Add the shares of these contexts, times what is left for them; what is left after them."""
        at = np.minimum(np.searchsorted(self.contexts, keys), len(self.contexts) - 1)
        known = np.flatnonzero(self.contexts[at] == keys)
        at = at[known]
        sizes = self.starts[at + 1] - self.starts[at]
        rows = np.repeat(known, sizes)
        entries = np.arange(sizes.sum()) + np.repeat(
            self.starts[at] - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes
        )
        out[rows, self.tokens[entries]] += self.shares[entries] * left[rows]
        left = left.copy()
        left[known] *= self.rest[at]
        return left


def learnt(decoder: ConstrainedDecoder, programs: Sequence[Sequence[int]], wild: float, batch: int = 256) -> NGram:
    """The n-gram of these programs (each without the end token). What the decoder refuses is left out from there."""
    said, where, chosen = [], [], []
    end, most = decoder.vocabulary.ends[0], max(tokens for _, tokens in CONTEXTS)
    ordered = sorted(programs, key=len)
    for start in range(0, len(ordered), batch):
        part = ordered[start : start + batch]
        state: Any = decoder.start(len(part))
        text = np.full((len(part), most + len(part[-1]) + 1), -1, dtype=np.int64)
        for row, ids in zip(text, part, strict=True):
            row[most : most + len(ids) + 1] = (*ids, end)
        for step in range(len(part[-1]) + 1):
            alive = np.flatnonzero(text[:, most + step] >= 0)
            if len(alive) < len(text):
                text, state = text[alive], decoder.fork(state, alive.tolist())
            tokens = text[:, most + step]
            fine = decoder.mask(state)[np.arange(len(text)), tokens]
            if not fine.all():
                text, state, tokens = text[fine], decoder.fork(state, np.flatnonzero(fine).tolist()), tokens[fine]
            said.append(text[:, step : step + most])
            where.append(places(state))
            chosen.append(tokens)
            state = decoder.advance(state, tokens)
    before = np.concatenate(said)
    lengths_ = np.full(len(before), most)
    return NGram(Rows(before, lengths_, np.concatenate(where)), np.concatenate(chosen), decoder.vocabulary.size, wild)


class Transformer:
    """A small GPT-2 whose weights are random and large enough that its choices depend on what was said."""

    def __init__(self, size: int, seed: int) -> None:
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        config = GPT2Config(vocab_size=size, bos_token_id=0, eos_token_id=0, n_positions=40, n_embd=32, n_layer=1,
                            n_head=2, initializer_range=0.3)  # fmt: skip
        self.model = GPT2LMHeadModel(config).eval()

    def weights(self, rows: Rows, rng: np.random.Generator) -> Floats:
        import torch

        recent = rows.last(32)[:, ::-1]
        ids = torch.from_numpy(
            np.concatenate((np.zeros((len(recent), 1), dtype=np.int64), np.maximum(recent, 0)), axis=1)
        )
        seen = torch.from_numpy(np.concatenate((np.ones((len(recent), 1)), recent >= 0), axis=1).astype(np.int64))
        with torch.no_grad():
            logits = self.model(ids, attention_mask=seen).logits[:, -1] / 4
        return np.exp(logits.double().numpy() - logits.max(-1, keepdim=True).values.double().numpy())


# ---------------------------------------------------------------- samples


@dataclass(frozen=True, slots=True)
class Sample:
    """A program. model: with how it was begun. tokens: of the whole program. given: those it was begun with. forced:
    whether the budget overruled the model. deep: whether the bound on nesting did (frames of a program, docs/decoding.md),
    and not the budget. typed: whether the judge finds it well typed."""

    text: str
    model: str
    tokens: int
    given: int
    budget: int
    forced: bool
    deep: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of samples: its name, the model, what programs are begun with in turn (tokens), and how many."""

    name: str
    model: Model
    begun: Iterator[Sequence[int]]
    count: int


def sampled(
    decoder: ConstrainedDecoder, kind: Kind, budget: int, rng: np.random.Generator, batch: int = 128
) -> Iterator[Sample]:
    """Samples of a kind, each of at most `budget` tokens, in the order in which they end."""
    tokens = decoder.vocabulary.tokens
    batch = min(batch, kind.count)
    said = np.full((batch, budget + 1), -1, dtype=np.int64)
    lengths, given, forced = (np.zeros(batch, dtype=np.int64) for _ in range(3))
    state: Any = decoder.start(batch, budget=budget)
    fresh, started = np.arange(batch), batch
    while len(state):
        for i in fresh.tolist():
            ids = next(kind.begun)
            said[i], lengths[i], forced[i], given[i] = -1, 0, 0, len(ids)
            said[i, : len(ids)] = ids
        at = np.arange(len(state))
        weights = kind.model.weights(Rows(said, lengths, places(state)), rng)
        chosen = _chosen(weights, decoder.mask(decoder.with_budget(state, UNBOUNDED)), rng)
        allowed = decoder.mask(state)
        told = lengths < given
        for i in np.flatnonzero(told & ~allowed[at, said[at, lengths]]).tolist():
            # As deep as programs go, or too near the budget: what is given ends here.
            given[i], told[i] = lengths[i], False
        chosen[told] = said[at, lengths][told]
        overruled = np.flatnonzero(~allowed[at, chosen] & ~told)
        if len(overruled):
            forced[overruled] = 1
            chosen[overruled] = _chosen(weights[overruled], allowed[overruled], rng)
        state = decoder.advance(state, chosen)
        done = np.asarray(state.done)
        said[at[~done], lengths[~done]] = chosen[~done]
        lengths[~done] += 1
        over = np.flatnonzero(done)
        for i in over.tolist():
            ids = said[i, : lengths[i]].tolist()
            text = b"".join(tokens[t] or b"" for t in ids).decode()
            deep = not forced[i] and state.rows[i, core.PLANNED] != core.NO_PLAN  # type: ignore[union-attr]
            yield Sample(text, kind.name, len(ids), int(given[i]), budget, bool(forced[i]), bool(deep))
        fresh = over[: kind.count - started]
        if len(fresh):
            started += len(fresh)
            state.rows[fresh] = decoder.start(len(fresh), budget=budget).rows  # type: ignore[union-attr]
        if len(over) > len(fresh):
            keep = np.setdiff1d(at, over[len(fresh) :])
            said, lengths, given, forced = (each[keep] for each in (said, lengths, given, forced))
            state, fresh = decoder.fork(state, keep.tolist()), np.searchsorted(keep, fresh)


def _chosen(weights: Floats, mask: NDArray[np.bool_], rng: np.random.Generator) -> Ints:
    """One token of each row, by its weights among those of the mask."""
    total = np.cumsum(np.where(mask, weights, 0.0), axis=1)
    drawn = rng.random(len(total)) * total[:, -1]
    found = np.minimum((total <= drawn[:, None]).sum(axis=1), mask.shape[1] - 1)
    for i in np.flatnonzero(~mask[np.arange(len(mask)), found]).tolist():  # weights that sums lose
        found[i] = rng.choice(np.flatnonzero(mask[i]))
    return found


# ---------------------------------------------------------------- how programs are begun


def cut(programs: Sequence[Sequence[int]], most: int, rng: np.random.Generator) -> Iterator[Sequence[int]]:
    """Gold, of at most so many tokens, cut at any place."""
    short = [ids for ids in programs if 0 < len(ids) <= most]
    while True:
        ids = short[rng.integers(len(short))]
        yield ids[: rng.integers(len(ids))]


class Openings:
    """Where in known programs the decoder can write a text: one place for each of its states before or after a word, by
    what is open around it."""

    def __init__(self, decoder: ConstrainedDecoder, rng: np.random.Generator) -> None:
        self.machine, self.rng = decoder.machines[0], rng
        self.places: dict[tuple[int, ...], tuple[str, Any]] = {}
        self.known: dict[str, tuple[int, list[str]]] = {}

    def read(self, texts: Sequence[str]) -> None:
        """Walk along programs; inside quotes anything can be written."""
        for text in texts:
            cell: Any = self.machine.start
            quoted = escaped = False
            for i, char in enumerate(text):
                if not (quoted or char.isalnum() or char in "_.`"):
                    self._add(text[:i], cell)
                cell = self.machine.read(cell, char.encode())
                if cell is None:
                    break
                quoted, escaped = quoted != (char == '"' and not escaped), char == "\\" and not escaped
                if char in " ([{" and not quoted:
                    self._add(text[: i + 1], cell)

    def _add(self, prefix: str, cell: Any) -> None:
        key, stack = [cell.control.number], cell.stack
        while stack.frame is not None and len(key) < 3:
            key, stack = [*key, stack.frame.number], stack.parent
        self.places.setdefault(tuple(key), (prefix, cell))

    def before(self, wanted: str, most: int = 4, looked: int = 2000) -> list[str]:
        """Beginnings of programs that go on with the text, this included; some places are looked at, drawn by chance."""
        known, found = self.known.get(wanted, (0, []))
        if found or 2 * known > len(self.places):
            return found
        places, found = list(self.places.values()), []
        for i in self.rng.permutation(len(places))[:looked].tolist():
            prefix, cell = places[i]
            if self.machine.read(cell, wanted.encode()) is not None:
                found.append(prefix + wanted)
                if len(found) == most:
                    break
        self.known[wanted] = len(places), found
        return found


# ---------------------------------------------------------------- what is found


def save(samples: Sequence[Sample], path: Path) -> None:
    """Add samples to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as lines:
        for sample in samples:
            lines.write(json.dumps(dataclasses.asdict(sample), ensure_ascii=False) + "\n")


def load(paths: Sequence[Path]) -> list[Sample]:
    """Samples of files that `save` wrote. Strings of programs may hold characters that `splitlines` takes for breaks."""
    lines = [line for path in paths for line in path.read_bytes().split(b"\n") if line]
    return [Sample(**json.loads(line)) for line in lines]


@dataclass(frozen=True, slots=True)
class Measures:
    """What is asked of the text of a sample. calls: how many. lets: whether it uses what it binds. shares: whether it
    has a type variable that two arguments share. has: what occurs in it. wanted: everything that should, with texts that
    it may begin with."""

    calls: Callable[[str], int]
    lets: Callable[[str], bool]
    shares: Callable[[str], bool]
    has: Callable[[str], frozenset[str]]
    wanted: Mapping[str, Sequence[str]]


TOKENS, CALLS = (5, 10, 20, 40, 80, 120, 160, 200, 300, 400, 600), (0, 1, 2, 3, 5, 10, 20, 40, 80)


def report(samples: Sequence[Sample], measures: Measures) -> None:
    """Print what samples are like, by how they were made and in all, and what none of them has."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.model, []).append(sample)
    for name, made in {**groups, "all": list(samples)}.items():
        forced = sum(s.forced for s in made)
        print(
            f"{name}: {len(made)} samples ({len({s.text for s in made})} distinct), "
            f"{sum(s.typed for s in made)} well typed, "
            f"{sum(s.tokens <= s.budget for s in made)} within their budget, {forced} ended by it "
            f"({forced / len(made):.1%}), {sum(s.deep for s in made)} by the bound on nesting, {sum(measures.calls(s.text) > 10 for s in made)} over 10 calls, "
            f"{sum(measures.lets(s.text) for s in made)} use what they bind, "
            f"{sum(measures.shares(s.text) for s in made)} with a shared type variable"
        )
    for what, cuts, found in (
        ("tokens", TOKENS, [s.tokens for s in samples]),
        ("calls", CALLS, [measures.calls(s.text) for s in samples]),
    ):
        edges = [c for c in cuts if c < max(found)]
        bounds = zip((-1, *edges), (*edges, max(found)), strict=True)
        print(f"{what}:", ", ".join(f"to {high}: {sum(low < n <= high for n in found)}" for low, high in bounds))
    counts = occurring(samples, measures)
    never = [w for w in measures.wanted if not counts[w]]
    print(f"occurring: {len(measures.wanted) - len(never)} of {len(measures.wanted)}; never: "
          f"{', '.join(never) or 'none'}", flush=True)  # fmt: skip


def occurring(samples: Sequence[Sample], measures: Measures) -> "collections.Counter[str]":
    """In how many samples everything occurs."""
    return collections.Counter(has for sample in samples for has in measures.has(sample.text))


# ---------------------------------------------------------------- all of it


@dataclass(frozen=True, slots=True)
class Setting:
    """One surface over one schema. spell: text to tokens. gold: programs to learn from. let: how those begin that bind
    a name. judge: what is wrong with each text. budgets: of the n-gram, and of the models that never end by themselves.
    plain: how programs begin whose first word would be any name."""

    name: str
    decoder: ConstrainedDecoder
    spell: Callable[[str], list[int]]
    gold: Sequence[str]
    let: str
    judge: Callable[[Sequence[str]], list[list[str]]]
    measures: Measures
    shares: Mapping[tuple[str, str], int]
    budgets: tuple[int, int]
    plain: str = ""


NGRAM, UNIFORM, RANDOM = "n-gram", "uniform", "random transformer"
WHOLE, PLAIN, BOUND = "whole", "begun without acts", "begun with a let"
CUT, RARE = "begun with gold cut anywhere", "begun with what is rare"
WILD = 0.006
LETS = 5
"""How many times gold that binds a name counts: there is little of it."""


def draw(setting: Setting, count: int, round_: int, seed: int, path: Path | None) -> list[Sample]:
    """About `count` samples, in rounds: drawn, judged, added to the file if there is one; what was found is printed after
    each. What is rare is so among those in the file already, too."""
    rng, decoder, started = np.random.default_rng(seed), setting.decoder, time.perf_counter()
    decoder.executor.threads = False  # type: ignore[union-attr]
    gold = [setting.spell(text) for text in setting.gold]
    lets = [ids for text, ids in zip(setting.gold, gold, strict=True) if text.startswith(setting.let)]
    size, half = decoder.vocabulary.size, min(setting.budgets) // 2
    models: dict[str, Model] = {
        NGRAM: learnt(decoder, [i for i in (*gold, *lets * (LETS - 1)) if len(i) <= setting.budgets[0]], WILD),
        UNIFORM: Uniform(size),
        RANDOM: Transformer(size, seed),
    }
    openings = Openings(decoder, rng)
    openings.read([setting.gold[i] for i in rng.permutation(len(gold))[:1000].tolist()])
    _settle()
    print(f"{setting.name}: {len(gold)} programs learnt, {time.perf_counter() - started:.0f} s", flush=True)
    earlier = load([path]) if path is not None and path.exists() else []
    counts, every = occurring(earlier, setting.measures), list[Sample]()
    for number in range(-(-count // round_)):
        begun = {
            WHOLE: itertools.repeat(()),
            PLAIN: itertools.repeat(setting.spell(setting.plain)),
            BOUND: itertools.repeat(setting.spell(setting.let)),
            CUT: cut(gold, half, rng),
            RARE: _rare(setting, openings, counts, half, rng),
        }
        made: list[Sample] = []
        for (model, how), percent in setting.shares.items():
            kind = Kind(
                f"{setting.name}, {model}, {how}", models[model], begun[how], min(round_, count) * percent // 100
            )
            made += sampled(decoder, kind, setting.budgets[model != NGRAM], rng)
        found = setting.judge([sample.text for sample in made])
        for sample, wrong in zip(made, found, strict=True):
            if wrong:
                print("  wrong:", sample.model, sample.text, wrong, flush=True)
        made = [dataclasses.replace(sample, typed=not wrong) for sample, wrong in zip(made, found, strict=True)]
        every += made
        counts += occurring(made, setting.measures)
        if path is not None:
            save(made, path)
        print(f"{setting.name}, round {number + 1}: {len(every)} samples, {time.perf_counter() - started:.0f} s")
        report(every, setting.measures)
        openings.read([sample.text[:400] for sample in made if NGRAM in sample.model])
        _settle()
    gc.unfreeze()
    return every


def _settle() -> None:
    """What there is stays: let later collections not look through it."""
    gc.collect()
    gc.freeze()


def _rare(
    setting: Setting, openings: Openings, counts: "collections.Counter[str]", most: int, rng: np.random.Generator
) -> Iterator[Sequence[int]]:
    """Beginnings of known programs that go on with what is wanted, rarest first."""
    wanted = setting.measures.wanted
    names = list(wanted)
    order = sorted((names[i] for i in rng.permutation(len(names)).tolist()), key=lambda name: counts[name])
    while True:
        nothing = True
        for name in order:
            found = next((texts for begin in wanted[name] if (texts := openings.before(begin))), [])
            spelled = [ids for text in found if len(ids := setting.spell(text)) <= most]
            if spelled:
                nothing = False
                yield spelled[rng.integers(len(spelled))]
        if nothing:
            yield ()
