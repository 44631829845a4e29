"""Execution accuracy and test-suite accuracy over SQLite files.

Every query runs on a connection that can only read, under a time and a row limit. Source: taoyds/test-suite-sql-eval, `exec_eval.py`.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from .errors import GoldError, MetricError
from .sql_files import GoldTurn
from .sql_plug import count_plugged, drop_distinct, is_ordered, join_split_operators, plugged
from .sql_results import Row, result_eq

_CURRENT_YEAR: Final = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_READING: Final = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)
_STEPS_PER_CHECK: Final = 10_000
_LONGEST_VALUE: Final = 16_000_000


class QueryError(MetricError):
    """A query that SQLite refuses, that would write, or that passes a limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` and `rows` a query may take (60 s is the published timeout; the published scripts bound no rows), and how
    many plugged variants of a prediction are tried."""

    seconds: float = 60.0
    rows: int = 1_000_000
    plugs: int = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the prediction passed, how many variants were tried, whether the cap cut the trial short, and the first
    error of the prediction as it stands."""

    right: bool
    tried: int
    cut: bool = False
    error: str | None = None


def databases(folder: Path, db_id: str, *, suite: bool = True) -> list[Path]:
    """The SQLite files of a database: every one in `folder/db_id` (`suite`), or only `db_id.sqlite` of classic execution
    accuracy. Raises `MetricError` if there is none, where the published script would pass every prediction.
    """
    if Path(db_id).name != db_id:
        raise MetricError(f"not the name of a database: {db_id!r}")
    home = folder / db_id
    found = sorted(p for p in home.iterdir() if ".sqlite" in p.name) if home.is_dir() else []
    if not suite:
        found = [path for path in found if path.name == f"{db_id}.sqlite"]
    if not found:
        raise MetricError(f"no SQLite file for database {db_id!r} under {folder.name!r}")
    return found


def run(database: Path, query: str, limits: Limits | None = None) -> list[Row]:
    """The rows of one query. Raises `QueryError`; the file is never changed, whatever the query says."""
    limits = limits or Limits()
    deadline = time.monotonic() + limits.seconds
    query = _CURRENT_YEAR.sub("2020", query)
    try:
        connection = sqlite3.connect(
            f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=min(limits.seconds, 5.0)
        )
        try:
            connection.text_factory = lambda raw: raw.decode(errors="ignore")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
            connection.set_authorizer(_only_reading)
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_CHECK)
            rows: list[Row] = connection.execute(query).fetchmany(limits.rows + 1)
        finally:
            connection.close()
    # A second statement is a Warning in some versions; NUL and lone surrogates are refused before SQLite sees them.
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        late = time.monotonic() > deadline
        raise QueryError(f"took more than {limits.seconds:g} s" if late else str(error)) from error
    if len(rows) > limits.rows:
        raise QueryError(f"more than {limits.rows} rows")
    return rows


def _only_reading(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def execution_match(
    gold: str,
    pred: str,
    files: Sequence[Path],
    *,
    keep_distinct: bool = False,
    plug_values: bool = False,
    limits: Limits | None = None,
) -> Outcome:
    """Whether the prediction, or one of its plugged variants, gives gold's result on every file.

    DISTINCT is dropped on both sides unless `keep_distinct`; rows are compared in order iff gold holds `order by`.
    Raises `GoldError` if gold fails on a file, `MetricError` without files.
    """
    limits = limits or Limits()
    if not files:
        raise MetricError("no database to run on")
    gold, pred = join_split_operators(gold), join_split_operators(pred)
    if not keep_distinct:
        gold, pred = drop_distinct(gold), drop_distinct(pred)
    ordered = is_ordered(gold)
    expected: dict[Path, list[Row]] = {}

    def passes(query: str) -> str | None:
        for file in files:
            if file not in expected:
                expected[file] = _gold_rows(file, gold, limits)
            try:
                rows = run(file, query, limits)
            except QueryError as error:
                return f"{file.name}: {error}"
            if not result_eq(expected[file], rows, ordered=ordered):
                return f"{file.name}: another result"
        return None

    first: str | None = None
    tried = 0
    for tried, query in enumerate(islice(plugged(gold, pred), limits.plugs if plug_values else 1), start=1):
        problem = passes(query)
        if problem is None:
            return Outcome(True, tried)
        first = first or problem
    return Outcome(False, tried, plug_values and count_plugged(gold, pred) > tried, first)


def _gold_rows(file: Path, gold: str, limits: Limits) -> list[Row]:
    try:
        return run(file, gold, limits)
    except QueryError as error:
        raise GoldError(f"gold query fails on {file.name}: {error}: {gold[:200]}") from error


def judge(
    folder: Path,
    *,
    suite: bool = True,
    keep_distinct: bool = False,
    plug_values: bool = False,
    replace_placeholder: bool = True,
    limits: Limits | None = None,
) -> Callable[[GoldTurn, str], bool]:
    """A judge for `sql_score.score`: test-suite accuracy over `folder/<db_id>/*.sqlite`, or execution accuracy.

    `replace_placeholder`: the letters `value` become `1` in a prediction first, names included, as the published script does.
    """

    def decide(turn: GoldTurn, pred: str) -> bool:
        pred = pred.replace("value", "1") if replace_placeholder else pred
        files = databases(folder, turn.db_id, suite=suite)
        outcome = execution_match(
            turn.query, pred, files, keep_distinct=keep_distinct, plug_values=plug_values, limits=limits
        )
        return outcome.right

    return decide
