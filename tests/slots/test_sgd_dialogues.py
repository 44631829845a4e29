"""SGD's dialogues: states, acts and calls as DL, and the states back; what is no dialogue of the layout."""

import copy
import json
from typing import Any

import pytest
from boats import act, dialogue, services, states, user

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.sugar import print_turn
from dlc.grammar.parser import parse
from dlc.targets.rows import Mention, TurnRow, status_of
from dlc.targets.slots.sgd import ServiceMemo, read_sgd
from dlc.targets.slots.sgd_schema import sgd_schema
from dlc.targets.slots.sgd_write import write_services
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.targets.thingtalk.write import write_thingtalk

SCHEMA = sgd_schema(services())
BOTH = frozenset(("user", "agent"))
ALL = "Boats_1"
FIND, HIRE = "Boats_1_FindBoat", "Boats_1_HireBoat"


def read(value: Any, speakers: frozenset[str] = BOTH) -> tuple[TurnRow, ...]:
    return read_sgd(value, SCHEMA, ServiceMemo(SCHEMA), speakers).turns


def text(row: TurnRow) -> str:
    assert row.program is not None, row.notes
    return print_turn(row.program)


def test_what_the_turns_of_a_user_say() -> None:
    rows = read(dialogue(), frozenset(("user",)))
    assert [row.turn for row in rows] == [0, 2, 4, 6, 8, 10]
    assert [text(row) for row in rows] == [
        f'user inform({ALL}.harbour), inform_intent: {FIND} | where .harbour = "Ely" and .seats is any;',
        f"user request({ALL}.phone, {ALL}.sails): "
        f'{FIND} | where .harbour = "Ely" and .seats is any | show .phone, .sails;',
        # Two ways to say the harbour: the call takes one, the service's table lists both.
        f'user select, inform_intent: confirmed {ALL} | where .harbour in ["Ely", "the city of Ely"] '
        f'and .sails = raw "maybe"; {HIRE}(harbour: "Ely", start: "nine", seats: n2);',
        f'user affirm, request({ALL}.phone): {ALL} | where .harbour in ["Ely", "the city of Ely"] '
        f'and .start in ["9", "nine"] | show .phone; {HIRE}(harbour: "Ely", start: "9", seats: n2);',
        # To request a slot is not to ask for the transaction once more.
        f'user request({ALL}.phone): confirmed {HIRE}(harbour: "Ely", start: "nine"); {ALL} | show .phone;',
        f'user negate, thank_you: confirmed {ALL} | where .harbour = "Ely";',
    ]
    assert [n.code for row in rows for n in row.notes] == ["DLC302"]
    assert rows[0].mentions == (Mention(ALL, "harbour", 10, 13, "Ely"),)


def test_what_the_turns_of_an_agent_say() -> None:
    rows = read(dialogue(), frozenset(("agent",)))
    assert [text(row) for row in rows] == [
        f'agent offer({ALL}.phone), inform_count: {FIND} | where .harbour = "Ely" and .seats is any -> '
        '[{ harbour: "Ely", seats: n2, sails: true, phone: "01353" }, '
        '{ harbour: "Ely", seats: n4_or_more, sails: false, phone: "01354" }] of 12;',
        f'agent inform({ALL}.phone, {ALL}.sails): {ALL} -> [{{ phone: "01353", sails: true }}];',
        f"agent confirm({ALL}.harbour, {ALL}.start, {ALL}.seats): "
        f'proposed {HIRE}(harbour: "Ely", start: "nine", seats: n2);',
        f'agent notify_success: {HIRE}(harbour: "Ely", start: "09:00", seats: n2) -> '
        '[{ harbour: "Ely", start: "09:00", seats: n2, phone: "01353" }];',
        f"agent request({ALL}.seats), offer_intent: proposed {ALL} | where .seats = n2; proposed {HIRE};",
        "agent goodbye:",
    ]


def test_a_failed_call() -> None:
    value = dialogue()
    value["turns"][7]["frames"][0] |= {"actions": [act("NOTIFY_FAILURE")], "service_results": []}
    assert text(read(value)[7]).endswith("-> [] error failed;")


def test_every_turn_is_well_typed_and_its_state_comes_back() -> None:
    checker, memo = Checker(SCHEMA), ServiceMemo(SCHEMA)
    expected = states(dialogue())
    for row in read(dialogue()):
        (again,), _ = lower_program(parse(text(row)))
        assert again == row.program and checker.check_turn(again).ok
        written = write_services(again, memo)
        if row.speaker == "user":
            assert written.program == expected[row.turn]
            assert status_of(written) == "exact"


