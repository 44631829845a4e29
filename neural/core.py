"""The CPU executor's inner loops, compiled: rows of bits and steps for a batch, over the arrays of `tables`.

One sequence is one row of int32: the fields below, then its stack of frames, then for each depth what finishing
takes once that many frames are left. Loops release the interpreter's lock; nothing is allocated per token but a
queue. Every function does for arrays what `machine` does for objects.
"""

from typing import Any, Final

import numpy as np
from numba import njit, prange

from .machine import MAX_DEPTH as _MAX_DEPTH
from .net import NEVER as _NEVER
from .reach import MAX_PUSHED
from .tables import (
    AFTER,
    BACK,
    BEYOND,
    CLASS,
    CONTROL,
    ENDED,
    FRAME,
    ITEM,
    LOOK,
    MASKS,
    MISS_REACH,
    NAME,
    NAMED,
    NO_KEY,
    PLAN,
    REACH,
    RESOLVED,
    REST,
    RESULT,
    ROW,
    TOKEN,
)

# Fields of a sequence.
STATE, DEPTH, BUDGET, PLANNED, POSITION, LEVEL, DONE, NAMES = range(8)
STACK: Final = 8
ROOM: Final = _MAX_DEPTH + MAX_PUSHED + 8
"""Frames a stack has room for."""
SUMS: Final = STACK + ROOM
ENV: Final = SUMS + ROOM + 1
SLOTS: Final = 32
"""Names an environment has room for."""
WIDTH: Final = ENV + SLOTS
NO_PLAN: Final = -1

# What became of a row.
FINE, REFUSED, MISSED, OVERFLOWED = range(4)
_UNKNOWN: Final = -2

# A piece: some of what a token can do. It stands on the row's first frames and some of its own, and knows
# the row's names and some more.
_QUEUE: Final = 64
_REACH, _LEVEL, _FRAMES, _BOUND = range(4)
_OWN_FRAMES: Final = 4
_OWN_BOUND: Final = _OWN_FRAMES + MAX_PUSHED
_MOST_BOUND: Final = 6
_PIECE: Final = _OWN_BOUND + _MOST_BOUND

_fast: Any = njit(nogil=True, cache=True, boundscheck=False)
_batch: Any = njit(nogil=True, cache=True, parallel=True, boundscheck=False)


@_fast
def _find(memory, head, section, a, b, c):  # type: ignore[no-untyped-def]
    start = head[section]
    mask = head[MASKS + section - AFTER]
    mixed = (np.int64(a) * 40503 + np.int64(b) * 20021 + np.int64(c) * 9973) & 0x7FFFFFFF
    slot = (mixed ^ (mixed >> 9)) & mask
    while True:
        at = start + 4 * slot
        if memory[at] == NO_KEY:
            return _UNKNOWN
        if memory[at] == a and memory[at + 1] == b and memory[at + 2] == c:
            return memory[at + 3]
        slot = (slot + 1) & mask


@_fast
def _missed(miss, section, a, b, c):  # type: ignore[no-untyped-def]
    miss[0], miss[1], miss[2], miss[3] = section, a, b, c
    return _UNKNOWN


@_fast
def _held(row, piece, slot):  # type: ignore[no-untyped-def]
    """What a slot holds for a piece, or -1."""
    if slot < row[NAMES]:
        return row[ENV + slot]
    if slot < row[NAMES] + piece[_BOUND]:
        return piece[_OWN_BOUND + slot - row[NAMES]]
    return -1


@_fast
def _resolved(memory, head, row, piece, ended, miss):  # type: ignore[no-untyped-def]
    """A set of results with the use of a slot filled in; _UNKNOWN after a miss."""
    at = head[ENDED] + 3 * ended
    slot = memory[at]
    if slot < 0:
        return ended
    held = _held(row, piece, slot)
    if held < 0:
        return memory[at + 1]
    found = _find(memory, head, RESOLVED, ended, held, 0)
    return _missed(miss, RESOLVED, ended, held, 0) if found == _UNKNOWN else found


@_fast
def _top(row, piece):  # type: ignore[no-untyped-def]
    """The frame a piece stands on, or -1."""
    if piece[_FRAMES] > 0:
        return piece[_OWN_FRAMES + piece[_FRAMES] - 1]
    return row[STACK + piece[_LEVEL] - 1] if piece[_LEVEL] > 0 else -1


