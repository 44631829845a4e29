"""An invented bookshop, with the awkward names and types that real databases have."""

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.schema import Schema
from dlc.targets.sql.ddl import read_ddl
from dlc.targets.sql.names import Catalog

BOOKSHOP = """
CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL, born INTEGER, country TEXT);
CREATE TABLE book (
  id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER, price REAL, printed TEXT, signed BOOLEAN,
  FOREIGN KEY (author_id) REFERENCES author (id)
);
CREATE TABLE sale (id INTEGER PRIMARY KEY, book_id TEXT REFERENCES book (id), day DATE, copies INTEGER);
CREATE TABLE shelf_book (shelf INTEGER, book_id INTEGER, PRIMARY KEY (shelf, book_id));
CREATE TABLE "order line" (id INTEGER, "group" TEXT, "unit price" REAL);
CREATE TABLE list (name TEXT, length INTEGER);
"""


@pytest.fixture(scope="session")
def bookshop() -> Schema:
    """The schema."""
    return read_ddl(BOOKSHOP, "bookshop")


@pytest.fixture(scope="session")
def catalog(bookshop: Schema) -> Catalog:
    """The schema as SQL sees it."""
    return Catalog(bookshop)


@pytest.fixture(scope="session")
def checker(bookshop: Schema) -> Checker:
    """A checker for it."""
    return Checker(bookshop)
