"""The device executor's Triton kernels: what `core` does for a row, by one program of one warp for each row.

`recipe` works out what a row allows (rows of bits, ranges of tokens, the plan's token, whether the end tokens);
`write` turns that into bits; `advance` takes a token. Everything is read from the tables on the device. A program
keeps its pieces in scratch memory of its own, since registers cannot be indexed.
"""

import torch
import triton
import triton.language as tl

from . import core, tables
from .costs import NEVER
from .device import DeviceTables, Trouble
from .machine import MAX_DEPTH
from .reach import MAX_PUSHED

Tensor = torch.Tensor
_QUEUE = 48
_PIECE = core._PIECE
_ENTRIES = 96
"""Room of a recipe: rows of bits and ranges of tokens, three numbers each."""

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
PIECE, QUEUE, ENTRIES, DEEPEST, UNPAYABLE = _C(_PIECE), _C(_QUEUE), _C(_ENTRIES), _C(MAX_DEPTH), _C(NEVER - 1)
CONTROL, FRAME, ENDED, RESULT, REACH, TOKEN, LOOK, ROW, NAMED, REST, CLASS, NAME, PLAN, ITEM = map(_C, range(14))
AFTER, BEYOND, BACK, RESOLVED, MASKS, CLOSED = (
    _C(tables.AFTER), _C(tables.BEYOND), _C(tables.BACK), _C(tables.RESOLVED), _C(tables.MASKS), _C(tables.CLOSED)
)  # fmt: skip
WIDEST = _C(triton.next_power_of_2(_PIECE))
FINE, REFUSED, MISSED, OVERFLOWED = _C(core.FINE), _C(core.REFUSED), _C(core.MISSED), _C(core.OVERFLOWED)
BITS, PAIRS, SINGLES = _C(0), _C(1), _C(2)
UNKNOWN = _C(-2)


@triton.jit
def _get(memory, head, section, index):  # type: ignore[no-untyped-def]
    return tl.load(memory + tl.load(head + section) + index)


@triton.jit
def _find(memory, head, section, a, b, c):  # type: ignore[no-untyped-def]
    """The value of a key of a hashed section; UNKNOWN if it is not there, -1 if nothing is missing (closed tables)."""
    start = tl.load(head + section)
    mask = tl.load(head + MASKS + section - AFTER)
    mixed = (a.to(tl.int64) * 40503 + b.to(tl.int64) * 20021 + c.to(tl.int64) * 9973) & 0x7FFFFFFF
    slot = (mixed ^ (mixed >> 9)) & mask
    found = a * 0 - 2 + tl.load(head + CLOSED).to(tl.int32)
    going = a * 0 + 1
    while going > 0:
        at = memory + start + 4 * slot
        first = tl.load(at)
        if first == -1:
            going = going * 0
        else:
            if (first == a) & (tl.load(at + 1) == b) & (tl.load(at + 2) == c):
                found = tl.load(at + 3)
                going = going * 0
            else:
                slot = (slot + 1) & mask
    return found


@triton.jit
def _miss(codes, misses, section, a, b, c):  # type: ignore[no-untyped-def]
    """Note a miss, if nothing else went wrong before."""
    if tl.load(codes) == FINE:
        tl.store(codes, MISSED)
        tl.store(misses, section)
        tl.store(misses + 1, a)
        tl.store(misses + 2, b)
        tl.store(misses + 3, c)
    tl.debug_barrier()


@triton.jit
def _wrong(codes, code):  # type: ignore[no-untyped-def]
    if tl.load(codes) == FINE:
        tl.store(codes, code)
    tl.debug_barrier()


@triton.jit
def _held(row, piece, slot):  # type: ignore[no-untyped-def]
    names = tl.load(row + NAMES)
    held = slot * 0 - 1
    if slot < names:
        held = tl.load(row + ENV + slot)
    else:
        if slot < names + tl.load(piece + 3):
            held = tl.load(piece + OWN_BOUND + slot - names)
    return held


