"""What a source is cut into before anything is read: dialogues, or rows that cannot even be cut out."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dlc.grammar.diagnostic import Diagnostic

from .errors import InputFailure

OPENING = re.compile(r'\{\s*"dialogue_id"\s*:\s*"([^"\\]*)"')
"""How a dialogue begins in the releases that are lists of dialogues (SGD, MultiWOZ 2.2); its group is the name."""


@dataclass(frozen=True, slots=True)
class Part:
    """One row of a dialogue, or the dialogue itself where a file holds it whole.

    value: the parsed JSON, or the fields of a row. text: the row as it stands, "" where the value tells.
    """

    line: int | None
    value: Any
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """One dialogue as it stands in a file. Units are independent of each other, so they can be read apart."""

    file: str
    dialogue: str | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A stretch of a file that is no unit, with the reason and its text (as far as it is worth keeping)."""

    diagnostic: Diagnostic
    text: str = ""


def numbered(unit: Unit) -> Iterator[tuple[int, Part]]:
    """Each row of a unit with its turn: as given, else the one after the row before."""
    following = 0
    for part in unit.parts:
        given = part.value.get("turn")
        turn = following if given is None else given
        following = turn + 1
        yield turn, part


RECOGNIZED_WITHIN = 50


def recognized(
    units: Iterator[Unit | Broken], known: Callable[[Unit], bool], otherwise: Diagnostic
) -> Iterator[Unit | Broken]:
    """The units of a file if one of the first is of the layout; damaged ones before it are kept.

    Raises InputFailure with `otherwise` if none is, before any unit is given.
    """
    held: list[Unit | Broken] = []
    found = False
    for unit in units:
        if found:
            yield unit
            continue
        held.append(unit)
        if isinstance(unit, Unit) and known(unit):
            found = True
            yield from held
        elif len(held) >= RECOGNIZED_WITHIN:
            raise InputFailure(otherwise)
    if not found:
        if any(isinstance(unit, Unit) for unit in held):
            raise InputFailure(otherwise)
        yield from held
