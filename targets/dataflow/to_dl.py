"""Lispress programs as DL turns, term by term; `from_dl` is the inverse.

| Lispress | DL |
|---|---|
| `(do a b)`, `(let (x0 a) b)` | `a; b;` and `let x0 = a; b;` at the root |
| `(Event.start e)`, `(:start e)` | `(e : Event).start`, `e.start` |
| `(Event.start_? c)` inside a constraint | `(it : Event).start is c`; `= v` for `(?= v)`, `~ v` for `(?~= v)` |
| `(& (& a b) c)`, `(orConstraint a b)`, `(negate a)` | `a and b and c`, `a or b`, `not a`, about one subject |
| `(extensionConstraint c)`, `(^(T) roleConstraint p)` | `.value is c`, `(it : Ref[T]).role = p` |
| `(^(T) EmptyStructConstraint)` | `(everything : Spec[T])` |
| `(ShowAsStatus.Busy)` | `(Busy : ShowAsStatus)` |
| `(Constraint[Event] :start c)` | `({ .start is c } : Spec[Event])` |
| `#(PersonName "x")`, `#(Number 3)` | `@"x"[PersonName]`, `` `#Number`(3) `` |
| any other `(^(T) f a :n b)` | `f[T](a, n: b)` |

These full forms need no signature. Where a schema lets types be inferred, the types may go: `e.start`, `Busy`,
`everything`; `Kept` says of which calls they stay, by their paths in the program. What DL cannot say (a `let` inside
an expression, a list without a head) raises `Unsayable`.
"""

import json
from dataclasses import dataclass
from typing import Final, Literal

from ...compiler.schema import Function
from ...compiler.terms import Abs, App, Ascribe, Entity, Field, Lit, Record, Statement, Term, Turn
from ...compiler.terms import Var as Variable
from ...compiler.types import Con
from .names import (
    ACCESSOR,
    COMPARED,
    CONNECTED,
    DIRECT,
    LIFTED,
    Names,
    Unsayable,
    constant,
    dl_type,
    escaped,
    plain,
    spelled,
    type_of_text,
)
from .program import Arg, Ascribed, Atom, Call, Empty, Expr, Lambda, Let, Name, Tagged, TypeExpr, Var
from .reader import is_long, program_of
from .sexp import is_string

Path = tuple[int, ...]
Kept = frozenset[Path] | None
"""Paths of calls at which something stays written; None for all."""

NOTHING: Final[frozenset[Path]] = frozenset()
IT: Final = Variable("it")
_NO_SCOPE: Final[frozenset[str]] = frozenset()


def dl_turn(program: Expr, names: Names, types: Kept = None, shapes: Kept = NOTHING) -> Turn:
    """A program as the one turn that says it.

    types: calls whose types stay. shapes: calls that stay plain calls, of a name that no schema knows, because
    a schema would take their short form for something else. Raises Unsayable.
    """
    return _Translation(names, types, shapes).turn(program)


def dl_term(expr: Expr, names: Names, scope: frozenset[str]) -> Term:
    """One expression in full form, over variables that `scope` binds. Raises Unsayable."""
    return _Translation(names, None, NOTHING).value(expr, (), scope)


