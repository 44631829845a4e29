"""What tokens can do in a row, by lanes (`lanes`): the rules of `core`, for a block of rows at once."""

import triton
import triton.language as tl

from .lanes import (
    AFTER,
    BACK,
    BEYOND,
    BUDGET,
    CLASS,
    CONTROL,
    DEPTH,
    ENV,
    FRAME,
    ITEM,
    LEVEL,
    MISS_REACH,
    MOST_BOUND,
    MOST_PUSHED,
    NAME,
    NAMED,
    NAMES,
    OVERFLOWED,
    OWN,
    OWN_BOUND,
    PIECE,
    PLAN,
    PLANNED,
    POSITION,
    QUEUE,
    REACH,
    REST,
    RESULT,
    ROOM,
    SLOTS,
    STACK,
    STATE,
    SUMS,
    UNKNOWN,
    anyone,
    extend,
    find,
    held,
    miss,
    most,
    pop,
    resolved,
    section,
    spent,
    top,
    wrong,
)
from .net import NEVER

UNPAYABLE = tl.constexpr(NEVER - 1)


@triton.jit
def complete(memory, head, row, names, scratch, codes, misses, on):  # type: ignore[no-untyped-def]
    """Whether the program may end here. Names that this binds go to the first piece of the scratch memory."""
    controls = section(memory, head, CONTROL)
    level = tl.load(row + DEPTH, mask=on, other=0)
    frames, bounds = level * 0, level * 0
    ended = tl.load(controls + 6 * tl.load(row + STATE, mask=on, other=0), mask=on, other=0)
    going = on & (ended != 0)
    whole = on & (ended < 0)
    while anyone(going):
        ended = resolved(memory, head, row, scratch, names, bounds, ended, codes, misses, going)
        going = going & (ended != 0)
        whole = whole | (going & (level == 0))
        going = going & (level > 0)
        frame = tl.load(row + STACK + level - 1, mask=going, other=0)
        back = find(memory, head, AFTER, frame, ended, ended * 0, going)
        miss(codes, misses, AFTER, frame, ended, 0, back == UNKNOWN)
        going = going & (back >= 0)
        level, frames, bounds, going = pop(
            memory, head, scratch, names, level, frames, bounds, frame, ended, going
        )  # fmt: skip
        ended = tl.load(controls + 6 * back, mask=going, other=0)
        going = going & (ended != 0)
    return whole


@triton.jit
def pieces(memory, head, row, names, scratch, codes, misses, on):  # type: ignore[no-untyped-def]
    """Write down everything that a token can do; how many pieces. Each turn of the loop is one rest of one piece."""
    reaches, rests = section(memory, head, REACH), section(memory, head, REST)
    state = tl.load(row + STATE, mask=on, other=0)
    first = tl.load(section(memory, head, CONTROL) + 6 * state + 3, mask=on, other=0)
    miss(codes, misses, MISS_REACH, state, 0, 0, first < 0)
    busy = on & (first >= 0)
    tl.store(scratch, first, mask=busy)
    tl.store(scratch + 1, tl.load(row + DEPTH, mask=busy, other=0), mask=busy)
    tl.store(scratch + 2, 0, mask=busy)
    tl.store(scratch + 3, 0, mask=busy)
    tl.debug_barrier()
    count = busy.to(tl.int32)
    at, turn = count * 0, count * 0
    while anyone(busy):
        source = scratch + at * PIECE
        entry = reaches + 13 * tl.load(source, mask=busy, other=0)
        many = tl.load(entry + 7, mask=busy, other=0)
        has = turn < many
        if anyone(has):
            wrong(codes, OVERFLOWED, has & (count >= QUEUE))
            busy = busy & ((count < QUEUE) | ~has)
            has = has & busy
            rest = rests + 6 * (tl.load(entry + 6, mask=has, other=0) + turn)
            piece = scratch + count * PIECE
            level = tl.load(source + 1, mask=has, other=0)
            frames = tl.load(source + 2, mask=has, other=0)
            bounds = tl.load(source + 3, mask=has, other=0)
            for i in range(most(frames, has)):
                here = has & (i < frames)
                tl.store(piece + OWN + i, tl.load(source + OWN + i, mask=here, other=0), mask=here)
            for i in range(most(bounds, has)):
                here = has & (i < bounds)
                tl.store(piece + OWN_BOUND + i, tl.load(source + OWN_BOUND + i, mask=here, other=0), mask=here)
            more = tl.load(rest + 3, mask=has, other=0)
            results = tl.load(rest + 5, mask=has, other=0)
            grows = more + results > 0
            if anyone(grows):
                pushed, bound = tl.load(rest + 2, mask=grows, other=0), tl.load(rest + 4, mask=grows, other=0)
                frames, bounds, fits = extend(
                    memory, head, piece, names, level, frames, bounds, pushed, more, bound, results, grows
                )
                wrong(codes, OVERFLOWED, grows & ~fits)
                has = has & (fits | ~grows)
            frame = top(row, piece, level, frames, has)
            has = frame >= 0
            ended = tl.load(rest, mask=has, other=0)
            ended = resolved(memory, head, row, piece, names, bounds, ended, codes, misses, has)
            has = has & (ended != 0)
            place = tl.load(rest + 1, mask=has, other=0)
            beyond = find(memory, head, BEYOND, frame, ended, place, has)
            miss(codes, misses, BEYOND, frame, ended, place, beyond == UNKNOWN)
            has = beyond >= 0
            level, frames, bounds, fits = pop(
                memory, head, piece, names, level, frames, bounds, frame, ended, has
            )  # fmt: skip
            wrong(codes, OVERFLOWED, has & ~fits)
            tl.store(piece, beyond, mask=fits)
            tl.store(piece + 1, level, mask=fits)
            tl.store(piece + 2, frames, mask=fits)
            tl.store(piece + 3, bounds, mask=fits)
            tl.debug_barrier()
            count += fits.to(tl.int32)
        turn += 1
        over = turn >= many
        at = tl.where(over, at + 1, at)
        turn = tl.where(over, 0, turn)
        busy = busy & (at < count)
    return count


