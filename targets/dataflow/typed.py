"""Fully typed Lispress: every argument with its name and type, every call with its type arguments.

Where a program shows enough, types follow from the inside out (`judge`), and each distinct part of all programs is
looked at once. Where type arguments are left out, the checker infers the whole turn first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from ...compiler.check import CheckedTurn, Checker
from ...compiler.schema import Schema
from ...grammar.diagnostic import CompileError, Diagnostic
from ...grammar.span import Span
from . import errors
from .from_dl import lispress_of
from .judge import Judge, Judgement
from .names import Names, Unsayable
from .program import Ascribed, Atom, Call, Expr, Lambda, Let, Name, Opaque, Tagged, TypeExpr, Var
from .reader import read_program
from .sexp import LispressError, symbol, write
from .to_dl import dl_turn
from .writer import sexp_of, write_program

MEMO_LIMIT: Final = 1 << 18
"""Distinct parts and programs remembered before the memo starts anew."""

_TOKEN: Final = re.compile(r'[()^]|"[^"]*"|[^\s()"^]+')
_VARIABLE: Final = re.compile(r"x[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class TypedProgram:
    """A program's fully typed text (a call without a signature stays as it was), its type, and what was found."""

    text: str
    type: str | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        """No error (lints do not count)."""
        return all(d.severity != "error" for d in self.diagnostics)


@dataclass(slots=True, eq=False)
class _Part:
    """A distinct list in some program; once judged, and if it is closed, its type and its text."""

    items: "tuple[_Item, ...]"
    typed: tuple[str, str] | None = None


_Item: TypeAlias = "str | _Part"


class _Unfit(Exception):
    """The quick way does not apply."""


