"""Inference: Hindley-Milner over core terms.

`Inference.infer` walks a term once, left to right, and returns its type with an elaborated copy (type
arguments and coercions written in). What cannot be decided yet waits in the solver; order never matters.
Errors are collected with the path of the subterm, and inference goes on with a fresh type, so that one
mistake does not hide the next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from ..grammar.diagnostic import Diagnostic
from . import errors
from .calls import infer_call
from .classes import coercible, has_class, opaque
from .findings import Finding
from .operators import NULLARY, OPERATORS
from .relations import RELATIONAL
from .schema import Schema
from .terms import Abs, App, Apply, Ascribe, Entity, Field, Hole, Lit, Record, Term, Var, facts, free_names, with_args
from .types import (
    BOOL,
    BUILTIN_TYPES,
    DATE,
    DATETIME,
    DYNAMIC,
    INT,
    MAX_SIZE,
    NUMBER,
    TEXT,
    TIME,
    Con,
    Constraint,
    RecordType,
    Row,
    Type,
    TypeVar,
    closed,
    is_open,
    list_of,
    resolve,
    show,
    too_large,
    zonk,
)
from .unify import Infinite, Mismatch, Scheme, Solver, TooLarge, Unsatisfied, instantiate_scheme
from .units import quantity_type, split_quantity

_REMEMBERED = 500_000
# What joins conditions is seldom met twice; the conditions are.
_CONNECTIVES = frozenset(("and", "or", "not"))
Path = tuple[int, ...]
Typed = tuple[Type, Term]
# A term together with the types of the rows its free variables stand for.
_InRows = tuple[Term, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class Env:
    """Types of the names around a term, never changed in place. `groups` holds the keys inside a grouped query, else None.

    known: names and types of all rows, if each is of a declared type and nothing is grouped; else None.
    """

    bound: Mapping[str, Scheme] = field(default_factory=dict)
    rows: Mapping[str, Type] = field(default_factory=dict)
    groups: frozenset[Term] | None = None
    known: tuple[tuple[str, str], ...] | None = None

    def with_rows(self, rows: Mapping[str, Type], groups: frozenset[Term] | None = None) -> "Env":
        """Inside a query's expression or a specification."""
        rows = {**self.rows, **rows} if self.rows else rows
        return Env(self.bound, rows, groups, _known_rows(rows) if groups is None else None)

    def with_bound(self, name: str, scheme: Scheme) -> "Env":
        """Inside a `let` or `fn`."""
        return replace(self, bound={**self.bound, name: scheme})


def _known_rows(rows: Mapping[str, Type]) -> tuple[tuple[str, str], ...] | None:
    found = []
    for name, type_ in rows.items():
        type_ = resolve(type_)
        if not isinstance(type_, Con) or type_.args:
            return None
        found.append((name, type_.name))
    return tuple(found)