@triton.jit
def _resolved(memory, head, row, piece, ended, codes, misses):  # type: ignore[no-untyped-def]
    found = ended
    slot = _get(memory, head, ENDED, 3 * ended)
    if slot >= 0:
        held = _held(row, piece, slot)
        if held < 0:
            found = _get(memory, head, ENDED, 3 * ended + 1)
        else:
            found = _find(memory, head, RESOLVED, ended, held, ended * 0)
            if found == UNKNOWN:
                _miss(codes, misses, RESOLVED, ended, held, 0)
            found = tl.maximum(found, 0)
    return found


@triton.jit
def _top(row, piece):  # type: ignore[no-untyped-def]
    level, frames = tl.load(piece + 1), tl.load(piece + 2)
    frame = level * 0 - 1
    if frames > 0:
        frame = tl.load(piece + OWN + frames - 1)
    else:
        if level > 0:
            frame = tl.load(row + STACK + level - 1)
    return frame


@triton.jit
def _bind(row, piece, result, codes):  # type: ignore[no-untyped-def]
    bounds = tl.load(piece + 3)
    if (result < 0) | (bounds >= MOST_BOUND) | (tl.load(row + NAMES) + bounds >= SLOTS):
        _wrong(codes, OVERFLOWED)
    else:
        tl.store(piece + OWN_BOUND + bounds, result)
        tl.store(piece + 3, bounds + 1)
    tl.debug_barrier()


@triton.jit
def _pop(memory, head, row, piece, ended, codes):  # type: ignore[no-untyped-def]
    frame = _top(row, piece)
    frames = tl.load(piece + 2)
    if frames > 0:
        tl.store(piece + 2, frames - 1)
    else:
        tl.store(piece + 1, tl.load(piece + 1) - 1)
    tl.debug_barrier()
    if _get(memory, head, FRAME, 2 * frame + 1) != 0:
        _bind(row, piece, _get(memory, head, ENDED, 3 * ended + 2), codes)


@triton.jit
def _extend(memory, head, row, piece, pushed, more, bound, results, codes):  # type: ignore[no-untyped-def]
    level, frames = tl.load(piece + 1), tl.load(piece + 2)
    if (frames + more > MOST_PUSHED) | (level + frames + more > ROOM):
        _wrong(codes, OVERFLOWED)
    else:
        i = more * 0
        while i < more:
            tl.store(piece + OWN + frames + i, _get(memory, head, ITEM, pushed + i))
            i += 1
        tl.store(piece + 2, frames + more)
        tl.debug_barrier()
        i = results * 0
        while i < results:
            _bind(row, piece, _get(memory, head, ITEM, bound + i), codes)
            i += 1


@triton.jit
def _spent(memory, head, row, piece):  # type: ignore[no-untyped-def]
    spent = tl.load(row + SUMS + tl.load(piece + 1))
    frames = tl.load(piece + 2)
    i = frames * 0
    while i < frames:
        spent += _get(memory, head, FRAME, 2 * tl.load(piece + OWN + i))
        i += 1
    return spent


@triton.jit
def _copy(source, target):  # type: ignore[no-untyped-def]
    offsets = tl.arange(0, WIDEST)
    tl.store(target + offsets, tl.load(source + offsets, mask=offsets < PIECE), mask=offsets < PIECE)
    tl.debug_barrier()


@triton.jit
def _complete(memory, head, row, piece, codes, misses):  # type: ignore[no-untyped-def]
    """1 if the program may end here. `piece` is scratch."""
    depth = tl.load(row + DEPTH)
    tl.store(piece + 1, depth)
    tl.store(piece + 2, 0)
    tl.store(piece + 3, 0)
    tl.debug_barrier()
    ended = _get(memory, head, CONTROL, 6 * tl.load(row + STATE))
    whole = depth * 0
    while ended != 0:
        ended = _resolved(memory, head, row, piece, ended, codes, misses)
        level = tl.load(piece + 1)
        if ended != 0:
            if level == 0:
                whole = whole + 1
                ended = ended * 0
            else:
                frame = tl.load(row + STACK + level - 1)
                back = _find(memory, head, AFTER, frame, ended, ended * 0)
                if back == UNKNOWN:
                    _miss(codes, misses, AFTER, frame, ended, 0)
                if back < 0:
                    ended = ended * 0
                else:
                    _pop(memory, head, row, piece, ended, codes)
                    ended = _get(memory, head, CONTROL, 6 * back)
    return whole


