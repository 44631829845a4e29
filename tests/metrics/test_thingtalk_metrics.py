"""ThingTalk dialogue metrics and slot extraction on invented programs, against a plain second implementation."""

import random
from collections.abc import Mapping

import pytest

from dlc.metrics.errors import AlignmentError, GoldError
from dlc.metrics.thingtalk import Label, Turn, genie_row, label_turn, rates, score_thingtalk
from dlc.metrics.thingtalk_slots import (
    And,
    Atom,
    Filter,
    Invocation,
    Kind,
    Not,
    Or,
    SlotValue,
    Statement,
    multiwoz_names,
    slots_after,
)

# A toy language: `verb a=1,b=2`; word order and blanks do not matter, `!` is a syntax error, the verb is no slot.


def normalize(text: str) -> str | None:
    verb, _, rest = text.strip().partition(" ")
    return None if "!" in text or not verb else f"{verb} {','.join(sorted(rest.replace(' ', '').split(',')))}"


def slots(context: str, target: str) -> Mapping[str, str]:
    merged: dict[str, str] = {}
    for text in (context, target):
        for pair in text.partition(" ")[2].replace(" ", "").split(","):
            if "=" in pair:
                name, _, value = pair.partition("=")
                merged[name] = value
    return merged


@pytest.mark.parametrize(
    ("turn", "label"),
    [
        (Turn("null x=1", "get a=1,b=2", "get b=2, a=1"), Label.OK),
        (Turn("null x=1", "get a=1", "ask a=1"), Label.OK_SLOT),
        (Turn("null x=1", "get a=1", "get a=1,x=1"), Label.OK_SLOT),
        (Turn("null x=1", "get a=1", "get a=2"), Label.OK_SYNTAX),
        (Turn("null x=1", "get a=1", "get a=1!"), Label.WRONG_SYNTAX),
        (Turn("null x=1", "get a=1", ""), Label.WRONG_SYNTAX),
        (Turn("null x=1", "get a=1", "get a=1", "null  x=1"), Label.OK),
        (Turn("null x=1", "get a=1", "get a=1", "null x=2"), Label.OK_SYNTAX),
        (Turn("null x=1", "get x=3", "get x=3", "null x=2"), Label.OK_SLOT),
    ],
)
def test_labels(turn: Turn, label: Label) -> None:
    assert label_turn(turn, normalize, slots) is label


def test_unusable_gold_and_empty_dialogues() -> None:
    with pytest.raises(GoldError, match="get !"):
        label_turn(Turn("null", "get !", "get a=1"), normalize, slots)
    with pytest.raises(AlignmentError, match="dialogue 1"):
        score_thingtalk([[Turn("n", "g a=1", "g a=1")], []], normalize, slots)


def plain_figures(dialogues: list[list[Turn]]) -> list[float]:
    """Genie's counters, one after the other, in the order of its output line."""
    ok = ok_slot = first = first_slot = right = right_slot = before = before_slot = turns = 0
    for dialogue in dialogues:
        broken = broken_slot = False
        count = count_slot = 0
        for i, turn in enumerate(dialogue):
            turns += 1
            gold, pred = normalize(turn.gold), normalize(turn.predicted)
            exact = pred is not None and pred == gold
            by_slot = pred is not None and (exact or slots(turn.context, pred) == slots(turn.context, gold or ""))
            count += exact
            count_slot += by_slot
            broken = broken or not exact
            broken_slot = broken_slot or not by_slot
            before += not broken
            before_slot += not broken_slot
            if i == 0:
                first += exact
                first_slot += by_slot
        ok += count == len(dialogue)
        ok_slot += count_slot == len(dialogue)
        right += count
        right_slot += count_slot
    n = len(dialogues)
    return [
        ok / n,
        ok_slot / n,
        first / n,
        first_slot / n,
        right / turns,
        right_slot / turns,
        before / turns,
        before_slot / turns,
        before / n,
        before_slot / n,
    ]


def test_two_thousand_perturbed_turns_against_the_second_implementation() -> None:
    r = random.Random(30)
    turns = 0
    while turns < 2000:
        dialogues: list[list[Turn]] = []
        for _ in range(r.randint(1, 6)):
            dialogue: list[Turn] = []
            for _ in range(r.randint(1, 6)):
                pairs = [f"{r.choice('abc')}={r.randint(1, 3)}" for _ in range(r.randint(0, 3))]
                gold = f"{r.choice(('get', 'ask'))} {','.join(pairs)}"
                pred = gold
                if r.random() < 0.5:
                    i = r.randrange(len(gold))
                    pred = gold[:i] + r.choice("abc123,= !") + gold[i + r.randint(0, 1) :]
                dialogue.append(Turn(f"null {r.choice(('', 'a=1', 'b=2'))}", gold, pred))
            dialogues.append(dialogue)
            turns += len(dialogue)
        score = score_thingtalk(dialogues, normalize, slots)
        line = genie_row(score, "eval").split(",")
        assert line[:3] == ["eval", str(len(dialogues)), str(sum(map(len, dialogues)))]
        assert line[3:] == [f"{x:.6g}" for x in plain_figures(dialogues)]
        parsed = [normalize(turn.predicted) is not None for dialogue in dialogues for turn in dialogue]
        assert score.syntax == sum(parsed) / len(parsed)


