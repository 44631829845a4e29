"""ThingTalk programs and dialogue states as DL turns.

Names go through the schema's `@thingtalk` facts, the other way round from the writer. Nothing is reordered or simplified.
A member its enum does not list is kept `raw`; an act goes by its ThingTalk name.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from ...canon.relations import gives_one
from ...compiler.lower import default_label, fresh_label
from ...compiler.node import node
from ...compiler.schema import Function, Schema, Table
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
from ...compiler.types import DATETIME, DURATION, MONEY, NUMBER, TEXT, TIME, Con, Type
from ...grammar.diagnostic import CompileError
from ...grammar.span import Span
from . import ast, values
from . import read_errors as errors
from .declarations import ExpressionStatement, Program
from .lexer import ThingTalkSyntaxError, token_span
from .programs import parse, parse_standing, parse_statement
from .scanner import Known
from .write_names import Names

_CONSTANTS = (values.Placeholder, values.Enum, values.Entity, values.Number, values.String, values.Boolean, values.Time)
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


@dataclass
class ThingTalkReader:
    """Reads programs against one schema; keeps what it learned about names and repeated items."""

    schema: Schema
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
        self._shapes: dict[str, _Shape] = {}
        self._owners: dict[str, list[Table | Function]] = {}
        self._memory = _Memory()

    def read(self, text: str, speaker: Literal["user", "agent"] = "user", tokenized: bool = False) -> Turn:
        """The turn of a program. Raises CompileError (DLC22x)."""
        if not tokenized:
            source = _Source(text, False)
            act, params, found = _parsed(source)
            return self._turn(act, params, tuple(self.statement(item, source) for item in found), speaker)
        known = self._memory.turns.get((text, speaker))
        if known is None:
            if self._memory.full:
                self._memory = _Memory()
            known = self._memory.turns[text, speaker] = self._tokenized(text, speaker)
        return known

    def _tokenized(self, text: str, speaker: Literal["user", "agent"]) -> Turn:
        """A tokenized program by its statements."""
        if not text.lstrip().startswith("$dialogue"):
            source = _Source(text, True)
            act, params, found = _parsed(source)
            return self._turn(act, params, tuple(self.statement(item, source) for item in found), speaker)
        head, *rest = _statements(text)
        memory = self._memory
        parsed = memory.heads.get(head)
        if parsed is None:
            parsed = memory.heads[head] = _parsed(_Source(head + " ;", True))[:2]
        items = memory.items
        statements = tuple([items.get(item) or self._item_text(item) for item in rest])
        return self._turn(*parsed, statements, speaker)

    def _item_text(self, text: str) -> Statement:
        """A tokenized item, in its parts if they can be told apart: dialogues repeat each of them."""
        known = self._in_parts(text)
        if known is None:
            source = _Source(f"{_ANY_STATE} {text} ;", True, len(_ANY_STATE) + 1)
            (item,) = _parsed(source)[2]
            known = self.statement(item, source)
        self._memory.items[text] = known
        return known

    def _in_parts(self, text: str) -> Statement | None:
        """The statement of an expression and its annotations; None if anything is unusual."""
        said, mark, annotations = text.partition(" #[ ")
        if mark and f" {said} ".count(' " ') % 2:
            return None
        memory = self._memory
        try:
            query = memory.expressions.get(said)
            if query is None:
                query = self._expression(parse_statement(said, memory.tokens), None)
                memory.expressions[said] = query
            if not mark:
                return Statement(query.term)
            confirm, results, _ = parse_standing(f"#[ {annotations} ;", memory.tokens)
            return self._standing(query, confirm, results)
        except (errors.Misread, ThingTalkSyntaxError):
            # Read whole, the error has its place.
            return None

    def _turn(
        self,
        act: str | None,
        params: tuple[str, ...],
        statements: tuple[Statement, ...],
        speaker: Literal["user", "agent"],
    ) -> Turn:
        if act is None:
            return Turn(speaker, (), statements)
        args: tuple[Term, ...] = ()
        if params:
            args = tuple(Lit("path", self._path(name, statements)) for name in params)
        known = self._memory.acts.get((act, args))
        if known is None:
            known = self._memory.acts[act, args] = (Act(act, args),)
        return Turn(speaker, known, statements)

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
            mentioned = (t for s in reversed(statements) for t in subterms(s.term) if isinstance(t, App))
            declared = next((by_name[t.fn] for t in mentioned if t.fn in by_name), declared)
        name = self.fields(declared)[said]
        return f".{name}" if self.names.anywhere(name) == said else f"{declared.name}.{name}"

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

    def statement(self, item: ast.Item, source: "_Source") -> Statement:
        """One item of a text with its status and results. Raises CompileError, pointing into the text."""
        try:
            return self._statement(item)
        except errors.Misread as error:
            at = error.at if error.at >= 0 else getattr(item.expression, "at", 0)
            raise CompileError(replace(error.diagnostic, span=source.span(max(at, 0)))) from None

    def _statement(self, item: ast.Item) -> Statement:
        return self._standing(self._expression(item.expression, None), item.confirm, item.results)

    def _standing(self, query: "_Query", confirm: str, results: ast.Results | None) -> Statement:
        """An expression's statement with its status and results."""
        if results is not None:
            return Statement(query.term, "confirmed", None, self._outcome(results, query))
        status: Literal["accepted", "proposed", "confirmed"] = "accepted"
        if confirm in ("proposed", "confirmed"):
            status = confirm  # type: ignore[assignment]
        return Statement(query.term, status)

    def _outcome(self, results: ast.Results, query: "_Query") -> Outcome:
        records = []
        names, types, constants = query.names, query.types, self._memory.constants
        for row in results.rows:
            fields = []
            for said, inner in row.fields:
                name = names.get(said, said)
                type_ = types.get(name)
                fields.append((name, constants.get((inner, type_)) or self._constant(inner, type_, _EMPTY)))
            records.append(Record(tuple(fields)))
        count = self._value(results.count, NUMBER, _EMPTY) if results.count is not None else None
        error = results.error
        code = error.name if isinstance(error, values.Enum) else None
        return Outcome(tuple(records), count, results.more, code)

    # ------------------------------------------------------------ expressions

    def _expression(self, expression: ast.Expression, outer: "_Query | None") -> "_Query":
        match expression:
            case ast.Invocation():
                return self._call(expression, outer)
            case ast.FilterExpression(inner, condition):
                query = self._expression(inner, outer)
                return query.then_where(self._condition(condition, query))
            case ast.Projection():
                return self._project(expression, outer)
            case ast.Sort(value, direction, inner):
                query = self._expression(inner, outer)
                key = Abs("row", query.binders, App(direction, (self._value(value, None, query),)))
                return query.with_term(App("sort", (query.term, key)))
            case ast.Index(inner, indices):
                query = self._expression(inner, outer)
                return query.with_term(App("at", (query.term, *(self._value(v, NUMBER, query) for v in indices))))
            case ast.Slice(inner, base, limit):
                return self._slice(self._expression(inner, outer), base, limit)
            case ast.Aggregation():
                return self._aggregate(expression, outer)
            case ast.Chain(links):
                return self._chain(links, outer)
            case ast.Join(left, right):
                return self._join(left, right, outer)
            case ast.Alias(inner, name):
                query = self._expression(inner, outer)
                return _Query(App("as", (query.term, Lit("name", name))), (name,), query.names, query.types)
        raise _outside(f"a {type(expression).__name__.lower()}", getattr(expression, "at", -1))

    def _call(self, call: ast.Invocation, outer: "_Query | None") -> "_Query":
        said = f"@{call.kind}.{call.function}"
        declared = self.functions.get(said)
        if call.device:
            raise _outside("a device attribute", call.at)
        if declared is None:
            raise errors.Misread(errors.unknown_function(said, list(self.functions)), call.at)
        shape = self._shapes.get(said)
        if shape is None:
            shape = self._shapes[said] = self._shape(declared)
        if isinstance(declared, Table):
            query = _Query(shape.term, (declared.name,), shape.given, shape.types, table=declared.name)
            for param in call.params:
                column = self._known(shape.taken, param.name, said, call.at)
                if not isinstance(param.value, values.Undefined):
                    atom = App(
                        "=", (query.field(column), self._constant(param.value, shape.types[column], outer or _EMPTY))
                    )
                    query = query.then_where(atom)
            return query
        named = []
        for param in call.params:
            label = self._known(shape.taken, param.name, said, call.at)
            # The reference drops `$?` for a required parameter and keeps it for an optional one.
            if not isinstance(param.value, values.Undefined):
                named.append((label, self._constant(param.value, shape.types[label], outer or _EMPTY)))
            elif declared.labelled[label].optional:
                named.append((label, App("missing")))
        return _Query(App(declared.name, (), tuple(named)), ("it",), shape.given, shape.types, action=True)

    def _shape(self, declared: Table | Function) -> "_Shape":
        names = self.fields(declared)
        types = {c.name: c.type for c in declared.columns}
        if isinstance(declared, Table):
            return _Shape(App(declared.name), names, names, types)
        types |= {str(p.name): p.type for p in declared.params}
        # What an action gives may go by the ThingTalk name of a parameter; in its results that name is the result's.
        spelled = self.names.fields(declared)
        given = {str(spelled[c.name]): c.name for c in declared.columns if spelled[c.name] is not None}
        return _Shape(App(declared.name), names, names | given, types)

    def _known(self, names: dict[str, str], said: str, owner: str, at: int) -> str:
        found = names.get(said)
        if found is None:
            raise errors.Misread(errors.unknown_parameter(said, owner, list(names)), at)
        return found

    def _project(self, projection: ast.Projection, outer: "_Query | None") -> "_Query":
        query = self._expression(projection.expression, outer)
        if projection.fields == (values.VarRef("*"),):
            # Every field of the rows: as in SQL, that is the query itself.
            return query
        named: dict[str, Term] = {}
        types: dict[str, Type] = {}
        aliases = {item.alias for item in projection.fields if isinstance(item, ast.Aliased)}
        for item in projection.fields:
            value, label = (item.value, item.alias) if isinstance(item, ast.Aliased) else (item, None)
            if isinstance(value, values.VarRef) and value.name == "*":
                if not aliases.isdisjoint(query.names.values()):
                    # A new column hides the old one of its name: `*` is the others.
                    others = [n for n in _shown(query) if n not in aliases]
                    named.update((n, Abs("row", query.binders, query.field(n))) for n in others)
                    continue
                body: Term = App("all_fields")
            else:
                body = self._value(value, None, query)
            name = label or fresh_label(default_label(body), set(named))
            named[name] = Abs("row", query.binders, body)
            types[name] = query.types.get(name, TEXT)
        term = App("show", (query.term,), tuple(named.items()))
        return _Query(term, ("it",), query.names | {name: name for name in aliases}, query.types | types)

    def _slice(self, query: "_Query", base: values.Value, limit: values.Value) -> "_Query":
        args = [query.term, self._value(limit, NUMBER, query)]
        if not (isinstance(base, values.Number) and base.value == 1):
            start = self._value(base, NUMBER, query)
            before = Lit("number", str(int(base.value) - 1)) if isinstance(base, values.Number) else None
            args.append(before or App("-", (start, Lit("number", "1"))))
        return query.with_term(App("take", tuple(args)))

    def _aggregate(self, aggregation: ast.Aggregation, outer: "_Query | None") -> "_Query":
        op, column = aggregation.op, aggregation.column
        query = self._expression(aggregation.expression, outer)
        args = (self._field(column, query),) if column not in ("*", "") else ()
        # The reference counts the different values of a field.
        fn = "count_distinct" if op == "count" and args else op
        shown = ((op, Abs("row", query.binders, App(fn, args))),)
        term = App("show", (App("whole", (query.term,)),), shown)
        return _Query(term, ("it",), {op: op}, {op: NUMBER})

    def _chain(self, links: tuple[ast.Expression, ...], outer: "_Query | None") -> "_Query":
        query = self._expression(links[0], outer)
        for link in links[1:]:
            if query.action:
                raise _outside("a chain after an action")
            following = self._expression(link, query)
            term = App("then", (query.term, Abs("row", query.binders, following.term)))
            query = _Query(term, ("it",), following.names, following.types, following.action)
        return query

    def _join(self, first: ast.Expression, second: ast.Expression, outer: "_Query | None") -> "_Query":
        left, right = self._expression(first, outer), self._expression(second, outer)
        term = right.term
        binders = right.binders
        if set(binders) & set(left.binders):
            name = fresh_label(binders[0], set(left.binders))
            term, binders = App("as", (term, Lit("name", name))), (name,)
        names = {f"first.{k}": v for k, v in left.names.items()} | {f"second.{k}": v for k, v in right.names.items()}
        return _Query(App("join", (left.term, term)), left.binders + binders, names, left.types | right.types)

    # ------------------------------------------------------------ conditions

    def _condition(self, condition: ast.Filter, query: "_Query") -> Term:
        match condition:
            case ast.And(operands):
                return App("and", tuple([self._condition(c, query) for c in operands]))
            case ast.Or(operands):
                return App("or", tuple(self._condition(c, query) for c in operands))
            case ast.Not(operand):
                return App("not", (self._condition(operand, query),))
            case ast.DontCare(name):
                return App("is_any", (self._field(name, query),))
            case ast.Truth(value):
                return Lit("bool", "true" if value else "false")
            case ast.Existential(inner):
                return App("exists", (self._expression(inner, query).term,))
            case ast.Atom(name, op, value):
                if query.table is None:
                    return self._atom(values.VarRef(name), op, value, query)
                atoms = self._memory.atoms
                made = atoms.get((query.table, condition))
                if made is None:
                    made = atoms[query.table, condition] = self._atom(values.VarRef(name), op, value, query)
                return made
            case ast.Compute(left, op, value):
                return self._atom(left, op, value, query)
            case ast.ComparisonSubquery(left, op, inner):
                subject = self._value(left, None, query)
                if op not in _COMPARISONS:
                    raise _outside(f"the operator {op} with a subquery")
                queried = self._expression(inner, query).term
                # Equal to any of the results is membership; a query with one result stands for its value.
                if op == "==" and not gives_one(queried):
                    return App("in", (subject, queried))
                return App(_COMPARISONS[op], (subject, App("the", (queried,))))
        raise _outside("this condition")

    def _atom(self, left: values.Value, op: str, right: values.Value, query: "_Query") -> Term:
        subject = self._value(left, None, query)
        type_ = self._type_of(left, query)
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
        raise _outside(f"the operator {op}")

    def _type_of(self, value: values.Value, query: "_Query") -> Type | None:
        if isinstance(value, values.VarRef):
            name = query.names.get(value.name)
            return query.types.get(name) if name is not None else None
        if isinstance(value, values.Computation):
            return next((t for operand in value.operands if (t := self._type_of(operand, query))), None)
        return None

    # ------------------------------------------------------------ values

    def _field(self, said: str, query: "_Query") -> Term:
        name = query.names.get(said)
        # After a join a bare name does not say whose field it is.
        if name is None and said in query.types and len(query.binders) == 1:
            name = said
        if name is None:
            raise errors.Misread(errors.unknown_parameter(said, "the query", list(query.names)))
        if len(query.binders) > 1 and said.startswith(("first.", "second.")):
            return Field(Var(query.binders[0 if said.startswith("first.") else 1]), name)
        return query.field(name)

    def _constant(self, value: values.Value, type_: Type | None, query: "_Query") -> Term:
        """A value; one that says the same wherever it stands is made once."""
        if not isinstance(value, _CONSTANTS):
            return self._value(value, type_, query)
        constants = self._memory.constants
        made = constants.get((value, type_))
        if made is None:
            made = constants[value, type_] = self._value(value, type_, query)
        return made

    def _value(self, value: values.Value, type_: Type | None, query: "_Query") -> Term:
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
        raise _outside(f"this {type(value).__name__.lower()} value")

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
        return Entity(text, identifier, None if own == type_ else own)

    def _computation(self, op: str, operands: tuple[values.Value, ...], type_: Type | None, query: "_Query") -> Term:
        if op not in ("+", "-", "*", "/", "%"):
            raise _outside(f"the computation {op}")
        left_type = self._type_of(operands[0], query) or type_
        args = [self._value(operands[0], left_type, query)]
        for operand in operands[1:]:
            same = type_ if op in ("+", "-") and isinstance(operand, values.Placeholder) else None
            args.append(self._value(operand, same, query))
        return App(op, tuple(args))


