"""The forms of `convert`'s output: lines of JSON, Parquet, and the native layouts of corpora.

A form has two halves. The encoder makes a payload of the rows of one unit, in whichever process made them; the sink
takes the payloads in order, in the process that writes.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from dlc.grammar.diagnostic import Diagnostic

from .conversion import Made
from .outputs import Output

Encoder = Callable[[list[Made]], Any]


class Sink(Protocol):
    """Takes payloads in order; `finish` writes what is still to be written, and says what was not to be."""

    def write(self, payload: Any) -> None:
        """One unit's rows."""

    def finish(self) -> Iterator[Diagnostic]:
        """The end of the output."""


@dataclass(frozen=True, slots=True)
class Form:
    """encoder: called once a process. sink: for an output, and the path it will have (None for standard output)."""

    encoder: Callable[[], Encoder]
    sink: Callable[[Output, str | None], Sink]


# ---------------------------------------------------------------- lines


class _Lines:
    def __init__(self, output: Output, path: str | None) -> None:
        self._output = output

    def write(self, payload: bytes) -> None:
        self._output.write(payload)

    def finish(self) -> Iterator[Diagnostic]:
        return iter(())


def _lines(made: list[Made]) -> bytes:
    return b"".join(orjson.dumps(one.row, option=orjson.OPT_APPEND_NEWLINE) for one, _, _ in made)


JSONL = Form(lambda: _lines, _Lines)


# ---------------------------------------------------------------- by name


def form_of(name: str, layout: str | None) -> Form:
    """A form by its name; layout: the native one. Raises InputFailure if what it needs is not installed."""
    if name == "parquet":
        from .parquet import parquet

        return parquet()
    if name == "native":
        from .native_form import native

        return native(layout or "")
    return JSONL


def program_text(program: Any) -> str | None:
    """A program where every program is text: a slot state as JSON."""
    return program if program is None or isinstance(program, str) else json.dumps(program, ensure_ascii=False)
