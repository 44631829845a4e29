"""MultiWOZ 3.0's programs read and type-checked, against the ThingTalk reference doing the same in the same run.

    python benchmarks/thingtalk.py [--rounds N] [--corpora PATH] [--reference PATH]

A round times ours and the reference's `--bench` on the same texts, one after the other, so that both meet the same
machine; a ratio is of one round, and medians are reported. Every pass of ours begins with nothing remembered; within
a pass what repeats in a corpus is read and inferred once, which is what a run of `dlc typecheck` does. `distinct`
leaves out texts that repeat whole. The reference has had its warm-up pass.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.schemas import load_schema
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.workers import spare_collector

Speaker = Literal["user", "agent"]
Rows = list[tuple[str, Speaker]]


def corpus(root: Path) -> tuple[Rows, Rows]:
    """Targets and contexts of both files, with whose turn each is."""
    targets: Rows = []
    contexts: Rows = []
    sides: tuple[tuple[Speaker, Speaker], ...] = (("user", "agent"), ("agent", "user"))
    for speaker, other in sides:
        for line in (root / "multiwoz30" / f"train.{speaker}.tsv").read_text(encoding="utf-8").splitlines():
            _, context, _, target = line.split("\t")
            targets.append((target, speaker))
            if context != "null":
                contexts.append((context, other))
    return targets, contexts


def ours(rows: Rows, schema: Schema) -> float:
    """Programs a second, from nothing remembered."""
    reader, checker = ThingTalkReader(schema), Checker(schema, acts=False)
    start = time.perf_counter()
    well_typed = sum(checker.check_turn(reader.read(text, speaker, tokenized=True)).ok for text, speaker in rows)
    seconds = time.perf_counter() - start
    if well_typed != len(rows):
        sys.exit(f"only {well_typed} of {len(rows)} programs are well typed")
    return len(rows) / seconds


def theirs(rows: Rows, classes: Path, folder: Path) -> float:
    """Programs a second of the reference: the median of its three timed passes."""
    fed = "".join(json.dumps({"id": i, "code": c, "syntax": "tokenized"}) + "\n" for i, (c, _) in enumerate(rows))
    command = ["node", "oracle.mjs", str(classes.resolve()), "--bench", "3"]
    done = subprocess.run(command, cwd=folder, input=fed, capture_output=True, text=True, check=True)
    passes = [json.loads(line) for line in done.stdout.splitlines()]
    return statistics.median(len(rows) / p["seconds"] for p in passes if p["mode"] == "parse+typecheck")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    root = Path(os.environ.get("DLC_CORPORA", "../shared/data"))
    parser.add_argument("--corpora", type=Path, default=root)
    parser.add_argument(
        "--reference", type=Path, default=Path(os.environ.get("DLC_ORACLE", "../shared/oracles/thingtalk"))
    )
    options = parser.parse_args()
    schema = load_schema("multiwoz")
    targets, contexts = corpus(options.corpora)
    spare_collector()
    sets = {"targets": targets, "contexts": contexts}
    sets |= {f"{name}, distinct": list(dict.fromkeys(rows)) for name, rows in sets.items()}
    for name, rows in sets.items():
        pairs = []
        for _ in range(options.rounds):
            mine = statistics.median(ours(rows, schema) for _ in range(3))
            pairs.append((mine, theirs(rows, options.corpora / "multiwoz30" / "schema.tt", options.reference)))
        ratios = sorted(mine / their for mine, their in pairs)
        mine, their = (statistics.median(column) for column in zip(*pairs, strict=True))
        said = f"{name}: {len(rows)} programs, {mine:,.0f}/s against {their:,.0f}/s"
        print(f"{said}, {statistics.median(ratios):.2f} x ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
