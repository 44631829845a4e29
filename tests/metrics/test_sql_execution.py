"""Execution and test-suite accuracy: results against a plain second implementation, and hostile queries and files."""

import contextlib
import itertools
import random
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dlc.metrics.errors import GoldError, MetricError
from dlc.metrics.sql_execute import Limits, QueryError, databases, execution_match, judge, run
from dlc.metrics.sql_files import GoldTurn
from dlc.metrics.sql_plug import count_plugged, drop_distinct, join_split_operators, lex, plugged, values
from dlc.metrics.sql_results import result_eq

SMALL = Limits(seconds=5, rows=1000)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder of two databases of one schema; the second tells `>` from `>=`."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, rows in (
        ("shop.sqlite", [(1, "a", 5), (2, "b", 7), (3, "b", 9)]),
        ("shop_1.sqlite", [(1, "a", 6), (2, "a", 7)]),
    ):
        with sqlite3.connect(folder / name) as db:
            db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price INT)")
            db.executemany("INSERT INTO item VALUES (?, ?, ?)", rows)
        db.close()
    return tmp_path


# --- equal results


def plain_result_eq(gold: Sequence[Any], pred: Sequence[Any], ordered: bool) -> bool:
    """By the definition: every permutation of the columns, rows as lists from which equal ones are removed."""

    def look(row: Any) -> Any:
        return tuple(sorted(row, key=lambda x: str(x) + str(type(x))))

    if len(gold) == 0 and len(pred) == 0:
        return True
    if len(gold) != len(pred) or len(gold[0]) != len(pred[0]):
        return False
    left, right = [look(row) for row in gold], [look(row) for row in pred]
    if (ordered and left != right) or (not ordered and set(left) != set(right)):
        return False
    for order in itertools.permutations(range(len(gold[0]))):
        rest = [tuple(row[i] for i in order) for row in pred]
        if ordered:
            if rest == list(gold):
                return True
            continue
        for row in gold:
            if row in rest:
                rest.remove(row)
        if not rest:
            return True
    return False


def test_two_thousand_results_against_the_second_implementation() -> None:
    r = random.Random(11)
    verdicts = {True: 0, False: 0}
    for _ in range(2000):
        width, height = r.randint(1, 4), r.randint(0, 4)
        pool: list[Any] = [1, 1.0, 2, "1", "a", None, b"a"][: r.randint(1, 7)]
        gold = [tuple(r.choice(pool) for _ in range(width)) for _ in range(height)]
        order = r.sample(range(width), width)
        pred = [tuple(row[i] for i in order) for row in gold]
        if r.random() < 0.5:
            r.shuffle(pred)
        if pred and r.random() < 0.5:
            row = list(r.choice(pred))
            row[r.randrange(width)] = r.choice(pool)
            pred[r.randrange(height)] = tuple(row)
        if r.random() < 0.1:
            pred = pred[1:]
        for ordered in (True, False):
            verdict = result_eq(gold, pred, ordered=ordered)
            assert verdict == plain_result_eq(gold, pred, ordered), (gold, pred, ordered)
            verdicts[verdict] += 1
    assert min(verdicts.values()) > 500


def test_many_columns_of_equal_content_need_no_factorial() -> None:
    r = random.Random(5)
    columns = [r.sample(range(30), 30) for _ in range(14)]
    gold = list(zip(*columns, strict=True))
    pred = list(zip(*r.sample(columns, 14), strict=True))
    started = time.monotonic()
    assert result_eq(gold, pred, ordered=False)
    assert result_eq(gold, pred, ordered=True)
    swapped = [list(row) for row in pred]
    swapped[0][3], swapped[1][3] = swapped[1][3], swapped[0][3]
    assert not result_eq(gold, [tuple(row) for row in swapped], ordered=False)
    assert time.monotonic() - started < 5


# --- text


@pytest.mark.parametrize(
    ("query", "joined"),
    [
        ("a > = 1 and b ! = 2 or c < = 3", "a >= 1 and b != 2 or c <= 3"),
        ("a = '> =' and b > 1", "a = '> =' and b > 1"),
        ("a >", "a >"),
    ],
)
def test_split_operators(query: str, joined: str) -> None:
    assert join_split_operators(query) == joined


def test_distinct_is_dropped_outside_strings_only() -> None:
    assert drop_distinct("select DISTINCT a , count(distinct b) from t where c = 'distinct'") == (
        "select  a , count( b) from t where c = 'distinct'"
    )


def test_lexing_gives_the_text_back_and_never_fails() -> None:
    r = random.Random(2)
    for _ in range(2000):
        text = "".join(r.choice("ab1.'\"`[]/*-=<>! \n\x00é") for _ in range(r.randint(0, 30)))
        assert "".join(piece for _, piece in lex(text)) == text
    for hostile in ("'" * 99_999, "/*" * 50_000, '"' * 99_999, "[" * 99_999, "-" * 99_999):
        assert "".join(piece for _, piece in lex(hostile)) == hostile


def test_plugging() -> None:
    gold = "select a from t1 where b = 'x y' and c > 2.5 and d = 'x y'"
    assert values(gold) == ["'x y'", "2.5"]
    pred = "select a from t1 where b = 1 and c > 1"
    assert list(plugged(gold, pred)) == [
        pred,
        "select a from t1 where b = 'x y' and c > 'x y'",
        "select a from t1 where b = 'x y' and c > 2.5",
        "select a from t1 where b = 2.5 and c > 'x y'",
        "select a from t1 where b = 2.5 and c > 2.5",
    ]
    assert count_plugged(gold, pred) == 5
    assert count_plugged("select a from t", pred) == len(list(plugged("select a from t", pred))) == 1
    assert list(plugged(gold, "select a from t1")) == ["select a from t1", "select a from t1"]


