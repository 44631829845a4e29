"""Compiling a schema when the tokenizer's part is kept, and what the first visit of each state then takes.

    python benchmarks/first_fills.py [--size 128256] [--programs 200] [--only smcalflow sgd dialogue multiwoz]

`executor="cpu"`, gold token by token, each program once: Lispress over `smcalflow`; DL over the services of the SGD
dialogue that has most of them, over all services of SGD's training file, and over MultiWOZ. CPU time of the process
(other work on the machine still makes it longer: caches, memory), and wall time. Objects of the program around are
frozen (`gc.freeze`), since collecting them is not the decoder's time; what the decoder makes itself is collected, but
not while it fills: passes of the collector over it come later, and are told apart.
"""

import argparse
import gc
import gzip
import json
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from decoder_dl import programs
from decoding import gold
from vocabularies import CORPORA, FOLDER, load

from dlc import load_schema
from dlc.compiler.schema import Schema
from dlc.neural.cache import cached_vocabulary
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.vocabulary import Vocabulary

LIMIT = 0.005
"""Seconds that no fill should take."""


def cases(only: Sequence[str]) -> list[tuple[str, str, Schema, list[str]]]:
    """Name, surface, schema and gold."""
    found = []
    if "smcalflow" in only:
        found.append(("smcalflow", "dataflow", load_schema("smcalflow"), [text for text, _ in gold()]))
    sgd = str(CORPORA / "sgd" / "train.schema.json")
    texts = [t for each in programs("sgd", CORPORA).values() for t in each] if {"sgd", "dialogue"} & set(only) else []
    if "dialogue" in only:
        names, schema = services()
        own = [t for t in texts if not any(name in t for name in others(names))]
        found.append((f"SGD, {len(names)} services of a dialogue", "dl", schema, own))
    if "sgd" in only:
        found.append(("SGD, all services", "dl", load_schema(sgd), texts))
    if "multiwoz" in only:
        made = [t for each in programs("multiwoz", CORPORA).values() for t in each]
        found.append(("MultiWOZ", "dl", load_schema("multiwoz"), made))
    return found


def described() -> list[dict[str, Any]]:
    """SGD's services."""
    return json.loads((CORPORA / "sgd" / "train.schema.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def others(names: Sequence[str]) -> list[str]:
    """Services but these."""
    return [each["service_name"] for each in described() if each["service_name"] not in names]


def services() -> tuple[list[str], Schema]:
    """The services of the first dialogue that has most of those described, and a schema of them."""
    known = {each["service_name"] for each in described()}
    best: list[str] = []
    for path in sorted((CORPORA / "sgd").glob("*.dialogues_*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for dialogue in json.load(file):
                if len(best) < len(dialogue["services"]) and known.issuperset(dialogue["services"]):
                    best = dialogue["services"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.json"
        path.write_text(json.dumps([each for each in described() if each["service_name"] in best]), encoding="utf-8")
        return best, load_schema(str(path))


def said(name: str, values: list[float]) -> str:
    """Percentiles in milliseconds, and how many are above the limit."""
    array = np.array(values)
    points = np.array((*np.percentile(array, (50, 95, 99)), array.max(), array.mean())) * 1e3
    above = int((array > LIMIT).sum())
    return (
        f"{name} p50/p95/p99/max/mean {'/'.join(f'{v:.3f}' for v in points)} ms, "
        f"above {LIMIT * 1e3:.0f} ms: {above} of {len(array)} ({above / len(array):.2%})"
    )


def measured(name: str, surface: str, schema: Schema, texts: list[str], tokenizer: Any, vocabulary: Vocabulary) -> None:
    """Compile and fill; print what they take."""
    gc.collect()
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    decoder = ConstrainedDecoder(surface=surface, schema=schema, tokenizer=vocabulary, executor="cpu")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name}: compile {cpu:.3f} s of CPU, {wall:.3f} s", flush=True)
    if not texts:
        return
    executor: Any = decoder.executor
    out, row = np.empty((1, executor.ends.size), dtype=np.uint32), np.zeros(1, dtype=np.int64)
    walls: list[float] = []
    cpus: list[float] = []
    passes: list[float] = []
    collector = lambda phase, _: passes.append(time.process_time() * (1 if phase == "stop" else -1))  # noqa: E731
    gc.callbacks.append(collector)
    for text in texts:
        state = decoder.start(1)
        for token in tokenizer.encode(text, add_special_tokens=False):
            start, begin = time.perf_counter(), time.process_time()
            executor.fill_rows(state, row, out)
            cpus.append(time.process_time() - begin)
            walls.append(time.perf_counter() - start)
            state = executor.advance(state, np.array([token]))
    print(f"  {len(texts)} programs, first fills: {said('CPU', cpus)}; {said('wall', walls)}")
    gc.callbacks.remove(collector)
    pauses = [a + b for a, b in zip(passes[::2], passes[1::2], strict=False)]
    print(f"  passes of the collector: {len(pauses)}, the longest {max(pauses, default=0) * 1e3:.0f} ms,"
          f" {sum(pauses):.2f} s in all")  # fmt: skip
    print(f"  tables: {executor.tables.sizes()}, load of the machine {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128_256)
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=["smcalflow", "dialogue", "sgd", "multiwoz"])
    options = parser.parse_args()
    tokenizer = load(options.size)
    vocabulary = cached_vocabulary(tokenizer, folder=FOLDER)
    vocabulary.prepare()
    # The executor's compiled loops are loaded once a process, which is no schema's time.
    small = Vocabulary((*(bytes((b,)) for b in range(256)), None), ends=(256,))
    ConstrainedDecoder(schema=load_schema("multiwoz"), tokenizer=small, executor="cpu")
    for name, surface, schema, texts in cases(options.only):
        random.Random(1).shuffle(texts)
        measured(name, surface, schema, texts[: options.programs], tokenizer, vocabulary)


if __name__ == "__main__":
    main()
