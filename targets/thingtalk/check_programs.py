"""Type findings of any ThingTalk program, what DL has no words for included.

What is outside DL has stand-ins in a copy of the schema (`stand_ins`), and so have the functions of the program, their
parameters and what a `let` names: with them each statement is a term that DL's checker looks at. What is said here of
ThingTalk alone is where streams, queries and actions may stand (`kinds`), and which values are none (`places`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from ...compiler.check import Checker
from ...compiler.schema import Column, Function, Parameter, Schema, Table, fact
from ...compiler.terms import App, Statement, Term, Turn
from ...compiler.types import DYNAMIC, Type, show
from ...grammar.diagnostic import CompileError, Diagnostic
from . import ast, values
from . import read_errors as errors
from .check_classes import check_dataset, check_example, schema_defining
from .constant_types import unknown_types
from .declarations import (
    ClassDef,
    Control,
    Dataset,
    Example,
    ExpressionStatement,
    FunctionDeclaration,
    Let,
    Policy,
    PolicyFunction,
    Program,
    Return,
)
from .kinds import Kind, kind_of, misplaced_parts, not_monitored
from .lexer import ThingTalkSyntaxError
from .locate import located
from .places import ill_placed, ill_placed_value, is_computed
from .programs import parse
from .read import ThingTalkReader
from .read_classes import types_in
from .read_query import EMPTY, Query, Shape
from .read_text import Source
from .stand_in_types import type_of_said
from .stand_ins import Called, StandIns
from .write_names import NOT_SAID

Speaker = Literal["user", "agent"]


def check_thingtalk(
    text: str, schema: Schema, speaker: Speaker = "user", tokenized: bool = False
) -> tuple[Diagnostic, ...]:
    """What is wrong with a program, whatever it is made of: no error, and it is well typed."""
    source = Source(text, tokenized)
    try:
        tree = parse(text, tokenized)
    except ThingTalkSyntaxError as error:
        return (errors.no_thingtalk(error.message, source.characters(error.offset, error.end)),)
    if isinstance(tree, Program):
        classes = tuple(s for s in tree.statements if isinstance(s, ClassDef))
        inline = not all(isinstance(s, ClassDef | Dataset) for s in tree.statements)
        try:
            own = schema_defining(classes, schema, inline=inline, source=source) if classes else schema
        except CompileError as error:
            return error.diagnostics
        schema = types_in(own, _declared_types(tree))[1]
    stand_ins = StandIns(schema, called=_saved(schema))
    return _Check(source, speaker, stand_ins).whole(tree)


def _saved(schema: Schema) -> dict[str, Called]:
    """Tables of no class, which programs call by name alone: what earlier programs keep."""
    said = ((table, fact(table.facts, "thingtalk")) for table in schema.tables)
    return {name: Called(table, "query") for table, name in said if name and name != NOT_SAID and "." not in name}


def _declared_types(program: Program) -> dict[str, values.Type]:
    """The types of parameters that a program declares: of its functions and of the examples of its data sets."""
    found: dict[str, values.Type] = {}
    open_ = list(program.statements)
    while open_:
        statement = open_.pop(0)
        match statement:
            case FunctionDeclaration(_, params, body):
                found |= {f"{name}_{len(found)}": type_ for name, type_ in params}
                open_ += [inner for inner in body if isinstance(inner, FunctionDeclaration)]
            case Dataset(_, examples):
                for example in examples:
                    found |= {f"{name}_{len(found)}": type_ for name, type_ in example.params}
    return found


@dataclass
class _Check:
    """One program."""

    source: Source
    speaker: Speaker
    stand_ins: StandIns
    found: list[Diagnostic] = field(default_factory=list)
    checker: tuple[Schema, Checker] | None = None

    def __post_init__(self) -> None:
        self.reader = ThingTalkReader(self.stand_ins.schema, self.stand_ins)

    @property
    def called(self) -> dict[str, Called]:
        """Functions and `let`s in scope."""
        assert self.stand_ins.called is not None
        return self.stand_ins.called

    def whole(self, tree: Program | ast.DialogueState | Policy | Control) -> tuple[Diagnostic, ...]:
        """What is found in a program."""
        match tree:
            case ast.DialogueState():
                self._state(tree)
            case Policy():
                self._policy(tree)
            case Control(_, value):
                if value is not None:
                    self._values(value)
                    self._read(lambda: self.reader.result("the answer", value, EMPTY)[1], 0)
            case Program(statements):
                # A function may be called before it is declared.
                for statement in statements:
                    if isinstance(statement, FunctionDeclaration):
                        self._function(statement)
                for statement in statements:
                    if isinstance(statement, Dataset):
                        self.found += [replace(d, span=self.source.span(0)) for d in check_dataset(statement)]
                        for example in statement.examples:
                            self._example(example)
                    elif isinstance(statement, Let):
                        self._let(statement)
                    elif isinstance(statement, ExpressionStatement):
                        self._statement(ast.Item(statement.expression), statement.at)
        return tuple(self.found)

    # ------------------------------------------------------------ statements

    def _statement(self, item: ast.Item, at: int) -> Query | None:
        """An item's query, if it can be read; its findings are added."""
        expression = item.expression
        at = at if at >= 0 else max(getattr(expression, "at", 0), 0)
        bound = frozenset(self.stand_ins.bound)
        wrong = [
            *misplaced_parts(expression, self._kind),
            *not_monitored(expression, self._still),
            *ill_placed(expression, bound),
        ]
        self.found += [replace(d, span=self.source.span(place if place >= 0 else at)) for d, place in wrong]
        self.stand_ins.monitored.clear()
        try:
            query = self.reader.expression(expression)
            statement = self.reader.standing(query, item.confirm, item.results)
        except errors.Misread as error:
            if error.diagnostic.code != "DLC225" and not wrong:
                place = error.at if error.at >= 0 else at
                self.found.append(replace(error.diagnostic, span=self.source.span(place)))
            return None
        found = self._checked(Turn(self.speaker, (), (statement,)))
        if found and not wrong:
            found = located(self.source, found, self.reader, self.speaker, self._again, (item,))
            span = self.source.span(at)
            self.found += [d if d.span is not None else replace(d, span=span) for d in found]
        return query

    def _checked(self, turn: Turn) -> tuple[Diagnostic, ...]:
        """What DL's checker says of a turn, and of what its streams monitor."""
        terms = (*map(Statement, self.stand_ins.monitored), *turn.statements)
        checker = self._checker()
        return tuple(d for s in terms for d in checker.check_turn(Turn(turn.speaker, (), (s,))).diagnostics)

    def _checker(self) -> Checker:
        """Of the schema as it is now: with each stand-in it is another."""
        schema = self.stand_ins.schema
        if self.checker is None or self.checker[0] is not schema:
            self.checker = schema, Checker(schema, acts=False)
        return self.checker[1]

    def _again(self, turn: Turn) -> tuple[Diagnostic, ...]:
        found = self._checked(turn)
        self.stand_ins.monitored.clear()
        return found

    def _read(self, read: Callable[[], Term], at: int) -> None:
        """A value or condition by itself: a term to be checked."""
        self.stand_ins.monitored.clear()
        try:
            term = read()
        except errors.Misread as error:
            if error.diagnostic.code != "DLC225":
                place = error.at if error.at >= 0 else at
                self.found.append(replace(error.diagnostic, span=self.source.span(place)))
            return
        span = self.source.span(at)
        self.found += [replace(d, span=span) for d in self._checked(Turn(self.speaker, (), (Statement(term),)))]

    def _kind(self, call: ast.Invocation | ast.FunctionCall) -> Kind | None:
        if isinstance(call, ast.FunctionCall):
            known = self.called.get(call.name)
            return known.kind if known is not None else None
        declared = self.reader.functions.get(f"@{call.kind}.{call.function}")
        return None if declared is None else "query" if isinstance(declared, Table) else "action"

    def _still(self, call: ast.Invocation | ast.FunctionCall) -> str | None:
        """The name of what is called, if nobody is told when it changes."""
        if isinstance(call, ast.FunctionCall):
            known = self.called.get(call.name)
            still = known is not None and fact(known.declared.facts, "thingtalk") != call.name
            return call.name if still else None
        said = f"@{call.kind}.{call.function}"
        declared = self.reader.functions.get(said)
        return said if declared is not None and fact(declared.facts, "monitorable") == "no" else None

    # ------------------------------------------------------------ declarations

    def _let(self, said: Let) -> Kind | None:
        """A name for the rows of a query, or for what an action gives; its kind."""
        query = self._statement(ast.Item(said.expression), said.at)
        kind, streams = kind_of(said.expression, self._kind)
        if streams:
            what = "a `let` names a query or an action, not a stream"
            self.found.append(errors.misplaced(what, self.source.span(max(said.at, 0))))
        self._declare(said.name, Called(_table(said.name, (), query), "query"), said.at)
        return kind

    def _declare(self, name: str, called: Called, at: int) -> None:
        if name in self.called:
            self.found.append(errors.declared_twice(name, span=self.source.span(max(at, 0))))
        self.stand_ins.add(called.declared)
        self.called[name] = called

    def _function(self, said: FunctionDeclaration, within: str = "") -> None:
        around, bound = dict(self.called), dict(self.stand_ins.bound)
        name = f"{within}{said.name}()"
        at = max(said.at, 0)
        params: list[tuple[str, Type]] = []
        for param, written in said.params:
            type_ = type_of_said(written, self.stand_ins.schema)
            self.found += [errors.no_type(each, self.source.span(at)) for each in unknown_types(written)]
            params.append((param, type_ or DYNAMIC))
            self.stand_ins.bind(name, param, type_ or DYNAMIC)
        for inner in said.body:
            if isinstance(inner, FunctionDeclaration):
                self._function(inner, name)
        kind, result = self._body(said)
        self.stand_ins.called, self.stand_ins.bound = around, bound
        inputs = tuple(param for param, _ in params)
        declared: Table | Function = _table(name, tuple(params), result)
        if kind == "action":
            columns = tuple(c for c in declared.columns if c.name not in inputs)
            taken = tuple(Parameter(param, type_, optional=True) for param, type_ in params)
            declared = Function(declared.name, taken, DYNAMIC, action=True, columns=columns, facts=declared.facts)
        self._declare(said.name, Called(declared, kind, inputs), said.at)

    def _body(self, said: FunctionDeclaration) -> tuple[Kind, Query | None]:
        """What a function is, and the query whose rows it gives: that it returns, else that of its last query."""
        returned: list[Query | None] = []
        result: Query | None = None
        streams = acts = False
        for statement in said.body:
            if isinstance(statement, FunctionDeclaration):
                continue
            span = self.source.span(max(statement.at, 0))
            if isinstance(statement, Let):
                acts = self._let(statement) == "action" or acts
                continue
            query = self._statement(ast.Item(statement.expression), statement.at)
            kind, streaming = kind_of(statement.expression, self._kind)
            acts = acts or kind == "action"
            if isinstance(statement, Return):
                if streaming:
                    self.found.append(errors.misplaced("a stream is not returned", span))
                if returned:
                    self.found.append(errors.misplaced(f"{said.name} returns twice", span))
                returned.append(query)
                continue
            if streaming and streams:
                self.found.append(errors.misplaced(f"{said.name} has two streams", span))
            streams = streams or streaming
            if streams and acts:
                self.found.append(errors.misplaced(f"{said.name} has a stream and an action", span))
            if not streaming and (kind != "action" or result is None):
                result = query
        return "stream" if streams else "action" if acts else "query", returned[0] if returned else result

    def _example(self, said: Example) -> None:
        """An example of a data set: its expression with its parameters, and what it says of itself."""
        around, bound = dict(self.called), dict(self.stand_ins.bound)
        for param, written in said.params:
            type_ = type_of_said(written, self.stand_ins.schema) or DYNAMIC
            self.stand_ins.bind(f"an example: {show(type_)}", param, type_)
        at = max(getattr(said.expression, "at", 0), 0)
        self._statement(ast.Item(said.expression), at)
        self.stand_ins.called, self.stand_ins.bound = around, bound
        kind, streams = kind_of(said.expression, self._kind)
        what = ("program" if kind == "action" else "stream") if streams else kind
        if what is not None:
            self.found += [replace(d, span=self.source.span(at)) for d in check_example(said, what)]

    # ------------------------------------------------------------ states and policies

    def _state(self, state: ast.DialogueState) -> None:
        for param in state.params or ():
            if is_computed(param):
                self.found.append(errors.not_constant("a parameter of the act", self.source.span(0)))
        read = [self._statement(item, -1) for item in state.items]
        names = tuple(p.name for p in state.params or () if isinstance(p, values.VarRef))
        statements = tuple(Statement(query.term) for query in read if query is not None)
        acts = self.reader.acts(state.act, names, statements)
        found = self._checker().check_turn(Turn(self.speaker, acts, ())).diagnostics
        self.found += [replace(d, span=d.span or self.source.span(0)) for d in found]

    def _policy(self, policy: Policy) -> None:
        nobody = Query(App("nothing"), ("it",), Shape({}, {}))
        self._values(policy.principal, source=True)
        self._read(lambda: self.reader.condition(policy.principal, self._rows("anybody", nobody)), 0)
        for function, kind in ((policy.query, "query"), (policy.action, "action")):
            if function is not None and function.function is not None:
                self._permitted(function, kind)

    def _values(self, value: values.Value | ast.Filter | None, after: bool = False, source: bool = False) -> None:
        wrong = ill_placed_value(value, after, source)
        self.found += [replace(d, span=self.source.span(max(at, 0))) for d, at in wrong]

    def _permitted(self, function: PolicyFunction, kind: str) -> None:
        call = ast.Invocation(function.kind or "", function.function or "")
        self._values(function.filter, after=kind == "action")
        if self._kind(call) not in (kind, None):
            what = f"@{call.kind}.{call.function} is no {kind}"
            self.found.append(errors.misplaced(what, self.source.span(0)))
            return

        def read() -> Term:
            rows = self._rows(f"calls of @{call.kind}.{call.function}", self.reader.expression(call))
            condition = function.filter
            return rows.then_where(self.reader.condition(condition, rows)).term if condition is not None else rows.term

        self._read(read, 0)

    def _rows(self, name: str, query: Query) -> Query:
        """Rows that have what a call takes and gives."""
        columns = tuple(Column(n, t, optional=True) for n, t in query.shape.types.items())
        self.stand_ins.add(Table(name, columns))
        return Query(App(name), (name,), Shape(query.shape.names, query.shape.types))


def _table(name: str, params: tuple[tuple[str, Type], ...], query: Query | None) -> Table:
    """The rows of a function: what it takes, and the rows of the query, by their ThingTalk names."""
    types = dict(params)
    if query is not None:
        declared, shown = query.shape.declared, set(_shown(query.term, query))
        given = {c.name for c in declared.columns} if isinstance(declared, Function) else shown
        for said, label in query.shape.names.items():
            if label in given and label in query.shape.types:
                types.setdefault(said, query.shape.types[label])
    columns = tuple(Column(n, t, optional=True, facts=(("thingtalk", n),)) for n, t in types.items())
    return Table(f"the rows of {name}", columns, (("thingtalk", f"program.{name}"),))


def _shown(term: Term, query: Query) -> list[str]:
    while isinstance(term, App) and term.fn in ("where", "sort", "take", "at", "as", "distinct") and term.args:
        term = term.args[0]
    return query.with_term(term).shown()