class Inference:
    """Inference against one schema. Keeps what it learned about closed subterms between programs."""

    def __init__(self, schema: Schema, builtin: frozenset[str] = frozenset()) -> None:
        self.schema = schema
        self.builtin = builtin
        self.solver = Solver(schema)
        self.findings: list[Finding] = []
        self.expectations: list[tuple[TypeVar, Con]] = []
        self.holes: dict[int, Type] = {}
        self.trace: dict[Path, Type] | None = None
        self._memo: dict[Term | _InRows, Typed] = {}
        self._fitting: dict[tuple[Term, Type], Term] = {}
        self._finished: set[int] = set()
        self._inside: dict[tuple[str, str], Env] = {}
        names = schema.table.keys() - schema.function.keys() - schema.enums_of_member.keys()
        self._tables: dict[str, Type] = {name: Con("Rel", (Row(((name, Con(name)),)),)) for name in names}
        self._finished.update(map(id, self._tables.values()))

    def reset(self) -> None:
        """Forget variables and findings, keep the memo as long as it is not too large."""
        if len(self._memo) + len(self._fitting) > _REMEMBERED:
            self._memo.clear()
            self._fitting.clear()
            self._finished = set(map(id, self._tables.values()))
            self._inside.clear()
        self.solver = Solver(self.schema)
        self.findings = []
        self.expectations = []

    # ------------------------------------------------------------ errors

    def report(self, diagnostic: Diagnostic, path: Path, *labels: tuple[Path, str]) -> TypeVar:
        """Record a finding; the fresh variable stands for the type that could not be found."""
        self.findings.append(Finding(diagnostic, path, labels))
        return self.solver.fresh(Constraint("unknown"))

    def unify(self, left: Type, right: Type, path: Path, explain: Callable[[Type, Type], Diagnostic]) -> bool:
        """Unify, or report what `explain` says of the two types."""
        left, right = resolve(left), resolve(right)
        if isinstance(left, TypeVar) or isinstance(right, TypeVar):
            # A variable can only be solved or refused: there is no mismatch to explain.
            before = (left, right)
        elif isinstance(left, Con) and isinstance(right, Con) and left.name == right.name and not left.args:
            if not right.args:
                return True
            before = (left, right)
        else:
            before = (zonk(left), zonk(right))
        try:
            self.solver.unify(left, right)
        except Infinite:
            self.report(errors.infinite_type(), path)
        except TooLarge:
            self.report(errors.type_too_large(MAX_SIZE), path)
        except Mismatch:
            self.report(explain(*before), path)
        except Unsatisfied as unmet:
            self.unsatisfied(unmet)
        else:
            return True
        return False

    def require(self, type_: Type, cls: str, path: Path) -> None:
        """Demand a class of a type, or report."""
        try:
            self.solver.require(type_, Constraint(cls, path=path))
        except Unsatisfied as unmet:
            self.unsatisfied(unmet)

    def unsatisfied(self, unmet: Unsatisfied) -> None:
        """Report a waiting constraint that its type does not meet, at the place that demanded it."""
        constraint, shown = unmet.constraint, show(unmet.type)
        if constraint.kind != "member":
            what = {"Eq": "comparison", "Ord": "ordering", "Num": "arithmetic", "Match": "text match"}
            operation = what.get(constraint.kind, f"a{'n' if constraint.kind == 'entity' else ''} {constraint.kind}")
            self.report(errors.not_comparable(shown, operation), constraint.path)
            return
        enum = self.schema.enum.get(unmet.type.name) if isinstance(unmet.type, Con) else None
        if enum is not None:
            self.report(errors.unknown_member(constraint.name, enum.name, sorted(enum.names)), constraint.path)
        elif constraint.name in self.schema.enums_of_member:
            owner = self.schema.enums_of_member[constraint.name][0].name
            why = f"`{constraint.name}` is a member of {owner}, but {shown} is expected here"
            self.report(errors.mismatch(owner, shown, why), constraint.path)
        else:
            self.report(errors.unknown_name(constraint.name, self.names_in_scope()), constraint.path)

    def names_in_scope(self) -> list[str]:
        """The schema's own tables, functions and enum members, for suggestions."""
        declared = (*self.schema.table, *self.schema.function, *self.schema.enums_of_member)
        return [name for name in declared if name not in self.builtin]

    def inside(self, env: Env, name: str, type_: Type) -> Env:
        """The names inside an expression over rows of one name; those of declared types are made once."""
        type_ = resolve(type_)
        if env.bound or env.rows or not isinstance(type_, Con) or type_.args:
            return env.with_rows({name: type_})
        known = self._inside.get((name, type_.name))
        if known is None:
            known = self._inside[name, type_.name] = env.with_rows({name: type_})
        return known

    # ------------------------------------------------------------ the walk

    def whole(self, term: Term, env: Env, final: bool = True) -> Typed:
        """Type and elaboration of a whole statement's term, nothing left waiting; with `final` by defaults."""
        type_, node = self.infer(term, env, ())
        self.solver.settle(final)
        if too_large(type_):
            type_ = self.report(errors.type_too_large(MAX_SIZE), ())
        return type_, node

    def infer(self, term: Term, env: Env, path: Path, expected: Type | None = None) -> Typed:
        """Type and elaboration of a term. `expected` only guides; it is not enforced here."""
        if self.trace is not None:
            typed = self._infer(term, env, path, expected)
            self.trace[path] = typed[0]
            return typed
        if isinstance(term, App) and (term.args or term.named) and term.fn not in _CONNECTIVES:
            free = (term._facts or facts(term))[0]
            if not free:
                known = self._memo.get(term)
                return known if known is not None else self._remember(term, term, env, path)
            rows = env.known
            if rows is not None and free <= env.rows.keys():
                known = self._memo.get((term, rows))
                return known if known is not None else self._remember((term, rows), term, env, path)
        return self._infer(term, env, path, expected)

    def fit(self, term: Term, env: Env, expected: Type, path: Path, what: str) -> Term:
        """Infer a value for a place of a known type, and its elaboration there. what: the place, for a message."""
        alone = self.trace is None and env.groups is None
        # Programs repeat a few constants in a few places.
        fitting = self._fitting.get((term, expected)) if alone else None
        if fitting is not None:
            return fitting
        if not alone or facts(term)[0]:
            found, node = self.infer(term, env, path, expected)
            return self.argument(found, node, expected, path, what)
        solver, before = self.solver, len(self.findings)
        outer = solver.set_aside()
        found, node = self.infer(term, env, path, expected)
        node = self.argument(found, node, expected, path, what)
        solver.settle(final=False)
        if solver.idle and len(self.findings) == before and not is_open(expected):
            elaborated = self._kept(node, term)
            if elaborated is not None:
                node = self._fitting[term, expected] = elaborated
        solver.take_back(outer)
        return node

    def _remember(self, key: "Term | _InRows", term: App, env: Env, path: Path) -> Typed:
        """Infer a term that depends on nothing but the known rows in its key; keep what does not wait or complain."""
        solver, before = self.solver, len(self.findings)
        outer = solver.set_aside() if solver.deferred or solver.checks else None
        typed = self._infer(term, env, path, None)
        if solver.deferred or solver.checks:
            solver.settle(final=False)
        if not (solver.deferred or solver.checks or env.groups is not None or len(self.findings) != before):
            type_ = typed[0] if id(typed[0]) in self._finished else closed(typed[0])
            elaborated = self._kept(typed[1], term) if type_ is not None else None
            if type_ is not None and elaborated is not None:
                # The memo keeps both, so nothing else will ever have their identity.
                self._finished.add(id(type_))
                typed = self._memo[key] = (type_, elaborated)
        if outer is not None:
            solver.take_back(outer)
        return typed

    def _kept(self, node: Term, term: Term) -> Term | None:
        """The elaboration of a term that is about to be remembered, finished; None if a type in it is open."""
        # A term that elaboration left alone has no types in it.
        elaborated = node if node is term else self.finish(node)
        if elaborated is not None:
            self._finished.add(id(elaborated))
        return elaborated

    def _infer(self, term: Term, env: Env, path: Path, expected: Type | None) -> Typed:
        if isinstance(term, App):
            fn = term.fn
            if not term.args and fn in self._tables and not term.named:
                return self._tables[fn], term
            rule = RELATIONAL.get(fn) or OPERATORS.get(fn)
            # An operator's name without operands is a name like any other, an enum member's say.
            if rule is not None and not term.targs and (term.args or term.named or fn in NULLARY):
                return rule(self, term, env, path)
            if fn == "coerce" and len(term.targs) == 2:
                return self._coerce(term, env, path)
            return infer_call(self, term, env, path)
        match term:
            case Field(subject, name):
                subject_type, elaborated = self.infer(subject, env, (*path, 0))
                self._check_grouped(term, env, path)
                found = self.field_type(subject_type, name, path)
                return found, term if elaborated is subject else Field(elaborated, name)
            case Lit():
                return self._literal(term, path), term
            case Var(name):
                return self._variable(name, env, path), term
            case Abs():
                return self._abstraction(term, env, path, expected)
            case Entity(type=type_):
                return self._constant(type_, "entity", "the type of this entity", path), term
            case Hole(index, type_):
                self.holes[index] = self._constant(type_, "hole", f"the type of ${index}", path)
                return self.holes[index], term
            case Record(fields):
                typed = [(n, self.infer(v, env, (*path, i))) for i, (n, v) in enumerate(fields)]
                record = RecordType(tuple((n, t) for n, (t, _) in typed))
                return record, Record(tuple((n, v) for n, (_, v) in typed))
            case Ascribe(inner, type_):
                self.known_type(type_, path)
                found, elaborated = self.infer(inner, env, (*path, 0), type_)
                return type_, Ascribe(self.argument(found, elaborated, type_, (*path, 0), "this"), type_)
            case Apply(applied, args):
                return self._apply(applied, args, env, path)
        raise TypeError(term)

    def _literal(self, term: Lit, path: Path) -> Type:
        match term.kind:
            case "number":
                return NUMBER
            case "int":
                return INT
            case "text":
                return TEXT
            case "bool":
                return BOOL
            case "date":
                self._check_date(term.value, path)
                return DATE
            case "time":
                self._check_time(term.value, path)
                return TIME
            case "datetime":
                self._check_date(term.value.partition("T")[0], path)
                self._check_time(term.value.partition("T")[2].rstrip("Z").partition(".")[0], path)
                return DATETIME
            case "raw":
                return self.solver.fresh(Constraint("raw", path=path))
            case "quantity":
                unit = split_quantity(term.value)[1]
                return quantity_type(unit) or self.report(errors.unknown_unit(unit), path)
            case "path":
                return Con("Path")
        raise TypeError(term)

    def _check_time(self, value: str, path: Path) -> None:
        hours, minutes, *seconds = (int(part) for part in value.split(":"))
        if hours > 47 or minutes > 59 or any(s > 59 for s in seconds):
            self.report(errors.no_such_time(value), path)

    def _check_date(self, value: str, path: Path) -> None:
        try:
            date.fromisoformat(value)
        except ValueError:
            self.report(errors.no_such_time(value), path)

    def _variable(self, name: str, env: Env, path: Path) -> Type:
        row = env.rows.get(name)
        if row is not None:
            return row
        scheme = env.bound.get(name)
        if scheme is not None:
            return instantiate_scheme(scheme, self.solver)
        return self.report(errors.unknown_name(name, [*env.bound, *env.rows]), path)

    def _abstraction(self, term: Abs, env: Env, path: Path, expected: Type | None) -> Typed:
        wanted = resolve(expected) if expected is not None else None
        if term.kind == "fn":
            given = wanted.args if isinstance(wanted, Con) and wanted.name == "Fn" else ()
            parameter = given[0] if given else self.solver.fresh()
            inner = env.with_bound(term.params[0], Scheme(parameter))
            result, body = self.infer(term.body, inner, (*path, 0), given[1] if given else None)
            return Con("Fn", (parameter, result)), Abs("fn", term.params, body)
        subject: Type = self.solver.fresh()
        if isinstance(wanted, Con) and wanted.name == "Spec":
            subject = wanted.args[0]
        found, body = self.infer(term.body, env.with_rows({term.params[0]: subject}), (*path, 0), BOOL)
        self.expect_bool(found, (*path, 0))
        return Con("Spec", (subject,)), Abs(term.kind, term.params, body)

    def expect_bool(self, found: Type, path: Path) -> None:
        """A condition must be a Bool."""
        if found is BOOL:
            return
        self.unify(
            found,
            BOOL,
            path,
            lambda f, _: errors.mismatch(show(f), "Bool", f"a condition is a Bool, this is {show(f)}"),
        )

    def _constant(self, type_: Type | None, kind: str, what: str, path: Path) -> Type:
        if type_ is not None:
            self.known_type(type_, path)
            return type_
        variable = self.solver.fresh(Constraint(kind, path=path))

        def check(final: bool) -> bool:
            known = resolve(variable)
            if isinstance(known, TypeVar) and not is_error(known):
                if not final:
                    return False
                self.report(errors.ambiguous(what, []), path)
            return True

        self.solver.checks.append(check)
        return variable

    def known_type(self, type_: Type, path: Path) -> None:
        """Report type names that nothing declares."""
        if isinstance(type_, Con):
            name = type_.name
            declared = self.schema.type_arity
            if name not in declared and name != "_" and name not in self.schema.mentioned:
                self.report(errors.unknown_type(name, sorted(declared)), path)
            elif name in BUILTIN_TYPES and len(type_.args) != BUILTIN_TYPES[name]:
                self.report(errors.unknown_type(f"{name} with {len(type_.args)} arguments", [name]), path)
            if name != "Measure":
                for argument in type_.args:
                    self.known_type(argument, path)

    def _apply(self, fn: Term, args: tuple[Term, ...], env: Env, path: Path) -> Typed:
        function, elaborated = self.infer(fn, env, (*path, 0))
        new: list[Term] = []
        for i, arg in enumerate(args):
            found, node = self.infer(arg, env, (*path, i + 1))
            result = self.solver.fresh()
            self.unify(
                function,
                Con("Fn", (found, result)),
                (*path, i + 1),
                lambda f, w: errors.mismatch(show(w), show(f), f"the function here is {show(f)}, used as {show(w)}"),
            )
            new.append(node)
            function = result
        return function, Apply(elaborated, tuple(new))

    # ------------------------------------------------------------ fields

    def field_type(self, subject: Type, name: str, path: Path) -> Type:
        """Type of `subject.name`; waits while the subject is unknown, then takes the only type that has all the
        fields asked of it."""
        subject = resolve(subject)
        if not isinstance(subject, TypeVar):
            return self._field_of(subject, name, path)
        result = self.solver.fresh()
        subject.constraints.append(Constraint("field", name, result, path))

        def look(final: bool) -> bool:
            known = resolve(subject)
            if isinstance(known, TypeVar):
                if is_error(known):
                    return True
                if not final:
                    return False
                demanded = {c.name for c in known.constraints if c.kind == "field"} | {name}
                owners = [o for o in self._owners(name) if demanded <= self._fields_of(o)]
                if len(owners) != 1:
                    what = f"whose field `.{name}` is"
                    self.report(
                        errors.ambiguous(what, owners) if owners else errors.unknown_field(name, "nothing", []), path
                    )
                    return True
                owner = Con(owners[0])
                self.unify(known, owner, path, lambda f, e: errors.mismatch(show(f), show(e), show(e)))
                known = owner
            found = self._field_of(known, name, path)
            self.unify(
                found,
                result,
                path,
                lambda f, w: errors.mismatch(show(f), show(w), f"`.{name}` is {show(f)}, used as {show(w)}"),
            )
            return True

        self.solver.deferred.append(look)
        return result

    def _owners(self, name: str) -> list[str]:
        owners = [t.name for t in self.schema.tables if name in t.by_name]
        return owners + [f.owner for f in self.schema.fields if f.name == name]

    def _fields_of(self, owner: str) -> set[str]:
        return {name for o in (owner, *self.schema.supertypes(owner)) for name in self.schema.fields_of(o)}

    def _field_of(self, subject: Type, name: str, path: Path) -> Type:
        if isinstance(subject, Con) and subject.name == "Ref" and name in ("role", "value"):
            return Con("Path") if name == "role" else subject.args[0]
        if isinstance(subject, Con) and subject.name == "Action" and subject.args:
            subject = resolve(subject.args[0])
        if isinstance(subject, Row) and len(subject.binders) == 1:
            subject = resolve(subject.binders[0][1])
        if isinstance(subject, RecordType):
            return self._record_field(subject, name, path)
        if isinstance(subject, Con):
            column = self.schema.column(subject.name, name)
            if column is not None:
                return column.type
            for owner in self.schema.supertypes(subject.name):
                column = self.schema.column(owner, name)
                if column is not None:
                    return column.type
            if subject == DYNAMIC:
                owners = self._owners(name)
                return self._field_of(Con(owners[0]), name, path) if len(owners) == 1 else DYNAMIC
            return self.report(
                errors.unknown_field(name, show(subject), list(self.schema.fields_of(subject.name))), path
            )
        return self.report(errors.unknown_field(name, show(subject), []), path)

    def _record_field(self, record: RecordType, name: str, path: Path) -> Type:
        full = zonk(record)
        assert isinstance(full, RecordType)
        for label, type_ in full.fields:
            if label == name:
                return type_
        if full.rest is not None:
            result = self.solver.fresh()
            self.solver.unify(full.rest, RecordType(((name, result),), self.solver.fresh()))
            return result
        return self.report(errors.unknown_field(name, show(full), [label for label, _ in full.fields]), path)

    def _check_grouped(self, term: Field, env: Env, path: Path) -> None:
        if env.groups is not None and isinstance(term.subject, Var) and term.subject.name in env.rows:
            if term not in env.groups and term.subject.name != "it":
                self.report(errors.not_grouped(term.name), path)

    # ------------------------------------------------------------ fitting

    def argument(self, found: Type, node: Term, expected: Type, path: Path, what: str) -> Term:
        """Fit a value to a place of a known type: unify, or coerce between two known types."""

        def explain(f: Type, e: Type) -> Diagnostic:
            return errors.mismatch(show(f), show(e), f"{what} is {show(e)}, but this is {show(f)}")

        expected = resolve(expected)
        actual = resolve(found)
        if isinstance(expected, Con) and not expected.args:
            if isinstance(actual, Con):
                if actual.name != expected.name and coercible(self.schema, actual, expected):
                    return App("coerce", (node,), targs=(actual, expected))
            # A constant's own variable is used nowhere else: no other use could make it narrower.
            elif isinstance(actual, TypeVar) and not isinstance(node, Entity | Hole) and self._has_subtypes(expected):
                return self._later(actual, node, expected, path, explain)
        self.unify(found, expected, path, explain)
        return node

    def _has_subtypes(self, type_: Con) -> bool:
        return any(entity.supertype == type_.name for entity in self.schema.entities)

    def _later(
        self, actual: TypeVar, node: Term, expected: Con, path: Path, explain: Callable[[Type, Type], Diagnostic]
    ) -> Term:
        """A variable where an entity with subtypes is expected: decided when the rest is known, so that the
        order of uses cannot matter; undecided, it takes the narrowest type any use expects."""
        self.expectations.append((actual, expected))

        def decide(final: bool) -> bool:
            known = resolve(actual)
            if isinstance(known, TypeVar):
                if not final:
                    return False
                wanted = [e for v, e in self.expectations if resolve(v) is known]
                narrowest = max(wanted, key=lambda e: len(self.schema.supertypes(e.name)))
                self.unify(known, narrowest, path, explain)
                known = resolve(known)
            if not (isinstance(known, Con) and coercible(self.schema, known, expected)):
                self.unify(known, expected, path, explain)
            return True

        self.solver.deferred.append(decide)
        return App("coerce", (node,), targs=(actual, expected))

    def _coerce(self, term: App, env: Env, path: Path) -> Typed:
        source, target = term.targs
        found, node = self.infer(term.args[0], env, (*path, 0), source)
        self.unify(
            found, source, path, lambda f, e: errors.mismatch(show(f), show(e), f"coerces {show(e)}, has {show(f)}")
        )
        if not coercible(self.schema, source, target):
            self.report(errors.mismatch(show(source), show(target), f"no {show(source)} is a {show(target)}"), path)
        return target, App("coerce", (node,), targs=term.targs)

    # ------------------------------------------------------------ elaboration

    def finish(self, term: Term) -> Term | None:
        """The elaborated term with every type written out and idle coercions gone; None if a type is open."""
        try:
            return _finish(term, None, self._finished)
        except _Open:
            return None

    def is_remembered(self, type_: Type, term: Term) -> bool:
        """Whether a type and an elaboration are closed, because they were remembered."""
        return id(term) in self._finished and id(type_) in self._finished

    def finish_with(self, term: Term, default: Type) -> Term:
        """The same, open types taken to be `default`."""
        return _finish(term, default, self._finished)


