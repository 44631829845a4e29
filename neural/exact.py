"""The least number of tokens that finish a configuration, exactly.

A token may spell the end of one procedure and the beginning of what its caller reads next, so costs do not add up
over the stack. What a control state needs is therefore a table: for each way to return (what ended, and how far into
a token, as a place of the trie) the least tokens. The tables of all control states are the least solution of a system
of equations over (min, +); it is solved by rounds over everything reachable, which suits small vocabularies and
networks, and is refused beyond `MAX_TABLES`.
"""

from typing import Final

from ..grammar.diagnostic import CompileError
from . import errors
from .automaton import Control, Frame
from .costs import NEVER
from .reach import START, Reach, Reaches

MAX_TABLES: Final = 20_000

Way = tuple[frozenset[int], int]
Table = dict[Way, int]
_Key = tuple[int, int]


class Exact:
    """Tables of ways to return, grown when new control states turn up."""

    def __init__(self, reaches: Reaches) -> None:
        self.reaches = reaches
        self._tables: dict[_Key, Table] = {}
        self._controls: dict[_Key, Control] = {}

    def table(self, control: Control, place: int = START) -> Table:
        """Ways to return from a control state (inside a token, at a place) with the least tokens each takes."""
        key = (control.number, place)
        if key not in self._tables:
            self._want(control, place)
            self._solve()
        return self._tables[key]

    def after(self, frame: Frame, table: Table) -> Table:
        """Ways to return from a frame's procedure, given ways to return to the frame."""
        found: Table = {}
        for (ended, place), spent in table.items():
            back = self.reaches.automaton.after(frame, ended)
            if back is None:
                continue
            for way, more in self._want(back, place).items():
                if spent + more < found.get(way, NEVER):
                    found[way] = spent + more
        return found

    def _want(self, control: Control, place: int) -> Table:
        key = (control.number, place)
        known = self._tables.get(key)
        if known is None:
            if len(self._tables) >= MAX_TABLES:
                raise CompileError(errors.too_large_for_exact(MAX_TABLES))
            known = self._tables[key] = {}
            self._controls[key] = control
        return known

    def _solve(self) -> None:
        changed, count = True, 0
        while changed or count < len(self._tables):
            changed, count = False, len(self._tables)
            for key in list(self._tables):
                table = self._tables[key]
                reach = self.reaches.at(self._controls[key], key[1])
                for way, cost in self._once(self._controls[key], reach, key[1]).items():
                    if cost < table.get(way, NEVER):
                        table[way] = cost
                        changed = True

    def _once(self, control: Control, reach: Reach, place: int) -> Table:
        found: Table = {(rest.ended, rest.place): 0 for rest in reach.rests}
        if place == START and control.ended:
            found[control.ended, START] = 0
        for target in reach.targets:
            table = self._want(target.control, START)
            for frame in reversed(target.pushed):
                table = self.after(frame, table)
            for way, cost in table.items():
                if cost + 1 < found.get(way, NEVER):
                    found[way] = cost + 1
        return found
