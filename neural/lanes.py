"""Tables and sequences as the kernels read them: a lane is a row of the batch.

Every value is a vector, one number a lane; `on` says which lanes take part, and what the others get is never used.
Loads and stores are for the lanes that take part, loops run while any lane has something left to do, and a branch is
taken if any lane wants it. So one operation serves a whole block of rows, and nothing passes from lane to lane.

Registers cannot be indexed, so each row has scratch memory for its pieces. Where a block has fewer rows than a warp
has threads, several threads hold the same row and one of them writes: hence a barrier after what is read again.
"""

import triton
import triton.language as tl

from . import core, tables
from .reach import MAX_PUSHED

_C = tl.constexpr
STATE, DEPTH, BUDGET, PLANNED, POSITION, LEVEL, DONE, NAMES = (
    _C(core.STATE), _C(core.DEPTH), _C(core.BUDGET), _C(core.PLANNED), _C(core.POSITION), _C(core.LEVEL),
    _C(core.DONE), _C(core.NAMES),
)  # fmt: skip
STACK, SUMS, ENV, ROOM, SLOTS, WIDTH = (
    _C(core.STACK), _C(core.SUMS), _C(core.ENV), _C(core.ROOM), _C(core.SLOTS), _C(core.WIDTH)
)  # fmt: skip
OWN, OWN_BOUND, MOST_BOUND, MOST_PUSHED = (
    _C(core._OWN_FRAMES), _C(core._OWN_BOUND), _C(core._MOST_BOUND), _C(MAX_PUSHED)
)  # fmt: skip
PIECE, QUEUE = _C(core._PIECE), _C(core._QUEUE)
CONTROL, FRAME, ENDED, RESULT, REACH, TOKEN, LOOK, ROW, NAMED, REST, CLASS, NAME, PLAN, ITEM = map(_C, range(14))
AFTER, BEYOND, BACK, RESOLVED, MASKS, CLOSED = (
    _C(tables.AFTER), _C(tables.BEYOND), _C(tables.BACK), _C(tables.RESOLVED), _C(tables.MASKS), _C(tables.CLOSED)
)  # fmt: skip
FINE, REFUSED, MISSED, OVERFLOWED = _C(core.FINE), _C(core.REFUSED), _C(core.MISSED), _C(core.OVERFLOWED)
MISS_REACH = _C(tables.MISS_REACH)
UNKNOWN = _C(-2)


@triton.jit
def anyone(on):  # type: ignore[no-untyped-def]
    """Whether any lane takes part."""
    return tl.max(on.to(tl.int32), 0) > 0


@triton.jit
def most(count, on):  # type: ignore[no-untyped-def]
    """The largest count of a lane that takes part, at least 0."""
    return tl.max(tl.where(on, count, 0), 0)


@triton.jit
def section(memory, head, number):  # type: ignore[no-untyped-def]
    """Where a section of the tables begins."""
    return memory + tl.load(head + number)


@triton.jit
def find(memory, head, section_, a, b, c, on):  # type: ignore[no-untyped-def]
    """The values of keys of a hashed section; UNKNOWN where they are not there, -1 where nothing is missing (closed
    tables) and for lanes that take no part."""
    table = memory + tl.load(head + section_)
    mask = tl.load(head + MASKS + section_ - AFTER)
    mixed = (a.to(tl.int64) * 40503 + b.to(tl.int64) * 20021 + c.to(tl.int64) * 9973) & 0x7FFFFFFF
    slot = (mixed ^ (mixed >> 9)) & mask
    found = tl.where(on, UNKNOWN + tl.load(head + CLOSED).to(tl.int32), -1)
    going = on
    while anyone(going):
        at = table + 4 * slot
        first = tl.load(at, mask=going, other=-1)
        same = going & (first == a)
        same = same & (tl.load(at + 1, mask=same, other=-1) == b) & (tl.load(at + 2, mask=same, other=-1) == c)
        found = tl.where(same, tl.load(at + 3, mask=same, other=0), found)
        going = going & (first != -1) & ~same
        slot = (slot + 1) & mask
    return found


@triton.jit
def look(memory, head, reach, token, on):  # type: ignore[no-untyped-def]
    """The class of a token in a reach, or -1. Nothing else knows how the lookup lies in memory, but for the fields
    of a reach that say where."""
    entry = section(memory, head, REACH) + 13 * reach
    pairs = section(memory, head, LOOK) + 2 * tl.load(entry + 2, mask=on, other=0)
    many = tl.load(entry + 3, mask=on, other=0)
    low, high = many * 0, many
    while anyone(low < high):
        going = low < high
        middle = (low + high) // 2
        less = going & (tl.load(pairs + 2 * middle, mask=going, other=0) < token)
        high = tl.where(going & ~less, middle, high)
        low = tl.where(less, middle + 1, low)
    here = on & (low < many)
    here = here & (tl.load(pairs + 2 * low, mask=here, other=-1) == token)
    found = tl.load(pairs + 2 * low + 1, mask=here, other=-1)
    most = tl.load(entry + 11, mask=on & ~here, other=-1)
    rest = on & ~here & (most >= 0)
    word = section(memory, head, ITEM) + tl.load(entry + 12, mask=rest, other=0) + (token >> 5)
    rest = rest & (((tl.load(word, mask=rest, other=0) >> (token & 31)) & 1) != 0)
    return tl.where(rest, most, found)


