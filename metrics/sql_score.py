"""Question match and interaction match, by hardness and by turn, in the evaluators' buckets.

Sources: taoyds/test-suite-sql-eval, `evaluation.py`; CoSQL paper, section 6.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .sql_files import GoldTurn
from .sql_match import PARTS, Part, compare, hardness
from .sql_parse import parse_sql
from .sql_repairs import NO_REPAIRS, Repair
from .sql_schema import SqlSchema

LEVELS: Final = ("easy", "medium", "hard", "extra", "all")
TURNS: Final = ("turn 1", "turn 2", "turn 3", "turn 4", "turn >4")


@dataclass(frozen=True, slots=True)
class Figure:
    """How many, and how many right. `rate` is 0 where there are none, as in the evaluators."""

    count: int
    right: int

    @property
    def rate(self) -> float:
        return self.right / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class PartFigure:
    """A part's mean precision (over predictions that have it), recall (over gold that has it) and their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """1 where both are 0, as in the evaluators."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 1.0


@dataclass(frozen=True, slots=True)
class SqlScore:
    """The figures of one gold file: `question` and `turns` by bucket, `interaction` over interactions with all turns right.

    `levels` has the question figures by hardness, `parts` the ten parts over all turns; `verdicts` holds the single
    verdicts in order, for significance tests.
    """

    question: Figure
    interaction: Figure
    turns: Mapping[str, Figure]
    levels: Mapping[str, Figure]
    parts: Mapping[str, PartFigure]
    verdicts: tuple[tuple[bool, ...], ...]


Judge = Callable[[GoldTurn, str], bool]


def turn_bucket(position: int) -> str:
    """The bucket of the turn at 0-based `position`."""
    return TURNS[min(position, len(TURNS) - 1)]


def score(
    pairs: Sequence[Sequence[tuple[GoldTurn, str]]],
    schemas: Mapping[str, SqlSchema],
    *,
    judge: Judge | None = None,
    repairs: frozenset[Repair] = NO_REPAIRS,
) -> SqlScore:
    """Figures over aligned interactions (`sql_files.align`).

    `judge` decides a turn; default: exact set match without values (with `repairs`). Hand in `sql_execute.judge` for execution
    or test-suite accuracy. Raises `GoldError` for a gold query that does not parse, `KeyError` for an unknown database.
    """
    verdicts: list[tuple[bool, ...]] = []
    levels: list[str] = []
    parts: list[dict[str, Part]] = []
    for interaction in pairs:
        row: list[bool] = []
        for turn, answer in interaction:
            schema = schemas[turn.db_id]
            verdict = compare(turn.query, answer, schema, repairs)
            row.append(verdict.exact if judge is None else judge(turn, answer))
            levels.append(hardness(parse_sql(turn.query, schema)))
            parts.append(verdict.parts)
        verdicts.append(tuple(row))
    flat = [verdict for row in verdicts for verdict in row]
    by_turn = [(turn_bucket(i), verdict) for row in verdicts for i, verdict in enumerate(row)]
    return SqlScore(
        question=Figure(len(flat), sum(flat)),
        interaction=Figure(len(verdicts), sum(all(row) for row in verdicts)),
        turns=_figures(TURNS, by_turn),
        levels=_figures(LEVELS, [*zip(levels, flat, strict=True), *(("all", verdict) for verdict in flat)]),
        parts={name: _part_figure([p[name] for p in parts]) for name in PARTS},
        verdicts=tuple(verdicts),
    )


def _figures(names: Sequence[str], labelled: Sequence[tuple[str, bool]]) -> dict[str, Figure]:
    rows = {name: [verdict for label, verdict in labelled if label == name] for name in names}
    return {name: Figure(len(row), sum(row)) for name, row in rows.items()}


def _part_figure(parts: Sequence[Part]) -> PartFigure:
    predicted = [part.right for part in parts if part.predicted]
    gold = [part.right for part in parts if part.gold]
    return PartFigure(sum(predicted) / len(predicted) if predicted else 0.0, sum(gold) / len(gold) if gold else 0.0)
