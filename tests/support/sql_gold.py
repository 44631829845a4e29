"""The gold queries of CoSQL, SParC and Spider as DL, and which shapes they have."""

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from dlc.compiler.schema import Schema
from dlc.compiler.terms import Abs, App, Entity, Field, Lit, Term, Turn, subterms
from dlc.grammar.diagnostic import CompileError
from dlc.targets.sql.names import Catalog
from dlc.targets.sql.read import read_sql
from dlc.targets.sql.tables_json import read_tables_json

CONVERSIONS = frozenset(("text_of", "number_of", "untyped"))
_JOINS = frozenset(("join", "join_left", "join_right", "join_full"))
_SETS = frozenset(("union", "union_all", "except", "except_all", "intersect", "intersect_all"))
_BEYOND = _JOINS | _SETS | frozenset(("group", "distinct", "exists", "the"))


@cache
def gold_schemas(corpora: Path) -> Mapping[str, Schema]:
    """Schemas by database."""
    return read_tables_json(json.loads((corpora / "spider" / "tables.json").read_text(encoding="utf-8")))


@cache
def gold_texts(corpora: Path) -> tuple[tuple[str, str], ...]:
    """Distinct (database, query), in order."""
    found: dict[tuple[str, str], None] = {}
    for name in ("cosql", "sparc", "spider"):
        with gzip.open(corpora / name / "dialogues.json.gz", "rt", encoding="utf-8") as file:
            for entry in json.load(file):
                for turn in (*entry["interaction"], entry["final"]) if "interaction" in entry else (entry,):
                    found[entry.get("database_id") or entry["db_id"], turn["query"]] = None
    return tuple(found)


def gold_queries(corpora: Path, catalogs: Mapping[str, Catalog]) -> Iterator[tuple[str, Turn]]:
    """All that can be read, with their database."""
    for db, text in gold_texts(corpora):
        try:
            yield db, read_sql(text, catalogs[db])[0]
        except CompileError:
            continue


def uses_one_table(turn: Turn) -> bool:
    """Selection, projection, sort, first n and aggregates over one table, and nothing else."""
    if len(turn.statements) != 1:
        return False
    nodes = [n for n in subterms(turn.statements[0].term) if isinstance(n, App)]
    return not any(n.fn in _BEYOND for n in nodes) and sum(n.fn == "show" for n in nodes) <= 1


def selection_only(turn: Turn) -> Term | None:
    """`t | where …` of a query that selects from one table and shows something of it."""
    if len(turn.statements) != 1:
        return None
    term = turn.statements[0].term
    if isinstance(term, App) and term.fn == "show":
        term = term.args[0]
    plain = isinstance(term, App) and term.fn == "where" and isinstance(term.args[0], App) and not term.args[0].args
    return term if plain else None


def equality_conjunction(term: Term) -> bool:
    """Whether a selection compares columns with constants by `=` only."""
    assert isinstance(term, App) and isinstance(term.args[1], Abs)
    body = term.args[1].body
    conjuncts = body.args if isinstance(body, App) and body.fn == "and" else (body,)
    return all(
        isinstance(c, App) and c.fn == "=" and isinstance(c.args[0], Field) and _constant(c.args[1]) for c in conjuncts
    )


def _constant(term: Term) -> bool:
    if isinstance(term, App) and term.fn in CONVERSIONS:
        return _constant(term.args[0])
    return isinstance(term, Lit | Entity)
