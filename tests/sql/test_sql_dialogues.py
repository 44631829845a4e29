"""Dialogues of Spider, SParC and CoSQL, and CoSQL's full release, on invented ones."""

from typing import Any

import pytest

from dlc.compiler.schema import Schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import Act
from dlc.grammar.diagnostic import CompileError
from dlc.targets.sql.dialogues import (
    ACTS,
    Databases,
    act_name,
    acts_of,
    read_interaction,
    read_question,
    read_release,
    read_utterance,
)


@pytest.fixture
def databases(bookshop: Schema) -> Databases:
    return Databases({"bookshop": bookshop})


def test_interaction(databases: Databases) -> None:
    entry = {
        "database_id": "bookshop",
        "interaction": [
            {"utterance": "titles?", "query": "SELECT title FROM book", "sql": {}},
            {"utterance": "the dear ones", "query": "SELECT title FROM book WHERE price > 3"},
        ],
        "final": {"utterance": "", "query": ""},
    }
    dialogue = read_interaction("7", entry, databases)
    assert [(t.turn, t.speaker, t.utterance, t.schema) for t in dialogue.turns] == [
        (0, "user", "titles?", "bookshop"),
        (2, "user", "the dear ones", "bookshop"),
    ]
    assert dialogue.turns[1].program is not None
    assert print_turn(dialogue.turns[1].program) == "user: book | where .price > 3 | show .title;"


def test_question(databases: Databases) -> None:
    dialogue = read_question(
        "3", {"db_id": "bookshop", "question": "how many?", "query": "SELECT count(*) FROM book"}, databases
    )
    (turn,) = dialogue.turns
    assert turn.program is not None
    assert (turn.turn, print_turn(turn.program)) == (0, "user: book | whole | show count();")


RELEASE: dict[str, Any] = {
    "db_id": "bookshop",
    "query_goal": "find the dear books",
    "sql": "SELECT title FROM book WHERE price > 3",
    "turns": [
        {"isUser": True, "text": "hello, what is dear?", "user_dialog_act": ["GREETING", "AMBIGUOUS"]},
        {"isUser": False, "text": "dear means over 3?", "system_dialog_act": "clarify"},
        {"isUser": True, "text": "yes, the titles", "user_dialog_act": "affirm, inform sql"},
        {
            "isUser": False,
            "text": "Here they are. Anything else?",
            "rawSql": "SELECT title FROM book WHERE price > 3",
            "system_dialog_act": ["CONFIRM_SQL", "REQUEST_MORE"],
        },
        {"isUser": True, "text": "no"},
        {"isUser": True, "text": "bye", "user_dialog_act": ["thank-you", "Goodbye"]},
    ],
}


def test_release(databases: Databases) -> None:
    dialogue = read_release("41", RELEASE, databases)
    shown = [print_turn(t.program) if t.program is not None else None for t in dialogue.turns]
    assert shown == [
        "user GREETING, AMBIGUOUS:",
        "agent CLARIFY:",
        "user AFFIRM, INFORM_SQL:",
        "agent CONFIRM_SQL, REQUEST_MORE: book | where .price > 3 | show .title;",
        # Not annotated: no act is made up, and there is nothing to say.
        None,
        "user THANK_YOU, GOOD_BYE:",
    ]
    assert [t.turn for t in dialogue.turns] == [0, 1, 2, 3, 4, 5]
    assert dialogue.turns[3].utterance == "Here they are. Anything else?"
    assert [n.code for n in dialogue.turns[4].notes] == ["DLC341"]


