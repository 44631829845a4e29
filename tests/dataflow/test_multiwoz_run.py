"""MultiWOZ as dataflow run on the graph: live requests, the states they make, and inlining to plain DL."""

import gzip
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import dlc
from dlc.canon.inlining import METACOMPUTATION, inlined, plain
from dlc.compiler.check import Checker
from dlc.compiler.sugar import print_term
from dlc.compiler.terms import App, Statement, Turn, subterms
from dlc.runtime.build import plan
from dlc.runtime.dialogue import Dialogue, StepResult
from dlc.runtime.fragments import fragment
from dlc.runtime.library import Library
from dlc.runtime.lispress import Plans
from dlc.runtime.requests import OPERATORS, Requests, SlotSalience
from dlc.schemas import load_schema
from dlc.targets.dataflow.names import Names, Unsayable
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.sexp import LispressError
from dlc.targets.dataflow.to_dl import dl_turn

SCHEMA = load_schema("multiwoz")
CHECKER = Checker(SCHEMA)
NAMES = Names(SCHEMA)
REVISE = (
    "(ReviseConstraint :new {} :oldLocation (Constraint[Constraint[{}]])"
    ' :rootLocation (roleConstraint #(Path "output")))'
)


class Talk:
    """A dialogue of the recipe's programs."""

    def __init__(self) -> None:
        library = Library(symbolic=True, seconds=0)
        self.plans = Plans(NAMES)
        self.dialogue = Dialogue(CHECKER, library, salience=SlotSalience(), typed=False, operators=OPERATORS)
        self.requests = Requests()

    def say(self, text: str) -> StepResult:
        return self.dialogue.run(self.plans.of(text))

    def state(self, text: str) -> dict[str, dict[str, str]]:
        self.say(text)
        graph = self.dialogue.graph
        return {name: dict(slots) for name, slots in self.requests.update(graph, graph.turns[-1]).items()}


def test_the_graph_holds_the_state() -> None:
    talk = Talk()
    assert talk.state('(find (Constraint[Hotel] :area (?= "east") :stars (?= "4")))') == {
        "hotel": {"area": "east", "stars": "4"}
    }
    revised = REVISE.format('(Constraint[Hotel] :area (EmptyConstraint) :stars (?= "3"))', "Hotel")
    assert talk.state(revised) == {"hotel": {"stars": "3"}}
    assert talk.state("(find (Constraint[Train] :book-people (refer (Constraint[Book-people]))))") == {
        "hotel": {"stars": "3"},
        "train": {"book-people": "3"},
    }
    assert talk.state("(abandon (Constraint[Hotel]))") == {"train": {"book-people": "3"}}
    assert talk.state("()") == {"train": {"book-people": "3"}}


def test_a_revision_stands_for_a_new_computation_that_shares_the_old_ones_nodes() -> None:
    talk = Talk()
    talk.say('(find (Constraint[Hotel] :area (?= "east") :stars (?= "4")))')
    graph = talk.dialogue.graph
    before, first = list(graph.nodes), graph.turns[0].roots[0]
    talk.say(REVISE.format('(Constraint[Hotel] :stars (?= "3"))', "Hotel"))
    assert graph.nodes[: len(before)] == before
    root = graph.turns[1].roots[0]
    made = graph.nodes[graph.standing_for(root)]
    assert made.fn == "find" and made.id != first and graph.nodes[root].fn == "ReviseConstraint"
    constants = {n.id for n in before if n.fn == "constant"}
    assert {edge.node for edge in graph.nodes[made.inputs[0].node].inputs} & constants


def test_what_fails_changes_nothing_and_can_be_said_again() -> None:
    talk = Talk()
    nothing_there = talk.say(REVISE.format('(Constraint[Hotel] :stars (?= "3"))', "Hotel"))
    assert [f.kind for f in nothing_there.failures if f] == ["no_place"]
    nobody_said = talk.say("(find (Constraint[Hotel] :area (refer (Constraint[Area]))))")
    assert [f.kind for f in nobody_said.failures if f] == ["no_referent"]
    graph = talk.dialogue.graph
    assert all(talk.requests.update(graph, turn) == {} for turn in graph.turns)
    assert talk.state('(find (Constraint[Hotel] :area (?= "west")))') == {"hotel": {"area": "west"}}


