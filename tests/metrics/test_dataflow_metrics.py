"""The published figures for dataflow: canonical forms with their faults, exact match, dialogues, states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.metrics.dataflow import (
    BeliefPair,
    TurnPair,
    exact_match,
    joint_goal,
    same_in_report,
    same_on_leaderboard,
    same_tokens,
    score,
    tokens,
)
from dlc.metrics.dataflow_canonical import leaderboard_form, report_form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("foo", "(foo)"),
        ("(f 1 0.25 0.35 3L inf)", "(f 1.0 0.2 0.3 3L (inf))"),
        ("(F :b 1 :a x)", "(F :a (x) :b 1.0)"),
        ("(F :a 1 2)", "(F :a 1.0 :a 2.0)"),
        ("(F 1 :a 2 3)", "(F 1.0 :a 2.0 :a 3.0)"),
        ("(F :a)", "(F)"),
        ("(F :argue 1 :b 2)", "(F 1.0 :b 2.0)"),
        ("(F :nonEmptyBase (b) :a 1)",
         "(let (x0 (b)) (F :a 1.0 :nonEmptyBase x0 :nonEmptyBase x0))"),
        ("(singleton :list (f))", "(singleton (:list) (f))"),
        ("(f 0 1 2 3 4 5 6 7 8 9 10)", "(f 0.0 1.0 10.0 2.0 3.0 4.0 5.0 6.0 7.0 8.0 9.0)"),
        ("(f ExternalReference x)", "(f (x))"),
        ("(f (g) [1])", "(let (x0 (g)) (f x0 x0))"),
        ("(f [9])", "(f [9])"),
        ("(let (y (f)) (g y))", "(g (f))"),
        ("(let (y (f)) (g y y))", "(let (x0 (f)) (g x0 x0))"),
        ("(let (y (f)) (g))", "(do (f) (g))"),
        ("(g (let (y (f)) y) y)", "(let (x0 (f)) (g x0 x0))"),
        ("(f x0)", "(f x0)"),
        ("(lambda (^T e) (f e e))", "(lambda (^T x0) (f x0 x0))"),
        ("(lambda (e) (f e))", "(lambda (e) (f e))"),
        ("(:start (f))", "(:start (f))"),
        ('(get (f) #(Path "start"))', "(:start (f))"),
        ('(get (f) #(Path "start.end"))', '(get (f) #(Path "start.end"))'),
        ("(:start (f) (g))", "(:start (f) (g))"),
        ("(f x #(Foo {}))", "(f x #(Foo {}))"),
        ('(f #(String " a ") #(Number 1) #(Foo bar baz))', '(f "a" 1.0 #(Foo "bar baz"))'),
        ("(f ())", "(f #(Unit []))"),
        ("(^(T (List U)) f x)", "(^(T (List U)) f (x))"),
        ("(^T f x)", "(^(T) f (x))"),
        ("(^Foo f x)", "(^(F o o) f (x))"),
        ("(^() f x)", "(^() f x)"),
        ("^T (f)", "^T (f)"),
        ("((f) x)", "((f) x)"),
        ('(f "é" "\\q")', '(f "\\u00e9" ("\\q"))'),
        ("()", "()"),
        (")", "(\\))"),
        ("(f", "(f"),
        ("(f) (g)", "(f) (g)"),
        ('(f "x)', '(f "x)'),
        ("", ""),
        (r"(f a\ b)", r"(f (a\ b))"),
        ("(f null)", "(f (null))"),
    ],
)  # fmt: skip
def test_leaderboard_form(text: str, form: str) -> None:
    assert leaderboard_form(text) == form


def test_leaderboard_form_of_a_text_too_deep_is_the_text() -> None:
    for text in ("(" * 50_000 + "a" + ")" * 50_000, "(f " * 5000 + "x" + ")" * 5000):
        assert leaderboard_form(text) == text


@given(st.text(alphabet='()"^#\\ ab:F[]1Lxlet.', max_size=30))
def test_leaderboard_form_never_raises(text: str) -> None:
    leaderboard_form(text)


def test_report_form_keeps_numbers_and_refuses() -> None:
    assert report_form('( F :b 0.25 :a " x  y " )') == '(F :a "x  y" :b 0.25)'
    with pytest.raises(ValueError, match="Lispress"):
        report_form("( f")


def test_tokens() -> None:
    text = '(^(T) f :k #(Path "a  b ") ^Long 3L)'
    assert tokens(text) == [
        *("(", "^", "(", "T", ")", "f", ":k", "#", "(", "Path", '"', "a", "", "b", '"', ")", "^", "Long", "3L", ")")
    ]  # fmt: skip
    assert tokens("(f a") == ["(f", "a"]


def test_the_three_matches_differ() -> None:
    swapped = ("(F :a 1 :b 2)", "(F :b 2 :a 1)")
    rounded = ("(f 0.25)", "(f 0.2)")
    spaced = ("(f  x)", "(f x)")
    assert [same_tokens(*pair) for pair in (swapped, rounded, spaced)] == [False, False, True]
    assert [same_on_leaderboard(*pair) for pair in (swapped, rounded, spaced)] == [True, True, True]
    assert [same_in_report(*pair) for pair in (swapped, rounded, spaced)] == [True, False, True]
    assert not same_in_report("(f)", "(f")


_TURNS = [
    TurnPair("d1", 0, "(f (refer x))", "(f (refer x))"),
    TurnPair("d1", 1, "(g)", "(h)"),
    TurnPair("d1", 2, "(ReviseConstraint (refer x))", "(ReviseConstraint (refer x))"),
    TurnPair("d1", 3, "(g)", None),
    TurnPair("d2", 1, "(g (refer x))", "(g (refer x))", refer_are_correct=False),
    TurnPair("d2", 0, "(g)", "(g)"),
    TurnPair("d2", 2, "(g)", "(wrong)", skip=True),
    TurnPair("d3", 0, "(g)", "(g)"),
]


def test_exact_match() -> None:
    scores = exact_match(_TURNS)
    assert (scores.num_total_turns, scores.num_correct_turns) == (7, 4)
    assert scores.num_correct_turns_after_first_error == 1
    assert scores.ave_num_turns_before_first_error == pytest.approx((1 + 1 + 1) / 3)
    assert scores.pct_correct_dialogues == pytest.approx(1 / 3)
    assert exact_match(_TURNS, ignore_refer=True).num_correct_turns == 5


def test_subsets_group_only_their_own_turns() -> None:
    refer = exact_match(_TURNS, subset="refer")
    assert (refer.num_total_turns, refer.num_correct_turns, refer.num_total_dialogues) == (3, 2, 2)
    assert refer.num_correct_dialogues == 1
    revise = exact_match(_TURNS, "token", "revise")
    assert (revise.num_total_turns, revise.accuracy) == (1, 1.0)


def test_nothing_to_score() -> None:
    scores = exact_match([])
    assert (scores.accuracy, scores.pct_correct_dialogues, scores.ave_num_turns_before_first_error) == (0, 0, 0)


def test_joint_goal() -> None:
    turns = [
        BeliefPair("d", 0, {"hotel-area": "east"}, {"hotel-area": "east"}),
        BeliefPair("d", 1, {"hotel-area": "east"}, {"hotel-area": "east", "hotel-stars": "none"}),
        BeliefPair("d", 2, {"hotel-area": "none"}, {"hotel-area": "none"}),
        BeliefPair("d", 3, {}, {}),
    ]
    slots = ("hotel-area", "hotel-stars")
    plain = joint_goal(turns, slots)
    assert (plain.accuracy, plain.num_turns_before_first_error) == (0.75, 1)
    assert plain.num_correct_turns_after_first_error == 2
    assert plain.accuracy_for_slot == {"hotel-area": 1.0, "hotel-stars": 0.75}
    # "none" goes from the prediction only, so a gold "none" can no longer be met.
    assert [joint_goal([turn], remove_none=True).accuracy for turn in turns] == [1, 1, 0, 1]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.booleans()), unique_by=lambda row: row[:2]))
def test_scores_do_not_depend_on_the_order_of_rows(rows: list[tuple[str, int, bool]]) -> None:
    scores = score(rows)
    assert scores == score(sorted(rows)) == score(rows[::-1])
    assert scores.num_correct_turns == scores.num_turns_before_first_error + scores.num_correct_turns_after_first_error
    assert scores.num_correct_dialogues <= scores.num_total_dialogues == len({row[0] for row in rows})
