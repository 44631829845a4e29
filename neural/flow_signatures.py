"""What Lispress calls of a schema can be: signatures over the universe, which types have values, and short values.

A call's variables fall into components: those that some type of the signature mentions together. The values a
component may have are rows of type numbers; a *space* is a set of rows for each component. It shrinks from left to
right: by the types expected of the call, by type arguments, by the types of the arguments read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..compiler.classes import has_class
from ..compiler.schema import Function, Schema, fact
from ..compiler.types import BOOL, INT, NUMBER, TEXT, Con, Constraint, Param, Type
from ..targets.dataflow.judge import Judge
from ..targets.dataflow.names import MEMBER, leading
from ..targets.dataflow.program import Call
from ..targets.dataflow.writer import write_program
from .flow_types import NONE, Ids, Universe, mentions, universe

Count = Callable[[bytes], int]
Costs = NDArray[np.int64]
INFINITE: Final = 1 << 50
LITERALS: Final = ((TEXT, b'""'), (INT, b"0L"), (NUMBER, b"0"), (BOOL, b"true"))
"""Types of literals, each with a short one."""

Space = tuple[Ids, ...]
"""For each component, rows of types of its variables; never none."""


@dataclass(frozen=True)
class Signature:
    """A callable: how its name is spelled, its parameters, and its components (names of variables each).

    leading: arguments given by position as long as none before them is left out. written: type arguments are written.
    """

    head: str
    function: Function
    components: tuple[tuple[str, ...], ...]
    leading: int
    written: bool
    places: dict[int, int | None] = field(repr=False, compare=False)
    """The component of each of the function's types, by identity."""

    def component(self, type_: Type) -> int | None:
        """The component a type's variables are in; None if it has none. type_: the result's or a parameter's."""
        return self.places[id(type_)]