def test_release_as_its_readers_know_it(databases: Databases) -> None:
    """Acts under `label`; the expert's SQL is an entry of its own, before what the expert says."""
    entry = {
        "_id": "5c",
        "db_id": "bookshop",
        "query_goal": "the dear books",
        "sql": "SELECT title FROM book WHERE price > 3",
        "assistant_table_names": ["book"],
        "turns": [
            {"isUser": True, "text": "which are dear?", "label": ["INFORM_SQL", "GREETING"]},
            {"isUser": False, "text": "SELECT title FROM book WHERE price > 3", "rawSql": "SELECT title FROM book WHERE price > 3;"},
            {"isUser": False, "text": "These are the dear books.", "label": ["CONFIRM_SQL"]},
            {"isUser": True, "text": "asdf", "label": [None]},
            {"isUser": False, "text": "sorry?", "label": "sorry, reject"},
            {"isUser": False, "text": "", "rawSql": "SELECT nosuch FROM book", "label": []},
        ],
    }  # fmt: skip
    turns = read_release("5c", entry, databases).turns
    shown = [print_turn(t.program) if t.program is not None else None for t in turns]
    assert shown == [
        "user INFORM_SQL, GREETING:",
        "agent: book | where .price > 3 | show .title;",
        "agent CONFIRM_SQL:",
        None,
        "agent SORRY, REJECT:",
        None,
    ]
    assert [[n.code for n in t.notes] for t in turns] == [
        ["DLC341"],
        [],
        ["DLC341"],
        ["DLC341"],
        ["DLC341"],
        ["DLC244"],
    ]
    assert [t.utterance for t in turns][2] == "These are the dear books."


def test_single_utterances(databases: Databases) -> None:
    asked = {"database_id": "bookshop", "utterance": "thanks, bye", "intent": ["THANK_YOU", "GOOD_BYE"]}
    answered = {"db_id": "bookshop", "query": "SELECT count(*) FROM book", "response": "There are 3.", "sql": {}}
    unlabelled = {"database_id": "bookshop", "utterance": "hm", "intent": [None]}
    turns = [read_utterance(str(i), e, databases).turns[0] for i, e in enumerate((asked, answered, unlabelled))]
    assert [print_turn(t.program) if t.program is not None else None for t in turns] == [
        "user THANK_YOU, GOOD_BYE:",
        "agent: book | whole | show count();",
        None,
    ]
    assert [t.utterance for t in turns] == ["thanks, bye", "There are 3.", "hm"]


def test_every_act_has_one_spelling() -> None:
    for declared in ACTS:
        for spelled in (
            declared.name,
            declared.name.lower(),
            declared.name.replace("_", " "),
            declared.name.replace("_", "-"),
        ):
            assert act_name(spelled) == declared.name
    assert act_name("CONFORM SQL") == "CONFIRM_SQL"
    assert acts_of({"dialog_act": ["something_new"]}) == (Act("SOMETHING_NEW"),)
    assert acts_of({"user_dialog_act": []}) == acts_of({}) == acts_of({"label": None}) == acts_of({"label": 3}) == ()


def test_a_query_that_cannot_be_read_stops_only_its_turn(databases: Databases) -> None:
    entry = {
        "database_id": "bookshop",
        "interaction": [
            {"utterance": "a", "query": "SELECT titel FROM book"},
            {"utterance": "b", "query": None},
            {"utterance": "c", "query": 7},
            {"utterance": 3, "query": "SELECT title FROM book"},
            "x",
        ],
    }
    turns = read_interaction("1", entry, databases).turns
    assert [t.program is None for t in turns] == [True, True, True, False, True]
    assert [t.notes[0].code if t.notes else "" for t in turns] == ["DLC244", "DLC341", "DLC340", "", "DLC341"]
    assert turns[3].utterance is None


@pytest.mark.parametrize(
    ("reader", "entry", "code"),
    [
        (read_interaction, 3, "DLC340"),
        (read_interaction, {"interaction": []}, "DLC340"),
        (read_interaction, {"database_id": "bookshop", "interaction": {}}, "DLC340"),
        (read_interaction, {"database_id": "nosuch", "interaction": [{"query": "SELECT 1"}]}, "DLC342"),
        (read_question, {"question": "x"}, "DLC340"),
        (read_question, None, "DLC340"),
        (read_release, {"db_id": "bookshop", "turns": [{"text": "x"}]}, "DLC340"),
        (read_release, {"db_id": "bookshop"}, "DLC340"),
        (read_release, {"db_id": "nosuch", "turns": [{"isUser": True, "rawSql": "SELECT 1"}]}, "DLC342"),
        (read_release, {"db_id": "bookshop", "turns": ["x"]}, "DLC340"),
        (read_utterance, {"utterance": "x", "intent": []}, "DLC340"),
    ],
)
def test_bad_layout(reader: Any, entry: Any, code: str, databases: Databases) -> None:
    with pytest.raises(CompileError) as error:
        reader("9", entry, databases)
    assert error.value.diagnostics[0].code == code
