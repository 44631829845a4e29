"""DL turns as Lispress programs: the inverse of `to_dl`.

Types that the turn does not write are taken from the checked turn: an accessor's owner, a constant's enum, the type
arguments that Lispress writes although nothing in the call shows them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from ...compiler.check import CheckedTurn
from ...compiler.schema import Function, fact
from ...compiler.terms import Abs, App, Ascribe, Entity, Field, Lit, Record, Statement, Term, Turn
from ...compiler.terms import Var as Variable
from ...compiler.types import BOOL, DYNAMIC, INT, NUMBER, TEXT, Con, Type, TypeVar, resolve, substitute
from .names import (
    COMPARED,
    CONNECTED,
    DIRECT,
    SHARED,
    Names,
    Unsayable,
    is_variable,
    leading,
    lispress_type,
    reserved,
    text_of_type,
    unescaped,
)
from .program import (
    EMPTY,
    Arg,
    Ascribed,
    Atom,
    Call,
    Expr,
    Lambda,
    Let,
    Name,
    Tagged,
    TypeExpr,
    Var,
    positional,
    string,
)
from .reader import is_literal, is_long, program_of
from .sexp import is_string
from .to_dl import IT

_DIRECT: Final = {dl: name for name, dl in DIRECT.items()}
_COMPARED: Final = {dl: name for name, dl in COMPARED.items()}
_CONNECTED: Final = {dl: name for name, dl in CONNECTED.items()}
_LITERAL_TYPES: Final[Mapping[str, Con]] = {"int": INT, "number": NUMBER, "text": TEXT, "bool": BOOL}
_NOTHING: Final[Mapping[str, Type | None]] = {}

Written = tuple[Expr, Type | None]


@dataclass(slots=True)
class Lispress:
    """A program. unsaid: what it does not say of the turn. open: what it says wrong, since nothing shows a type."""

    program: Expr
    unsaid: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)


def lispress_of(turn: Turn, names: Names, checked: CheckedTurn | None = None) -> Lispress:
    """The program that a turn says. With `checked`, types it leaves out are written as they were inferred.

    Raises Unsayable if a part has no form in Lispress at all.
    """
    made = _Writing(names, checked is not None)
    statements = checked.elaborated.statements if checked is not None else turn.statements
    types: tuple[Type | None, ...] = checked.types if checked is not None else (None,) * len(statements)
    scope: dict[str, Type | None] = {}
    bindings: list[tuple[str, Expr]] = []
    body: list[Expr] = []
    for statement, type_ in zip(statements, types, strict=True):
        if statement.let is not None and body:
            made.unsaid.append("that a name is bound after a statement, not before all of them")
        expr, _ = made.value(statement.term, type_, scope)
        if statement.let is None:
            body.append(expr)
        else:
            bindings.append((statement.let, expr))
            scope[statement.let] = _closed(type_)
        made.unsaid += _unsaid(statement)
    if turn.acts:
        made.unsaid.append(f"the act {turn.acts[0].name}")
    if bindings and not body:
        raise Unsayable("a turn that only binds names")
    program = EMPTY if not body else body[0] if len(body) == 1 else Call("do", positional(*body))
    return Lispress(Let(tuple(bindings), (program,)) if bindings else program, made.unsaid, made.open)


def _unsaid(statement: Statement) -> list[str]:
    said = [f"the status {statement.status}"] if statement.status != "accepted" else []
    return said + (["a result"] if statement.outcome is not None else [])


def _closed(type_: Type | None) -> Type | None:
    type_ = resolve(type_) if type_ is not None else None
    return None if isinstance(type_, TypeVar) else type_


Scope = Mapping[str, Type | None]


@dataclass(slots=True)
class _Writing:
    names: Names
    inferred: bool
    unsaid: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def value(self, term: Term, expected: Type | None, scope: Scope) -> Written:
        """A term where a value stands, with its type as far as it is known."""
        match term:
            case Lit():
                return _literal(term), _LITERAL_TYPES.get(term.kind)
            case Variable(name):
                if name == "it":
                    raise Unsayable("a value made of the subject of a constraint")
                return Var(name), scope.get(name)
            case App():
                return self._app(term, expected, scope)
            case Field(subject, name):
                return self._field(subject, name, scope)
            case Ascribe(inner, type_):
                return self._ascribed(inner, type_, scope), type_
            case Abs("spec", ("it",), body):
                of = expected.args[0] if isinstance(expected, Con) and expected.name == "Spec" else None
                return self._condition(body, of, scope), expected
            case Abs("fn", (name,), body):
                return Lambda(name, None, self.value(body, None, {**scope, name: None})[0]), expected
            case Entity(str(text), None, Con() as type_):
                return Tagged(text_of_type(lispress_type(type_)), (json.dumps(text),)), type_
            case Record(()):
                return EMPTY, None
        raise Unsayable(_kind(term))

    def _ascribed(self, inner: Term, type_: Type, scope: Scope) -> Expr:
        match inner:
            case Ascribe(value, again) if again == type_:
                return Ascribed(lispress_type(type_), self.value(value, type_, scope)[0])
            case App("everything", (), (), ()) if isinstance(type_, Con) and type_.name == "Spec":
                return Call("EmptyStructConstraint", (), (lispress_type(type_.args[0]),))
            case App(name, (), (), ()):
                of = lispress_type(type_)
                return Call(f"{of.name}.{name}", (), of.args)
            case Abs("spec", ("it",), body) if isinstance(type_, Con) and type_.name == "Spec":
                tests = body.args if isinstance(body, App) and body.fn == "and" else (body,)
                args = tuple([self._struct_field(test, scope) for test in tests])
                return Call(f"Constraint[{text_of_type(lispress_type(type_.args[0]))}]", args)
            case Abs("fn", (name,), body) if isinstance(type_, Con) and type_.name == "Fn":
                inside = self.value(body, None, {**scope, name: type_.args[0]})[0]
                return Lambda(name, lispress_type(type_.args[0]), inside)
        return Ascribed(lispress_type(type_), self.value(inner, type_, scope)[0])

    def _struct_field(self, test: Term, scope: Scope) -> Arg:
        path, subject = _path_of(test)
        if not path or subject != IT or isinstance(path[0], Con):
            raise Unsayable("a condition that is not about one field")
        return Arg(str(path[0]), self._test(test, path[1:], None, scope))

    # ---------------------------------------------------------------- calls

    def _app(self, term: App, expected: Type | None, scope: Scope) -> Written:
        fn, args = term.fn, term.args
        if fn == "coerce" and len(args) == 1:
            return self.value(args[0], term.targs[0], scope)[0], term.targs[1]
        if fn == "everything" and not args:
            known = expected.args if isinstance(expected, Con) and expected.name == "Spec" else ()
            return Call("EmptyStructConstraint", (), tuple(map(lispress_type, known)) or None), expected
        if fn in _DIRECT and len(args) == 2 and not term.named and not term.targs:
            left, type_ = self.value(args[0], None, scope)
            right, other = self.value(args[1], type_, scope)
            if type_ is None and other is not None and args[0] == App(getattr(args[0], "fn", "")):
                left, type_ = self.value(args[0], other, scope)
            return Call(_DIRECT[fn], positional(left, right)), type_ if fn in "+-" else BOOL
        if fn == "Constraint" and len(term.targs) == 1:
            of = text_of_type(lispress_type(term.targs[0]))
            return Call(f"Constraint[{of}]", self._plain_args(term, scope)), Con("Spec", term.targs)
        if fn[0] == "'":
            return Name(fn[1:]), None
        if fn[0] == "#":
            return Tagged(fn[1:], tuple([_atom(a) for a in args])), None
        if fn[0] == ":" and len(args) == 1:
            return Call(fn, positional(self.value(args[0], None, scope)[0])), None
        function = self._function(fn)
        if function is None:
            if fn in reserved():
                raise Unsayable(f"what `{fn}` does")
            return self._unknown(term, expected, scope)
        return self._known(term, function, scope)

    def _function(self, fn: str) -> Function | None:
        return self.names.schema.function.get(fn) if self.names.schema is not None else None

    def _unknown(self, term: App, expected: Type | None, scope: Scope) -> Written:
        args = self._plain_args(term, scope)
        # What inference adds to a function that every schema has was not written.
        type_args = None if self.inferred and term.fn in SHARED else tuple(map(lispress_type, term.targs)) or None
        enum = expected.name if isinstance(expected, Con) and not expected.args else None
        if not args and not term.targs and enum is not None and self.names.schema is not None:
            if enum in self.names.schema.enum and term.fn[0] != "\\":
                return Call(f"{enum}.{term.fn}"), expected
        if not args and type_args is None and term.fn in scope:
            raise Unsayable(f"a function and a variable of one name, {term.fn}")
        if not args and type_args is None and is_variable(term.fn):
            return Var(term.fn), None
        return Call(self.names.lispress(term.fn), args, type_args), None

    def _known(self, term: App, function: Function, scope: Scope) -> Written:
        binding = dict(zip((name for name, _ in function.tparams), term.targs, strict=False))
        types = {p.name: substitute(p.type, binding) for p in function.params} if term.targs else None

        def wanted(name: str | None, type_: Type) -> Type | None:
            return types[name] if types is not None else type_ if not function.tparams else None

        written = [
            Arg(None, self.value(arg, wanted(p.name, p.type), scope)[0])
            for p, arg in zip(function.positional, term.args, strict=False)
        ]
        written += [Arg(None, self.value(arg, None, scope)[0]) for arg in term.args[len(written) :]]
        for label, arg in term.named:
            parameter = function.labelled.get(label)
            value = self.value(arg, wanted(label, parameter.type) if parameter else None, scope)[0]
            at = len(written)
            by_position = at < leading(function) and function.params[at].name == label
            written.append(Arg(None if by_position else _label(label), value))
        type_args = tuple(map(lispress_type, term.targs)) if fact(function.facts, "targs") is not None else ()
        result = substitute(function.result, binding) if term.targs or not function.tparams else None
        return Call(self.names.lispress(term.fn), tuple(written), type_args or None), result

    def _plain_args(self, term: App, scope: Scope) -> tuple[Arg, ...]:
        args = positional(*[self.value(a, None, scope)[0] for a in term.args])
        return args + tuple([Arg(_label(label), self.value(v, None, scope)[0]) for label, v in term.named])

    def _field(self, subject: Term, name: str, scope: Scope) -> Written:
        if isinstance(subject, Ascribe) and isinstance(subject.type, Con):
            value, _ = self.value(subject.term, subject.type, scope)
            owner = lispress_type(subject.type)
            return Call(f"{owner.name}.{name}", positional(value)), self._field_type(subject.type, name)
        value, type_ = self.value(subject, None, scope)
        if isinstance(type_, Con) and self.names.accessor(type_.name, name):
            head = f"{lispress_type(type_).name}.{name}"
            return Call(head, positional(value)), self._field_type(type_, name)
        return Call(f":{name}", positional(value)), None

    def _field_type(self, owner: Type | None, name: str) -> Type | None:
        if not isinstance(owner, Con):
            return None
        if owner.name == "Ref" and name == "value":
            return owner.args[0]
        declared = self.names.fields.get((owner.name, name))
        return declared.type if declared is not None else None

    # ---------------------------------------------------------------- constraints

    def _condition(self, body: Term, of: Type | None, scope: Scope) -> Expr:
        """The constraint that a condition on `it` makes."""
        if isinstance(body, App) and body.fn in _CONNECTED and not body.named:
            first, *more = [self._condition(a, of, scope) for a in body.args]
            if not more:
                return Call(_CONNECTED[body.fn], positional(first))
            return reduce(lambda left, right: Call(_CONNECTED[body.fn], positional(left, right)), more, first)
        path, subject = _path_of(body)
        if subject != IT:
            raise Unsayable("a condition that is not about the subject of its braces")
        return self._test(body, path, of, scope)

    def _test(self, body: Term, path: "tuple[Con | str, ...]", of: Type | None, scope: Scope) -> Expr:
        """The constraint that one test makes, from its subject (a path of fields and ascribed types) outside in."""
        assert isinstance(body, App)
        if path and isinstance(path[0], Con):
            return self._step(body, path[1:], path[0], True, scope)
        return self._step(body, path, of, False, scope) if path else self._compared(body, of, scope)

    def _step(self, body: App, path: "tuple[Con | str, ...]", owner: Type | None, ascribed: bool, scope: Scope) -> Expr:
        if not path or isinstance(path[0], Con):
            raise Unsayable("a subject with a type and no field")
        name, rest = path[0], path[1:]
        reference = isinstance(owner, Con) and owner.name == "Ref"
        if name == "role" and (reference or not isinstance(owner, Con)):
            if rest or body.fn != "=":
                raise Unsayable("more of a role than that it is a path")
            known = (lispress_type(owner.args[0]),) if isinstance(owner, Con) else None
            return Call("roleConstraint", positional(self.value(body.args[1], Con("Path"), scope)[0]), known)
        if name == "value" and (reference or not isinstance(owner, Con)) and not (ascribed and not reference):
            inner = owner.args[0] if isinstance(owner, Con) else None
            return Call("extensionConstraint", positional(self._test(body, rest, inner, scope)))
        if not isinstance(owner, Con) or owner == DYNAMIC:
            self.open.append(f"whose field .{name} is: nothing shows it")
        head = lispress_type(owner).name if isinstance(owner, Con) else "?"
        inner_type = self._field_type(owner, name)
        return Call(f"{head}.{name}_?", positional(self._test(body, rest, inner_type, scope)))

    def _compared(self, body: App, of: Type | None, scope: Scope) -> Expr:
        if body.fn == "is" and len(body.args) == 2:
            wanted = Con("Spec", (of,)) if of is not None else None
            return self.value(body.args[1], wanted, scope)[0]
        if body.fn in _COMPARED and len(body.args) == 2:
            return Call(_COMPARED[body.fn], positional(self.value(body.args[1], of, scope)[0]))
        raise Unsayable(f"a condition made with `{body.fn}`")


def _path_of(test: Term) -> "tuple[tuple[Con | str, ...], Term]":
    """The fields and ascribed types that lead from a test's subject to its left side, and the subject."""
    if not (isinstance(test, App) and test.args):
        raise Unsayable("a condition that compares nothing")
    steps: list[Con | str] = []
    left = test.args[0]
    while isinstance(left, Field | Ascribe):
        if isinstance(left, Field):
            steps.append(left.name)
            left = left.subject
        elif isinstance(left.type, Con):
            steps.append(left.type)
            left = left.term
    return tuple(reversed(steps)), left


def _label(label: str) -> str | None:
    return None if label == "\\" else unescaped(label)


def _literal(term: Lit) -> Expr:
    match term.kind:
        case "text":
            return string(term.value)
        case "int":
            if is_long(term.value + "L"):
                return Atom("Long", term.value + "L")
        case "number":
            if is_literal(term.value):
                return Atom("Number", term.value)
        case "bool":
            return Atom("Boolean", term.value)
        case "raw":
            read = Atom("String", term.value) if is_string(term.value) else program_of(term.value)
            if isinstance(read, Atom):
                return read
    raise Unsayable(f"the literal {term.value}")


def _atom(term: Term) -> str:
    match term:
        case Lit():
            expr = _literal(term)
            assert isinstance(expr, Atom)
            return expr.text
        case App(fn, (), (), ()) if fn[0] == "'":
            return fn[1:]
        case App(fn, (), (), ()):
            return fn
    raise Unsayable("a value of #(...) that is no atom")


def _kind(term: Term) -> str:
    kinds = {"Hole": "a placeholder", "Record": "a record", "Entity": "an entity without a type", "Abs": "a query"}
    return kinds.get(type(term).__name__, "a value of this kind")


__all__ = ["Lispress", "TypeExpr", "lispress_of"]