@dataclass(frozen=True, slots=True)
class _Translation:
    names: Names
    types: Kept
    shapes: Kept

    def _typed(self, path: Path) -> bool:
        return self.types is None or path in self.types

    def _plain(self, path: Path) -> bool:
        return self.shapes is None or path in self.shapes

    # ---------------------------------------------------------------- statements

    def turn(self, program: Expr) -> Turn:
        statements: list[Statement] = []
        scope = _NO_SCOPE
        path: Path = ()
        if isinstance(program, Let):
            if len(program.body) != 1 or not program.bindings:
                raise Unsayable("a let binds at least one name and has one body")
            for i, (name, value) in enumerate(program.bindings):
                if name in scope or name == "it":
                    raise Unsayable(
                        f"{name} is bound twice" if name in scope else "`it` is the subject of a constraint"
                    )
                statements.append(Statement(self.value(value, (i,), scope), let=spelled(name)))
                scope |= {name}
            path, program = (len(program.bindings),), program.body[0]
        match program:
            case Call("do", args, None) if len(args) > 1 and all(a.name is None for a in args):
                for i, arg in enumerate(args):
                    statements.append(Statement(self.value(_given(arg), (*path, i), scope)))
            case Empty() if not path:
                pass
            case _:
                statements.append(Statement(self.value(program, path, scope)))
        return Turn("user", (), tuple(statements))

    # ---------------------------------------------------------------- values

    def value(self, expr: Expr, path: Path, scope: frozenset[str]) -> Term:
        """An expression where a value stands."""
        match expr:
            case Atom():
                return _literal(expr)
            case Var(name):
                return Variable(name) if name in scope else App(spelled(name))
            case Name(name):
                return App(spelled("'" + name))
            case Call():
                return self._call(expr, path, scope)
            case Tagged(schema, values):
                return self._tagged(schema, values)
            case Empty():
                return Record(())
            case Ascribed(type_, inner):
                given = dl_type(type_)
                return Ascribe(Ascribe(self.value(inner, (*path, 0), scope), given), given)
            case Lambda(name, type_, body):
                if name == "it":
                    raise Unsayable("`it` is the subject of a constraint")
                function = Abs("fn", (spelled(name),), self.value(body, (*path, 0), scope | {name}))
                return function if type_ is None else Ascribe(function, Con("Fn", (dl_type(type_), Con("_"))))
            case Let():
                raise Unsayable("DL binds names by statements, not inside an expression")
        raise Unsayable("a list that begins with a list has no meaning")

    def _call(self, call: Call, path: Path, scope: frozenset[str]) -> Term:
        head, args, type_args = call.head, call.args, call.type_args
        bare = all(a.name is None and a.value is not None for a in args)
        if self._plain(path) and not (head[0] == ":" or head.startswith("Constraint[")):
            return self._plain_call(call, path, scope)
        if is_constraint(call):
            if head == "EmptyStructConstraint":
                return self._everything(type_args, path)
            return Abs("spec", ("it",), self._body(IT, call, path, scope))
        if bare and len(args) == 1 and type_args is None:
            accessor = ACCESSOR.match(head)
            if accessor and accessor[2] != "apply":
                subject = self.value(_given(args[0]), (*path, 0), scope)
                owner = Con(dl_type(TypeExpr(accessor[1])).name)
                return Field(Ascribe(subject, owner) if self._typed(path) else subject, accessor[2])
            if head[0] == ":" and len(head) > 1:
                subject = self.value(_given(args[0]), (*path, 0), scope)
                return App(spelled(head), (subject,)) if self._plain(path) else Field(subject, spelled(head[1:]))
        if bare and len(args) == 2 and type_args is None and head in DIRECT:
            return App(DIRECT[head], tuple([self.value(_given(a), (*path, i), scope) for i, a in enumerate(args)]))
        if not args and type_args != ():
            member = constant(head, self.names.schema)
            if member is not None:
                return self._member(*member, type_args, path)
        if type_args is None and args:
            bracketed = type_of_text(head)
            if bracketed is not None and bracketed.name == "Constraint" and bracketed.args:
                return self._struct(bracketed.args[0], args, path, scope)
        return self._plain_call(call, path, scope)

    def _member(self, owner: str, name: str, type_args: tuple[TypeExpr, ...] | None, path: Path) -> Term:
        dl = self.names.dl(f"{owner}.{name}")
        known = self.names.function.get(f"{owner}.{name}")
        if known is not None:
            drop = type_args is not None and not self._typed(path)
            return App(dl, targs=() if drop else tuple([dl_type(each) for each in type_args or ()]))
        constant = App(name)
        if not self._typed(path):
            return constant
        return Ascribe(constant, dl_type(TypeExpr(owner, type_args)))

    def _everything(self, type_args: tuple[TypeExpr, ...] | None, path: Path) -> Term:
        everything = App("everything")
        if type_args and self._typed(path):
            return Ascribe(everything, Con("Spec", (dl_type(type_args[0]),)))
        return everything

    def _struct(self, of: TypeExpr, args: tuple[Arg, ...], path: Path, scope: frozenset[str]) -> Term:
        """Version 1's constraint on several fields."""
        labels = [a.name for a in args]
        if self._plain(path) or None in labels or len(set(labels)) < len(labels) or not all(labels):
            values, named = self._arguments(args, path, scope)
            return App("Constraint", values, named, (dl_type(of),))
        tests = [self._body(Field(IT, spelled(str(a.name))), _given(a), (*path, i), scope) for i, a in enumerate(args)]
        body = tests[0] if len(tests) == 1 else App("and", tuple(tests))
        return Ascribe(Abs("spec", ("it",), body), Con("Spec", (dl_type(of),)))

    def _plain_call(self, call: Call, path: Path, scope: frozenset[str]) -> Term:
        head, type_args = call.head, call.type_args
        bracketed = type_of_text(head) if type_args is None else None
        if bracketed is not None and bracketed.name == "Constraint" and bracketed.args and not call.args:
            return App("Constraint", targs=(dl_type(bracketed.args[0]),))
        args, named = self._arguments(call.args, path, scope)
        function = self.names.function.get(head)
        if type_args == ():
            raise Unsayable(f"{head} is applied to an empty list of types")
        targs = tuple([dl_type(each) for each in type_args or ()])
        if function is not None:
            if targs and not self._typed(path) and len(targs) == len(function.tparams):
                targs = ()
            if not self._plain(path):
                args, named = _labelled(function, args, named)
        return App(plain(head) if self._plain(path) else self.names.dl(head, scope), args, named, targs)

    def _arguments(
        self, args: tuple[Arg, ...], path: Path, scope: frozenset[str]
    ) -> tuple[tuple[Term, ...], tuple[tuple[str, Term], ...]]:
        """Positional arguments, then labelled ones; a positional one after those goes by the label `\\`."""
        values: list[Term] = []
        named: list[tuple[str, Term]] = []
        for i, arg in enumerate(args):
            value = self.value(_given(arg), (*path, i), scope)
            if arg.name is None and not named:
                values.append(value)
            else:
                label = "\\" if arg.name is None else arg.name
                named.append((spelled(escaped(label) if arg.name is not None and label[:1] == "\\" else label), value))
        return tuple(values), tuple(named)

    def _tagged(self, schema: str, values: tuple[str, ...]) -> Term:
        if len(values) == 1 and is_string(values[0]):
            literal = _literal(Atom("String", values[0]))
            if isinstance(literal, Lit) and literal.kind == "text":
                return Entity(literal.value, None, dl_type(type_of_text(schema) or TypeExpr(schema)))
        atoms = [self.value(program_of(value), (), _NO_SCOPE) for value in values]
        return App(spelled("#" + schema), tuple(atoms))

    # ---------------------------------------------------------------- constraints

    def _body(self, subject: Term, expr: Expr, path: Path, scope: frozenset[str]) -> Term:
        """The condition that a constraint puts on its subject."""
        if isinstance(expr, Call) and is_constraint(expr) and not self._plain(path):
            head = expr.head
            values = [_given(a) for a in expr.args]
            if head in CONNECTED:
                if subject is not IT:
                    return App("is", (subject, self.value(expr, path, scope)))
                tests = [self._body(IT, part, place, scope) for place, part in _parts(expr, path)]
                return App(CONNECTED[head], tuple(tests))
            if head in COMPARED:
                return App(COMPARED[head], (subject, self.value(values[0], (*path, 0), scope)))
            if head == "extensionConstraint":
                return self._body(Field(subject, "value"), values[0], (*path, 0), scope)
            if head == "roleConstraint":
                if expr.type_args and self._typed(path):
                    subject = Ascribe(subject, Con("Ref", (dl_type(expr.type_args[0]),)))
                return App("=", (Field(subject, "role"), self.value(values[0], (*path, 0), scope)))
            lifted = LIFTED.match(head)
            if lifted:
                owner = Con(dl_type(TypeExpr(lifted[1])).name)
                owned = Ascribe(subject, owner) if self._typed(path) else subject
                return self._body(Field(owned, lifted[2]), values[0], (*path, 0), scope)
        return App("is", (subject, self.value(expr, path, scope)))


