"""The decoder over DL: gold that it loses, samples judged by `dlc typecheck`, sizes.

    python benchmarks/decoder_dl.py gold [--corpus multiwoz …] [--every 1] [--styles bytes …] [--size 4000]
    python benchmarks/decoder_dl.py samples [--count 5000] [--budget 600] [--seed 1] [--schemas …] [--save FILE]
    python benchmarks/decoder_dl.py report FILE …
    python benchmarks/decoder_dl.py sizes [--vocabularies 32000 128256]

gold: the printed DL of every corpus, byte by byte over the schemas it names, then spelled by tokenizers of several
styles and fed token by token; a program with a byte or token that is not allowed is lost, by what
`contract.outside` says of it. samples: from a uniform model, an n-gram model of the gold and a transformer with random
weights, over MultiWOZ, an SGD schema of many services and the largest database of Spider. sizes: typed states, frames
and distinct masks of what gold visits, and how long compiling and first fills take.
"""

import argparse
import collections
import gc
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema import Schema
from dlc.neural.automaton import Automaton, Control, Frame
from dlc.neural.contract import outside
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.dl_turns import dl_surface
from dlc.neural.vocabulary import read_vocabulary
from dlc.schemas import load_schema
from dlc.sql_schemas import read_collection

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "benchmarks")]

CORPORA = {
    "multiwoz": ("multiwoz", ["multiwoz21/val.json.zip"], None),
    "thingtalk": ("multiwoz3", ["multiwoz30/train.user.tsv", "multiwoz30/train.agent.tsv"], None),
    "sgd": ("sgd", ["sgd"], "sgd/train.schema.json"),
    "cosql": ("cosql", ["cosql/dialogues.json.gz"], "spider/tables.json"),
    "sparc": ("sparc", ["sparc/dialogues.json.gz"], "spider/tables.json"),
    "spider": ("spider", ["spider/dialogues.json.gz"], "spider/tables.json"),
}


