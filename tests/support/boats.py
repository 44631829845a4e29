"""An invented service in SGD's layout, and dialogues about it."""

import copy
from typing import Any

BOATS: dict[str, Any] = {
    "service_name": "Boats_1",
    "description": "Hire a boat",
    "slots": [
        {"name": "harbour", "description": "", "is_categorical": False, "possible_values": ["Ely"]},
        {"name": "seats", "description": "", "is_categorical": True, "possible_values": ["2", "4 or more"]},
        {"name": "sails", "description": "", "is_categorical": True, "possible_values": ["True", "False"]},
        {"name": "start", "description": "", "is_categorical": False, "possible_values": []},
        {"name": "phone", "description": "", "is_categorical": False, "possible_values": []},
    ],
    "intents": [
        {
            "name": "FindBoat", "is_transactional": False, "required_slots": ["harbour"],
            "optional_slots": {"seats": "dontcare"}, "result_slots": ["harbour", "seats", "sails", "phone"],
        },
        {
            "name": "HireBoat", "is_transactional": True, "required_slots": ["harbour", "start"],
            "optional_slots": {"seats": "2"}, "result_slots": ["harbour", "start", "seats", "phone"],
        },
    ],
}  # fmt: skip


def act(name: str, slot: str = "", *values: str) -> dict[str, Any]:
    return {"act": name, "slot": slot, "values": list(values), "canonical_values": list(values)}


def user(
    text: str, acts: list[dict[str, Any]], intent: str, requested: list[str], /, **values: list[str]
) -> dict[str, Any]:
    """A turn of the user about the one service; a span for every value that stands in the text."""
    spans = [
        {"slot": slot, "start": text.index(value), "exclusive_end": text.index(value) + len(value)}
        for slot, listed in values.items()
        for value in listed
        if value in text
    ]
    state = {"active_intent": intent, "requested_slots": requested, "slot_values": values}
    frame = {"actions": acts, "service": "Boats_1", "slots": spans, "state": state}
    return {"frames": [frame], "speaker": "USER", "utterance": text}


def system(text: str, acts: list[dict[str, Any]], **call: Any) -> dict[str, Any]:
    frame = {"actions": acts, "service": "Boats_1", "slots": [], **call}
    return {"frames": [frame], "speaker": "SYSTEM", "utterance": text}


FOUND = [
    {"harbour": "Ely", "seats": "2", "sails": "True", "phone": "01353"},
    {"harbour": "Ely", "seats": "4 or more", "sails": "False", "phone": "01354"},
]
_HIRED = {"harbour": "Ely", "start": "09:00", "seats": "2", "phone": "01353"}

_DIALOGUE: dict[str, Any] = {
    "dialogue_id": "7_00001",
    "services": ["Boats_1"],
    "turns": [
        user("A boat in Ely please", [act("INFORM", "harbour", "Ely"), act("INFORM_INTENT", "intent", "FindBoat")],
             "FindBoat", [], harbour=["Ely"], seats=["dontcare"]),
        system("There are two.", [act("OFFER", "phone", "01353"), act("INFORM_COUNT", "count", "12")],
               service_call={"method": "FindBoat", "parameters": {"harbour": "Ely", "seats": "dontcare"}},
               service_results=FOUND),
        user("Has it sails? What is the phone?", [act("REQUEST", "phone"), act("REQUEST", "sails")],
             "FindBoat", ["phone", "sails"], harbour=["Ely"], seats=["dontcare"]),
        system("It has, 01353.", [act("INFORM", "phone", "01353"), act("INFORM", "sails", "True")]),
        user("Hire it from nine", [act("SELECT"), act("INFORM_INTENT", "intent", "HireBoat")],
             "HireBoat", [], harbour=["Ely", "the city of Ely"], seats=["2"], start=["nine"], sails=["maybe"]),
        system("Ely, nine, two?", [act("CONFIRM", "harbour", "Ely"), act("CONFIRM", "start", "nine"),
                                   act("CONFIRM", "seats", "2")]),
        user("Yes. What was the phone?", [act("AFFIRM"), act("REQUEST", "phone")],
             "HireBoat", ["phone"], harbour=["Ely", "the city of Ely"], seats=["2"], start=["9", "nine"]),
        system("Done.", [act("NOTIFY_SUCCESS")],
               service_call={"method": "HireBoat",
                             "parameters": {"harbour": "Ely", "start": "09:00", "seats": "2"}},
               service_results=[_HIRED]),
        user("And its phone?", [act("REQUEST", "phone")], "HireBoat", ["phone"], harbour=["Ely"], start=["nine"]),
        system("01353. Which seats, two?", [act("REQUEST", "seats", "2"), act("OFFER_INTENT", "intent", "HireBoat")]),
        user("No, thank you", [act("NEGATE"), act("THANK_YOU")], "NONE", [], harbour=["Ely"]),
        system("Bye.", [act("GOODBYE")]),
    ],
}  # fmt: skip


def services() -> list[dict[str, Any]]:
    """The schema.json, to be changed at will."""
    return [copy.deepcopy(BOATS)]


def dialogue(name: str = "7_00001") -> dict[str, Any]:
    """The dialogue, to be changed at will."""
    return {**copy.deepcopy(_DIALOGUE), "dialogue_id": name}


def states(of: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """What each user turn's state holds, in the form of `--to slots`."""
    return {
        position: {
            frame["service"]: {
                "slots": frame["state"]["slot_values"],
                "intent": frame["state"]["active_intent"],
                "requested": frame["state"]["requested_slots"],
            }
            for frame in turn["frames"]
        }
        for position, turn in enumerate(of["turns"])
        if turn["speaker"] == "USER"
    }
