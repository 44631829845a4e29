"""Gold and predicted rows for `dlc eval`: read, kept to one speaker, and paired turn by turn."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place

from . import errors
from .errors import InputFailure
from .inputs import Document, find
from .row_files import object_units, row_units
from .units import Broken, Part, Unit

MAX_BYTES = 1 << 30
_IN_ONE_PIECE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[|\{\s*\n)")


@dataclass(frozen=True, slots=True)
class Row:
    """One turn of a file.

    group: number of the run of rows that belong together (one dialogue, one interaction). context: the program of
    the `context` row before it, or the row's own `context`; None if there is neither.
    """

    file: str
    line: int | None
    group: int
    dialogue: str | None
    turn: int
    program: Any
    context: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """Where the row stands."""
        return Place(self.file, self.dialogue, self.turn if self.dialogue is not None else None, self.line)

    @property
    def text(self) -> str:
        """The program as text; "" for one that an earlier conversion rejected."""
        return self.program if isinstance(self.program, str) else ""


Pairs = list[list[tuple[Row, Row]]]
"""Dialogues of (gold, predicted) turns."""
Cut = Callable[[Document], Iterator[Unit | Broken]]


def read_rows(path: str, cut: Cut, speakers: frozenset[str]) -> list[Row]:
    """The rows of a file whose speaker is wanted; rows that name no speaker always are.

    Raises InputFailure for a file that cannot be read, CompileError with every row that is broken.
    """
    rows: list[Row] = []
    broken: list[Diagnostic] = []
    group = -1
    last: str | None = None
    for document in find([path], (".jsonl",)):
        if isinstance(document, Diagnostic):
            raise InputFailure(document)
        following, context = 0, None
        for unit in cut(document):
            if isinstance(unit, Broken):
                broken.append(unit.diagnostic)
                continue
            if unit.dialogue is None or unit.dialogue != last:
                group, following, context = group + 1, 0, None
            last = unit.dialogue
            for part in unit.parts:
                fields = part.value
                turn = following if fields.get("turn") is None else fields["turn"]
                following = turn + 1
                if fields.get("part") == "context":
                    context = fields["program"] if isinstance(fields["program"], str) else None
                elif fields.get("speaker") is None or fields["speaker"] in speakers:
                    given = fields.get("context")
                    own = given if isinstance(given, str) else context
                    rows.append(Row(unit.file, part.line, group, unit.dialogue, turn, fields["program"], own, fields))
                    context = None
    if broken:
        raise CompileError(*broken)
    if not rows:
        raise CompileError(errors.misaligned(Place(path), "there is no turn to score", "see --speakers"))
    return rows


def pair(gold: list[Row], predicted: list[Row]) -> Pairs:
    """Gold and predicted turns side by side, in gold's dialogues.

    By `dialogue_id` and `turn` where every row of both files has a name, else by position. Raises CompileError with
    every turn that stands on one side only.
    """
    if all(row.dialogue is not None for row in (*gold, *predicted)):
        return _by_name(gold, predicted)
    return _by_position(gold, predicted)


def _by_name(gold: list[Row], predicted: list[Row]) -> Pairs:
    found: list[Diagnostic] = []
    known = _indexed(gold, found)
    answers = _indexed(predicted, found)
    for key, row in known.items():
        if key not in answers:
            found.append(errors.misaligned(row.place, f"turn {key[1]} of {key[0]} has no prediction"))
    for key, row in answers.items():
        if key not in known:
            found.append(errors.misaligned(row.place, f"turn {key[1]} of {key[0]} is predicted but not in gold"))
    if found:
        raise CompileError(*found)
    dialogues: dict[str | None, list[tuple[Row, Row]]] = {}
    for key, row in known.items():
        dialogues.setdefault(row.dialogue, []).append((row, answers[key]))
    return [sorted(turns, key=lambda turn: turn[0].turn) for turns in dialogues.values()]


def _indexed(rows: list[Row], found: list[Diagnostic]) -> dict[tuple[str | None, int], Row]:
    known: dict[tuple[str | None, int], Row] = {}
    for row in rows:
        first = known.setdefault((row.dialogue, row.turn), row)
        if first is not row:
            why = f"turn {row.turn} of {row.dialogue} stands twice (first on line {first.line})"
            found.append(errors.misaligned(row.place, why))
    return known


def _by_position(gold: list[Row], predicted: list[Row]) -> Pairs:
    if len(gold) != len(predicted):
        longer = gold if len(gold) > len(predicted) else predicted
        place = longer[min(len(gold), len(predicted))].place
        why = f"{len(gold)} gold turns, {len(predicted)} predicted ones; nothing stands beside this one"
        raise CompileError(errors.misaligned(place, why))
    dialogues: list[list[tuple[Row, Row]]] = []
    before: tuple[Row, Row] | None = None
    in_blocks = gold[-1].group > 0 and predicted[-1].group > 0
    for row, answer in zip(gold, predicted, strict=True):
        starts = before is None or before[0].group != row.group
        if in_blocks and before is not None and starts != (before[1].group != answer.group):
            here = row if starts else answer
            why = "one side begins another dialogue or interaction here, the other does not"
            raise CompileError(errors.misaligned(here.place, why))
        if starts:
            dialogues.append([])
        dialogues[-1].append((row, answer))
        before = row, answer
    return dialogues


# ---------------------------------------------------------------- ways to cut


def rows(comment: str) -> Cut:
    """Rows of a bare language, as `convert` reads and writes them."""
    return lambda document: row_units(document, comment)


def states(document: Document) -> Iterator[Unit | Broken]:
    """Rows of states or programs. Raises InputFailure for a corpus that is no rows: a list, or an object over many lines."""
    chunks = iter(document.chunks())
    first = next(chunks, b"")
    if _IN_ONE_PIECE.match(first):
        why = "rows are expected, a JSON object a line; `dlc convert SOURCE FILE --to slots` makes them of a corpus"
        raise InputFailure(errors.unknown_layout(Place(document.name), why))
    yield from row_units(replace(document, chunks=lambda: chain((first,), chunks)), "\0")


def query_blocks(document: Document) -> Iterator[Unit | Broken]:
    """The SQL evaluators' own files, or rows.

    Their files have a query a line, in gold with a tab and its database, and a blank line after each interaction.
    """
    data = _whole(document)
    if data.lstrip()[:1] == b"{":
        yield from row_units(replace(document, chunks=lambda: iter((data,))))
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"at byte {error.start + 1} of the file"
        raise InputFailure(errors.not_unicode(Place(document.name, line=line), where)) from error
    lines = text.split("\n")
    if not any(line.strip() for line in lines):
        raise InputFailure(errors.empty_input(document.name))
    yield from _blocks(document.name, lines)


def _blocks(name: str, lines: list[str]) -> Iterator[Unit]:
    parts: list[Part] = []
    for number, line in enumerate((*lines, ""), start=1):
        columns = [column.strip() for column in line.strip().split("\t")]
        if columns != [""]:
            value = {"program": columns[0], "db_id": columns[1] if len(columns) > 1 else None}
            parts.append(Part(number, value, line))
        elif parts:
            yield Unit(name, None, tuple(parts))
            parts = []


def programs_or_dialogues(document: Document) -> Iterator[Unit | Broken]:
    """Rows of Lispress, or SMCalFlow's own files: a dialogue a line, whose turns become rows."""
    data = _whole(document)
    again = replace(document, chunks=lambda: iter((data,)))
    if not _holds_turns(data):
        yield from row_units(again)
        return
    for unit in object_units(again, "dialogue_id"):
        yield unit if isinstance(unit, Broken) else _turns(unit)


