"""Gold and prediction files, their orders, and the evaluators' buckets."""

import pytest

from dlc.metrics.errors import AlignmentError, GoldError, MetricError
from dlc.metrics.sql_files import (
    GoldTurn,
    align,
    gold_from_dialogues,
    read_gold,
    read_predictions,
    regrouped,
    write_gold,
    write_predictions,
)
from dlc.metrics.sql_repairs import ALL_REPAIRS
from dlc.metrics.sql_schema import schema_from_entry
from dlc.metrics.sql_score import Figure, PartFigure, score, turn_bucket

SCHEMAS = {
    name: schema_from_entry(
        {
            "db_id": name,
            "table_names_original": ["t"],
            "column_names_original": [[-1, "*"], [0, "a"], [0, "b"]],
            "foreign_keys": [],
        }
    )
    for name in ("x", "y")
}
GOLD = "select a from t\tx\nselect b from t\tx\n\nselect count(*) from t\ty\n\n"


def test_reading_and_writing_are_inverse() -> None:
    gold = read_gold(GOLD)
    assert [[turn.db_id for turn in interaction] for interaction in gold] == [["x", "x"], ["y"]]
    assert write_gold(gold) == GOLD
    pred = read_predictions("select a from t\t0.5\n\nselect b from t\n")
    assert pred == [("select a from t",), ("select b from t",)]
    assert read_predictions(write_predictions(pred)) == pred


def test_an_empty_prediction_does_not_end_the_interaction() -> None:
    text = write_predictions([["select a from t", "", "select\nb from t"]])
    assert read_predictions(text) == [("select a from t", ";", "select b from t")]


@pytest.mark.parametrize(
    ("text", "all_of_it", "first_script"),
    [
        ("q\td\n\nq\td\n\n", 2, 2),
        ("q\td\n\nq\td\n", 2, 1),
        ("q\td\n\nq\td", 2, 1),
        ("q\td\r\n\r\nq\td\r\n", 2, 1),
        ("\n\n\nq\td\n\n\n\nq\td\n\n\n", 2, 2),
        ("", 0, 0),
    ],
)
def test_the_first_script_forgets_an_unfinished_interaction(text: str, all_of_it: int, first_script: int) -> None:
    assert len(read_gold(text)) == len(read_predictions(text)) == all_of_it
    assert len(read_gold(text, last_interaction=False)) == first_script
    assert len(read_predictions(text, last_interaction=False)) == first_script


@pytest.mark.parametrize("line", ["select a from t", "select a\tfrom t\tx"])
def test_a_malformed_gold_line_is_named(line: str) -> None:
    with pytest.raises(MetricError, match="gold line 3"):
        read_gold(f"select a from t\tx\n\n{line}\n")


def test_both_release_layouts_and_the_regrouped_order() -> None:
    dialogues = [
        {"database_id": "x", "interaction": [{"query": "select a\nfrom t"}, {"query": "select b from t"}]},
        {"db_id": "y", "query": "select count(*) from t"},
        {"database_id": "x", "interaction": [{"query": "select * from t"}]},
    ]
    gold = gold_from_dialogues(dialogues)
    assert gold[0][0] == GoldTurn("select a from t", "x")
    assert regrouped(gold) == [0, 2, 1]
    for broken in (
        {},
        {"db_id": "x"},
        {"database_id": "x", "interaction": [{}]},
        {"database_id": "x", "interaction": None},
    ):
        with pytest.raises(MetricError, match="dialogue 0"):
            gold_from_dialogues([broken])


def test_alignment() -> None:
    gold = read_gold(GOLD)
    with pytest.raises(AlignmentError, match="2 gold interactions, 1"):
        align(gold, [("a",)])
    with pytest.raises(AlignmentError, match="interaction 1: 2 gold turns, 1"):
        align(gold, [("a",), ("b",)])
    assert [len(pairs) for pairs in align(gold, [("a",), ("b", "c")], by_zip=True)] == [1, 1]


def test_figures_in_buckets() -> None:
    turns = tuple(GoldTurn("select a from t", "x") for _ in range(6))
    gold = [turns, (GoldTurn("select a from t where b = 1", "y"),)]
    pred = [("select a from t",) * 4 + ("select b from t", "nonsense"), ("select a from t where b = value",)]
    result = score(align(gold, pred), SCHEMAS)
    assert result.question == Figure(7, 5)
    assert result.interaction == Figure(2, 1)
    assert result.interaction.rate == 0.5
    assert {name: (f.count, f.right) for name, f in result.turns.items()} == {
        "turn 1": (2, 2),
        "turn 2": (1, 1),
        "turn 3": (1, 1),
        "turn 4": (1, 1),
        "turn >4": (2, 0),
    }
    assert result.levels["easy"] == result.levels["all"] == Figure(7, 5)
    assert result.levels["extra"].rate == 0.0
    assert result.verdicts == ((True, True, True, True, False, False), (True,))
    assert result.parts["select"] == PartFigure(5 / 6, 5 / 7)
    assert result.parts["where"] == PartFigure(1.0, 1.0)
    assert result.parts["IUEN"].f1 == 1.0
    assert [turn_bucket(i) for i in (0, 3, 4, 40)] == ["turn 1", "turn 4", "turn >4", "turn >4"]


def test_another_judge_and_the_repaired_variant() -> None:
    pairs = align([(GoldTurn("select a from t", "x"),)], [("select a from t ) more",)])
    assert score(pairs, SCHEMAS).question.right == 1
    assert score(pairs, SCHEMAS, repairs=ALL_REPAIRS).question.right == 0
    assert score(pairs, SCHEMAS, judge=lambda turn, pred: "more" not in pred).question.right == 0


def test_gold_against_gold_and_unusable_gold() -> None:
    gold = read_gold(GOLD)
    result = score(align(gold, [[turn.query for turn in turns] for turns in gold]), SCHEMAS)
    assert result.question.rate == result.interaction.rate == 1.0
    with pytest.raises(GoldError):
        score(align([(GoldTurn("select", "x"),)], [("select a from t",)]), SCHEMAS)