@_fast
def _pop(memory, head, row, piece, ended):  # type: ignore[no-untyped-def]
    """Take the top frame off, which binds what ended if it says so. False where there is no room for the name."""
    frame = _top(row, piece)
    if piece[_FRAMES] > 0:
        piece[_FRAMES] -= 1
    else:
        piece[_LEVEL] -= 1
    if memory[head[FRAME] + 2 * frame + 1] == 0:
        return True
    return _bind(row, piece, memory[head[ENDED] + 3 * ended + 2])


@_fast
def _bind(row, piece, result):  # type: ignore[no-untyped-def]
    if result < 0 or piece[_BOUND] >= _MOST_BOUND or row[NAMES] + piece[_BOUND] >= SLOTS:
        return False
    piece[_OWN_BOUND + piece[_BOUND]] = result
    piece[_BOUND] += 1
    return True


@_fast
def _grow(memory, head, row, piece, pushed, frames, bound, results):  # type: ignore[no-untyped-def]
    """Push frames and bind results, as a class or a rest says. False where there is no room."""
    if piece[_FRAMES] + frames > MAX_PUSHED or piece[_LEVEL] + piece[_FRAMES] + frames > ROOM:
        return False
    for i in range(frames):
        piece[_OWN_FRAMES + piece[_FRAMES] + i] = memory[head[ITEM] + pushed + i]
    piece[_FRAMES] += frames
    fits = True
    for i in range(results):
        fits = fits and _bind(row, piece, memory[head[ITEM] + bound + i])
    return fits


@_fast
def _spent(memory, head, row, piece):  # type: ignore[no-untyped-def]
    """What finishing takes below the top of a piece."""
    spent = row[SUMS + piece[_LEVEL]]
    for i in range(piece[_FRAMES]):
        spent += memory[head[FRAME] + 2 * piece[_OWN_FRAMES + i]]
    return spent


@_fast
def _complete(memory, head, row, piece, miss):  # type: ignore[no-untyped-def]
    """1 if the program may end here, 0 if not, _UNKNOWN after a miss. `piece` is scratch."""
    piece[_LEVEL], piece[_FRAMES], piece[_BOUND] = row[DEPTH], 0, 0
    ended = memory[head[CONTROL] + 6 * row[STATE]]
    while ended != 0:
        ended = _resolved(memory, head, row, piece, ended, miss)
        if ended == _UNKNOWN:
            return _UNKNOWN
        if ended == 0:
            return 0
        if piece[_LEVEL] == 0:
            return 1
        frame = row[STACK + piece[_LEVEL] - 1]
        back = _find(memory, head, AFTER, frame, ended, 0)
        if back == _UNKNOWN:
            return _missed(miss, AFTER, frame, ended, 0)
        if back < 0 or not _pop(memory, head, row, piece, ended):
            return 0
        ended = memory[head[CONTROL] + 6 * back]
    return 0


@_fast
def _pieces(memory, head, row, pieces, miss):  # type: ignore[no-untyped-def]
    """Write down everything a token can do; how many pieces, -1 if they are too many, _UNKNOWN after a miss."""
    control = row[STATE]
    first = memory[head[CONTROL] + 6 * control + 3]
    if first < 0:
        return _missed(miss, MISS_REACH, control, 0, 0)
    pieces[0, _REACH], pieces[0, _LEVEL], pieces[0, _FRAMES], pieces[0, _BOUND] = first, row[DEPTH], 0, 0
    count, at = 1, 0
    while at < count:
        entry = head[REACH] + 13 * pieces[at, _REACH]
        rests = head[REST] + 6 * memory[entry + 6]
        for i in range(memory[entry + 7]):
            if count == _QUEUE:
                return -1
            rest = rests + 6 * i
            piece = pieces[count]
            piece[_LEVEL], piece[_FRAMES], piece[_BOUND] = pieces[at, _LEVEL], pieces[at, _FRAMES], pieces[at, _BOUND]
            for j in range(piece[_FRAMES]):
                piece[_OWN_FRAMES + j] = pieces[at, _OWN_FRAMES + j]
            for j in range(piece[_BOUND]):
                piece[_OWN_BOUND + j] = pieces[at, _OWN_BOUND + j]
            if memory[rest + 3] + memory[rest + 5] > 0 and not _grow(
                memory, head, row, piece, memory[rest + 2], memory[rest + 3], memory[rest + 4], memory[rest + 5]
            ):
                return -1
            frame = _top(row, piece)
            if frame < 0:
                continue
            ended = _resolved(memory, head, row, piece, memory[rest], miss)
            if ended == _UNKNOWN:
                return _UNKNOWN
            if ended == 0:
                continue
            beyond = _find(memory, head, BEYOND, frame, ended, memory[rest + 1])
            if beyond == _UNKNOWN:
                return _missed(miss, BEYOND, frame, ended, memory[rest + 1])
            if beyond >= 0:
                if not _pop(memory, head, row, piece, ended):
                    return -1
                piece[_REACH] = beyond
                count += 1
        at += 1
    return count


