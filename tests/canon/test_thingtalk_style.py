"""`--style thingtalk`: the reference's own form, held to the reference on MultiWOZ 3.0 and on random programs."""

import random
from pathlib import Path

import pytest
from test_thingtalk_normalizer import STATE, query, shuffled
from thingtalk_oracle import Oracle

from dlc.targets.thingtalk.normal_form import normal_form
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.programs import parse


@pytest.mark.corpus
@pytest.mark.oracle
def test_multiwoz_3_with_clauses_in_any_order_as_the_reference_has_it(oracle: Oracle, corpora: Path) -> None:
    dice = random.Random(7)
    texts: list[str] = []
    for file in sorted((corpora / "multiwoz30").glob("*.tsv")):
        programs = {p for line in file.read_text("utf-8").splitlines() for p in line.split("\t")[1::2] if p != "null"}
        texts += sorted(programs)
    codes = [to_text(shuffled(parse(text, True), dice), True) for text in texts]
    answers = oracle.judge([(code, "tokenized") for code in codes], corpora / "multiwoz30" / "schema.tt")
    wrong = [
        (code, answer["canonical_tokens"])
        for code, answer in zip(codes, answers, strict=True)
        if to_text(normal_form(parse(code, True)), True) != answer["canonical_tokens"]
    ]
    assert not wrong, (len(wrong), wrong[0])
    assert len(codes) > 2000 and sum(code != text for code, text in zip(codes, texts, strict=True)) > 700


@pytest.mark.oracle
def test_random_programs_as_the_reference_has_them(oracle: Oracle, corpora: Path) -> None:
    dice = random.Random(8)
    codes = [STATE + query(dice, dice.choice((0, 1, 2, 3))) + ";" for _ in range(3000)]
    answers = oracle.judge([(code, "normal") for code in codes], corpora / "multiwoz30" / "schema.tt")
    judged = 0
    for code, answer in zip(codes, answers, strict=True):
        # Of an index of an index the reference prints what it cannot read.
        if answer["parse"] and "][" not in answer["canonical"]:
            judged += 1
            assert to_text(normal_form(parse(code))) == answer["canonical"].replace("\n", " "), code
    assert judged > 2500


@pytest.mark.oracle
def test_the_references_optimizer_cases(oracle: Oracle) -> None:
    """All of them, the legacy words taken away; a date in the time zone of their test is none of the normalizer's."""
    same = read = 0
    for before, after in oracle.cases("test_optimize.js", "TEST_CASES"):
        code = before.strip().replace("now => ", "").replace(" => notify", "")
        try:
            tree = parse(code)
        except ValueError:
            continue
        read += 1
        same += to_text(normal_form(tree)) == to_text(parse(after))
    assert (same, read) == (56, 57)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("stars == 4 && area == enum north", "area == enum north && stars == 4"),
        # Constants all look alike, so these keep their order.
        ("stars >= 4 && stars >= 3", "stars >= 4 && stars >= 3"),
        ("stars == 3 || parking == true || stars == 4", "parking == true || in_array(stars, [3, 4])"),
        ("area == enum north && (stars == 3 || stars == 4)", "area == enum north && (in_array(stars, [3, 4]))"),
        ("!(!(stars == 3))", "stars == 3"),
        ("3 <= stars", "stars >= 3"),
        ("3 == 4", "false"),
        ("stars == stars && parking == true", "parking == true"),
        ("stars == 3 && stars == 3", "stars == 3 && stars == 3"),
    ],
)
def test_filters(before: str, after: str) -> None:
    hotel = "@uk.ac.cam.multiwoz.Hotel.Hotel()"
    made = to_text(normal_form(parse(f"{STATE}{hotel} filter {before};")))
    assert made == f"{STATE}{hotel} filter {after};".replace("\n", " ")