# --- execution


@pytest.mark.parametrize(
    ("gold", "pred", "classic", "all_files"),
    [
        ("select name from item", "select name from item", True, True),
        ("select name , price from item", "select price , name from item", True, True),
        ("select name from item where price > 6", "select name from item where price > = 6", True, False),
        ("select distinct name from item", "select name from item", True, True),
        ("select name from item order by price", "select name from item order by price desc", False, False),
        ("select id from item", "select id from item order by price desc", True, True),
        ("select id from item", "select broken from item", False, False),
        ("select id from item", "", False, False),
        ("select id from item where id > 9", "select name , id from item where id > 9", True, True),
    ],
)
def test_execution_and_test_suite(suite: Path, gold: str, pred: str, classic: bool, all_files: bool) -> None:
    for whole, right in ((False, classic), (True, all_files)):
        files = databases(suite, "shop", suite=whole)
        assert len(files) == 1 + whole
        assert execution_match(gold, pred, files, limits=SMALL).right is right


def test_distinct_can_be_kept(suite: Path) -> None:
    files = databases(suite, "shop")
    gold, pred = "select distinct name from item", "select name from item"
    assert not execution_match(gold, pred, files, keep_distinct=True).right


def test_plugged_execution(suite: Path) -> None:
    files = databases(suite, "shop")
    gold, pred = (
        "select id from item where name = 'b' and price > 7",
        "select id from item where price > 1 and name = 1",
    )
    assert not execution_match(gold, pred, files).right
    outcome = execution_match(gold, pred, files, plug_values=True)
    assert outcome.right and outcome.tried == 4
    cut = execution_match(gold, pred, files, plug_values=True, limits=Limits(plugs=2))
    assert not cut.right and cut.cut and cut.tried == 2
    decide = judge(suite, plug_values=True)
    assert decide(GoldTurn(gold, "shop"), "select id from item where price > value and name = value")
    literal = "select name from item where name != 'value'"
    assert not judge(suite, replace_placeholder=False)(GoldTurn(literal, "shop"), "select name from item where value")
    assert judge(suite)(GoldTurn(literal, "shop"), literal)


def test_gold_that_fails_is_no_verdict(suite: Path) -> None:
    with pytest.raises(GoldError, match=r"shop\.sqlite"):
        execution_match("select nothing from item", "select id from item", databases(suite, "shop"))


@pytest.mark.parametrize(
    "query",
    [
        "delete from item",
        "insert into item values (9, 'x', 1)",
        "drop table item",
        "update item set price = 0",
        "create table other (x)",
        "attach database 'other.db' as o",
        "vacuum into 'copy.db'",
        "pragma journal_mode = wal",
        "select 1 ; delete from item",
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n",
        "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n",
        "select zeroblob(2000000000)",
        "select '\x00'",
        "select '\ud800'",
        "select load_extension('x')",
        "",
        "select " + "(" * 50_000 + "1",
    ],
)
def test_hostile_queries_are_refused_and_change_nothing(
    suite: Path, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = suite / "shop" / "shop.sqlite"
    monkeypatch.chdir(suite)
    before = path.read_bytes()
    listing = sorted(p.name for p in suite.rglob("*"))
    if query == "" or "\x00" in query:
        # Nothing to run gives no rows; a NUL is refused or ends the text, by version.
        with contextlib.suppress(QueryError):
            assert run(path, query, SMALL) == []
    else:
        with pytest.raises(QueryError):
            run(path, query, Limits(seconds=0.3, rows=1000))
    assert path.read_bytes() == before
    assert sorted(p.name for p in suite.rglob("*")) == listing


def test_a_query_that_never_ends_is_stopped_in_time(suite: Path) -> None:
    started = time.monotonic()
    endless = "select count(*) from " + ", ".join(f"item i{i}" for i in range(40))
    outcome = execution_match("select id from item", endless, databases(suite, "shop"), limits=Limits(seconds=0.3))
    assert not outcome.right and "more than 0.3 s" in (outcome.error or "")
    assert time.monotonic() - started < 5


def test_corrupt_locked_and_missing_files(suite: Path) -> None:
    bad = suite / "shop" / "bad.sqlite"
    bad.write_bytes(b"SQLite format 3\x00" + b"\xff" * 2000)
    with pytest.raises(QueryError):
        run(bad, "select * from item", SMALL)
    with pytest.raises(QueryError):
        run(suite / "absent.sqlite", "select 1", SMALL)
    assert not (suite / "absent.sqlite").exists()
    path = suite / "shop" / "shop.sqlite"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(QueryError):
            run(path, "select * from item", Limits(seconds=0.2))
    finally:
        holder.close()


def test_a_database_without_files_or_with_a_path_for_a_name(suite: Path) -> None:
    for name in ("none", "../shop", "shop/../shop", ""):
        with pytest.raises(MetricError):
            databases(suite, name)
    with pytest.raises(MetricError):
        execution_match("select 1", "select 1", [])


def test_undecodable_text_and_the_current_year(suite: Path) -> None:
    path = suite / "shop" / "shop.sqlite"
    assert run(path, "select cast(x'61ff62' as text)") == [("ab",)]
    assert run(path, "select YEAR(CURDATE())") == [(2020,)]
