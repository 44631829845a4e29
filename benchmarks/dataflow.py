"""SMCalFlow programs: read, infer, write fully typed; MultiWOZ as dataflow: create and execute. In one process.

    python benchmarks/dataflow.py [--rounds N] [--corpora PATH]

Every round begins with nothing remembered. `turns` are all turns of the corpus in order, as the published figure was
measured (1,570 programs/s for the published tool, of its corpus with repeats); `distinct` leaves repeats out. MultiWOZ
programs are created from normalized turns as the published script does it (922 turns/s), and executed from their texts
to the state after each turn (3,133 turns/s). A line also says how many results equal the corpus, where they have to.
"""

import argparse
import gzip
import json
import os
import statistics
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.compiler.sugar import print_turn
from dlc.runtime.lispress import Plans
from dlc.runtime.requests import Requests, requests_dialogue
from dlc.runtime.revise import forget
from dlc.schemas import load_schema
from dlc.targets.dataflow.multiwoz import Options as Recipe
from dlc.targets.dataflow.multiwoz import dataflow_programs, flat_belief
from dlc.targets.dataflow.names import Names
from dlc.targets.dataflow.read import LispressReader
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.short import Shortener
from dlc.targets.dataflow.typed import Typist
from dlc.targets.dataflow.writer import write_program
from dlc.targets.slots.trade import TradeTurn, trade_turns
from dlc.workers import spare_collector

PUBLISHED = 1570
PUBLISHED_CREATE = 922
PUBLISHED_EXECUTE = 3133
Pairs = list[tuple[str, str]]


def corpus(root: Path) -> Pairs:
    """Untyped and fully typed text of every turn."""
    with gzip.open(root / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        turns = [turn for line in lines for turn in json.loads(line)["turns"]]
    return [(turn["lispress"], turn["fully_typed_lispress"]) for turn in turns]


def remembering(schema: Schema) -> Callable[[str], str]:
    typist = Typist(schema)
    return lambda text: typist.typed(text).text


def without_memo(schema: Schema) -> Callable[[str], str]:
    """The general way: each program read into a tree and judged call by call, no program remembered."""
    typist = Typist(schema)
    return lambda text: typist.inferred(text).text


def as_dl(schema: Schema) -> Callable[[str], str]:
    """The longest way: into the shortest DL, checked as a whole turn, typed Lispress from the checked turn."""
    checker = Checker(schema)
    typist = Typist(schema, checker)
    shortener = Shortener(typist.names, checker)
    return lambda text: typist.typed_turn(shortener.turn(read_program(text))[1]).text


def lispress(schema: Schema) -> Callable[[str], str]:
    return lambda text: write_program(read_program(text))


def dl_text(schema: Schema) -> Callable[[str], str]:
    reader = LispressReader(schema)

    def convert(text: str) -> str:
        turn, _ = reader.turn(text)
        return "" if turn is None else print_turn(turn)

    return convert


def create(dialogues: list[list[TradeTurn]]) -> list[list[str]]:
    """The recipe's programs as texts."""
    return [[write_program(program) for program in dataflow_programs(turns)] for turns in dialogues]


def execute(programs: list[list[str]], checker: Checker) -> list[list[dict[str, str]]]:
    """The state after each program, by running it on a graph."""
    plans = Plans(Names(checker.schema))
    states: list[list[dict[str, str]]] = []
    for texts in programs:
        running, live = requests_dialogue(checker), Requests()
        made = []
        for text in texts:
            running.run(plans.of(text))
            state = live.update(running.graph, running.graph.turns[-1])
            made.append({f"{name}-{slot}": value for name, slots in state.items() for slot, value in slots.items()})
        states.append(made)
    return states


def multiwoz(root: Path, rounds: int) -> None:
    """Creating and executing the programs of the validation dialogues."""
    with zipfile.ZipFile(root / "multiwoz21" / "val.json.zip") as archive:
        source = json.loads(archive.read(archive.namelist()[0]))
    dialogues = [turns for one in source.values() if (turns := trade_turns(one["log"])) is not None]
    gold = [[flat_belief(turn.belief, Recipe()) for turn in turns] for turns in dialogues]
    programs = create(dialogues)
    checker = Checker(load_schema("multiwoz"))
    total = sum(map(len, dialogues))
    spare_collector()
    created: list[float] = []
    executed: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        create(dialogues)
        middle = time.process_time()
        forget()
        states = execute(programs, checker)
        created.append(total / (middle - start))
        executed.append(total / (time.process_time() - middle))
    equal = sum(a == b for one, other in zip(states, gold, strict=True) for a, b in zip(one, other, strict=True))
    for name, rates, published in (
        ("MultiWOZ, create", created, PUBLISHED_CREATE),
        ("MultiWOZ, execute", executed, PUBLISHED_EXECUTE),
    ):
        rate = statistics.median(rates)
        said = f"{name}: {rate:,.0f} turns/s ({min(rates):,.0f} to {max(rates):,.0f}), {rate / published:.1f} x"
        print(f"{said} the published tool" + (f"; {equal} of {total} states equal" if rates is executed else ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("DLC_CORPORA", "../shared/data")))
    options = parser.parse_args()
    turns = corpus(options.corpora)
    distinct = sorted(set(turns))
    schema = load_schema("smcalflow")
    runs: list[tuple[str, Pairs, Callable[[Schema], Callable[[str], str]], int | None]] = [
        ("typed text, turns", turns, remembering, 1),
        ("typed text, distinct", distinct, remembering, 1),
        ("typed text, distinct, parts not shared", distinct, without_memo, 1),
        ("typed text by way of short DL, distinct", distinct, as_dl, 1),
        ("Lispress read and written, distinct", distinct, lispress, 0),
        ("Lispress to short DL text, distinct", distinct, dl_text, None),
    ]
    for name, pairs, make, gold in runs:
        rates: list[float] = []
        equal = 0
        for _ in range(options.rounds):
            work = make(schema)
            start = time.process_time()
            made = [work(text) for text, _ in pairs]
            rates.append(len(pairs) / (time.process_time() - start))
            equal = sum(text == pair[gold or 0] for text, pair in zip(made, pairs, strict=True))
        rate = statistics.median(rates)
        said = f"{name}: {rate:,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f})"
        said += f", {rate / PUBLISHED:.1f} x the published tool" if gold == 1 else ""
        print(said + (f"; {equal} of {len(pairs)} equal" if gold is not None else ""))
    multiwoz(options.corpora, options.rounds)


if __name__ == "__main__":
    main()
