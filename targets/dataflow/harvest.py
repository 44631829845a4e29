"""Signatures learned from fully typed programs, as a schema.

In fully typed Lispress every call shows its type arguments, every argument its name and type. A function's instances
give its signature by position: what equals the i-th type argument in all of them is the i-th variable. Arguments that
are missing somewhere are optional; untyped texts of the same programs show which of them go by position, and which
functions keep their type arguments there. Contradictory instances leave the function out, with a diagnostic.

What the schema says of Lispress stands in facts: `@lispress` the name there, `@accessor` and `@lift` the argument's
name of a field's accessor and of its constraint function, `@targs` that type arguments are written, `@leading` how
many arguments go by position.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...compiler.schema import EnumType, Facts, FieldDecl, Function, Member, Parameter, Schema
from ...compiler.types import Con, Param, Type
from ...grammar.diagnostic import Diagnostic
from . import errors
from .names import ACCESSOR, LIFTED, MEMBER, dl_type, reserved
from .program import Ascribed, Call, Expr, Let, TypeExpr, Var


@dataclass(frozen=True, slots=True)
class Instance:
    """One use of a function: its type arguments, the types of its arguments by name, its result."""

    type_args: tuple[TypeExpr, ...]
    args: tuple[tuple[str, TypeExpr], ...]
    result: TypeExpr


@dataclass(slots=True)
class _Seen:
    instances: dict[Instance, None] = field(default_factory=dict)
    by_position: set[str] = field(default_factory=set)
    writes_types: bool = False
    untyped: bool = False


class Harvest:
    """Collects programs; `schema` says what they teach. The order of programs does not matter."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def add(self, typed: Expr, untyped: Expr | None = None) -> None:
        """Learn from a fully typed program, and from its untyped form if there is one."""
        for call, result, args in typed_calls(typed):
            seen = self._seen.setdefault(call.head, _Seen())
            seen.instances[Instance(call.type_args or (), args, result)] = None
        if untyped is not None:
            self._align(typed, untyped)

    def _align(self, typed: Expr, untyped: Expr) -> None:
        pending = [(typed, untyped)]
        while pending:
            full, short = pending.pop()
            if isinstance(full, Ascribed):
                full = full.expr
            if isinstance(full, Let) and isinstance(short, Let):
                pending += [(a, b) for (_, a), (_, b) in zip(full.bindings, short.bindings, strict=False)]
                pending += zip(full.body, short.body, strict=False)
            elif isinstance(full, Call) and isinstance(short, Call) and full.head == short.head:
                seen = self._seen.setdefault(full.head, _Seen())
                seen.untyped = True
                seen.writes_types |= short.type_args is not None
                for a, b in zip(full.args, short.args, strict=False):
                    if b.name is None and a.name is not None:
                        seen.by_position.add(a.name)
                    if a.value is not None and b.value is not None:
                        pending.append((a.value, b.value))

    def schema(self, name: str, facts: Facts = ()) -> tuple[Schema, tuple[Diagnostic, ...]]:
        """Everything learned, and what had to be left out."""
        functions: dict[str, Function] = {}
        found: list[Diagnostic] = []
        for head in sorted(self._seen):
            made = _function(head, self._seen[head])
            if isinstance(made, Diagnostic):
                found.append(made)
            else:
                functions[head] = made
        fields, enums, rest = _sorted_out(functions)
        return Schema(name, enums=enums, functions=rest, fields=fields, facts=facts), tuple(found)


def typed_calls(program: Expr) -> Iterator[tuple[Call, TypeExpr, tuple[tuple[str, TypeExpr], ...]]]:
    """Every call of a fully typed program with its result type and its arguments' types; others are passed over."""
    types: dict[str, TypeExpr] = {}
    pending: list[Expr] = [program]
    calls: list[tuple[Call, TypeExpr]] = []
    while pending:
        expr = pending.pop()
        if isinstance(expr, Let):
            types |= {name: value.type for name, value in expr.bindings if isinstance(value, Ascribed)}
            pending += [value for _, value in expr.bindings] + list(expr.body)
        elif isinstance(expr, Ascribed):
            if isinstance(expr.expr, Call):
                calls.append((expr.expr, expr.type))
            pending.append(expr.expr)
        elif isinstance(expr, Call):
            pending += [arg.value for arg in expr.args if arg.value is not None]
    for call, result in calls:
        args: list[tuple[str, TypeExpr]] = []
        for arg in call.args:
            known = types.get(arg.value.name) if isinstance(arg.value, Var) else None
            type_ = arg.value.type if isinstance(arg.value, Ascribed) else known
            if arg.name is not None and type_ is not None:
                args.append((arg.name, type_))
        if len(args) == len(call.args):
            yield call, result, tuple(args)