def _holds_turns(data: bytes) -> bool:
    first = data.lstrip().partition(b"\n")[0]
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "turns" in value and "program" not in value


def _turns(unit: Unit) -> Unit | Broken:
    from dlc.targets.dataflow.read import stored_turns

    whole = unit.parts[0]
    place = Place(unit.file, unit.dialogue, line=whole.line)
    try:
        _, programs = stored_turns(whole.value)
    except CompileError as error:
        return Broken(replace(error.diagnostics[0], place=place))
    parts: list[Part] = []
    for index, (turn, text) in enumerate(zip(whole.value["turns"], programs, strict=True)):
        if isinstance(text, Diagnostic):
            return Broken(replace(text, place=replace(place, turn=2 * index)))
        oracle = turn.get("program_execution_oracle")
        right = oracle.get("refer_are_correct") if isinstance(oracle, dict) else None
        said = turn.get("user_utterance")
        utterance = said.get("original_text") if isinstance(said, dict) else None
        value = {"program": text, "turn": 2 * index, "skip": turn.get("skip"), "refer_are_correct": right}
        value["utterance"] = utterance if isinstance(utterance, str) else None
        parts.append(Part(whole.line, value))
    return Unit(unit.file, unit.dialogue, tuple(parts))


def _whole(document: Document) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for piece in document.chunks():
        size += len(piece)
        if size > MAX_BYTES:
            raise InputFailure(errors.value_too_large(Place(document.name), MAX_BYTES))
        pieces.append(piece)
    return b"".join(pieces)
