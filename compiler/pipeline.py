"""The pipeline, in order: text, tokens, syntax tree, core, typed core. One function shows it whole."""

from dataclasses import dataclass

from ..grammar.diagnostic import CompileError, Diagnostic
from ..grammar.parser import parse
from .check import CheckedTurn, Checker
from .lower import TurnOrigin, lower_program
from .terms import Turn


@dataclass(frozen=True, slots=True)
class Checked:
    """A checked program. `turns` is empty if the text did not parse; then `diagnostics` says why."""

    turns: tuple[CheckedTurn, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """No error (lints do not count)."""
        return all(d.severity != "error" for d in self.diagnostics)


def compile_program(text: str, checker: Checker) -> Checked:
    """Text to typed core. Never raises for bad input: what is wrong is in `diagnostics`."""
    try:
        tree = parse(text)
        turns, origins = lower_program(tree)
    except CompileError as error:
        return Checked((), error.diagnostics)
    return check_program(turns, origins, checker)


def check_program(turns: tuple[Turn, ...], origins: tuple[TurnOrigin, ...] | None, checker: Checker) -> Checked:
    """Type every turn; the checker's schema and memo are shared by all."""
    checked = tuple(
        checker.check_turn(turn, origins[i] if origins is not None else None) for i, turn in enumerate(turns)
    )
    return Checked(checked, tuple(d for turn in checked for d in turn.diagnostics))