class Signatures:
    """All callables of a schema over a universe, with inhabitation and short values.

    count: the tokens a text takes at least. Costs are in tokens, added up piece by piece.
    """

    def __init__(
        self, schema: Schema, judge: Judge, depth: int, count: Count, only: "Sequence[Con] | None" = None
    ) -> None:
        self.schema = schema
        self.count = count
        functions = [f for head in dict.fromkeys(judge.heads()) if (f := judge.function(head)) is not None]
        heads = [head for head in dict.fromkeys(judge.heads()) if judge.function(head) is not None]
        self.universe: Universe = universe(schema, functions, depth, only)
        self.all = [_signature(h, f) for h, f in zip(heads, functions, strict=True)]
        self._numbers: dict[int, Ids] = {}
        """Numbers of types without variables, by identity of a signature's type."""
        self.type_cost = self._type_costs()
        self._ends = count(b")"), count(b" ")
        self.spaces: list[Space | None] = [self._space(s) for s in self.all]
        """What can be written of each, if anything."""
        self.cost: Costs = np.full(len(self.universe.types), INFINITE, dtype=np.int64)
        self._best = np.full((len(self.universe.types), 2), NONE, dtype=np.int32)
        self._rows = self.spaces
        self._texts: dict[int, bytes] = {}
        self._price()
        self.inhabited: NDArray[np.bool_] = self.cost < INFINITE
        self.spaces = [self._inhabited(s, space) for s, space in zip(self.all, self.spaces, strict=True)]

    # ------------------------------------------------------------ types

    def instances(self, signature: Signature, type_: Type, space: Space) -> Ids:
        """The numbers of a type of a signature, by the rows of its component (one number if it has no variables)."""
        at = signature.component(type_)
        if at is None:
            known = self._numbers.get(id(type_))
            if known is None:
                known = self._numbers[id(type_)] = np.array([self.universe.number.get(type_, NONE)], dtype=np.int32)
            return known
        return self.universe.instances(type_, signature.components[at], space[at])

    def narrowed(self, signature: Signature, type_: Type, space: Space, keep: NDArray[np.bool_]) -> Space | None:
        """The space with only the rows at which a type of the signature is one of `keep` (by type number)."""
        found = self.instances(signature, type_, space)
        good = (found >= 0) & keep[found]
        at = signature.component(type_)
        if not good.any():
            return None
        return space if at is None else (*space[:at], space[at][good], *space[at + 1 :])

    def _space(self, signature: Signature) -> Space | None:
        function = signature.function
        needed = (function.result, *(p.type for p in function.params if not p.optional))
        if any(not mentions(t) and t not in self.universe.number for t in needed):
            return None
        space = tuple(self._component(signature, names) for names in signature.components)
        return space if all(len(rows) for rows in space) else None

    def _component(self, signature: Signature, names: tuple[str, ...]) -> Ids:
        """Rows for which every type of the signature is in the universe."""
        function = signature.function
        types = [t for t in (function.result, *(p.type for p in function.params)) if mentions(t) & set(names)]
        if len(names) == 1:
            rows = np.arange(len(self.universe.types), dtype=np.int32)[:, None]
        else:
            rows = self._joined([t for t in types if len(mentions(t)) > 1], names)
        for type_ in types:
            rows = rows[self.universe.instances(type_, names, rows) >= 0]
        classes = [(names.index(n), c) for n, c in function.tparams if c and n in names]
        for column, cls in classes:
            good = [has_class(self.schema, self.universe.types[i], Constraint(cls)) for i in rows[:, column].tolist()]
            rows = rows[np.array(good, dtype=np.bool_)]
        return rows

    def _joined(self, types: Sequence[Type], names: tuple[str, ...]) -> Ids:
        """Rows that some types of the universe give several variables at once."""
        found: list[dict[str, int]] = [{}]
        for type_ in types:
            bindings = [b for t in self.universe.types if (b := self._match(type_, t)) is not None]
            found = [
                {**a, **b} for a in found for b in bindings if all(a[n] == b[n] for n in a.keys() & b.keys())
            ]  # fmt: skip
        rows = [[binding[name] for name in names] for binding in found]
        return np.array(sorted(rows), dtype=np.int32).reshape(-1, len(names))

    def _match(self, pattern: Type, type_: Type) -> dict[str, int] | None:
        if isinstance(pattern, Param):
            number = self.universe.number.get(type_) if isinstance(type_, Con) else None
            return None if number is None else {pattern.name: number}
        if not isinstance(pattern, Con) or not isinstance(type_, Con):
            return None
        if pattern.name != type_.name or len(pattern.args) != len(type_.args):
            return None
        found: dict[str, int] = {}
        for a, b in zip(pattern.args, type_.args, strict=True):
            inner = self._match(a, b)
            if inner is None or any(found.get(n, i) != i for n, i in inner.items()):
                return None
            found |= inner
        return found

    # ------------------------------------------------------------ costs

    def _type_costs(self) -> Costs:
        """Tokens of each type's spelling, constructor by constructor."""
        known = self.universe
        made = np.zeros(len(known.types), dtype=np.int64)
        opened: dict[str, int] = {}
        close = self.count(b")")
        for i, type_ in enumerate(known.types):
            inner = int(known.inner[i])
            if inner < 0:
                made[i] = self.count(known.texts[i].encode())
                continue
            if type_.name not in opened:
                spelled = known.texts[i]
                opened[type_.name] = self.count(spelled[: spelled.index(" ") + 1].encode())
            made[i] = opened[type_.name] + made[inner] + close
        return made

    def fixed(self, signature: Signature) -> int:
        """Tokens of a call apart from arguments and type arguments."""
        opened = self.count(b"(^(") + self.count(b") ") if signature.written else self.count(b"(")
        spaces = max(len(signature.function.tparams) - 1, 0) * self._ends[1] if signature.written else 0
        return opened + spaces + self.count(signature.head.encode()) + self._ends[0]

    def label(self, signature: Signature, index: int, by_position: bool) -> bytes:
        """What comes before an argument."""
        name = signature.function.params[index].name
        return b" " if by_position and index < signature.leading else f" :{name} ".encode()

    def required(self, signature: Signature, start: int, by_position: bool = True) -> list[tuple[int, bytes]]:
        """Parameters from `start` on that must be given, each with what comes before its argument."""
        found: list[tuple[int, bytes]] = []
        for i in range(start, len(signature.function.params)):
            if signature.function.params[i].optional:
                by_position = False
                continue
            found.append((i, self.label(signature, i, by_position)))
        return found

    def spent(self, signature: Signature, space: Space, start: int, by_position: bool = True) -> list[Costs]:
        """For each component (the last entry: none), by row, the tokens of the arguments from `start` on that must be
        given."""
        spent: list[Costs] = [np.zeros(len(rows), dtype=np.int64) for rows in space]
        spent.append(np.zeros(1, dtype=np.int64))
        for i, before in self.required(signature, start, by_position):
            type_ = signature.function.params[i].type
            at = signature.component(type_)
            numbers = self.instances(signature, type_, space)
            spent[-1 if at is None else at] += self.count(before) + self.cost[numbers]
        return spent

    def _price(self) -> None:
        """The cheapest value of each type: rounds until nothing gets cheaper."""
        for type_, text in LITERALS:
            if type_ in self.universe.number:
                self.cost[self.universe.number[type_]] = self.count(text)
        starts = [self.fixed(s) for s in self.all]
        changed = True
        while changed:
            changed = False
            for i, (signature, space) in enumerate(zip(self.all, self.spaces, strict=True)):
                if space is not None:
                    changed |= self._cheaper(i, signature, space, starts[i])

    def _cheaper(self, i: int, signature: Signature, space: Space, total: int) -> bool:
        spent = self._choices(signature, space)
        result = signature.function.result
        shown = signature.component(result)
        rest = total + sum(int(each.min()) for at, each in enumerate(spent) if at != shown)
        numbers = self.instances(signature, result, space)
        costs = np.minimum(rest + (spent[shown] if shown is not None else np.zeros(1, dtype=np.int64)), INFINITE)
        before = self.cost[numbers]
        np.minimum.at(self.cost, numbers, costs)
        better = np.flatnonzero((costs < before) & (costs == self.cost[numbers]))
        self._best[numbers[better], 0] = i
        self._best[numbers[better], 1] = better
        return bool(len(better))

    def _choices(self, signature: Signature, space: Space) -> list[Costs]:
        """`spent` on all of a call, type arguments included."""
        spent = self.spent(signature, space, 0)
        if signature.written:
            for at, rows in enumerate(space):
                spent[at] = spent[at] + self.type_cost[rows].sum(axis=1)
        return spent

    def cheapest(self, signature: Signature, space: Space, fixed: int | None = None, row: int = 0) -> Space:
        """One row of each component, of a cheapest call; of component `fixed` that number `row`."""
        spent = self._choices(signature, space)
        chosen = [row if at == fixed else int(spent[at].argmin()) for at in range(len(space))]
        return tuple(rows[k : k + 1] for rows, k in zip(space, chosen, strict=True))

    def _inhabited(self, signature: Signature, space: Space | None) -> Space | None:
        """The rows at which every argument that must be given has a value."""
        for parameter in signature.function.params:
            if space is not None and not parameter.optional:
                space = self.narrowed(signature, parameter.type, space, self.inhabited)
        return space

    # ------------------------------------------------------------ short texts

    def short(self, number: int) -> bytes:
        """A short value of an inhabited type."""
        known = self._texts.get(number)
        if known is None:
            i, row = self._best[number].tolist()
            if i < 0:
                known = next(text for type_, text in LITERALS if self.universe.number.get(type_) == number)
            else:
                signature, space = self.all[i], self._rows[i]
                assert space is not None
                shown = signature.component(signature.function.result)
                chosen = self.cheapest(signature, space, shown, row)
                known = self.opening(signature, chosen) + self.ending(signature, chosen, 0)[0]
            self._texts[number] = known
        return known

    def opening(self, signature: Signature, space: Space) -> bytes:
        """A call up to its name."""
        head = signature.head.encode()
        return b"(^(" + b" ".join(self.arguments(signature, space)) + b") " + head if signature.written else b"(" + head

    def arguments(self, signature: Signature, space: Space) -> list[bytes]:
        """The type arguments of a call, from the first row of each component."""
        chosen = {n: int(rows[0, k]) for c, rows in zip(signature.components, space, strict=True)
                  for k, n in enumerate(c)}  # fmt: skip
        return [self.universe.texts[chosen[name]].encode() for name, _ in signature.function.tparams]

    def ending(self, signature: Signature, space: Space, start: int, by_position: bool = True) -> tuple[bytes, int]:
        """A short rest of a call from parameter `start` on, and the number of the type the call then has."""
        spent = self.spent(signature, space, start, by_position)
        one = tuple(rows[(k := int(costs.argmin())) : k + 1] for rows, costs in zip(space, spent, strict=False))
        text = b""
        for i, before in self.required(signature, start, by_position):
            number = int(self.instances(signature, signature.function.params[i].type, one)[0])
            text += before + self.short(number)
        return text + b")", int(self.instances(signature, signature.function.result, one)[0])

    def dearest(self, signature: Signature, space: Space, start: int, by_position: bool) -> int:
        """No less than the tokens of any such rest."""
        spent = self.spent(signature, space, start, by_position)
        return sum(int(each.max(initial=0)) for each in spent) + self._ends[0]


def _signature(head: str, function: Function) -> Signature:
    names = [name for name, _ in function.tparams]
    groups: list[set[str]] = [{name} for name in names]
    for type_ in (function.result, *(p.type for p in function.params)):
        together = mentions(type_)
        touched = [g for g in groups if g & together]
        if len(touched) > 1:
            groups = [g for g in groups if not g & together] + [set().union(*touched)]
    components = tuple(tuple(n for n in names if n in g) for g in groups)
    shown = {n for p in function.params if not p.optional for n in mentions(p.type)}
    written = bool(names) and (fact(function.facts, "targs") is not None or not shown.issuperset(names))
    spelled = write_program(Call(head))[1:-1]
    places = {
        id(t): next((i for i, c in enumerate(components) if mentions(t) & set(c)), None)
        for t in (function.result, *(p.type for p in function.params))
    }
    return Signature(spelled, function, components, leading(function), written, places)


__all__ = ["MEMBER", "Signature", "Signatures"]