class Typist:
    """Fully typed texts over one schema."""

    def __init__(self, schema: Schema, checker: Checker | None = None) -> None:
        self.checker = checker or Checker(schema)
        self.names = Names(schema)
        self.judge = Judge(schema, self.names, self.checker)
        self._parts: dict[tuple[_Item, ...], _Part] = {}
        self._programs: dict[str, TypedProgram] = {}
        self._judged: dict[tuple[object, ...], Judgement] = {}
        self._atoms: dict[str, tuple[str, str]] = {}

    def typed(self, text: str) -> TypedProgram:
        """The fully typed form of a program. Never raises: a text that is no program is a diagnostic."""
        known = self._programs.get(text)
        if known is None:
            if len(self._programs) + len(self._parts) > MEMO_LIMIT:
                self._programs.clear()
                self._parts.clear()
                self._judged.clear()
            known = self._programs[text] = self._quick(text) or self.inferred(text)
        return known

    def typed_turn(self, checked: CheckedTurn) -> TypedProgram:
        """The fully typed form of a checked DL turn, with the checker's diagnostics."""
        try:
            made = lispress_of(checked.turn, self.names, checked)
            result = _Writing(self.judge).program(made.program)
        except Unsayable as error:
            return TypedProgram("", None, (*checked.diagnostics, errors.unsayable_in_lispress(str(error))))
        return TypedProgram(result.text, result.type, (*checked.diagnostics, *result.diagnostics))

    # ---------------------------------------------------------------- any program

    def inferred(self, text: str) -> TypedProgram:
        """The same for any program, by inference over the whole turn where it shows too little."""
        try:
            program = read_program(text)
            return self._inferred(program, text)
        except LispressError as error:
            start = max(error.offset, 0)
            return TypedProgram("", None, (errors.bad_lispress(error.message, Span(start, start + 1)),))
        except Unsayable as error:
            return TypedProgram("", None, (errors.unsayable_in_dl(str(error)),))
        except CompileError as error:
            return TypedProgram("", None, error.diagnostics)
        except RecursionError:
            return TypedProgram("", None, (errors.bad_lispress("nested too deep", Span(0, len(text))),))

    def _inferred(self, program: Expr, text: str) -> TypedProgram:
        writing = _Writing(self.judge, text)
        result = writing.program(program)
        if not writing.open:
            return result
        checked = self.checker.check_turn(dl_turn(program, self.names))
        made = lispress_of(checked.turn, self.names, checked).program
        result = _Writing(self.judge, text).program(made)
        return TypedProgram(result.text, result.type, (*result.diagnostics, *self._needed(program, made, text)))

    def _needed(self, written: Expr, inferred: Expr, text: str) -> Iterator[Diagnostic]:
        """Type arguments that the program leaves out and nothing decides."""
        for short, full in _pairs(written, inferred):
            function = self.names.function.get(short.head)
            if short.type_args is None and full.type_args is not None and function is not None:
                for (variable, _), type_ in zip(function.tparams, full.type_args, strict=False):
                    if type_ == TypeExpr("Dynamic"):
                        why = "no argument shows it, and nothing around the call decides it"
                        yield errors.type_argument_needed(short.head, variable, why, place_of(short.head, text))

    # ---------------------------------------------------------------- the quick way

    def _quick(self, text: str) -> TypedProgram | None:
        """A program without ascriptions, labels out of order, version 1 or errors; else None."""
        if "#" in text or "\\" in text or text.count('"') % 2:
            return None
        parts = self._parts
        stack: list[list[_Item]] = []
        items: list[_Item] = []
        for token in _TOKEN.findall(text):
            if token == "(":
                stack.append(items)
                items = []
            elif token == ")":
                if not stack:
                    return None
                key = tuple(items)
                part = parts.get(key)
                if part is None:
                    part = parts[key] = _Part(key)
                items = stack.pop()
                items.append(part)
            else:
                items.append(token)
        if stack or len(items) != 1 or isinstance(items[0], str):
            return None
        try:
            type_, typed = self._root(items[0])
        except (_Unfit, RecursionError, LispressError, Unsayable):
            return None
        return TypedProgram(typed, type_)

    def _root(self, part: _Part) -> tuple[str, str]:
        if part.items[:1] != ("let",):
            return self._call(part, {})
        if len(part.items) != 3:
            raise _Unfit
        _, pairs, body = part.items
        if isinstance(pairs, str) or isinstance(body, str) or not pairs.items or len(pairs.items) % 2:
            raise _Unfit
        env: dict[str, str] = {}
        bindings: list[str] = []
        for name, value in zip(pairs.items[::2], pairs.items[1::2], strict=True):
            if not isinstance(name, str) or isinstance(value, str) or not _VARIABLE.match(name) or name in env:
                raise _Unfit
            type_, typed = self._call(value, env)
            bindings.append(f"{name} {typed}")
            env[name] = type_
        type_, typed = self._call(body, env)
        return type_, f"(let ({' '.join(bindings)}) {typed})"

    def _call(self, part: _Part, env: Mapping[str, str]) -> tuple[str, str]:
        if part.typed is not None:
            return part.typed
        items = part.items
        types: _Part | None = None
        start = 1
        if items[:1] == ("^",):
            if len(items) < 3 or isinstance(items[1], str):
                raise _Unfit
            types, start = items[1], 3
        if not items or not isinstance(items[start - 1], str) or items[start - 1] in ("let", "lambda", "^"):
            raise _Unfit
        head = str(items[start - 1])
        label: str | None = None
        labels: list[str | None] = []
        found: list[str] = []
        texts: list[str] = []
        closed = True
        for item in items[start:]:
            if isinstance(item, _Part):
                type_, typed = self._call(item, env)
                closed = closed and item.typed is not None
            elif item[0] == ":":
                if label is not None:
                    raise _Unfit
                label = item[1:]
                continue
            elif item in env:
                type_, typed, closed = env[item], item, False
            else:
                type_, typed = self._atoms.get(item) or self._atom(item)
            labels.append(label)
            found.append(type_)
            texts.append(typed)
            label = None
        if label is not None:
            raise _Unfit
        key = (head, types, *labels, *found)
        judged = self._judged.get(key)
        if judged is None:
            judged = self._judged[key] = self._ask(head, types, labels, found)
        text = judged.start
        for name, typed in zip(judged.labels, texts, strict=True):
            text += f" :{name} {typed}"
        result = (str(judged.type), text + ")")
        if closed:
            part.typed = result
        return result

    def _ask(self, head: str, types: _Part | None, labels: list[str | None], found: list[str]) -> Judgement:
        type_args = None if types is None else tuple([self.judge.type_text(_type_of(each)) for each in types.items])
        judged = self.judge.judge(head, type_args, labels, found)
        if isinstance(judged, Diagnostic) or judged.lint is not None or judged.type is None:
            raise _Unfit
        if not _in_order(self.judge, head, judged.labels):
            raise _Unfit
        return judged

    def _atom(self, text: str) -> tuple[str, str]:
        read = read_program(text) if text != "^" else None
        if not isinstance(read, Atom):
            raise _Unfit
        made = self._atoms[text] = (self.judge.type_text(TypeExpr(read.kind)), f"^{read.kind} {text}")
        return made


def _type_of(item: _Item) -> TypeExpr:
    if isinstance(item, str):
        return TypeExpr(item)
    if not item.items or not isinstance(item.items[0], str) or item.items[0] == "^":
        raise _Unfit
    return TypeExpr(item.items[0], tuple([_type_of(each) for each in item.items[1:]]))


def _in_order(judge: Judge, head: str, labels: tuple[str, ...]) -> bool:
    function = judge.function(head)
    order = [p.name for p in function.params] if function is not None else []
    return [order.index(label) for label in labels] == sorted(order.index(label) for label in labels)


