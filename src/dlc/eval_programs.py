"""States for `dlc eval slots`: as rows hold them, or of rows that hold programs (DL, ThingTalk, dataflow), converted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlc.grammar.diagnostic import Diagnostic

from . import errors
from .eval_rows import Row
from .units import Part, Unit

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

    from .conversion import Converter

LANGUAGES = ("dl", "thingtalk", "dataflow", "sql")
"""The languages a row of text may be in, by its `lang`; without one it is DL."""


@dataclass(slots=True)
class Programs:
    """Reads the states of rows over one schema, or each over its row's (None).

    found: gold that cannot be used. told: predictions that are read as the empty state. What a program says and a state
    has no place for does not count.
    """

    schema: "Schema | None"
    found: list[Diagnostic] = field(default_factory=list)
    told: list[Diagnostic] = field(default_factory=list)
    _converters: "dict[str, Converter]" = field(default_factory=dict)

    def states(self, rows: Sequence[Row], *, gold: bool = False) -> list[Any]:
        """The state of each row of one dialogue: the object it holds, or what its program says; {} where there is none."""
        made: list[Any] = []
        texts = [i for i, row in enumerate(rows) if isinstance(row.program, str)]
        converted = dict(zip(texts, self._converted([rows[i] for i in texts], gold), strict=True))
        for i, row in enumerate(rows):
            if row.program is None and gold:
                self.found.append(errors.unusable_gold(row.place, "it has no state"))
            made.append({} if row.program is None else converted.get(i, row.program))
        return made

    def sides(self, dialogue: Sequence[tuple[Row, Row]]) -> list[tuple[Row, Any, Row, Any]]:
        """Each turn of a dialogue: its gold row and state, its predicted row and state."""
        wanted = self.states([row for row, _ in dialogue], gold=True)
        given = self.states([row for _, row in dialogue])
        return [(g, w, p, s) for (g, p), w, s in zip(dialogue, wanted, given, strict=True)]

    def _converted(self, rows: Sequence[Row], gold: bool) -> list[Any]:
        languages = {row.fields.get("lang") or "dl" for row in rows}
        if not languages <= {*LANGUAGES}:
            self.found += [
                errors.bad_row(row.place, f"`lang` of a program is one of {', '.join(LANGUAGES)}")
                for row in rows
                if row.fields.get("lang") not in (None, *LANGUAGES)
            ]
            return [{}] * len(rows)
        made: dict[int, Any] = {}
        for language in sorted(languages):
            # The turns of one dialogue together: a program may refer to the ones before it.
            chosen = [i for i, row in enumerate(rows) if (row.fields.get("lang") or "dl") == language]
            parts = tuple(self._part(rows[i]) for i in chosen)
            unit = Unit(rows[chosen[0]].file, rows[chosen[0]].dialogue, parts)
            for i, done in zip(chosen, self._converter(language).convert(unit), strict=True):
                made[i] = self._kept(rows[i], done.row, gold)
        return [made[i] for i in range(len(rows))]

    def _part(self, row: Row) -> Part:
        named = row.fields.get("schema") or ("multiwoz" if self.schema is None else None)
        return Part(row.line, {**row.fields, "turn": row.turn, "schema": named})

    def _kept(self, row: Row, done: Any, gold: bool) -> Any:
        notes = done["notes"]
        if done["program"] is None:
            why = notes[0]["message"] if notes else "it cannot be read"
            if gold:
                self.found.append(errors.unusable_gold(row.place, why))
            else:
                self.told.append(errors.unreadable_prediction(row.place, why))
            return {}
        return done["program"]

    def _converter(self, language: str) -> "Converter":
        if language not in self._converters:
            from .conversion import Converter
            from .options import Options

            self._converters[language] = Converter(language, "slots", Options(self.schema, "both"))
        return self._converters[language]
