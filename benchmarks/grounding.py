"""What grounding loses of gold: literals held to the dialogue so far, all of SMCalFlow 2.0 and MultiWOZ's user turns.

    python benchmarks/grounding.py [--corpus smcalflow multiwoz] [--every 1] [--checked 200]

Each gold program is read along its request (its own utterance and everything said before it by either side), as the
decoder's layer reads it; one whose literal is refused is lost. A sample of `--checked` programs is fed to the decoder
token by token with the same request: both must lose the same. What was refused first is put in a class by a program:
another case, inside a word, all or some or none of its words were said.
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
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from dlc.compiler.schema import Schema
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.grounding import Grounding
from dlc.neural.grounding_requests import Requests
from dlc.neural.literal_places import dl_places, flow_places
from dlc.neural.literal_walks import Walks
from dlc.neural.vocabulary import Vocabulary
from dlc.schemas import load_schema

BYTES = Vocabulary((*(bytes((b,)) for b in range(256)), None), (256,))
MODES = {
    "parts, case as written": Grounding(entities=True),
    "parts, either case": Grounding(entities=True, fold_case=True),
    "whole words, either case": Grounding(entities=True, fold_case=True, words=True),
}


def paths(schema: Schema) -> Grounding:
    """What `Path.apply` names is no one's word: it is a field or an argument of the schema."""
    names = {f.name for f in schema.fields} | {p.name for f in schema.functions for p in f.params if p.name}
    return Grounding(None, {"Path.apply": frozenset(names)}, fold_case=True, entities=True)


Item = tuple[str, tuple[str, ...]]


def smcalflow(root: Path) -> Iterator[Item]:
    """Programs with everything said so far."""
    with gzip.open(root / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            said: list[str] = []
            for turn in json.loads(line)["turns"]:
                said.append(turn["user_utterance"]["original_text"])
                yield turn["lispress"], tuple(said)
                said.append(turn["agent_utterance"]["original_text"])


def multiwoz(root: Path) -> Iterator[Item]:
    """The same of MultiWOZ: printed DL of user turns."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rows.jsonl"
        command = [sys.executable, "-m", "dlc", "convert", "multiwoz", str(root / "multiwoz21" / "val.json.zip")]
        subprocess.run([*command, "--to", "dl", "-o", str(out)], check=False, capture_output=True)
        dialogue, said = "", list[str]()
        for line in out.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["dialogue_id"] != dialogue:
                dialogue, said = row["dialogue_id"], []
            said += [row["heard"]] if row.get("heard") else []
            said.append(row["utterance"])
            if row["program"] is not None:
                yield row["program"], tuple(said)


def lost_at(walks: Walks, requests: Requests, grounding: Grounding, program: str) -> int | None:
    """The first byte that is refused; None if the whole program is read."""
    request, spot = requests.request(0, 0, grounding), walks.begin
    for at, byte in enumerate(program.encode()):
        after = walks.follow(request, spot, bytes((byte,)))
        if after is None:
            return at
        spot = after
    return None


def masked_at(decoder: ConstrainedDecoder, grounding: Grounding, program: str) -> int | None:
    """The same by the decoder's masks."""
    state = decoder.start(1, grounding=grounding)
    for at, byte in enumerate(program.encode()):
        if not decoder.mask(state)[0, byte]:
            return at
        state = decoder.advance(state, [byte])
    return None


def refused(program: str, at: int) -> tuple[str, bool]:
    """The literal that a byte is in, and whether it stands in what a statement gave (`-> [{ … }]`)."""
    data = program.encode()
    for match in re.finditer(rb'"(?:[^"\\]|\\.)*"', data):
        if match.start() < at < match.end():
            before = data[: match.start()]
            return json.loads(match.group()), before.rfind(b"-> [") > before.rfind(b";")
    raise AssertionError("a byte outside literals was refused")


def opened(program: str, at: int) -> str:
    """The program before the literal that a byte is in."""
    return program.encode()[:at].rsplit(b'"', 1)[0].decode()


def reason(value: str, texts: tuple[str, ...], words: bool) -> str:
    """Why a value is no part of texts."""
    if not value:
        return "empty"
    if any(value in text for text in texts):
        return "inside a word" if words else "unexplained"
    if any(value.lower() in text.lower() for text in texts):
        return "inside a word" if words else "in another case"
    heard = set(re.findall(r"\w+", " ".join(texts).lower()))
    wanted = re.findall(r"\w+", value.lower())
    known = sum(word in heard for word in wanted)
    if wanted and known == len(wanted):
        return "its words were said, but not so (order, spacing, marks, something between)"
    return "some of its words were said" if known else "none of its words was said"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", nargs="*", choices=("smcalflow", "multiwoz"), default=("smcalflow", "multiwoz"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--checked", type=int, default=200)
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("DLC_CORPORA", "../shared/data")))
    options = parser.parse_args()
    for corpus in options.corpus:
        surface, read = {"smcalflow": ("dataflow", smcalflow), "multiwoz": ("dl", multiwoz)}[corpus]
        items = list(itertools.islice(read(options.corpora), 0, None, options.every))
        said = [item for item in items if '"' in item[0]]
        print(f"{corpus}: {len(items)} programs, {len(said)} with a literal in quotes", flush=True)
        schema = load_schema(corpus)
        requests, walks = Requests(surface, [schema], BYTES), Walks(BYTES, surface == "dl", b"")
        decoder = ConstrainedDecoder(surface=surface, schema=schema, tokenizer=BYTES)
        picked = np.random.default_rng(1).permutation(len(said))[: options.checked]
        places_of = flow_places if surface == "dataflow" else partial(dl_places, schema=schema)
        modes = MODES if corpus == "multiwoz" else MODES | {"either case, paths by the schema's names": paths(schema)}
        for mode, grounding in modes.items():
            start, lost, why, where = (
                time.perf_counter(), dict[int, int](), collections.Counter[str](), collections.Counter[str]()
            )  # fmt: skip
            for i, (program, texts) in enumerate(said):
                wanted = Grounding(texts, grounding.sets, grounding.words, grounding.fold_case, grounding.entities)
                at = lost_at(walks, requests, wanted, program)
                if at is not None:
                    lost[i] = at
                    value, result = refused(program, at)
                    places = places_of(opened(program, at))
                    where[places[0] if places else "?"] += 1
                    why[reason(value, texts, grounding.words) + (", in a result" if result else "")] += 1
            spent = time.perf_counter() - start
            print(f"  {mode}: {len(lost)} lost, {len(lost) / len(items):.1%} of all, {len(lost) / len(said):.1%} of those"
                  f" with a literal ({spent:.0f} s)", flush=True)  # fmt: skip
            for each, count in why.most_common():
                print(f"    {count} {each}")
            print("    where:", ", ".join(f"{place} {count}" for place, count in where.most_common(8)))
            if mode != "parts, either case":
                continue
            start = time.perf_counter()
            for i in picked.tolist():
                program, texts = said[i]
                at = masked_at(decoder, Grounding(texts, fold_case=True, entities=True), program)
                assert at == lost.get(i), (program, at, lost.get(i))
            print(f"    of {len(picked)} programs the decoder's masks lose the same ({time.perf_counter() - start:.0f} s)",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
