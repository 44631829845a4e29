"""BLEU and dialogue acts: what is handed to the libraries, and what happens without them."""

import sys

import pytest

from dlc.metrics.errors import AlignmentError, MetricError, MissingLibraryError
from dlc.metrics.responses import bleu, score_acts


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(MissingLibraryError, match="pip install sacrebleu"):
        bleu(["a"], ["a"])
    with pytest.raises(MissingLibraryError, match="pip install scikit-learn"):
        score_acts([["A"]], [["A"]])


def test_misaligned_and_empty_input() -> None:
    with pytest.raises(AlignmentError):
        bleu(["a", "b"], ["a"])
    for references in ([], [[]]):
        with pytest.raises(MetricError):
            bleu(references, [""] * len(references))
    with pytest.raises(AlignmentError):
        score_acts([["A"]], [])
    with pytest.raises(MetricError):
        score_acts([[]], [[]])


def test_bleu() -> None:
    pytest.importorskip("sacrebleu")
    references = ["there are three singers from rome", "the oldest one is ann"]
    assert bleu(references, references).score == pytest.approx(100)
    worse = bleu(references, ["there are three people from rome", "the oldest one is ann"])
    assert 20 < worse.score < 100 and "tok:13a" in worse.signature
    several = bleu(
        [[references[0], "there are three people from rome"], [references[1]]],
        ["there are three people from rome", "the oldest one is ann"],
    )
    assert several.score == pytest.approx(100)
    assert "tok:none" in bleu(references, references, tokenize="none").signature


def test_acts() -> None:
    pytest.importorskip("sklearn")
    gold = [["INFORM_SQL"], ["AFFIRM", "THANK_YOU"], ["INFORM_SQL"], []]
    pred = [["INFORM_SQL"], ["AFFIRM"], ["AFFIRM"], []]
    score = score_acts(gold, pred)
    assert score.accuracy == 0.5
    assert score.f1 == {"AFFIRM": pytest.approx(2 / 3), "INFORM_SQL": pytest.approx(2 / 3), "THANK_YOU": 0.0}
    assert score.macro_f1 == pytest.approx(4 / 9)
    assert score.micro_f1 == pytest.approx(4 / 7)
    # A single act must not make its absence a class of its own.
    single = score_acts([["A"], ["A"], []], [["A"], [], []])
    assert single.micro_f1 == single.macro_f1 == pytest.approx(2 / 3)
