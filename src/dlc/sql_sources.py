"""The sources `cosql`, `sparc`, `spider` (JSON lists of dialogues or questions) and `sql` (rows of queries)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from dlc.grammar.diagnostic import CompileError
from dlc.targets.rows import Dialogue, TurnRow

from .inputs import Document
from .json_documents import json_units
from .options import Options
from .row_files import row_units
from .row_texts import ReadText, losses, text_reader
from .schemas import Schemas
from .sources import Read, Source
from .units import Broken, Unit

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.targets.sql.names import Catalog


def cosql() -> Source:
    """CoSQL: interactions of the state-tracking part, or the full release's dialogues."""
    return Source((".json",), lambda document: _numbered(document, "turns"), lambda o: _dialogues(o, "interaction"))


def sparc() -> Source:
    """SParC: interactions."""
    return Source(
        (".json",), lambda document: _numbered(document, "interaction"), lambda o: _dialogues(o, "interaction")
    )


def spider() -> Source:
    """Spider: questions, each a dialogue of one turn."""
    return Source((".json",), lambda document: _numbered(document, None), lambda o: _dialogues(o, "question"))


def sql() -> Source:
    """SQL programs, one a line, or JSON rows."""
    return Source((".sql", ".jsonl"), lambda document: row_units(document, "--"), _rows)


def _numbered(document: Document, turns: str | None) -> Iterator[Unit | Broken]:
    """Dialogues by name, or by their place in a list."""
    for i, unit in enumerate(json_units(document, turns)):
        if isinstance(unit, Unit) and unit.dialogue is None:
            unit = Unit(unit.file, str(i), unit.parts)
        yield unit


class _Catalogs:
    """Databases as SQL sees them, each made ready once."""

    def __init__(self, options: Options, source: str) -> None:
        self.schemas, self.source = Schemas(options.schema), source
        self._made: dict[int, Catalog] = {}

    def get(self, named: str | None) -> "Catalog":
        """The database a row names. Raises CompileError."""
        from dlc.targets.sql.dialogues import ACTS
        from dlc.targets.sql.names import Catalog

        schema = self.schemas.get(named, None, self.source)
        if id(schema) not in self._made:
            acts = ACTS if self.source == "cosql" and not schema.acts else ()
            self._made[id(schema)] = Catalog(replace(schema, acts=acts) if acts else schema)
        return self._made[id(schema)]


def _dialogues(options: Options, layout: Literal["interaction", "question"]) -> Callable[[Unit], Read]:
    from dlc.targets.sql.dialogues import (
        Databases,
        read_interaction,
        read_question,
        read_release,
        read_utterance,
    )

    catalogs = _Catalogs(options, "cosql" if layout == "interaction" else "spider")
    wanted = options.wanted_speakers("user")

    class Lazy(Databases):
        """Databases found as dialogues name them."""

        __slots__ = ()

        def catalog(self, db_id: str) -> "Catalog":
            return catalogs.get(db_id)

    databases = Lazy({})

    def read(unit: Unit) -> Read:
        name, value = unit.dialogue or "", unit.parts[0].value
        try:
            if layout == "question":
                dialogue = read_question(name, value, databases)
            elif isinstance(value, dict) and "turns" in value and "interaction" not in value:
                dialogue = read_release(name, value, databases)
            elif isinstance(value, dict) and "interaction" not in value and ("response" in value or "intent" in value):
                dialogue = read_utterance(name, value, databases)
            else:
                dialogue = read_interaction(name, value, databases)
        except CompileError as error:
            row = TurnRow(name, 0, "user", None, "", None, losses(error.diagnostics), value)
            return Read(Dialogue(name, (row,)), (None,), lines=(unit.parts[0].line,))
        turns = tuple(t for t in dialogue.turns if t.speaker in wanted)
        schemas: tuple[Schema | None, ...] = tuple(_schema(catalogs, t.schema) for t in turns)
        return Read(Dialogue(name, turns), schemas, lines=(unit.parts[0].line,) * len(turns))

    return read


def _schema(catalogs: _Catalogs, name: str) -> "Schema | None":
    try:
        return catalogs.get(name).schema
    except CompileError:
        return None


def _rows(options: Options) -> Callable[[Unit], Read]:
    from dlc.targets.sql.dialogues import read_query

    catalogs = _Catalogs(options, "sql")

    def opened(fields: dict[str, Any]) -> "tuple[Schema, ReadText]":
        catalog = catalogs.get(fields.get("db_id") or fields.get("schema"))
        return catalog.schema, lambda text, speaker: read_query(text, catalog, speaker)

    return text_reader(opened, options.wanted_speakers("both"))
