"""What a Lispress call is worth: its type and its arguments' names, from the types of its arguments.

A closed call's type depends on its function, its type arguments and the types of its arguments only. Each such
judgement is asked of the checker once, as a call over variables of those types, and remembered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...compiler.check import Checker
from ...compiler.schema import Function, Parameter, Schema, fact
from ...compiler.terms import App, Term
from ...compiler.terms import Var as Variable
from ...compiler.types import Con, Param, Type, TypeVar, parts, show, variables
from ...grammar.diagnostic import Diagnostic
from . import errors
from .names import ACCESSOR, LIFTED, MEMBER, Names, constant, dl_type, lispress_type
from .program import Call, TypeExpr, Var, positional
from .sexp import write
from .to_dl import dl_term
from .writer import type_sexp


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judged call. type: its text, None if an argument's unknown type leaves it open.

    start: how the typed text begins, up to the function's name. labels: the arguments' names as they are given.
    lint: what to say about the name nevertheless.
    """

    type: str | None
    start: str
    labels: tuple[str, ...]
    lint: Diagnostic | None = None


class Judge:
    """Judgements over one schema."""

    def __init__(self, schema: Schema, names: Names, checker: Checker) -> None:
        self.schema = schema
        self.names = names
        self.checker = checker
        self._functions: dict[str, Function | None] = {}
        self._judged: dict[tuple[object, ...], Judgement | Diagnostic] = {}
        self._types: dict[str, TypeExpr] = {}

    def type_text(self, type_: TypeExpr) -> str:
        """A type's text, by which judgements are asked for."""
        text = write(type_sexp(type_))
        self._types[text] = type_
        return text

    def type(self, text: str) -> TypeExpr:
        """The type of a text that `type_text` gave."""
        return self._types[text]

    def function(self, head: str) -> Function | None:
        """The signature of what Lispress calls `head`: a function, an accessor, a constraint on a field, a constant."""
        if head not in self._functions:
            self._functions[head] = self._find(head)
        return self._functions[head]

    def _find(self, head: str) -> Function | None:
        declared = self.names.function.get(head)
        if declared is not None:
            return declared
        for pattern, name in ((ACCESSOR, "accessor"), (LIFTED, "lift")):
            match = pattern.match(head)
            field = self.names.fields.get((match[1], match[2])) if match else None
            label = fact(field.facts, name) if field is not None else None
            if field is not None and label:
                subject, result = Con(field.owner), field.type
                if name == "lift":
                    subject, result = Con("Spec", (result,)), Con("Spec", (subject,))
                return Function(head, (Parameter(label, subject, positional=True),), result)
        member = constant(head, self.schema)
        enum = self.schema.enum.get(member[0]) if member is not None else None
        if member is not None and enum is not None and (enum.open or member[1] in enum.names):
            return Function(head, (), Con(enum.name))
        return None

    def heads(self) -> Iterator[str]:
        """Names of everything that can be called."""
        yield from self.names.function
        for field in self.schema.fields:
            if fact(field.facts, "accessor") is not None:
                yield f"{field.owner}.{field.name}"
            if fact(field.facts, "lift") is not None:
                yield f"{field.owner}.{field.name}_?"
        for enum in self.schema.enums:
            yield from (f"{enum.name}.{member}" for member in enum.names)

    def judge(
        self, head: str, type_args: tuple[str, ...] | None, labels: Sequence[str | None], types: Sequence[str | None]
    ) -> Judgement | Diagnostic:
        """The type of a call, or why it has none. Types are texts that `type_text` gave; None is unknown."""
        key = (head, type_args, *labels, *types)
        known = self._judged.get(key)
        if known is None:
            known = self._judged[key] = self._judge(head, type_args, labels, types)
        return known

    def _judge(
        self, head: str, type_args: tuple[str, ...] | None, labels: Sequence[str | None], types: Sequence[str | None]
    ) -> Judgement | Diagnostic:
        function = self.function(head)
        if function is None:
            return errors.unknown_function(head, self.heads())
        given = _given_names(function, head, labels, types)
        if isinstance(given, Diagnostic):
            return given
        if type_args is not None and len(type_args) != len(function.tparams):
            return errors.ill_typed(f"`{head}` takes {len(function.tparams)} type arguments, not {len(type_args)}")
        targs = tuple([dl_type(self._types[t]) for t in type_args or ()])
        bound: dict[str, Type] = {
            f"h{i}": dl_type(self._types[t]) if t is not None else TypeVar(-1 - i, 0) for i, t in enumerate(types)
        }
        result, node, found = self.checker.check_term(self._term(head, function, given, targs), bound=bound)
        wrong = [d for d in found if d.severity == "error"]
        if wrong:
            return errors.ill_typed(f"`{head}`: {wrong[0].message}")
        seen = {function.params[_index(function, n)].type for n, t in zip(given, types, strict=True) if t is not None}
        open_result = any(True for _ in variables(result))
        decided = {name for type_ in (seen if open_result else {*seen, function.result}) for name in _params(type_)}
        undecided = [name for name, _ in function.tparams if not targs and name not in decided]
        if undecided and None not in types:
            return errors.type_argument_needed(head, undecided[0], "no argument shows it")
        brackets = ""
        if function.tparams and not undecided and isinstance(node, App):
            brackets = f"^({' '.join([self.type_text(lispress_type(t)) for t in node.targs])}) "
        text = None if open_result else self.type_text(lispress_type(result))
        start = f"({brackets}{head}" if text is None else f"^{text} ({brackets}{head}"
        return Judgement(text, start, given, self._unlisted(head))

    def _term(self, head: str, function: Function, given: tuple[str, ...], targs: tuple[Type, ...]) -> Term:
        """The call in DL, over variables h0, h1 and so on."""
        values = {name: Variable(f"h{i}") for i, name in enumerate(given)}
        if head in self.names.function:
            args = tuple([values[str(p.name)] for p in function.positional])
            return App(function.name, args, tuple([(n, values[n]) for n in function.labelled if n in values]), targs)
        variables_ = [f"h{i}" for i in range(len(given))]
        return dl_term(Call(head, positional(*map(Var, variables_))), self.names, frozenset(variables_))

    def _unlisted(self, head: str) -> Diagnostic | None:
        match = MEMBER.match(head)
        enum = self.schema.enum.get(match[1]) if match and head not in self.names.function else None
        unlisted = match is not None and enum is not None and match[2] not in enum.names
        return errors.unlisted_constant(head, match[1]) if match and unlisted else None


