"""The decoder's Lispress: which well-typed programs it can write (docs/decoding.md).

`outside(text)` says why a well-typed program is not in it, judged on its fully typed form and without the automaton:
the automaton is tested against this, and gold is counted with it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..compiler.schema import Schema
from ..compiler.types import Con, substitute
from ..targets.dataflow.judge import Judge
from ..targets.dataflow.names import MEMBER, Unsayable, dl_type
from ..targets.dataflow.program import Arg, Ascribed, Atom, Call, Expr, Let, Var
from ..targets.dataflow.reader import read_program
from ..targets.dataflow.sexp import LispressError
from ..targets.dataflow.typed import Typist
from ..targets.dataflow.untype import untyped
from ..targets.dataflow.writer import write_program
from .flow_surface import ESCAPED, FLOAT, LONG, MEMBER_NAME, FlowLimits
from .flow_types import mentions, universe
from .machine import MAX_DEPTH

_SPELLED: Final = {
    "String": re.compile(rf'"(?:[ !#-\[\]-\U0010ffff]|\\(?:{ESCAPED}))*"'),
    "Long": re.compile(LONG),
    "Number": re.compile(FLOAT),
    "Boolean": re.compile("true|false"),
}


class FlowContract:
    """The language over one schema."""

    def __init__(self, schema: Schema, limits: FlowLimits | None = None) -> None:
        self.limits = limits or FlowLimits()
        self.typist = Typist(schema)
        self.judge: Judge = self.typist.judge
        functions = [f for head in self.judge.heads() if (f := self.judge.function(head)) is not None]
        self._types = universe(schema, functions, self.limits.types).number
        self._enums = schema.enum

    def outside(self, text: str) -> str | None:
        """Why a text is not in the language: it is not well typed, or what the decoder leaves out; None if it is."""
        typed = self.typist.typed(text)
        if not typed.ok:
            return f"not well typed: {typed.diagnostics[0].message}"
        if typed.type is None:
            return "a type that is left open"
        try:
            return next(self._outside(read_program(typed.text), text), None)
        except (LispressError, Unsayable) as error:
            return str(error)

    def _outside(self, typed: Expr, text: str) -> Iterator[str]:
        if write_program(self._written(typed)) != text:
            yield "another spelling than the canonical one"
        env: dict[str, Con] = {}
        body, depth = typed, 1
        if isinstance(typed, Let):
            if [name for name, _ in typed.bindings] != [f"x{i}" for i in range(len(typed.bindings))]:
                yield "names that are not x0, x1 and so on, in order"
            if not 0 < len(typed.bindings) <= self.limits.names or len(typed.body) != 1:
                yield "a let of more names than the limit, or of several bodies"
            for name, value in typed.bindings:
                yield from self._value(value, env, 2)
                env[name] = self._type(value, env)
            body, depth = typed.body[0], 2
        yield from self._value(body, env, depth)

    def _type(self, typed: Expr, env: Mapping[str, Con]) -> Con:
        if isinstance(typed, Ascribed):
            return dl_type(typed.type)
        if isinstance(typed, Var) and typed.name in env:
            return env[typed.name]
        raise Unsayable("a part without a type")

    def _value(self, typed: Expr, env: Mapping[str, Con], depth: int) -> Iterator[str]:
        if depth > MAX_DEPTH:
            yield "deeper nesting than the limit"
        type_ = self._type(typed, env)
        if type_ not in self._types:
            yield f"a type that the schema does not have, or that nests too deep: {type_}"
        inner = typed.expr if isinstance(typed, Ascribed) else typed
        match inner:
            case Var():
                return
            case Atom(kind, text):
                if not _SPELLED[kind].fullmatch(text):
                    yield f"a literal spelled {text}"
            case Call():
                yield from self._call(inner, type_, env, depth)
            case _:
                yield "a let inside an expression, or what is no call"

    def _call(self, call: Call, type_: Con, env: Mapping[str, Con], depth: int) -> Iterator[str]:
        function = self.judge.function(call.head)
        if function is None:
            yield f"the unknown function {call.head}"
            return
        member = MEMBER.match(call.head)
        enum = self._enums.get(member[1]) if member and call.head not in self.judge.names.function else None
        if member and enum is not None and not re.fullmatch(MEMBER_NAME, member[2]):
            yield "a constant that is not spelled in ASCII"
        if member and enum is not None and enum.open and depth == MAX_DEPTH:
            yield "deeper nesting than the limit: the name of a constant takes a frame"
        names = [name for name, _ in function.tparams]
        binding = dict(zip(names, [dl_type(t) for t in call.type_args or ()], strict=True))
        if substitute(function.result, dict(binding)) != type_:
            yield f"a result of {call.head} that is Dynamic or taken for it"
        wanted = {p.name: substitute(p.type, dict(binding)) for p in function.params}
        for arg in call.args:
            assert arg.value is not None and arg.name is not None
            if self._type(arg.value, env) != wanted[arg.name]:
                yield f"an argument of {call.head} that is Dynamic or taken for it"
            yield from self._value(arg.value, env, depth + 1)

    def _written(self, typed: Expr) -> Expr:
        """The canonical untyped form; type arguments stay where the arguments that must be given do not show them."""
        plain = untyped(typed, self.judge)
        return self._with_types(typed, plain)

    def _with_types(self, typed: Expr, plain: Expr) -> Expr:
        match typed, plain:
            case Ascribed(_, inner), _:
                return self._with_types(inner, plain)
            case Let(), Let():
                bindings = zip(typed.bindings, plain.bindings, strict=True)
                bodies = zip(typed.body, plain.body, strict=True)
                return Let(
                    tuple((name, self._with_types(a, b)) for (name, a), (_, b) in bindings),
                    tuple(self._with_types(a, b) for a, b in bodies),
                )
            case Call(), Call():
                args = tuple(
                    Arg(
                        b.name,
                        self._with_types(a.value, b.value) if a.value is not None and b.value is not None else None,
                    )
                    for a, b in zip(typed.args, plain.args, strict=True)
                )
                function = self.judge.function(typed.head)
                shown = {n for p in function.params if not p.optional for n in mentions(p.type)} if function else set()
                hidden = function is not None and not shown.issuperset(n for n, _ in function.tparams)
                return Call(plain.head, args, typed.type_args if hidden else plain.type_args)
        return plain