def test_inlining_replaces_references_and_revisions() -> None:
    talk = Talk()
    talk.say('(find (Constraint[Hotel] :area (?= "east")))')
    text = '(find (Constraint[Train] :day (?= "friday") :departure (refer (Constraint[Area]))))'
    turn = dl_turn(read_program(text), NAMES)
    made = plan(turn)
    start = len(talk.dialogue.graph.nodes)
    talk.dialogue.run(made)
    graph = talk.dialogue.graph
    whole = fragment(graph, graph.turns[-1].roots[0], written=True)
    expected = '(find(({ .day = "friday" and .departure = "east" } : Spec[Train])))'
    assert f"({print_term(whole)})" == expected
    # The rule of canon does the same to the turn itself, told what each call returned.
    calls = {(i, path): fragment(graph, start + n) for i, path, n in made.calls if graph.nodes[start + n].fn == "refer"}
    rewritten = inlined(turn, calls)
    assert f"({print_term(rewritten.statements[0].term)})" == expected
    assert not plain(turn) and plain(rewritten)
    talk.say(REVISE.format('(Constraint[Hotel] :stars (?= "3"))', "Hotel"))
    revised = fragment(graph, graph.turns[-1].roots[0], written=True)
    assert print_term(revised) == 'find(({ .area = "east" and .stars = "3" } : Spec[Hotel]))'
    assert not any(isinstance(t, App) and t.fn in METACOMPUTATION for t in subterms(revised))
    assert plain(Turn("user", (), (Statement(revised),)))


@pytest.mark.parametrize(
    "text",
    [
        '(find (Constraint[Hotel] :name (?= "~0~") :area (?= "~1~")))',
        '(find (Constraint[Hotel] :name (?= "a") :area (?= "a")))',
        '(find (Constraint[Hotel] :name (?= "the \\"x\\" hall")))',
        '(find (Constraint[Hotel] :name (?= "é")))',
        '(F #(Path "output") "b")',
        '(F #(A 1 "~0") "b")',
        '(F #(A 1 "~") "b")',
        '(do (F #(Path "~0") "b") (G "c" (do "d" 1)) (abandon (Constraint[Taxi])))',
        '(do (do (F "a") (F "b")) (F "c"))',
        '(do () (F "c"))',
        '(do (F "c"))',
        '(do x0 (F "c"))',
        '(let (x0 (F "a")) (do (G x0 "b") (G x0 "b")))',
        '(F (g "x") :k "y" 3L)',
        "(F 1 2)",
    ],
)
def test_plans_that_share_a_shape_are_the_plans_of_their_texts(text: str) -> None:
    plans = Plans(NAMES)
    for other in ('(find (Constraint[Hotel] :name (?= "u") :area (?= "v")))', '(F (g "p") :k "q" 3L)', text):
        assert plans.of(other) == plan(dl_turn(read_program(other), NAMES))


@pytest.mark.parametrize(
    "text", ['(F "a long one" (G', '(F "a long one" #("B"))', '(do (F "a") (let (x0 "b") x0))', '(do (F "a") ("b"))']
)
def test_plans_that_share_a_shape_are_refused_as_their_texts(text: str) -> None:
    with pytest.raises((LispressError, Unsayable)) as alone:
        dl_turn(read_program(text), NAMES)
    with pytest.raises(type(alone.value), match=re.escape(str(alone.value))):
        Plans(NAMES).of(text)


def rows(*programs: str) -> str:
    made = [{"dialogue_id": "d", "turn": 2 * k, "program": text} for k, text in enumerate(programs)]
    return "\n".join(map(json.dumps, made)) + "\n"


def converted(path: Path, text: str, to: str, **options: Any) -> list[dict[str, Any]]:
    (path / "rows.jsonl").write_text(text)
    return list(dlc.convert("dataflow", path / "rows.jsonl", to=to, schema="multiwoz", **options))


def test_to_slots_and_thingtalk(tmp_path: Path) -> None:
    text = rows(
        '(find (Constraint[Hotel] :area (?= "east") :book-day (?= "monday")))',
        REVISE.format('(Constraint[Hotel] :stars (?= "4"))', "Hotel"),
    )
    slots = converted(tmp_path, text, "slots")
    assert [row["program"] for row in slots] == [
        {"hotel": {"semi": {"area": "east"}, "book": {"day": "monday"}}},
        {"hotel": {"semi": {"area": "east", "stars": "4"}, "book": {"day": "monday"}}},
    ]
    assert {row["status"] for row in slots} == {"exact"}
    thingtalk = converted(tmp_path, text, "thingtalk")
    assert "area == enum east && stars == 4" in thingtalk[1]["program"]


