"""The device executor's Triton kernels: what `core` does for a row, for blocks of rows at once (`lanes`).

`recipe` works out what a row allows (rows of bits, lists of tokens, the plan's token, whether the end tokens); `write`
turns that into bits; `advance` takes a token. Everything is read from the tables on the device.
"""

import torch
import triton
import triton.language as tl

from . import core
from .device import DeviceTables, Trouble
from .lane_rules import affordable, apply, complete, opens, pieces, planned, remaining
from .lanes import (
    CLASS,
    CONTROL,
    DEPTH,
    DONE,
    ITEM,
    LEVEL,
    NAMED,
    NAMES,
    OVERFLOWED,
    PIECE,
    PLANNED,
    POSITION,
    QUEUE,
    REACH,
    REFUSED,
    ROW,
    TOKEN,
    WIDTH,
    anyone,
    begin,
    fine,
    look,
    most,
    section,
    wrong,
)
from .machine import MAX_DEPTH

Tensor = torch.Tensor
_ENTRIES = 256
"""Room of a recipe: rows of bits and lists of tokens, four numbers each."""

ENTRIES, DEEPEST = tl.constexpr(_ENTRIES), tl.constexpr(MAX_DEPTH)
BITS, PAIRS, SINGLES = tl.constexpr(0), tl.constexpr(1), tl.constexpr(2)


@triton.jit
def _note(recipe, count, kind, start, many, left, codes, on):  # type: ignore[no-untyped-def]
    """Add an entry to recipes: a row of bits; tokens with their costs, of which `left` is paid for; tokens."""
    wrong(codes, OVERFLOWED, on & (count >= ENTRIES))
    on = on & (count < ENTRIES)
    entry = recipe + 4 * count
    tl.store(entry, kind, mask=on)
    tl.store(entry + 1, start, mask=on)
    tl.store(entry + 2, many, mask=on)
    tl.store(entry + 3, left, mask=on)
    return count + on.to(tl.int32)


@triton.jit(do_not_specialize=["batch"])  # type: ignore[untyped-decorator]
def _recipe(memory, head, rows, scratches, recipes, flags, codes, misses, batch, ROWS: tl.constexpr):  # type: ignore[no-untyped-def]
    """What rows allow, into their recipes; flags: how many entries, whether the end tokens, the plan's token or -1."""
    which = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    on = which < batch
    row, codes, misses = rows + which * WIDTH, codes + which, misses + which * 4
    scratch, recipe = scratches + which * (QUEUE * PIECE), recipes + which * (4 * ENTRIES)
    begin(codes, misses, on)
    reaches, classes = section(memory, head, REACH), section(memory, head, CLASS)
    named, tiers = section(memory, head, NAMED), section(memory, head, ROW)
    done = on & (tl.load(row + DONE, mask=on, other=0) != 0)
    live = on & ~done
    names = tl.load(row + NAMES, mask=live, other=0)
    whole = complete(memory, head, row, names, scratch, codes, misses, live)
    free = fine(codes, live) & (tl.load(row + PLANNED, mask=live, other=0) == -1)
    free = free & (tl.load(row + DEPTH, mask=live, other=0) < DEEPEST)
    total = pieces(memory, head, row, names, scratch, codes, misses, free)
    count = total * 0
    some = on & (which < 0)
    for i in range(most(total, free)):
        here = free & (i < total)
        piece = scratch + i * PIECE
        entry = reaches + 13 * tl.load(piece, mask=here, other=0)
        left = remaining(memory, head, row, piece, here)
        many = tl.load(entry + 10, mask=here, other=0)
        first = tl.load(entry + 9, mask=many > 0, other=0)
        for j in range(tl.max(many, 0)):
            tried = j < many
            at = named + 3 * (first + j)
            number = tl.load(at, mask=tried, other=0)
            tried = tried & (tl.load(classes + 6 * number + 3, mask=tried, other=0) <= left)
            if anyone(tried):
                opened = opens(memory, head, row, names, piece, number, codes, misses, tried)
                start, tokens = tl.load(at + 1, mask=opened, other=0), tl.load(at + 2, mask=opened, other=0)
                count = _note(recipe, count, SINGLES, start, tokens, 0, codes, opened)
                some = some | opened
        paid = here & (tl.load(entry + 8, mask=here, other=0) <= left)
        some = some | paid
        many = tl.load(entry + 5, mask=paid, other=0)
        tiered = many > 0
        if anyone(tiered):
            tier = tl.load(entry + 4, mask=tiered, other=0) + many - 1
            over = tl.load(tiers + 2 * tier, mask=tiered, other=0) > left
            over = over & tiered
            while anyone(over):
                tier = tl.where(over, tier - 1, tier)
                over = over & (tl.load(tiers + 2 * tier, mask=over, other=0) > left)
            bits = tl.load(tiers + 2 * tier + 1, mask=tiered, other=0)
            count = _note(recipe, count, BITS, bits, 0, 0, codes, tiered)
        few = paid & (many == 0)
        if anyone(few):
            start, tokens = tl.load(entry, mask=few, other=0), tl.load(entry + 1, mask=few, other=0)
            count = _note(recipe, count, PAIRS, start, tokens, left, codes, few)
    token = count * 0 - 1
    stuck = fine(codes, live) & ~whole & ~some
    if anyone(stuck):
        _, _, _, token = planned(memory, head, row, names, codes, misses, stuck)
        wrong(codes, OVERFLOWED, stuck & (token < 0))
    able = fine(codes, on)
    tl.store(flags + 3 * which, tl.where(able, count, 0), mask=on)
    tl.store(flags + 3 * which + 1, (able & (done | whole)).to(tl.int32), mask=on)
    tl.store(flags + 3 * which + 2, tl.where(able, token, -1), mask=on)