def is_error(variable: TypeVar) -> bool:
    """Whether a variable stands for the type of something already reported."""
    return any(c.kind == "unknown" for c in variable.constraints)


class _Open(Exception):
    pass


def _finish(term: Term, default: Type | None, finished: set[int]) -> Term:
    if id(term) in finished:
        return term
    if isinstance(term, Lit | Entity | Hole | Var):
        return term
    if isinstance(term, App):
        new = term.args
        if new:
            new = tuple([_finish(a, default, finished) for a in new])
        types = tuple([_close(t, default) for t in term.targs]) if term.targs else term.targs
        if term.fn == "coerce" and types[0] == types[1]:
            return new[0]
        labels = tuple([(n, _finish(v, default, finished)) for n, v in term.named]) if term.named else term.named
        return with_args(term, new, labels, types)
    match term:
        case Field(subject, name):
            inner = _finish(subject, default, finished)
            return term if inner is subject else Field(inner, name)
        case Abs(kind, params, body):
            inner = _finish(body, default, finished)
            return term if inner is body else Abs(kind, params, inner)
        case Apply(fn, args):
            return Apply(_finish(fn, default, finished), tuple(_finish(a, default, finished) for a in args))
        case Record(fields):
            return Record(tuple((n, _finish(v, default, finished)) for n, v in fields))
        case Ascribe(inner, type_):
            return Ascribe(_finish(inner, default, finished), type_)
    return term


def _close(type_: Type, default: Type | None) -> Type:
    type_ = zonk(type_)
    match type_:
        case TypeVar():
            if default is None:
                raise _Open
            return default
        case Con(name, args) if args:
            return Con(name, tuple(_close(a, default) for a in args))
        case Row(binders):
            return Row(tuple((n, _close(t, default)) for n, t in binders))
        case RecordType(fields, _):
            return RecordType(tuple((n, _close(t, default)) for n, t in fields))
    return type_


def ground(type_: Type, default: Type) -> Type:
    """The type with open variables taken to be `default`."""
    return _close(type_, default)


__all__ = ["Env", "Finding", "Inference", "coercible", "free_names", "has_class", "list_of", "opaque"]
