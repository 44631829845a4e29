"""The hashed sections of `tables`, filled by a compiled loop: what a table that grows has to do again for all it holds."""

from typing import Any

from numba import njit

from .tables import NO_KEY

_fast: Any = njit(nogil=True, cache=True, boundscheck=False)


@_fast
def move(old, slots):  # type: ignore[no-untyped-def]
    """Put all entries of a table into another: int32 [slots, 4], their number a power of two, and room enough."""
    mask = slots.shape[0] - 1
    for i in range(old.shape[0]):
        if old[i, 0] == NO_KEY:
            continue
        mixed = (old[i, 0] * 40503 + old[i, 1] * 20021 + old[i, 2] * 9973) & 0x7FFFFFFF
        slot = (mixed ^ (mixed >> 9)) & mask
        while slots[slot, 0] != NO_KEY:
            slot = (slot + 1) & mask
        for j in range(4):
            slots[slot, j] = old[i, j]