def programs(name: str, root: Path) -> dict[str, collections.Counter[str]]:
    """Printed DL of a corpus by the name of its schema, with how often each program occurs."""
    source, paths, schema = CORPORA[name]
    command = [sys.executable, "-m", "dlc", "convert", source, *(str(root / p) for p in paths), "--to", "dl"]
    command += ["--speakers", "both", *(["--schema", str(root / schema)] if schema else [])]
    found: dict[str, collections.Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.jsonl"
        done = subprocess.run([*command, "-o", str(out)], check=False, capture_output=True, text=True)
        if not out.exists():
            raise SystemExit(f"{name} cannot be read: {done.stderr[-400:]}")
        for line in out.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["program"] is not None:
                found.setdefault(row["schema"], collections.Counter())[row["program"]] += 1
    return found


class Schemas:
    """Schemas by the names that corpora give them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._databases: Any = None

    def get(self, corpus: str, name: str) -> Schema:
        if CORPORA[corpus][2] == "spider/tables.json":
            if self._databases is None:
                path = self.root / "spider" / "tables.json"
                self._databases = read_collection(path.read_text(encoding="utf-8"), str(path))
            return self._databases[name]  # type: ignore[no-any-return]
        return load_schema(str(self.root / str(CORPORA[corpus][2])) if CORPORA[corpus][2] else name)


class Reader:
    """Bytes against the automaton alone: no costs, no rows."""

    def __init__(self, schema: Schema) -> None:
        net, root = dl_surface(schema)
        self.automaton = Automaton(net, root)

    def lost_at(self, text: str) -> int | None:
        """The first byte that is refused (the length: the end); None if the whole program is read."""
        control: Control | None = self.automaton.root
        assert control is not None
        stack: list[Frame] = []
        for at, byte in enumerate(text.encode()):
            moved = self.automaton.step(control, byte)
            while moved is None:
                back = self.automaton.after(stack.pop(), control.ended) if control.ended and stack else None
                if back is None:
                    return at
                control = back
                moved = self.automaton.step(control, byte)
            control = moved[0]
            stack += moved[1]
        while control is not None and control.ended:
            if not stack:
                return None
            control = self.automaton.after(stack.pop(), control.ended)
        return len(text.encode())


def gold(options: argparse.Namespace) -> None:
    schemas = Schemas(options.corpora)
    for corpus in options.corpus:
        start = time.perf_counter()
        by_schema = programs(corpus, options.corpora)
        total = sum(c.total() for c in by_schema.values())
        distinct = sum(len(c) for c in by_schema.values())
        lost, why = 0, collections.Counter[str]()
        for name, counts in by_schema.items():
            schema = schemas.get(corpus, name)
            checker, reader = Checker(schema), Reader(schema)
            for text, count in itertools.islice(counts.items(), 0, None, options.every):
                if reader.lost_at(text) is not None:
                    checked = compile_program(text, checker)
                    reason = outside(checked.turns[0].turn, checker.schema) if checked.ok else "not well typed"
                    lost += count
                    why[reason or "unexplained"] += count
        spent = time.perf_counter() - start
        print(f"{corpus}: {total} programs ({distinct} distinct) over {len(by_schema)} schemas; lost by bytes: {lost}"
              f" ({spent:.0f} s)", flush=True)  # fmt: skip
        for reason, count in why.most_common():
            print(f"  {count} {reason}")
        if options.styles:
            tokens(options, corpus, by_schema, schemas)


def tokens(
    options: argparse.Namespace, corpus: str, by_schema: dict[str, collections.Counter[str]], schemas: Schemas
) -> None:
    """The same, token by token, in several styles of tokenizer trained on the corpus."""
    from teacher_forcing import first_refused
    from tokenizers_of import trained

    texts = [text for counts in by_schema.values() for text in counts]
    for style in options.styles:
        tokenizer = trained(style, texts, options.size)
        vocabulary = read_vocabulary(tokenizer)
        lost = fed_ = said = 0
        start = time.perf_counter()
        for name, counts in by_schema.items():
            decoder = ConstrainedDecoder(schema=schemas.get(corpus, name), tokenizer=vocabulary)
            for text, count in itertools.islice(counts.items(), 0, None, options.every):
                ids = tokenizer(text, add_special_tokens=False)["input_ids"]
                fed_, said = fed_ + 1, said + len(ids)
                at = first_refused(decoder, ids)
                if at is not None:
                    lost += count
                    print("  lost", tokenizer.convert_ids_to_tokens(ids)[at : at + 1], text)
        spent = time.perf_counter() - start
        print(f"  {style}, {len(tokenizer)} tokens: {fed_} programs, {said / max(1, fed_):.1f} tokens each;"
              f" lost: {lost} ({spent:.0f} s)", flush=True)  # fmt: skip


# ---------------------------------------------------------------- samples


def schemas_of_samples(root: Path) -> dict[str, Schema]:
    """MultiWOZ, an SGD schema of many services, the largest database of Spider."""
    tables = json.loads((root / "spider" / "tables.json").read_text(encoding="utf-8"))
    largest = max(tables, key=lambda t: len(t["column_names"]))["db_id"]
    databases = Schemas(root)
    return {
        "multiwoz": load_schema("multiwoz"),
        "sgd": load_schema(str(root / "sgd" / "train.schema.json")),
        largest: databases.get("spider", largest),
    }


def gold_of_samples(name: str, schema: Schema, options: argparse.Namespace) -> list[str]:
    """Programs to learn from: some of what there is over a schema, and Spider's queries moved to it, some of them with
    their table bound to a variable."""
    from dl_samples import bound, moved

    rng = np.random.default_rng(options.seed)
    by_schema = {other: sorted(counts) for other, counts in programs("spider", options.corpora).items()}
    databases = Schemas(options.corpora)
    schemas = {other: databases.get("spider", other) for other in by_schema}
    queries = list(itertools.islice(moved(by_schema, schemas, schema, rng), options.learnt // 4))
    own = sorted({t for c in programs(name, options.corpora).values() for t in c}) if name in CORPORA else []
    chosen = rng.permutation(len(own))[: options.learnt]
    return [*(own[i] for i in chosen.tolist()), *queries, *bound(queries, schema)[::4]]


SHARE = {"multiwoz": 40, "sgd": 40, "": 20}
"""How many of all samples are over which schema, in percent: the largest database, where growth is dear, has the least."""


def samples(options: argparse.Namespace) -> None:
    from dl_samples import setting
    from sampling import draw

    for name, schema in schemas_of_samples(options.corpora).items():
        if options.schemas and name not in options.schemas:
            continue
        left, part = options.count * SHARE[name if name in SHARE else ""] // 100, 0
        gold = gold_of_samples(name, schema, options)
        while left > 0:
            made = setting(name, schema, gold, (options.budget, options.budget // 2))
            if options.models:
                kept = {kind: share for kind, share in made.shares.items() if kind[0] in options.models}
                made = replace(made, shares={k: share * 100 // sum(kept.values()) for k, share in kept.items()})
            draw(made, min(left, options.part), 200, options.seed + 1000 * part, options.save)
            del made
            gc.collect()
            left, part = left - options.part, part + 1


def report(options: argparse.Namespace) -> None:
    """What samples that were saved are like."""
    import sampling
    from dl_samples import measures

    sampling.report(sampling.load(options.files), measures(list(schemas_of_samples(options.corpora).values())))


# ---------------------------------------------------------------- sizes


def sizes(options: argparse.Namespace) -> None:
    from tokenizers_of import trained

    schemas = Schemas(options.corpora)
    wanted = schemas_of_samples(options.corpora)
    multiwoz = list(itertools.chain.from_iterable(programs("multiwoz", options.corpora).values()))
    for size in options.vocabularies:
        tokenizer = trained("bytes split", multiwoz, size) if size <= 8000 else _loaded(size)
        vocabulary = read_vocabulary(tokenizer)
        for name, schema in wanted.items():
            texts = multiwoz[:: options.every] if name == "multiwoz" else _made(schema)
            start = time.perf_counter()
            decoder = ConstrainedDecoder(schema=schema, tokenizer=vocabulary)
            compiled = time.perf_counter() - start
            first, again, rows = measured(decoder, tokenizer, texts)
            machine = decoder.machines[0]
            print(
                f"{name}, {vocabulary.size} tokens: compiled {compiled * 1000:.0f} ms; {len(texts)} programs: "
                f"{len(machine.net.states)} network states, {len(machine.automaton.controls)} typed states, "
                f"{len(machine.automaton.frames)} frames, {len(machine.cells)} configurations, {rows} distinct masks; "
                f"first fills p50/p99/max {_ms(first)} ms, again {_ms(again)} ms",
                flush=True,
            )
    del schemas


def _loaded(size: int) -> Any:
    from vocabularies import load

    return load(size)


def _made(schema: Schema) -> list[str]:
    """Programs over a schema's tables, joins included."""
    from dlc.compiler.spelling import quote_name

    names = [quote_name(t.name) for t in schema.tables]
    made = [f"user: {name};" for name in names]
    for a, b in itertools.pairwise(names):
        made.append(f"user: {a} | join {b} | whole | show count();")
    for a, b, c in zip(names, names[1:], names[2:], strict=False):
        made.append(f"user: {a} | join {b} | join {c} | distinct;")
    return made


def measured(decoder: ConstrainedDecoder, tokenizer: Any, texts: Sequence[str]) -> tuple[list[float], list[float], int]:
    """Seconds of every fill the first time and the second, and how many masks differ."""
    times: list[list[float]] = [[], []]
    rows: set[bytes] = set()
    for which, text in itertools.product((0, 1), texts):
        state = decoder.start(1)
        for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
            start = time.perf_counter()
            row = decoder.bits(state)
            times[which].append(time.perf_counter() - start)
            rows.add(row.tobytes())
            state = decoder.advance(state, [token])
    return times[0], times[1], len(rows)


def _ms(seconds: Sequence[float]) -> str:
    return "/".join(f"{x * 1000:.2f}" for x in np.percentile(seconds, (50, 99, 100)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("gold", "samples", "report", "sizes"))
    parser.add_argument("files", nargs="*", type=Path, help="samples that were saved, for a report")
    parser.add_argument("--corpus", nargs="*", choices=tuple(CORPORA), default=tuple(CORPORA))
    parser.add_argument("--styles", nargs="*", default=("bytes", "bytes split", "sentencepiece"))
    parser.add_argument("--schemas", nargs="*", default=())
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--vocabularies", type=int, nargs="*", default=(4000,))
    parser.add_argument("--count", type=int, default=5000, help="for all three schemas together")
    parser.add_argument("--budget", type=int, default=600)
    parser.add_argument("--learnt", type=int, default=2000, help="programs to learn from; a fourth as many are moved")
    parser.add_argument("--part", type=int, default=600, help="samples of one decoder: what grows takes memory")
    parser.add_argument("--models", nargs="*", default=(), help="of n-gram, uniform, random transformer; default all")
    parser.add_argument("--save", type=Path, help="samples are added to this file of JSON lines")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("DLC_CORPORA", "../shared/data")))
    options = parser.parse_args()
    {"gold": gold, "samples": samples, "report": report, "sizes": sizes}[options.what](options)


if __name__ == "__main__":
    main()
