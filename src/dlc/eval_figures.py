"""What `dlc eval` prints: sections of figures, as a table or as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Section:
    """A table. Rates are between 0 and 1; None is a figure that does not exist here."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


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
    return f"{cell:.4f}" if isinstance(cell, float) else str(cell)


def as_json(metric: str, sections: Sequence[Section]) -> bytes:
    """One object: `metric`, and `sections` of `title` and `rows`, each row an object by column."""
    shown = [{"title": s.title, "rows": [dict(zip(s.columns, row, strict=True)) for row in s.rows]} for s in sections]
    return orjson.dumps({"metric": metric, "sections": shown}, option=orjson.OPT_APPEND_NEWLINE)