@triton.jit
def opens(memory, head, row, names, piece, number, codes, misses, on):  # type: ignore[no-untyped-def]
    """Whether classes inside a variable's name may be entered from a piece."""
    items, spelled = section(memory, head, ITEM), section(memory, head, NAME)
    level, frames = tl.load(piece + 1, mask=on, other=0), tl.load(piece + 2, mask=on, other=0)
    bounds = tl.load(piece + 3, mask=on, other=0)
    entry = section(memory, head, CLASS) + 6 * number
    more, results = tl.load(entry + 2, mask=on, other=0), tl.load(entry + 5, mask=on, other=0)
    going = on & (frames + more <= MOST_PUSHED) & (level + frames + more <= ROOM)
    going = going & (bounds + results <= MOST_BOUND) & (names + bounds + results <= SLOTS)
    last = tl.load(entry + 1, mask=going, other=0) + more - 1
    frame = tl.load(items + last, mask=going & (more > 0), other=-1)
    frame = tl.maximum(frame, top(row, piece, level, frames, going & (more == 0)))
    bound = tl.load(entry + 4, mask=going, other=0) - names - bounds
    control = section(memory, head, CONTROL) + 6 * tl.load(entry, mask=going, other=0)
    first, many = tl.load(control + 4, mask=going, other=0), tl.load(control + 5, mask=going, other=0)
    going = going & (frame >= 0) & (many > 0)
    opened = on & (many < 0)
    turn = 0
    while anyone(going):
        slot = tl.load(spelled + 2 * (first + turn), mask=going, other=0)
        value = held(row, piece, names, bounds, slot, going)
        newest = going & (slot >= names + bounds) & (slot < names + bounds + results)
        value = tl.maximum(value, tl.load(items + bound + slot, mask=newest, other=-1))
        tried = value >= 0
        ended = tl.load(section(memory, head, RESULT) + value, mask=tried, other=0)
        back = find(memory, head, AFTER, frame, ended, ended * 0, tried)
        miss(codes, misses, AFTER, frame, ended, 0, back == UNKNOWN)
        opened = opened | (back >= 0)
        turn += 1
        going = going & (turn < many) & (back != UNKNOWN) & ~opened
    return opened


@triton.jit
def affordable(memory, head, row, names, scratch, count, codes, misses, on):  # type: ignore[no-untyped-def]
    """Whether some token of the pieces is paid for."""
    reaches, named = section(memory, head, REACH), section(memory, head, NAMED)
    some = on & (count < 0)
    for i in range(most(count, on)):
        here = on & (i < count) & ~some
        piece = scratch + i * PIECE
        entry = reaches + 13 * tl.load(piece, mask=here, other=0)
        left = remaining(memory, head, row, piece, here)
        some = some | (here & (tl.load(entry + 8, mask=here, other=0) <= left))
        many = tl.load(entry + 10, mask=here & ~some, other=0)
        first = tl.load(entry + 9, mask=many > 0, other=0)
        for j in range(most(many, here)):
            tried = (j < many) & ~some
            number = tl.load(named + 3 * (first + j), mask=tried, other=0)
            cost = tl.load(section(memory, head, CLASS) + 6 * number + 3, mask=tried, other=0)
            tried = tried & (cost <= left)
            if anyone(tried):
                some = some | opens(memory, head, row, names, piece, number, codes, misses, tried)
    return some


@triton.jit
def remaining(memory, head, row, piece, on):  # type: ignore[no-untyped-def]
    """What a token of a piece and the end after it may take."""
    level, frames = tl.load(piece + 1, mask=on, other=0), tl.load(piece + 2, mask=on, other=0)
    left = tl.load(row + BUDGET, mask=on, other=0) - 1 - spent(memory, head, row, piece, level, frames, on)
    return tl.minimum(left, UNPAYABLE)


