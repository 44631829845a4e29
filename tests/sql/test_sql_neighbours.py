"""SQL in ThingTalk and in slots: what one table's queries become, that it means the same, and what cannot be said."""

from collections import Counter
from pathlib import Path

import pytest
from sql_gold import equality_conjunction, gold_queries, gold_schemas, selection_only, uses_one_table
from thingtalk_oracle import Oracle

from dlc.compiler.schema import Schema
from dlc.compiler.terms import App, Statement, Term, Turn, subterms
from dlc.runtime.evaluate import Context, query_rows
from dlc.runtime.scalars import SCALARS
from dlc.targets.rows import status_of
from dlc.targets.slots.multiwoz import read_multiwoz
from dlc.targets.slots.write import write_slots
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.read import read_sql
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.targets.thingtalk.write import write_thingtalk
from dlc.targets.thingtalk.write_classes import schema_to_classes

BOOKS = [
    {"id": 1, "title": "a", "author_id": 1, "price": 3, "printed": "1990", "signed": True},
    {"id": 2, "title": "b", "author_id": None, "price": 5, "printed": None, "signed": None},
    {"id": 3, "title": None, "author_id": 1, "price": None, "printed": "2000", "signed": False},
    {"id": 4, "title": "a", "author_id": 2, "price": 3, "printed": "2000", "signed": None},
]

