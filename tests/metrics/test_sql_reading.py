"""The official tokens and grammar on good and bad text, and schemas from files."""

import random
import sqlite3
from pathlib import Path

import pytest

from dlc.metrics.errors import MetricError, SqlParseError
from dlc.metrics.sql_match import exact_set_match
from dlc.metrics.sql_parse import MAX_DEPTH, parse_sql
from dlc.metrics.sql_schema import read_tables_json, schema_from_entry, schema_from_sqlite
from dlc.metrics.sql_tokens import MAX_CHARS, tokenize

ENTRY = {
    "db_id": "club",
    "table_names_original": ["Member", "Visit"],
    "column_names_original": [[-1, "*"], [0, "ID"], [0, "Name"], [1, "Member_ID"], [1, "Day"]],
    "foreign_keys": [[3, 1]],
}
SCHEMA = schema_from_entry(ENTRY)


@pytest.mark.parametrize(
    ("query", "tokens"),
    [
        ("SELECT count(*) FROM t", ["select", "count", "(", "*", ")", "from", "t"]),
        ("a>=1", ["a", ">", "=1"]),
        ("a >= 1", ["a", ">=", "1"]),
        ("a > = 1", ["a", ">=", "1"]),
        ("a ! = 1", ["a", "!=", "1"]),
        ("a=1", ["a=1"]),
        ("a<>1", ["a", "<", ">", "1"]),
        ("x = 'It is'", ["x", "=", '"It is"']),
        ('x="A b"', ["x=__val_2_6__"]),
        ("a,b", ["a", ",", "b"]),
        ("1,2", ["1,2"]),
        ("t1.name;", ["t1.name", ";"]),
        ("the end.", ["the", "end", "."]),
        ("t.*", ["t.", "*"]),
        ("cannot", ["can", "not"]),
        ("", []),
    ],
)
def test_tokens(query: str, tokens: list[str]) -> None:
    assert tokenize(query) == tokens


@pytest.mark.parametrize("query", ["it's", "a = 'b", '"', "x" * (MAX_CHARS + 1)])
def test_untokenizable(query: str) -> None:
    with pytest.raises(SqlParseError):
        tokenize(query)


QUERIES = [
    "select name from member where id in (select member_id from visit where day = 'a') order by name desc limit 3",
    "select t1.name , count(*) from member as t1 join visit as t2 on t1.id = t2.member_id group by t1.id having count(*) > 1",
    "select * from (select name from member union select day from visit) ;",
]


@pytest.mark.parametrize("query", QUERIES)
def test_every_prefix_parses_or_is_refused(query: str) -> None:
    parse_sql(query, SCHEMA)
    for end in range(len(query)):
        try:
            parse_sql(query[:end], SCHEMA)
        except SqlParseError:
            continue


def test_shuffled_words_parse_or_are_refused() -> None:
    r = random.Random(3)
    words = " ".join(QUERIES).split()
    for _ in range(3000):
        text = " ".join(r.choice(words) for _ in range(r.randint(1, 25)))
        try:
            parse_sql(f"select name from member {text}", SCHEMA)
        except SqlParseError:
            continue


@pytest.mark.parametrize(
    "query",
    [
        "select name from (" * 5_000 + "select name from member" + ")" * 5_000,
        "(" * 50_000,
        "select name from member where id in (" * 2_000,
        "select name from member union " * 3_000 + "select name from member",
    ],
)
def test_deep_nesting_is_refused_not_a_crash(query: str) -> None:
    with pytest.raises(SqlParseError):
        parse_sql(query, SCHEMA)
    assert not exact_set_match("select name from member", query, SCHEMA)


def test_nesting_up_to_the_limit_is_read_and_compared() -> None:
    query = "select name from member where id in ( " * MAX_DEPTH + "select id from member" + " )" * MAX_DEPTH
    assert exact_set_match(query, query, SCHEMA)


def test_foreign_keys_of_one_column_form_a_greedy_class() -> None:
    entry = {
        "db_id": "g",
        "table_names_original": ["a", "b", "c", "d"],
        "column_names_original": [[-1, "*"], [0, "x"], [1, "x"], [2, "x"], [3, "x"]],
        # 1-2 and 3-4 are two classes; 2-3 joins only the first that it meets, so 4 stays apart from 1.
        "foreign_keys": [[2, 1], [4, 3], [3, 2]],
    }
    merged = schema_from_entry(entry).merged
    assert merged["__b.x__"] == "__a.x__"
    assert merged["__d.x__"] == "__c.x__"
    # c.x is in both classes; the later one decides.
    assert merged["__c.x__"] == "__c.x__"


@pytest.mark.parametrize(
    "broken", [{}, {"db_id": "x"}, ENTRY | {"foreign_keys": [[1, 99]]}, ENTRY | {"column_names_original": [3]}]
)
def test_malformed_schema_entry(broken: dict[str, object]) -> None:
    with pytest.raises(MetricError):
        read_tables_json([broken])


def test_schema_from_sqlite_equals_the_entry(tmp_path: Path) -> None:
    path = tmp_path / "club.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript(
            "CREATE TABLE Member (ID INTEGER PRIMARY KEY, Name TEXT);"
            "CREATE TABLE Visit (Member_ID INT REFERENCES Member, Day TEXT);"
        )
    db.close()
    assert schema_from_sqlite(path) == SCHEMA


def test_schema_from_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(MetricError, match="cannot read"):
        schema_from_sqlite(path)
    with pytest.raises(MetricError):
        schema_from_sqlite(tmp_path / "absent.sqlite")
