"""What a decoder works out before it is first asked: the states in which much may come next.

Most states are made when a program first visits them. Where every function of a schema may be called that takes longer
than a step of a model should wait, so these states are visited while compiling.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from .automaton import Control
from .machine import Machine

MANY: Final = 64
"""States worked out for Lispress, whose values of whatever type are all a few tokens away from the root."""
_BRANCHES: Final = 8
"""Bytes that a state of interest reads at least, if it calls nothing."""


def branching(machine: Machine, limit: int) -> Iterator[Control]:
    """Up to `limit` control states from which much is reached, the nearest to the root first."""
    automaton = machine.automaton
    seen = {automaton.root.number}
    todo = deque((automaton.root,))
    for _ in range(limit):
        if not todo:
            return
        control = todo.popleft()
        yield control
        for target in machine.reaches.at(control).targets:
            after = target.control
            wide = after.frame is not None or len(automaton.reads(after)) >= _BRANCHES
            if wide and after.number not in seen:
                seen.add(after.number)
                todo.append(after)
