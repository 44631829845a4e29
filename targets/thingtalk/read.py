"""ThingTalk programs and dialogue states as DL turns.

Names go through the schema's `@thingtalk` facts, the other way round from the writer. Nothing is reordered or simplified.
A member its enum does not list is kept `raw`; an act goes by its ThingTalk name. What is outside DL is an error (DLC225),
or gets a stand-in if the caller keeps them.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...canon.relations import binders_of, gives_one
from ...compiler.lower import default_label, fresh_label
from ...compiler.schema import Function, Schema, Table, fact
from ...compiler.terms import (
    Abs,
    Act,
    App,
    Entity,
    Field,
    Hole,
    Lit,
    Outcome,
    Record,
    Statement,
    Term,
    Turn,
    Var,
    subterms,
)
from ...compiler.types import BOOL, DATE, DATETIME, DURATION, MONEY, NUMBER, TEXT, TIME, Con, Type, show
from ...grammar.diagnostic import CompileError
from . import ast, streams, values
from . import read_errors as errors
from .array_values import Scope, array_type, is_of_list, part_of
from .normal_form import column_name, only_one
from .read_pieces import Pieces
from .read_query import EMPTY, Argument, Query, Shape, renamed_table, shown_column
from .read_text import Source, parsed
from .stand_in_types import LENGTH, LIST_OF_NUMBERS, signature_of
from .stand_ins import StandIns, pieces_around
from .write_names import ANSWER, Names

_COMPARISONS = {"==": "=", ">=": ">=", "<=": "<=", "=~": "~", ">": ">", "<": "<"}
_CALLED = {"starts_with": "starts_with", "ends_with": "ends_with", "contains": "contains", "in_array~": "any_match"}
PLACEHOLDERS = {
    "QUOTED_STRING": TEXT,
    "NUMBER": NUMBER,
    "TIME": TIME,
    "DATE": DATETIME,
    "DURATION": DURATION,
    "CURRENCY": MONEY,
}


_NOT_TEXT = frozenset((NUMBER, BOOL, TIME, DATE, DATETIME, DURATION, MONEY))
_REMEMBERED = 50_000


@dataclass
class ThingTalkReader:
    """Reads programs against one schema; keeps what it learned about names and repeated items."""

    schema: Schema
    stand_ins: StandIns | None = None
    names: Names = field(init=False)
    functions: dict[str, Table | Function] = field(init=False)
    entities: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = Names(self.schema)
        declared: list[Table | Function] = [*self.schema.tables, *(f for f in self.schema.functions if f.action)]
        called = [(self.names.called(d), d) for d in declared]
        self.functions = {str(name): d for name, d in called if name is not None}
        types = [*(e.name for e in self.schema.entities), *(t.name for t in self.schema.tables)]
        self.entities = {self.names.entity(name): name for name in reversed(types)}
        self._fields: dict[str, dict[str, str]] = {}
        self._members: dict[str, dict[str, str]] = {}
        self._calls: dict[str, Query] = {}
        self._owners: dict[str, list[Table | Function]] = {}
        self._mentions: dict[Term, tuple[str, ...]] = {}
        self._pieces = Pieces(self)
        # Fields of the calls before in a chain, by their ThingTalk names.
        self.earlier: dict[str, Type] = {}

    def read(self, text: str, speaker: Literal["user", "agent"] = "user", tokenized: bool = False) -> Turn:
        """The turn of a program. Raises CompileError (DLC22x)."""
        if not tokenized:
            return self.whole(Source(text, False), speaker)
        if self._pieces.full:
            self._calls.clear()
            self._pieces = Pieces(self)
        return self._pieces.turn(text, speaker)

    def whole(self, source: Source, speaker: Literal["user", "agent"]) -> Turn:
        """The turn of a text parsed at once. Raises CompileError."""
        act, params, found = parsed(source)
        statements = tuple([self.statement(item, source) for item in found])
        return Turn(speaker, self.acts(act, params, statements), statements)

    def acts(self, act: str | None, params: tuple[str, ...], statements: tuple[Statement, ...]) -> tuple[Act, ...]:
        """The acts of a turn; the statements may say whose fields `params` are."""
        if act is None:
            return ()
        return (Act(act, tuple([Lit("path", self._path(name, statements)) for name in params])),)

    def _path(self, said: str, statements: tuple[Statement, ...]) -> str:
        """The field an act is about: `.area`, or `Hotel.area` where the bare name would be written otherwise."""
        having = self._owners.get(said)
        if having is None:
            having = [d for d in self.functions.values() if said in self.fields(d)]
            self._owners[said] = having
        if not having:
            return f".{said}"
        declared = having[0]
        if len(having) > 1:
            by_name = {d.name: d for d in having}
            mentioned = (name for s in reversed(statements) for name in self._mentioned(s.term))
            declared = next((by_name[name] for name in mentioned if name in by_name), declared)
        name = self.fields(declared)[said]
        return f".{name}" if self.names.anywhere(name) == said else f"{declared.name}.{name}"

    def _mentioned(self, term: Term) -> tuple[str, ...]:
        """The tables and functions of a term, as a reader of it meets them."""
        known = self._mentions.get(term)
        if known is None:
            if len(self._mentions) > _REMEMBERED:
                self._mentions.clear()
            known = tuple(dict.fromkeys(t.fn for t in subterms(term) if isinstance(t, App)))
            self._mentions[term] = known
        return known

    # ------------------------------------------------------------ names

    def fields(self, declared: Table | Function) -> dict[str, str]:
        """DL names of a function's fields by ThingTalk name."""
        found = self._fields.get(declared.name)
        if found is None:
            # A result given back under a parameter's ThingTalk name is read as the parameter.
            pairs = self.names.fields(declared).items()
            found = self._fields[declared.name] = {said: name for name, said in pairs if said is not None}
        return found

    def member(self, type_: Type | None, said: str) -> Term:
        """An enum member of the type expected, or `raw` if the enum is closed and does not have it."""
        enum = self.schema.enum.get(type_.name) if isinstance(type_, Con) else None
        if enum is None:
            return App(said)
        known = self._members.get(enum.name)
        if known is None:
            known = self._members[enum.name] = {v: k for k, v in reversed(self.names.members(enum).items())}
        if said in known:
            return App(known[said])
        return App(said) if enum.open else Lit("raw", said)

    # ------------------------------------------------------------ items

    def statement(self, item: ast.Item, source: Source) -> Statement:
        """One item of a text with its status and results. Raises CompileError, pointing into the text."""
        try:
            return self._statement(item)
        except errors.Misread as error:
            at = error.at if error.at >= 0 else getattr(item.expression, "at", 0)
            raise CompileError(replace(error.diagnostic, span=source.span(max(at, 0)))) from None

    def _statement(self, item: ast.Item) -> Statement:
        return self.standing(self.expression(item.expression), item.confirm, item.results)

    def standing(self, query: Query, confirm: str, results: ast.Results | None) -> Statement:
        """An expression's statement with its status and results."""
        if results is not None:
            return Statement(query.term, "confirmed", None, self._outcome(results, query))
        status: Literal["accepted", "proposed", "confirmed"] = "accepted"
        if confirm in ("proposed", "confirmed"):
            status = confirm  # type: ignore[assignment]
        return Statement(query.term, status)

    def _outcome(self, results: ast.Results, query: Query) -> Outcome:
        records = [
            Record(tuple([self.result(name, value, query) for name, value in row.fields])) for row in results.rows
        ]
        count = self._constant("count", results.count, NUMBER) if results.count is not None else None
        error = results.error
        code = error.name if isinstance(error, values.Enum) else None
        return Outcome(tuple(records), count, results.more, code)

    def result(self, said: str, value: values.Value, query: Query) -> Argument:
        """A field of a result."""
        name = query.shape.names.get(said, said)
        type_ = query.shape.types.get(name)
        # The reference takes any text for any field of a result: a value as it was annotated.
        if isinstance(value, values.String) and isinstance(type_, Con):
            if type_ in _NOT_TEXT or type_.name == "Measure" or type_.name in self.schema.enum:
                return name, Lit("raw", value.value)
        return name, self._constant(said, value, type_)

    def _constant(self, said: str, value: values.Value, type_: Type | None) -> Term:
        """A value of a result. Raises Misread for a parameter or computation."""
        if isinstance(value, values.VarRef | values.Computation):
            raise errors.Misread(errors.no_constant(said))
        return self._value(value, type_, EMPTY)

    # ------------------------------------------------------------ expressions

    def expression(self, expression: ast.Expression, outer: Query | None = None) -> Query:
        """The query of an expression; `outer` is the one around it. Raises Misread."""
        match expression:
            case ast.Invocation():
                return self._call(expression, outer)
            case ast.FilterExpression(inner, condition):
                query = self.expression(inner, outer)
                return query.then_where(self.condition(condition, query))
            case ast.Projection():
                return self.project(expression.fields, self.expression(expression.expression, outer))
            case ast.BooleanQuestion(condition, inner):
                query = self.expression(inner, outer)
                asked = Abs("row", query.binders, self.condition(condition, query))
                # The column that the reference's results have.
                made = App("show", (query.term,), ((ANSWER, asked),))
                return Query(
                    made, ("it",), Shape({**query.shape.names, ANSWER: ANSWER}, query.shape.types | {ANSWER: BOOL})
                )
            case ast.Sort(value, direction, inner):
                query = self.expression(inner, outer)
                key = Abs("row", query.binders, App(direction, (self._value(value, None, query),)))
                return query.with_term(App("sort", (query.term, key)))
            case ast.Index(inner, indices):
                query = self.expression(inner, outer)
                return query.with_term(
                    App("at", (query.term, *(self._index(v, query, len(indices) == 1) for v in indices)))
                )
            case ast.Slice(inner, base, limit):
                return self._slice(self.expression(inner, outer), base, limit)
            case ast.Aggregation():
                return self._aggregate(expression, outer)
            case ast.Chain(links):
                return self._chain(links, outer)
            case ast.Join(left, right):
                return self._join(left, right, outer)
            case ast.Alias(inner, name):
                query = self.expression(inner, outer)
                return Query(App("as", (query.term, Lit("name", name))), (name,), query.shape)
            case ast.Monitor() if self.stand_ins is not None and outer is None:
                return self._monitor(expression, self.stand_ins)
            case ast.FunctionCall(name) if self.stand_ins is not None and streams.is_timer(name):
                table = streams.timer(expression, self.stand_ins)
                taken = Query(App(""), ("it",), Shape(*streams.timer_inputs(name)))
                for param in expression.params:
                    column = self._taken(param, taken)
                    self._expected(param.value, taken.shape.types[column], outer or EMPTY, self.stand_ins)
                return Query(App(table.name), (table.name,), Shape({}, {}))
            case ast.FunctionCall(name) if self.stand_ins is not None and self.stand_ins.called is not None:
                called = self.stand_ins.called.get(name)
                if called is None:
                    raise errors.Misread(errors.undeclared(name, list(self.stand_ins.called)), expression.at)
                for param in expression.params:
                    if param.name not in called.inputs:
                        unknown = errors.unknown_parameter(param.name, name, list(called.inputs))
                        raise errors.Misread(unknown, param.at)
                return self._given(self._declared(called.declared), expression.params, outer)
        raise _outside(f"a {type(expression).__name__.lower()}", getattr(expression, "at", -1))

    def _call(self, call: ast.Invocation, outer: Query | None) -> Query:
        said = f"@{call.kind}.{call.function}"
        declared = self.functions.get(said)
        if declared is None:
            raise errors.Misread(errors.unknown_function(said, list(self.functions)), call.at)
        if call.device and not only_one(call):
            if self.stand_ins is None:
                raise _outside("a device attribute", call.at)
            declared = self.stand_ins.of_device(call, declared)
            said = declared.name
        return self._given(self._bare(said, declared), call.params, outer)

    def _given(self, query: Query, params: tuple[ast.InputParam, ...], outer: Query | None) -> Query:
        """A call with its parameters."""
        if query.action:
            arguments = [self.argument(param, query, outer or EMPTY) for param in params]
            return query.with_arguments(tuple([a for a in arguments if a is not None]))
        for param in params:
            column = self._taken(param, query)
            if not isinstance(param.value, values.Undefined):
                value = self._value(param.value, query.shape.types[column], outer or EMPTY)
                query = query.then_where(App("=", (query.field(column), value)))
        return query

    def _bare(self, said: str, declared: Table | Function) -> Query:
        """A call without arguments."""
        known = self._calls.get(said)
        if known is None:
            known = self._calls[said] = self._declared(declared)
        return known

    def _declared(self, declared: Table | Function) -> Query:
        names = self.fields(declared)
        types = {c.name: c.type for c in declared.columns}
        if isinstance(declared, Table):
            return Query(App(declared.name), (declared.name,), Shape(names, types, declared), table=declared.name)
        types |= {str(p.name): p.type for p in declared.params}
        # What an action gives may go by the ThingTalk name of a parameter; in its results that name is the result's.
        spelled = self.names.fields(declared)
        given = {str(spelled[c.name]): c.name for c in declared.columns if spelled[c.name] is not None}
        return Query(App(declared.name), ("it",), Shape(names | given, types, declared), action=True)

    def argument(self, param: ast.InputParam, call: Query, outer: Query = EMPTY) -> Argument | None:
        """An argument of an action; None for one that is not there."""
        label, declared = self._taken(param, call), call.shape.declared
        if not isinstance(param.value, values.Undefined):
            return label, self._value(param.value, call.shape.types[label], outer)
        # The reference drops `$?` for a required parameter and keeps it for an optional one.
        optional = isinstance(declared, Function) and declared.labelled[label].optional
        return (label, App("missing")) if optional else None

    def _taken(self, param: ast.InputParam, call: Query) -> str:
        """The DL name of a parameter."""
        declared = call.shape.declared
        names = self.fields(declared) if declared is not None else call.shape.names
        found = names.get(param.name)
        if found is None:
            owner = str(self.names.called(declared)) if declared is not None else "the query"
            raise errors.Misread(errors.unknown_parameter(param.name, owner, list(names)), param.at)
        return found

    def _expected(self, value: values.Value, type_: Type, outer: Query, stand_ins: StandIns) -> None:
        """A value of which a type is wanted; of a list each, for dates with and without a time are of one type."""
        if isinstance(value, values.Array) and isinstance(type_, Con) and type_.name == "List":
            for each in value.values:
                self._expected(each, type_.args[0], outer, stand_ins)
        elif not isinstance(value, values.Undefined):
            stand_ins.expect(self._value(value, type_, outer), type_)

    def _monitor(self, monitor: ast.Monitor, stand_ins: StandIns) -> Query:
        """The rows of a stream, which are those of the query below."""
        query = self.expression(monitor.expression)
        names = query.shape.names
        if monitor.fields is not None and not names.keys() >= set(monitor.fields):
            unknown = next(name for name in monitor.fields if name not in names)
            raise errors.Misread(errors.unknown_parameter(unknown, "the query", list(names)), monitor.at)
        fields = tuple(names[name] for name in monitor.fields) if monitor.fields is not None else None
        for said, name in zip(monitor.fields or (), fields or (), strict=True):
            declared = query.shape.declared
            if isinstance(declared, Table) and fact(declared.by_name[name].facts, "input"):
                raise errors.Misread(errors.not_monitored(f"{said} is given to the query, and"), monitor.at)
        term = streams.monitor(query.term, fields, query.shape.types, stand_ins, monitor)
        return Query(term, binders_of(term), query.shape)

    def project(self, fields: tuple[values.Value | ast.Aliased, ...], query: Query) -> Query:
        """`[fields] of query`."""
        if fields == (values.VarRef("*"),):
            # Every field of the rows: as in SQL, that is the query itself.
            return query
        named: dict[str, Term] = {}
        types: dict[str, Type] = {}
        # Names of columns that have no other in DL: a computed one has one although nobody gave it any.
        computed: dict[str, str] = {}
        aliases = {column_name(item) for item in fields if not isinstance(item, values.VarRef)}
        for item in fields:
            value, label = (item.value, item.alias) if isinstance(item, ast.Aliased) else (item, None)
            if isinstance(value, values.VarRef) and value.name == "*":
                if not aliases.isdisjoint(query.shape.names.values()):
                    # A new column hides the old one of its name: `*` is the others.
                    others = [n for n in query.shown() if n not in aliases]
                    named.update((n, Abs("row", query.binders, query.field(n))) for n in others)
                    continue
                body: Term = App("all_fields")
            else:
                body = self._value(value, None, query)
            said, plain = column_name(item), isinstance(value, values.VarRef)
            name = label or fresh_label(default_label(body) if plain else said, set(named))
            named[name] = Abs("row", query.binders, body)
            types[name] = query.shape.types.get(name, TEXT)
            if not plain or "." in said:
                computed[said] = name
        term = App("show", (query.term,), tuple(named.items()))
        if not computed and not query.shape.owners and types.items() <= query.shape.types.items():
            return Query(term, ("it",), query.shape)
        return Query(term, ("it",), Shape(query.shape.names | computed, query.shape.types | types))

    def _index(self, value: values.Value, query: Query, alone: bool) -> Term:
        """A number; of a parameter that is a list and stands alone, each of its numbers."""
        made = self._value(value, NUMBER, query)
        type_ = self._type_of(value, query)
        if self.stand_ins is not None and alone and isinstance(type_, Con) and type_.name == "List":
            return self.stand_ins.value("this list of positions", ("", ""), (made,), ((LIST_OF_NUMBERS,), NUMBER))
        return made

    def _slice(self, query: Query, base: values.Value, limit: values.Value) -> Query:
        args = [query.term, self._value(limit, NUMBER, query)]
        if not (isinstance(base, values.Number) and base.value == 1):
            start = self._value(base, NUMBER, query)
            before = Lit("number", str(int(base.value) - 1)) if isinstance(base, values.Number) else None
            args.append(before or App("-", (start, Lit("number", "1"))))
        return query.with_term(App("take", tuple(args)))

    def _aggregate(self, aggregation: ast.Aggregation, outer: Query | None) -> Query:
        op, column = aggregation.op, aggregation.column
        query = self.expression(aggregation.expression, outer)
        args = (self._field(column, query),) if column not in ("*", "") else ()
        # The reference counts the different values of a field.
        fn = "count_distinct" if op == "count" and args else op
        shown = ((op, Abs("row", query.binders, App(fn, args))),)
        term = App("show", (App("whole", (query.term,)),), shown)
        # What is aggregated keeps its name; only a count of rows has one of its own.
        type_ = self._type_of(values.VarRef(column), query) if args and op != "count" else None
        return Query(term, ("it",), Shape({column if args else op: op}, {op: type_ or NUMBER}))

    def _chain(self, links: tuple[ast.Expression, ...], outer: Query | None) -> Query:
        query = self.expression(links[0], outer)
        before = self._earlier_fields(links[0], query, self.earlier)
        for link in links[1:]:
            if query.action:
                raise _outside("a chain after an action")
            around, self.earlier = self.earlier, before
            try:
                following = self.expression(link, query)
            finally:
                self.earlier = around
            before = self._earlier_fields(link, following, before)
            term = App("then", (query.term, Abs("row", query.binders, following.term)))
            query = Query(term, ("it",), following.shape, following.action)
        return query

    def _earlier_fields(self, link: ast.Expression, query: Query, before: dict[str, Type]) -> dict[str, Type]:
        """What may be mentioned after a link of a chain: its fields, and those before unless it makes rows of its own."""
        shape = query.shape
        own = {said: shape.types[name] for said, name in shape.names.items() if name in shape.types}
        below: ast.Expression | None = link
        while below is not None:
            if isinstance(below, ast.Alias):
                alias = below.name
                own |= {f"{alias}.{said}": type_ for said, type_ in own.items()}
            below = getattr(below, "expression", None)
        return own if isinstance(link, ast.Aggregation | ast.Join) else before | own

    def _join(self, first: ast.Expression, second: ast.Expression, outer: Query | None) -> Query:
        left, right = self.expression(first, outer), self.expression(second, outer)
        term = right.term
        binders = right.binders
        if set(binders) & set(left.binders):
            name = fresh_label(binders[0], set(left.binders))
            term, binders = App("as", (term, Lit("name", name))), (name,)
        names: dict[str, str] = {}
        owners: dict[str, str] = {}
        for side, query, own in (("first", left, left.binders), ("second", right, binders)):
            held = query.shape.owners if len(own) > 1 else {}
            names |= {f"{side}.{said}": name for said, name in query.shape.names.items()}
            owners |= {f"{side}.{said}": held.get(said, own[0]) for said in query.shape.names}
        shape = Shape(names, left.shape.types | right.shape.types, owners=owners)
        return Query(App("join", (left.term, term)), left.binders + binders, shape)

    # ------------------------------------------------------------ conditions

    def condition(self, condition: ast.Filter, query: Query) -> Term:
        """A condition on the rows of a query. Raises Misread."""
        match condition:
            case ast.And(operands):
                return App("and", tuple([self.condition(c, query) for c in operands]))
            case ast.Or(operands):
                return App("or", tuple(self.condition(c, query) for c in operands))
            case ast.Not(operand):
                return App("not", (self.condition(operand, query),))
            case ast.DontCare(name):
                return App("is_any", (self._field(name, query),))
            case ast.Truth(value):
                return Lit("bool", "true" if value else "false")
            case ast.Existential(inner):
                return App("exists", (self.expression(inner, query).term,))
            case ast.Atom(name, op, value):
                return self._atom(values.VarRef(name), op, value, query)
            case ast.Compute(left, op, value):
                return self._atom(left, op, value, query)
            case ast.ComparisonSubquery(left, op, inner):
                return self._any(self._value(left, None, query), op, self.expression(inner, query), query)
        raise _outside("this condition")

    def _any(self, subject: Term, op: str, queried: Query, outer: Query) -> Term:
        """`subject op any(queried)`: it holds for some row. Raises Misread."""
        # Equal to any of the results is membership; a query with one result stands for its value.
        if op in _COMPARISONS and gives_one(queried.term):
            return App(_COMPARISONS[op], (subject, App("the", (queried.term,))))
        if op == "==":
            return App("in", (subject, queried.term))
        column = shown_column(queried.term)
        if column is None or not (op in _COMPARISONS or op in _CALLED or op == "in_array"):
            raise _outside(f"the operator {op} with a subquery")
        binder, rows = queried.binders[0], queried.term
        taken = {*outer.binders, *(t.fn for t in subterms(rows) if isinstance(t, App))}
        for name in outer.binders:
            # Rows inside have other names than those around.
            rows = renamed_table(rows, name, fresh_label(name, taken))
        if binder in outer.binders:
            binder = fresh_label(binder, taken)
            rows = App("as", (rows, Lit("name", binder)))
        value = Field(Var(binder), column)
        test = (
            App("contains", (value, subject))
            if op == "in_array"
            else App((_COMPARISONS | _CALLED)[op], (subject, value))
        )
        return App("exists", (App("where", (rows, Abs("spec", (binder,), test))),))

    def _atom(self, left: values.Value, op: str, right: values.Value, query: Query) -> Term:
        subject = self._value(left, None, query)
        type_ = self._type_of(left, query)
        if isinstance(left, values.Computation) and left.op == "distance" and self.stand_ins is not None:
            subject = self.stand_ins.compared(subject, LENGTH)
        if op == "in_array":
            if not isinstance(right, values.Array):
                return App("contains", (self._value(right, None, query), subject))
            return App("in", (subject, App("list", tuple(self._value(i, type_, query) for i in right.values))))
        if op == "~=":
            return App("~", (self._value(right, TEXT, query), subject))
        if op in ("prefix_of", "suffix_of"):
            fn = "starts_with" if op == "prefix_of" else "ends_with"
            return App(fn, (self._value(right, TEXT, query), subject))
        text = op in ("=~", "in_array~", "starts_with", "ends_with")
        inner = type_.args[0] if isinstance(type_, Con) and type_.name == "List" and op == "contains" else type_
        expected = TEXT if text else inner or self._type_of(right, query)
        if op in _COMPARISONS:
            return App(_COMPARISONS[op], (subject, self._value(right, expected, query)))
        if op in _CALLED:
            return App(_CALLED[op], (subject, self._value(right, expected, query)))
        if self.stand_ins is None:
            raise _outside(f"the operator {op}")
        pieces = (f"{op}(", ", ", ")")
        return self.stand_ins.value(f"the operator {op}", pieces, (subject, self._value(right, None, query)))

    def _type_of(self, value: values.Value, query: Query) -> Type | None:
        if isinstance(value, values.VarRef):
            name = query.shape.names.get(value.name)
            if name is None and value.name in self.earlier:
                return self.earlier[value.name]
            if name is None and self.stand_ins is not None and value.name in self.stand_ins.bound:
                return self.stand_ins.bound[value.name][1]
            return query.shape.types.get(name) if name is not None else None
        if isinstance(value, values.Computation):
            return next((t for operand in value.operands if (t := self._type_of(operand, query))), None)
        return None

    # ------------------------------------------------------------ values

    def _field(self, said: str, query: Query) -> Term:
        shape = query.shape
        name = shape.names.get(said)
        # After a join a bare name does not say whose field it is.
        if name is None and said in shape.types and len(query.binders) == 1:
            name = said
        if name is None and said.startswith("__const_") and self.stand_ins is not None:
            return self.stand_ins.value("this constant", (said,))
        if name is None and self.stand_ins is not None:
            if said in self.stand_ins.bound and said not in self.earlier:
                return self.stand_ins.bound[said][0]
            head, _, rest = said.partition(".")
            if rest and _is_alias(query.term, head):
                return self._field(rest, query)
        if name is None and said in self.earlier:
            if self.stand_ins is None or self.stand_ins.called is None:
                raise _outside("a field of an earlier call")
            return self.stand_ins.of_earlier(said, self.earlier[said])
        whole, _, part = said.rpartition(".")
        if name is None and whole not in ("", "first", "second"):
            # A part of a compound value.
            return Field(self._field(whole, query), part)
        if name is None:
            raise errors.Misread(errors.unknown_parameter(said, "the query", list(shape.names)))
        owner = shape.owners.get(said)
        return Field(Var(owner), name) if owner is not None and len(query.binders) > 1 else query.field(name)

    def _value(self, value: values.Value, type_: Type | None, query: Query) -> Term:
        match value:
            case values.VarRef(name):
                return self._field(name, query)
            case values.Placeholder(token, negative):
                hole = self._placeholder(token, type_)
                return App("negate_number", (hole,)) if negative else hole
            case values.Enum(name):
                return self.member(type_, name)
            case values.Entity():
                return self._entity(value, type_)
            case values.Number(number):
                return Lit("number", _number(number))
            case values.String(text):
                return Lit("text", text)
            case values.Boolean(truth):
                return Lit("bool", "true" if truth else "false")
            case values.Measure(amount, unit) if isinstance(amount, int | float):
                return Lit("quantity", f"{_number(amount)}{unit}")
            case values.Currency(amount, code) if isinstance(amount, int | float):
                return Lit("quantity", f"{_number(amount)}{code.lower()}")
            case values.Time(hour, minute, second):
                return _time(hour, minute, second)
            case values.IsoDate(text) if isinstance(text, str):
                return Lit("datetime" if "T" in text else "date", text[:-5] + "Z" if text.endswith(".000Z") else text)
            case values.DateParts(parts, None) if len(parts) == 3 and all(isinstance(p, int | float) for p in parts):
                return Lit("date", "-".join(f"{int(p):0{w}}" for p, w in zip(parts, (4, 2, 2), strict=True)))  # type: ignore[arg-type]
            case values.Now():
                return App("now")
            case values.Array(items):
                inner = type_.args[0] if isinstance(type_, Con) and type_.name == "List" else type_
                return App("list", tuple(self._value(v, inner, query) for v in items))
            case values.Computation(op, operands):
                return self._computation(op, operands, type_, query)
        return self._beyond(value, query)

    def _placeholder(self, token: str, type_: Type | None) -> Term:
        kind, _, index = token.rpartition("_")
        own: Type | None = PLACEHOLDERS.get(kind)
        if own is None:
            said = kind.removeprefix("GENERIC_ENTITY_")
            said = f"tt:{said.lower()}" if said == kind else said
            name = self.entities.get(said)
            own = Con(name) if name is not None else None
        return Hole(int(index), None if own == type_ else own)

    def _entity(self, entity: values.Entity, type_: Type | None) -> Term:
        text, identifier = entity.display, entity.value
        if isinstance(text, values.Placeholder) or isinstance(identifier, values.Placeholder):
            raise _outside("an entity with a placeholder for its text")
        name = self.entities.get(entity.type)
        own = Con(name) if name is not None else None
        if own is None and type_ is None and self.stand_ins is not None and self.stand_ins.called is not None:
            # Of a type that the schema does not have, where nothing else says it.
            return self.stand_ins.value("this entity", pieces_around(entity), (), ((), Con(entity.type)))
        return Entity(text, identifier, None if own == type_ else own)

    def _beyond(self, value: values.Value, query: Query) -> Term:
        """A value that DL has nothing for."""
        said = f"this {type(value).__name__.lower()} value"
        operands: tuple[values.Value, ...] = ()
        match value:
            case values.Computation(op, operands):
                said = f"the computation {op}"
            case values.ArrayField(_, inner) | values.FilterValue(inner, _):
                operands = (inner,)
        if self.stand_ins is None:
            raise _outside(said)
        if is_of_list(value):
            array_type(value, self._scope(query, self.stand_ins))
        made = tuple([self._value(o, None, query) for o in operands])
        return self.stand_ins.value(said, pieces_around(value), made, signature_of(value, self.entities, self.schema))

    def _scope(self, query: Query, stand_ins: StandIns) -> Scope:
        """What a value computed from a list may mention: fields of the row and parameters."""

        def type_of(said: str) -> Type | None:
            found = self._type_of(values.VarRef(said), query)
            whole, _, part = said.rpartition(".")
            if found is not None or not whole or said in query.shape.names:
                return found
            above = type_of(whole)
            return part_of(above, part) if above is not None else None

        def condition(said: ast.Filter, fields: dict[str, Type]) -> None:
            rows = stand_ins.elements(fields)
            around = {n: query.shape.types[own] for n, own in query.shape.names.items() if own in query.shape.types}
            kept = stand_ins.bound
            stand_ins.bound = dict(kept)
            try:
                for name, type_ in around.items():
                    stand_ins.bind(f"rows of {show(type_)}", name, type_)
                found = Query(App(rows.name), (rows.name,), Shape({name: name for name in fields}, fields))
                looked_at = found.then_where(self.condition(said, found)).term
                # A value inside another is met once for each around it.
                if looked_at not in stand_ins.monitored:
                    stand_ins.monitored.append(looked_at)
            finally:
                stand_ins.bound = kept

        return Scope(type_of, condition)

    def _computation(self, op: str, operands: tuple[values.Value, ...], type_: Type | None, query: Query) -> Term:
        if op not in ("+", "-", "*", "/", "%"):
            return self._beyond(values.Computation(op, operands), query)
        left_type = self._type_of(operands[0], query) or type_
        args = [self._value(operands[0], left_type, query)]
        for operand in operands[1:]:
            same = type_ if op in ("+", "-") and isinstance(operand, values.Placeholder) else None
            args.append(self._value(operand, same, query))
        return App(op, tuple(args))


def _number(value: int | float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)


def _time(*parts: Any) -> Term:
    if not all(isinstance(part, int | float) for part in parts):
        raise _outside("a time with a placeholder in it")
    shown = parts if parts[2] else parts[:2]
    return Lit("time", ":".join(f"{int(part):02}" for part in shown))


def _is_alias(term: Term, name: str) -> bool:
    return isinstance(term, App) and term.fn == "as" and term.args[1] == Lit("name", name)


def _outside(what: str, at: int = -1) -> errors.Misread:
    return errors.Misread(errors.outside(what), at)