# ---------------------------------------------------------------- one function


def _function(head: str, seen: _Seen) -> Function | Diagnostic:
    instances = list(seen.instances)
    if not instances:
        return errors.contradictory(head, "no use of it is fully typed")
    count = len(instances[0].type_args)
    if any(len(i.type_args) != count for i in instances):
        return errors.contradictory(head, "its uses have different numbers of type arguments")
    if head.startswith("\\") or any(_odd(i) for i in instances):
        return errors.contradictory(head, "DL cannot spell its name or types")
    variables = _variables(instances, count)
    order = _ordered(instances, seen.by_position)
    used: set[int] = set()
    params: list[Parameter] = []
    required = [all(label in dict(i.args) for i in instances) for label in order]
    all_required = all(required)
    leading_required = len(order) if all_required else required.index(False)
    for position, label in enumerate(order):
        uses = [(i.type_args, dict(i.args)[label]) for i in instances if label in dict(i.args)]
        type_ = _generalize(uses, variables, used, first=True)
        if type_ is None:
            return errors.contradictory(head, f"its argument :{label} has types that no variable explains")
        params.append(Parameter(label, type_, position < leading_required, not required[position]))
    result = _generalize([(i.type_args, i.result) for i in instances], variables, used, first=False)
    if result is None:
        return errors.contradictory(head, "its results have types that no variable explains")
    facts: list[tuple[str, str | None]] = []
    shown = {name for p in params for name in _params_in(p.type)}
    if seen.writes_types or (not seen.untyped and not set(variables) <= shown):
        facts.append(("targs", None))
    by_position = [k for k, label in enumerate(order, 1) if label in seen.by_position]
    leading = max(by_position, default=0) if seen.untyped else leading_required
    if leading != leading_required and not all_required:
        facts.append(("leading", str(leading)))
    return Function(head, tuple(params), result, tuple((v, "") for v in variables), facts=tuple(facts))


def _odd(instance: Instance) -> bool:
    """Whether a type is an application to nothing, which DL cannot spell."""
    pending = [*instance.type_args, instance.result, *(t for _, t in instance.args)]
    while pending:
        type_ = pending.pop()
        if type_.args == () or any(c in type_.name for c in "`\n"):
            return True
        pending += type_.args or ()
    return False


def _variables(instances: list[Instance], count: int) -> tuple[str, ...]:
    """Names for the type variables that no type has."""
    taken = {part.name for i in instances for type_ in (i.result, *(t for _, t in i.args)) for part in _parts(type_)}
    letters = (name for name in ("T", "U", "V", "W", *(f"T{n}" for n in range(count + len(taken)))))
    free = [name for name in letters if name not in taken]
    return tuple(free[:count])


def _parts(type_: TypeExpr) -> Iterator[TypeExpr]:
    yield type_
    for inner in type_.args or ():
        yield from _parts(inner)


def _params_in(type_: Type) -> Iterator[str]:
    if isinstance(type_, Param):
        yield type_.name
    elif isinstance(type_, Con):
        for inner in type_.args:
            yield from _params_in(inner)


def _generalize(
    uses: list[tuple[tuple[TypeExpr, ...], TypeExpr]], variables: tuple[str, ...], used: set[int], first: bool
) -> Type | None:
    """The type that all uses are instances of. Where several variables would do, an argument takes the first that
    no argument before it has, a result the last."""
    fits = [i for i in range(len(variables)) if all(type_ == args[i] for args, type_ in uses)]
    if fits:
        fresh = [i for i in fits if i not in used] or fits
        chosen = fresh[0] if first else fits[-1]
        used.add(chosen)
        return Param(variables[chosen])
    head = uses[0][1]
    if any(type_.name != head.name or len(type_.args or ()) != len(head.args or ()) for _, type_ in uses):
        return None
    args: list[Type] = []
    for k in range(len(head.args or ())):
        inner = _generalize([(a, (t.args or ())[k]) for a, t in uses], variables, used, first)
        if inner is None:
            return None
        args.append(inner)
    return Con(dl_type(TypeExpr(head.name)).name, tuple(args))


