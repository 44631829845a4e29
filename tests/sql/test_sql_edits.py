"""Turn-switch labels, each occurring; what queries do with columns."""

import pytest

from dlc.compiler.terms import Term
from dlc.targets.sql.edits import (
    AGGREGATE_WORDS,
    CLAUSE_WORDS,
    CLAUSES,
    CONNECTIVE_WORDS,
    NESTING_WORDS,
    OPERATOR_WORDS,
    column_operations,
    turn_switch,
)
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.read import read_sql

BASE = "SELECT title FROM book"

# Before, after, labels.
EDITS = [
    (BASE, BASE, "NONE"),
    (BASE, "SELECT b.title FROM book AS b", "NONE"),
    ("SELECT title FROM book WHERE price > 3 AND id = 1", "SELECT title FROM book WHERE id = 1 AND price > 3", "NONE"),
    (BASE, "SELECT title, price FROM book", "INS(SELECT)"),
    ("SELECT title, price FROM book", BASE, "DEL(SELECT)"),
    (BASE, "SELECT price FROM book", "CHANGE(SELECT)"),
    ("SELECT price FROM book", "SELECT avg(price) FROM book", "INS(SELECT.agg)"),
    ("SELECT avg(price) FROM book", "SELECT price FROM book", "DEL(SELECT.agg)"),
    ("SELECT avg(price) FROM book", "SELECT max(price) FROM book", "CHANGE(SELECT.agg)"),
    (BASE, "SELECT DISTINCT title FROM book", "INS(DISTINCT)"),
    ("SELECT DISTINCT title FROM book", BASE, "DEL(DISTINCT)"),
    (BASE, "SELECT book.title FROM book JOIN author ON book.author_id = author.id", "INS(FROM)"),
    ("SELECT book.title FROM book JOIN author ON book.author_id = author.id", BASE, "DEL(FROM)"),
    ("SELECT id FROM book", "SELECT id FROM author", "CHANGE(SELECT) CHANGE(FROM)"),
    (BASE, "SELECT title FROM book WHERE price > 3", "INS(WHERE)"),
    ("SELECT title FROM book WHERE price > 3", BASE, "DEL(WHERE)"),
    ("SELECT title FROM book WHERE price > 3", "SELECT title FROM book WHERE price > 5", "CHANGE(WHERE)"),
    (BASE, "SELECT title FROM book GROUP BY title", "INS(GROUP_BY)"),
    ("SELECT title FROM book GROUP BY title", BASE, "DEL(GROUP_BY)"),
    ("SELECT title FROM book GROUP BY title", "SELECT title FROM book GROUP BY price", "CHANGE(GROUP_BY)"),
    (
        "SELECT title FROM book GROUP BY title",
        "SELECT title FROM book GROUP BY title HAVING count(*) > 1",
        "INS(HAVING)",
    ),
    (
        "SELECT title FROM book GROUP BY title HAVING count(*) > 1",
        "SELECT title FROM book GROUP BY title",
        "DEL(HAVING)",
    ),
    (
        "SELECT title FROM book GROUP BY title HAVING count(*) > 1",
        "SELECT title FROM book GROUP BY title HAVING count(*) > 2",
        "CHANGE(HAVING)",
    ),
    (BASE, "SELECT title FROM book ORDER BY price", "INS(ORDER_BY)"),
    ("SELECT title FROM book ORDER BY price", BASE, "DEL(ORDER_BY)"),
    ("SELECT title FROM book ORDER BY price", "SELECT title FROM book ORDER BY title", "CHANGE(ORDER_BY)"),
    ("SELECT title FROM book ORDER BY price", "SELECT title FROM book ORDER BY price DESC", "CHANGE(ORDER_BY.dir)"),
    (BASE, "SELECT title FROM book LIMIT 3", "INS(LIMIT)"),
    ("SELECT title FROM book LIMIT 3", BASE, "DEL(LIMIT)"),
    ("SELECT title FROM book LIMIT 3", "SELECT title FROM book LIMIT 1", "CHANGE(LIMIT)"),
    *(
        edit
        for op in ("UNION", "EXCEPT", "INTERSECT")
        for edit in (
            (BASE, f"{BASE} {op} SELECT name FROM author", f"INS({op})"),
            (f"{BASE} {op} SELECT name FROM author", BASE, f"DEL({op})"),
            (f"{BASE} {op} SELECT name FROM author", f"{BASE} {op} SELECT country FROM author", f"CHANGE({op})"),
        )
    ),
]


def _term(sql: str, catalog: Catalog) -> Term:
    return read_sql(sql, catalog)[0].statements[-1].term


@pytest.mark.parametrize(("before", "after", "labels"), EDITS)
def test_turn_switch(before: str, after: str, labels: str, catalog: Catalog) -> None:
    assert " ".join(turn_switch(_term(before, catalog), _term(after, catalog))) == labels


def test_every_label_occurs() -> None:
    shown = {label for _, _, labels in EDITS for label in labels.split()}
    possible = {f"{op}({clause})" for clause in CLAUSES for op in ("INS", "DEL", "CHANGE")} | {"NONE"}
    # A flag cannot change; a direction is compared only where both queries have the key.
    impossible = {"CHANGE(DISTINCT)", "INS(ORDER_BY.dir)", "DEL(ORDER_BY.dir)"}
    assert shown == possible - impossible


