"""The Python interface to single programs: read, parse, type-check, write."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlc.grammar.diagnostic import CompileError, Place

from . import errors
from .schemas import load_schema

if TYPE_CHECKING:
    from dlc.compiler.pipeline import Checked
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn
    from dlc.neural.complete import Completion
    from dlc.targets.rows import Note, Written


@dataclass(frozen=True)
class Program:
    """Turns of DL over one schema (None: not known yet). `str` gives DL text, a turn a line.

    notes: what the reader of another language had to say; two programs are equal whatever was said of them.
    """

    turns: "tuple[Turn, ...]"
    schema: "Schema | None" = None
    notes: "tuple[Note, ...]" = field(default=(), compare=False)

    def __str__(self) -> str:
        from dlc.compiler.sugar import print_turns

        return print_turns(self.turns)


def parse(text: str) -> Program:
    """DL text to a program: syntax only, no schema is needed. Raises CompileError (DLC0xx, DLC10x)."""
    from dlc.compiler.lower import lower_program
    from dlc.grammar.parser import parse as parse_text

    try:
        turns, _ = lower_program(parse_text(text))
    except CompileError as error:
        raise CompileError(*(d.at(d.place, text) for d in error.diagnostics)) from error
    return Program(turns)


def typecheck(program: "Program | str", schema: "Schema | str | None" = None) -> "Checked":
    """Type-check a program, or DL text. Nothing is raised for an ill-typed program: see `ok` and `diagnostics`.

    schema: a schema, a built-in name or the path of a schema file; None for the program's own. Checking text gives
    every diagnostic its place. Raises CompileError for a schema that cannot be read or is not given at all.
    """
    from dlc.compiler.check import Checker
    from dlc.compiler.pipeline import compile_program

    known = _schema(schema, program)
    return compile_program(str(program), Checker(known))


def read(lang: str, text: str, schema: "Schema | str | None" = None) -> Program:
    """A program in a bare language to DL, type-checked. lang: one of READERS. text: for `slots` a state as JSON.

    `notes` of the program has what its reader has to say: a value kept raw, a slot that the schema does not have.
    Raises CompileError with what is wrong, places included; ValueError for a language that is not read.
    """
    from .conversion import read_diagnostics
    from .options import Options
    from .sources import source
    from .units import Part, Unit

    if lang not in READERS:
        raise ValueError(f"lang is one of {', '.join(READERS)}, not {lang!r}")
    known = _schema(schema, lang)
    program = _state(text) if lang == "slots" else text
    done = source(lang).reader(Options(known))(Unit(TEXT, None, (Part(None, {"program": program}, text),)))
    turns = tuple(row.program for row in done.dialogue.turns if row.program is not None)
    if len(turns) < len(done.dialogue.turns):
        raise CompileError(*read_diagnostics(done))
    return Program(turns, known, tuple(note for row in done.dialogue.turns for note in row.notes))


def _state(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = Place(TEXT)
        raise CompileError(errors.bad_json(place, error.msg.lower(), error.lineno, error.colno)) from None
    except RecursionError:
        raise CompileError(errors.nested_too_deeply(Place(TEXT))) from None


def write(lang: str, program: Program) -> "list[Written]":
    """Each turn of a program in a target's language, with notes on what was lost. lang: a target of `convert`.

    A turn the target cannot say has `program` None and a note that says why. Raises CompileError if the program
    has no schema; ValueError for a language that is not written.
    """
    from .sinks import TARGETS, writer

    if lang not in TARGETS:
        raise ValueError(f"lang is one of {', '.join(TARGETS)}, not {lang!r}")
    write_turn = writer(lang, _schema(program.schema, lang))
    return [write_turn(turn) for turn in program.turns]


def complete(prefix: str, schema: "Schema | str") -> "tuple[Completion, ...]":
    """What may come next after the beginning of one turn of printed DL: words, ends, and a literal or name of each
    kind with endlessly many, with the types that a value then has. The decoder's own network is asked, so whatever is
    offered begins a well-typed program.

    schema: a schema, a built-in name or the path of a schema file. Raises CompileError (DLC504) for a prefix that no
    program of the decoder's language begins with. An editor that asks often keeps a `dlc.neural.complete.Completer`.
    """
    from dlc.neural.complete import complete as complete_turn

    return complete_turn(prefix, load_schema(schema) if isinstance(schema, str) else schema)


READERS = ("dl", "slots", "thingtalk", "dataflow", "sql")
TEXT = "<text>"


def _schema(schema: "Schema | str | None", program: "Program | str") -> "Schema":
    if schema is None and isinstance(program, Program):
        schema = program.schema
    if schema is None:
        raise CompileError(errors.no_schema("the program"))
    return load_schema(schema) if isinstance(schema, str) else schema
