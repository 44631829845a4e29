"""The decoder over Lispress: gold that it loses, samples judged by `dlc typecheck`, sizes, all of SMCalFlow 2.0.

    python benchmarks/decoder_dataflow.py gold [--styles …] [--sizes 4000]
    python benchmarks/decoder_dataflow.py samples [--count 15000] [--budget 400] [--minutes 120]
    python benchmarks/decoder_dataflow.py sizes [--vocabularies 32000 128256]

gold: every turn spelled by tokenizers of several styles and fed token by token; a token that the mask does not have
is lost. samples: from a uniform model, an n-gram model of the corpus and a transformer with random weights; whole,
within their budget, and well typed are counted, with what they use, and what no sample has is named. sizes: typed
states, frames and rows of what gold visits, and how long compiling takes.
"""

import argparse
import collections
import gzip
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlc.compiler.check import Checker
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_contract import FlowContract
from dlc.neural.flow_signatures import Signatures
from dlc.neural.flow_surface import FlowLimits
from dlc.neural.flow_types import mentions
from dlc.neural.vocabulary import read_vocabulary
from dlc.schemas import load_schema
from dlc.targets.dataflow.judge import Judge
from dlc.targets.dataflow.names import Names

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "benchmarks")]


def corpus(root: Path) -> list[str]:
    """Untyped text of every turn."""
    with gzip.open(root / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [turn["lispress"] for line in lines for turn in json.loads(line)["turns"]]


def gold(options: argparse.Namespace) -> None:
    from teacher_forcing import first_refused
    from tokenizers_of import trained

    turns = corpus(options.corpora)
    contract = FlowContract(load_schema("smcalflow"))
    distinct = collections.Counter(turns)
    outside = sum(count for text, count in distinct.items() if contract.outside(text) is not None)
    print(f"{len(turns)} turns ({len(distinct)} distinct); outside the decoder's language: {outside}")
    for style, size in itertools.product(options.styles, options.sizes):
        tokenizer = trained(style, turns, size)
        decoder = ConstrainedDecoder(surface="dataflow", schema=load_schema("smcalflow"), tokenizer=tokenizer)
        lost = tokens = 0
        start = time.perf_counter()
        for text, count in distinct.items():
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            tokens += len(ids) * count
            at = first_refused(decoder, ids)
            if at is not None:
                lost += count
                print("lost", style, tokenizer.convert_ids_to_tokens(ids)[at : at + 1], text)
        spent = time.perf_counter() - start
        machine = decoder.machines[0]
        print(
            f"{style}, {len(tokenizer)} tokens: {lost} of {len(turns)} turns lose a token ({tokens / len(turns):.1f}"
            f" tokens a turn; {spent:.1f} s); {len(machine.automaton.controls)} states"
        )


# ---------------------------------------------------------------- samples

Choose = Callable[[list[list[int]], np.ndarray], list[int]]
"""A model: the tokens so far of each row and what is allowed (bool [batch, vocabulary]), to the tokens chosen."""
LET = "(let (x0"
MIX = (("uniform", "", 14), ("uniform", LET, 3), ("n-gram", "", 15), ("n-gram", LET, 51),
       ("random transformer", "", 14), ("random transformer", LET, 3))  # fmt: skip
"""Models, how their programs begin, and the share of all samples in percent."""
ROUND = 1500
"""Samples after which what was found so far is printed."""


def uniform(size: int, rng: np.random.Generator) -> Choose:
    def choose(_: list[list[int]], allowed: np.ndarray) -> list[int]:
        return [int(rng.choice(np.flatnonzero(row))) for row in allowed]

    return choose


def ngram(rng: np.random.Generator, gold_ids: Sequence[Sequence[int]], end: int, order: int) -> Choose:
    """Shares in the corpus after the last tokens, each shorter context at three tenths of the one before it, and a
    little of everything: sharper, it stays in places that the corpus does not know and never closes what it opened."""
    counts: dict[tuple[int, ...], collections.Counter[int]] = collections.defaultdict(collections.Counter)
    begin = (-1,) * (order - 1)
    for ids in gold_ids:
        padded = (*begin, *ids, end)
        for i in range(order - 1, len(padded)):
            for length in range(order):
                counts[padded[i - length : i]][padded[i]] += 1
    seen = {
        context: (np.fromiter(found, dtype=np.int64), np.fromiter(found.values(), dtype=np.float64) / found.total())
        for context, found in counts.items()
    }

    def row(said: list[int], allowed: np.ndarray) -> int:
        last = (*begin, *said)[-(order - 1) :]
        weights, weight = np.full(len(allowed), 1e-6), 1.0
        for at in range(order):
            if last[at:] in seen:
                ids, shares = seen[last[at:]]
                weights[ids] += weight * shares
            weight *= 0.3
        total = np.cumsum(np.where(allowed, weights, 0.0))
        return int(np.searchsorted(total, rng.random() * total[-1], side="right"))

    return lambda said, allowed: [row(*each) for each in zip(said, allowed, strict=True)]


def transformer(size: int, rng: np.random.Generator) -> Choose:
    """A small GPT-2 whose weights are random and large enough that its choices depend on what was said."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.set_num_threads(1)
    torch.manual_seed(int(rng.integers(1 << 30)))
    config = GPT2Config(
        vocab_size=size,
        bos_token_id=0,
        eos_token_id=0,
        n_positions=48,
        n_embd=32,
        n_layer=1,
        n_head=2,
        initializer_range=0.3,
    )
    model = GPT2LMHeadModel(config).eval()

    @torch.no_grad()
    def choose(said: list[list[int]], allowed: np.ndarray) -> list[int]:
        recent = [each[-40:] for each in said]
        longest = max(len(each) for each in recent) + 1
        ids = torch.zeros((len(said), longest), dtype=torch.long)
        seen = torch.zeros_like(ids)
        for i, each in enumerate(recent):
            ids[i, longest - len(each) :] = torch.tensor(each, dtype=torch.long)
            seen[i, longest - len(each) - 1 :] = 1
        logits = model(ids, attention_mask=seen).logits[:, -1] / 4
        logits = logits.masked_fill(~torch.from_numpy(allowed), float("-inf"))
        return torch.multinomial(torch.softmax(logits, -1), 1)[:, 0].tolist()  # type: ignore[no-any-return]

    return choose


@dataclass(frozen=True, slots=True)
class Sample:
    """A program: its text, its tokens (those it begins with apart), and whether the budget forced its end."""

    text: str
    tokens: int
    forced: bool

    @property
    def calls(self) -> int:
        return len(_heads(self.text))


def sampled(
    decoder: ConstrainedDecoder, choose: Choose, count: int, budget: int, prefix: str, before: list[int]
) -> Iterator[Sample]:
    """Samples begun with a prefix, whose tokens the model has seen before."""
    from dlc.neural import core

    tokens = decoder.vocabulary.tokens
    for start in range(0, count, 50):
        batch = min(50, count - start)
        state: Any = decoder.start(batch, budget=budget, prefix=prefix)
        said: list[list[int]] = [list(before) for _ in range(batch)]
        while not all(state.done):
            chosen = choose(said, decoder.mask(state))
            state = decoder.advance(state, chosen)
            for each, token, over in zip(said, chosen, state.done, strict=True):
                if not over:
                    each.append(token)
        forced = state.rows[:, core.PLANNED] != core.NO_PLAN
        for i, each in enumerate(said):
            own = each[len(before) :]
            yield Sample(prefix + b"".join(tokens[t] or b"" for t in own).decode(), len(own), bool(forced[i]))


def judged(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What `dlc typecheck` says of each text."""
    with tempfile.TemporaryDirectory() as folder:
        rows, out = Path(folder) / "rows.jsonl", Path(folder) / "out.jsonl"
        rows.write_text("".join(json.dumps({"program": text}) + "\n" for text in texts), encoding="utf-8")
        command = [sys.executable, "-m", "dlc", "typecheck", str(rows), "--lang", "dataflow", "--schema", "smcalflow"]
        subprocess.run([*command, "--format", "json", "-o", str(out)], check=False)
        return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


def shared_variables() -> frozenset[str]:
    """Functions with a type variable that two of their parameters share."""
    names = Names(load_schema("smcalflow"))
    return frozenset(
        head
        for head, function in names.function.items()
        for name, _ in function.tparams
        if sum(name in mentions(p.type) for p in function.params) > 1
    )


_LITERALS = {
    "string": r'"[^"\\]', "empty string": r'""', "string with an escape": r'"(?:[^"\\]|\\.)*\\',
    "string beyond ASCII": r'"[^"]*[^\x00-\x7f]', "long": r"[ (]\d+L[ )]", "number": r"[ (]\d+[ )]",
    "negative number": r"[ (]-\d", "decimal number": r"[ (]-?\d+\.\d+[ )]", "true": r"[ (]true[ )]",
    "false": r"[ (]false[ )]",
}  # fmt: skip
_FORMS = {
    "let": r"^\(let ", "let of several names": r"^\(let .* x1 ", "variable": r"[ )]x\d+\)",
    "type argument": r"\(\^\(", "type argument of several words": r"\(\^\(\(", "label": r" :\w+ ", "no argument": r"\(\w+\)",
}  # fmt: skip


def missing(texts: Sequence[str]) -> dict[str, list[str]]:
    """What no sample has: callables, kinds of literals and of constants, forms of programs."""
    schema = load_schema("smcalflow")
    judge = Judge(schema, Names(schema), Checker(schema))
    signatures = Signatures(schema, judge, FlowLimits().types, len)
    pairs = zip(signatures.all, signatures.spaces, strict=True)
    callable_ = {s.head for s, space in pairs if space is not None}
    seen = {head for text in texts for head in _heads(text)}
    enums = [enum.name for enum in schema.enums if enum.open]
    free = [e for e in enums if not any(h.startswith(f"{e}.") and h not in callable_ for h in seen)]
    spelled = {**_LITERALS, **_FORMS}
    return {
        f"callables (of {len(callable_)})": sorted(callable_ - seen),
        f"open enums with a constant not listed (of {len(enums)})": free,
        f"kinds of literals and forms (of {len(spelled)})": [
            name for name, pattern in spelled.items() if not any(re.search(pattern, text) for text in texts)
        ],
    }


def samples(options: argparse.Namespace) -> None:
    from tokenizers_of import trained

    turns = corpus(options.corpora)
    tokenizer = trained("bytes split", turns, 4000)
    decoder = ConstrainedDecoder(
        surface="dataflow", schema=load_schema("smcalflow"), tokenizer=tokenizer, executor="cpu"
    )
    gold_ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in turns]
    shared, size, end = shared_variables(), decoder.vocabulary.size, decoder.vocabulary.ends[0]
    # Few programs of the corpus bind names: those count five times.
    learnt = gold_ids + [ids for text, ids in zip(turns, gold_ids, strict=True) if text.startswith("(let ")] * 4
    rng = np.random.default_rng(options.seed)
    makers: dict[str, Callable[[], Choose]] = {
        "uniform": lambda: uniform(size, rng),
        "n-gram": lambda: ngram(rng, learnt, end, options.order),
        "random transformer": lambda: transformer(size, rng),
    }
    models = {name: makers[name]() for name in options.models}
    before = tokenizer(LET, add_special_tokens=False)["input_ids"]
    every: dict[str, list[Sample]] = collections.defaultdict(list)
    good: collections.Counter[str] = collections.Counter()
    begun = time.perf_counter()
    for number in range(-(-options.count // ROUND)):
        if number and time.perf_counter() - begun > 60 * options.minutes:
            break
        made: list[tuple[str, Sample]] = []
        for name, prefix, percent in MIX:
            if name in models:
                of, seen = f"{name}, {'begun ' + prefix if prefix else 'whole'}", before if prefix else []
                count = ROUND * percent // 100
                made += [(of, e) for e in sampled(decoder, models[name], count, options.budget, prefix, seen)]
        for (of, sample), row in zip(made, judged([sample.text for _, sample in made]), strict=True):
            every[of].append(sample)
            good[of] += row["ok"] and row["type"] is not None
            if not row["ok"] or row["type"] is None:
                print("  wrong:", sample.text, row["diagnostics"])
        print(f"{sum(map(len, every.values()))} samples, {time.perf_counter() - begun:.0f} s", flush=True)
        report({**every, "together": [e for each in every.values() for e in each]}, good, shared, options.budget)


def report(
    groups: dict[str, list[Sample]], good: "collections.Counter[str]", shared: frozenset[str], budget: int
) -> None:
    """Print the figures of all samples so far."""
    for name, made in groups.items():
        variables = sum(any(head in shared for head in _heads(each.text)) for each in made)
        print(
            f"{name}: {len(made)} samples, {good[name] if name in good else good.total()} well typed, "
            f"{sum(each.tokens <= budget for each in made)} within {budget} tokens, "
            f"{sum(each.calls > 10 for each in made)} over 10 calls, "
            f"{sum(_uses_variable(each.text) for each in made)} use a variable they bind, "
            f"{variables} with a shared type variable, {sum(each.forced for each in made)} ended by the budget"
        )
    every = groups["together"]
    for what, cuts in (("tokens", (5, 10, 20, 40, 80, 120, 160, 200, 300)), ("calls", (1, 2, 3, 5, 10, 20, 40))):
        found = [getattr(each, what) for each in every]
        low, parts = 0, []
        for cut in (*cuts, max(found)):
            parts.append(f"{low}-{cut}: {sum(low <= n <= cut for n in found)}")
            low = cut + 1
        print(f"{what}: " + ", ".join(parts))
    for what, names in missing([each.text for each in every]).items():
        print(f"no sample has of {what}: {', '.join(names) or 'none missing'}", flush=True)


def _bare(text: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)


def _plain(text: str) -> str:
    """Without what strings say and without type arguments."""
    bare, out, at = _bare(text), [], 0
    while (start := bare.find("(^(", at)) >= 0:
        out.append(bare[at : start + 1])
        depth, at = 1, start + 3
        while depth:
            depth += {"(": 1, ")": -1}.get(bare[at], 0)
            at += 1
        at += 1
    return "".join(out) + bare[at:]


def _uses_variable(text: str) -> bool:
    """Every bound name is there once where it is bound."""
    names = re.findall(r"(?<=[ (])x[0-9]+(?=[ )])", _bare(text))
    return len(names) > len(set(names))


def _heads(text: str) -> list[str]:
    return [head for head in re.findall(r"\(([^\s()]+)", _plain(text)) if head not in ("let", "x0")]


# ---------------------------------------------------------------- sizes


def sizes(options: argparse.Namespace) -> None:
    from vocabularies import load

    turns = list(dict.fromkeys(corpus(options.corpora)))
    for size in options.vocabularies:
        tokenizer = load(size)
        start = time.perf_counter()
        vocabulary = read_vocabulary(tokenizer)
        vocabulary.prepare()
        read = time.perf_counter() - start
        start = time.perf_counter()
        decoder = ConstrainedDecoder(surface="dataflow", schema=load_schema("smcalflow"), tokenizer=vocabulary)
        compiled = time.perf_counter() - start
        machine = decoder.machines[0]
        fills: list[float] = []
        tokens = 0
        rows: set[bytes] = set()
        for text in turns:
            state = decoder.start(1)
            for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
                start = time.perf_counter()
                row = decoder.bits(state)
                fills.append(time.perf_counter() - start)
                rows.add(row.tobytes())
                state = decoder.advance(state, [token])
                tokens += 1
        p50, p99, worst = np.percentile(fills, (50, 99, 100)) * 1e6
        print(
            f"{size}: tokenizer {read:.2f} s, compiled {compiled:.2f} s; gold, {tokens} steps: "
            f"{len(machine.automaton.controls)} states, {len(machine.automaton.frames)} frames, "
            f"{len(machine.cells)} configurations, {len(rows)} distinct masks; reference fill p50/p99/max "
            f"{p50:.0f}/{p99:.0f}/{worst:.0f} us, mean {np.mean(fills) * 1e6:.0f} us"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("gold", "samples", "sizes"))
    parser.add_argument("--styles", nargs="*", default=("bytes", "bytes split", "sentencepiece"))
    parser.add_argument("--sizes", type=int, nargs="*", default=(4000,))
    parser.add_argument("--vocabularies", type=int, nargs="*", default=(32_000, 128_256))
    parser.add_argument("--models", nargs="*", default=("uniform", "n-gram", "random transformer"))
    parser.add_argument("--count", type=int, default=15_000)
    parser.add_argument("--budget", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--order", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("DLC_CORPORA", "../shared/data")))
    options = parser.parse_args()
    {"gold": gold, "samples": samples, "sizes": sizes}[options.what](options)


if __name__ == "__main__":
    main()
