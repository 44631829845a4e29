"""MultiWOZ validation dialogues as dataflow, against what the published converter wrote."""

import gzip
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlc.targets.dataflow.multiwoz import Options, dataflow_programs, flat_belief
from dlc.targets.dataflow.writer import write_program
from dlc.targets.slots.trade import TradeTurn, trade_turns

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def dialogues(corpora: Path) -> dict[str, list[TradeTurn]]:
    with zipfile.ZipFile(corpora / "multiwoz21" / "val.json.zip") as archive:
        source = json.loads(archive.read(archive.namelist()[0]))
    turns = {name.removesuffix(".json"): trade_turns(dialogue["log"]) for name, dialogue in source.items()}
    return {name: kept for name, kept in turns.items() if kept is not None}


@pytest.fixture(scope="module")
def published(corpora: Path) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(corpora / "multiwoz21" / "val.dataflow.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows[row["dialogue_id"]].append(row)
    return rows


def test_the_same_dialogues_programs_and_states(
    dialogues: dict[str, list[TradeTurn]],
    published: dict[str, list[dict[str, Any]]],
    overlay: Callable[..., list[dict[str, str]]],
) -> None:
    assert published and dialogues.keys() == published.keys()
    different = []
    for name, turns in dialogues.items():
        programs = dataflow_programs(turns)
        states = overlay(programs)
        for k, (turn, row) in enumerate(zip(turns, published[name], strict=True)):
            same_program = write_program(programs[k]) == row["lispress"] and row["turn"] == 2 * k
            same_label = dict(turn.belief) == row["belief"]
            same_state = states[k] == flat_belief(row["belief"], Options())
            if not (same_program and same_label and same_state):
                different.append((name, k))
    assert different == []


@pytest.mark.parametrize("flags", [{"no_refer": True}, {"no_revise": True}, {"keep_all_domains": True}])
def test_other_settings_restore_the_states_too(
    dialogues: dict[str, list[TradeTurn]], overlay: Callable[..., list[dict[str, str]]], flags: dict[str, bool]
) -> None:
    options = Options(**flags)
    for name, turns in dialogues.items():
        assert overlay(dataflow_programs(turns, options), options) == [
            flat_belief(turn.belief, options) for turn in turns
        ], name