def test_values_that_look_like_marks_of_other_corpora() -> None:
    value = dialogue()
    odd = {"harbour": ["none", "a|b", "NOT(x)", ""], "phone": ["not mentioned"], "start": ["dontcare", "9"]}
    value["turns"][0] = user("Hm", [act("INFORM")], "FindBoat", ["phone", "phone"], **odd)
    row = read(value)[0]
    assert write_services(row.program, ServiceMemo(SCHEMA)).program == states(value)[0]  # type: ignore[arg-type]
    again = lower_program(parse(text(row)))[0][0]
    assert Checker(SCHEMA).check_turn(again).ok
    assert write_services(again, ServiceMemo(SCHEMA)).program == states(value)[0]


@pytest.mark.parametrize("said", [["dontcare"], ["dontcare", "nine"], ["nine", "dontcare"]])
def test_an_argument_that_may_be_anything_is_a_condition_thingtalk_can_say(said: list[str]) -> None:
    value = dialogue()
    value["turns"][4] = user(
        "Hire it", [act("SELECT")], "HireBoat", [], harbour=["Ely"], seats=["dontcare"], start=said
    )
    row = read(value)[4]
    assert row.program is not None and f"{ALL} | where .seats is any" in text(row) and "any)" not in text(row)
    written = write_thingtalk(row.program, SCHEMA)
    assert status_of(written) == "exact" and "true(seats)" in written.program
    again = ThingTalkReader(SCHEMA).read(written.program)
    for program in (row.program, again):
        assert write_services(program, ServiceMemo(SCHEMA)).program == states(value)[4]


def test_an_unknown_act_is_kept_with_a_lint() -> None:
    value = dialogue()
    value["turns"][0]["frames"][0]["actions"].append(act("INFROM"))
    row = read(value)[0]
    assert text(row).startswith(f"user inform({ALL}.harbour), inform_intent, INFROM: ")
    assert [(n.code, n.loss) for n in row.notes] == [("DLC306", False)]


@pytest.mark.parametrize(
    ("program", "state", "codes"),
    [
        (f"user: {FIND} | sort .phone asc;", {"slots": {}, "intent": "FindBoat", "requested": []}, ["DLC211"]),
        (f'user: {FIND} | where .harbour != "Ely";', {"slots": {}, "intent": "FindBoat", "requested": []}, ["DLC211"]),
        (f"user: {FIND} | where .sails is none;", {"slots": {}, "intent": "FindBoat", "requested": []}, ["DLC211"]),
        (f'user: {ALL} | where .phone = "1"; {FIND} | where .phone = "2";',
         {"slots": {"phone": ["2"]}, "intent": "FindBoat", "requested": []}, ["DLC212"]),
        (f"user: {FIND}; {HIRE};", {"slots": {}, "intent": "HireBoat", "requested": []}, ["DLC212"]),
        (f"user: confirmed {HIRE}; {FIND};", {"slots": {}, "intent": "FindBoat", "requested": []}, []),
        (f"user: {FIND}; confirmed {HIRE};", {"slots": {}, "intent": "FindBoat", "requested": []}, []),
        (f'user: {HIRE}(harbour: none, start: "1");',
         {"slots": {"start": ["1"]}, "intent": "HireBoat", "requested": []}, ["DLC211"]),
        (f'user: {HIRE}(start: "1") -> [{{ phone: "2" }}];',
         {"slots": {"start": ["1"]}, "intent": "HireBoat", "requested": []}, ["DLC211"]),
    ],
)  # fmt: skip
def test_what_states_cannot_say_is_noted(program: str, state: dict[str, Any], codes: list[str]) -> None:
    (turn,), _ = lower_program(parse(program))
    assert Checker(SCHEMA).check_turn(turn).ok
    written = write_services(turn, ServiceMemo(SCHEMA))
    assert written.program == {ALL: state}
    assert [note.code for note in written.notes] == codes


def test_nothing_is_said_of_services_the_schema_does_not_have() -> None:
    for program in (
        "user: Hotel;",
        f"user: proposed {HIRE};",
        f"user: {FIND} | join {ALL} as b on {FIND}.phone = b.phone;",
    ):
        (turn,), _ = lower_program(parse(program))
        written = write_services(turn, ServiceMemo(SCHEMA))
        assert written.program == {} and "DLC211" in [note.code for note in written.notes]


def test_thingtalk_says_the_same() -> None:
    kind = "@org.dlc.sgd.Boats_1"
    row = read(dialogue())[4]
    assert row.program is not None
    written = write_thingtalk(row.program, SCHEMA)
    assert written.program == (
        "$dialogue @org.thingpedia.dialogue.transaction.execute; "
        f'{kind}.Boats_1() filter in_array(harbour, ["Ely", "the city of Ely"]) #[confirm=enum confirmed]; '
        f'{kind}.HireBoat(harbour="Ely", start="nine", seats=enum n2);'
    )
    # `maybe` is no value of the slot `sails`: everything else is kept.
    assert [note.code for note in written.notes if note.loss] == ["DLC271"]


# ---------------------------------------------------------------- what is not as the layout has it

