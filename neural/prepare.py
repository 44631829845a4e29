"""What a decoder works out before it is first asked: the states in which much may come next.

Most states are made when a program first visits them. Where every function of a schema may be called, or every field
compared, that takes longer than a step of a model should wait, so these states are visited while compiling. A surface
says which beginnings of programs lead there (`Net.beginnings`).
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from .machine import Cell, Machine
from .net import NEVER

MOST: Final = 2_000
"""Beginnings that are followed at most."""


def openings(machine: Machine, before: bytes = b"") -> Iterator[Cell]:
    """Configurations in which much may come next, each of another control state. before: what precedes a program."""
    seen: set[int] = set()
    first = machine.read(machine.start, before)
    read: list[tuple[bytes, Cell | None]] = [(b"", first)]
    for text in islice(machine.net.beginnings(), MOST):
        while not text.startswith(read[-1][0]):
            read.pop()
        known, cell = read[-1]
        cell = machine.read(cell, text[len(known) :]) if cell is not None else None
        read.append((text, cell))
        if cell is not None and cell.cost < NEVER and cell.control.number not in seen:
            seen.add(cell.control.number)
            yield cell