@dataclass(slots=True)
class _Writing:
    """One program, written with types part by part; what has no type is written as it was."""

    judge: Judge
    text: str = ""
    open: bool = False
    found: list[Diagnostic] = field(default_factory=list)

    def program(self, program: Expr) -> TypedProgram:
        type_, text = self.expr(program, {})
        return TypedProgram(text, type_, tuple(self.found))

    def expr(self, expr: Expr, env: Mapping[str, str | None]) -> tuple[str | None, str]:
        match expr:
            case Atom(kind, text):
                return self.judge.type_text(TypeExpr(kind)), f"^{kind} {text}"
            case Var(name):
                if name not in env:
                    self.report(errors.unbound(name, place_of(name, self.text)))
                return env.get(name), write_program(expr)
            case Ascribed(type_, inner):
                return self._ascribed(type_, inner, env)
            case Call():
                return self._call(expr, env)
            case Name(name):
                return self._call(Call(name), env)
            case Let():
                return self._let(expr, env)
            case Lambda(name, TypeExpr() as of, body):
                given = self.judge.type_text(of)
                result, typed = self.expr(body, {**env, name: given})
                text = f"(lambda (^{given} {symbol(name)}) {typed})"
                whole = self.judge.type_text(TypeExpr("Lambda", (of, self.judge.type(result)))) if result else None
                return whole, f"^{whole} {text}" if whole else text
            case Tagged() | Opaque() | Lambda():
                self.report(errors.ill_typed(f"{write(sexp_of(expr))} shows no type"))
        return None, write(sexp_of(expr))

    def _let(self, let: Let, env: Mapping[str, str | None]) -> tuple[str | None, str]:
        inner = dict(env)
        bindings: list[str] = []
        for name, value in let.bindings:
            type_, typed = self.expr(value, inner)
            bindings.append(f"{symbol(name)} {typed}")
            inner[name] = type_
        body = [self.expr(each, inner) for each in let.body]
        return body[-1][0] if body else None, f"(let ({' '.join(bindings)}) {' '.join(typed for _, typed in body)})"

    def _ascribed(self, type_: TypeExpr, inner: Expr, env: Mapping[str, str | None]) -> tuple[str | None, str]:
        given = self.judge.type_text(type_)
        found, typed = self.expr(inner, env)
        if found is not None and found != given:
            self.report(errors.ill_typed(f"this is {found}, but it is said to be {given}"))
        return given, typed if found is not None and typed[0] == "^" else f"^{given} {typed}"

    def _call(self, call: Call, env: Mapping[str, str | None]) -> tuple[str | None, str]:
        written = [self.expr(a.value, env) for a in call.args if a.value is not None]
        labels = [a.name for a in call.args]
        type_args = None if call.type_args is None else tuple([self.judge.type_text(t) for t in call.type_args])
        judged: Judgement | Diagnostic = errors.ill_typed(f"`{call.head}` has an argument name without a value")
        if len(written) == len(labels):
            judged = self.judge.judge(call.head, type_args, labels, [type_ for type_, _ in written])
        if isinstance(judged, Diagnostic):
            self.open = self.open or judged.severity == "warning"
            self.report(judged, call.head)
            return None, self._untyped(call, [typed for _, typed in written])
        if judged.lint is not None:
            self.report(judged.lint, call.head)
        function = self.judge.function(call.head)
        order = {p.name: i for i, p in enumerate(function.params)} if function is not None else {}
        args = sorted(zip(judged.labels, written, strict=True), key=lambda pair: order[pair[0]])
        text = judged.start + "".join(f" :{label} {typed}" for label, (_, typed) in args)
        return judged.type, text + ")"

    def _untyped(self, call: Call, written: list[str]) -> str:
        head = write(sexp_of(Call(call.head, (), call.type_args)))[:-1]
        args = [f":{a.name} {typed}" if a.name else typed for a, typed in zip(call.args, written, strict=False)]
        return " ".join([head, *args]) + ")"

    def report(self, diagnostic: Diagnostic, head: str = "") -> None:
        """Note a finding, once, at the first call of the function it is about."""
        placed = diagnostic if diagnostic.span or not head else replace(diagnostic, span=place_of(head, self.text))
        if placed not in self.found:
            self.found.append(placed)


def _pairs(first: Expr, second: Expr) -> Iterator[tuple[Call, Call]]:
    """Corresponding calls of two programs of one shape."""
    pending = [(first, second)]
    while pending:
        a, b = pending.pop()
        if isinstance(a, Call) and isinstance(b, Call):
            yield a, b
            pending += [
                (x.value, y.value)
                for x, y in zip(reversed(a.args), reversed(b.args), strict=False)
                if x.value is not None and y.value is not None
            ]
        elif isinstance(a, Let) and isinstance(b, Let):
            pending += zip(a.body, b.body, strict=False)
            pending += [(x, y) for (_, x), (_, y) in zip(a.bindings, b.bindings, strict=False)]


def place_of(name: str, text: str) -> Span | None:
    """Where a name first stands in a program's text."""
    found = re.search(rf"(?<![^\s()^]){re.escape(name)}(?![^\s()])", text)
    return Span(found.start(), found.end()) if found else None
