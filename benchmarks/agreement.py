"""How far written ThingTalk agrees with the people who annotated MultiWOZ 3.0, beside two baselines.

    python benchmarks/agreement.py [-o docs/agreement.md]

Reads the corpora from DLC_CORPORA, else from ../shared/data beside the repository.
"""

import argparse
import json
import os
import sys
import zipfile
from collections import Counter
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from agreement import asked, causes, functions_of, human_turns, measure  # noqa: E402
from thingtalk_items import Item, Program, program_of  # noqa: E402

from dlc.compiler.schema_text import read_schema  # noqa: E402
from dlc.targets.slots.multiwoz import read_multiwoz  # noqa: E402
from dlc.targets.slots.states import Memo  # noqa: E402
from dlc.targets.thingtalk.write import ThingTalkMemo, write_thingtalk  # noqa: E402


def report(corpora: Path) -> str:
    """The page as Markdown."""
    schema = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
    functions = functions_of((corpora / "multiwoz30" / "schema.tt").read_text(encoding="utf-8"))
    rows = list(human_turns(corpora / "multiwoz30" / "train.user.tsv"))
    with zipfile.ZipFile(corpora / "multiwoz21" / "val.json.zip") as archive:
        dialogues = json.loads(archive.read(archive.namelist()[0]))
    memo, names = Memo(schema), ThingTalkMemo(schema)
    wanted = {row[0] for row in rows}
    programs: dict[tuple[str, int], Program] = {}
    for key, dialogue in dialogues.items():
        if key.removesuffix(".json") not in wanted:
            continue
        for turn in read_multiwoz(key, dialogue, schema, memo).turns:
            assert turn.program is not None
            text = write_thingtalk(turn.program, schema, names).program
            programs[turn.dialogue_id, turn.turn // 2] = program_of(text)

    def copied(dialogue: str, turn: int) -> Program:
        """The whole state, one statement a function, all asked for."""
        whole: dict[str, Item] = {}
        for item in programs[dialogue, turn].items:
            item = Item(item.function, item.inputs, item.filters)
            if item.function not in whole or item.slots:
                whole[item.function] = item
        return Program("execute", (), [i for i in whole.values() if i.slots])

    table = {
        "written": measure(rows, lambda d, k: programs[d, k], functions),
        "written, confirmed statements applied again": measure(rows, lambda d, k: programs[d, k], functions, True),
        "baseline: always `execute`, nothing else": measure(rows, lambda d, k: Program("execute"), functions),
        "baseline: `execute` and the whole state": measure(rows, copied, functions),
    }
    counts: Counter[str] = Counter()
    clean = 0
    for dialogue, turn, context, _, human in rows:
        found = causes(human, programs[dialogue, turn], context, functions)
        counts.update(found)
        clean += not found
    return _page(table, counts, clean, len(rows), len(wanted), sum(len(asked(r[4])) for r in rows))


def _page(
    table: dict[str, dict[str, float]], counts: Counter[str], clean: int, turns: int, dialogues: int, items: int
) -> str:
    lines = [
        "# Agreement with the human re-annotation",
        "",
        f"MultiWOZ 3.0 annotates {dialogues} of the validation dialogues again, by hand, in ThingTalk: {turns} user "
        f"turns, {items} statements.",
        "Below: percent of turns on which what `dlc convert multiwoz --to thingtalk` writes agrees with the people.",
        "Act and function are compared as they stand; slots by that data set's slot-only metric, as changes: the",
        "context of the row with the statements that the turn asks for. A confirmed statement repeats what an earlier",
        "turn asked for, so it is part of the context already; the second row applies it again all the same. The",
        "published figure for how often people changed the slots of MultiWOZ 2.1 is 83 % of turns (test set).",
        "",
        "| | act | function | slot | all three |",
        "|---|---|---|---|---|",
    ]
    for name, row in table.items():
        lines.append(f"| {name} | {row['act']:.1f} | {row['function']:.1f} | {row['slot']:.1f} | {row['all']:.1f} |")
    lines += [
        "",
        "## Causes of disagreement",
        "",
        f"{turns - clean} turns disagree in something. Each cause counts once a turn; where the functions differ, slots",
        "are not compared.",
        "",
        "| cause | turns |",
        "|---|---|",
        *(f"| {cause} | {count} |" for cause, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))),
        "",
        "A name only in the human target is mostly one that the agent offered and the user took up: the state of the",
        "turn does not hold it, and nothing is written that the annotation does not say. A slot only in the annotated",
        "state was said earlier and dropped by the people, or filled in from the agent's words. A don't-care that only",
        "the people wrote is a reply that the annotation passed over.",
        "",
        "Made by `python benchmarks/agreement.py -o docs/agreement.md`.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", type=Path, default=None)
    out = parser.parse_args().o
    page = report(Path(os.environ.get("DLC_CORPORA", ROOT.parent / "shared" / "data")))
    if out is None:
        print(page)
    else:
        out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
