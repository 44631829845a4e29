"""Memory that costs nothing until it is written to, and then a page at a time.

Tables grow while a model waits. numpy asks for huge pages where an array is large, and the first write to each of those
clears two megabytes: longer than a step should take. So tables lie in small pages, in more room than they fill.
"""

import math
import mmap
import sys
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def zeros(shape: int | tuple[int, ...], kind: type[T]) -> NDArray[T]:
    """An array of zeros, a process's own: one that forks does not share it."""
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    own = {} if sys.platform == "win32" else {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
    room = mmap.mmap(-1, max(1, size * np.dtype(kind).itemsize), **own)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        room.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(room, dtype=kind, count=size).reshape(shape)
