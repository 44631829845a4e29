"""SQL that is wrong, hostile, or beyond what DL says: each a diagnostic with its code, never a crash."""

import pytest

from dlc.compiler.sugar import print_turn
from dlc.grammar.diagnostic import CompileError
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.read import read_sql

UNSUPPORTED = {
    "SELECT row_number() OVER (ORDER BY id) FROM book": "window",
    "SELECT group_concat(title) FROM book": "GROUP_CONCAT",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t": "RECURSIVE",
    "SELECT * FROM book WHERE (id, title) IN (SELECT id, title FROM book)": "TUPLE",
    "SELECT * FROM book WHERE title GLOB 'a*'": "GLOB",
    "SELECT * FROM book WHERE title REGEXP 'a'": "REGEXP",
    "SELECT * FROM book WHERE title LIKE 'a' ESCAPE '/'": "ESCAPE",
    "SELECT * FROM generate_series(1, 3)": "table function",
    "SELECT count(*) FILTER (WHERE price > 1) FROM book": "FILTER",
    "SELECT title COLLATE NOCASE FROM book": "COLLATE",
    "SELECT id FROM book GROUP BY ROLLUP (id)": "ROLLUP",
    "SELECT count(DISTINCT id, title) FROM book": "several columns",
    "SELECT sum(count(*)) FROM book": "aggregate of an aggregate",
    "SELECT title FROM book WHERE count(*) > 1": "outside a group",
    "SELECT DISTINCT ON (id) id FROM book": "DISTINCT ON",
    "SELECT id FROM book WHERE id > ALL (SELECT 1)": "ALL",
    "SELECT id FROM book WHERE id = (SELECT id, title FROM book)": "2 columns",
    "SELECT * FROM book TABLESAMPLE (3)": "TABLESAMPLE",
    "SELECT id & 3 FROM book": "BITWISEAND",
    "SELECT CAST(id AS DATE) FROM book": "CAST",
    "SELECT total(price) FROM book": "total",
    "SELECT rowid FROM book": "rowid",
    "SELECT a.name FROM author a FULL JOIN book b USING (id)": "shared columns",
}

WRONG = {
    "": "DLC240",
    ";": "DLC240",
    "select": "DLC240",
    "SELECT (((": "DLC240",
    "SELECT title FROM book WHERE (price > 3": "DLC240",
    "SELECT title FROM book WHERE title = 'open": "DLC240",
    "SELECT id FROM book UNION SELECT id, title FROM book": "DLC240",
    "DROP TABLE book": "DLC241",
    "SELECT 1; DELETE FROM book": "DLC241",
    "INSERT INTO book VALUES (1)": "DLC241",
    "PRAGMA writable_schema = 1": "DLC241",
    "ATTACH 'x' AS y": "DLC241",
    "SELECT * FROM bok": "DLC243",
    "SELECT x.title FROM book": "DLC243",
    "SELECT T1.title FROM book EXCEPT SELECT T1.title FROM book AS T1": "DLC243",
    "SELECT titel FROM book": "DLC244",
    "SELECT book.titel FROM book": "DLC244",
    "SELECT `titel` FROM book": "DLC244",
    "SELECT title FROM book WHERE EXISTS (SELECT 1 FROM author WHERE copies = 3)": "DLC244",
}


@pytest.mark.parametrize(("sql", "named"), UNSUPPORTED.items())
def test_unsupported_is_named(sql: str, named: str, catalog: Catalog) -> None:
    with pytest.raises(CompileError) as error:
        read_sql(sql, catalog)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "DLC242"
    assert named in diagnostic.message


@pytest.mark.parametrize(("sql", "code"), WRONG.items())
def test_wrong_sql(sql: str, code: str, catalog: Catalog) -> None:
    with pytest.raises(CompileError) as error:
        read_sql(sql, catalog)
    assert error.value.diagnostics[0].code == code


def test_places_and_suggestions(catalog: Catalog) -> None:
    sql = "SELECT title FROM book WHERE prise  > = 3"
    with pytest.raises(CompileError) as error:
        read_sql(sql, catalog)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.span is not None
    assert sql[diagnostic.span.start : diagnostic.span.end] == "prise"
    assert diagnostic.help[0] == "did you mean `price`?"


HOSTILE = {
    "nested parentheses": "SELECT " + "(" * 50_000 + "1" + ")" * 50_000,
    "negations": "SELECT title FROM book WHERE " + "NOT " * 50_000 + "signed",
    "minus signs": "SELECT " + "- " * 50_000 + "1",
    "subqueries": "SELECT * FROM " + "(SELECT * FROM " * 5_000 + "book" + ")" * 5_000,
    "cases": "SELECT " + "CASE WHEN 1 THEN " * 5_000 + "1" + " END" * 5_000,
    "joins": "SELECT * FROM book" + " JOIN book" * 199,
    "outer joins": "SELECT * FROM book" + " LEFT JOIN book" * 199,
    "text": "SELECT '" + "x" * 1_000_001 + "'",
    "unions": " UNION ".join(["SELECT 1"] * 5_000),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_sql_is_bounded(kind: str, catalog: Catalog) -> None:
    with pytest.raises(CompileError) as error:
        read_sql(HOSTILE[kind], catalog)
    assert error.value.diagnostics[0].code in ("DLC240", "DLC245")


def test_many_joins_are_read_in_time(catalog: Catalog) -> None:
    joins = "".join(f" JOIN book AS b{i}" + (f" ON b{i}.id = book.id" if i % 3 else "") for i in range(60))
    turn, _ = read_sql(f"SELECT book.id FROM book{joins}", catalog)
    assert print_turn(turn).count("| join book as") == 60


def test_long_but_flat_is_read(catalog: Catalog) -> None:
    conjunction = " AND ".join(f"price > {i}" for i in range(2_000))
    turn, _ = read_sql(f"SELECT title FROM book WHERE {conjunction}", catalog)
    assert len(turn.statements) == 1
    turn, _ = read_sql(f"SELECT title FROM book WHERE id IN ({', '.join(map(str, range(5_000)))})", catalog)
    assert len(turn.statements) == 1


@pytest.mark.parametrize(
    "value",
    ["' OR 1 = 1 --", "'; DROP TABLE book; --", '"', "\\", "a\nb", "\x00", "%_", "\u2019", "`", "$0", "?1", ":p0"],
)
def test_a_value_is_only_a_value(value: str, catalog: Catalog) -> None:
    from dlc.compiler.terms import Abs, App, Field, Lit, Statement, Turn, Var
    from dlc.targets.sql.write import bound_queries, write_sql

    body = App("=", (Field(Var("book"), "title"), Lit("text", value)))
    turn = Turn("user", (), (Statement(App("where", (App("book"), Abs("spec", ("book",), body)))),))
    written = write_sql(turn, catalog)
    if "\x00" not in value:
        again, _ = read_sql(written.program, catalog)
        assert again == turn
    queries, _ = bound_queries(turn, catalog)
    assert queries[0].sql == "SELECT * FROM book WHERE title = :v0"
    assert queries[0].values == (("v0", value),)