@triton.jit
def _pieces(memory, head, row, scratch, codes, misses):  # type: ignore[no-untyped-def]
    """Write down everything a token can do; how many pieces."""
    state = tl.load(row + STATE)
    first = _get(memory, head, CONTROL, 6 * state + 3)
    count = first * 0
    at = first * 0
    if first < 0:
        _miss(codes, misses, -1, state, 0, 0)
    else:
        tl.store(scratch, first)
        tl.store(scratch + 1, tl.load(row + DEPTH))
        tl.store(scratch + 2, 0)
        tl.store(scratch + 3, 0)
        count += 1
        tl.debug_barrier()
    while at < count:
        from_ = scratch + at * PIECE
        entry = 11 * tl.load(from_)
        rests = _get(memory, head, REACH, entry + 6)
        many = _get(memory, head, REACH, entry + 7)
        i = many * 0
        while i < many:
            if count >= QUEUE - 1:
                _wrong(codes, OVERFLOWED)
            else:
                rest = 6 * (rests + i)
                piece = scratch + count * PIECE
                _copy(from_, piece)
                more, results = _get(memory, head, REST, rest + 3), _get(memory, head, REST, rest + 5)
                if more + results > 0:
                    pushed, bound = _get(memory, head, REST, rest + 2), _get(memory, head, REST, rest + 4)
                    _extend(memory, head, row, piece, pushed, more, bound, results, codes)
                frame = _top(row, piece)
                if frame >= 0:
                    ended = _get(memory, head, REST, rest)
                    ended = _resolved(memory, head, row, piece, ended, codes, misses)
                    if ended != 0:
                        place = _get(memory, head, REST, rest + 1)
                        beyond = _find(memory, head, BEYOND, frame, ended, place)
                        if beyond == UNKNOWN:
                            _miss(codes, misses, BEYOND, frame, ended, place)
                        if beyond >= 0:
                            _pop(memory, head, row, piece, ended, codes)
                            tl.store(piece, beyond)
                            tl.debug_barrier()
                            count += 1
            i += 1
        at += 1
    return count


@triton.jit
def _opens(memory, head, row, piece, number, after, codes, misses):  # type: ignore[no-untyped-def]
    """Whether a class inside a variable's name may be entered. `after` is scratch."""
    entry = 6 * number
    _copy(piece, after)
    more, results = _get(memory, head, CLASS, entry + 2), _get(memory, head, CLASS, entry + 5)
    _extend(
        memory, head, row, after, _get(memory, head, CLASS, entry + 1), more,
        _get(memory, head, CLASS, entry + 4), results, codes,
    )  # fmt: skip
    frame = _top(row, after)
    opens = number * 0
    control = 6 * _get(memory, head, CLASS, entry)
    names, many = _get(memory, head, CONTROL, control + 4), _get(memory, head, CONTROL, control + 5)
    i = many * 0
    if frame < 0:
        i = many
    while i < many:
        held = _held(row, after, _get(memory, head, NAME, 2 * (names + i)))
        if (held >= 0) & (opens == 0):
            ended = _get(memory, head, RESULT, held)
            back = _find(memory, head, AFTER, frame, ended, ended * 0)
            if back == UNKNOWN:
                _miss(codes, misses, AFTER, frame, ended, 0)
            if back >= 0:
                opens += 1
        i += 1
    return opens