def is_constraint(call: Call) -> bool:
    """Whether DL writes a call as a condition in braces, or as `everything`."""
    head, args, type_args = call.head, call.args, call.type_args
    if any(a.name is not None or a.value is None for a in args):
        return False
    if head == "EmptyStructConstraint":
        return not args and (type_args is None or len(type_args) == 1)
    if head == "roleConstraint":
        return len(args) == 1 and (type_args is None or len(type_args) == 1)
    if type_args is not None:
        return False
    if head in CONNECTED:
        return len(args) == (1 if head == "negate" else 2)
    return len(args) == 1 and (head in COMPARED or head == "extensionConstraint" or LIFTED.match(head) is not None)


def _parts(expr: Call, path: Path) -> list[tuple[Path, Expr]]:
    """What `(& (& a b) c)` connects, which DL writes `a and b and c`; only the left side is opened."""
    parts: list[tuple[Path, Expr]] = []
    while len(expr.args) == 2:
        parts.append(((*path, 1), _given(expr.args[1])))
        left = _given(expr.args[0])
        path = (*path, 0)
        if not (isinstance(left, Call) and left.head == expr.head and is_constraint(left)):
            parts.append((path, left))
            return parts[::-1]
        expr = left
    return [((*path, 0), _given(expr.args[0]))]


def _given(arg: Arg) -> Expr:
    if arg.value is None:
        raise Unsayable(f"the argument name :{arg.name} has no value")
    return arg.value


def _labelled(
    function: Function, args: tuple[Term, ...], named: tuple[tuple[str, Term], ...]
) -> tuple[tuple[Term, ...], tuple[tuple[str, Term], ...]]:
    """Arguments as the signature has them: by position before `;`, by label after it."""
    count = len(function.positional)
    if len(args) <= count or len(args) > len(function.params):
        return args, named
    labels = [p.name or "" for p in function.params[count : len(args)]]
    return args[:count], (*zip(labels, args[count:], strict=True), *named)


def _literal(atom: Atom) -> Lit:
    """A literal; one that DL would print in another way stays as it was annotated."""
    kind: Literal["int", "number", "bool"]
    if atom.kind == "String":
        inner = atom.text[1:-1]
        if "\\" not in inner and '"' not in inner and inner.isascii() and inner.isprintable():
            return Lit("text", inner)
        value = atom.value
        if isinstance(value, str) and json.dumps(value) == atom.text:
            return Lit("text", value)
        return Lit("raw", atom.text)
    kind = "int" if atom.kind == "Long" else "number" if atom.kind == "Number" else "bool"
    text = atom.text[:-1] if is_long(atom.text) else atom.text
    return Lit("raw", atom.text) if text[-1:].isalpha() and kind == "number" else Lit(kind, text)