def _given_names(
    function: Function, head: str, labels: Sequence[str | None], types: Sequence[str | None]
) -> tuple[str, ...] | Diagnostic:
    """The parameters that a call's arguments are for."""
    params = function.params
    names = {p.name for p in params}
    given: list[str] = []
    for i, (label, type_) in enumerate(zip(labels, types, strict=True)):
        if label is None and i >= len(params):
            which = f"argument {i + 1}" + (f", here {type_}" if type_ is not None else "")
            return errors.unknown_argument(head, which, _signature(head, function))
        name = str(params[i].name) if label is None else label
        if name not in names:
            return errors.unknown_argument(head, f"an argument :{name}", _signature(head, function))
        given.append(name)
    missing = [p.name for p in params if not p.optional and p.name not in given]
    if missing:
        return errors.ill_typed(f"`{head}` needs an argument :{missing[0]}")
    if len(set(given)) < len(given):
        return errors.ill_typed(f"`{head}` has an argument twice")
    return tuple(given)


def _signature(head: str, function: Function) -> str:
    """A signature with the names of all its arguments: fully typed text gives them all by name."""
    params = [f"{p.name}{'?' if p.optional else ''}: {show(p.type)}" for p in function.params]
    return f"{head}({', '.join(params)}) -> {show(function.result)}"


def _index(function: Function, name: str) -> int:
    return next(i for i, p in enumerate(function.params) if p.name == name)


def _params(type_: Type) -> Iterator[str]:
    if isinstance(type_, Param):
        yield type_.name
    for part in parts(type_):
        yield from _params(part)
