"""`dlc eval dataflow`: states by running, figures after inlining, kinds of errors."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dlc.eval_inlining import Inliner
from dlc.schemas import load_schema

REVISE = (
    "(ReviseConstraint :new {} :oldLocation (Constraint[Constraint[Hotel]])"
    ' :rootLocation (roleConstraint #(Path "output")))'
)
REQUESTS = [
    '(find (Constraint[Hotel] :area (?= "east")))',
    REVISE.format('(Constraint[Hotel] :stars (?= "4"))'),
    "()",
]
FIND = '(Yield (FindEventWrapperWithDefaults (Event.subject_? (?= "lunch"))))'
OUTPUT = '(refer (^(Dynamic) roleConstraint (Path.apply "output")))'


def rows(path: Path, programs: list[Any], **fields: Any) -> str:
    made = [{"dialogue_id": "d", "turn": 2 * k, "program": text, **fields} for k, text in enumerate(programs)]
    path.write_text("\n".join(map(json.dumps, made)) + "\n")
    return path.name


def sections(done: Any) -> dict[str, list[dict[str, Any]]]:
    assert done.status == 0, done.err
    return {section["title"]: section["rows"] for section in json.loads(done.out)["sections"]}


def test_states_by_running_both_sides(dlc_run, tmp_path):
    gold = rows(tmp_path / "g.jsonl", REQUESTS)
    wrong = [REQUESTS[0].replace("east", "west"), REQUESTS[1], "(find (Constraint["]
    pred = rows(tmp_path / "p.jsonl", wrong)
    args = ("eval", "dataflow", "--gold", gold, "--format", "json", "--pred")
    (same,) = sections(dlc_run(*args, gold))["dataflow: states"]
    assert (same["accuracy"], same["dialogue"], same["prefix length"]) == (1, 1, 3)
    found = sections(dlc_run(*args, pred))
    # The wrong area stays in the state, although the second program is right.
    (states,) = found["dataflow: states"]
    assert (states["accuracy"], states["prefix length"]) == (0, 0)
    token = found["dataflow: all turns"][0]
    assert (token["accuracy"], token["right after first error"]) == (pytest.approx(1 / 3), 1)
    assert {row["kind"]: row["turns"] for row in found["dataflow: kinds of errors"]} == {
        "entity: other value": 1,
        "no program": 1,
    }


def test_other_programs_have_no_states(dlc_run, tmp_path):
    gold = rows(tmp_path / "g.jsonl", [FIND])
    assert "dataflow: states" not in sections(
        dlc_run("eval", "dataflow", "--gold", gold, "--pred", gold, "--format", "json")
    )


def test_inlining(dlc_run, tmp_path):
    again = f"(Yield (Execute {OUTPUT}))"
    gold = rows(tmp_path / "g.jsonl", [FIND, again])
    pred = rows(tmp_path / "p.jsonl", [FIND, FIND])
    args = ("--gold", gold, "--pred", pred, "--format", "json", "--variant", "token")
    found = sections(dlc_run("eval", "dataflow", *args, "--inline"))
    assert found["dataflow: turns that refer"][0]["accuracy"] == 0
    assert found["dataflow, references inlined: turns that refer"][0]["accuracy"] == 1
    assert dlc_run("eval", "slots", *args, "--inline").status == 2


def test_what_is_inlined_and_what_stays():
    inliner = Inliner(load_schema("smcalflow"))
    assert inliner.turn(FIND, None) == (FIND, None)
    revise = f"(Yield (Execute (ReviseConstraint {OUTPUT} (^(Event) ConstraintTypeIntension) (Event.showAs_? (?= (ShowAsStatus.Busy))))))"
    inlined = revise.replace(OUTPUT, f"(intension {FIND.removeprefix('(Yield ').removesuffix(')')})")
    assert inliner.turn(revise, "(no program") == (inlined, "(no program")
    unknown = '(Yield (Execute (refer (extensionConstraint (RecipientWithNameLike (^(Recipient) EmptyStructConstraint) (PersonName.apply "Bo"))))))'
    assert inliner.turn(unknown, unknown) == (unknown, unknown)
    inliner.start()
    assert inliner.turn(revise, revise)[0] == revise


@pytest.mark.corpus
def test_gold_against_itself_inlines_alike(corpora: Path) -> None:
    inliner = Inliner(load_schema("smcalflow"))
    changed = 0
    with gzip.open(corpora / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        for _, line in zip(range(150), lines, strict=False):
            inliner.start()
            for turn in json.loads(line)["turns"]:
                text = turn["lispress"]
                gold, predicted = inliner.turn(text, text)
                assert gold == predicted
                changed += gold != text
    assert changed > 60
