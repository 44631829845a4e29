"""`--data`: names of entities looked up in rows, while a source is read."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .run_memory import read_tables, rows_for
from .sources import Read

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.runtime.entity_names import NameBook


class Lookup:
    """The names of every schema of a run in the rows given. Raises InputFailure for a file that cannot be read."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._tables: Mapping[str, Any] = read_tables(paths)
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

    def book(self, schema: "Schema") -> "NameBook":
        """The names of a schema's tables."""
        known = self._books.get(id(schema))
        if known is None:
            from dlc.runtime.entity_names import name_book

            known = self._books[id(schema)] = (schema, name_book(schema, rows_for(schema, self._tables)))
        return known[1]
