"""docs/services.md, run: its tables of states and acts are what the reader does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from boats import act, services

from dlc.compiler.schema import fact
from dlc.compiler.sugar import print_turn
from dlc.targets.slots.sgd import ServiceMemo, read_sgd
from dlc.targets.slots.sgd_schema import sgd_schema
from dlc.targets.slots.sgd_write import write_services

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "services.md").read_text(encoding="utf-8")
SCHEMA = sgd_schema(services())


def table(after: str) -> list[list[str]]:
    """Cells of the first table after a heading, escapes off."""
    lines = PAGE.split(after, 1)[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def state_of(words: str) -> dict[str, Any]:
    """The state that a row describes, the row before in hand for `the same`."""
    values = {slot: json.loads(listed) for slot, listed in re.findall(r"`(\w+)` `(\[.*?\])`", words)}
    intent = re.search(r"intent `(\w+)`", words)
    return {
        "active_intent": intent.group(1) if intent else "FindBoat",
        "requested_slots": re.findall(r"`(\w+)` requested", words),
        "slot_values": values if intent else {"harbour": ["Ely"]},
    }


@pytest.mark.parametrize(("words", "text"), table("## A state"), ids=lambda cell: cell[:40])
def test_state(words: str, text: str) -> None:
    state = state_of(words)
    asks = [] if state["active_intent"] == "NONE" else [act("INFORM_INTENT", "intent", state["active_intent"])]
    frame = {"service": "Boats_1", "actions": asks, "slots": [], "state": state}
    turn = {"speaker": "USER", "utterance": "", "frames": [frame]}
    value = {"dialogue_id": "1", "services": ["Boats_1"], "turns": [turn]}
    (row,) = read_sgd(value, SCHEMA, ServiceMemo(SCHEMA), frozenset(("user",))).turns
    assert row.program is not None, row.notes
    assert print_turn(row.program).partition(": ")[2] == text.strip("`") or not asks
    assert print_turn(row.program).endswith(text.strip("`"))
    written = write_services(row.program, ServiceMemo(SCHEMA)).program
    assert written == {
        "Boats_1": {
            "slots": state["slot_values"],
            "intent": state["active_intent"],
            "requested": state["requested_slots"],
        }
    }


def test_acts() -> None:
    declared = [
        [
            a.speaker,
            f"`{fact(a.facts, 'slot')}`",
            f"`{a.name}(fields)`" if a.params else f"`{a.name}`",
            f"`{fact(a.facts, 'thingtalk')}`",
        ]
        for a in SCHEMA.acts
    ]
    assert table("## Acts") == declared