@lru_cache(maxsize=10_000)
def _field(binder: str, name: str) -> Field:
    return Field(Var(binder), name)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A call without arguments; DL names by ThingTalk name of what it takes and gives, and their types by DL name."""

    term: App
    taken: dict[str, str]
    given: dict[str, str]
    types: dict[str, Type]


@node
class _Query:
    """A term with the binders of its rows, DL names of its fields by ThingTalk name, and their types.

    table: the table whose rows these are, under its own name, if they are.
    """

    term: Term
    binders: tuple[str, ...]
    names: dict[str, str]
    types: dict[str, Type]
    action: bool = False
    table: str | None = None

    def field(self, name: str) -> Term:
        """A field of the row in hand."""
        return _field(self.binders[0], name)

    def with_term(self, term: Term) -> "_Query":
        """The same fields over another term."""
        return _Query(term, self.binders, self.names, self.types, self.action, self.table)

    def then_where(self, condition: Term) -> "_Query":
        """Filtered."""
        return self.with_term(App("where", (self.term, Abs("spec", self.binders, condition))))


def _shown(query: "_Query") -> list[str]:
    """The columns that `*` shows: of a projection its own, else all fields."""
    match query.term:
        case App("show", _, named) if all(isinstance(v, Abs) and v.body != App("all_fields") for _, v in named):
            return [label for label, _ in named]
    return list(dict.fromkeys(query.names.values()))


@dataclass(slots=True)
class _Memory:
    """What was read, by its text (values by their tokens, constants with the type expected), as long as it is not
    too much. Nothing in it depends on where it stood."""

    turns: dict[tuple[str, str], Turn] = field(default_factory=dict)
    heads: dict[str, tuple[str | None, tuple[str, ...]]] = field(default_factory=dict)
    acts: dict[tuple[str, tuple[Term, ...]], tuple[Act, ...]] = field(default_factory=dict)
    items: dict[str, Statement] = field(default_factory=dict)
    expressions: dict[str, _Query] = field(default_factory=dict)
    tokens: Known = field(default_factory=dict)
    constants: dict[tuple[values.Value, Type | None], Term] = field(default_factory=dict)
    atoms: dict[tuple[str, ast.Filter], Term] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether it is time to begin anew."""
        kept = len(self.turns) + len(self.items) + len(self.tokens) + len(self.constants) + len(self.atoms)
        return kept > _REMEMBERED


