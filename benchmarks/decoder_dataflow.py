"""The decoder over Lispress: gold that it loses, samples judged by `dlc typecheck`, sizes, all of SMCalFlow 2.0.

    python benchmarks/decoder_dataflow.py gold [--styles …] [--sizes 4000]
    python benchmarks/decoder_dataflow.py samples [--count 3000] [--budget 160]
    python benchmarks/decoder_dataflow.py sizes [--vocabularies 32000 128256]

gold: every turn spelled by tokenizers of several styles and fed token by token; a token that the mask does not have
is lost. samples: from a uniform model, a trigram model of the corpus and a transformer with random weights; whole,
within their budget, and well typed are counted, with what they use. sizes: typed states, frames and rows of what gold
and samples visit, and how long compiling takes.
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
from pathlib import Path
from typing import Any

import numpy as np

from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_contract import FlowContract
from dlc.neural.flow_types import mentions
from dlc.neural.vocabulary import read_vocabulary
from dlc.schemas import load_schema
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


def uniform(size: int, rng: np.random.Generator) -> Choose:
    def choose(_: list[list[int]], allowed: np.ndarray) -> list[int]:
        return [int(rng.choice(np.flatnonzero(row))) for row in allowed]

    return choose


def trigram(size: int, rng: np.random.Generator, gold_ids: Sequence[Sequence[int]], end: int) -> Choose:
    """Counts of the corpus, backed off to shorter contexts, and a little of everything."""
    counts: dict[tuple[int, ...], collections.Counter[int]] = collections.defaultdict(collections.Counter)
    for ids in gold_ids:
        padded = [-1, -1, *ids, end]
        for i in range(2, len(padded)):
            for context in (tuple(padded[i - 2 : i]), (padded[i - 1],), ()):
                counts[context][padded[i]] += 1
    seen = {
        context: (np.fromiter(found, dtype=np.int64), np.fromiter(found.values(), dtype=np.float64) / found.total())
        for context, found in counts.items()
    }
    nothing = np.zeros(0, dtype=np.int64), np.zeros(0)

    def row(said: list[int], allowed: np.ndarray) -> int:
        last = (-1, -1, *said)[-2:]
        weights = np.full(len(allowed), 1e-6)
        for context, weight in ((last, 1.0), (last[1:], 0.1), ((), 0.001)):
            ids, shares = seen.get(context, nothing)
            weights[ids] += weight * shares
        weights = np.cumsum(np.where(allowed, weights, 0.0))
        return int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))

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


def sampled(
    decoder: ConstrainedDecoder, choose: Choose, count: int, budget: int, prefix: str
) -> Iterator[tuple[str, int, bool]]:
    """Samples: text, tokens, and whether the budget forced the end."""
    tokens = decoder.vocabulary.tokens
    for start in range(0, count, 50):
        batch = min(50, count - start)
        state = decoder.start(batch, budget=budget, prefix=prefix)
        said: list[list[int]] = [[] for _ in range(batch)]
        while not all(state.done):
            chosen = choose(said, decoder.mask(state))
            state = decoder.advance(state, chosen)
            for each, token, over in zip(said, chosen, state.done, strict=True):
                if not over:
                    each.append(token)
        for i, each in enumerate(said):
            text = prefix + b"".join(tokens[t] or b"" for t in each).decode()
            yield text, len(each), state.plans[i] is not None


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


def samples(options: argparse.Namespace) -> None:
    from tokenizers_of import trained

    turns = corpus(options.corpora)
    tokenizer = trained("bytes split", turns, 4000)
    decoder = ConstrainedDecoder(surface="dataflow", schema=load_schema("smcalflow"), tokenizer=tokenizer)
    gold_ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in turns]
    shared, size, end = shared_variables(), decoder.vocabulary.size, decoder.vocabulary.ends[0]
    rng = np.random.default_rng(options.seed)
    makers: dict[str, Callable[[], Choose]] = {
        "uniform": lambda: uniform(size, rng),
        "trigram": lambda: trigram(size, rng, gold_ids, end),
        "random transformer": lambda: transformer(size, rng),
    }
    for name in options.models:
        choose = makers[name]()
        for prefix in ("", "(let (x0 "):
            start = time.perf_counter()
            made = list(sampled(decoder, choose, options.count, options.budget, prefix))
            spent = time.perf_counter() - start
            rows = judged([text for text, _, _ in made])
            assert len(rows) == len(made)
            good = sum(row["ok"] and row["type"] is not None for row in rows)
            calls = [text.count("(") - text.count("^(") - text.startswith("(let") for text, _, _ in made]
            using = sum(
                bool(re.search(r"\(let .*[ )]x[0-9]+[ )].*[ (]x[0-9]+[) ]", _bare(text))) for text, _, _ in made
            )
            variables = sum(any(head in shared for head in _heads(text)) for text, _, _ in made)
            lengths = np.percentile([n for _, n, _ in made], (5, 25, 50, 75, 95, 100)).astype(int).tolist()
            print(
                f"{name}, {'from ' + prefix.strip() if prefix else 'whole'}: {len(made)} samples, {good} well typed, "
                f"{sum(n <= options.budget for _, n, _ in made)} within {options.budget} tokens, "
                f"{sum(c > 10 for c in calls)} over 10 calls, {using} use a variable they bind, "
                f"{variables} with a shared type variable, {sum(f for _, _, f in made)} ended by the budget; "
                f"tokens p5/25/50/75/95/max {'/'.join(map(str, lengths))}; {spent:.0f} s"
            )
            for row, (text, _, _) in zip(rows, made, strict=True):
                if not row["ok"] or row["type"] is None:
                    print("  wrong:", text, row["diagnostics"])


def _bare(text: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)


def _uses_variable(text: str) -> bool:
    """Every bound name is there once where it is bound."""
    names = re.findall(r"(?<=[ (])x[0-9]+(?=[ )])", _bare(text))
    return len(names) > len(set(names))


def _heads(text: str) -> list[str]:
    return re.findall(r"\((?:\^\((?:[^()]|\([^()]*\))*\) )?([^\s()^]+)", _bare(text))


# ---------------------------------------------------------------- sizes


def sizes(options: argparse.Namespace) -> None:
    from vocabularies import load

    turns = list(dict.fromkeys(corpus(options.corpora)))
    for size in options.vocabularies:
        tokenizer = load(size)
        start = time.perf_counter()
        vocabulary = read_vocabulary(tokenizer)
        vocabulary.trie.levels  # noqa: B018
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
    parser.add_argument("--models", nargs="*", default=("uniform", "trigram", "random transformer"))
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("DLC_CORPORA", "../shared/data")))
    options = parser.parse_args()
    {"gold": gold, "samples": samples, "sizes": sizes}[options.what](options)


if __name__ == "__main__":
    main()
