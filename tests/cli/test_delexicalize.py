"""`--delexicalize` and the field `entities`: out of programs and back into them, at the command line."""

import json
import os
from pathlib import Path

import pytest

import dlc


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_constants_go_out_and_come_back(dlc_run):
    plain = dlc_run("convert", "multiwoz", "--to", "thingtalk", "--syntax", "tokenized").rows()
    bare = dlc_run("convert", "multiwoz", "--to", "thingtalk", "--delexicalize").rows()
    assert sum(a["program"] != b["program"] for a, b in zip(plain, bare, strict=True)) > 50
    assert all('" ' not in row["program"] and isinstance(row["entities"], dict) for row in bare)
    for row in bare:
        assert all(token in row["program"].split() for token in row["entities"])
    back = dlc_run("convert", "thingtalk", "-", "--to", "thingtalk", stdin=lines(bare)).rows()
    assert [row["program"] for row in back] == [row["program"] for row in plain]
    assert {row["status"] for row in back} == {"exact"}


def test_placeholders_of_the_source_keep_their_numbers(dlc_run):
    program = (
        "$dialogue @org.thingpedia.dialogue.transaction . execute ; @uk.ac.cam.multiwoz.Train . Train ( ) filter "
        'leave_at >= TIME_0 && arrive_by <= new Time ( 10 , 30 ) && id == null ^^uk.ac.cam.multiwoz.Train:Train ( " t1 " ) ;'
    )
    (row,) = dlc_run(
        "convert", "thingtalk", "-", "--to", "thingtalk", "--delexicalize", stdin=lines([{"program": program}])
    ).rows()
    assert "leave_at >= TIME_0 && arrive_by <= TIME_1" in row["program"]
    assert row["entities"] == {
        "TIME_1": {"hour": 10, "minute": 30, "second": 0},
        "GENERIC_ENTITY_uk.ac.cam.multiwoz.Train:Train_0": {"value": None, "display": "t1"},
    }


@pytest.mark.parametrize(
    ("entities", "why"),
    [
        ({}, "TIME_0 has no value"),
        ({"TIME_0": "early"}, "TIME_0 does not stand for 'early'"),
        (["TIME_0"], "`entities` is list, not an object"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_reject_their_row_only(dlc_run, entities, why):
    program = "@uk.ac.cam.multiwoz.Train . Train ( ) filter leave_at >= TIME_0 ;"
    rows = [{"program": program, "entities": entities}, {"program": program, "entities": {"TIME_0": {"hour": 9}}}]
    done = dlc_run("convert", "thingtalk", "-", "--to", "dl", "--rejects", "r.jsonl", stdin=lines(rows))
    assert done.status == 1 and why in done.err
    assert [row["status"] for row in done.rows()] == ["rejected", "exact"]
    assert done.rows()[1]["program"].endswith("where .leave_at >= 09:00;")


def test_usage(dlc_run):
    assert dlc_run("convert", "multiwoz", "--to", "dl", "--delexicalize").status == 2
    assert dlc_run("convert", "multiwoz", "--to", "thingtalk", "--delexicalize", "--syntax", "normal").status == 2


@pytest.mark.corpus
@pytest.mark.oracle
def test_multiwoz_delexicalized_is_accepted_by_the_reference_and_comes_back(dlc_run, oracle_tokens, tmp_path):
    root = Path(os.environ.get("DLC_CORPORA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    val = root / "multiwoz21" / "val.json.zip"
    bare = tmp_path / "bare.jsonl"
    assert dlc_run("convert", "multiwoz", str(val), "--to", "thingtalk", "--delexicalize", "-o", str(bare)).status == 0
    rows = [json.loads(line) for line in bare.read_text().splitlines()]
    plain = [row["program"] for row in dlc.convert("multiwoz", val, to="thingtalk", syntax="tokenized")]
    back = [row["program"] for row in dlc.convert("thingtalk", bare, to="thingtalk")]
    assert back == plain
    distinct = sorted({row["program"] for row in rows})
    assert len(distinct) < 0.9 * len(set(plain))
    answers = oracle_tokens(distinct[::4], root / "multiwoz30" / "schema.tt")
    assert all(answer["parse"] and answer["typecheck"] for answer in answers)