_REMEMBERED = 200_000
_EMPTY: Any = _Query(App("nothing"), ("it",), {}, {})


def _number(value: int | float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)


def _time(*parts: Any) -> Term:
    if not all(isinstance(part, int | float) for part in parts):
        raise _outside("a time with a placeholder in it")
    shown = parts if parts[2] else parts[:2]
    return Lit("time", ":".join(f"{int(part):02}" for part in shown))


def _outside(what: str, at: int = -1) -> errors.Misread:
    return errors.Misread(errors.outside(what), at)


_ANY_STATE = "$dialogue @org.thingpedia.dialogue.transaction . execute ;"


@node
class _Source:
    """A text as it is parsed. `skipped` characters were put before what the reader was given."""

    text: str
    tokenized: bool
    skipped: int = 0

    def span(self, at: int) -> Span:
        """The characters of a token, by its number."""
        return self.characters(*token_span(self.text, at, self.tokenized))

    def characters(self, start: int, end: int) -> Span:
        """Characters of the parsed text as the reader was given them."""
        start = max(0, start - self.skipped)
        return Span(start, max(start, end - self.skipped))


def _parsed(source: _Source) -> tuple[str | None, tuple[str, ...], tuple[ast.Item, ...]]:
    """Act, its parameters and items of a text, by the parser of the whole language. Raises CompileError."""
    try:
        made = parse(source.text, source.tokenized)
    except ThingTalkSyntaxError as error:
        raise CompileError(errors.no_thingtalk(error.message, source.characters(error.offset, error.end))) from None
    if isinstance(made, ast.DialogueState):
        fields = [p for p in made.params or () if isinstance(p, values.VarRef)]
        if len(fields) < len(made.params or ()):
            raise CompileError(errors.outside("an act about something that is no field", source.span(0)))
        return made.act, tuple(p.name for p in fields), made.items
    statements = made.statements if isinstance(made, Program) else (made,)
    items = []
    for statement in statements:
        if not isinstance(statement, ExpressionStatement):
            raise CompileError(errors.outside(f"a {type(statement).__name__.lower()}", source.span(0)))
        items.append(ast.Item(statement.expression))
    return None, (), tuple(items)


def _statements(text: str) -> list[str]:
    """The statements of a tokenized program, cut at each `;` that stands outside a string. Raises CompileError."""
    stripped = text.rstrip()
    if not stripped.endswith(";"):
        raise CompileError(errors.no_thingtalk("the program ends without `;`", Span(len(stripped), len(text))))
    parts: list[str] = []
    for piece in text.strip().removesuffix(" ;").split(" ; "):
        if parts and f" {parts[-1]} ".count(' " ') % 2:
            parts[-1] += " ; " + piece
        else:
            parts.append(piece)
    return parts
