"""What `dlc eval` prints: sections of figures, as a table or as JSON; and the single items they are means of."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from dlc.grammar.diagnostic import Diagnostic
from dlc.metrics.slots import prefix_length

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Section:
    """A table. Rates are between 0 and 1; None is a figure that does not exist here."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that is the mean of its items, so that two systems can be compared item by item.

    groups: the dialogue of each item. verdicts: every item is right (1) or wrong (0), whoever is scored.
    """

    name: str
    values: tuple[float, ...]
    groups: tuple[int, ...]
    verdicts: bool = True


@dataclass(frozen=True, slots=True)
class Figures:
    """What a metric found: tables, the items behind their figures, and what to tell of rows that were scored all the same."""

    sections: list[Section]
    measures: list[Measure] = field(default_factory=list)
    told: list[Diagnostic] = field(default_factory=list)


def by_turn(name: str, verdicts: Sequence[Sequence[float]], *, right_or_wrong: bool = True) -> Measure:
    """A figure of turns, those of one dialogue in a row each."""
    values = tuple(value for row in verdicts for value in row)
    return Measure(name, values, tuple(i for i, row in enumerate(verdicts) for _ in row), right_or_wrong)


def by_dialogue(name: str, verdicts: Sequence[Sequence[bool]]) -> list[Measure]:
    """Whole dialogues right, and turns before the first error."""
    groups = tuple(range(len(verdicts)))
    return [
        Measure(f"{name}, dialogue", tuple(all(row) for row in verdicts), groups),
        Measure(f"{name}, prefix length", tuple(prefix_length(row) for row in verdicts), groups, verdicts=False),
    ]


def as_text(sections: Sequence[Section]) -> str:
    """Tables, one below the other; rates with four decimals."""
    return "\n".join(_table(section) for section in sections)


def _table(section: Section) -> str:
    lines = [section.columns, *(tuple(_shown(cell) for cell in row) for row in section.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [section.title]
    for line in lines:
        first, *others = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        text.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(text) + "\n"


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.4f}" if abs(cell) >= 0.0001 or cell == 0 else f"{cell:.1e}"


def as_json(metric: str, sections: Sequence[Section]) -> bytes:
    """One object: `metric`, and `sections` of `title` and `rows`, each row an object by column."""
    shown = [{"title": s.title, "rows": [dict(zip(s.columns, row, strict=True)) for row in s.rows]} for s in sections]
    return orjson.dumps({"metric": metric, "sections": shown}, option=orjson.OPT_APPEND_NEWLINE)
