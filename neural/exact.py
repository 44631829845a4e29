"""Whether a configuration can be finished within some tokens, exactly: by looking ahead.

A token may spell the end of one procedure and the beginning of what its caller reads next, so costs do not add up
over the stack, and the sums of `costs` are upper bounds. Where a sum is more than the tokens left, configurations are
followed one token at a time; each is asked about at most once for each number of tokens. That suits small
vocabularies and budgets, and is refused beyond `MAX_AHEAD` tokens.
"""

from collections.abc import Callable, Iterable
from typing import Final, Generic, Protocol, TypeVar

from ..grammar.diagnostic import CompileError
from . import errors
from .net import NEVER

MAX_AHEAD: Final = 24


class Looked(Protocol):
    """What is looked at: by number, whether a program may end there, and tokens with which it surely can be ended."""

    @property
    def number(self) -> int: ...
    @property
    def complete(self) -> bool: ...
    @property
    def cost(self) -> int: ...


L = TypeVar("L", bound=Looked)


class Ahead(Generic[L]):
    """Looks ahead; remembers what it saw. after: what is one token further."""

    def __init__(self, after: Callable[[L], Iterable[L]]) -> None:
        self._after = after
        self._enough: dict[int, int] = {}
        self._too_few: dict[int, int] = {}
        self._next: dict[int, tuple[L, ...]] = {}

    def within(self, cell: L, tokens: int) -> bool:
        """Whether a program can be completed with at most so many tokens.

        Raises CompileError (DLC512) if that takes looking too far ahead.
        """
        if tokens < 0:
            return False
        if cell.complete or (cell.cost < NEVER and cell.cost <= tokens):
            return True
        if tokens > MAX_AHEAD:
            raise CompileError(errors.too_large_for_exact(MAX_AHEAD))
        return self._look(cell, tokens)

    def _look(self, cell: L, tokens: int) -> bool:
        if cell.complete:
            return True
        if tokens == 0 or self._too_few.get(cell.number, -1) >= tokens:
            return False
        if self._enough.get(cell.number, tokens + 1) <= tokens:
            return True
        after = self._next.get(cell.number)
        if after is None:
            after = self._next[cell.number] = tuple(dict.fromkeys(self._after(cell)))
        found = any(self._look(each, tokens - 1) for each in after)
        if found:
            self._enough[cell.number] = min(tokens, self._enough.get(cell.number, tokens))
        else:
            self._too_few[cell.number] = tokens
        return found
