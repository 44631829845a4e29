"""docs/slots.md, run: every row of its tables is what the converters do."""

import re
from pathlib import Path

import pytest

from dlc.compiler.lower import lower_program
from dlc.compiler.schema import Schema, fact
from dlc.compiler.sugar import print_turn
from dlc.grammar.parser import parse
from dlc.targets.rows import Note, status_of
from dlc.targets.slots.multiwoz import read_multiwoz
from dlc.targets.slots.write import write_slots
from dlc.targets.thingtalk.write import write_thingtalk

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "slots.md").read_text(encoding="utf-8")


def table(after: str) -> list[list[str]]:
    """Cells of the first table after a heading, code marks and escapes off."""
    lines = PAGE.split(after, 1)[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        rows.append([cell.strip("`").replace("\\|", "|") for cell in cells])
    return rows


FORMS = table("## Forms of values")


def said(status: str, notes: tuple[Note, ...]) -> str:
    return " ".join([status, *([",".join(n.code for n in notes)] if notes else [])])


@pytest.mark.parametrize(("slot", "stored", "text", "status", "thingtalk", "thingtalk_status"), FORMS)
def test_form(
    slot: str, stored: str, text: str, status: str, thingtalk: str, thingtalk_status: str, multiwoz: Schema
) -> None:
    domain, part, name = slot.split(".")
    state = {domain: {"semi": {}, "book": {}, part: {name: stored}}}
    log = [{"text": "", "metadata": {}}, {"text": "", "metadata": state}]
    (row,) = read_multiwoz("d", {"log": log}, multiwoz).turns
    assert row.program is not None
    lost = "approximate" if any(n.loss for n in row.notes) else "exact"
    assert (print_turn(row.program).removeprefix("user:").strip(), said(lost, row.notes)) == (text, status)
    written = write_thingtalk(row.program, multiwoz)
    assert said(status_of(written, row.notes), written.notes) == thingtalk_status
    head, _, items = written.program.partition(";")
    assert head.startswith("$dialogue @org.thingpedia.dialogue.transaction.")
    assert items.strip().replace("uk.ac.cam.multiwoz.", "") == thingtalk
    (turn,), _ = lower_program(parse(print_turn(row.program)))
    kept = {} if lost == "approximate" or stored in ("", "not mentioned") else state
    assert write_slots(turn, multiwoz).program == kept


def test_acts_are_those_of_the_schema(multiwoz: Schema) -> None:
    declared = [
        [
            act.speaker,
            fact(act.facts, "slot") or "",
            act.name + ("(fields)" if act.params else ""),
            fact(act.facts, "thingtalk") or "",
            fact(act.facts, "thingtalk_action") or "",
        ]
        for act in multiwoz.acts
    ]
    assert table("## Acts") == declared


@pytest.mark.parametrize(
    ("turn", "act"),
    [
        ("user inform: Hotel;", "execute"),
        ("user thank, inform: Hotel;", "execute"),
        ("user: Hotel;", "execute"),
        ("user inform: confirmed Hotel;", "cancel"),
        ("user: confirmed Hotel;", "cancel"),
        ("user:", "cancel"),
        ("user thank, bye: confirmed Hotel;", "cancel"),
        ("user greet:", "greet"),
        ("user request(book_hotel.ref): confirmed Hotel;", "action_question(reference_number)"),
        ("user request(book_hotel.ref): Hotel;", "execute"),
        ("user request(Hotel.phone): Hotel | show .phone;", "execute"),
        ("user learn_more:", "learn_more"),
        ("agent inform, request(Hotel.area, Train.leave_at):", "sys_search_question(area, leave_at)"),
        ("agent request(book_taxi.leave_at):", "sys_slot_fill(leave_at)"),
        ("agent reqmore, offer_booked(book_train.ref):", "sys_action_success(reference_number)"),
        ("agent:", "sys_invalid"),
    ],
)
def test_act_of_a_turn(turn: str, act: str, multiwoz: Schema) -> None:
    (program,), _ = lower_program(parse(turn))
    text = write_thingtalk(program, multiwoz).program
    assert text.split(";")[0] == f"$dialogue @org.thingpedia.dialogue.transaction.{act}"