def _ordered(instances: list[Instance], by_position: set[str]) -> list[str]:
    """Argument names in declaration order: as instances show it, then those that go by position, then by name."""
    before: dict[str, set[str]] = {}
    for instance in instances:
        names = [name for name, _ in instance.args]
        for k, name in enumerate(names):
            before.setdefault(name, set()).update(names[:k])
    order: list[str] = []
    waiting = sorted(before, key=lambda name: (name not in by_position, name))
    while waiting:
        ready = next((n for n in waiting if before[n] <= {*order, n}), waiting[0])
        order.append(ready)
        waiting.remove(ready)
    return order


# ---------------------------------------------------------------- all functions


def _sorted_out(
    functions: Mapping[str, Function],
) -> tuple[tuple[FieldDecl, ...], tuple[EnumType, ...], tuple[Function, ...]]:
    """Fields, enums, and the functions that remain, under their names in DL."""
    fields: dict[tuple[str, str], FieldDecl] = {}
    members: dict[str, list[str]] = {}
    rest: list[Function] = []
    for head, function in functions.items():
        member = MEMBER.match(head)
        if member and not function.params and not function.tparams and function.result == Con(member[1]):
            members.setdefault(member[1], []).append(member[2])
        elif not _as_field(head, function, fields):
            rest.append(_named(head, function, functions))
    enums = tuple(EnumType(name, tuple(map(Member, sorted(members[name]))), open=True) for name in sorted(members))
    ordered = tuple(fields[key] for key in sorted(fields))
    return ordered, enums, tuple(rest)


def _as_field(head: str, function: Function, fields: dict[tuple[str, str], FieldDecl]) -> bool:
    """Note an accessor or a constraint function as a field of its owner; False if it is neither."""
    accessor, lifted = ACCESSOR.match(head), LIFTED.match(head)
    match = accessor or lifted
    if match is None or function.tparams or len(function.params) != 1 or function.params[0].optional:
        return False
    param = function.params[0]
    owner = Con(match[1])
    if accessor:
        fits, type_, fact_name = param.type == owner, function.result, "accessor"
    else:
        fits = function.result == Con("Spec", (owner,)) and isinstance(param.type, Con) and param.type.name == "Spec"
        type_, fact_name = (param.type.args[0] if fits and isinstance(param.type, Con) else param.type), "lift"
    known = fields.get((owner.name, match[2]))
    if not fits or match[2] in ("apply",) or (known is not None and known.type != type_):
        return False
    facts = (*(known.facts if known is not None else ()), (fact_name, param.name))
    fields[owner.name, match[2]] = FieldDecl(owner.name, match[2], type_, facts)
    return True


def _named(head: str, function: Function, functions: Mapping[str, Function]) -> Function:
    """The function under its name in DL: `PersonName` for `PersonName.apply`, `Nil` for `List.Nil`."""
    owner, _, last = head.rpartition(".")
    short = owner if last == "apply" else last if owner and not function.params and function.tparams else head
    if short != head and short.isidentifier() and short not in functions and short not in reserved():
        return _renamed(function, short, head)
    if head in reserved():
        return _renamed(function, f"\\{head}", head)
    return function


def _renamed(function: Function, name: str, head: str) -> Function:
    facts: Facts = (("lispress", head), *function.facts)
    return Function(name, function.params, function.result, function.tparams, facts=facts)


def harvest(programs: Iterable[tuple[Expr, Expr | None]], name: str, facts: Facts = ()) -> Schema:
    """A schema from pairs of a fully typed and an untyped program; contradictory functions are left out."""
    collected = Harvest()
    for typed, untyped in programs:
        collected.add(typed, untyped)
    return collected.schema(name, facts)[0]
