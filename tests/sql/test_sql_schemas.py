"""Schemas from tables.json, DDL and live databases: what is trusted, what is repaired, what is refused."""

import sqlite3
from typing import Any

import pytest

from dlc.compiler.schema import Schema, fact, fact_list
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.compiler.types import BOOL, NUMBER, TEXT
from dlc.grammar.diagnostic import CompileError
from dlc.targets.sql.ddl import read_ddl, write_ddl
from dlc.targets.sql.live import read_sqlite
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.tables_json import read_tables_json

ENTRY: dict[str, Any] = {
    "db_id": "harbour",
    "table_names_original": ["ship", "port", "visit", "list", "sqlite_sequence"],
    "column_names_original": [
        [-1, "*"], [0, "Id"], [0, "Name"], [0, "home port"], [0, "Built"],
        [1, "Code"], [1, "Town"], [2, "Ship_Id"], [2, "Port_Code"], [2, "Day"], [3, "length"], [4, "seq"],
    ],
    "column_types": ["text", "number", "text", "text", "time", "number", "text", "number", "text", "time", "number",
                     "number"],
    "primary_keys": [1, 5, 7],
    "foreign_keys": [[3, 5], [7, 1], [8, 5]],
}  # fmt: skip


def harbour() -> Schema:
    return read_tables_json([ENTRY])["harbour"]


def test_tables_and_columns_keep_their_names() -> None:
    schema = harbour()
    assert [t.name for t in schema.tables] == ["ship", "port", "visit", "list_"]
    assert list(schema.table["ship"].by_name) == ["Id", "Name", "home port", "Built"]
    assert fact(schema.table["list_"].facts, "sql") == "list"


def test_types_are_repaired_along_foreign_keys() -> None:
    columns = harbour().table["ship"].by_name
    assert columns["Id"].type == NUMBER and columns["Built"].type == TEXT
    # Declared text, but it refers to a number: the key's type, and the declared one kept.
    assert columns["home port"].type == NUMBER
    assert fact(columns["home port"].facts, "sql_type") == "text"
    assert harbour().table["visit"].by_name["Port_Code"].type == NUMBER


def test_only_trusted_keys_are_keys() -> None:
    schema = harbour()
    assert schema.table["ship"].by_name["Id"].key and not schema.table["ship"].by_name["Id"].optional
    # One of several foreign keys of its table: really part of a longer key.
    assert not schema.table["visit"].by_name["Ship_Id"].key
    assert fact_list(schema.table["visit"].facts, "sql_key") == ("Ship_Id",)
    assert schema.table["visit"].by_name["Ship_Id"].references == ("ship", "Id")
    assert schema.table["ship"].by_name["Name"].optional


def test_schema_text_round_trip() -> None:
    schema = harbour()
    assert read_schema(print_schema(schema)) == schema


@pytest.mark.parametrize(
    "change",
    [
        {"db_id": 3},
        {"column_types": ["text"]},
        {"foreign_keys": [[3, 99]]},
        {"foreign_keys": [[3]]},
        {"primary_keys": [0]},
        {"primary_keys": ["Id"]},
        {"column_names_original": [[-1, "*"], ["x", "y"]]},
        {"column_names_original": [[7, "y"]] * 12},
        {"table_names_original": None},
    ],
)
def test_bad_tables_json(change: dict[str, Any]) -> None:
    with pytest.raises(CompileError) as error:
        read_tables_json([{**ENTRY, **change}])
    assert error.value.diagnostics[0].code == "DLC256"


@pytest.mark.parametrize("value", [[], 3, "x", [3], [None]])
def test_no_tables_json(value: Any) -> None:
    with pytest.raises(CompileError) as error:
        read_tables_json(value)
    assert error.value.diagnostics[0].code == "DLC256"


def test_names_that_differ_in_case_only() -> None:
    clash = {**ENTRY, "column_names_original": [*ENTRY["column_names_original"][:2], [0, "ID"],
                                                *ENTRY["column_names_original"][3:]]}  # fmt: skip
    with pytest.raises(CompileError) as error:
        read_tables_json([clash])
    assert error.value.diagnostics[0].code == "DLC255"
    with pytest.raises(CompileError) as error:
        read_ddl("CREATE TABLE a (x INT); CREATE TABLE A (y INT)", "twice")
    assert error.value.diagnostics[0].code == "DLC255"
    with pytest.raises(CompileError) as error:
        Catalog(read_schema("table a { x: Number, X: Number }"))
    assert error.value.diagnostics[0].code == "DLC255"


DDL = """
CREATE TABLE ship (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, afloat BOOLEAN, built DATE);
CREATE TABLE "old visit" (ship_id INTEGER REFERENCES ship, day TEXT, PRIMARY KEY (ship_id, day));
CREATE TABLE note (ship TEXT, FOREIGN KEY (ship) REFERENCES ship (id));
"""


def _check_ship(schema: Schema) -> None:
    ship = schema.table["ship"].by_name
    assert ship["id"].key and ship["id"].type == NUMBER
    assert not ship["name"].optional and ship["name"].unique and ship["name"].type == TEXT
    assert ship["afloat"].type == BOOL and ship["built"].type == TEXT and ship["built"].optional
    visit = schema.table["old visit"]
    assert visit.by_name["ship_id"].references == ("ship", "id")
    assert fact_list(visit.facts, "sql_key") == ("ship_id", "day")
    assert schema.table["note"].by_name["ship"].type == NUMBER


def test_ddl() -> None:
    _check_ship(read_ddl(DDL, "harbour"))


def test_live_database() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(DDL)
    _check_ship(read_sqlite(connection, "harbour"))


def test_ddl_is_written_and_read_back() -> None:
    schema = read_ddl(DDL, "harbour")
    text = write_ddl(schema)
    sqlite3.connect(":memory:").executescript(text)
    again = read_ddl(text, "harbour")
    assert write_ddl(again) == text
    assert [t.name for t in again.tables] == [t.name for t in schema.tables]
    _check_ship(again)
    assert 'CREATE TABLE "old visit"' in write_ddl(schema, "postgres")


def test_tables_json_as_ddl_makes_a_database() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(write_ddl(harbour()))
    again = read_sqlite(connection, "harbour")
    assert [t.name for t in again.tables] == [t.name for t in harbour().tables]


@pytest.mark.parametrize("text", ["", "SELECT 1", "CREATE TABLE", "CREATE TABLE t ((((", "\x00"])
def test_bad_ddl(text: str) -> None:
    with pytest.raises(CompileError) as error:
        read_ddl(text, "bad")
    assert error.value.diagnostics[0].code in ("DLC240", "DLC256")


def test_empty_database() -> None:
    with pytest.raises(CompileError) as error:
        read_sqlite(sqlite3.connect(":memory:"), "empty")
    assert error.value.diagnostics[0].code == "DLC256"
