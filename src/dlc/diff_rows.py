"""The rows of `dlc diff` as a table, and how far two annotators agree."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dlc.metrics.significance import cohen_kappa, observed_agreement

from . import errors
from .errors import InputFailure

SPELLING, MEANING, DIFFERENT, OPEN, ABSENT = "same spelling", "same meaning", "different", "open", "only one side"
VERDICTS = (SPELLING, MEANING, DIFFERENT, OPEN, ABSENT)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of turns that both sides annotated, the share written alike and the share that means the same, and Cohen's
    kappa of either, where a program is a label. `turns` counts all, `both` those with a program on both sides."""

    turns: int
    both: int
    spelling: float
    meaning: float
    kappa_spelling: float
    kappa_meaning: float

    def line(self) -> str:
        """The figures in a line."""
        if not self.both:
            return f"none of {self.turns:,} turns is on both sides: nothing to agree about"
        return (
            f"{self.both:,} of {self.turns:,} turns on both sides: {self.spelling:.1%} spelled alike "
            f"(kappa {self.kappa_spelling:.3f}), {self.meaning:.1%} mean the same (kappa {self.kappa_meaning:.3f})"
        )


def agreement(rows: Sequence[dict[str, Any]]) -> Agreement:
    """How far the two sides of some rows agree. Two forms proved equal count as one label; what is open does not."""
    both = [row for row in rows if row["a"] is not None and row["b"] is not None]
    names: dict[str, str] = {}

    def label(form: str) -> str:
        while form in names and names[form] != form:
            form = names[form]
        return form

    for row in both:
        if row["verdict"] in (SPELLING, MEANING):
            first, second = label(row["canonical_a"]), label(row["canonical_b"])
            names[max(first, second)] = min(first, second)
    spelled = [row["a"] for row in both], [row["b"] for row in both]
    meant = [label(row["canonical_a"]) for row in both], [label(row["canonical_b"]) for row in both]
    return Agreement(
        len(rows), len(both), observed_agreement(*spelled), observed_agreement(*meant), cohen_kappa(*spelled),
        cohen_kappa(*meant),
    )  # fmt: skip


def parquet(rows: Iterable[dict[str, Any]]) -> bytes:
    """The rows as a Parquet file, the two parts that differ as columns. Raises InputFailure (DLC378) without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputFailure(errors.no_pyarrow()) from error
    texts = (
        "utterance",
        "verdict",
        "a",
        "b",
        "canonical_a",
        "canonical_b",
        "differs_a",
        "differs_b",
        "reason",
        "witness",
    )
    columns = [("dialogue_id", pa.string()), ("turn", pa.int32()), ("row", pa.int32())]
    schema = pa.schema([*columns, *((name, pa.string()) for name in texts)])
    table = []
    for row in rows:
        first, second = row["differs"] or (None, None)
        shown = orjson.dumps(row["witness"], default=str).decode() if row["witness"] is not None else None
        table.append({**row, "differs_a": first, "differs_b": second, "witness": shown})
    held = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(table, schema=schema), held, compression="zstd")
    return held.getvalue()
