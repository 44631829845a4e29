"""Growing without collecting garbage.

What an automaton and its tables grow by stays as long as they do, and is thousands of small objects: collections in
the midst of it look through everything the process has and find nothing, for longer than a step should take.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the collector off, if it is on."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
