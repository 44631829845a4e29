"""Gold and prediction files of the SQL evaluators, in their own formats and orders.

Gold: a query and its database a line, separated by a tab. Prediction: a query a line (what follows a tab is ignored). A blank line
ends an interaction. Two orders circulate: that of the JSON release, and the one regrouped by database which the published
`create_gold` script writes; figures are meaningless until both files follow the same. Source: taoyds/test-suite-sql-eval.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import AlignmentError, MetricError


@dataclass(frozen=True, slots=True)
class GoldTurn:
    """One gold query and the database it is asked of."""

    query: str
    db_id: str


Interaction = tuple[GoldTurn, ...]


def read_gold(text: str, *, last_interaction: bool = True) -> list[Interaction]:
    """A gold file's interactions; a file without blank lines (Spider) is one.

    `last_interaction=False` is the reading of the first SParC and CoSQL script, which forgets an interaction that no
    blank line ends. Raises `MetricError`, with the line number, for a line that is not query, tab, database.
    """
    interactions: list[Interaction] = []
    for block in _blocks(text, last_interaction):
        turns: list[GoldTurn] = []
        for number, line in block:
            fields = line.split("\t")
            if len(fields) != 2:
                raise MetricError(
                    f"gold line {number}: expected a query, a tab and a database, found {len(fields)} fields"
                )
            turns.append(GoldTurn(fields[0].strip(), fields[1].strip()))
        interactions.append(tuple(turns))
    return interactions


def read_predictions(text: str, *, last_interaction: bool = True) -> list[tuple[str, ...]]:
    """A prediction file's interactions."""
    return [tuple(line.split("\t")[0] for _, line in block) for block in _blocks(text, last_interaction)]


def _blocks(text: str, last_interaction: bool) -> list[list[tuple[int, str]]]:
    blocks: list[list[tuple[int, str]]] = []
    block: list[tuple[int, str]] = []
    # Only \n ends a line: a query may hold any other of Unicode's line separators.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        if stripped := line.strip():
            block.append((number, stripped))
        elif block:
            blocks.append(block)
            block = []
    if block and last_interaction:
        blocks.append(block)
    return blocks


def write_gold(interactions: Iterable[Sequence[GoldTurn]]) -> str:
    """The gold file of these interactions, a blank line after each."""
    return "".join(
        "".join(f"{_one_line(turn.query)}\t{turn.db_id}\n" for turn in interaction) + "\n"
        for interaction in interactions
    )


def write_predictions(interactions: Iterable[Sequence[str]]) -> str:
    """The prediction file of these interactions. An empty query is written as `;`, since a blank line would end the interaction."""
    return "".join("".join(f"{_one_line(q) or ';'}\n" for q in interaction) + "\n" for interaction in interactions)


def _one_line(query: str) -> str:
    return " ".join(query.split())


def gold_from_dialogues(dialogues: Sequence[Mapping[str, Any]]) -> list[Interaction]:
    """Gold in the order of a JSON release: CoSQL's and SParC's interactions, or Spider's questions as interactions of one.

    Raises `MetricError` naming the position of a malformed entry.
    """
    interactions: list[Interaction] = []
    for position, entry in enumerate(dialogues):
        try:
            db_id = str(entry["database_id"] if "interaction" in entry else entry["db_id"])
            turns = entry.get("interaction", [entry])
            interactions.append(tuple(GoldTurn(_one_line(str(turn["query"])), db_id) for turn in turns))
        except (KeyError, TypeError) as error:
            raise MetricError(f"dialogue {position}: no {error}") from error
    return interactions


def regrouped(interactions: Sequence[Interaction]) -> list[int]:
    """The positions of `interactions` in the regrouped order: databases by first appearance, then as in the release."""
    groups: dict[str, list[int]] = {}
    for position, interaction in enumerate(interactions):
        groups.setdefault(interaction[0].db_id if interaction else "", []).append(position)
    return [position for group in groups.values() for position in group]


def align(
    gold: Sequence[Interaction], pred: Sequence[Sequence[str]], *, by_zip: bool = False
) -> list[list[tuple[GoldTurn, str]]]:
    """Pairs of gold and prediction, interaction by interaction.

    Raises `AlignmentError` where the numbers differ, with the first place. With `by_zip` the shorter side decides within
    an interaction, as in the official scripts, which silently drop the turns that remain.
    """
    if len(gold) != len(pred):
        raise AlignmentError(f"{len(gold)} gold interactions, {len(pred)} predicted ones")
    for position, (turns, answers) in enumerate(zip(gold, pred, strict=True)):
        if len(turns) != len(answers) and not by_zip:
            raise AlignmentError(f"interaction {position + 1}: {len(turns)} gold turns, {len(answers)} predicted ones")
    return [list(zip(turns, answers, strict=False)) for turns, answers in zip(gold, pred, strict=True)]