def test_the_first_query_inserts(catalog: Catalog) -> None:
    term = _term("SELECT title FROM book WHERE price > 3 ORDER BY title LIMIT 1", catalog)
    assert turn_switch(None, term) == ("INS(SELECT)", "INS(FROM)", "INS(WHERE)", "INS(ORDER_BY)", "INS(LIMIT)")


def test_column_operations(catalog: Catalog) -> None:
    sql = """SELECT a.country, count(*), avg(b.price) FROM author a JOIN book b ON a.id = b.author_id
        WHERE b.printed LIKE '19%' AND a.id NOT IN (SELECT book_id FROM sale WHERE copies > 3)
        GROUP BY a.country HAVING avg(b.price) > 5 ORDER BY max(b.price) DESC"""
    found = column_operations(_term(sql, catalog))
    assert found == {
        ("author", "id"): ("FROM =", "WHERE NOT IN"),
        ("book", "author_id"): ("FROM =",),
        ("book", "printed"): ("WHERE LIKE",),
        ("sale", "book_id"): ("WHERE NOT IN SELECT",),
        ("sale", "copies"): ("WHERE NOT IN WHERE >",),
        ("author", "country"): ("GROUP_BY", "SELECT"),
        ("book", "price"): ("HAVING AVG >", "ORDER_BY MAX DESC", "SELECT AVG"),
    }
    other = column_operations(_term("SELECT id FROM author EXCEPT SELECT author_id FROM book WHERE price = 3", catalog))
    assert other[("book", "price")] == ("EXCEPT WHERE =",)


# A query, a column of `book`, and what the query does with it.
OPERATIONS = [
    ("SELECT price FROM book", "price", "SELECT"),
    ("SELECT DISTINCT title FROM book", "title", "SELECT DISTINCT"),
    ("SELECT name FROM author JOIN book ON author.id = book.author_id", "author_id", "FROM ="),
    ("SELECT title FROM book GROUP BY title", "title", "GROUP_BY; SELECT"),
    *(
        (f"SELECT {fn}({'DISTINCT ' if word.endswith('_DISTINCT') else ''}price) FROM book", "price", f"SELECT {word}")
        for word in AGGREGATE_WORDS
        for fn in (word.partition("_")[0].lower(),)
    ),
    *(
        (f"SELECT id FROM book WHERE {condition}", "price", f"WHERE {word}")
        for word, condition in {
            **{op: f"price {op} 3" for op in ("=", "!=", "<", "<=", ">", ">=")},
            "IN": "price IN (1, 2)",
            "NOT IN": "price NOT IN (1, 2)",
            "BETWEEN": "price BETWEEN 1 AND 2",
            "NOT BETWEEN": "price NOT BETWEEN 1 AND 2",
            "IS NULL": "price IS NULL",
            "IS NOT NULL": "price IS NOT NULL",
        }.items()
    ),
    ("SELECT id FROM book WHERE title LIKE 'a%'", "title", "WHERE LIKE"),
    ("SELECT id FROM book WHERE title NOT LIKE 'a%'", "title", "WHERE NOT LIKE"),
    ("SELECT title FROM book GROUP BY title HAVING max(price) > 3", "price", "HAVING MAX >"),
    ("SELECT id FROM book ORDER BY price", "price", "ORDER_BY ASC"),
    ("SELECT id FROM book ORDER BY price DESC", "price", "ORDER_BY DESC"),
    ("SELECT id FROM book ORDER BY price LIMIT 1", "price", "ORDER_BY ASC LIMIT"),
    ("SELECT id FROM book ORDER BY price DESC LIMIT 3", "price", "ORDER_BY DESC LIMIT"),
    ("SELECT id FROM book WHERE price = 3 OR price = 4", "price", "WHERE OR ="),
    ("SELECT id FROM book WHERE NOT COALESCE(price = 3, FALSE)", "price", "WHERE NOT ="),
    ("SELECT name FROM author UNION SELECT title FROM book", "title", "UNION SELECT"),
    ("SELECT name FROM author EXCEPT SELECT title FROM book", "title", "EXCEPT SELECT"),
    ("SELECT name FROM author INTERSECT SELECT title FROM book", "title", "INTERSECT SELECT"),
    ("SELECT name FROM author WHERE EXISTS (SELECT 1 FROM book WHERE price = 3)", "price", "WHERE EXISTS WHERE ="),
    ("SELECT name FROM author WHERE id IN (SELECT author_id FROM book)", "author_id", "WHERE IN SELECT"),
    ("SELECT name FROM author WHERE born > (SELECT max(price) FROM book)", "price", "WHERE > SELECT MAX"),
]


@pytest.mark.parametrize(("sql", "column", "labels"), OPERATIONS)
def test_column_labels(sql: str, column: str, labels: str, catalog: Catalog) -> None:
    assert "; ".join(column_operations(_term(sql, catalog))["book", column]) == labels


def test_every_word_of_column_labels_occurs() -> None:
    shown = [f" {label} " for _, _, labels in OPERATIONS for label in labels.split("; ")]
    for word in (*CLAUSE_WORDS, *AGGREGATE_WORDS, *OPERATOR_WORDS, *CONNECTIVE_WORDS, *NESTING_WORDS):
        assert any(f" {word} " in label for label in shown), word