@_fast
def _opens(memory, head, row, piece, number, after, miss):  # type: ignore[no-untyped-def]
    """Whether a class inside a variable's name may be entered: 1 or 0; _UNKNOWN after a miss. `after` is scratch."""
    entry = head[CLASS] + 6 * number
    after[:] = piece
    if not _grow(memory, head, row, after, memory[entry + 1], memory[entry + 2], memory[entry + 4], memory[entry + 5]):
        return 0
    frame = _top(row, after)
    if frame < 0:
        return 0
    control = head[CONTROL] + 6 * memory[entry]
    names = head[NAME] + 2 * memory[control + 4]
    for i in range(memory[control + 5]):
        held = _held(row, after, memory[names + 2 * i])
        if held < 0:
            continue
        ended = memory[head[RESULT] + held]
        back = _find(memory, head, AFTER, frame, ended, 0)
        if back == _UNKNOWN:
            return _missed(miss, AFTER, frame, ended, 0)
        if back >= 0:
            return 1
    return 0


@_fast
def _planned(memory, head, row, miss, found):  # type: ignore[no-untyped-def]
    """Where the plan stands (written into found: plan, position, level) and its next token; _UNKNOWN after a miss."""
    plan, position, level = row[PLANNED], row[POSITION], row[LEVEL]
    if plan == NO_PLAN:
        position, level = 0, row[DEPTH]
        control = head[CONTROL] + 6 * row[STATE]
        plan = memory[control + 2]
        if plan < 0:
            # Inside a variable's name: the first one that goes.
            frame = row[STACK + level - 1] if level > 0 else -1
            names = head[NAME] + 2 * memory[control + 4]
            for i in range(memory[control + 5]):
                slot = memory[names + 2 * i]
                if plan >= 0 or slot >= row[NAMES] or frame < 0:
                    continue
                ended = memory[head[RESULT] + row[ENV + slot]]
                back = _find(memory, head, AFTER, frame, ended, 0)
                if back == _UNKNOWN:
                    return _missed(miss, AFTER, frame, ended, 0)
                if back >= 0:
                    plan = memory[names + 2 * i + 1]
            if plan < 0:
                return -1
    while True:
        at = head[PLAN] + 3 * plan
        if position < memory[at + 1]:
            found[0], found[1], found[2] = plan, position, level
            return memory[head[ITEM] + memory[at] + position]
        if level == 0:
            return -1
        frame = row[STACK + level - 1]
        result = memory[at + 2]
        if result < 0:
            result = row[ENV - 1 - result]
        plan = _find(memory, head, BACK, frame, result, 0)
        if plan == _UNKNOWN:
            return _missed(miss, BACK, frame, result, 0)
        position, level = 0, level - 1


