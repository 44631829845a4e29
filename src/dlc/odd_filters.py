"""Filters that cannot be meant, as `dlc typecheck` reports them: with their place where the text is at hand."""

from collections.abc import Iterable
from dataclasses import replace

from dlc.canon.lints import filter_lints
from dlc.compiler.lower import TurnOrigin, locate, lower_program
from dlc.compiler.schema import Schema
from dlc.compiler.terms import Turn
from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.grammar.parser import parse


def odd_filters(turn: Turn, schema: Schema, texts: Iterable[str], place: Place) -> tuple[Diagnostic, ...]:
    """The lints of a turn. schema: with the prelude. texts: DL texts one of which the turn may have been read from."""
    found = filter_lints(turn, schema)
    if not found:
        return ()
    origin, text = _origin(turn, texts)
    made: list[Diagnostic] = []
    for lint in found:
        diagnostic = lint.diagnostic
        if origin is not None:
            diagnostic = replace(diagnostic, span=locate(origin.statements[lint.statement], lint.path))
        made.append(diagnostic.at(place, text))
    return tuple(made)


def _origin(turn: Turn, texts: Iterable[str]) -> tuple[TurnOrigin, str] | tuple[None, None]:
    for text in texts:
        try:
            turns, origins = lower_program(parse(text))
        except CompileError:
            continue
        if turn in turns:
            return origins[turns.index(turn)], text
    return None, None
