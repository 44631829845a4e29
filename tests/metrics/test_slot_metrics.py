"""Joint goal and slot accuracy: each variant's rule, and 2,000 perturbed states against plain second implementations."""

import random

import pytest

from dlc.metrics.errors import AlignmentError, MetricError
from dlc.metrics.slots import VARIANTS, Scope, TurnScore, flatten_state, score_slots, score_turn

INVENTORY = [f"{domain}-{slot}" for domain in ("inn", "cafe", "bus") for slot in ("area", "day", "name", "book people")]
POOL = ["north", "south", "none", "dontcare", "", "not mentioned", "a|b", "B|c", "b", "North ", "nor th"]

# --- the second implementations: belief strings, as the scripts have them


def trade(gold: dict[str, str], pred: dict[str, str]) -> tuple[bool, float, float]:
    left, right = (
        {f"{s}-{v}" for s, v in side.items() if v not in ("", "not mentioned", "none")} for side in (gold, pred)
    )
    missed = [g for g in left if g not in right]
    missed_slots = [g.rsplit("-", 1)[0] for g in missed]
    wrong = [p for p in right if p not in left and p.rsplit("-", 1)[0] not in missed_slots]
    accuracy = (len(INVENTORY) - len(missed) - len(wrong)) / len(INVENTORY)
    if not left:
        return left == right, accuracy, 1.0 if not right else 0.0
    tp = len(left & right)
    precision = tp / len(right) if right else 0.0
    recall = tp / len(left)
    return left == right, accuracy, 2 * precision * recall / (precision + recall) if tp else 0.0


def simpletod(gold: dict[str, str], pred: dict[str, str], dontcare: bool, none_in_gold: bool) -> bool:
    left = [f"{s} {v}" for s, v in gold.items() if v]
    right = [f"{s} {v}" for s, v in pred.items() if v]
    right = [bs for bs in right if bs.split()[-1] != "none"]
    if not none_in_gold:
        left = [bs for bs in left if bs.split()[-1] != "none"]
    for side in (left, right):
        for bs in list(side):
            if "not mentioned" in bs or (dontcare and "dontcare" in bs):
                side.remove(bs)
    return set(left) == set(right)


def per_slot(gold: dict[str, str], pred: dict[str, str]) -> bool:
    def label(side: dict[str, str], slot: str) -> str:
        value = side.get(slot, "none")
        return "none" if value in ("", "not mentioned") else value

    return all(label(gold, slot) == label(pred, slot) for slot in INVENTORY)


def convlab(gold: dict[str, str], pred: dict[str, str]) -> bool:
    right = True
    for slot, value in gold.items():
        answer = "".join(pred.get(slot, "").split()).lower()
        if value and answer:
            values = ["".join(v.split()).lower() for v in value.split("|")]
            right = right and any(v in values for v in answer.split("|"))
        else:
            right = right and not value and not answer
    return right


def random_pair(r: random.Random) -> tuple[dict[str, str], dict[str, str]]:
    gold = {slot: r.choice(POOL) for slot in r.sample(INVENTORY, r.randint(0, 5))}
    pred = dict(gold)
    for _ in range(r.randint(0, 3)):
        slot = r.choice([*INVENTORY, "moon-phase"])
        if r.random() < 0.5:
            pred.pop(slot, None)
        else:
            pred[slot] = r.choice(POOL)
    return gold, pred


def test_two_thousand_states_against_the_second_implementations() -> None:
    r = random.Random(64)
    for _ in range(2000):
        gold, pred = random_pair(r)

        def ours(name: str, gold: dict[str, str] = gold, pred: dict[str, str] = pred) -> bool:
            return score_turn(gold, pred, VARIANTS[name], INVENTORY).joint

        joint, accuracy, f1 = trade(gold, pred)
        turn = score_turn(gold, pred, VARIANTS["trade"])
        whole = score_slots([[gold]], [[pred]], "trade", INVENTORY)
        assert turn.joint == joint == whole.joint_goal_accuracy
        assert whole.slot_accuracy == pytest.approx(accuracy, abs=1e-12)
        assert turn.f1 == pytest.approx(f1, abs=1e-12)
        assert ours("simpletod-2020") == simpletod(gold, pred, True, True)
        assert ours("simpletod-fixed") == simpletod(gold, pred, False, True)
        assert ours("ignore-none-dontcare") == simpletod(gold, pred, True, False)
        assert ours("per-slot") == per_slot(gold, pred)
        assert ours("convlab3") == convlab(gold, pred)
        assert ours("strict") == (
            {s: v for s, v in gold.items() if v not in ("", "not mentioned")}
            == {s: v for s, v in pred.items() if v not in ("", "not mentioned")}
        )


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_gold_against_gold(variant: str) -> None:
    r = random.Random(1)
    # SimpleTOD drops `none` from predictions only, so its own gold must not hold it.
    gold = [
        [{s: v for s, v in random_pair(r)[0].items() if v != "none"} for _ in range(r.randint(1, 4))] for _ in range(50)
    ]
    score = score_slots(gold, gold, variant, INVENTORY)
    assert (score.joint_goal_accuracy, score.slot_accuracy, score.joint_f1, score.dialogue_accuracy) == (1, 1, 1, 1)
    assert score.variant == variant
    assert score.mean_prefix == sum(map(len, gold)) / 50