@triton.jit
def planned(memory, head, row, names, codes, misses, on):  # type: ignore[no-untyped-def]
    """Plan, position, level and next token (-1: none)."""
    items, plans, spelled = section(memory, head, ITEM), section(memory, head, PLAN), section(memory, head, NAME)
    plan = tl.load(row + PLANNED, mask=on, other=-1)
    fresh = on & (plan == -1)
    position = tl.load(row + POSITION, mask=on & ~fresh, other=0)
    level = tl.load(row + LEVEL, mask=on & ~fresh, other=0)
    level = tl.where(fresh, tl.load(row + DEPTH, mask=fresh, other=0), level)
    control = section(memory, head, CONTROL) + 6 * tl.load(row + STATE, mask=fresh, other=0)
    plan = tl.where(fresh, tl.load(control + 2, mask=fresh, other=-1), plan)
    # Inside a variable's name: the first one that goes.
    many = tl.load(control + 5, mask=fresh & (plan < 0) & (level > 0), other=0)
    if anyone(many > 0):
        first = tl.load(control + 4, mask=many > 0, other=0)
        frame = tl.load(row + STACK + level - 1, mask=many > 0, other=0)
        for i in range(tl.max(many, 0)):
            slot = tl.load(spelled + 2 * (first + i), mask=(i < many) & (plan < 0), other=SLOTS)
            value = tl.load(row + ENV + slot, mask=slot < names, other=-1)
            ended = tl.load(section(memory, head, RESULT) + value, mask=value >= 0, other=0)
            back = find(memory, head, AFTER, frame, ended, ended * 0, value >= 0)
            miss(codes, misses, AFTER, frame, ended, 0, back == UNKNOWN)
            plan = tl.where(back >= 0, tl.load(spelled + 2 * (first + i) + 1, mask=back >= 0, other=-1), plan)
    token = plan * 0 - 1
    going = on & (plan >= 0)
    while anyone(going):
        entry = plans + 3 * plan
        here = going & (position < tl.load(entry + 1, mask=going, other=0))
        start = tl.load(entry, mask=here, other=0)
        token = tl.where(here, tl.load(items + start + position, mask=here, other=-1), token)
        going = going & ~here & (level > 0)
        frame = tl.load(row + STACK + level - 1, mask=going, other=0)
        result = tl.load(entry + 2, mask=going, other=0)
        result = tl.where(result < 0, tl.load(row + ENV - 1 - result, mask=result < 0, other=0), result)
        after = find(memory, head, BACK, frame, result, result * 0, going)
        miss(codes, misses, BACK, frame, result, 0, going & (after < 0))
        going = going & (after >= 0)
        plan = tl.where(going, after, plan)
        position = tl.where(going, 0, position)
        level = tl.where(going, level - 1, level)
    return plan, position, level, token


@triton.jit
def apply(memory, head, row, names, piece, number, on):  # type: ignore[no-untyped-def]
    """Enter classes from pieces; which lanes had room. The others' rows stay as they are."""
    entry = section(memory, head, CLASS) + 6 * number
    level, frames = tl.load(piece + 1, mask=on, other=0), tl.load(piece + 2, mask=on, other=0)
    bounds = tl.load(piece + 3, mask=on, other=0)
    pushed, more = tl.load(entry + 1, mask=on, other=0), tl.load(entry + 2, mask=on, other=0)
    bound, results = tl.load(entry + 4, mask=on, other=0), tl.load(entry + 5, mask=on, other=0)
    frames, bounds, fits = extend(memory, head, piece, names, level, frames, bounds, pushed, more, bound, results, on)
    total = tl.load(row + SUMS + level, mask=fits, other=0)
    for i in range(most(frames, fits)):
        here = fits & (i < frames)
        frame = tl.load(piece + OWN + i, mask=here, other=0)
        total += tl.load(section(memory, head, FRAME) + 2 * frame, mask=here, other=0)
        tl.store(row + STACK + level + i, frame, mask=here)
        tl.store(row + SUMS + level + i + 1, total, mask=here)
    for i in range(most(bounds, fits)):
        here = fits & (i < bounds)
        tl.store(row + ENV + names + i, tl.load(piece + OWN_BOUND + i, mask=here, other=0), mask=here)
    budget = tl.load(row + BUDGET, mask=fits, other=0)
    tl.debug_barrier()
    tl.store(row + NAMES, names + bounds, mask=fits)
    tl.store(row + STATE, tl.load(entry, mask=fits, other=0), mask=fits)
    tl.store(row + DEPTH, level + frames, mask=fits)
    tl.store(row + BUDGET, budget - 1, mask=fits)
    return fits