FRAME = ("turns", 0, "frames", 0)
STATE = (*FRAME, "state")
CALL = ("turns", 1, "frames", 0)
DAMAGE: list[tuple[tuple[Any, ...], Any, str]] = [
    (("turns", 0), 7, "the turn"),
    (("turns", 0, "speaker"), "A boat in Ely please", "neither USER nor SYSTEM"),
    (("turns", 0, "speaker"), "SYSTEM", "speakers take turns"),
    (("turns", 0, "utterance"), None, "`utterance` is NoneType, not text"),
    (("turns", 0, "utterance"), "A boat", "characters 10 to 13 of an utterance of 6"),
    (("turns", 0, "frames"), {}, "`frames` is dict, not a list"),
    (("turns", 0, "frames"), [], "`frames` is empty"),
    (FRAME, "Boats_1", "frames[0]"),
    ((*FRAME, "service"), "Boats_2", "no service `Boats_2`"),
    ((*FRAME, "actions"), None, "frames[0].actions"),
    ((*FRAME, "actions", 0, "slot"), "INFORM", "no slot `INFORM`"),
    ((*FRAME, "actions", 0, "act"), 3, "frames[0].actions[0].act"),
    ((*FRAME, "actions", 0, "values"), "Ely", "frames[0].actions[0].values"),
    ((*FRAME, "slots", 0, "start"), 13.5, "frames[0].slots[0].start"),
    ((*FRAME, "slots", 0, "exclusive_end"), 2, "characters 10 to 2"),
    ((*FRAME, "slots", 0, "slot"), "Ely", "no slot `Ely`"),
    (STATE, None, "frames[0].state"),
    ((*STATE, "active_intent"), "FindBoats", "no intent `FindBoats`"),
    ((*STATE, "requested_slots"), {}, "frames[0].state.requested_slots"),
    ((*STATE, "requested_slots"), ["masts"], "no slot `masts`"),
    ((*STATE, "slot_values"), [], "frames[0].state.slot_values"),
    ((*STATE, "slot_values"), {"harbour": "Ely"}, "frames[0].state.slot_values.harbour"),
    ((*STATE, "slot_values"), {"harbour": [1]}, "frames[0].state.slot_values.harbour[0]"),
    ((*STATE, "slot_values"), {"harbour": []}, "lists no value"),
    ((*STATE, "slot_values"), {"Ely": ["harbour"]}, "no slot `Ely`"),
    ((*CALL, "state"), {}, "has no state"),
    ((*CALL, "service_call"), [], "frames[0].service_call"),
    ((*CALL, "service_call", "method"), "Boats_1", "no intent `Boats_1`"),
    ((*CALL, "service_call", "parameters"), {"harbour": True}, "frames[0].service_call.harbour"),
    ((*CALL, "service_results"), {}, "frames[0].service_results"),
    ((*CALL, "service_results", 0), {"masts": "2"}, "no slot `masts`"),
]  # fmt: skip


def damaged(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    broken = dialogue()
    place: Any = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return broken


@pytest.mark.parametrize(("path", "value", "why"), DAMAGE, ids=[why for _, _, why in DAMAGE])
def test_a_damaged_turn_is_rejected_and_costs_no_other(path: tuple[Any, ...], value: Any, why: str) -> None:
    rows, whole = read(damaged(path, value)), read(dialogue())
    position = path[1]
    assert rows[position].program is None
    assert [(n.code, why in n.message) for n in rows[position].notes] == [("DLC304", True)], rows[position].notes
    assert rows[:position] + rows[position + 1 :] == whole[:position] + whole[position + 1 :]


@pytest.mark.parametrize("key", ["speaker", "utterance", "frames"])
def test_a_turn_that_lacks_a_part_is_rejected(key: str) -> None:
    value = dialogue()
    del value["turns"][3][key]
    # Whoever speaks: a damaged row is told of even where its speaker is not asked for.
    rows = read(value, frozenset(("user",)))
    assert [row.turn for row in rows if row.program is None] == [3]


def test_two_frames_of_one_service_and_results_without_a_call() -> None:
    value = dialogue()
    value["turns"][0]["frames"] *= 2
    del value["turns"][1]["frames"][0]["service_call"]
    assert [row.turn for row in read(value) if row.program is None] == [0, 1]


@pytest.mark.parametrize(
    "value",
    [
        None, [], "7_00001", {}, {**dialogue(), "dialogue_id": 7}, {**dialogue(), "services": "Boats_1"},
        {**dialogue(), "services": ["Boats_2"]}, {**dialogue(), "turns": {}}, {**dialogue(), "turns": []},
    ],
)  # fmt: skip
def test_what_is_no_dialogue_is_one_rejected_row(value: Any) -> None:
    (row,) = read(copy.deepcopy(value))
    assert row.program is None and [n.code for n in row.notes] == ["DLC304"]
    json.dumps(row.provenance)