# Queries, and what ThingTalk makes of them.
SAID = {
    "SELECT max(price), min(price) FROM book": "max(price of {book}) join min(price of {book})",
    "SELECT count(*), avg(price), sum(price) FROM book": "count({book}) join avg(price of {book}) join sum(price of {book})",
    "SELECT count(DISTINCT title) FROM book": "count(title of {book})",
    "SELECT count(id) FROM book": "count({book})",
    "SELECT count(title) FROM book": 'count({book} filter title =~ "")',
    "SELECT count(price) FROM book WHERE id > 1": "count(({book} filter id >= 1 && !(id == 1)) filter price <= 0 || price >= 0)",
    "SELECT id FROM book WHERE title != 'a'": '[id] of {book} filter !(title == "a") && title =~ ""',
    "SELECT id FROM book WHERE price != 3": "[id] of {book} filter !(price == 3) && (price <= 0 || price >= 0)",
    "SELECT title FROM book WHERE id != 3": "[title] of {book} filter !(id == 3)",
    "SELECT id FROM book WHERE price NOT IN (3, 4)": "[id] of {book} filter !(in_array(price, [3, 4])) && (price <= 0 || price >= 0)",
    "SELECT id FROM book WHERE title NOT LIKE '%a%'": '[id] of {book} filter !(title =~ "a") && title =~ ""',
    "SELECT id FROM book WHERE price NOT BETWEEN 3 AND 4": "[id] of {book} filter !(price >= 3 && price <= 4) && (price <= 0 || price >= 0)",
    "SELECT id FROM book WHERE title != printed": '[id] of {book} filter !(title == printed) && title =~ "" && printed =~ ""',
    "SELECT id FROM book WHERE printed = 1990": '[id] of {book} filter printed == "1990"',
    "SELECT id FROM book WHERE price = '3'": "[id] of {book} filter price == 3",
    "SELECT id FROM book WHERE title IS NULL": '[id] of {book} filter !(title =~ "")',
    "SELECT id FROM book WHERE title IS NOT NULL AND price > 3": (
        '[id] of {book} filter title =~ "" && (price >= 3 && !(price == 3))'
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sql", "said"), SAID.items())
def test_what_thingtalk_says_means_the_same(sql: str, said: str, bookshop: Schema) -> None:
    turn, _ = read_sql(sql, bookshop)
    written = write_thingtalk(turn, bookshop)
    assert status_of(written) == "exact", written.notes
    assert written.program is not None
    assert said.replace("{book}", "@org.dlc.bookshop.book()") in written.program
    again = ThingTalkReader(bookshop).read(written.program, "user", False)
    context = Context(bookshop, {"book": BOOKS}, dict(SCALARS))
    assert _rows(again.statements[0].term, context) == _rows(turn.statements[0].term, context)


def _rows(term: Term, context: Context) -> Counter[tuple[object, ...]]:
    return Counter(query_rows(term, context).tuples())


UNSAID = {
    "SELECT max(title) FROM book": "an aggregate of text",
    "SELECT avg(title) FROM book": "the same",
    "SELECT min(price), title FROM book": "a column beside an aggregate",
    "SELECT title, count(*) FROM book GROUP BY title": "groups",
    "SELECT book.title, * FROM book": "columns beside all columns",
}


@pytest.mark.parametrize("sql", UNSAID)
def test_what_thingtalk_cannot_say_is_approximate_and_typed(sql: str, bookshop: Schema) -> None:
    turn, _ = read_sql(sql, bookshop)
    written = write_thingtalk(turn, bookshop)
    assert status_of(written) == "approximate"
    assert written.program is not None
    ThingTalkReader(bookshop).read(written.program, "user", False)


@pytest.mark.oracle
def test_the_reference_accepts_all_of_it(bookshop: Schema, oracle: Oracle, tmp_path: Path) -> None:
    classes = tmp_path / "bookshop.tt"
    classes.write_text(schema_to_classes(bookshop))
    programs = []
    for sql in (*SAID, *UNSAID):
        program = write_thingtalk(read_sql(sql, bookshop)[0], bookshop).program
        assert program is not None
        programs.append((program, "normal"))
    for (program, _), answer in zip(programs, oracle.judge(programs, classes), strict=True):
        assert answer["error"] is None, (program, answer["error"])


@pytest.mark.corpus
def test_one_table_queries_of_the_gold_are_exact_in_thingtalk(corpora: Path) -> None:
    """All but aggregates of text columns and a column beside an aggregate, of which ThingTalk has neither."""
    schemas = gold_schemas(corpora)
    catalogs = {name: Catalog(schema) for name, schema in schemas.items()}
    exact = 0
    unsaid = []
    for db, turn in gold_queries(corpora, catalogs):
        if not uses_one_table(turn):
            continue
        if status_of(write_thingtalk(turn, schemas[db])) == "exact":
            exact += 1
        else:
            unsaid.append(turn)
    assert exact >= 600
    for turn in unsaid:
        aggregates = [n for n in subterms(turn.statements[0].term) if isinstance(n, App) and n.fn == "whole"]
        assert aggregates, turn
    assert len(unsaid) < 0.02 * exact


@pytest.mark.corpus
def test_equality_conjunctions_of_the_gold_are_exact_in_slots(corpora: Path) -> None:
    """`SELECT * FROM t WHERE a = x AND b = y`, from every gold query that selects so, whatever it shows."""
    schemas = gold_schemas(corpora)
    catalogs = {name: Catalog(schema) for name, schema in schemas.items()}
    compared = 0
    for db, turn in gold_queries(corpora, catalogs):
        term = selection_only(turn)
        if term is None or not equality_conjunction(term):
            continue
        written = write_slots(Turn("user", (), (Statement(term),)), schemas[db])
        assert status_of(written) == "exact", (term, written.notes)
        compared += 1
    assert compared > 150


def test_slots_of_a_database_come_back(bookshop: Schema) -> None:
    turn, _ = read_sql("SELECT * FROM book WHERE title = 'x y' AND price = 3", bookshop)
    written = write_slots(turn, bookshop)
    assert status_of(written) == "exact"
    state = {"book": {"semi": {"title": "x y", "price": "3"}, "book": {}}}
    assert written.program == state
    log = [{"text": "", "metadata": {}}, {"text": "", "metadata": state}]
    read = read_multiwoz("a", {"log": log}, bookshop, speakers=frozenset(("user",)))
    assert read.turns[0].program is not None
    assert read.turns[0].program.statements[0].term == turn.statements[0].term


def test_text_that_slots_would_read_otherwise_is_no_exact_slot(bookshop: Schema) -> None:
    for text in ("a|b", "none", "dontcare", "NOT(x)"):
        turn, _ = read_sql(f"SELECT * FROM book WHERE title = '{text}'", bookshop)
        assert status_of(write_slots(turn, bookshop)) == "approximate"