@triton.jit(do_not_specialize=["batch"])  # type: ignore[untyped-decorator]
def _write(  # type: ignore[no-untyped-def]
    memory, head, bits, ends, recipes, flags, out, batch, words, ROWS: tl.constexpr, BLOCK: tl.constexpr,
    CHUNK: tl.constexpr,
):  # fmt: skip
    """Recipes as bits: a block of words of a block of rows. Lists of tokens are read in every block of words."""
    which = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    low = tl.program_id(1) * BLOCK
    offsets, turns = low + tl.arange(0, BLOCK), tl.arange(0, CHUNK)
    on = which < batch
    inside = on[:, None] & (offsets < words)[None, :]
    recipe, into = recipes + which * (4 * ENTRIES), out + which.to(tl.int64) * words
    count = tl.load(flags + 3 * which, mask=on, other=0)
    ended = tl.load(flags + 3 * which + 1, mask=on, other=0)
    token = tl.load(flags + 3 * which + 2, mask=on, other=-1)
    word = tl.load(ends + offsets, mask=offsets < words, other=0)[None, :] * ended[:, None]
    word |= tl.where(offsets[None, :] == (token >> 5)[:, None], (1 << (token & 31))[:, None], 0)
    for i in range(tl.max(count, 0)):
        kind = tl.load(recipe + 4 * i, mask=i < count, other=-1)
        dense = kind == BITS
        if anyone(dense):
            start = bits + tl.load(recipe + 4 * i + 1, mask=dense, other=0).to(tl.int64) * words
            word |= tl.load(start[:, None] + offsets[None, :], mask=inside & dense[:, None], other=0)
    tl.store(into[:, None] + offsets[None, :], word, mask=inside)
    tl.debug_barrier()
    pairs, items = tl.load(head + TOKEN), tl.load(head + ITEM)
    for i in range(tl.max(count, 0)):
        kind = tl.load(recipe + 4 * i, mask=i < count, other=BITS)
        start = tl.load(recipe + 4 * i + 1, mask=kind != BITS, other=0)
        many = tl.load(recipe + 4 * i + 2, mask=kind != BITS, other=0)
        priced, left = kind == PAIRS, tl.load(recipe + 4 * i + 3, mask=kind == PAIRS, other=0)
        stride = tl.where(priced, 2, 1)
        begins = memory + tl.where(priced, pairs, items) + start * stride
        for j in range(0, tl.max(many, 0), CHUNK):
            at = begins[:, None] + (j + turns)[None, :] * stride[:, None]
            listed = (j + turns)[None, :] < many[:, None]
            cost = tl.load(at + 1, mask=listed & priced[:, None], other=0)
            listed = listed & (cost <= left[:, None])
            each = tl.load(at, mask=listed, other=0)
            listed = listed & ((each >> 5) >= low) & ((each >> 5) < low + BLOCK)
            tl.atomic_or(into[:, None] + (each >> 5), 1 << (each & 31), mask=listed, sem="relaxed")


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


