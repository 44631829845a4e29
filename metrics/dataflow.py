"""Figures for dataflow dialogues, as published: exact match, dialogues, prefixes, joint goal.

Sources: the dataflow paper, section 7 (Tables 2 and 3), and its scripts `leaderboard/evaluate.py`,
`onmt_helpers/evaluate_onmt_predictions.py`, `onmt_helpers/create_onmt_prediction_report.py` and
`multiwoz/evaluate_belief_state_predictions.py`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ..targets.dataflow.sexp import META, VALUE, LispressError, Sexp, is_string, read
from .dataflow_canonical import PARSE_ERROR, leaderboard_form, report_form

Match = Literal["token", "leaderboard", "report"]
Subset = Literal["all", "refer", "revise"]
Verdict = tuple[str, int, bool]
"""Dialogue, turn, and whether it is right."""

_SUBSETS: Final[Mapping[str, re.Pattern[str]]] = {
    "all": re.compile(""),
    "refer": re.compile(r"\(refer "),
    "revise": re.compile(r"\(ReviseConstraint "),
}


@dataclass(frozen=True, slots=True)
class TurnPair:
    """A turn's gold and predicted program. A missing prediction (None) is never right."""

    dialogue_id: str
    turn: int
    gold: str
    predicted: str | None
    refer_are_correct: bool = True
    """Whether the gold program's references resolve rightly, from the data's execution oracle."""
    skip: bool = False
    """The data say that the turn is not scored."""
    written: str | None = None
    """The gold program before it was inlined: it tells whether the turn refers or revises."""


@dataclass(frozen=True, slots=True)
class BeliefPair:
    """A turn's gold and predicted state, each `{full slot name: value}`; "none" and "dontcare" are values."""

    dialogue_id: str
    turn: int
    gold: Mapping[str, str]
    predicted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts over scored turns and their dialogues, and the published figures made of them (0 where undefined)."""

    num_total_turns: int = 0
    num_correct_turns: int = 0
    num_turns_before_first_error: int = 0
    num_correct_turns_after_first_error: int = 0
    num_total_dialogues: int = 0
    num_correct_dialogues: int = 0
    num_correct_turns_for_slot: Mapping[str, int] = field(default_factory=dict)
    """For states: in how many turns a slot is right, absent from both counting as right."""

    @property
    def accuracy(self) -> float:
        """Share of turns that are right: exact match for programs, joint goal for states."""
        return _share(self.num_correct_turns, self.num_total_turns)

    @property
    def ave_num_turns_before_first_error(self) -> float:
        """Prefix length, in turns: right turns before the first wrong one, averaged over dialogues."""
        return _share(self.num_turns_before_first_error, self.num_total_dialogues)

    @property
    def pct_correct_dialogues(self) -> float:
        """Dialogue exact match: share (0 to 1, whatever the name says) of dialogues without a wrong turn."""
        return _share(self.num_correct_dialogues, self.num_total_dialogues)

    @property
    def accuracy_for_slot(self) -> dict[str, float]:
        """Share of turns in which a slot is right."""
        return {slot: _share(n, self.num_total_turns) for slot, n in self.num_correct_turns_for_slot.items()}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def tokens(text: str) -> list[str]:
    """A program as the published models see it (`lispress_to_seq`); a text that is no Lispress, cut at spaces.

    Parentheses, `^` and `#` are tokens of their own, and a string is `"`, the words between its quotes, `"`.
    """
    try:
        tree = read(text)
    except LispressError:
        return text.split(" ")
    result: list[str] = []
    pending: list[Sexp] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            if node[:1] in ((META,), (VALUE,)):
                pending.extend(reversed(node))
            else:
                pending.extend((")", *reversed(node), "("))
        elif is_string(node):
            result += ['"', *node[1:-1].strip().split(" "), '"']
        else:
            result.append(node)
    return result


def same_tokens(gold: str, predicted: str) -> bool:
    """Exact match as in the paper: the same tokens in the same order."""
    return tokens(gold) == tokens(predicted)


def same_on_leaderboard(gold: str, predicted: str) -> bool:
    """Exact match as on the leaderboard: the same canonical form (`leaderboard_form`)."""
    return leaderboard_form(gold) == leaderboard_form(predicted)


def same_in_report(gold: str, predicted: str) -> bool:
    """Exact match as the prediction report computes its leaderboard column: canonical, numbers as they are.

    Raises `ValueError` if the gold program is not Lispress.
    """
    try:
        form = report_form(" ".join(tokens(predicted)))
    except ValueError:
        form = PARSE_ERROR
    return report_form(" ".join(tokens(gold))) == form


_MATCHES: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "token": same_tokens,
    "leaderboard": same_on_leaderboard,
    "report": same_in_report,
}


def exact_match(
    turns: Iterable[TurnPair], match: Match = "leaderboard", subset: Subset = "all", *, ignore_refer: bool = False
) -> Scores:
    """Score programs: `score` of `exact_verdicts`."""
    return score(exact_verdicts(turns, match, subset, ignore_refer=ignore_refer))


def exact_verdicts(
    turns: Iterable[TurnPair], match: Match = "leaderboard", subset: Subset = "all", *, ignore_refer: bool = False
) -> list[Verdict]:
    """Which turns are right, in order.

    `subset` keeps the turns whose gold program refers or revises, and groups only those into dialogues. Unless
    `ignore_refer`, a turn whose gold references do not resolve rightly is wrong whatever is predicted.
    """
    same = _MATCHES[match]
    return [
        (
            pair.dialogue_id,
            pair.turn,
            pair.predicted is not None and (ignore_refer or pair.refer_are_correct) and same(pair.gold, pair.predicted),
        )
        for pair in turns
        if not pair.skip and _SUBSETS[subset].search(pair.written if pair.written is not None else pair.gold)
    ]


def joint_goal(turns: Iterable[BeliefPair], slots: Iterable[str] = (), *, remove_none: bool = False) -> Scores:
    """Score states: a turn is right if its state equals the gold one.

    `slots` are the slots counted one by one. `remove_none` drops "none" from predictions, and only from those.
    """
    counts = dict.fromkeys(slots, 0)
    rows = []
    for pair in turns:
        predicted = {slot: value for slot, value in pair.predicted.items() if not (remove_none and value == "none")}
        rows.append((pair.dialogue_id, pair.turn, predicted == dict(pair.gold)))
        for slot in counts:
            counts[slot] += predicted.get(slot) == pair.gold.get(slot)
    return score(rows, counts)


def score(rows: Iterable[Verdict], slots: Mapping[str, int] | None = None) -> Scores:
    """Scores from `(dialogue, turn, whether it is right)`, in any order."""
    dialogues: dict[str, list[tuple[int, bool]]] = {}
    for dialogue, turn, right in rows:
        dialogues.setdefault(dialogue, []).append((turn, right))
    turns = correct = before = after = perfect = 0
    for verdicts in dialogues.values():
        ordered = [right for _, right in sorted(verdicts, key=lambda verdict: verdict[0])]
        prefix = ordered.index(False) if False in ordered else len(ordered)
        turns += len(ordered)
        correct += sum(ordered)
        before += prefix
        after += sum(ordered[prefix:])
        perfect += prefix == len(ordered)
    return Scores(turns, correct, before, after, len(dialogues), perfect, slots or {})
