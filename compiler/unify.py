"""Unification with levels, and constraints that wait until a type is known.

Shape after tomprimozic/type-systems: mutable variables with levels instead of scans of the environment.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .classes import has_class
from .node import node
from .schema import Schema
from .types import (
    DYNAMIC,
    MAX_SIZE,
    Con,
    Constraint,
    Param,
    RecordType,
    Row,
    Type,
    TypeVar,
    parts,
    resolve,
    substitute,
    variables,
)

_Waiting = tuple[list[Callable[[bool], bool]], list[Callable[[bool], bool]]]


class Mismatch(Exception):
    """Two types that cannot be one. Carries the innermost pair."""

    def __init__(self, left: Type, right: Type) -> None:
        self.left, self.right = left, right
        super().__init__()


class Infinite(Mismatch):
    """A variable would have to contain itself."""


class TooLarge(Mismatch):
    """A variable would stand for a type that is too large (`types.too_large`)."""


class Unsatisfied(Exception):
    """A constraint that the type, now known, does not meet."""

    def __init__(self, constraint: Constraint, type_: Type) -> None:
        self.constraint, self.type = constraint, type_
        super().__init__()


@dataclass(slots=True)
class Solver:
    """Fresh variables, the current level, and work that waits. One per statement group.

    Work in `deferred` and `checks` is called with whether everything is known that will be, and says whether it is
    done; `checks` decide nothing and come last.
    """

    schema: Schema
    level: int = 0
    counter: int = 0
    deferred: list[Callable[[bool], bool]] = field(default_factory=list)
    checks: list[Callable[[bool], bool]] = field(default_factory=list)

    def fresh(self, *constraints: Constraint) -> TypeVar:
        """A new variable at the current level."""
        self.counter += 1
        return TypeVar(self.counter, self.level, None, list(constraints))

    def instantiate(
        self, names: Iterable[tuple[str, str]], given: dict[str, Type], path: tuple[int, ...]
    ) -> dict[str, Type]:
        """Fresh variables for a signature's parameters, with their classes; `given` ones are used as they are."""
        binding: dict[str, Type] = {}
        for name, cls in names:
            type_ = given.get(name)
            if type_ is None:
                binding[name] = self.fresh(*([Constraint(cls, path=path)] if cls else []))
            else:
                binding[name] = type_
                if cls:
                    self.require(type_, Constraint(cls, path=path))
        return binding

    def require(self, type_: Type, constraint: Constraint) -> None:
        """Demand something of a type: checked now if it is known, else kept on the variable."""
        type_ = resolve(type_)
        if isinstance(type_, TypeVar):
            type_.constraints.append(constraint)
        elif constraint.kind == "field":
            raise AssertionError("field constraints are solved by inference")
        elif not has_class(self.schema, type_, constraint):
            raise Unsatisfied(constraint, type_)

    def unify(self, left: Type, right: Type) -> None:
        """Make two types one. Raises Mismatch, Infinite or Unsatisfied."""
        left, right = resolve(left), resolve(right)
        if left is right:
            return
        if isinstance(left, TypeVar):
            self._solve(left, right)
        elif isinstance(right, TypeVar):
            self._solve(right, left)
        elif isinstance(left, Con) and isinstance(right, Con):
            if left.name != right.name and DYNAMIC not in (left, right):
                raise Mismatch(left, right)
            if DYNAMIC in (left, right) and left.name != right.name:
                return
            if len(left.args) != len(right.args):
                raise Mismatch(left, right)
            for a, b in zip(left.args, right.args, strict=True):
                self.unify(a, b)
        elif isinstance(left, Row) and isinstance(right, Row):
            if len(left.binders) != len(right.binders):
                raise Mismatch(left, right)
            for (_, a), (_, b) in zip(left.binders, right.binders, strict=True):
                self.unify(a, b)
        elif isinstance(left, RecordType) and isinstance(right, RecordType):
            self._unify_records(left, right)
        elif isinstance(left, Param) and left == right:
            return
        else:
            raise Mismatch(left, right)

    def _solve(self, variable: TypeVar, type_: Type) -> None:
        self._adjust(variable, type_)
        waiting = variable.constraints
        variable.link = type_
        for constraint in waiting:
            target = resolve(type_)
            if isinstance(target, TypeVar):
                target.constraints.append(constraint)
            elif constraint.kind != "field" and not has_class(self.schema, target, constraint):
                raise Unsatisfied(constraint, target)

    def _adjust(self, variable: TypeVar, type_: Type) -> None:
        """Occurs check, lowering of levels so that generalization stays sound, and the bound on sizes."""
        left, todo = MAX_SIZE, [type_]
        while todo:
            left -= 1
            if left < 0:
                raise TooLarge(variable, type_)
            part = resolve(todo.pop())
            if part is variable:
                raise Infinite(variable, type_)
            if isinstance(part, TypeVar):
                part.level = min(part.level, variable.level)
            else:
                todo.extend(parts(part))

    def _unify_records(self, left: RecordType, right: RecordType) -> None:
        """Rows by labels in any order; what one side lacks must fit the other side's rest."""
        a, b = dict(_flat(left)[0]), dict(_flat(right)[0])
        rest_a, rest_b = _flat(left)[1], _flat(right)[1]
        for label in a.keys() & b.keys():
            self.unify(a[label], b[label])
        only_a = tuple(sorted((n, t) for n, t in a.items() if n not in b))
        only_b = tuple(sorted((n, t) for n, t in b.items() if n not in a))
        if rest_a is not None and rest_a is rest_b:
            if only_a or only_b:
                raise Mismatch(left, right)
            return
        if (only_a and rest_b is None) or (only_b and rest_a is None):
            raise Mismatch(left, right)
        if rest_a is None and rest_b is None:
            return
        shared = self.fresh() if rest_a is not None and rest_b is not None else None
        if rest_b is not None:
            self.unify(rest_b, RecordType(only_a, shared))
        if rest_a is not None:
            self.unify(rest_a, RecordType(only_b, shared))

    @property
    def idle(self) -> bool:
        """Whether no work waits."""
        return not self.deferred and not self.checks

    def set_aside(self) -> "_Waiting | None":
        """Take all waiting work away for a while, if there is any: what comes now depends on nothing of it."""
        if not self.deferred and not self.checks:
            return None
        outer = self.deferred, self.checks
        self.deferred, self.checks = [], []
        return outer

    def take_back(self, outer: "_Waiting | None") -> None:
        """Put it back, before what waits now."""
        if outer is not None:
            self.deferred, self.checks = outer[0] + self.deferred, outer[1] + self.checks

    def settle(self, final: bool) -> None:
        """Run waiting work until nothing moves; with `final` the rest is decided by defaults, then checked."""
        while self.deferred:
            waiting, self.deferred = self.deferred, []
            kept = [work for work in waiting if not work(False)]
            moved = len(kept) < len(waiting) or bool(self.deferred)
            self.deferred = kept + self.deferred
            if moved:
                continue
            if not final or not self.deferred:
                break
            self.deferred.pop(0)(True)
        if self.checks:
            checks, self.checks = self.checks, []
            self.checks += [check for check in checks if not check(final)]


