"""`dlc stats`: the papers' dataset tables of any source."""

import os
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dlc.metrics.corpus_tables import Spread, spread, words
from dlc.targets.rows import TurnRow

from .conversion import read_diagnostics, units
from .eval_figures import Cell, Section, as_json, as_text
from .options import Options
from .outputs import Output
from .report import FAILURE, Report
from .sources import Read, source
from .units import Broken
from .workers import spare_collector

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

CONTEXT = "context"
UNREPRESENTED = frozenset(("invalid", "sys_invalid"))
"""Acts that stand for what the annotators of MultiWOZ 3.0 could not say."""
_TURNS_SHOWN = 5


def run_stats(lang: str, paths: list[str], options: Options, form: str = "text", output: str | None = None) -> int:
    """Count; the exit status. Rows that cannot be read are counted, reported, and make it 1."""
    report = Report()
    opened = source(lang)
    tables = Tables()
    spare_collector()
    with report.failures(), ExitStack() as stack:
        out = stack.enter_context(Output(output))
        read = opened.reader(replace(options, speakers=options.speakers or "both"))
        for unit in units(opened, paths, report.failure):
            if isinstance(unit, Broken):
                tables.broken += 1
                report.found(unit.diagnostic)
                continue
            found = read(unit)
            for diagnostic in read_diagnostics(found):
                report.found(diagnostic)
            tables.add(unit.file, found)
            report.progress(tables.turns)
        sections = tables.sections()
        out.write(as_json(lang, sections) if form == "json" else as_text(sections).encode())
        if report.status == FAILURE:
            out.flush()
        else:
            out.commit()
    return report.finish()


