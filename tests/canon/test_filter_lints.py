"""Lints of filters that cannot be meant: which, where, and that nothing else is reported."""

import json
from pathlib import Path

import canon_pairs
import pytest
from canon_queries import read
from test_thingtalk_equivalences import SCHEMA
from typer.testing import CliRunner

from dlc.canon.filters.decide import always, satisfiable
from dlc.canon.lints import filter_lints
from dlc.canon.rows import Scope, Source
from dlc.cli import app
from dlc.compiler.terms import Abs, App, Statement, Term, Turn

ODD = [
    ("Inn | where .stars >= 5 and .beds = 1 and .stars <= 2", "DLC127", "no row can meet `.stars >= 5` and `.stars <= 2`"),
    ("Inn | where .quarter = east and .quarter = west", "DLC127", "no row can meet `.quarter = east` and `.quarter = west`"),
    ("Inn | where .opens > 18:00 and not .opens > 17:00", "DLC127", "no row can meet `.opens > 18:00` and `not .opens > 17:00`"),
    ("Inn | where .beds = 2 and (.stars = 3 and .stars != 3)", "DLC127", "no row can meet `.stars = 3` and `.stars != 3`"),
    ('Inn | where .phone = "abc" and .phone !~ "b"', "DLC127", 'no row can meet `.phone = "abc"` and `.phone !~ "b"`'),
    # Three that only together exclude each other.
    (
        "Inn | where (.stars = 1 or .beds = 1) and (.stars = 2 or .beds = 2) and .stars = 3 and .garden = true",
        "DLC127",
        "no row can meet `.stars = 1 or .beds = 1` and `.stars = 2 or .beds = 2` and `.stars = 3` and `.garden = true`",
    ),
    ("Inn | where .garden = true or .garden = false", "DLC128", "every row meets `.garden = true or .garden = false`"),
    ("Inn | where .beds >= 3 or .beds < 5 | show .id", "DLC128", "every row meets `.beds >= 3 or .beds < 5`"),
    ("Inn | where .stars = 3 and (.garden = true or not .garden = true)", "DLC128", "every row meets `.garden = true or not .garden = true`"),
    # Wherever filters stand.
    ("Coach | where .day in (Inn | where .stars < 1 and .stars > 2 | show .quarter)", "DLC127", "no row can meet `.stars < 1` and `.stars > 2`"),
    ("Inn | group .quarter | where count() >= 2 and count() < 2 | show .quarter", "DLC127", "no row can meet `count() >= 2` and `count() < 2`"),
    ("f({ .a = 1 and .a = 2 })", "DLC127", "no row can meet `.a = 1` and `.a = 2`"),
]  # fmt: skip
MEANT = [
    "Inn | where .stars >= 3 and .stars <= 5",
    # Rows without a value are dropped by it.
    "Inn | where .parking = true or .parking = false",
    "Inn | where .quarter is any and .quarter = west",
    "Inn | where .quarter is any or not .quarter is any and .stars = 3",
    'Inn | where .phone ~ "a" and .phone !~ "b"',
    "Inn | where .beds = .stars and .beds = 3",
    "Inn as a | where exists (Inn | where .stars = a.stars and .beds > a.beds)",
    "Inn | where .stars = 3",
    "Inn",
]


def lints(text: str) -> list[tuple[str, str]]:
    turn = Turn("user", (), (Statement(read(text)),))
    return [(lint.diagnostic.code, lint.diagnostic.message) for lint in filter_lints(turn, SCHEMA)]


@pytest.mark.parametrize(("text", "code", "message"), ODD)
def test_what_cannot_be_meant_is_named(text: str, code: str, message: str) -> None:
    assert lints(text) == [(code, message)]


@pytest.mark.parametrize("text", MEANT)
def test_what_can_be_meant_is_not(text: str) -> None:
    assert lints(text) == []


def test_random_filters_are_reported_exactly_if_nothing_or_everything_meets_them() -> None:
    scope = Scope(canon_pairs.SCHEMA, {canon_pairs.BINDER: Source(table="Lodge")})
    reported = 0
    for condition, _, _ in canon_pairs.pairs(1500, 20261128):
        query = App("where", (App("Lodge"), Abs("spec", ("Lodge",), condition)))
        found = filter_lints(Turn("user", (), (Statement(query),)), canon_pairs.SCHEMA)
        codes = {lint.diagnostic.code for lint in found}
        reported += bool(found)
        parts: list[Term] = (
            list(condition.args) if isinstance(condition, App) and condition.fn == "and" else [condition]
        )
        assert ("DLC127" in codes) == (satisfiable(condition, scope) is False)
        if "DLC127" not in codes and "DLC128" not in codes:
            assert not any(always(part, scope) for part in parts)
    assert reported > 50


def test_typecheck_reports_them_with_their_column(tmp_path: Path) -> None:
    file = tmp_path / "a.dl"
    file.write_text("user: Hotel | where .area = north;\nuser: Hotel | where .area = north and .area = south;\n")
    left = CliRunner().invoke(app, ["typecheck", str(file), "--lang", "dl", "--schema", "multiwoz", "--format", "json"])
    rows = [json.loads(line) for line in left.stdout.splitlines()]
    # A lint is no error.
    assert left.exit_code == 0 and [row["ok"] for row in rows] == [True, True]
    assert rows[0]["diagnostics"] == []
    (found,) = rows[1]["diagnostics"]
    assert (found["code"], found["severity"]) == ("DLC127", "warning")
    assert (found["line"], found["column"]) == (2, len("user: Hotel | where ") + 1)