def _flat(record: RecordType) -> tuple[tuple[tuple[str, Type], ...], TypeVar | None]:
    fields = record.fields
    rest: Type | None = record.rest
    while rest is not None:
        rest = resolve(rest)
        if not isinstance(rest, RecordType):
            break
        fields += rest.fields
        rest = rest.rest
    return fields, rest if isinstance(rest, TypeVar) else None


@node
class Scheme:
    """A type with the variables that each use instantiates anew."""

    type: Type
    quantified: tuple[TypeVar, ...] = ()


def generalize(type_: Type, level: int) -> Scheme:
    """Quantify the variables that belong to a deeper level than `level`."""
    seen: dict[int, TypeVar] = {}
    for variable in variables(type_):
        if variable.level > level and variable.id not in seen:
            seen[variable.id] = variable
    return Scheme(type_, tuple(seen.values()))


def instantiate_scheme(scheme: Scheme, solver: Solver) -> Type:
    """A use of a generalized type: fresh variables, constraints copied."""
    if not scheme.quantified:
        return scheme.type
    copies = {v.id: solver.fresh(*v.constraints) for v in scheme.quantified}

    def copy(type_: Type) -> Type:
        type_ = resolve(type_)
        match type_:
            case TypeVar():
                return copies.get(type_.id, type_)
            case Con(name, args) if args:
                return Con(name, tuple(copy(a) for a in args))
            case Row(binders):
                return Row(tuple((n, copy(t)) for n, t in binders))
            case RecordType(fields, rest):
                new_rest = copy(rest) if rest is not None else None
                return RecordType(
                    tuple((n, copy(t)) for n, t in fields), new_rest if isinstance(new_rest, TypeVar) else None
                )
        return type_

    return copy(scheme.type)


__all__ = [
    "Infinite",
    "Mismatch",
    "Scheme",
    "Solver",
    "TooLarge",
    "Unsatisfied",
    "generalize",
    "instantiate_scheme",
    "substitute",
]