@_fast
def _fill(memory, head, rows, ends, row, out, miss):  # type: ignore[no-untyped-def]
    if row[DONE]:
        out[:] = ends
        return FINE
    scratch = np.empty(_PIECE, dtype=np.int32)
    complete = _complete(memory, head, row, scratch, miss)
    if complete == _UNKNOWN:
        return MISSED
    fresh = True
    some = False
    if row[PLANNED] == NO_PLAN and row[DEPTH] < _MAX_DEPTH:
        pieces = np.empty((_QUEUE, _PIECE), dtype=np.int32)
        count = _pieces(memory, head, row, pieces, miss)
        if count < 0:
            return MISSED if count == _UNKNOWN else OVERFLOWED
        for i in range(count):
            entry = head[REACH] + 13 * pieces[i, _REACH]
            left = min(row[BUDGET] - 1 - _spent(memory, head, row, pieces[i]), _NEVER - 1)
            for j in range(memory[entry + 10]):
                named = head[NAMED] + 3 * (memory[entry + 9] + j)
                number = memory[named]
                if memory[head[CLASS] + 6 * number + 3] > left:
                    continue
                opens = _opens(memory, head, row, pieces[i], number, scratch, miss)
                if opens == _UNKNOWN:
                    return MISSED
                if opens == 1:
                    some = True
                    if fresh:
                        out[:] = 0
                        fresh = False
                    at = head[ITEM] + memory[named + 1]
                    for k in range(memory[named + 2]):
                        token = memory[at + k]
                        out[token >> 5] |= np.uint32(1) << np.uint32(token & 31)
            if memory[entry + 8] > left:
                continue
            some = True
            tiers = memory[entry + 5]
            if tiers > 0:
                at = head[ROW] + 2 * memory[entry + 4]
                tier = tiers - 1
                while memory[at + 2 * tier] > left:
                    tier -= 1
                bits = rows[memory[at + 2 * tier + 1]]
                if fresh:
                    out[:] = bits
                    fresh = False
                else:
                    for word in range(out.size):
                        out[word] |= bits[word]
            else:
                if fresh:
                    out[:] = 0
                    fresh = False
                at = head[TOKEN] + 2 * memory[entry]
                for j in range(memory[entry + 1]):
                    if memory[at + 2 * j + 1] > left:
                        break
                    token = memory[at + 2 * j]
                    out[token >> 5] |= np.uint32(1) << np.uint32(token & 31)
    if fresh:
        out[:] = 0
    if complete == 1:
        for word in range(out.size):
            out[word] |= ends[word]
    elif not some:
        found = np.empty(3, dtype=np.int32)
        token = _planned(memory, head, row, miss, found)
        if token == _UNKNOWN:
            return MISSED
        if token < 0:
            return OVERFLOWED
        out[token >> 5] |= np.uint32(1) << np.uint32(token & 31)
    return FINE


@_fast
def _look(memory, head, reach, token):  # type: ignore[no-untyped-def]
    """The class of a token in a reach, or -1."""
    entry = head[REACH] + 13 * reach
    start = head[LOOK] + 2 * memory[entry + 2]
    low, high = 0, memory[entry + 3]
    while low < high:
        middle = (low + high) >> 1
        if memory[start + 2 * middle] < token:
            low = middle + 1
        else:
            high = middle
    if low < memory[entry + 3] and memory[start + 2 * low] == token:
        return memory[start + 2 * low + 1]
    if memory[entry + 11] >= 0:
        word = memory[head[ITEM] + memory[entry + 12] + (token >> 5)]
        if (word >> (token & 31)) & 1:
            return memory[entry + 11]
    return -1


@_fast
def _apply(memory, head, row, piece, number):  # type: ignore[no-untyped-def]
    """Enter a class from a piece. False where there is no room."""
    entry = head[CLASS] + 6 * number
    if not _grow(memory, head, row, piece, memory[entry + 1], memory[entry + 2], memory[entry + 4], memory[entry + 5]):
        return False
    level = piece[_LEVEL]
    for i in range(piece[_FRAMES]):
        frame = piece[_OWN_FRAMES + i]
        row[STACK + level + i] = frame
        row[SUMS + level + i + 1] = row[SUMS + level + i] + memory[head[FRAME] + 2 * frame]
    for i in range(piece[_BOUND]):
        row[ENV + row[NAMES] + i] = piece[_OWN_BOUND + i]
    row[NAMES] += piece[_BOUND]
    row[STATE] = memory[entry]
    row[DEPTH] = level + piece[_FRAMES]
    row[BUDGET] -= 1
    return True


