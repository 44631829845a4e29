"""`--data`: names of entities looked up in rows, and what agents found decided by them, while a source is read."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .run_memory import read_tables, rows_for
from .sources import Read

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.runtime.entity_names import NameBook
    from dlc.runtime.evaluate import Database
    from dlc.runtime.results import Known


class Lookup:
    """The rows given, for every schema of a run. Raises InputFailure for a file that cannot be read."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._tables: Mapping[str, Any] = read_tables(paths)
        self._read: dict[int, tuple[Schema, Database]] = {}
        self._found: dict[int, Known] = {}
        self._books: dict[int, tuple[Schema, NameBook]] = {}

    def read(self, read: Read) -> Read:
        """The turns with identifiers where a name was found."""
        from dlc.runtime.entity_names import resolved

        turns = []
        for row, schema in zip(read.dialogue.turns, read.schemas, strict=True):
            if row.program is not None and schema is not None:
                row = replace(row, program=resolved(row.program, schema, self.book(schema)))
            turns.append(row)
        return replace(read, dialogue=replace(read.dialogue, turns=tuple(turns)))

    def decided(self, read: Read) -> Read:
        """The turns of agents with the outcomes of their queries as the rows decide them; as they were where a query
        cannot be run.
        """
        from dlc.grammar.diagnostic import CompileError
        from dlc.runtime.results import with_results

        turns = []
        for row, schema in zip(read.dialogue.turns, read.schemas, strict=True):
            if row.speaker == "agent" and row.program is not None and schema is not None:
                known = self._found.setdefault(id(schema), {})
                with suppress(CompileError):
                    row = replace(row, program=with_results(row.program, schema, self._rows(schema), known))
            turns.append(row)
        return replace(read, dialogue=replace(read.dialogue, turns=tuple(turns)))

    def _rows(self, schema: "Schema") -> "Database":
        known = self._read.get(id(schema))
        if known is None:
            known = self._read[id(schema)] = (schema, rows_for(schema, self._tables))
        return known[1]

    def book(self, schema: "Schema") -> "NameBook":
        """The names of a schema's tables."""
        known = self._books.get(id(schema))
        if known is None:
            from dlc.runtime.entity_names import name_book

            known = self._books[id(schema)] = (schema, name_book(schema, self._rows(schema)))
        return known[1]
