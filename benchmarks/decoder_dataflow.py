"""The decoder over Lispress: gold that it loses, samples judged by `dlc typecheck`, sizes, all of SMCalFlow 2.0.

    python benchmarks/decoder_dataflow.py gold [--styles …] [--sizes 4000]
    python benchmarks/decoder_dataflow.py samples [--count 15000] [--budget 400] [--seed 1] [--save FILE]
    python benchmarks/decoder_dataflow.py report FILE …
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
import sys
import time
from pathlib import Path

import numpy as np

from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_contract import FlowContract
from dlc.neural.vocabulary import read_vocabulary
from dlc.schemas import load_schema

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


def samples(options: argparse.Namespace) -> None:
    from flow_samples import setting
    from sampling import draw

    draw(setting(corpus(options.corpora), options.budget), options.count, 1500, options.seed, options.save)


def report(options: argparse.Namespace) -> None:
    """What samples that were saved are like."""
    import sampling
    from flow_samples import measures

    sampling.report(sampling.load(options.files), measures(corpus(options.corpora)))


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
    parser.add_argument("what", choices=("gold", "samples", "report", "sizes"))
    parser.add_argument("files", nargs="*", type=Path, help="samples that were saved, for a report")
    parser.add_argument("--styles", nargs="*", default=("bytes", "bytes split", "sentencepiece"))
    parser.add_argument("--sizes", type=int, nargs="*", default=(4000,))
    parser.add_argument("--vocabularies", type=int, nargs="*", default=(32_000, 128_256))
    parser.add_argument("--count", type=int, default=15_000)
    parser.add_argument("--budget", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="samples are added to this file of JSON lines")
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("DLC_CORPORA", "../shared/data")))
    options = parser.parse_args()
    {"gold": gold, "samples": samples, "report": report, "sizes": sizes}[options.what](options)


if __name__ == "__main__":
    main()
