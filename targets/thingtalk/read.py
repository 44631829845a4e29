"""ThingTalk programs and dialogue states as DL turns.

Names go through the schema's `@thingtalk` facts, the other way round from the writer. Nothing is reordered or simplified.
A member its enum does not list is kept `raw`; an act goes by its ThingTalk name.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from ...compiler.lower import default_label, fresh_label
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
from . import read_errors as errors
from .parse import parse_thingtalk
from .tree import Condition, Expression, Item, State, Value
from .write_names import Names

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
    items: dict[str, Statement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = Names(self.schema)
        declared: list[Table | Function] = [*self.schema.tables, *(f for f in self.schema.functions if f.action)]
        called = [(self.names.called(d), d) for d in declared]
        self.functions = {str(name): d for name, d in called if name is not None}
        types = [*(e.name for e in self.schema.entities), *(t.name for t in self.schema.tables)]
        self.entities = {self.names.entity(name): name for name in reversed(types)}
        self._fields: dict[str, dict[str, str]] = {}
        self._members: dict[str, dict[str, str]] = {}

    def read(self, text: str, speaker: Literal["user", "agent"] = "user", tokenized: bool = False) -> Turn:
        """The turn of a program. Raises CompileError (DLC22x)."""
        if not tokenized:
            return self._turn(parse_thingtalk(text), speaker)
        head, *rest = _statements(text)
        state = parse_thingtalk(head + " ;", tokenized=True)
        return self._turn(state, speaker, tuple(self._item_text(item) for item in rest))

    def _item_text(self, text: str) -> Statement:
        known = self.items.get(text)
        if known is None:
            (item,) = parse_thingtalk(text + " ;", tokenized=True).items
            known = self.items[text] = self.statement(item)
        return known

    def _turn(self, state: State, speaker: Literal["user", "agent"], rest: tuple[Statement, ...] = ()) -> Turn:
        statements = (*(self.statement(item) for item in state.items), *rest)
        acts: tuple[Act, ...] = ()
        if state.act is not None:
            acts = (Act(state.act, tuple(Lit("path", self._path(name, statements)) for name in state.params)),)
        return Turn(speaker, acts, statements)

    def _path(self, said: str, statements: tuple[Statement, ...]) -> str:
        """The field an act is about: `.area`, or `Hotel.area` where the bare name would be written otherwise."""
        mentioned = [t.fn for s in reversed(statements) for t in subterms(s.term) if isinstance(t, App)]
        having = [d for d in self.functions.values() if said in self.fields(d)]
        having.sort(key=lambda d: mentioned.index(d.name) if d.name in mentioned else len(mentioned))
        for declared in having:
            name = self.fields(declared)[said]
            return f".{name}" if self.names.anywhere(name) == said else f"{declared.name}.{name}"
        return f".{said}"

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

    def statement(self, item: Item) -> Statement:
        """One item with its annotations."""
        query = self._expression(item.expression, None)
        notes = dict(item.annotations)
        status: Literal["accepted", "proposed", "confirmed"] = "accepted"
        confirm = notes.get("confirm")
        if confirm is not None and confirm.payload in ("proposed", "confirmed"):
            status = confirm.payload
        outcome = None
        if "results" in notes or "error" in notes:
            outcome = self._outcome(notes, query)
            status = "confirmed"
        return Statement(query.term, status, None, outcome)

    def _outcome(self, notes: dict[str, Value], query: "_Query") -> Outcome:
        records = []
        results = notes.get("results")
        for value in results.payload if results is not None and results.kind == "array" else ():
            pairs = value.payload if value.kind == "object" else ()
            fields = []
            for said, inner in pairs:
                name = query.names.get(said, said)
                fields.append((name, self._value(inner, query.types.get(name), _EMPTY)))
            records.append(Record(tuple(fields)))
        count = notes.get("count")
        error = notes.get("error")
        more = notes.get("more")
        return Outcome(
            tuple(records),
            self._value(count, NUMBER, _EMPTY) if count is not None else None,
            more is not None and more.payload == "true",
            str(error.payload) if error is not None else None,
        )

    # ------------------------------------------------------------ expressions

    def _expression(self, expression: Expression, outer: "_Query | None") -> "_Query":
        return getattr(self, f"_{expression.kind}")(expression, outer)  # type: ignore[no-any-return]

    def _call(self, expression: Expression, outer: "_Query | None") -> "_Query":
        said, params = expression.payload
        declared = self.functions.get(said)
        span = Span(expression.at, expression.at + len(said))
        if declared is None:
            raise CompileError(errors.unknown_function(said, list(self.functions), span))
        names = self.fields(declared)
        if isinstance(declared, Table):
            types = {c.name: c.type for c in declared.columns}
            query = _Query(App(declared.name), (declared.name,), names, types)
            for name, value in params:
                column = self._known(names, name, said, span)
                if value.kind != "undefined":
                    atom = App("=", (query.field(column), self._value(value, types[column], outer or _EMPTY)))
                    query = query.then_where(atom)
            return query
        types = {c.name: c.type for c in declared.columns} | {str(p.name): p.type for p in declared.params}
        named = []
        for name, value in params:
            label = self._known(names, name, said, span)
            required = not declared.labelled[label].optional
            # The reference drops `$?` for a required parameter and keeps it for an optional one.
            if value.kind != "undefined":
                named.append((label, self._value(value, types[label], outer or _EMPTY)))
            elif not required:
                named.append((label, App("missing")))
        # What an action gives may go by the ThingTalk name of a parameter; in its results that name is the result's.
        spelled = self.names.fields(declared)
        given = {str(spelled[c.name]): c.name for c in declared.columns if spelled[c.name] is not None}
        return _Query(App(declared.name, (), tuple(named)), ("it",), names | given, types, action=True)

    def _known(self, names: dict[str, str], said: str, owner: str, span: Span) -> str:
        found = names.get(said)
        if found is None:
            raise CompileError(errors.unknown_parameter(said, owner, list(names), span))
        return found

    def _filter(self, expression: Expression, outer: "_Query | None") -> "_Query":
        inner, condition = expression.payload
        query = self._expression(inner, outer)
        return query.then_where(self._condition(condition, query))

    def _project(self, expression: Expression, outer: "_Query | None") -> "_Query":
        items, inner = expression.payload
        query = self._expression(inner, outer)
        named: dict[str, Term] = {}
        types: dict[str, Type] = {}
        for value, label in items:
            if value.kind == "var" and value.payload == "*":
                body: Term = App("all_fields")
            else:
                body = self._value(value, None, query)
            name = label or fresh_label(default_label(body), set(named))
            named[name] = Abs("row", query.binders, body)
            types[name] = query.types.get(name, TEXT)
        term = App("show", (query.term,), tuple(named.items()))
        return _Query(term, ("it",), query.names, query.types | types)

    def _sort(self, expression: Expression, outer: "_Query | None") -> "_Query":
        value, direction, inner = expression.payload
        query = self._expression(inner, outer)
        key = Abs("row", query.binders, App(direction, (self._value(value, None, query),)))
        return query.with_term(App("sort", (query.term, key)))

    def _index(self, expression: Expression, outer: "_Query | None") -> "_Query":
        inner, values = expression.payload
        query = self._expression(inner, outer)
        return query.with_term(App("at", (query.term, *(self._value(v, NUMBER, query) for v in values))))

    def _slice(self, expression: Expression, outer: "_Query | None") -> "_Query":
        inner, base, limit = expression.payload
        query = self._expression(inner, outer)
        args = [query.term, self._value(limit, NUMBER, query)]
        if not (base.kind == "number" and base.payload == "1"):
            start = self._value(base, NUMBER, query)
            before = Lit("number", str(int(base.payload) - 1)) if base.kind == "number" else None
            args.append(before or App("-", (start, Lit("number", "1"))))
        return query.with_term(App("take", tuple(args)))

    def _aggregate(self, expression: Expression, outer: "_Query | None") -> "_Query":
        op, name, inner = expression.payload
        query = self._expression(inner, outer)
        args = (self._value(Value("var", name, expression.at), None, query),) if name is not None else ()
        shown = ((op, Abs("row", query.binders, App(op, args))),)
        term = App("show", (App("whole", (query.term,)),), shown)
        return _Query(term, ("it",), {op: op}, {op: NUMBER})

    def _chain(self, expression: Expression, outer: "_Query | None") -> "_Query":
        first, *rest = expression.payload
        query = self._expression(first, outer)
        for link in rest:
            if query.action:
                raise CompileError(errors.outside("a chain after an action", Span(link.at, link.at + 1)))
            following = self._expression(link, query)
            term = App("then", (query.term, Abs("row", query.binders, following.term)))
            query = _Query(term, ("it",), following.names, following.types, following.action)
        return query

    def _join(self, expression: Expression, outer: "_Query | None") -> "_Query":
        left, right = (self._expression(e, outer) for e in expression.payload)
        term = right.term
        binders = right.binders
        if set(binders) & set(left.binders):
            name = fresh_label(binders[0], set(left.binders))
            term, binders = App("as", (term, Lit("name", name))), (name,)
        names = {f"first.{k}": v for k, v in left.names.items()} | {f"second.{k}": v for k, v in right.names.items()}
        joined = _Query(App("join", (left.term, term)), left.binders + binders, names, left.types | right.types)
        return joined

    def _alias(self, expression: Expression, outer: "_Query | None") -> "_Query":
        inner, name = expression.payload
        query = self._expression(inner, outer)
        return _Query(App("as", (query.term, Lit("name", name))), (name,), query.names, query.types)

    # ------------------------------------------------------------ conditions

    def _condition(self, condition: Condition, query: "_Query") -> Term:
        payload = condition.payload
        match condition.kind:
            case "and" | "or":
                return App(condition.kind, tuple(self._condition(c, query) for c in payload))
            case "not":
                return App("not", (self._condition(payload, query),))
            case "dontcare":
                return App("is_any", (self._field(payload, query, condition.at),))
            case "constant":
                return Lit("bool", payload)
            case "any":
                return App("exists", (self._expression(payload, query).term,))
            case "value":
                return self._value(payload, None, query)
        return self._atom(payload, query)

    def _atom(self, payload: tuple[Value, str, Value], query: "_Query") -> Term:
        left, op, right = payload
        subject = self._value(left, None, query)
        type_ = self._type_of(left, query)
        if op == "in_array":
            items = right.payload if right.kind == "array" else ()
            if right.kind != "array":
                return App("contains", (self._value(right, None, query), subject))
            return App("in", (subject, App("list", tuple(self._value(i, type_, query) for i in items))))
        if op == "~=":
            return App("~", (self._value(right, TEXT, query), subject))
        if op in ("prefix_of", "suffix_of"):
            fn = "starts_with" if op == "prefix_of" else "ends_with"
            return App(fn, (self._value(right, TEXT, query), subject))
        text = op in ("=~", "in_array~", "starts_with", "ends_with", "contains~")
        inner = type_.args[0] if isinstance(type_, Con) and type_.name == "List" and op == "contains" else type_
        if op == "contains~":
            return App("any_contains", (subject, self._value(right, TEXT, query)))
        expected = TEXT if text else inner or self._type_of(right, query)
        if op in _COMPARISONS:
            return App(_COMPARISONS[op], (subject, self._value(right, expected, query)))
        if op in _CALLED:
            return App(_CALLED[op], (subject, self._value(right, expected, query)))
        raise CompileError(errors.outside(f"the operator {op}", Span(left.at, left.at + 1)))

    def _type_of(self, value: Value, query: "_Query") -> Type | None:
        if value.kind == "var":
            name = query.names.get(value.payload)
            return query.types.get(name) if name is not None else None
        if value.kind == "computation":
            return next((t for operand in value.payload[1] if (t := self._type_of(operand, query))), None)
        return None

    # ------------------------------------------------------------ values

    def _field(self, said: str, query: "_Query", at: int) -> Term:
        name = query.names.get(said)
        if name is None and said in query.types:
            name = said
        if name is None:
            raise CompileError(errors.unknown_parameter(said, "the query", list(query.names), Span(at, at + len(said))))
        if len(query.binders) > 1 and said.startswith(("first.", "second.")):
            return Field(Var(query.binders[0 if said.startswith("first.") else 1]), name)
        return query.field(name)

    def _value(self, value: Value, type_: Type | None, query: "_Query") -> Term:
        payload = value.payload
        match value.kind:
            case "var":
                return self._field(payload, query, value.at)
            case "placeholder":
                return self._placeholder(payload[0], payload[1], type_)
            case "enum":
                return self.member(type_, payload)
            case "entity":
                return self._entity(payload, type_)
            case "number":
                return Lit("number", payload)
            case "string":
                return Lit("text", payload)
            case "boolean":
                return Lit("bool", payload)
            case "measure":
                return Lit("quantity", f"{payload[0]}{payload[1]}")
            case "currency":
                return Lit("quantity", f"{payload[0]}{payload[1].lower()}")
            case "time" if all(part is not None and part.kind == "number" for part in payload):
                return _time([int(part.payload) for part in payload])
            case "date":
                return self._date(value)
            case "now":
                return App("now")
            case "array":
                inner = type_.args[0] if isinstance(type_, Con) and type_.name == "List" else type_
                return App("list", tuple(self._value(v, inner, query) for v in payload))
            case "any":
                return App("the", (self._expression(payload, query).term,))
            case "computation":
                return self._computation(value, type_, query)
            case "location":
                return App("place", tuple(self._value(v, None, query) for v in payload if v is not None))
        raise CompileError(errors.outside(f"this {value.kind} value", Span(value.at, value.at + 1)))

    def _placeholder(self, kind: str, index: int, type_: Type | None) -> Term:
        own: Type | None = PLACEHOLDERS.get(kind)
        if own is None:
            said = kind.removeprefix("GENERIC_ENTITY_")
            said = f"tt:{said.lower()}" if said == kind else said
            name = self.entities.get(said)
            own = Con(name) if name is not None else None
        return Hole(index, None if own == type_ else own)

    def _entity(self, payload: tuple[str | None, str, str | None], type_: Type | None) -> Term:
        identifier, said, display = payload
        name = self.entities.get(said)
        own = Con(name) if name is not None else None
        return Entity(display, identifier, None if own == type_ else own)

    def _date(self, value: Value) -> Term:
        parts = value.payload
        if len(parts) == 1 and parts[0] is not None and parts[0].kind == "string":
            text = parts[0].payload
            return Lit("datetime" if "T" in text else "date", text[:-5] + "Z" if text.endswith(".000Z") else text)
        if len(parts) >= 3 and all(p is not None and p.kind == "number" for p in parts[:3]):
            day = "-".join((f"{int(parts[0].payload):04}", *(f"{int(p.payload):02}" for p in parts[1:3])))
            if len(parts) == 3:
                return Lit("date", day)
        raise CompileError(errors.outside("this date", Span(value.at, value.at + 1)))

    def _computation(self, value: Value, type_: Type | None, query: "_Query") -> Term:
        op, operands = value.payload
        left_type = self._type_of(operands[0], query) or type_
        right_type = type_ if op in ("+", "-") and operands[1:] and operands[1].kind == "placeholder" else None
        args = [self._value(operands[0], left_type, query)]
        args += [self._value(operand, right_type, query) for operand in operands[1:]]
        if op in ("+", "-", "*", "/", "%"):
            return App(op, tuple(args))
        raise CompileError(errors.outside(f"the computation {op}", Span(value.at, value.at + 1)))


@dataclass(frozen=True, slots=True)
class _Query:
    """A term with the binders of its rows, DL names of its fields by ThingTalk name, and their types."""

    term: Term
    binders: tuple[str, ...]
    names: dict[str, str]
    types: dict[str, Type]
    action: bool = False

    def field(self, name: str) -> Term:
        """A field of the row in hand."""
        return Field(Var(self.binders[0]), name)

    def with_term(self, term: Term) -> "_Query":
        """The same fields over another term."""
        return _Query(term, self.binders, self.names, self.types, self.action)

    def then_where(self, condition: Term) -> "_Query":
        """Filtered."""
        return self.with_term(App("where", (self.term, Abs("spec", self.binders, condition))))


_EMPTY: Any = _Query(App("nothing"), ("it",), {}, {})


def _time(parts: list[int]) -> Term:
    return Lit("time", ":".join(f"{part:02}" for part in parts))


def _statements(text: str) -> list[str]:
    """The statements of a tokenized program, cut at each `;` that stands outside a string. Raises CompileError."""
    stripped = text.rstrip()
    if not stripped.endswith(";"):
        raise CompileError(errors.unexpected("", "`;`", Span(len(stripped), len(text))))
    parts: list[str] = []
    for piece in text.strip().removesuffix(" ;").split(" ; "):
        if parts and f" {parts[-1]} ".count(' " ') % 2:
            parts[-1] += " ; " + piece
        else:
            parts.append(piece)
    return parts