@_fast
def _advance(memory, head, ends, row, token, miss):  # type: ignore[no-untyped-def]
    if row[DONE]:
        return FINE
    if token < 0 or (token >> 5) >= ends.size:
        return REFUSED
    scratch = np.empty(_PIECE, dtype=np.int32)
    complete = _complete(memory, head, row, scratch, miss)
    if complete == _UNKNOWN:
        return MISSED
    if (ends[token >> 5] >> np.uint32(token & 31)) & np.uint32(1):
        if complete == 1:
            row[DONE] = 1
            return FINE
        return REFUSED
    if row[PLANNED] != NO_PLAN and complete == 1:
        return REFUSED
    pieces = np.empty((_QUEUE, _PIECE), dtype=np.int32)
    count = _pieces(memory, head, row, pieces, miss)
    if count < 0:
        return MISSED if count == _UNKNOWN else OVERFLOWED
    number = -1
    at = 0
    free = row[PLANNED] == NO_PLAN and row[DEPTH] < _MAX_DEPTH
    for i in range(count):
        number = _look(memory, head, pieces[i, _REACH], token)
        if number >= 0:
            at = i
            break
    if number >= 0 and free:
        left = min(row[BUDGET] - 1 - _spent(memory, head, row, pieces[at]), _NEVER - 1)
        entry = head[CLASS] + 6 * number
        if memory[entry + 3] <= left:
            opens = 1
            if memory[head[CONTROL] + 6 * memory[entry] + 5] > 0:
                opens = _opens(memory, head, row, pieces[at], number, scratch, miss)
            if opens == _UNKNOWN:
                return MISSED
            if opens == 1:
                return FINE if _apply(memory, head, row, pieces[at], number) else OVERFLOWED
    if number < 0 or complete == 1:
        return REFUSED
    if free:
        some = _some(memory, head, row, pieces, count, scratch, miss)
        if some != 0:
            return MISSED if some == _UNKNOWN else REFUSED
    found = np.empty(3, dtype=np.int32)
    wanted = _planned(memory, head, row, miss, found)
    if wanted == _UNKNOWN:
        return MISSED
    if wanted != token:
        return REFUSED
    if not _apply(memory, head, row, pieces[at], number):
        return OVERFLOWED
    row[PLANNED], row[POSITION], row[LEVEL] = found[0], found[1] + 1, found[2]
    return FINE


@_fast
def _some(memory, head, row, pieces, count, scratch, miss):  # type: ignore[no-untyped-def]
    """Whether any token is affordable: 1 or 0; _UNKNOWN after a miss."""
    for i in range(count):
        entry = head[REACH] + 13 * pieces[i, _REACH]
        left = min(row[BUDGET] - 1 - _spent(memory, head, row, pieces[i]), _NEVER - 1)
        if memory[entry + 8] <= left:
            return 1
        for j in range(memory[entry + 10]):
            number = memory[head[NAMED] + 3 * (memory[entry + 9] + j)]
            if memory[head[CLASS] + 6 * number + 3] <= left:
                opens = _opens(memory, head, row, pieces[i], number, scratch, miss)
                if opens != 0:
                    return opens
    return 0


@_fast
def fill(memory, head, rows, ends, states, at, out, codes, misses):  # type: ignore[no-untyped-def]
    """Rows of bits of the sequences `at`, into `out`; what became of each in `codes`. How many are not FINE."""
    left = 0
    for i in range(at.size):
        k = at[i]
        codes[k] = _fill(memory, head, rows, ends, states[k], out[k], misses[k])
        left += codes[k] != FINE
    return left


@_fast
def advance(memory, head, ends, states, at, tokens, codes, misses):  # type: ignore[no-untyped-def]
    """One token for each of the sequences `at`; a sequence whose code is not FINE is as it was. How many are not."""
    left = 0
    for i in range(at.size):
        k = at[i]
        codes[k] = _advance(memory, head, ends, states[k], tokens[k], misses[k])
        left += codes[k] != FINE
    return left


@_batch
def fill_parallel(memory, head, rows, ends, states, at, out, codes, misses):  # type: ignore[no-untyped-def]
    """`fill` on all cores."""
    left = 0
    for i in prange(at.size):
        k = at[i]
        codes[k] = _fill(memory, head, rows, ends, states[k], out[k], misses[k])
        left += codes[k] != FINE
    return left


@_batch
def advance_parallel(memory, head, ends, states, at, tokens, codes, misses):  # type: ignore[no-untyped-def]
    """`advance` on all cores."""
    left = 0
    for i in prange(at.size):
        k = at[i]
        codes[k] = _advance(memory, head, ends, states[k], tokens[k], misses[k])
        left += codes[k] != FINE
    return left


@_fast
def complete(memory, head, states, at, found, codes, misses):  # type: ignore[no-untyped-def]
    """Whether each of the sequences `at` is a whole program, into `found`. How many are not FINE."""
    scratch = np.empty(_PIECE, dtype=np.int32)
    left = 0
    for i in range(at.size):
        k = at[i]
        ended = _complete(memory, head, states[k], scratch, misses[k])
        codes[k] = MISSED if ended == _UNKNOWN else FINE
        found[k] = ended == 1
        left += codes[k] != FINE
    return left