@triton.jit
def _planned(memory, head, row, codes, misses):  # type: ignore[no-untyped-def]
    """Plan, position, level and next token (-1: none)."""
    plan, position, level = tl.load(row + PLANNED), tl.load(row + POSITION), tl.load(row + LEVEL)
    if plan == -1:
        position, level = position * 0, tl.load(row + DEPTH)
        control = 6 * tl.load(row + STATE)
        plan = _get(memory, head, CONTROL, control + 2)
        names, many = _get(memory, head, CONTROL, control + 4), _get(memory, head, CONTROL, control + 5)
        i = many * 0
        if (plan >= 0) | (level == 0):
            i = many
        while i < many:
            slot = _get(memory, head, NAME, 2 * (names + i))
            if (plan < 0) & (slot < tl.load(row + NAMES)):
                ended = _get(memory, head, RESULT, tl.load(row + ENV + slot))
                frame = tl.load(row + STACK + level - 1)
                back = _find(memory, head, AFTER, frame, ended, ended * 0)
                if back == UNKNOWN:
                    _miss(codes, misses, AFTER, frame, ended, 0)
                if back >= 0:
                    plan = _get(memory, head, NAME, 2 * (names + i) + 1)
            i += 1
    token = plan * 0 - 1
    going = plan * 0 + 1
    if plan < 0:
        going = going * 0
    while going > 0:
        start, many = _get(memory, head, PLAN, 3 * plan), _get(memory, head, PLAN, 3 * plan + 1)
        if position < many:
            token = _get(memory, head, ITEM, start + position)
            going = going * 0
        else:
            if level == 0:
                going = going * 0
            else:
                frame = tl.load(row + STACK + level - 1)
                result = _get(memory, head, PLAN, 3 * plan + 2)
                if result < 0:
                    result = tl.load(row + ENV - 1 - result)
                after = _find(memory, head, BACK, frame, result, result * 0)
                if after < 0:
                    _miss(codes, misses, BACK, frame, result, 0)
                    going = going * 0
                else:
                    plan = after
                    position = position * 0
                    level = level - 1
    return plan, position, level, token


@triton.jit
def _note(recipe, count, kind, start, many, codes):  # type: ignore[no-untyped-def]
    if count >= ENTRIES:
        _wrong(codes, OVERFLOWED)
    else:
        tl.store(recipe + 3 * count, kind)
        tl.store(recipe + 3 * count + 1, start)
        tl.store(recipe + 3 * count + 2, many)
    return count + 1


@triton.jit
def _within(memory, head, piece, left):  # type: ignore[no-untyped-def]
    """Tokens of a piece's list that are paid for: a prefix."""
    entry = 11 * tl.load(piece)
    start, many = _get(memory, head, REACH, entry), _get(memory, head, REACH, entry + 1)
    low, high = many * 0, many
    while low < high:
        middle = (low + high) // 2
        if _get(memory, head, TOKEN, 2 * (start + middle) + 1) <= left:
            low = middle + 1
        else:
            high = middle
    return start, low


@triton.jit
def _recipe(memory, head, rows, scratches, recipes, flags, codes, misses):  # type: ignore[no-untyped-def]
    """What a row allows, into its recipe; flags: how many entries, whether the end tokens."""
    which = tl.program_id(0)
    row, codes, misses = rows + which * WIDTH, codes + which, misses + which * 4
    scratch, recipe = scratches + which * (QUEUE * PIECE), recipes + which * (3 * ENTRIES)
    spare = scratch + (QUEUE - 1) * PIECE
    count = tl.load(row + STATE) * 0
    ended = count
    if tl.load(row + DONE) != 0:
        ended += 1
    else:
        whole = _complete(memory, head, row, spare, codes, misses)
        some = whole * 0
        if (tl.load(row + PLANNED) == -1) & (tl.load(row + DEPTH) < DEEPEST):
            pieces = _pieces(memory, head, row, scratch, codes, misses)
            i = pieces * 0
            while i < pieces:
                piece = scratch + i * PIECE
                entry = 11 * tl.load(piece)
                left = tl.load(row + BUDGET) - 1 - _spent(memory, head, row, piece)
                left = tl.minimum(left, UNPAYABLE)
                j, named = pieces * 0, _get(memory, head, REACH, entry + 10)
                while j < named:
                    at = 3 * (_get(memory, head, REACH, entry + 9) + j)
                    number = _get(memory, head, NAMED, at)
                    if _get(memory, head, CLASS, 6 * number + 3) <= left:
                        if _opens(memory, head, row, piece, number, spare, codes, misses) > 0:
                            some += 1
                            start, many = _get(memory, head, NAMED, at + 1), _get(memory, head, NAMED, at + 2)
                            count = _note(recipe, count, SINGLES, start, many, codes)
                    j += 1
                if _get(memory, head, REACH, entry + 8) <= left:
                    some += 1
                    tiers = _get(memory, head, REACH, entry + 5)
                    if tiers > 0:
                        first = _get(memory, head, REACH, entry + 4)
                        tier = tiers - 1
                        while _get(memory, head, ROW, 2 * (first + tier)) > left:
                            tier -= 1
                        bits = _get(memory, head, ROW, 2 * (first + tier) + 1)
                        count = _note(recipe, count, BITS, bits, 0, codes)
                    else:
                        start, many = _within(memory, head, piece, left)
                        count = _note(recipe, count, PAIRS, start, many, codes)
                i += 1
        if whole > 0:
            ended += 1
        else:
            if (some == 0) & (tl.load(codes) == FINE):
                _, _, _, token = _planned(memory, head, row, codes, misses)
                # The start of such a range is the token itself.
                count = _note(recipe, count, SINGLES, token, -1, codes)
    if tl.load(codes) != FINE:
        count = count * 0
        ended = ended * 0
    tl.store(flags + 2 * which, count)
    tl.store(flags + 2 * which + 1, ended)


