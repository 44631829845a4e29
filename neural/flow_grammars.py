"""Lispress as context-free grammars for other decoders: xgrammar's EBNF and llguidance's Lark, as text.

Two grammars of one schema. The *untyped* one knows names, not types. The *typed monomorphic* one has a nonterminal for
each of a finite set of ground types, and a production for each signature at those types; what no context-free grammar
can say is left out: which variables are bound and of which types, and instances beyond that set.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from ..compiler.check import Checker
from ..compiler.schema import Schema
from ..compiler.types import BOOL, INT, NUMBER, TEXT, Con
from ..targets.dataflow.judge import Judge
from ..targets.dataflow.names import Names
from .flow_signatures import Signature, Signatures, Space
from .flow_surface import FlowLimits
from .flow_types import Ids

_TERMS_EBNF = r"""
string ::= "\"" char* "\""
char ::= [^"\\\x00-\x1f] | "\\" ["\\bfnrt] | "\\u" code
code ::= "00" low | "0" [1-9a-f] hex hex | [1-9a-cef] hex hex hex | "d" [0-7] hex hex | "d" [89ab] hex hex "\\ud" [c-f] hex hex
low ::= "0" [0-7be] | "0f" | "1" hex | [89a-f] hex
hex ::= [0-9a-f]
integer ::= "0" | [1-9] [0-9]*
long ::= integer "L"
number ::= "-"? integer ("." [0-9]+)?
truth ::= "true" | "false"
variable ::= "x" [0-9]+
member ::= [A-Z] [A-Za-z0-9_]*
"""
_TERMS_LARK = r"""
string: STRING
long: LONG
number: NUMBER
truth: "true" | "false"
variable: VARIABLE
member: MEMBER
STRING: /"([^"\\\x00-\x1f]|\\["\\bfnrt]|\\u(00(0[0-7be]|0f|1[0-9a-f]|[89a-f][0-9a-f])|0[1-9a-f][0-9a-f]{2}|[1-9a-cef][0-9a-f]{3}|d[0-7][0-9a-f]{2}|d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}))*"/
LONG: /(0|[1-9][0-9]*)L/
NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?/
VARIABLE: /x[0-9]+/
MEMBER: /[A-Z][A-Za-z0-9_]*/
"""
_LITERALS = ((TEXT, "string"), (INT, "long"), (NUMBER, "number"), (BOOL, "truth"))


@dataclass(frozen=True, slots=True)
class Ref:
    """A nonterminal, in a production."""

    name: str


Production = tuple["str | Ref", ...]


@dataclass
class Grammar:
    """Productions by nonterminal; the first is the start."""

    rules: dict[str, list[Production]] = field(default_factory=dict)

    def add(self, name: str, *items: "str | Ref") -> None:
        """One more production; pieces of text side by side become one."""
        joined: list[str | Ref] = []
        for item in items:
            if isinstance(item, str) and joined and isinstance(joined[-1], str):
                joined[-1] += item
            elif item != "":
                joined.append(item)
        self.rules.setdefault(name, []).append(tuple(joined))

    def ebnf(self) -> str:
        """As xgrammar reads it; the start is `root`."""
        lines = [f"root ::= {next(iter(self.rules))}"]
        lines += [f"{name} ::= {self._alternatives(each, json.dumps)}" for name, each in self.rules.items()]
        return "\n".join(lines) + _TERMS_EBNF

    def lark(self) -> str:
        """As llguidance reads it; the start is `start`."""
        lines = [f"start: {next(iter(self.rules))}"]
        lines += [f"{name}: {self._alternatives(each, json.dumps)}" for name, each in self.rules.items()]
        return "\n".join(lines) + _TERMS_LARK

    def _alternatives(self, productions: Sequence[Production], quote: Callable[[str], str]) -> str:
        made = [" ".join(i.name if isinstance(i, Ref) else quote(i) for i in items) or '""' for items in productions]
        return " | ".join(dict.fromkeys(made))


def untyped_grammar(schema: Schema) -> Grammar:
    """Names, parentheses, literals; any number of arguments."""
    judge = Judge(schema, Names(schema), Checker(schema))
    grammar = Grammar()
    _program(grammar, "value")
    for name in ("string", "long", "number", "truth", "variable"):
        grammar.add("value", Ref(name))
    grammar.add("value", "(", Ref("head"), Ref("arguments"), ")")
    grammar.add("value", "(^(", Ref("types"), ") ", Ref("head"), Ref("arguments"), ")")
    grammar.add("arguments", " ", Ref("value"), Ref("arguments"))
    grammar.add("arguments", " :", Ref("label"), " ", Ref("value"), Ref("arguments"))
    grammar.add("arguments", "")
    names = dict.fromkeys(judge.heads())
    functions = [f for name in names if (f := judge.function(name)) is not None]
    for name in names:
        grammar.add("head", name)
    for enum in schema.enums:
        if enum.open:
            grammar.add("head", f"{enum.name}.", Ref("member"))
    for label in dict.fromkeys(str(p.name) for f in functions for p in f.params):
        grammar.add("label", label)
    signatures = Signatures(schema, judge, FlowLimits().types, len)
    for text in dict.fromkeys(t.partition(" ")[0].strip("(") for t in signatures.universe.texts):
        grammar.add("constructor", text)
    grammar.add("type", Ref("constructor"))
    grammar.add("type", "(", Ref("constructor"), " ", Ref("types"), ")")
    grammar.add("types", Ref("type"))
    grammar.add("types", Ref("type"), " ", Ref("types"))
    return grammar


def _program(grammar: Grammar, value: str) -> None:
    grammar.add("program", Ref(value))
    grammar.add("program", "(let (", Ref("variable"), " ", Ref(value), Ref("bindings"), ") ", Ref(value), ")")
    grammar.add("bindings", " ", Ref("variable"), " ", Ref(value), Ref("bindings"))
    grammar.add("bindings", "")


def typed_grammar(schema: Schema, types: Sequence[Con]) -> Grammar:
    """One nonterminal for each of `types`; signatures at instances all of whose types are among them."""
    limits = FlowLimits(only=tuple(types))
    signatures = Signatures(schema, Judge(schema, Names(schema), Checker(schema)), limits.types, len, limits.only)
    return _Typed(signatures).grammar()


class _Typed:
    """The typed grammar being written."""

    def __init__(self, signatures: Signatures) -> None:
        self.signatures = signatures
        self.made = Grammar()
        self._sets: dict[bytes, str] = {}
        self._pending: list[tuple[str, Ids]] = []

    def grammar(self) -> Grammar:
        inhabited = np.flatnonzero(self.signatures.inhabited).astype(np.int32)
        _program(self.made, self._any(inhabited))
        for signature, space in zip(self.signatures.all, self.signatures.spaces, strict=True):
            if space is not None:
                self._signature(signature, space)
        number = self.signatures.universe.number
        for type_, name in _LITERALS:
            if type_ in number:
                self.made.add(self._one(number[type_]), Ref(name))
        for enum in self.signatures.schema.enums:
            type_ = Con(enum.name)
            if enum.open and type_ in number:
                self.made.add(self._one(number[type_]), f"({enum.name}.", Ref("member"), ")")
        for i in inhabited.tolist():
            self.made.add(self._one(i), Ref("variable"))
        for name, numbers in self._pending:
            for i in numbers.tolist():
                self.made.add(name, Ref(self._one(i)))
        return self.made

    def _one(self, number: int) -> str:
        return f"t{number}_" + re.sub(r"\W+", "_", self.signatures.universe.texts[number]).strip("_").lower()

    def _any(self, numbers: Ids) -> str:
        """The nonterminal of a set of types."""
        if len(numbers) == 1:
            return self._one(int(numbers[0]))
        key = numbers.tobytes()
        if key not in self._sets:
            self._sets[key] = f"any{len(self._sets)}"
            self._pending.append((self._sets[key], numbers))
        return self._sets[key]

    def _signature(self, signature: Signature, space: Space) -> None:
        """One production for each row of the components that have to agree somewhere; the others are sets."""
        shown = signature.component(signature.function.result)
        used = [signature.component(p.type) for p in signature.function.params]
        fixed = [at for at in range(len(space)) if signature.written or at == shown or used.count(at) > 1]
        for rows in product(*(range(len(space[at])) for at in fixed)):
            one = list(space)
            for at, row in zip(fixed, rows, strict=True):
                one[at] = space[at][row : row + 1]
            self._instance(signature, tuple(one))

    def _instance(self, signature: Signature, space: Space) -> None:
        result = int(self.signatures.instances(signature, signature.function.result, space)[0])
        opening = self.signatures.opening(signature, space).decode()
        for items in self._arguments(signature, space, 0, True):
            self.made.add(self._one(result), opening, *items, ")")

    def _arguments(self, signature: Signature, space: Space, index: int, by_position: bool) -> list[list["str | Ref"]]:
        if index == len(signature.function.params):
            return [[]]
        parameter = signature.function.params[index]
        found: list[list[str | Ref]] = []
        numbers = np.unique(self.signatures.instances(signature, parameter.type, space))
        numbers = numbers[(numbers >= 0) & self.signatures.inhabited[numbers]]
        if len(numbers):
            before = self.signatures.label(signature, index, by_position)
            rest = self._arguments(signature, space, index + 1, by_position and before == b" ")
            found += [[before.decode(), Ref(self._any(numbers.astype(np.int32))), *each] for each in rest]
        if parameter.optional:
            found += self._arguments(signature, space, index + 1, False)
        return found
