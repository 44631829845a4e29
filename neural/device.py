"""The device executor in plain torch operations: the fallback of `kernels`, and what runs on a CPU device.

Everything of a batch is tensors of fixed shape: rows as in `core`, masks, steps. Nothing is read back to the host and
no shape depends on data, so that a step can be captured in a CUDA graph. What a row lacks in the tables it cannot ask
for: its code says MISSED, its mask is empty, it does not move, and the host may fill the gap when it next looks
(`executor.settle`), or the tables are closed beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from . import core, tables
from .machine import MAX_DEPTH
from .net import NEVER
from .reach import MAX_PUSHED

FRONT: Final = 3
"""Pieces that one round of returns may leave."""
ROUNDS: Final = 20
"""Procedures that one token, or what may follow a whole program, may return from; more is reported as an overflow."""
DENSE: Final = 6
"""Rows of bits that one mask may be made of."""
_BOUND: Final = 6

Tensor = torch.Tensor


@dataclass(frozen=True, slots=True)
class DeviceTables:
    """`Tables` on a device. keys and values: the hashed sections, sorted; starts: offsets of the others."""

    memory: Tensor
    rows: Tensor
    starts: tuple[int, ...]
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    looks: Tensor
    classes: Tensor
    ends: Tensor
    rests: int
    tiers: int
    few: int
    named: int
    names: int
    named_tokens: int
    head: Tensor
    version: int
    closed: bool

    def at(self, section: int, number: Tensor, stride: int, field: int = 0) -> Tensor:
        """A field of an entry. Numbers out of range give something, which the caller must not use."""
        index = self.starts[section] + number.long() * stride + field
        return self.memory[index.clamp(0, self.memory.numel() - 1)]

    def find(self, section: int, a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Value of a key of a hashed section, and whether it is there."""
        keys, values = self.keys[section - tables.AFTER], self.values[section - tables.AFTER]
        wanted = (a.long() << 42) | (b.long() << 21) | c.long()
        index = torch.searchsorted(keys, wanted).clamp(max=keys.numel() - 1)
        return values[index], keys[index] == wanted


