"""ThingTalk that DL has no words for, in DL under names of its own.

A stand-in is a table (a stream, a function of a certain device) or a function (a distance, a place, a value of the
context) declared in a copy of the schema. DL knows its columns or operands and nothing else, so what canonical forms
conclude holds whatever it means. Its name says what it stands for, parts in canonical form: one name, one thing. Its
`thingtalk_text` fact holds the pieces of text that its operands stand between.

Conversion has no use for them, since no other language has the thing; they make comparing and normalizing possible.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ...canon.pipeline import Canonicalizer
from ...compiler.check import prelude
from ...compiler.schema import Column, Facts, Function, Parameter, Schema, Table, fact_list, merge
from ...compiler.terms import App, Term
from ...compiler.types import DYNAMIC, Type, show
from . import ast, values
from .print_filters import print_filter
from .print_queries import print_params
from .printer import Printer

if TYPE_CHECKING:
    from .streams import Monitored

WRITTEN = "thingtalk_text"
Declared = TypeVar("Declared", Table, Function)
Signature = tuple[tuple[Type, ...], Type]
"""Types of operands, and of what is made of them."""


@dataclass(frozen=True, slots=True)
class Called:
    """A function of the program, or a `let`: declared as a table or an action, `inputs` what a call may give it."""

    declared: Table | Function
    kind: Literal["query", "action", "stream"]
    inputs: tuple[str, ...] = ()


@dataclass
class StandIns:
    """The stand-ins of one program. `schema` is the schema given with theirs, `monitored` the queries below
    streams (and elements that are filtered) as they were read, `found` what a note calls the stand-ins.

    Of a program that is checked whole: `bound` are the parameters in scope, `called` the functions and `let`s."""

    schema: Schema
    declared: dict[str, Table | Function] = field(default_factory=dict)
    streams: "dict[str, Monitored]" = field(default_factory=dict)
    monitored: list[Term] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    bound: dict[str, tuple[Term, Type]] = field(default_factory=dict)
    called: "dict[str, Called] | None" = None

    def bind(self, owner: str, name: str, type_: Type) -> None:
        """A parameter of a function declared in the program."""
        made = Function(f"{name} of {owner}", (), type_)
        self.add(made)
        self.bound[name] = App(made.name), type_

    def of_earlier(self, name: str, type_: Type) -> Term:
        """For the checker: a field of a call that is not the one right before."""
        made = Function(f"{name} of an earlier call: {show(type_)}", (), type_)
        self.add(made)
        return App(made.name)

    def add(self, declared: Table | Function) -> None:
        """A declaration that is no stand-in: it is there for the checker."""
        tables, functions = ((declared,), ()) if isinstance(declared, Table) else ((), (declared,))
        own = Schema(self.schema.name, tables=tables, functions=functions, facts=self.schema.facts)
        self.schema = merge(self.schema, own)

    def table(self, said: str, name: str, columns: tuple[Column, ...], facts: Facts) -> Table:
        """A table of that name; said: what a note calls it. A row may come twice: no column is a key."""
        plain = tuple(replace(c, key=False, unique=False, references=None) for c in columns)
        return self._declare(said, Table(name, plain, facts))

    def of_device(self, call: ast.Invocation, declared: Table | Function) -> Table | Function:
        """A function of a certain device: nobody knows how its rows and those of another device are related."""
        device = tuple(sorted(call.device or (), key=lambda param: param.name))
        said = f"{call.kind}{text_of(print_params, device)}.{call.function}"
        facts: Facts = (("thingtalk", said),)
        if isinstance(declared, Table):
            return self.table("a device attribute", f"@{said}", declared.columns, facts)
        return self._declare("a device attribute", replace(declared, name=f"@{said}", facts=facts))

    def value(
        self, said: str, pieces: tuple[str, ...], operands: tuple[Term, ...] = (), signature: "Signature | None" = None
    ) -> Term:
        """A value, or a condition: the operands with the pieces of text around them."""
        types, result = signature or ((DYNAMIC,) * len(operands), DYNAMIC)
        name = "·".join(pieces)
        if signature is not None and (known := self.declared.get(name)) is not None:
            # The same text over rows of other types is another thing.
            while isinstance(known, Function) and ([p.type for p in known.params], known.result) != ([*types], result):
                name += "'"
                known = self.declared.get(name)
        params = tuple(Parameter(None, type_, positional=True) for type_ in types)
        facts: Facts = ((WRITTEN, pieces),)
        self._declare(said, Function(name, params, result, facts=facts))
        return App(name, operands)

    def expect(self, term: Term, type_: Type) -> None:
        """For the checker: a value of which a type is wanted."""
        self.monitored.append(self._as(term, type_))

    def compared(self, term: Term, type_: Type) -> Term:
        """A value that is of no type elsewhere, where a program that is checked compares it."""
        return term if self.called is None else self._as(term, type_)

    def _as(self, term: Term, type_: Type) -> Term:
        name = f"as {show(type_)}"
        self.add(Function(name, (Parameter(None, type_, positional=True),), type_))
        return App(name, (term,))

    def elements(self, fields: Mapping[str, Type]) -> Table:
        """The elements of a list as rows, for the checker to look at a condition on them."""
        said = ", ".join(f"{name}: {show(type_)}" for name, type_ in fields.items())
        rows = Table(f"elements({said})", tuple(Column(name, type_, optional=True) for name, type_ in fields.items()))
        self.add(rows)
        return rows

    def canonical(self, term: Term) -> Term:
        """A term in canonical form."""
        return Canonicalizer(merge(prelude(), self.schema)).term(term)

    def _declare(self, said: str, declared: Declared) -> Declared:
        if declared.name not in self.declared:
            self.declared[declared.name] = declared
            self.found.append(said)
            self.add(declared)
        return declared


def pieces_around(value: values.Value) -> tuple[str, ...]:
    """The text of a value around its operands."""
    match value:
        case values.Computation(op, operands):
            opened, between, closed = (f"{op}(", ", ", ")") if op.isalnum() else ("(", f" {op} ", ")")
            return (opened, *[between] * (len(operands) - 1), closed)
        case values.ArrayField(name, _):
            return (f"({name} of ", ")")
        case values.FilterValue(_, condition):
            return ("(", f" filter {text_of(print_filter, condition)})")
    return (text_of(Printer.value, value),)


def text_of(write: Callable[[Printer, Any], None], part: Any) -> str:
    """A part as text, to be parsed again."""
    printer = Printer(False, loose=True)
    write(printer, part)
    return printer.text()


def pieces_of(fn: str, schema: Schema) -> tuple[str, ...]:
    """The text of a stand-in around its operands; empty for anything else."""
    declared = schema.function.get(fn) or schema.table.get(fn)
    return fact_list(declared.facts, WRITTEN) if declared is not None else ()


def is_beyond(schema: Schema) -> bool:
    """Whether a schema is one that `beyond.read_beyond` made: its program is outside DL."""
    return bool(fact_list(schema.facts, WRITTEN))


def text_before(schema: Schema) -> str | None:
    """The text of such a program."""
    return fact_list(schema.facts, WRITTEN)[0] if is_beyond(schema) else None
