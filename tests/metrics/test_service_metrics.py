"""Scores of service states: hand-made frames, and 2,000 perturbed dialogues against a plain second implementation."""

import random
from difflib import SequenceMatcher

import pytest

from dlc.metrics.errors import AlignmentError, MetricError
from dlc.metrics.slots_sgd import (
    VARIANTS,
    Frame,
    FrameScore,
    Service,
    requested_f1,
    score_frame,
    score_frames,
    score_services,
    similarity,
)

SERVICE = Service(("city", "price", "note"), {"price"})


@pytest.mark.parametrize(
    ("gold", "pred", "average", "joint"),
    [
        ({}, {}, None, 1.0),
        ({"price": ["low"]}, {"price": ["low"]}, 1.0, 1.0),
        ({"price": ["low"]}, {"price": ["lo"]}, 0.0, 0.0),
        ({"price": ["low"]}, {}, 0.0, 0.0),
        ({}, {"city": ["Rome"]}, None, 0.0),
        ({"city": ["New York", "NYC"]}, {"city": ["york new"]}, 1.0, 1.0),
        ({"city": ["NYC", "Rome"]}, {"city": ["Rom"]}, 0.86, 0.86),
        ({"city": ["Rome"], "price": ["low"]}, {"city": ["Rom"], "price": ["low"]}, 0.93, 0.86),
        ({"city": ["Rome"]}, {"city": ["Rome"], "moon": ["full"]}, 1.0, 1.0),
    ],
)
def test_sgd_frames(
    gold: dict[str, list[str]], pred: dict[str, list[str]], average: float | None, joint: float
) -> None:
    score = score_frame(gold, pred, SERVICE)
    assert score.average == (None if average is None else pytest.approx(average))
    assert score.joint == pytest.approx(joint)


def test_sgd_without_fuzzy_matching_and_over_frames() -> None:
    frames = [
        score_frame({"city": ["Rome"]}, {"city": ["Rom"]}, SERVICE, fuzzy=False),
        score_frame({"city": ["Rome"]}, {"city": ["Rome"]}, SERVICE, fuzzy=False),
        score_frame({}, {}, SERVICE),
    ]
    assert score_frames(frames) == FrameScore(0.5, 2 / 3)
    assert score_frames([]) == FrameScore(None, 0.0)
    assert similarity("!!", "a") == 0.0


# --- the second implementation: sums kept as the script's description has them, one slot after the other

SERVICES = {
    "Boats_1": Service(("harbour", "seats", "sails"), {"seats", "sails"}),
    "Inns_2": Service(("city", "stars", "pets"), {"stars"}),
}
WORDS = ["Ely", "the city of Ely", "Ely city", "ely", "dontcare", "none", "2", "4 or more", "True", "half past nine"]
State = dict[str, Frame]


def alike(a: str, b: str) -> float:
    def plain(text: str) -> str:
        letters = "".join(c if c.isalnum() else " " for c in text.lower())
        return " ".join(sorted(letters.split()))

    return round(SequenceMatcher(None, plain(a), plain(b)).ratio() * 100) / 100


def plainly(gold: list[list[State]], pred: list[list[State]], fuzzy: bool, across: bool) -> tuple[float, ...]:
    joint: list[float] = []
    average: list[float] = []
    intents: list[float] = []
    requested: list[float] = []
    for turns, answers in zip(gold, pred, strict=True):
        for turn, answer in zip(turns, answers, strict=True):
            product, seen = 1.0, False
            for name in turn:
                seen = True
                said = answer[name] if name in answer else Frame({}, "NONE")
                credits: list[float] = []
                active: list[float] = []
                for slot in SERVICES[name].slots:
                    if slot in turn[name].slots:
                        credit = 0.0
                        if slot in said.slots:
                            first = said.slots[slot][0]
                            if slot in SERVICES[name].categorical:
                                credit = 1.0 if turn[name].slots[slot][0] == first else 0.0
                            else:
                                for one in turn[name].slots[slot]:
                                    credit = max(credit, alike(one, first) if fuzzy else float(one == first))
                        active.append(credit)
                    else:
                        credit = 0.0 if slot in said.slots else 1.0
                    credits.append(credit)
                frame_joint = 1.0
                for credit in credits:
                    frame_joint *= credit
                product *= frame_joint
                if not across:
                    joint.append(frame_joint)
                if active:
                    average.append(sum(active) / len(active))
                intents.append(1.0 if said.intent == turn[name].intent else 0.0)
                wanted, given = set(turn[name].requested), set(said.requested)
                hits = len(wanted & given)
                if not wanted and not given:
                    requested.append(1.0)
                elif not hits:
                    requested.append(0.0)
                else:
                    requested.append(
                        2 * (hits / len(given)) * (hits / len(wanted)) / (hits / len(given) + hits / len(wanted))
                    )
            if across and seen:
                joint.append(product)
    return tuple(sum(row) / len(row) if row else 0.0 for row in (joint, average, intents, requested))