def test_to_dl_and_back_without_a_word(tmp_path: Path) -> None:
    text = rows('(find (Constraint[Taxi] :leaveat (?= "10:00") :book-day (refer (Constraint[Day]))))', "()")
    told: list[Any] = []
    dl = converted(tmp_path, text, "dl", on_diagnostic=told.append)
    (tmp_path / "dl.jsonl").write_text("\n".join(map(json.dumps, dl)))
    back = list(dlc.convert("dl", tmp_path / "dl.jsonl", to="dataflow", on_diagnostic=told.append))
    assert [row["program"] for row in back] == [json.loads(line)["program"] for line in text.splitlines()]
    assert told == [] and all(row["notes"] == [] and row["status"] == "exact" for row in (*dl, *back))


def test_a_failed_statement_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    text = rows(
        "(find (Constraint[Hotel] :area (refer (Constraint[Area]))))",
        "(find (Constraint[Hotel] :area (?= ",
        '(find (Constraint[Hotel] :area (?= "east") :nothing (?= "x")))',
    )
    made = converted(tmp_path, text, "slots")
    assert [row["status"] for row in made] == ["approximate", "rejected", "approximate"]
    assert [row["notes"][0]["code"] for row in made] == ["DLC406", "DLC280", "DLC301"]
    assert made[2]["program"] == {"hotel": {"semi": {"area": "east"}, "book": {}}}


def test_each_turn_says_its_whole_state_if_asked(tmp_path: Path) -> None:
    from dlc.targets.dataflow.multiwoz import Options

    text = rows('(find (Constraint[Hotel] :area (?= "east")))', '(find (Constraint[Train] :day (?= "friday")))')
    assert "hotel" in converted(tmp_path, text, "slots")[1]["program"]
    assert "hotel" not in converted(tmp_path, text, "slots", recipe=Options(no_revise=True))[1]["program"]


@pytest.mark.corpus
def test_the_published_programs_give_the_published_states(corpora: Path) -> None:
    dialogues: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(corpora / "multiwoz21" / "val.dataflow.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            dialogues[row["dialogue_id"]].append(row)
    texts = sorted({row["lispress"] for turns in dialogues.values() for row in turns})[::3]
    plans = Plans(NAMES)
    assert [text for text in texts if plans.of(text) != plan(dl_turn(read_program(text), NAMES))] == []
    different = []
    for name, turns in dialogues.items():
        talk = Talk()
        for row in turns:
            state = talk.state(row["lispress"])
            made = {f"{domain}-{slot}": value for domain, slots in state.items() for slot, value in slots.items()}
            gold = {slot.replace(" ", "-"): value for slot, value in row["belief"].items()}
            if made != {slot: value for slot, value in gold.items() if not slot.startswith(("hospital", "bus"))}:
                different.append((name, row["turn"]))
    assert dialogues and different == []


@pytest.mark.corpus
@pytest.mark.parametrize("normalize", ["none", "trade@1"])
def test_states_come_back_from_their_programs(corpora: Path, tmp_path: Path, normalize: Any) -> None:
    from dlc.targets.dataflow.multiwoz import Options

    source = corpora / "multiwoz21" / "val.json.zip"
    gold = list(dlc.convert("multiwoz", source, to="slots", normalize=normalize))
    recipe = Options(keep_all_domains=True)
    programs = dlc.convert("multiwoz", source, to="dataflow", normalize=normalize, recipe=recipe)
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, programs)))
    back = list(dlc.convert("dataflow", tmp_path / "rows.jsonl", to="slots"))
    assert [without_results(row["program"]) for row in back] == [without_results(row["program"]) for row in gold]
    assert {row["status"] for row in back} == {"exact"}


def without_results(state: Any) -> Any:
    """A state without what was booked, and without domains of which it says nothing."""
    made = {
        domain: {part: {s: v for s, v in slots.items() if s != "booked"} for part, slots in parts.items()}
        for domain, parts in state.items()
    }
    return {domain: parts for domain, parts in made.items() if any(parts.values())}
