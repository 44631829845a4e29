"""Kinds of errors: Table 4 of the dataflow paper, as far as two programs decide it."""

import pytest

from dlc.metrics.dataflow_errors import KINDS, error_kind

NAMED = '(Yield (Event.start (find (Event.subject_? (?= "{}")))))'


@pytest.mark.parametrize(
    ("gold", "predicted", "utterance", "kind"),
    [
        ("(f 1)", "(f 1)", None, None),
        ("(f (g) (g))", "(let (x0 (g)) (f x0 x0))", None, None),
        ('^Unit (^(T) f :a ^String "x")', '(f :a "x")', None, None),
        ("(f 1)", None, None, "no program"),
        ("(f 1)", "(f 1", None, "no program"),
        ("(f (g 1) (h 2))", "(f (g 1))", None, "underprediction"),
        ("(Yield (dayOfWeek (Event.start (refer))))", "(Yield (Event.start (refer)))", None, "underprediction"),
        (NAMED.format("lunch"), NAMED.format("dinner"), "when is lunch", "entity: hallucinated"),
        (NAMED.format("team lunch"), NAMED.format("lunch"), "when is the team lunch", "entity: boundary mismatch"),
        (NAMED.format("lunch"), NAMED.format("dinner"), "lunch, not dinner", "entity: other value"),
        (NAMED.format("lunch"), NAMED.format("dinner"), None, "entity: other value"),
        ('(f (LocationKeyphrase.apply "bali"))', '(f (PersonName.apply "bali"))', None, "entity: wrong type"),
        ('(& (start_? (?= "a")) (end_? (any)))', '(& (start_? (any)) (end_? (?= "a")))', None, "entity: wrong field"),
        ("(FenceScope)", '(find "x")', None, "fencing: should have fenced"),
        ('(find "x")', "(FenceScope)", None, "fencing: should not have fenced"),
        ("(FenceScope)", "(FenceWeather)", None, "fencing: wrong message"),
        ("(f (next (g)))", "(f (last (g)))", None, "used wrong function"),
        ("(f (next (g)))", '(h (k "u"))', None, "other"),
        ("(f (next (g))", '(h (k "u"))', None, "other"),
    ],
)
def test_kinds(gold: str, predicted: str | None, utterance: str | None, kind: str | None) -> None:
    assert error_kind(gold, predicted, utterance) == kind
    assert kind is None or kind in KINDS


def test_shared_subexpressions_that_would_grow_without_bound_are_no_program() -> None:
    bindings = "x0 (f 1 2 3 4 5 6 7 8 9)" + "".join(f" x{i} (g x{i - 1} x{i - 1})" for i in range(1, 40))
    assert error_kind(f"(let ({bindings}) (h x39))", "(h 1)") == "other"
    large = f"(let ({bindings}) (h x39))"
    assert error_kind("(h 1)", large) == error_kind(large, "(h 1)") == "other"
    assert error_kind(large, large) is None and error_kind(large, "(h") == "no program"


def test_nesting_is_bounded() -> None:
    assert error_kind("(f 1)", "(f " * 100_000 + ")" * 100_000) == "no program"