def a_frame(r: random.Random, service: Service) -> Frame:
    slots = {slot: r.sample(WORDS, r.randint(1, 3)) for slot in r.sample(service.slots, r.randint(0, 3))}
    return Frame(slots, r.choice(["NONE", "Find", "Hire"]), r.sample(service.slots, r.randint(0, 2)))


def perturbed(r: random.Random, state: State) -> State:
    answer = dict(state)
    for name in list(answer):
        if r.random() < 0.3:
            answer[name] = a_frame(r, SERVICES[name])
        elif r.random() < 0.1:
            del answer[name]
    if r.random() < 0.1:
        answer["Moons_9"] = Frame({"phase": ["full"]}, "Find")
    return answer


def test_two_thousand_dialogues_against_the_second_implementation() -> None:
    r = random.Random(22)
    for _ in range(2000):
        names = (r.sample(sorted(SERVICES), r.randint(0, 2)) for _ in range(r.randint(1, 3)))
        gold = [[{name: a_frame(r, SERVICES[name]) for name in chosen} for chosen in names]]
        pred = [[perturbed(r, state) for state in gold[0]]]
        for variant in VARIANTS.values():
            score = score_services(gold, pred, SERVICES, variant)
            frames = [frame for row in score.frames for frame in row]
            joint = [value for row in score.joint for value in row]
            ours = (
                sum(joint) / len(joint) if joint else 0.0,
                score_frames([f.goal for f in frames]).average or 0.0,
                sum(f.intent for f in frames) / len(frames) if frames else 0.0,
                sum(f.requested_f1 for f in frames) / len(frames) if frames else 0.0,
            )
            assert ours == pytest.approx(plainly(gold, pred, variant.fuzzy, variant.across_turn), abs=1e-12)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_gold_against_gold_of_services(variant: str) -> None:
    r = random.Random(2)
    gold = [[{name: a_frame(r, service) for name, service in SERVICES.items()} for _ in range(3)] for _ in range(40)]
    score = score_services(gold, gold, SERVICES, variant)
    assert {value for row in score.joint for value in row} == {1.0}
    assert all(f.intent and f.requested_f1 == 1.0 for row in score.frames for f in row)
    assert sum(map(len, score.joint)) == (120 if VARIANTS[variant].across_turn else 240)


def test_requested_slots() -> None:
    assert requested_f1([], []) == 1.0
    assert requested_f1(["a"], []) == requested_f1([], ["a"]) == requested_f1(["a"], ["b"]) == 0.0
    assert requested_f1(["a", "b"], ["a"]) == pytest.approx(2 / 3)


def test_misuse() -> None:
    with pytest.raises(MetricError, match="known: sgd"):
        score_services([], [], SERVICES, "trade")
    with pytest.raises(MetricError, match="Moons_9"):
        score_services([[{"Moons_9": Frame({}, "NONE")}]], [[{}]], SERVICES)
    with pytest.raises(AlignmentError, match="1 gold dialogues, 0"):
        score_services([[{}]], [], SERVICES)
    with pytest.raises(AlignmentError, match="dialogue 0: 1 gold turns, 2"):
        score_services([[{}]], [[{}, {}]], SERVICES)
