"""DL turns as Lispress rows: the program, and notes on what it does not say."""

from ...compiler.check import Checker
from ...compiler.schema import Schema
from ...compiler.terms import Turn
from ..rows import Note, Written
from . import errors
from .from_dl import lispress_of
from .names import Names, Unsayable
from .sexp import LispressError
from .writer import write_program

MEMO_LIMIT = 1 << 16


class LispressWriter:
    """Turns over one schema as Lispress. A turn and what was written for it are remembered."""

    def __init__(self, schema: Schema) -> None:
        self._names = Names(schema)
        self._checker = Checker(schema)
        self._known: dict[Turn, Written] = {}

    def write(self, turn: Turn) -> Written:
        """The program, types restored as inferred. Without a program, a note says what Lispress cannot say."""
        known = self._known.get(turn)
        if known is None:
            if len(self._known) > MEMO_LIMIT:
                self._known.clear()
            known = self._known[turn] = self._write(turn)
        return known

    def _write(self, turn: Turn) -> Written:
        try:
            made = lispress_of(turn, self._names, self._checker.check_turn(turn))
            if not made.open:
                return Written(write_program(made.program), tuple(_note(each) for each in made.unsaid))
            reason = made.open[0]
        except (Unsayable, LispressError) as error:
            reason = str(error)
        except RecursionError:
            reason = "a program nested so deep"
        return Written(None, (_note(reason),))


def _note(what: str) -> Note:
    diagnostic = errors.unsayable_in_lispress(what)
    return Note(diagnostic.code, diagnostic.message, loss=True)
