"""States and turns of MultiWOZ 3.0: the next context is the step from the last one, as far as the file shows it."""

from collections import defaultdict
from importlib.resources import files

import pytest

from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import App, Entity, Hole, Lit, children, rebuild
from dlc.grammar.parser import parse
from dlc.runtime.step import executed, missing_arguments, prediction_between, prepared, step_thingtalk
from dlc.targets.thingtalk.read import ThingTalkReader

SCHEMA = read_schema((files("dlc") / "data" / "multiwoz.dl").read_text(encoding="utf-8"))


def turn(text):
    return lower_program(parse(text))[0][0]


def constants_apart(term):
    """Context and target number their placeholders apart, so constants are compared by being constants."""
    if isinstance(term, Entity | Hole) or (isinstance(term, Lit) and term.kind in ("time", "text", "raw", "quantity")):
        return Lit("name", "constant")
    below = children(term)
    return rebuild(term, tuple(constants_apart(c) for c in below)) if below else term


def shape(state):
    return [(s.status, in_order(constants_apart(s.term))) for s in state.statements]


def in_order(term):
    """Arguments left open stand where the annotator's tool put them."""
    return type(term)(term.fn, term.args, tuple(sorted(term.named))) if isinstance(term, App) and term.named else term


@pytest.mark.corpus
def test_steps_reproduce_the_contexts_of_the_corpus(corpora):
    """From a user's context and target to the agent's context, and from that and the agent's target to the next user
    context. The agent was a person: whether an action ran is known from its reply, which may ask for more first. What
    remains are six contexts that annotators edited (a comparison changed, a statement kept that the user had dropped)."""
    reader = ThingTalkReader(SCHEMA)
    rows = {"user": defaultdict(dict), "agent": defaultdict(dict)}
    for side, table in rows.items():
        for line in (corpora / "multiwoz30" / f"train.{side}.tsv").read_text(encoding="utf-8").splitlines():
            name, context, _, target = line.split("\t")
            dialogue, number = name.rsplit("/", 1)
            other = "agent" if side == "user" else "user"
            state = None if context == "null" else reader.read(context, other, tokenized=True)
            table[dialogue][int(number)] = (state, reader.read(target, side, tokenized=True))
    counts = {"agent": [0, 0], "agent, reply unknown": [0, 0], "user": [0, 0]}
    for dialogue, turns in rows["user"].items():
        for number, (context, target) in turns.items():
            after = rows["agent"][dialogue].get(number + 1)
            if after is None:
                continue
            state = step_thingtalk(context, target)
            for name, reply in (("agent", after[1]), ("agent, reply unknown", None)):
                ours = prepared(executed(state, SCHEMA, reply=reply), SCHEMA, 3)
                counts[name][0] += shape(ours) == shape(after[0])
                counts[name][1] += 1
            following = turns.get(number + 1)
            if following is not None:
                ours = prepared(executed(step_thingtalk(*after), SCHEMA), SCHEMA, 1)
                counts["user"][0] += shape(ours) == shape(following[0])
                counts["user"][1] += 1
    assert counts["user"][1] > 800
    assert counts["user"][0] / counts["user"][1] >= 0.99, counts
    assert counts["agent"][0] / counts["agent"][1] >= 0.99, counts
    assert counts["agent, reply unknown"][0] / counts["agent"][1] >= 0.98, counts
    print(counts)


def test_a_prediction_replaces_what_is_pending_and_keeps_what_ran():
    state = turn("agent sys_recommend_one: Hotel | where .area = north -> [] of 3; proposed book_hotel(people: 2);")
    after = step_thingtalk(state, turn("user execute: Hotel | where .area = south;"))
    assert print_turn(after) == "user execute: Hotel | where .area = north -> [] of 3; Hotel | where .area = south;"
    assert prediction_between(state, after) == turn("user execute: Hotel | where .area = south;")


def test_only_complete_statements_run():
    state = executed(turn("user execute: Hotel; book_hotel(people: 2); book_taxi(leave_at: 10:00);"), SCHEMA)
    assert [s.status for s in state.statements] == ["confirmed", "accepted", "accepted"]


def test_an_action_whose_arguments_are_asked_for_has_not_run():
    state = turn(
        'user execute: Hotel; book_train(people: 2, train: @"a"); book_taxi(leave_at: 9:00);'.replace("9:", "09:")
    )
    reply = turn("agent sys_slot_fill(.people): book_train;")
    after = executed(state, SCHEMA, reply=reply)
    assert print_turn(after) == (
        'user execute: confirmed Hotel; book_train(train: @"a", people: missing); book_taxi(leave_at: 09:00);'
    )
    again = executed(
        turn('user execute: book_hotel(hotel: @"a", people: 2, day: monday, stay: 1);'),
        SCHEMA,
        reply=turn("agent sys_slot_fill(.stay):"),
    )
    assert print_turn(again) == 'user execute: book_hotel(hotel: @"a", people: 2, day: monday);'
    assert executed(state, SCHEMA, reply=turn("agent sys_search_question(.people):")) == executed(state, SCHEMA)


@pytest.mark.parametrize(
    ("call", "lacking"),
    [
        ('book_taxi(departure: @"a", destination: @"b", leave_at: 10:00)', ()),
        ('book_taxi(departure: @"a", destination: @"b")', ("leave_at", "arrive_by")),
        ('book_taxi(departure: @"a", destination: @"b", leave_at: 10:00, arrive_by: missing)', ("arrive_by",)),
        ("book_taxi(leave_at: 10:00)", ("departure", "destination")),
        ("Hotel | then book_train(train: @\"x\")", ()),
        ("Hotel", ()),
    ],
)  # fmt: skip
def test_missing_arguments(call, lacking):
    assert missing_arguments(turn(f"user: {call};").statements[0].term, SCHEMA) == lacking


def test_a_context_shows_the_last_of_each_run_and_few_results():
    records = ", ".join(["{ area: north }"] * 5)
    state = turn(f"user execute: Hotel -> []; Hotel | where .area = north -> [{records}]; Restaurant; ")
    shown = prepared(state, SCHEMA, 1)
    assert print_turn(shown) == "user execute: Hotel | where .area = north -> [{ area: north }] of 5; Restaurant;"