def test_gold_against_gold() -> None:
    dialogues = [[Turn("null a=1", "get b=1", "get b=1")] * n for n in (1, 2, 3)]
    score = score_thingtalk(dialogues, normalize, slots)
    assert score.exact == score.slot == rates([[True], [True] * 2, [True] * 3])
    assert (score.exact.turn_by_turn, score.exact.dialogue, score.exact.mean_prefix, score.syntax) == (1, 1, 2, 1)


def test_an_error_in_its_own_context_lasts() -> None:
    right, wrong = Turn("n a=1", "get b=1", "get b=1", "n a=1"), Turn("n a=1", "get b=1", "get b=1", "n a=2")
    score = score_thingtalk([[right, wrong, right]], normalize, slots)
    assert score.exact.turn_by_turn == pytest.approx(2 / 3)
    assert (score.exact.dialogue, score.exact.up_to_first_error, score.exact.mean_prefix) == (
        0,
        pytest.approx(1 / 3),
        1,
    )


# --- slots


def other(text: str) -> SlotValue:
    return SlotValue(Kind.OTHER, text)


INN = Invocation("com.example.Inn", ("id", "area", "price_range", "wifi", "stars"))
BOOK = Invocation("com.example.Inn", ("inn", "book_day", "code"))


def query(*filters: Filter) -> Statement:
    return Statement((Invocation(INN.kind, INN.arguments, (), filters),))


def book(**params: SlotValue) -> Statement:
    return Statement((Invocation(BOOK.kind, BOOK.arguments, tuple(params.items())),))


def test_filters_and_params_become_slots() -> None:
    state = [
        query(
            And((Atom("area", other("North")), Atom("wifi", SlotValue(Kind.BOOLEAN, "true")))),
            Or((Atom("price_range", SlotValue(Kind.DONTCARE)),)),
            Or((Atom("stars", other("4")), Atom("stars", other("5")))),
            Not(Atom("stars", other("3"))),
            Atom("id", SlotValue(Kind.ENTITY, "The Swan")),
        ),
        book(book_day=other("Monday"), code=SlotValue(Kind.UNDEFINED)),
    ]
    assert slots_after(state) == {
        "inn-area": "north",
        "inn-wifi": "yes",
        "inn-price-range": "dontcare",
        "inn-name": "the swan",
        "inn-book-day": "monday",
    }


def test_a_later_statement_clears_what_its_function_declares_but_not_the_name_it_books() -> None:
    first = query(Atom("area", other("north")), Atom("id", SlotValue(Kind.ENTITY, "Swan")))
    assert slots_after([first, query(Atom("stars", other("4")))]) == {"inn-stars": "4"}
    booked = slots_after([first, book(inn=SlotValue(Kind.VARIABLE, "id"), book_day=other("may"))])
    assert booked == {"inn-area": "north", "inn-name": "swan", "inn-book-day": "may"}
    assert slots_after([first, book(inn=SlotValue(Kind.ENTITY, "Bear"))])["inn-name"] == "bear"


def test_proposals_are_invisible_and_trains_have_no_name() -> None:
    statement = query(Atom("area", other("north")))
    assert slots_after([Statement(statement.invocations, proposed=True)]) == {}
    train = Invocation("uk.Train", ("id", "day"), (("train", other("TR1")), ("day", other("may"))))
    assert slots_after([Statement((train,))]) == {"train-day": "may"}


def test_false_booleans_and_names_of_the_other_inventory() -> None:
    assert slots_after([query(Atom("wifi", SlotValue(Kind.BOOLEAN, "false")))]) == {"inn-wifi": "no"}
    renamed = multiwoz_names(
        {"hotel-price-range": "low", "restaurant-book-time": "10:00", "train-leave-at": "9", "x-y": "z"}
    )
    assert renamed == {"hotel-pricerange": "low", "restaurant-book time": "10:00", "train-leaveat": "9", "x-y": "z"}


def test_deep_filters_are_no_recursion() -> None:
    deep: Filter = Atom("area", other("north"))
    for _ in range(50_000):
        deep = And((deep,))
    assert slots_after([query(deep)]) == {"inn-area": "north"}
    while isinstance(deep, And):  # Taken apart from outside: the interpreter frees nested tuples recursively.
        deep = deep.parts[0]