@triton.jit(do_not_specialize=["batch"])  # type: ignore[untyped-decorator]
def _advance(  # type: ignore[no-untyped-def]
    memory, head, ends, rows, tokens, scratches, codes, misses, batch, words, ROWS: tl.constexpr
):  # fmt: skip
    """Take a token each, in place; rows that something is wrong with stay as they are."""
    which = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    on = which < batch
    row, codes, misses = rows + which * WIDTH, codes + which, misses + which * 4
    scratch = scratches + which * (QUEUE * PIECE)
    begin(codes, misses, on)
    classes = section(memory, head, CLASS)
    live = on & (tl.load(row + DONE, mask=on, other=0) == 0)
    given = tl.load(tokens + which, mask=live, other=-1)
    inside = (given >= 0) & ((given >> 5) < words)
    token = tl.where(inside, given, 0).to(tl.int32)
    names = tl.load(row + NAMES, mask=live, other=0)
    whole = complete(memory, head, row, names, scratch, codes, misses, inside)
    word = tl.load(ends + (token >> 5), mask=inside, other=0)
    ending = ((word >> (token & 31)) & 1) != 0
    over = ending & whole
    follows = tl.load(row + PLANNED, mask=live, other=-1) != -1
    goes_on = fine(codes, inside) & ~ending & ~(follows & whole)
    free = goes_on & ~follows & (tl.load(row + DEPTH, mask=live, other=0) < DEEPEST)
    total = pieces(memory, head, row, names, scratch, codes, misses, goes_on)
    goes_on = fine(codes, goes_on)
    number, at = total * 0 - 1, total * 0
    for i in range(most(total, goes_on)):
        here = goes_on & (i < total) & (number < 0)
        found = look(memory, head, tl.load(scratch + i * PIECE, mask=here, other=0), token, here)
        at = tl.where(found >= 0, i, at)
        number = tl.maximum(number, found)
    piece = scratch + at * PIECE
    goes_on = number >= 0
    goes = free & goes_on
    cost = tl.load(classes + 6 * number + 3, mask=goes, other=0)
    goes = goes & (cost <= remaining(memory, head, row, piece, goes))
    control = tl.load(classes + 6 * number, mask=goes, other=0)
    named = tl.load(section(memory, head, CONTROL) + 6 * control + 5, mask=goes, other=0) > 0
    if anyone(named):
        goes = goes & (opens(memory, head, row, names, piece, number, codes, misses, named) | ~named)
    due = fine(codes, goes_on) & ~goes & ~whole
    if anyone(due & free):
        paid = affordable(memory, head, row, names, scratch, total, codes, misses, due & free)
        due = fine(codes, due) & ~paid
    plan, position, level = number * 0, number * 0, number * 0
    if anyone(due):
        plan, position, level, wanted = planned(memory, head, row, names, codes, misses, due)
        due = due & (wanted == token)
    goes = fine(codes, goes | due)
    wrong(codes, REFUSED, live & ~over & ~goes)
    tl.store(row + DONE, 1, mask=over)
    fits = apply(memory, head, row, names, piece, number, goes)
    wrong(codes, OVERFLOWED, goes & ~fits)
    due = due & fits
    tl.store(row + PLANNED, plan, mask=due)
    tl.store(row + POSITION, position + 1, mask=due)
    tl.store(row + LEVEL, level, mask=due)


def _block(rows: Tensor) -> int:
    """Rows that one program handles: a warp of them, whatever the batch, so that there is one program to compile; all
    of them in the interpreter, where programs run one after the other.

    With 256 random rows, the longest program in blocks of 32 loads 1.2 (advance) to 1.5 times (recipe) as often as the
    longest for a single row, and all together a thirteenth to a sixth; which is faster on a GPU was not measured.
    """
    return 32 if rows.is_cuda else min(triton.next_power_of_2(rows.shape[0]), 1 << 14)


def _room(rows: Tensor) -> tuple[Tensor, Trouble]:
    """Scratch memory, and where to write what went wrong; the kernels initialize what they read."""
    batch = rows.shape[0]
    scratch, code, miss = (
        torch.empty(shape, dtype=torch.int32, device=rows.device)
        for shape in ((batch, core._QUEUE * core._PIECE), (batch,), (batch, 4))
    )
    return scratch, Trouble(code, miss)


def bits(dt: DeviceTables, rows: Tensor) -> tuple[Tensor, Trouble]:
    """Masks as bits, int32 [batch, words]; a row that something is wrong with allows nothing."""
    batch, words = rows.shape[0], dt.ends.numel()
    scratch, wrong_ = _room(rows)
    recipes = torch.empty((batch, 4 * _ENTRIES), dtype=torch.int32, device=rows.device)
    flags = torch.empty((batch, 3), dtype=torch.int32, device=rows.device)
    out = torch.empty((batch, words), dtype=torch.int32, device=rows.device)
    block = _block(rows)
    _recipe[(triton.cdiv(batch, block),)](
        dt.memory, dt.head, rows, scratch, recipes, flags, wrong_.code, wrong_.miss, batch, ROWS=block, num_warps=1
    )
    if rows.is_cuda:
        block = 1
    wide = min(1024, triton.next_power_of_2(words))
    _write[(triton.cdiv(batch, block), triton.cdiv(words, wide))](
        dt.memory, dt.head, dt.rows, dt.ends, recipes, flags, out, batch, words, ROWS=block, BLOCK=wide, CHUNK=128
    )
    return out, wrong_


def advance(dt: DeviceTables, rows: Tensor, tokens: Tensor) -> tuple[Tensor, Trouble]:
    """Rows after a token each; a row whose code is not FINE is as it was."""
    scratch, wrong_ = _room(rows)
    moved, batch, block = rows.clone(), rows.shape[0], _block(rows)
    _advance[(triton.cdiv(batch, block),)](
        dt.memory, dt.head, dt.ends, moved, tokens, scratch, wrong_.code, wrong_.miss, batch, dt.ends.numel(),
        ROWS=block, num_warps=1,
    )  # fmt: skip
    return moved, wrong_


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
