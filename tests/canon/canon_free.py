"""Programs under a free interpretation: a function nobody implements is an arbitrary one, but the same wherever it stands.

What it gives is drawn from its result type by a hash of the seed, its name and its arguments. A rewrite that keeps the
meaning whatever functions do keeps the results under every seed. A condition or function as an argument is known by what it
gives on sample values, so two of one meaning are one argument. Values are small and include what the programs name, so
that comparisons come out either way; some are missing.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from dlc.canon.matching import matches
from dlc.canon.relations import free_vars
from dlc.compiler.schema import Schema
from dlc.compiler.terms import (
    Abs,
    App,
    Ascribe,
    Entity,
    Field,
    Hole,
    Lit,
    Record,
    Term,
    Turn,
    Var,
    children,
    rebuild,
    subterms,
)
from dlc.compiler.types import BOOL, Con, RecordType, Type, show, substitute
from dlc.runtime.values import literal_value

PROBES = 40
# Things of a type that functions give; samples have other numbers, too.
_GIVEN = 5


class Unknown(Exception):
    """A construct that is not looked into."""


@dataclass(frozen=True)
class Thing:
    """A value of which nothing is known but its type and its fields. Things of a type are in some order."""

    type: str
    number: int

    def __lt__(self, other: "Thing") -> bool:
        return (self.type, self.number) < (other.type, other.number)

    def __le__(self, other: "Thing") -> bool:
        return (self.type, self.number) <= (other.type, other.number)


@dataclass(frozen=True)
class Some:
    """A function or condition that an interpretation chose."""

    key: str
    result: Type | None


@dataclass(frozen=True)
class Closure:
    """A function or condition that is written out, with the types of its parameters as far as they are known."""

    term: Abs
    names: dict[str, Any] = field(hash=False)
    types: tuple[Type | None, ...] = ()


def pools(turns: tuple[Turn, ...]) -> dict[str, list[Any]]:
    """Constants that programs name, by the type of their literals, with values between and beside."""
    found: dict[str, set[Any]] = {"Number": {0, 1}, "Text": {"", "a"}}
    for turn in turns:
        for part in (p for s in turn.statements for p in subterms(s.term)):
            if isinstance(part, Lit) and part.kind in ("number", "int"):
                value = literal_value(part)
                found["Number"] |= {value - 1, value, value + 1}
            elif isinstance(part, Lit) and part.kind == "text":
                found["Text"] |= {part.value, f"the {part.value}s"}
    return {name: sorted(held) for name, held in found.items()}


def interpretation(schema: Schema, seed: int, turns: tuple[Turn, ...]) -> "Free":
    """One interpretation for elaborated turns that are compared."""
    free = Free(schema, seed, pools(turns))
    liked: dict[str, dict[Any, None]] = {}
    for turn in turns:
        for part in (p for s in turn.statements for p in subterms(s.term)):
            if isinstance(part, Lit) and part.kind in ("text", "number", "int"):
                liked.setdefault("Text" if part.kind == "text" else "Number", {})[literal_value(part)] = None
            elif isinstance(part, App) and part.fn in schema.function and not free_vars(part):
                value = free.value(part, {}, None)
                if isinstance(value, Thing):
                    liked.setdefault(value.type, {})[value] = None
    free.favourites.update({name: sorted(held) for name, held in liked.items()})
    # What was found without them may be otherwise with them.
    free.closed.clear()
    free.keys.clear()
    return free


@dataclass(frozen=True)
class Free:
    """One interpretation."""

    schema: Schema
    seed: int
    pools: dict[str, list[Any]]
    favourites: dict[str, list[Any]] = field(default_factory=dict)
    closed: dict[tuple[Term, Type | None], Any] = field(default_factory=dict)
    keys: dict[Some, str] = field(default_factory=dict)

    def results(self, turn: Turn) -> list[str]:
        """What each statement of an elaborated turn gives, `let` left out. Raises Unknown."""
        names: dict[str, Any] = {}
        given = []
        for statement in turn.statements:
            value = self.value(statement.term, names, None)
            if statement.let is not None:
                names[statement.let] = value
            else:
                given.append(f"{statement.status} {self.known(value)}")
        return given

    # ------------------------------------------------------------ choosing

    def hash(self, *parts: str) -> int:
        digest = hashlib.blake2b("\x1f".join((str(self.seed), *parts)).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def chosen(self, type_: Type | None, key: str, missing: bool = True) -> Any:
        """A value of a type."""
        dice = self.hash("value", key)
        if missing and dice % 7 == 0:
            return None
        dice //= 7
        if isinstance(type_, RecordType):
            return {name: self.chosen(t, f"{key}.{name}") for name, t in type_.fields}
        name = type_.name if isinstance(type_, Con) else ""
        args = type_.args if isinstance(type_, Con) else ()
        if type_ == BOOL:
            return dice % 2 == 0
        if name in ("Spec", "Fn"):
            return Some(key, BOOL if name == "Spec" else args[-1])
        if name == "List":
            return [self.chosen(args[0], f"{key}[{i}]", False) for i in range(dice % 3)]
        pool = self.pools.get("Number" if name == "Int" else name)
        if pool:
            return pool[dice % len(pool)]
        enum = self.schema.enum.get(name)
        if enum is not None and enum.members:
            return enum.members[dice % len(enum.members)].name
        return Thing(show(type_) if type_ is not None else "", dice % _GIVEN)

    def known(self, value: Any) -> str:
        """A value as a key: functions by what they give on samples."""
        match value:
            case Some(key, result):
                if value not in self.keys:
                    # A condition may be written out, too.
                    self.keys[value] = self._extension(value, (None,)) if result == BOOL else f"some {key}"
                return self.keys[value]
            case Closure():
                return self._extension(value, value.types)
            case list():
                return "[" + ", ".join(map(self.known, value)) + "]"
            case dict():
                return "{" + ", ".join(f"{k}: {self.known(v)}" for k, v in sorted(value.items())) + "}"
            case bool():
                return str(value)
            case int() | float():
                return f"number {float(value)}"
        return repr(value)

    def _extension(self, value: Any, types: tuple[Type | None, ...]) -> str:
        def probe(i: int) -> list[Any]:
            # Half of them are none that a function gives: of those there are too few for conditions on many fields.
            given = [self.chosen(t, f"probe {i} {k}", i > 2) for k, t in enumerate(types)]
            return [Thing(v.type, v.number + _GIVEN * i) if isinstance(v, Thing) and i % 2 else v for v in given]

        given = ", ".join(self.known(self.applied(value, probe(i))) for i in range(PROBES))
        return f"is {self.hash(given):x}"

    def applied(self, function: Any, args: list[Any]) -> Any:
        """A function's value."""
        match function:
            case Closure(term, names):
                inner = {**names, **dict(zip(term.params, args, strict=False))}
                value = self.value(term.body, inner, None)
                return value is True if term.kind == "spec" else value
            case Some(key, result):
                return self.chosen(result, f"{key}({', '.join(map(self.known, args))})", result != BOOL)
            case None:
                return None
        raise Unknown(f"{type(function).__name__} applied")

    # ------------------------------------------------------------ values

    def value(self, term: Term, names: dict[str, Any], expected: Type | None) -> Any:
        """The value of an elaborated term."""
        if not isinstance(term, App) or free_vars(term):
            return self._value(term, names, expected)
        if (term, expected) not in self.closed:
            self.closed[term, expected] = self._value(term, {}, expected)
        return self.closed[term, expected]

    def _value(self, term: Term, names: dict[str, Any], expected: Type | None) -> Any:
        match term:
            case Lit("path" | "name", said):
                return f"path {said}"
            case Lit():
                return literal_value(term)
            case Var(name):
                return names.get(name)
            case Entity(text, identifier):
                return Thing(f"entity {identifier or text}", 0)
            case Hole(index):
                return Thing("hole", index)
            case Ascribe(inner, type_):
                return self.value(inner, names, type_)
            case Record(fields):
                return {label: self.value(v, names, None) for label, v in fields}
            case Abs():
                return Closure(term, names, _parameters(expected, len(term.params)))
            case Field(subject, name):
                return self._field(self.value(subject, names, None), name)
            case App(fn):
                rule = _RULES.get(fn)
                return rule(self, term, names) if rule is not None else self._called(term, names)
        raise Unknown(type(term).__name__)

    def _field(self, subject: Any, name: str) -> Any:
        if isinstance(subject, dict):
            return subject.get(name)
        if subject is None:
            return None
        owner = subject.type.partition("[")[0] if isinstance(subject, Thing) else ""
        declared = self.schema.column(owner, name)
        if isinstance(subject, Thing) and subject.number >= _GIVEN and declared is not None:
            # A sample: half of its fields are what the programs compare with.
            liked, dice = self.favourites.get(show(declared.type)), self.hash("field", self.known(subject), name)
            if liked and dice % 2:
                return liked[dice // 2 % len(liked)]
        return self.chosen(declared.type if declared is not None else None, f"{self.known(subject)}.{name}")

    def _called(self, term: App, names: dict[str, Any]) -> Any:
        declared = self.schema.function.get(term.fn)
        if declared is None:
            if term.args or term.named:
                raise Unknown(term.fn)
            return term.fn
        binding = dict(zip((n for n, _ in declared.tparams), term.targs, strict=False))
        positional = [p for p in declared.params if p.positional]
        wanted = {p.name: substitute(p.type, binding) for p in declared.params if p.name is not None}
        given: list[str] = []
        for i, arg in enumerate(term.args):
            own = positional[min(i, len(positional) - 1)] if positional else None
            given.append(self.known(self.value(arg, names, substitute(own.type, binding) if own else None)))
        for label, arg in sorted(term.named):
            value = self.value(arg, names, wanted.get(label))
            if value is not None:
                given.append(f"{label}={self.known(value)}")
        return self.chosen(substitute(declared.result, binding), f"{term.fn}({'; '.join(given)})")


def _parameters(expected: Type | None, count: int) -> tuple[Type | None, ...]:
    if isinstance(expected, Con) and expected.name in ("Spec", "Fn") and expected.args:
        own = expected.args[:-1] if expected.name == "Fn" else expected.args
        return (*own[:count], *[None] * (count - len(own)))
    return (None,) * count


# ---------------------------------------------------------------- what is interpreted as it is meant

Rule = Callable[[Free, App, dict[str, Any]], Any]


def _values(free: Free, term: App, names: dict[str, Any]) -> list[Any]:
    return [free.value(arg, names, None) for arg in term.args]


def _equal(free: Free, left: Any, right: Any) -> bool:
    return free.known(left) == free.known(right)


def _compare(free: Free, term: App, names: dict[str, Any]) -> bool:
    left, right = _values(free, term, names)
    return _compared(free, term.fn, left, right)


def _compared(free: Free, fn: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if fn in ("=", "!="):
        return _equal(free, left, right) == (fn == "=")
    if isinstance(left, bool | list | dict | Some | Closure):
        raise Unknown(f"order of {type(left).__name__}")
    # Values of two kinds have some order, too.
    kinds = [0 if isinstance(v, int | float) else 1 if isinstance(v, str) else 2 for v in (left, right)]
    low, high = ((kinds[0],), (kinds[1],)) if kinds[0] != kinds[1] else ((left,), (right,))
    return {"<": low < high, "<=": low <= high, ">": high < low, ">=": high <= low}[fn]  # type: ignore[operator]


def _between(free: Free, term: App, names: dict[str, Any]) -> bool:
    value, low, high = _values(free, term, names)
    if value is None or low is None or high is None:
        return False
    inside = _compared(free, ">=", value, low) and _compared(free, "<=", value, high)
    return inside == (term.fn == "between")


def _in(free: Free, term: App, names: dict[str, Any]) -> bool:
    value, items = _values(free, term, names)
    if value is None or items is None:
        return False
    if term.fn == "in":
        return any(_equal(free, value, item) for item in items)
    return all(item is not None and not _equal(free, value, item) for item in items)


def _match(free: Free, term: App, names: dict[str, Any]) -> bool:
    value, pattern = _values(free, term, names)
    if value is None or pattern is None:
        return False
    fn = {"!~": "~", "not_like": "like"}.get(term.fn, term.fn)
    if isinstance(value, str) and isinstance(pattern, str):
        found = matches(fn, value, pattern)
    else:
        found = free.hash(fn, free.known(value), free.known(pattern)) % 2 == 0
    return found == (fn == term.fn)


def _is(free: Free, term: App, names: dict[str, Any]) -> bool:
    subject, condition = _values(free, term, names)
    return condition is not None and free.applied(condition, [subject]) is True


def _arithmetic(free: Free, term: App, names: dict[str, Any]) -> Any:
    values = _values(free, term, names)
    if any(v is None for v in values):
        return None
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values) and term.fn in "+-*":
        left, right = values
        return {"+": left + right, "-": left - right, "*": left * right}[term.fn]
    return Thing(f"{term.fn}({', '.join(map(free.known, values))})", 0)


def _mark(free: Free, term: App, names: dict[str, Any]) -> bool:
    (value,) = _values(free, term, names)
    return free.hash(term.fn, free.known(value)) % 2 == 0


def _truth(free: Free, term: App, names: dict[str, Any]) -> Iterator[bool]:
    return (value is True for value in _values(free, term, names))


_RULES: dict[str, Rule] = {
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">="), _compare),
    **dict.fromkeys(("between", "not_between"), _between),
    **dict.fromkeys(("in", "not_in"), _in),
    **dict.fromkeys(("~", "!~", "like", "not_like", "starts_with", "ends_with"), _match),
    **dict.fromkeys(("+", "-", "*", "/", "%"), _arithmetic),
    **dict.fromkeys(("is_any", "is_none"), _mark),
    **dict.fromkeys(("any", "none", "missing"), lambda free, term, names: None),
    "is": _is,
    "and": lambda free, term, names: all(_truth(free, term, names)),
    "or": lambda free, term, names: any(_truth(free, term, names)),
    "not": lambda free, term, names: not any(_truth(free, term, names)),
    "is_missing": lambda free, term, names: _values(free, term, names) == [None],
    "is_not_missing": lambda free, term, names: _values(free, term, names) != [None],
    "everything": lambda free, term, names: Closure(Abs("spec", ("it",), Lit("bool", "true")), {}, (None,)),
    "list": _values,
    "coerce": lambda free, term, names: _values(free, term, names)[0],
    "if_else": lambda free, term, names: _values(free, term, names)[1 if _values(free, term, names)[0] is True else 2],
}


