"""Files of a bare language: one program a line, or JSON lines with `program`; cut into dialogues."""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dlc.grammar.diagnostic import CompileError, Place

from . import errors
from .errors import InputFailure
from .inputs import Document
from .units import Broken, Part, Unit

MAX_LINE = 64 << 20
MAX_ROWS = 100_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TEXT_FIELDS = ("dialogue_id", "speaker", "utterance", "heard", "schema", "db_id")


def row_units(document: Document, comment: str = "", objects: bool = False) -> Iterator[Unit | Broken]:
    """Rows of one `dialogue_id` that follow each other are one unit; a row without one is a unit by itself.

    A line that starts with `{` is a JSON row; every other line is a program, blank lines and those that start
    with `comment` are none. objects: programs are objects themselves, so that one without `program` is a bare program.
    A part's value is the row's fields, `program` among them. Raises InputFailure.
    """
    pending: Unit | None = None
    empty = True
    for line, raw in numbered_lines(document):
        if not raw.removeprefix(codecs.BOM_UTF8).strip():
            continue
        empty = False
        made = _row(document.name, line, raw, comment, objects)
        if made is None:
            continue
        if isinstance(made, Broken):
            if pending is not None:
                yield pending
                pending = None
            yield made
            continue
        dialogue = made.value.get("dialogue_id")
        if pending is not None and dialogue == pending.dialogue is not None and len(pending.parts) < MAX_ROWS:
            pending = replace(pending, parts=(*pending.parts, made))
            continue
        if pending is not None:
            yield pending
        pending = Unit(document.name, dialogue, (made,))
    if pending is not None:
        yield pending
    if empty:
        raise InputFailure(errors.empty_input(document.name))


def numbered_lines(document: Document) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers. Raises InputFailure for one larger than MAX_LINE."""
    rest: list[bytes] = []
    size, number = 0, 0
    for chunk in document.chunks():
        first, *others = chunk.split(b"\n")
        rest.append(first)
        size += len(first)
        if size > MAX_LINE:
            raise InputFailure(errors.value_too_large(Place(document.name, line=number + 1), MAX_LINE))
        if others:
            number += 1
            yield number, b"".join(rest)
            for line in others[:-1]:
                number += 1
                yield number, line
            rest, size = [others[-1]], len(others[-1])
    if size:
        yield number + 1, b"".join(rest)


def _row(file: str, line: int, raw: bytes, comment: str, objects: bool) -> Part | Broken | None:
    place = Place(file, line=line)
    try:
        text = raw.decode("utf-8").strip().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        shown = raw.decode("utf-8", "replace")
        return Broken(errors.not_unicode(place, f"at byte {error.start + 1} of the line"), shown)
    if not text.startswith("{"):
        return None if comment and text.startswith(comment) else Part(line, {"program": text}, text)
    fields = _json(place, line, text)
    if isinstance(fields, Broken):
        return fields
    if objects and "program" not in fields:
        fields = {"program": fields}
    known = Place(file, fields.get("dialogue_id") if isinstance(fields.get("dialogue_id"), str) else None, line=line)
    why = _fault(fields)
    return Broken(errors.bad_row(known, why), text) if why else Part(line, fields, text)


def _json(place: Place, line: int, text: str) -> Any:
    """The value of a line of JSON, or the line as Broken."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        return Broken(errors.bad_json(place, error.msg[0].lower() + error.msg[1:], line, error.colno), text)
    except RecursionError:
        return Broken(errors.nested_too_deeply(place), text[: 1 << 16])
    except ValueError:
        return Broken(errors.bad_json(place, "a number of too many digits", line, 1), text)


def text_of(fields: dict[str, Any]) -> str:
    """The program of a row of a language that is text. Raises CompileError."""
    program = fields["program"]
    if program is None:
        raise CompileError(errors.rejected_before(Place()))
    if not isinstance(program, str):
        raise CompileError(errors.bad_row(Place(), f"`program` is {type(program).__name__}, not text"))
    return program


def object_units(document: Document, name: str) -> Iterator[Unit | Broken]:
    """Each line is one dialogue, an object that says its own name under the key `name`. Raises InputFailure."""
    empty = True
    for line, raw in numbered_lines(document):
        if not raw.removeprefix(codecs.BOM_UTF8).strip():
            continue
        empty = False
        place = Place(document.name, line=line)
        try:
            text = raw.decode("utf-8").strip().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            shown = raw.decode("utf-8", "replace")
            yield Broken(errors.not_unicode(place, f"at byte {error.start + 1} of the line"), shown)
            continue
        value = _json(place, line, text)
        if isinstance(value, Broken):
            yield value
        elif not isinstance(value, dict):
            yield Broken(errors.bad_row(place, "a line is one dialogue, a JSON object"), text)
        elif _ESCAPED_SURROGATE.search(text) and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            yield Broken(errors.not_unicode(place, "in an escape of half a surrogate pair"), text)
        else:
            given = value.get(name)
            yield Unit(document.name, given if isinstance(given, str) else None, (Part(line, value),))
    if empty:
        raise InputFailure(errors.empty_input(document.name))


def _fault(fields: dict[str, Any]) -> str:
    """What keeps an object from being a row, or ""."""
    if "program" not in fields:
        return "the row has no `program`"
    for name in _TEXT_FIELDS:
        if not isinstance(fields.get(name), str | None):
            return f"`{name}` is no text"
    turn = fields.get("turn")
    if turn is not None and (not isinstance(turn, int) or isinstance(turn, bool) or turn < 0):
        return "`turn` is no position (0, 1, 2 and so on)"
    if fields.get("speaker") not in (None, "user", "agent"):
        return "`speaker` is neither user nor agent"
    for name in (*_TEXT_FIELDS, "program"):
        value = fields.get(name)
        if isinstance(value, str) and _SURROGATE.search(value):
            return f"`{name}` holds half a surrogate pair, which is no Unicode text"
    return ""