@triton.jit  # type: ignore[untyped-decorator]
def _write(memory, head, bits, ends, recipes, flags, out, words, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """A recipe as bits: a block of words of a row. Single tokens are looked at in every block."""
    which, block = tl.program_id(0), tl.program_id(1)
    offsets = block * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < words
    recipe = recipes + which * (3 * ENTRIES)
    count, ended = tl.load(flags + 2 * which), tl.load(flags + 2 * which + 1)
    word = tl.load(ends + offsets, mask=inside, other=0)
    word = tl.where(ended > 0, word, 0)
    i = count * 0
    while i < count:
        kind, start, many = tl.load(recipe + 3 * i), tl.load(recipe + 3 * i + 1), tl.load(recipe + 3 * i + 2)
        if kind == BITS:
            word |= tl.load(bits + start.to(tl.int64) * words + offsets, mask=inside, other=0)
        else:
            if many < 0:
                word |= tl.where(offsets == (start >> 5), 1 << (start & 31), 0)
            else:
                j = many * 0
                while j < many:
                    if kind == PAIRS:
                        token = _get(memory, head, TOKEN, 2 * (start + j))
                    else:
                        token = _get(memory, head, ITEM, start + j)
                    word |= tl.where(offsets == (token >> 5), 1 << (token & 31), 0)
                    j += 1
        i += 1
    tl.store(out + which * words + offsets, word, mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _masked(logits, bits, out, masses, unusable, columns, words, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    """A row of logits with what is not allowed at minus infinity, log Z, and whether it is unusable: one pass."""
    which = tl.program_id(0)
    bad = which * 0
    kept_most, all_most = -float("inf"), -float("inf")
    kept, every = 0.0, 0.0
    for start in range(0, columns, BLOCK):
        offsets = start + tl.arange(0, BLOCK)
        inside = offsets < columns
        values = tl.load(logits + which * columns + offsets, mask=inside, other=-float("inf"))
        word = tl.load(bits + which * words + (offsets >> 5), mask=inside & ((offsets >> 5) < words), other=0)
        allowed = ((word >> (offsets & 31)) & 1) != 0
        tl.store(out + which * columns + offsets, tl.where(allowed, values, -float("inf")), mask=inside)
        exact = values.to(tl.float32)
        bad += tl.sum(((exact != exact) | (exact == float("inf"))).to(tl.int32), 0)
        held = tl.where(allowed, exact, -float("inf"))
        top = tl.maximum(all_most, tl.max(exact, 0))
        base = tl.where(top == -float("inf"), 0.0, top)
        every = every * tl.exp(all_most - base) + tl.sum(tl.exp(exact - base), 0)
        all_most = top
        top = tl.maximum(kept_most, tl.max(held, 0))
        base = tl.where(top == -float("inf"), 0.0, top)
        kept = kept * tl.exp(kept_most - base) + tl.sum(tl.exp(held - base), 0)
        kept_most = top
    tl.store(unusable + which, ((bad > 0) | (kept_most == -float("inf"))).to(tl.int32))
    tl.store(masses + which, kept_most + tl.log(kept) - all_most - tl.log(every))


@triton.jit
def _advance(memory, head, ends, rows, tokens, scratches, codes, misses, words):  # type: ignore[no-untyped-def]
    """Take a token, in place."""
    which = tl.program_id(0)
    row, codes, misses = rows + which * WIDTH, codes + which, misses + which * 4
    scratch = scratches + which * (QUEUE * PIECE)
    spare = scratch + (QUEUE - 1) * PIECE
    token = tl.load(tokens + which).to(tl.int32)
    if tl.load(row + DONE) == 0:
        inside = (token >= 0) & ((token >> 5) < words)
        word = tl.load(ends + (token >> 5), mask=inside, other=0)
        whole = _complete(memory, head, row, spare, codes, misses)
        planned = tl.load(row + PLANNED) != -1
        if inside & (((word >> (token & 31)) & 1) != 0):
            if (whole > 0) & (tl.load(codes) == FINE):
                tl.store(row + DONE, 1)
            else:
                _wrong(codes, REFUSED)
        else:
            pieces = _pieces(memory, head, row, scratch, codes, misses)
            free = (not planned) & (tl.load(row + DEPTH) < DEEPEST)
            number, at, some = token * 0 - 1, pieces * 0, pieces * 0
            i = pieces * 0
            while i < pieces:
                piece = scratch + i * PIECE
                entry = 11 * tl.load(piece)
                if (number < 0) & inside:
                    number = _look(memory, head, entry, token)
                    at = i
                left = tl.minimum(tl.load(row + BUDGET) - 1 - _spent(memory, head, row, piece), UNPAYABLE)
                if _get(memory, head, REACH, entry + 8) <= left:
                    some += 1
                j, named = pieces * 0, _get(memory, head, REACH, entry + 10)
                while j < named:
                    each = _get(memory, head, NAMED, 3 * (_get(memory, head, REACH, entry + 9) + j))
                    if (_get(memory, head, CLASS, 6 * each + 3) <= left) & (some == 0):
                        some += _opens(memory, head, row, piece, each, spare, codes, misses)
                    j += 1
                i += 1
            goes, plan, position, level = number * 0, number * 0 - 1, number * 0, number * 0
            if (number >= 0) & (tl.load(codes) == FINE):
                piece = scratch + at * PIECE
                left = tl.minimum(tl.load(row + BUDGET) - 1 - _spent(memory, head, row, piece), UNPAYABLE)
                if free & (_get(memory, head, CLASS, 6 * number + 3) <= left):
                    goes += 1
                    if _get(memory, head, CONTROL, 6 * _get(memory, head, CLASS, 6 * number) + 5) > 0:
                        goes = _opens(memory, head, row, piece, number, spare, codes, misses)
                if (goes == 0) & (whole == 0) & ((not free) | (some == 0)):
                    plan, position, level, wanted = _planned(memory, head, row, codes, misses)
                    if wanted == token:
                        goes += 1
                        position += 1
                    else:
                        plan = plan * 0 - 1
            if goes == 0:
                _wrong(codes, REFUSED)
            else:
                if tl.load(codes) == FINE:
                    _apply(memory, head, row, scratch + at * PIECE, number, codes)
                    if (plan != -1) & (tl.load(codes) == FINE):
                        tl.store(row + PLANNED, plan)
                        tl.store(row + POSITION, position)
                        tl.store(row + LEVEL, level)


@triton.jit
def _look(memory, head, entry, token):  # type: ignore[no-untyped-def]
    """The class of a token in a reach, or -1."""
    start, many = _get(memory, head, REACH, entry + 2), _get(memory, head, REACH, entry + 3)
    low, high = many * 0, many
    while low < high:
        middle = (low + high) // 2
        if _get(memory, head, LOOK, 2 * (start + middle)) < token:
            low = middle + 1
        else:
            high = middle
    found = many * 0 - 1
    if low < many:
        if _get(memory, head, LOOK, 2 * (start + low)) == token:
            found = _get(memory, head, LOOK, 2 * (start + low) + 1)
    return found


@triton.jit
def _apply(memory, head, row, piece, number, codes):  # type: ignore[no-untyped-def]
    entry = 6 * number
    _extend(
        memory, head, row, piece, _get(memory, head, CLASS, entry + 1), _get(memory, head, CLASS, entry + 2),
        _get(memory, head, CLASS, entry + 4), _get(memory, head, CLASS, entry + 5), codes,
    )  # fmt: skip
    if tl.load(codes) == FINE:
        level, frames, bounds = tl.load(piece + 1), tl.load(piece + 2), tl.load(piece + 3)
        spent = tl.load(row + SUMS + level)
        i = frames * 0
        while i < frames:
            frame = tl.load(piece + OWN + i)
            spent += _get(memory, head, FRAME, 2 * frame)
            tl.store(row + STACK + level + i, frame)
            tl.store(row + SUMS + level + i + 1, spent)
            i += 1
        names = tl.load(row + NAMES)
        i = bounds * 0
        while i < bounds:
            tl.store(row + ENV + names + i, tl.load(piece + OWN_BOUND + i))
            i += 1
        tl.store(row + NAMES, names + bounds)
        tl.store(row + STATE, _get(memory, head, CLASS, entry))
        tl.store(row + DEPTH, level + frames)
        tl.store(row + BUDGET, tl.load(row + BUDGET) - 1)
    tl.debug_barrier()


def _scratch(rows: Tensor) -> tuple[Tensor, Trouble]:
    batch = rows.shape[0]
    scratch = torch.zeros((batch, _QUEUE * _PIECE), dtype=torch.int32, device=rows.device)
    code = torch.zeros(batch, dtype=torch.int32, device=rows.device)
    return scratch, Trouble(code, torch.zeros((batch, 4), dtype=torch.int32, device=rows.device))


def bits(dt: DeviceTables, rows: Tensor) -> tuple[Tensor, Trouble]:
    """Masks as bits, int32 [batch, words]; a row that something is wrong with allows nothing."""
    batch, words = rows.shape[0], dt.ends.numel()
    scratch, wrong = _scratch(rows)
    recipes = torch.empty((batch, 3 * _ENTRIES), dtype=torch.int32, device=rows.device)
    flags = torch.empty((batch, 2), dtype=torch.int32, device=rows.device)
    _recipe[(batch,)](dt.memory, dt.head, rows, scratch, recipes, flags, wrong.code, wrong.miss, num_warps=1)
    out = torch.empty((batch, words), dtype=torch.int32, device=rows.device)
    block = min(1024, triton.next_power_of_2(words))
    _write[(batch, triton.cdiv(words, block))](
        dt.memory, dt.head, dt.rows, dt.ends, recipes, flags, out, words, BLOCK=block
    )
    return out, wrong


def advance(dt: DeviceTables, rows: Tensor, tokens: Tensor) -> tuple[Tensor, Trouble]:
    """Rows after a token each; a row whose code is not FINE is as it was."""
    scratch, wrong = _scratch(rows)
    moved = rows.clone()
    _advance[(rows.shape[0],)](
        dt.memory, dt.head, dt.ends, moved, tokens, scratch, wrong.code, wrong.miss, dt.ends.numel(), num_warps=1
    )
    return torch.where((wrong.code == core.FINE)[:, None], moved, rows), wrong


def masked(logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`logits.constrain` with the mask as bits [batch, words], in one pass over the logits [batch, columns]."""
    logits = logits.contiguous()
    out = torch.empty_like(logits)
    masses = torch.empty(logits.shape[0], dtype=torch.float32, device=logits.device)
    unusable = torch.empty(logits.shape[0], dtype=torch.int32, device=logits.device)
    block = min(4096, triton.next_power_of_2(logits.shape[1]))
    _masked[(logits.shape[0],)](
        logits, mask, out, masses, unusable, logits.shape[1], mask.shape[1], BLOCK=block
    )  # fmt: skip
    return out, masses, unusable != 0