@pytest.mark.parametrize(
    ("gold", "pred", "right"),
    [
        ({"inn-area": "none"}, {}, {"trade", "per-slot", "ignore-none-dontcare"}),
        ({}, {"inn-area": "none"}, {*VARIANTS} - {"strict"}),
        ({"inn-area": "dontcare"}, {}, {"simpletod-2020", "ignore-none-dontcare"}),
        ({}, {"inn-area": "dontcare"}, {"simpletod-2020", "ignore-none-dontcare", "convlab3"}),
        ({"inn-area": "dontcare"}, {"inn-area": "none"}, {"simpletod-2020", "ignore-none-dontcare"}),
        ({"inn-area": "north"}, {"inn-area": "north", "moon-phase": "full"}, {"per-slot", "convlab3"}),
        ({"inn-area": "north|east"}, {"inn-area": "East"}, {"convlab3"}),
        ({"inn-area": ""}, {"inn-area": "north"}, set()),
        ({"inn-area": "not mentioned"}, {}, {*VARIANTS} - {"convlab3"}),
    ],
)
def test_where_the_variants_part(gold: dict[str, str], pred: dict[str, str], right: set[str]) -> None:
    verdicts = {name for name, variant in VARIANTS.items() if score_turn(gold, pred, variant, INVENTORY).joint}
    assert verdicts == right


def test_what_kind_of_error_a_slot_is() -> None:
    gold = {"inn-area": "north", "inn-day": "may", "inn-name": "swan", "bus-day": "june"}
    pred = {"inn-area": "north", "inn-day": "june", "cafe-day": "may"}
    turn = score_turn(gold, pred, VARIANTS["trade"])
    assert turn == TurnScore(False, right=1, wrong=1, missed=2, spurious=1)
    assert turn.errors == 4


def test_figures_over_dialogues() -> None:
    gold = [[{"inn-area": "north"}, {"inn-area": "north", "inn-day": "may"}], [{}, {"bus-day": "june"}]]
    pred = [[{"inn-area": "north"}, {"inn-area": "south"}], [{}, {"bus-day": "june"}]]
    score = score_slots(gold, pred, "trade", INVENTORY)
    assert score.joint_goal_accuracy == 0.75
    assert score.slot_accuracy == (3 + (1 - 2 / len(INVENTORY))) / 4
    assert score.joint_f1 == 0.75
    assert score.dialogue_accuracy == 0.5
    assert score.mean_prefix == 1.5
    assert score_slots(gold, pred).slot_accuracy is None
    assert score_slots([], []).joint_goal_accuracy == 0


def test_misuse() -> None:
    with pytest.raises(MetricError, match="known: strict"):
        score_slots([], [], "trad")
    with pytest.raises(MetricError, match="inventory"):
        score_slots([[{}]], [[{}]], "per-slot")
    with pytest.raises(AlignmentError, match="1 gold dialogues, 0"):
        score_slots([[{}]], [])
    with pytest.raises(AlignmentError, match="dialogue 0: 1 gold turns, 2"):
        score_slots([[{}]], [[{}, {}]])
    assert {variant.scope for variant in VARIANTS.values()} == set(Scope)


def test_flattening() -> None:
    state = {"inn": {"semi": {"area": "north"}, "book": {"people": "2"}}, "bus": {"semi": {}}}
    assert flatten_state(state) == {"inn-area": "north", "inn-book people": "2"}