def mutants(turn: Turn) -> Iterator[Turn]:
    """The turn with one thing other than it was: a constant, an operator, a condition fewer, an argument fewer."""
    for i, statement in enumerate(turn.statements):
        for term in _mutants(statement.term):
            yield replace(
                turn, statements=(*turn.statements[:i], replace(statement, term=term), *turn.statements[i + 1 :])
            )


_OTHER = {"=": "!=", "~": "!~", "<": ">", ">": "<", "<=": ">=", ">=": "<=", "and": "or", "or": "and"}


def _mutants(term: Term) -> Iterator[Term]:
    match term:
        case Lit("text", said):
            yield Lit("text", said + "x")
        case Lit("number" | "int" as kind, said) if said.rstrip("L").isdigit():
            yield Lit(kind, f"{int(said.rstrip('L')) + 1}{'L' if said.endswith('L') else ''}")
        case App(fn, args, named) if fn in _OTHER and args:
            yield App(_OTHER[fn], args, named, term.targs)
            if fn in ("and", "or") and len(args) > 1:
                yield args[0] if len(args) == 2 else App(fn, args[1:])
        case App(_, _, named) if named:
            yield replace(term, named=named[1:])
    parts = children(term)
    for i, part in enumerate(parts):
        for other in _mutants(part):
            yield rebuild(term, (*parts[:i], other, *parts[i + 1 :]))
