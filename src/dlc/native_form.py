"""Native layouts: whole dialogues as a corpus has them, in a new file or into one that is there.

Into an existing file only what differs is written; every other byte stays as it is. Dialogues that the file does not have
are put at its end.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place

from . import errors
from .conversion import Made
from .errors import InputFailure
from .forms import Encoder, Form
from .json_edit import edited
from .outputs import Output

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.targets.slots.native import NativeReader, NativeTurn

MAX_FILE = 4 << 30

NativeDialogue: TypeAlias = "tuple[str, dict[int, NativeTurn], Schema]"
"""A dialogue: its name, its turns by position, the schema they are over."""


def native(layout: str) -> Form:
    """The form of a layout, one of `options.LAYOUTS`."""
    return Form(partial(_encoder, layout), partial(_Document, layout))


def _encoder(layout: str) -> Encoder:
    from dlc.targets.slots.native import NativeReader
    from dlc.targets.slots.services import has_services

    readers: dict[int, NativeReader] = {}

    def reader_of(schema: "Schema") -> "NativeReader":
        if id(schema) not in readers:
            if layout == "multiwoz21" and has_services(schema):
                raise CompileError(errors.no_such_layout(layout, schema.name))
            readers[id(schema)] = NativeReader(schema)
        return readers[id(schema)]

    def encode(made: list[Made]) -> list[NativeDialogue]:
        dialogues: dict[str, NativeDialogue] = {}
        for one, row, schema in made:
            if row is None or schema is None:
                continue
            name = row.dialogue_id or str(one.place.line or row.turn)
            turns = dialogues.setdefault(name, (name, {}, schema))[1]
            turns[row.turn] = reader_of(schema).turn(row, one.row["program"])
        return list(dialogues.values())

    return encode


class _Document:
    """The sink: a new document is written as it comes, an existing one at the end."""

    def __init__(self, layout: str, output: Output, path: str | None) -> None:
        self._layout, self._output, self._path = layout, output, path
        self._keyed = layout == "multiwoz21"
        self._first = True
        self._waiting: dict[str, NativeDialogue] = {}
        self._existing = _existing(path)
        if self._existing is None:
            output.write(b"{\n" if self._keyed else b"[\n")

    def write(self, payload: list[NativeDialogue]) -> None:
        for dialogue in payload:
            if self._existing is not None:
                self._waiting[dialogue[0]] = dialogue
                continue
            text = _member(dialogue[0], _fresh(self._layout, dialogue), self._keyed)
            self._output.write(("" if self._first else ",\n").encode() + text.encode())
            self._first = False

    def finish(self) -> Iterator[Diagnostic]:
        if self._existing is None:
            self._output.write(b"\n}\n" if self._keyed else b"\n]\n")
            return
        text, path = self._existing, self._path or ""
        position = 0
        pieces: list[str] = []
        members = list(_members(text, path, self._keyed))
        for member in members:
            dialogue = self._waiting.pop(member.name, None)
            if dialogue is None:
                continue
            value, missing = _merged(self._layout, member.value, dialogue)
            for turn in missing:
                yield errors.no_such_turn(Place(path, member.name, turn))
            if value != member.value:
                indented = text[text.rfind("\n", 0, member.start) + 1 : member.start]
                own = text[member.start : member.end]
                pieces += [text[position : member.start], _edited(indented, own, member.value, value)]
                position = member.end
        pieces.append(self._appended(text, position, members))
        self._output.write("".join(pieces).encode("utf-8"))

    def _appended(self, text: str, position: int, members: "list[_Existing]") -> str:
        """The rest of the file, with the dialogues that it does not have before its end."""
        added = [_member(name, _fresh(self._layout, made), self._keyed) for name, made in self._waiting.items()]
        if not added:
            return text[position:]
        at = members[-1].end if members else text.rindex("}" if self._keyed else "]")
        comma = ",\n" if members else ""
        return text[position:at] + comma + ",\n".join(added) + text[at:]


def _member(name: str, value: Any, keyed: bool) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"{json.dumps(name, ensure_ascii=False)}: {text}" if keyed else text


def _edited(indented: str, text: str, old: Any, new: Any) -> str:
    """`edited`, with the indentation of the first line in sight, so that what is put in stands where it should."""
    lead = indented[: len(indented) - len(indented.lstrip())]
    return edited(lead + text, old, new)[len(lead) :]


def _fresh(layout: str, dialogue: NativeDialogue) -> Any:
    from dlc.targets.slots.layout import layout_of
    from dlc.targets.slots.native_frames import fresh_frames
    from dlc.targets.slots.native_log import fresh_log

    name, turns, schema = dialogue
    if layout == "multiwoz21":
        return fresh_log(list(turns.values()), layout_of(schema))
    return fresh_frames(name, list(turns.values()), layout == "multiwoz22")


def _merged(layout: str, value: Any, dialogue: NativeDialogue) -> tuple[Any, tuple[int, ...]]:
    from dlc.targets.slots.layout import layout_of
    from dlc.targets.slots.native_frames import merged_frames
    from dlc.targets.slots.native_log import merged_log

    _, turns, schema = dialogue
    ordered: Sequence[NativeTurn] = [turns[position] for position in sorted(turns)]
    if layout == "multiwoz21":
        return merged_log(value, ordered, layout_of(schema))
    return merged_frames(value, ordered)


# ---------------------------------------------------------------- the existing file


@dataclass(frozen=True, slots=True)
class _Existing:
    """A dialogue of the file: its name without `.json`, value, and the characters [start, end) of the value."""

    name: str
    value: Any
    start: int
    end: int


def _existing(path: str | None) -> str | None:
    """The text of the file that will be replaced; None if there is none. Raises InputFailure."""
    if path is None or path == "-" or not os.path.isfile(path) or not os.path.getsize(path):
        return None
    if os.path.getsize(path) > MAX_FILE:
        raise InputFailure(errors.value_too_large(Place(path), MAX_FILE))
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8")
    except OSError as error:
        raise InputFailure(errors.no_such_file(path, error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        raise InputFailure(errors.not_unicode(Place(path), f"at byte {error.start + 1}")) from error


def _members(text: str, path: str, keyed: bool) -> Iterator[_Existing]:
    """The dialogues of a document. Raises InputFailure if it is none."""
    decode: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().raw_decode

    def after_space(position: int) -> int:
        while position < len(text) and text[position] in " \t\r\n\ufeff":
            position += 1
        return position

    def past(mark: str, position: int) -> int:
        if text[position : position + 1] != mark:
            raise json.JSONDecodeError(f"`{mark}` is expected here", text, position)
        return after_space(position + 1)

    opening, closing = ("{", "}") if keyed else ("[", "]")
    try:
        position = after_space(0)
        if text[position : position + 1] != opening:
            raise InputFailure(errors.unknown_layout(Place(path), "the file to write into is of another layout"))
        position = after_space(position + 1)
        first = True
        while text[position : position + 1] != closing:
            position = position if first else past(",", position)
            first, name = False, None
            if keyed:
                name, position = decode(text, position)
                position = past(":", after_space(position))
            value, end = decode(text, position)
            if not keyed:
                name = value.get("dialogue_id") if isinstance(value, Mapping) else None
            yield _Existing(str(name).removesuffix(".json"), value, position, end)
            position = after_space(end)
        if after_space(position + 1) != len(text):
            raise json.JSONDecodeError("the document has ended before this", text, position + 1)
    except json.JSONDecodeError as error:
        why = error.msg[0].lower() + error.msg[1:]
        place = Place(path, line=error.lineno)
        raise InputFailure(errors.bad_json(place, why, error.lineno, error.colno)) from error
    except RecursionError as error:
        raise InputFailure(errors.nested_too_deeply(Place(path))) from error