@triton.jit
def miss(codes, misses, section_, a, b, c, where):  # type: ignore[no-untyped-def]
    """Note what lanes lack in the tables, unless something else went wrong with them before."""
    if anyone(where):
        first = where & (tl.load(codes, mask=where, other=MISSED) == FINE)
        tl.store(codes, MISSED, mask=first)
        tl.store(misses, section_, mask=first)
        tl.store(misses + 1, a, mask=first)
        tl.store(misses + 2, b, mask=first)
        tl.store(misses + 3, c, mask=first)
        tl.debug_barrier()


@triton.jit
def wrong(codes, code, where):  # type: ignore[no-untyped-def]
    """Note what went wrong with lanes, unless something else did before."""
    if anyone(where):
        tl.store(codes, code, mask=where & (tl.load(codes, mask=where, other=MISSED) == FINE))
        tl.debug_barrier()


@triton.jit
def begin(codes, misses, on):  # type: ignore[no-untyped-def]
    """Nothing went wrong yet."""
    tl.store(codes, FINE, mask=on)
    for i in tl.static_range(4):
        tl.store(misses + i, 0, mask=on)
    tl.debug_barrier()


@triton.jit
def fine(codes, on):  # type: ignore[no-untyped-def]
    """Lanes with which nothing went wrong."""
    return on & (tl.load(codes, mask=on, other=MISSED) == FINE)


@triton.jit
def held(row, piece, names, bounds, slot, on):  # type: ignore[no-untyped-def]
    """What a slot holds for a piece that binds `bounds` names, or -1."""
    older = tl.load(row + ENV + slot, mask=on & (slot < names), other=-1)
    own = on & (slot >= names) & (slot < names + bounds)
    return tl.maximum(older, tl.load(piece + OWN_BOUND + slot - names, mask=own, other=-1))


@triton.jit
def resolved(memory, head, row, piece, names, bounds, ended, codes, misses, on):  # type: ignore[no-untyped-def]
    """Sets of results with the use of a slot filled in; 0 after a miss."""
    entry = section(memory, head, ENDED) + 3 * ended
    slot = tl.load(entry, mask=on, other=-1)
    uses = slot >= 0
    if anyone(uses):
        value = held(row, piece, names, bounds, slot, uses)
        plain = tl.load(entry + 1, mask=uses & (value < 0), other=0)
        known = find(memory, head, RESOLVED, ended, value, ended * 0, uses & (value >= 0))
        miss(codes, misses, RESOLVED, ended, value, 0, known == UNKNOWN)
        ended = tl.where(uses, tl.where(value < 0, plain, tl.maximum(known, 0)), ended)
    return ended


@triton.jit
def top(row, piece, level, frames, on):  # type: ignore[no-untyped-def]
    """The frame that a piece stands on, or -1."""
    own = tl.load(piece + OWN + frames - 1, mask=on & (frames > 0), other=-1)
    return tl.maximum(own, tl.load(row + STACK + level - 1, mask=on & (frames == 0) & (level > 0), other=-1))


@triton.jit
def bind(piece, names, bounds, result, on):  # type: ignore[no-untyped-def]
    """Names bound with one more by each lane; which lanes had room for it."""
    fits = on & (result >= 0) & (bounds < MOST_BOUND) & (names + bounds < SLOTS)
    tl.store(piece + OWN_BOUND + bounds, result, mask=fits)
    return bounds + fits.to(tl.int32), fits


@triton.jit
def pop(memory, head, piece, names, level, frames, bounds, frame, ended, on):  # type: ignore[no-untyped-def]
    """Take the top frame off, which binds what ended if it says so: level, frames, bounds, which had room for that."""
    level = tl.where(on & (frames == 0), level - 1, level)
    frames = tl.where(on, tl.maximum(frames - 1, 0), frames)
    binds = on & (tl.load(section(memory, head, FRAME) + 2 * frame + 1, mask=on, other=0) != 0)
    fits = on
    if anyone(binds):
        result = tl.load(section(memory, head, ENDED) + 3 * ended + 2, mask=binds, other=-1)
        bounds, bound = bind(piece, names, bounds, result, binds)
        fits = on & (bound | ~binds)
        tl.debug_barrier()
    return level, frames, bounds, fits


@triton.jit
def extend(memory, head, piece, names, level, frames, bounds, pushed, more, bound, results, on):  # type: ignore[no-untyped-def]
    """Push frames and bind results, as a class or a rest says: frames, bounds, which lanes had room."""
    items = section(memory, head, ITEM)
    fits = on & (frames + more <= MOST_PUSHED) & (level + frames + more <= ROOM)
    for i in range(most(more, fits)):
        here = fits & (i < more)
        tl.store(piece + OWN + frames + i, tl.load(items + pushed + i, mask=here, other=0), mask=here)
    frames = tl.where(fits, frames + more, frames)
    for i in range(most(results, fits)):
        here = fits & (i < results)
        bounds, had = bind(piece, names, bounds, tl.load(items + bound + i, mask=here, other=-1), here)
        fits = fits & (had | ~here)
    tl.debug_barrier()
    return frames, bounds, fits


@triton.jit
def spent(memory, head, row, piece, level, frames, on):  # type: ignore[no-untyped-def]
    """What finishing takes below the top of a piece."""
    costs = section(memory, head, FRAME)
    total = tl.load(row + SUMS + level, mask=on, other=0)
    for i in range(most(frames, on)):
        here = on & (i < frames)
        frame = tl.load(piece + OWN + i, mask=here, other=0)
        total += tl.load(costs + 2 * frame, mask=here, other=0)
    return total
