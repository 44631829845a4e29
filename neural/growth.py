"""Growing without collecting garbage.

What an automaton and its tables grow by stays as long as they do, and is thousands of small objects: collections in
the midst of it look through everything the process has and find nothing, for longer than a step should take. They
come later, when whoever called makes objects of their own.
"""

import gc
from types import TracebackType


class Uncollected:
    """A context in which the collector is held off, if it is on. Leaving it makes no object that would wake it."""

    __slots__ = ("_enabled",)

    def __enter__(self) -> None:
        self._enabled = gc.isenabled()
        gc.disable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._enabled:
            gc.enable()