@dataclass(slots=True)
class _Split:
    """Turns of one file: how many, how many could be read, and how many of those their annotators gave up on."""

    turns: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    represented: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tables:
    """Counts over a corpus, row by row. A dialogue is what has one name in one file."""

    broken: int = 0
    turns: int = 0
    dialogues: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    lengths: dict[str, list[int]] = field(default_factory=lambda: {"user": [], "agent": []})
    blanks: Counter[str] = field(default_factory=Counter)
    vocabulary: dict[str, set[str]] = field(default_factory=lambda: {"user": set(), "agent": set()})
    sizes: list[tuple[int, int]] = field(default_factory=list)
    distinct: set[object] = field(default_factory=set)
    idle: int = 0
    library: set[str] = field(default_factory=set)
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    programs: int = 0
    by_turn: dict[int, Counter[str]] = field(default_factory=dict)
    moves: Counter[str] = field(default_factory=Counter)
    contexts: int = 0
    splits: dict[str, _Split] = field(default_factory=dict)
    schemas: "dict[str, Schema]" = field(default_factory=dict)

    def add(self, file: str, read: Read) -> None:
        """One unit that was read."""
        from dlc.runtime.user_moves import user_moves

        context: TurnRow | None = None
        for i, row in enumerate(read.dialogue.turns):
            if read.parts and read.parts[i] == CONTEXT:
                context = row
                continue
            schema = read.schemas[i]
            # Both sides of a dialogue of MultiWOZ 3.0 have a file each.
            number = self._row(file, "" if read.parts else file, row)
            if row.program is not None and schema is not None:
                self.schemas.setdefault(schema.name, schema)
                self._program(row, schema, number)
                if read.parts and row.speaker == "user":
                    before = context.program if context is not None else None
                    self.contexts += 1
                    self.moves.update(user_moves(before, row.program, schema))

    def _row(self, file: str, whence: str, row: TurnRow) -> int:
        """Count an utterance; the number of the speaker's turn in its dialogue, from 0."""
        self.turns += 1
        speakers = self.dialogues.setdefault((whence, row.dialogue_id or f"\0{self.turns}"), Counter())
        number = speakers[row.speaker]
        speakers[row.speaker] += 1
        split = self.splits.setdefault(os.path.basename(file), _Split())
        split.turns[row.speaker] += 1
        if row.program is not None:
            split.read[row.speaker] += 1
            if not any(act.name in UNREPRESENTED for act in row.program.acts):
                split.represented[row.speaker] += 1
        if row.utterance is not None:
            said = words(row.utterance)
            self.lengths[row.speaker].append(len(said))
            self.blanks[row.speaker] += len(row.utterance.split())
            self.vocabulary[row.speaker].update(said)
        return number

    def _program(self, row: TurnRow, schema: "Schema", number: int) -> None:
        from .turn_features import constructs, names, size

        assert row.program is not None
        self.acts.update((row.speaker, act.name) for act in row.program.acts)
        if not row.program.statements:
            self.idle += 1
            return
        self.programs += 1
        self.sizes.append(size(row.program.statements))
        self.distinct.add(row.program.statements)
        self.library.update(names(row.program.statements, schema))
        kinds = constructs(row.program, schema)
        self.kinds.update(kinds)
        if row.speaker == "user":
            counted = self.by_turn.setdefault(min(number, _TURNS_SHOWN - 1), Counter())
            counted["turns"] += 1
            counted.update(kinds)

    # ------------------------------------------------------------ the tables

    def sections(self) -> list[Section]:
        """What was counted, as tables; those that would be empty are left out."""
        made = [self._corpus(), self._utterances(), self._programs(), self._acts(), self._constructs(), self._by_turn()]
        return [section for section in (*made, self._moves(), self._splits(), self._schemas()) if section.rows]

    def _corpus(self) -> Section:
        per = spread([sum(c.values()) for c in self.dialogues.values()])
        rows: list[tuple[Cell, ...]] = [
            ("dialogues", len(self.dialogues)),
            ("turns", self.turns),
            *((f"{who} turns", sum(c[who] for c in self.dialogues.values())) for who in ("user", "agent")),
            ("turns per dialogue", round(per.mean, 4)),
            ("broken rows", self.broken),
        ]
        return Section("corpus", ("what", "count"), tuple(rows))

    def _utterances(self) -> Section:
        rows = []
        for who in ("user", "agent"):
            if self.lengths[who]:
                values = _spread(spread(self.lengths[who]))
                rows.append((who, *values, len(self.vocabulary[who]), self.blanks[who]))
        columns = ("utterances", "count", "tokens", "mean length", ".25", ".50", ".75", "vocabulary", "between blanks")
        return Section("utterances, in tokens", columns, tuple(rows))

    def _programs(self) -> Section:
        if not self.programs:
            return Section("programs", ("what",), ())
        measures = [("applications", [s[0] for s in self.sizes]), ("depth", [s[1] for s in self.sizes])]
        rows = tuple((name, *_spread(spread(values))) for name, values in measures)
        title = (
            f"programs: {self.programs} turns with statements, {len(self.distinct)} of them distinct, "
            f"{self.idle} turns without; library of {len(self.library)} names"
        )
        return Section(title, ("measure", "count", "sum", "mean", ".25", ".50", ".75"), rows)

    def _acts(self) -> Section:
        ordered = sorted(self.acts.items(), key=lambda item: (item[0][0] != "user", -item[1], item[0][1]))
        return Section("acts", ("act", "speaker", "turns"), tuple((name, who, n) for (who, name), n in ordered))

    def _constructs(self) -> Section:
        from .turn_features import KEYWORDS

        ordered = sorted(self.kinds.items(), key=lambda item: (-item[1], item[0]))
        rows = tuple((name, KEYWORDS.get(name), n, n / self.programs) for name, n in ordered)
        return Section("constructs, turns that have them", ("construct", "keyword", "turns", "share"), rows)

    def _by_turn(self) -> Section:
        if len(self.by_turn) < 2:
            return Section("", ("construct",), ())
        numbers = sorted(self.by_turn)
        shown = [str(n + 1) if n < _TURNS_SHOWN - 1 else f"{n + 1}+" for n in numbers]
        kinds = sorted({k for counted in self.by_turn.values() for k in counted if k != "turns"})
        rows: list[tuple[Cell, ...]] = [("turns with a program", *(self.by_turn[n]["turns"] for n in numbers))]
        shares: list[tuple[Cell, ...]] = [
            (kind, *(self.by_turn[n][kind] / self.by_turn[n]["turns"] for n in numbers)) for kind in kinds
        ]
        return Section("share of a dialogue's k-th user turns", ("construct", *shown), (*rows, *shares))

    def _moves(self) -> Section:
        from dlc.runtime.user_moves import MOVES

        if not self.contexts:
            return Section("", ("pattern",), ())
        rows = tuple((move, self.moves[move], self.moves[move] / self.contexts) for move in MOVES)
        return Section("user turns outside the simulator's paths", ("pattern", "turns", "share"), rows)

    def _splits(self) -> Section:
        rows: list[tuple[Cell, ...]] = []
        for name, split in self.splits.items():
            for who in ("user", "agent"):
                turns = split.turns[who]
                if turns:
                    share = split.represented[who] / turns
                    rows.append((name, who, turns, split.read[who], split.represented[who], share))
        columns = ("file", "speaker", "turns", "read", "represented", "share")
        return Section("representable turns: read, and not marked invalid", columns, tuple(rows))

    def _schemas(self) -> Section:
        rows = [
            ("schemas used", len(self.schemas)),
            ("tables", sum(len(s.tables) for s in self.schemas.values())),
            ("columns", sum(len(t.columns) for s in self.schemas.values() for t in s.tables)),
            ("actions", sum(f.action for s in self.schemas.values() for f in s.functions)),
        ]
        return Section("schemas", ("what", "count"), tuple(rows) if self.schemas else ())


def _spread(values: Spread) -> tuple[Cell, ...]:
    return values.count, values.total, values.mean, *values.quantiles
