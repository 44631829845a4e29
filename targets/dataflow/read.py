"""Lispress into DL: single programs, and the dialogues of SMCalFlow's files."""

from typing import Any

from ...compiler.check import Checker
from ...compiler.schema import Schema
from ...compiler.terms import Turn
from ...grammar.diagnostic import CompileError, Diagnostic
from ...grammar.span import Span
from ..rows import Dialogue, Note, TurnRow
from . import errors
from .names import Names, Unsayable
from .program import Ascribed, Expr, Let
from .reader import read_program
from .sexp import LispressError
from .short import Shortener
from .typed import Typist
from .untype import untyped
from .writer import write_program

MEMO_LIMIT = 1 << 16


class LispressReader:
    """Programs of one schema as DL turns. A program and its turn are remembered."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.checker = Checker(schema)
        self.typist = Typist(schema, self.checker)
        self._shortener = Shortener(Names(schema), self.checker)
        self._known: dict[str, tuple[Turn | None, tuple[Note, ...]]] = {}

    def turn(self, text: str) -> tuple[Turn | None, tuple[Note, ...]]:
        """The turn that a program says, in its shortest form, and what the checker found; None if DL cannot say it.

        A fully typed program reads as its untyped form, if that has exactly these types.
        """
        known = self._known.get(text)
        if known is None:
            if len(self._known) > MEMO_LIMIT:
                self._known.clear()
            known = self._known[text] = self._turn(text)
        return known

    def _turn(self, text: str) -> tuple[Turn | None, tuple[Note, ...]]:
        try:
            turn, checked = self._shortener.turn(self._program(text))
        except LispressError as error:
            start = max(error.offset, 0)
            return _rejected(errors.bad_lispress(error.message, Span(start, start + 1)))
        except Unsayable as error:
            return _rejected(errors.unsayable_in_dl(str(error)))
        except CompileError as error:
            return _rejected(*error.diagnostics)
        except RecursionError:
            return _rejected(errors.unsayable_in_dl("it is nested too deep"))
        return turn, tuple(dict.fromkeys(Note(d.code, d.message) for d in checked.diagnostics))

    def _program(self, text: str) -> Expr:
        program = read_program(text)
        if isinstance(program, Ascribed) or (isinstance(program, Let) and isinstance(program.body[-1], Ascribed)):
            short = untyped(program, self.typist.judge)
            if self.typist.typed(write_program(short)).text == text:
                return short
        return program


def _rejected(*diagnostics: Diagnostic) -> tuple[None, tuple[Note, ...]]:
    return None, tuple(Note(d.code, d.message, d.span, loss=True) for d in diagnostics)


def read_dialogue(value: Any, reader: LispressReader) -> Dialogue:
    """One dialogue of `dialogues.jsonl`: its user turns, each with the program annotated for it.

    The k-th user turn stands at position 2k. What is no program in a turn rejects that turn. Raises CompileError
    (DLC289) for what is no dialogue.
    """
    name, programs = stored_turns(value)
    rows: list[TurnRow] = []
    for index, (stored, text) in enumerate(zip(value["turns"], programs, strict=True)):
        said = _utterance(stored)
        turn, notes = _rejected(text) if isinstance(text, Diagnostic) else reader.turn(text)
        rows.append(TurnRow(name, 2 * index, "user", said, reader.schema.name, turn, notes, stored))
    return Dialogue(name, tuple(rows))


def stored_turns(value: Any, key: str = "lispress") -> tuple[str, list[str | Diagnostic]]:
    """A dialogue's name, and for each of its turns the program stored under `key`, or what is wrong with it.

    Raises CompileError (DLC289) for what is no dialogue.
    """
    turns = value.get("turns") if isinstance(value, dict) else None
    name = value.get("dialogue_id") if isinstance(value, dict) else None
    if not isinstance(turns, list) or not isinstance(name, str):
        raise CompileError(errors.no_dialogue("an object with `dialogue_id` and a list of `turns` is expected"))
    return name, [_stored(turn, key) for turn in turns]


def _stored(turn: Any, key: str) -> str | Diagnostic:
    text = turn.get(key) if isinstance(turn, dict) else None
    return text if isinstance(text, str) else errors.no_dialogue(f"the turn has no text `{key}`")


def _utterance(turn: Any) -> str | None:
    said = turn.get("user_utterance") if isinstance(turn, dict) else None
    text = said.get("original_text") if isinstance(said, dict) else None
    return text if isinstance(text, str) else None
