"""The ground types that Lispress programs of a schema may have in the decoder, numbered: the *universe*.

Leaves are the schema's types without arguments, and what its signatures say with two or more arguments
(`Fn[WeatherTable, T]`) over those. Constructors of one argument (`List`, `Spec`, `Ref`) go around a type without
arguments, and around one with arguments where some signature puts that constructor around that one (`Spec[Ref[T]]`),
as deep as the contract says. So a set of types is an array of numbers, and a signature's type over all values of a
variable is one gather.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..compiler.schema import Function, Schema
from ..compiler.types import BOOL, DYNAMIC, INT, NUMBER, TEXT, UNIT, Con, Param, Type, parts, substitute
from ..targets.dataflow.names import lispress_type
from ..targets.dataflow.sexp import write
from ..targets.dataflow.writer import type_sexp

Ids = NDArray[np.int32]
NONE = -1
"""No type: deeper than the universe."""


@dataclass(frozen=True)
class Universe:
    """types[i] is type i; inner[i] is the number of its only argument (NONE for a leaf), depth[i] how deep it nests.

    over[c][i] is the number of c[types[i]], NONE where that is too deep.
    """

    types: tuple[Con, ...]
    inner: Ids
    depth: Ids
    over: dict[str, Ids]

    @cached_property
    def number(self) -> dict[Type, int]:
        """Types by number, inverted."""
        return {type_: i for i, type_ in enumerate(self.types)}

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """How Lispress spells each type."""
        return tuple(write(type_sexp(lispress_type(type_))) for type_ in self.types)

    @cached_property
    def _wide(self) -> dict[tuple[str, int], dict[tuple[int, ...], int]]:
        """Types of several arguments by constructor: from the arguments' numbers to theirs."""
        found: dict[tuple[str, int], dict[tuple[int, ...], int]] = {}
        for i, type_ in enumerate(self.types):
            if len(type_.args) > 1:
                of = found.setdefault((type_.name, len(type_.args)), {})
                of[tuple(self.number.get(a, NONE) for a in type_.args)] = i
        return found

    def instances(self, type_: Type, columns: Sequence[str], rows: Ids) -> Ids:
        """The numbers of a signature's type for each row of values of its variables; NONE where there is none."""
        if isinstance(type_, Param):
            return rows[:, columns.index(type_.name)]
        if not isinstance(type_, Con):
            return np.full(len(rows), NONE, dtype=np.int32)
        if not _open(type_):
            return np.full(len(rows), self.number.get(type_, NONE), dtype=np.int32)
        if len(type_.args) == 1:
            if type_.name not in self.over:
                return np.full(len(rows), NONE, dtype=np.int32)
            inner = self.instances(type_.args[0], columns, rows)
            return np.where(inner >= 0, self.over[type_.name][inner], NONE).astype(np.int32)
        inner_rows = np.stack([self.instances(a, columns, rows) for a in type_.args], axis=1)
        known = self._wide.get((type_.name, len(type_.args)), {})
        return np.array([known.get(tuple(row), NONE) for row in inner_rows.tolist()], dtype=np.int32)


def universe(
    schema: Schema, functions: Sequence[Function], depth: int, only: "Sequence[Con] | None" = None
) -> Universe:
    """The universe of a schema's functions (accessors and constants included), `depth` constructors deep.

    only: these types, and nothing else.
    """
    if only is not None:
        return _given(only)
    signatures = [t for f in functions for t in (f.result, *(p.type for p in f.params))]
    mentioned = list(dict.fromkeys(t for s in signatures for t in _within(s) if isinstance(t, Con)))
    declared = (*schema.enum, *schema.entity, *schema.wrapper, *schema.table)
    plain = [t for t in mentioned if not t.args] + [Con(name) for name in declared]
    nullary = list(dict.fromkeys((TEXT, INT, NUMBER, BOOL, UNIT, DYNAMIC, *plain)))
    wide = [t for m in mentioned if len(m.args) > 1 for t in _filled(m, nullary)]
    unary = sorted({t.name for t in mentioned if len(t.args) == 1})
    around = {(t.name, a.name) for t in mentioned for a in t.args if isinstance(a, Con) and a.args}
    types: list[Con] = list(dict.fromkeys((*nullary, *wide)))
    known = dict.fromkeys(types)
    depths = [_depth(t) for t in types]
    inner = [NONE] * len(types)
    over: dict[str, list[int]] = {name: [] for name in unary}
    at = 0
    while at < len(types):
        for name in unary:
            within = types[at]
            made = Con(name, (within,))
            if depths[at] >= depth or made in known or (within.args and (name, within.name) not in around):
                over[name].append(NONE)
                continue
            over[name].append(len(types))
            types.append(made)
            depths.append(depths[at] + 1)
            inner.append(at)
        at += 1
    found = {name: np.array(ids, dtype=np.int32) for name, ids in over.items()}
    return Universe(tuple(types), np.array(inner, dtype=np.int32), np.array(depths, dtype=np.int32), found)


def _given(types: Sequence[Con]) -> Universe:
    number = {type_: i for i, type_ in enumerate(dict.fromkeys(types))}
    unary = sorted({t.name for t in number if len(t.args) == 1})
    inner = [number.get(t.args[0], NONE) if len(t.args) == 1 else NONE for t in number]  # type: ignore[arg-type]
    over = {n: np.array([number.get(Con(n, (t,)), NONE) for t in number], dtype=np.int32) for n in unary}
    depths = np.array([_depth(t) for t in number], dtype=np.int32)
    return Universe(tuple(number), np.array(inner, dtype=np.int32), depths, over)


def _filled(type_: Con, nullary: Sequence[Con]) -> Iterator[Con]:
    """A type with types without arguments for its variables."""
    names = sorted({t.name for t in _within(type_) if isinstance(t, Param)})
    for chosen in product(nullary, repeat=len(names)):
        made = substitute(type_, dict(zip(names, chosen, strict=True)))
        if isinstance(made, Con):
            yield made


def _within(type_: Type) -> Iterator[Type]:
    yield type_
    for part in parts(type_):
        yield from _within(part)


def _open(type_: Type) -> bool:
    return any(isinstance(t, Param) for t in _within(type_))


def mentions(type_: Type) -> frozenset[str]:
    """Variables of a signature's type."""
    return frozenset(t.name for t in _within(type_) if isinstance(t, Param))


def _depth(type_: Type) -> int:
    return 1 + max((_depth(part) for part in parts(type_)), default=0)