def upload(source: tables.Tables, ends: np.ndarray, device: torch.device) -> DeviceTables:
    """Copy tables to a device."""

    def put(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    keys, values = [], []
    for section in range(tables.AFTER, tables.RESOLVED + 1):
        entries = np.array(source._entries(section) or [[2**20, 0, 0, 0]], dtype=np.int64)
        joined = (entries[:, 0] << 42) | (entries[:, 1] << 21) | entries[:, 2]
        order = np.argsort(joined)
        keys.append(put(joined[order]))
        values.append(put(entries[order, 3].astype(np.int32)))
    reaches = source.section(tables.REACH)
    looks = source.section(tables.LOOK)
    owner = np.repeat(np.arange(len(reaches)), reaches[:, 3])
    return DeviceTables(
        memory=put(source.written),
        rows=put(source.rows[: max(1, len(source._rows))].view(np.int32)),
        starts=tuple(int(x) for x in source.head[: tables.MASKS]),
        keys=tuple(keys),
        values=tuple(values),
        looks=put((owner.astype(np.int64) << 24) | looks[:, 0]) if len(looks) else put(np.full(1, 2**60)),
        classes=put(looks[:, 1]) if len(looks) else put(np.zeros(1, dtype=np.int32)),
        ends=put(ends.view(np.int32)),
        rests=int(reaches[:, 7].max(initial=1)),
        tiers=int(reaches[:, 5].max(initial=0)),
        few=int(reaches[:, 1].max(initial=1)),
        named=int(reaches[:, 10].max(initial=0)),
        names=int(source.section(tables.CONTROL)[:, 5].max(initial=0)),
        named_tokens=int(source.section(tables.NAMED)[:, 2].max(initial=0)),
        head=put(source.head),
        version=source.version,
        closed=bool(source.head[tables.CLOSED]),
    )


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a token can do, [batch, pieces] each: see `core`. own: frames, bound: results, [batch, pieces, ·]."""

    reach: Tensor
    level: Tensor
    frames: Tensor
    own: Tensor
    bounds: Tensor
    bound: Tensor
    alive: Tensor


@dataclass(slots=True)
class Trouble:
    """What went wrong, by row: a code of `core`, and the key that was missed, [batch, 4]. closed: nothing can be."""

    code: Tensor
    miss: Tensor
    closed: bool = False

    def missed(self, where: Tensor, section: int, a: Tensor, b: Tensor, c: Tensor) -> None:
        """Note misses, [batch, …]: any one of a row. What closed tables lack leads nowhere."""
        if self.closed and section in (tables.AFTER, tables.BEYOND, tables.RESOLVED):
            return
        where = where.flatten(1)
        index = where.int().argmax(1, keepdim=True)
        some = where.any(1)
        key = [x.expand(where.shape) if x.dim() else x for x in (a.flatten(1), b.flatten(1), c.flatten(1))]
        found = torch.stack([torch.full_like(self.code, section), *(k.gather(1, index)[:, 0].int() for k in key)], 1)
        self.miss = torch.where(some[:, None], found, self.miss)
        self.code = torch.where(some & (self.code == core.FINE), core.MISSED, self.code)

    def overflowed(self, where: Tensor) -> None:
        """Note rows without room."""
        self.code = torch.where(where.flatten(1).any(1), core.OVERFLOWED, self.code)


def trouble(dt: DeviceTables, rows: Tensor) -> Trouble:
    """Nothing wrong yet."""
    return Trouble(torch.zeros_like(rows[:, 0]), torch.zeros_like(rows[:, :4]), dt.closed)


def _extend(dt: DeviceTables, has: Tensor, count: Tensor, start: Tensor, more: Tensor, room: int) -> Tensor:
    """Sequences [..., room] of length `count` with `more` items from `start` of the tables added."""
    place = torch.arange(room, device=has.device)
    offset = place - count[..., None]
    new = dt.at(tables.ITEM, start[..., None] + offset.clamp(0, room), 1)
    return torch.where((offset >= 0) & (offset < more[..., None]), new, has)


def _pick(has: Tensor, index: Tensor) -> Tensor:
    """has [..., room] at index [...], clamped."""
    return has.gather(-1, index.long().clamp(0, has.shape[-1] - 1)[..., None])[..., 0]


def _row_at(rows: Tensor, start: int, index: Tensor, room: int) -> Tensor:
    """Field start + index of each row, index [batch, …]."""
    flat = index.long().clamp(0, room - 1).flatten(1)
    return rows[:, start : start + room].gather(1, flat).view(index.shape)


def _like(field: Tensor, shaped: Tensor) -> Tensor:
    """[batch] against [batch, …]."""
    return field.view(-1, *([1] * (shaped.dim() - 1)))


def _held(rows: Tensor, slot: Tensor, bounds: Tensor, bound: Tensor) -> Tensor:
    names = _like(rows[:, core.NAMES], slot)
    outer = _row_at(rows, core.ENV, slot, core.SLOTS)
    inner = _pick(bound, slot - names)
    return torch.where(slot < names, outer, torch.where(slot - names < bounds, inner, -1))


def _top(rows: Tensor, level: Tensor, frames: Tensor, own: Tensor) -> Tensor:
    outer = torch.where(level > 0, _row_at(rows, core.STACK, level - 1, core.ROOM), -1)
    return torch.where(frames > 0, _pick(own, frames - 1), outer)


def _resolve(
    dt: DeviceTables, rows: Tensor, ended: Tensor, bounds: Tensor, bound: Tensor, valid: Tensor, wrong: Trouble
) -> Tensor:
    slot = dt.at(tables.ENDED, ended, 3)
    held = _held(rows, slot, bounds, bound)
    filled, there = dt.find(tables.RESOLVED, ended, held.clamp(min=0), torch.zeros_like(ended))
    wrong.missed(valid & (slot >= 0) & (held >= 0) & ~there, tables.RESOLVED, ended, held, torch.zeros_like(ended))
    without = dt.at(tables.ENDED, ended, 3, 1)
    return torch.where(slot < 0, ended, torch.where(held < 0, without, torch.where(there, filled, 0)))


def pieces(dt: DeviceTables, rows: Tensor, wrong: Trouble) -> Pieces:
    """Everything a token can do, round by round of returns."""
    batch, device = rows.shape[0], rows.device
    zero = torch.zeros((batch, 1), dtype=torch.int32, device=device)
    reach = dt.at(tables.CONTROL, rows[:, core.STATE : core.STATE + 1], 6, 3)
    alive = rows[:, core.DONE : core.DONE + 1] == 0
    state = rows[:, core.STATE : core.STATE + 1]
    wrong.missed(alive & (reach < 0), tables.MISS_REACH, state, zero, zero)
    now = Pieces(
        reach,
        rows[:, core.DEPTH : core.DEPTH + 1],
        zero,
        torch.zeros((batch, 1, MAX_PUSHED), dtype=torch.int32, device=device),
        zero,
        torch.zeros((batch, 1, _BOUND), dtype=torch.int32, device=device),
        alive & (reach >= 0),
    )
    found = [now]
    for _ in range(ROUNDS):
        now = _returned(dt, rows, now, wrong)
        found.append(now)
    wrong.overflowed(_returned(dt, rows, now, wrong).alive)
    return Pieces(*(torch.cat([getattr(p, name) for p in found], 1) for name in Pieces.__slots__))


def _returned(dt: DeviceTables, rows: Tensor, now: Pieces, wrong: Trouble) -> Pieces:
    width = now.reach.shape[1]
    turn = torch.arange(dt.rests, device=rows.device)
    count = dt.at(tables.REACH, now.reach, 13, 7)
    rest = (dt.at(tables.REACH, now.reach, 13, 6))[..., None] + turn
    valid = now.alive[..., None] & (turn < count[..., None])
    ended, place, pushed, more, start, results = (dt.at(tables.REST, rest, 6, field) for field in range(6))
    level = now.level[..., None].expand(rest.shape)
    frames, bounds = now.frames[..., None].expand(rest.shape), now.bounds[..., None].expand(rest.shape)
    room = (frames + more > MAX_PUSHED) | (level + frames + more > core.ROOM) | (bounds + results > _BOUND)
    wrong.overflowed(valid & room)
    own = _extend(dt, now.own[:, :, None].expand(*rest.shape, MAX_PUSHED), frames, pushed, more, MAX_PUSHED)
    bound = _extend(dt, now.bound[:, :, None].expand(*rest.shape, _BOUND), bounds, start, results, _BOUND)
    frames, bounds = frames + more, bounds + results
    frame = _top(rows, level, frames, own)
    valid = valid & (frame >= 0) & ~room
    ended = _resolve(dt, rows, ended, bounds, bound, valid, wrong)
    valid = valid & (ended > 0)
    beyond, there = dt.find(tables.BEYOND, frame.clamp(min=0), ended, place)
    wrong.missed(valid & ~there, tables.BEYOND, frame, ended, place)
    valid = valid & there & (beyond >= 0)
    level, frames, bounds, bound, fits = _pop(dt, rows, frame, level, frames, bounds, bound, ended)
    wrong.overflowed(valid & ~fits)
    flat = Pieces(
        beyond.flatten(1), level.flatten(1), frames.flatten(1), own.flatten(1, 2), bounds.flatten(1),
        bound.flatten(1, 2), (valid & fits).flatten(1),
    )  # fmt: skip
    wrong.overflowed(flat.alive.sum(1, keepdim=True) > FRONT)
    front = min(FRONT, width * dt.rests)
    order = torch.argsort((~flat.alive).int(), dim=1, stable=True)[:, :front]
    return Pieces(*(_take(getattr(flat, name), order) for name in Pieces.__slots__))


def _take(values: Tensor, order: Tensor) -> Tensor:
    if values.dim() == 2:
        return values.gather(1, order)
    return values.gather(1, order[..., None].expand(*order.shape, values.shape[-1]))


def _pop(
    dt: DeviceTables,
    rows: Tensor,
    frame: Tensor,
    level: Tensor,
    frames: Tensor,
    bounds: Tensor,
    bound: Tensor,
    ended: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    level = torch.where(frames > 0, level, level - 1)
    frames = (frames - 1).clamp(min=0)
    binds = dt.at(tables.FRAME, frame.clamp(min=0), 2, 1) != 0
    result = dt.at(tables.ENDED, ended, 3, 2)
    names = _like(rows[:, core.NAMES], bounds)
    fits = ~binds | ((result >= 0) & (bounds < _BOUND) & (names + bounds < core.SLOTS))
    here = torch.arange(bound.shape[-1], device=rows.device) == bounds[..., None]
    bound = torch.where(here & binds[..., None], result[..., None], bound)
    return level, frames, bounds + binds.int(), bound, fits


def complete(dt: DeviceTables, rows: Tensor, wrong: Trouble) -> Tensor:
    """bool [batch]: whether each row is a whole program."""
    one = rows[:, :1]
    ended = dt.at(tables.CONTROL, rows[:, core.STATE : core.STATE + 1], 6)
    level, bounds = rows[:, core.DEPTH : core.DEPTH + 1], torch.zeros_like(one)
    bound = torch.zeros((*one.shape, core.SLOTS), dtype=torch.int32, device=rows.device)
    whole = torch.zeros_like(one, dtype=torch.bool)
    zero = torch.zeros_like(one)
    for _ in range(ROUNDS):
        going = (ended > 0) & ~whole
        ended = torch.where(going, _resolve(dt, rows, ended, bounds, bound, going, wrong), 0)
        going = ended > 0
        whole = whole | (going & (level == 0))
        going = going & (level > 0)
        frame = _row_at(rows, core.STACK, level - 1, core.ROOM)
        back, there = dt.find(tables.AFTER, frame, ended, zero)
        wrong.missed(going & ~there, tables.AFTER, frame, ended, zero)
        going = going & there & (back >= 0)
        level, _, bounds, bound, fits = _pop(dt, rows, frame, level, zero, bounds, bound, ended)
        ended = torch.where(going & fits, dt.at(tables.CONTROL, back, 6), 0)
    wrong.overflowed((ended > 0) & ~whole)
    return whole[:, 0]


def _spent(dt: DeviceTables, rows: Tensor, found: Pieces) -> Tensor:
    own = torch.arange(MAX_PUSHED, device=rows.device) < found.frames[..., None]
    extra = torch.where(own, dt.at(tables.FRAME, found.own, 2), 0).sum(-1)
    return _row_at(rows, core.SUMS, found.level, core.ROOM + 1) + extra


def _opens(dt: DeviceTables, rows: Tensor, found: Pieces, number: Tensor, valid: Tensor, wrong: Trouble) -> Tensor:
    """Whether classes [batch, pieces, …] inside variables' names may be entered."""
    shape = number.shape

    def wide(each: Tensor) -> Tensor:
        return each.view(*each.shape[:2], *([1] * (len(shape) - 2)), *each.shape[2:])

    control, pushed, more, _, start, results = (dt.at(tables.CLASS, number, 6, field) for field in range(6))
    frames, bounds = wide(found.frames).expand(shape), wide(found.bounds).expand(shape)
    own = _extend(dt, wide(found.own).expand(*shape, MAX_PUSHED), frames, pushed, more, MAX_PUSHED)
    bound = _extend(dt, wide(found.bound).expand(*shape, _BOUND), bounds, start, results, _BOUND)
    frame = _top(rows, wide(found.level).expand(shape), frames + more, own)
    valid = valid & (frame >= 0) & (frames + more <= MAX_PUSHED)
    opens = torch.zeros_like(valid)
    zero = torch.zeros_like(frame)
    for i in range(dt.names):
        slot = dt.at(tables.NAME, dt.at(tables.CONTROL, control, 6, 4) + i, 2)
        held = _held(rows, slot, bounds + results, bound)
        here = valid & (i < dt.at(tables.CONTROL, control, 6, 5)) & (held >= 0)
        ended = dt.at(tables.RESULT, held.clamp(min=0), 1)
        back, there = dt.find(tables.AFTER, frame.clamp(min=0), ended, zero)
        wrong.missed(here & ~there, tables.AFTER, frame, ended, zero)
        opens = opens | (here & there & (back >= 0))
    return opens


def planned(dt: DeviceTables, rows: Tensor, active: Tensor, wrong: Trouble) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Plan, position, level and next token (-1: none) of each row, [batch] each."""
    fresh = rows[:, core.PLANNED] == core.NO_PLAN
    state = rows[:, core.STATE]
    plan = torch.where(fresh, dt.at(tables.CONTROL, state, 6, 2), rows[:, core.PLANNED])
    position = torch.where(fresh, 0, rows[:, core.POSITION])
    level = torch.where(fresh, rows[:, core.DEPTH], rows[:, core.LEVEL])
    zero = torch.zeros_like(plan)
    names = rows[:, core.NAMES]
    top = _row_at(rows, core.STACK, level[:, None] - 1, core.ROOM)[:, 0]
    for i in range(dt.names):
        name = dt.at(tables.CONTROL, state, 6, 4) + i
        slot = dt.at(tables.NAME, name, 2)
        here = active & fresh & (plan < 0) & (i < dt.at(tables.CONTROL, state, 6, 5)) & (slot < names) & (level > 0)
        held = _row_at(rows, core.ENV, slot[:, None], core.SLOTS)[:, 0]
        ended = dt.at(tables.RESULT, held, 1)
        back, there = dt.find(tables.AFTER, top, ended, zero)
        wrong.missed((here & ~there)[:, None], tables.AFTER, top[:, None], ended[:, None], zero[:, None])
        plan = torch.where(here & there & (back >= 0), dt.at(tables.NAME, name, 2, 1), plan)
    token = torch.full_like(plan, -1)
    going = active & (plan >= 0)
    for _ in range(ROUNDS):
        here = going & (position < dt.at(tables.PLAN, plan, 3, 1))
        token = torch.where(here, dt.at(tables.ITEM, dt.at(tables.PLAN, plan, 3) + position, 1), token)
        going = going & ~here & (level > 0)
        frame = _row_at(rows, core.STACK, level[:, None] - 1, core.ROOM)[:, 0]
        result = dt.at(tables.PLAN, plan, 3, 2)
        held = _row_at(rows, core.ENV, (-1 - result)[:, None], core.SLOTS)[:, 0]
        result = torch.where(result < 0, held, result)
        next_, there = dt.find(tables.BACK, frame, result, zero)
        wrong.missed((going & ~there)[:, None], tables.BACK, frame[:, None], result[:, None], zero[:, None])
        going = going & there
        plan, position = torch.where(going, next_, plan), torch.where(going, 0, position)
        level = torch.where(going, level - 1, level)
    wrong.overflowed(going[:, None])
    return plan, position, level, token


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a mask is made of. dense: rows of bits [batch, DENSE] (-1: none); tokens: single ones [batch, ·] (-1:
    none); ended: whether it is the end tokens; bad: rows that allow nothing because something is wrong."""

    dense: Tensor
    tokens: Tensor
    ended: Tensor


def recipe(dt: DeviceTables, rows: Tensor) -> tuple[Recipe, Trouble]:
    """What each row allows, short of writing it down."""
    wrong = trouble(dt, rows)
    done = rows[:, core.DONE] != 0
    whole = complete(dt, rows, wrong) & ~done
    found = pieces(dt, rows, wrong)
    free = ~done & (rows[:, core.PLANNED] == core.NO_PLAN) & (rows[:, core.DEPTH] < MAX_DEPTH)
    left = (rows[:, core.BUDGET, None] - 1 - _spent(dt, rows, found)).clamp(max=NEVER - 1)
    open_ = found.alive & free[:, None]
    paid = open_ & (dt.at(tables.REACH, found.reach, 13, 8) <= left)
    many = dt.at(tables.REACH, found.reach, 13, 5)
    tokens = [_few(dt, found, paid & (many == 0), left)]
    some = paid.any(1)
    if dt.named:
        extra, opened = _named(dt, rows, found, open_, left, wrong)
        tokens.append(extra)
        some = some | opened
    tier = torch.full_like(many, -1)
    for i in range(dt.tiers):
        at = dt.at(tables.REACH, found.reach, 13, 4) + i
        tier = torch.where((i < many) & (dt.at(tables.ROW, at, 2) <= left), dt.at(tables.ROW, at, 2, 1), tier)
    dense = torch.where(paid & (many > 0), tier, -1)
    order = torch.argsort((dense < 0).int(), dim=1, stable=True)[:, :DENSE]
    wrong.overflowed((dense >= 0).sum(1, keepdim=True) > DENSE)
    _, _, _, token = planned(dt, rows, ~done & ~whole & ~some, wrong)
    tokens.append(token[:, None])
    fine = wrong.code == core.FINE
    every = torch.where(fine[:, None], torch.cat(tokens, 1), -1)
    return Recipe(torch.where(fine[:, None], dense.gather(1, order), -1), every, (done | whole) & fine), wrong


def _few(dt: DeviceTables, found: Pieces, paid: Tensor, left: Tensor) -> Tensor:
    turn = torch.arange(dt.few, device=left.device)
    at = dt.at(tables.REACH, found.reach, 13)[..., None] + turn
    fits = paid[..., None] & (turn < dt.at(tables.REACH, found.reach, 13, 1)[..., None])
    fits = fits & (dt.at(tables.TOKEN, at, 2, 1) <= left[..., None])
    return torch.where(fits, dt.at(tables.TOKEN, at, 2), -1).flatten(1)


def _named(
    dt: DeviceTables, rows: Tensor, found: Pieces, open_: Tensor, left: Tensor, wrong: Trouble
) -> tuple[Tensor, Tensor]:
    turn = torch.arange(dt.named, device=rows.device)
    at = dt.at(tables.REACH, found.reach, 13, 9)[..., None] + turn
    valid = open_[..., None] & (turn < dt.at(tables.REACH, found.reach, 13, 10)[..., None])
    number, start, count = (dt.at(tables.NAMED, at, 3, field) for field in range(3))
    valid = valid & (dt.at(tables.CLASS, number, 6, 3) <= left[..., None])
    opens = _opens(dt, rows, found, number, valid, wrong)
    place = torch.arange(dt.named_tokens, device=rows.device)
    tokens = dt.at(tables.ITEM, start[..., None] + place, 1)
    return torch.where(opens[..., None] & (place < count[..., None]), tokens, -1).flatten(1), opens.flatten(1).any(1)


def packed(dt: DeviceTables, made: Recipe) -> Tensor:
    """The mask of a recipe as bits: int32 [batch, words]."""
    out = torch.where(made.ended[:, None], dt.ends, torch.zeros_like(dt.ends))
    for i in range(made.dense.shape[1]):
        row = made.dense[:, i]
        out = out | torch.where(row[:, None] >= 0, dt.rows[row.clamp(min=0).long()], 0)
    flags = torch.zeros((out.shape[0], out.shape[1] * 32 + 1), dtype=torch.bool, device=out.device)
    index = torch.where(made.tokens >= 0, made.tokens, out.shape[1] * 32).long()
    flags.scatter_(1, index, torch.ones_like(index, dtype=torch.bool))
    bits = flags[:, :-1].view(out.shape[0], -1, 32).int() << torch.arange(32, device=out.device, dtype=torch.int32)
    return out | bits.sum(-1, dtype=torch.int32)


def unpacked(bits: Tensor, size: int) -> Tensor:
    """Bits as bool [batch, size]."""
    flags = (bits[:, :, None] >> torch.arange(32, device=bits.device, dtype=torch.int32)) & 1
    return flags.flatten(1)[:, :size].bool()


def advance(dt: DeviceTables, rows: Tensor, tokens: Tensor) -> tuple[Tensor, Trouble]:
    """Rows after a token each; a row whose code is not FINE is as it was."""
    wrong = trouble(dt, rows)
    tokens = tokens.int()
    done = rows[:, core.DONE] != 0
    whole = complete(dt, rows, wrong)
    inside = (tokens >= 0) & (tokens < dt.ends.numel() * 32)
    word = dt.ends[(tokens >> 5).long().clamp(0, dt.ends.numel() - 1)]
    ends = inside & (((word >> (tokens & 31)) & 1) != 0)
    found = pieces(dt, rows, wrong)
    left = (rows[:, core.BUDGET, None] - 1 - _spent(dt, rows, found)).clamp(max=NEVER - 1)
    wanted = (found.reach.long() << 24) | tokens.long().clamp(0, 2**24 - 1)[:, None]
    index = torch.searchsorted(dt.looks, wanted).clamp(max=dt.looks.numel() - 1)
    listed = dt.looks[index] == wanted
    most = dt.at(tables.REACH, found.reach, 13, 11)
    bits = dt.at(tables.REACH, found.reach, 13, 12) + (tokens >> 5).clamp(0, dt.ends.numel() - 1)[:, None]
    together = (most >= 0) & (((dt.at(tables.ITEM, bits, 1) >> (tokens & 31)[:, None]) & 1) != 0)
    here = found.alive & (listed | together) & inside[:, None]
    first = here.int().argmax(1, keepdim=True)
    has = here.any(1)
    piece = Pieces(*(_take(getattr(found, name), first) for name in Pieces.__slots__))
    number = torch.where(listed, dt.classes[index], most).gather(1, first)
    planned_ = rows[:, core.PLANNED] != core.NO_PLAN
    free = ~planned_ & (rows[:, core.DEPTH] < MAX_DEPTH)
    cost = dt.at(tables.CLASS, number, 6, 3)
    named = dt.at(tables.CONTROL, dt.at(tables.CLASS, number, 6), 6, 5) > 0
    goes = (has & free & ~done & ~ends)[:, None] & (cost <= left.gather(1, first))
    if dt.named:
        goes = goes & (~named | _opens(dt, rows, piece, number, goes & named, wrong))
    some = (found.alive & (dt.at(tables.REACH, found.reach, 13, 8) <= left)).any(1)
    if dt.named:
        some = some | _named(dt, rows, found, found.alive, left, wrong)[1]
    due = has & ~done & ~ends & ~whole & ~(free & some) & ~goes[:, 0]
    plan, position, level, token = planned(dt, rows, due, wrong)
    follows = due & (token == tokens)
    moved, fits = _apply(dt, rows, piece, number)
    moved[:, core.PLANNED] = torch.where(follows, plan, moved[:, core.PLANNED])
    moved[:, core.POSITION] = torch.where(follows, position + 1, moved[:, core.POSITION])
    moved[:, core.LEVEL] = torch.where(follows, level, moved[:, core.LEVEL])
    goes_on = (goes[:, 0] & ~(planned_ & whole)) | follows
    wrong.overflowed((goes_on & ~fits)[:, None])
    over = ends & whole & ~done
    refused = ~done & ~goes_on & ~over & (wrong.code == core.FINE)
    wrong.code = torch.where(refused, core.REFUSED, wrong.code)
    wrong.code = torch.where(done, core.FINE, wrong.code)
    fine = wrong.code == core.FINE
    out = torch.where((goes_on & fine)[:, None], moved, rows)
    out[:, core.DONE] = torch.where(over & fine, 1, out[:, core.DONE])
    return out, wrong


def _apply(dt: DeviceTables, rows: Tensor, piece: Pieces, number: Tensor) -> tuple[Tensor, Tensor]:
    """Rows with a class [batch, 1] entered from a piece; whether there was room."""
    control, pushed, more, _, start, results = (dt.at(tables.CLASS, number, 6, field) for field in range(6))
    own = _extend(dt, piece.own, piece.frames, pushed, more, MAX_PUSHED)[:, 0]
    bound = _extend(dt, piece.bound, piece.bounds, start, results, _BOUND)[:, 0]
    frames, bounds = (piece.frames + more)[:, 0], (piece.bounds + results)[:, 0]
    level, names = piece.level[:, 0], rows[:, core.NAMES]
    fits = (frames <= MAX_PUSHED) & (level + frames <= core.ROOM) & (bounds <= _BOUND) & (names + bounds <= core.SLOTS)
    place = torch.arange(core.ROOM, device=rows.device)
    offset = place - level[:, None]
    new = _pick(own[:, None].expand(-1, core.ROOM, -1), offset)
    inside = (offset >= 0) & (offset < frames[:, None])
    out = rows.clone()
    out[:, core.STACK : core.STACK + core.ROOM] = torch.where(inside, new, rows[:, core.STACK : core.STACK + core.ROOM])
    costs = torch.where(inside, dt.at(tables.FRAME, new, 2), 0).cumsum(1).int()
    base = _row_at(rows, core.SUMS, level[:, None], core.ROOM + 1)
    sums = out[:, core.SUMS + 1 : core.SUMS + core.ROOM + 1]
    out[:, core.SUMS + 1 : core.SUMS + core.ROOM + 1] = torch.where(inside, base + costs, sums)
    slot = torch.arange(core.SLOTS, device=rows.device) - names[:, None]
    value = _pick(bound[:, None].expand(-1, core.SLOTS, -1), slot)
    env = out[:, core.ENV : core.ENV + core.SLOTS]
    out[:, core.ENV : core.ENV + core.SLOTS] = torch.where((slot >= 0) & (slot < bounds[:, None]), value, env)
    out[:, core.NAMES] = names + bounds
    out[:, core.STATE] = control[:, 0]
    out[:, core.DEPTH] = level + frames
    out[:, core.BUDGET] = rows[:, core.BUDGET] - 1
    return out, fits


def gather(rows: Tensor, index: "Tensor | Sequence[int]") -> Tensor:
    """Rows picked by index."""
    at = index if isinstance(index, torch.Tensor) else torch.tensor(list(index), device=rows.device)
    return rows[at.long()]
