"""Typed generators: random schemas, and random well-typed programs for any schema.

Every generator draws from a `random.Random`, so that Hypothesis can shrink it (`st.randoms`) and a loop over
seeds can make thousands cheaply.
"""

import random
from collections.abc import Callable

from dlc.compiler.lower import default_label
from dlc.compiler.schema import ActDecl, Column, EntityType, EnumType, Function, Member, Parameter, Schema, Table
from dlc.compiler.terms import (
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
from dlc.compiler.types import BOOL, DATE, DURATION, MONEY, NUMBER, TEXT, TIME, UNIT, Con, RecordType, Type

WORDS = ("area", "price", "stars", "name", "day", "food", "phone", "size", "colour", "open", "weight", "from", "or")
BASE = (BOOL, NUMBER, TEXT, TIME, DATE, DURATION, MONEY)


def random_schema(rng: random.Random) -> Schema:
    """A schema with two to four tables, enums, entities with supertypes, actions and functions."""
    enums = tuple(
        EnumType(f"Kind{i}", tuple(Member(f"k{i}_{j}") for j in range(rng.randint(2, 5))), ordered=rng.random() < 0.3)
        for i in range(rng.randint(1, 3))
    )
    names = [f"Thing{i}" for i in range(rng.randint(2, 4))]
    entities = (EntityType("Place"), *(EntityType(n, "Place" if rng.random() < 0.5 else None) for n in names))
    types: list[Type] = [*BASE, *(Con(e.name) for e in enums), *(Con(n) for n in names), Con("Place")]
    tables = []
    for name in names:
        words = rng.sample(WORDS, rng.randint(2, 6))
        columns = [Column("id", Con(name), key=True)]
        columns += [Column(word, rng.choice(types), optional=rng.random() < 0.5) for word in words]
        tables.append(Table(name, tuple(columns)))
    actions = tuple(
        Function(
            f"do_{name}",
            (
                Parameter("target", Con(name)),
                Parameter("place", Con("Place"), optional=True),
                *(Parameter(f"p{j}", rng.choice(types), optional=rng.random() < 0.3) for j in range(rng.randint(0, 3))),
            ),
            RecordType((("ref", TEXT),)),
            action=True,
            columns=(Column("ref", TEXT),),
            errors=(Member("failed"),),
        )
        for name in names
    )
    functions = tuple(
        Function(f"fn{i}", (Parameter(None, rng.choice(types), positional=True),), rng.choice(types)) for i in range(2)
    )
    acts = (ActDecl("user", "execute"), ActDecl("user", "thank"), ActDecl("agent", "ask"), ActDecl("agent", "offer"))
    return Schema("random", enums, entities, (), tuple(tables), actions + functions, (), acts)


class Programs:
    """Random well-typed terms and turns of one schema. `depth` bounds nesting."""

    def __init__(self, rng: random.Random, schema: Schema, depth: int = 3) -> None:
        self.rng, self.schema, self.depth = rng, schema, depth
        self.lets: list[tuple[str, Type]] = []

    # ------------------------------------------------------------ values

    def value(self, type_: Type, depth: int, rows: dict[str, Type]) -> Term:
        """A term of a type: a literal, a placeholder, a column of the row in hand, a call."""
        rng = self.rng
        options: list[Callable[[], Term]] = [lambda: self.literal(type_)] * 4
        columns = [(b, c.name) for b, t in rows.items() for c in self.columns(t) if c.type == type_]
        if columns:
            options += [lambda: self.column(*rng.choice(columns))] * 2
        named = [n for n, t in self.lets if t == type_]
        if named:
            options += [lambda: Var(rng.choice(named))] * 3
        if depth > 0:
            for function in self.schema.functions:
                if function.result == type_ and not function.action and function.positional:
                    wanted = function.positional[0].type
                    options.append(lambda f=function, w=wanted: App(f.name, (self.value(w, depth - 1, rows),)))
            if type_ in (NUMBER, DURATION, MONEY):
                options.append(lambda: App(rng.choice("+-"), (self.value(type_, depth - 1, rows), self.literal(type_))))
            if type_ == TIME:
                options.append(lambda: App(rng.choice("+-"), (self.literal(TIME), self.literal(DURATION))))
        return rng.choice(options)()

    def column(self, binder: str, name: str) -> Term:
        return Field(Var(binder), name)

    def columns(self, type_: Type) -> tuple[Column, ...]:
        return (
            self.schema.table[type_.name].columns if isinstance(type_, Con) and type_.name in self.schema.table else ()
        )

    def literal(self, type_: Type) -> Term:
        """A constant of a type."""
        rng = self.rng
        assert isinstance(type_, Con)
        if rng.random() < 0.1:
            return Hole(rng.randint(0, 3), type_)
        match type_.name:
            case "Bool":
                return Lit("bool", rng.choice(("true", "false")))
            case "Number":
                return Lit("number", rng.choice(("0", "1", "4", "-3", "2.5", "100", "1e3", "0.25")))
            case "Text":
                return Lit("text", rng.choice(("", "north", 'say "hi"', "a\\b", "naïve – ☕", "x\ny", "-- no", "it's")))
            case "Time":
                return Lit("time", f"{rng.randint(0, 24):02}:{rng.randint(0, 59):02}")
            case "Date":
                return Lit("date", f"20{rng.randint(10, 30)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}")
            case "Duration":
                return Lit("quantity", f"{rng.randint(1, 90)}{rng.choice(('min', 'h', 'day', 's'))}")
            case "Money":
                return Lit("quantity", f"{rng.randint(1, 90)}{rng.choice(('usd', 'eur', 'gbp'))}")
        enum = self.schema.enum.get(type_.name)
        if enum is not None:
            return App(rng.choice(enum.members).name)
        return Entity(rng.choice(("acorn", "the lodge", "x")), rng.choice((None, "id1")), rng.choice((None, type_)))

    # ------------------------------------------------------------ conditions

    def condition(self, depth: int, rows: dict[str, Type]) -> Term:
        """A Bool over the rows in hand."""
        rng = self.rng
        if depth > 0 and rng.random() < 0.5:
            fn = rng.choice(("and", "or", "not"))
            if fn == "not":
                return App("not", (self.condition(depth - 1, rows),))
            return App(fn, tuple(self.condition(depth - 1, rows) for _ in range(rng.randint(2, 3))))
        binder, type_ = rng.choice(list(rows.items()))
        column = rng.choice(self.columns(type_))
        field = self.column(binder, column.name)
        choice = rng.random()
        if choice < 0.15:
            return App(rng.choice(("is_any", "is_none", "is_missing", "is_not_missing")), (field,))
        if choice < 0.3:
            items = tuple(self.plain(column.type) for _ in range(rng.randint(1, 3)))
            return App(rng.choice(("in", "not_in")), (field, App("list", items)))
        if choice < 0.4 and self.matchable(column.type):
            return App(rng.choice(("~", "!~", "like")), (field, Lit("text", rng.choice(("ab", "R%")))))
        if choice < 0.6 and self.orderable(column.type):
            fn = rng.choice(("<", "<=", ">", ">=", "between"))
            bounds = tuple(self.plain(column.type) for _ in range(2 if fn == "between" else 1))
            return App(fn, (field, *bounds))
        if choice < 0.65 and depth > 0:
            inner = rng.choice(self.schema.tables)
            if inner.name not in rows:
                relation = App("where", (App(inner.name), self.spec(depth - 1, rows, {inner.name: Con(inner.name)})))
                return App("exists", (relation,))
        return App(rng.choice(("=", "!=")), (field, self.value(column.type, depth - 1, rows)))

    def plain(self, type_: Type) -> Term:
        """A constant whose type needs no context: placeholders and entities carry theirs."""
        literal = self.literal(type_)
        if isinstance(literal, Entity):
            return Entity(literal.text, literal.id, type_)
        return literal

    def spec(self, depth: int, outer: dict[str, Type], rows: dict[str, Type]) -> Abs:
        return Abs("spec", tuple(rows), self.condition(depth, {**outer, **rows}))

    def orderable(self, type_: Type) -> bool:
        assert isinstance(type_, Con)
        enum = self.schema.enum.get(type_.name)
        return type_ in (NUMBER, TEXT, TIME, DATE, DURATION, MONEY) or (enum is not None and enum.ordered)

    def matchable(self, type_: Type) -> bool:
        return type_ == TEXT or self.schema.is_entity(type_)

    # ------------------------------------------------------------ queries

    def query(self, depth: int) -> Term:
        """A pipeline over one table, perhaps joined with a second."""
        rng = self.rng
        table = rng.choice(self.schema.tables)
        rows: dict[str, Type] = {table.name: Con(table.name)}
        term: Term = App(table.name)
        if rng.random() < 0.25:
            other = rng.choice(self.schema.tables)
            name = other.name if other.name != table.name else other.name + "2"
            right: Term = App(other.name) if name == other.name else App("as", (App(other.name), Lit("name", name)))
            rows[name] = Con(other.name)
            on = (Abs("row", tuple(rows), self.condition(0, rows)),) if rng.random() < 0.8 else ()
            term = App(rng.choice(("join", "join_left")), (term, right, *on))
        for _ in range(rng.randint(0, 2)):
            term = App("where", (term, self.spec(depth, {}, rows)))
        if rng.random() < 0.3:
            keys = tuple(self.sort_key(rows) for _ in range(rng.randint(1, 2)))
            if all(keys):
                term = App("sort", (term, *(k for k in keys if k)))
        if rng.random() < 0.2:
            term = App("take", (term, Lit("number", str(rng.randint(1, 9)))))
        elif rng.random() < 0.2:
            term = App("at", (term, Lit("number", "1")))
        if rng.random() < 0.15:
            return self.grouped(term, rows)
        if rng.random() < 0.4:
            term = App("show", (term,), self.items(rows))
        elif rng.random() < 0.2:
            term = App("distinct", (term,))
        return term

    def sort_key(self, rows: dict[str, Type]) -> Term | None:
        binder, type_ = self.rng.choice(list(rows.items()))
        columns = [c for c in self.columns(type_) if self.orderable(c.type)]
        if not columns:
            return None
        body = App(self.rng.choice(("asc", "desc")), (self.column(binder, self.rng.choice(columns).name),))
        return Abs("row", tuple(rows), body)

    def items(self, rows: dict[str, Type]) -> tuple[tuple[str, Term], ...]:
        chosen: dict[str, Term] = {}
        for _ in range(self.rng.randint(1, 3)):
            binder, type_ = self.rng.choice(list(rows.items()))
            body = self.column(binder, self.rng.choice(self.columns(type_)).name)
            label = default_label(body)
            while label in chosen:
                label += "_too"
            chosen[label] = Abs("row", tuple(rows), body)
        return tuple(chosen.items())

    def grouped(self, term: Term, rows: dict[str, Type]) -> Term:
        binder, type_ = self.rng.choice(list(rows.items()))
        key = self.column(binder, self.rng.choice(self.columns(type_)).name)
        names = tuple(rows)
        count = Abs("row", names, App("count"))
        if self.rng.random() < 0.3:
            return App("show", (App("whole", (term,)),), (("count", count),))
        term = App("group", (term, Abs("row", names, key)))
        if self.rng.random() < 0.5:
            having = App(">", (App("count"), Lit("number", "2")))
            term = App("where", (term, Abs("spec", names, having)))
        return App("show", (term,), ((default_label(key), Abs("row", names, key)), ("count", count)))

    # ------------------------------------------------------------ turns

    def call(self, depth: int) -> Term:
        """An action with some of its arguments."""
        action = self.rng.choice([f for f in self.schema.functions if f.action])
        labelled = [p for p in action.params if self.rng.random() < 0.7]
        named = tuple((str(p.name), self.argument(p.type, depth)) for p in labelled)
        return App(action.name, (), named)

    def argument(self, type_: Type, depth: int) -> Term:
        if self.rng.random() < 0.1:
            return App(self.rng.choice(("any", "none")))
        return self.value(type_, depth, {})

    def statement(self) -> Statement:
        rng = self.rng
        term = self.query(self.depth) if rng.random() < 0.7 else self.call(self.depth)
        outcome = None
        status = rng.choice(("accepted", "accepted", "proposed", "confirmed"))
        if rng.random() < 0.15 and not any(isinstance(t, App) and t.fn.startswith("join") for t in subterms(term)):
            outcome = self.outcome(term)
            status = "confirmed"
        return Statement(term, status, None, outcome)

    def outcome(self, term: Term) -> Outcome:
        while isinstance(term, App) and term.args:
            term = term.args[0]
        assert isinstance(term, App)
        table = self.schema.table.get(term.fn)
        columns = table.columns if table else self.schema.function[term.fn].columns
        records = []
        for _ in range(self.rng.randint(0, 2)):
            chosen = self.rng.sample(columns, self.rng.randint(1, len(columns)))
            records.append(Record(tuple((c.name, self.literal(c.type)) for c in chosen)))
        count = Lit("number", "7") if self.rng.random() < 0.5 else None
        error = "failed" if table is None and self.rng.random() < 0.3 else None
        return Outcome(tuple(records), count, self.rng.random() < 0.3, error)

    def turn(self) -> Turn:
        """A whole turn: acts, statements, sometimes a `let` that later statements use."""
        rng = self.rng
        speaker = rng.choice(("user", "agent"))
        names = [a.name for a in self.schema.acts if a.speaker == speaker]
        acts = tuple(Act(n, self.act_arguments()) for n in rng.sample(names, rng.randint(0, len(names))))
        self.lets = []
        statements: list[Statement] = []
        for _ in range(rng.randint(0, 3)):
            if rng.random() < 0.3:
                type_ = rng.choice(BASE)
                name = f"x{len(self.lets)}"
                statements.append(Statement(self.plain(type_), "accepted", name))
                self.lets.append((name, type_))
            statements.append(self.statement())
        return Turn(speaker, acts, tuple(statements))

    def act_arguments(self) -> tuple[Term, ...]:
        if self.rng.random() < 0.6:
            return ()
        table = self.rng.choice(self.schema.tables)
        column = self.rng.choice(table.columns).name
        return (Lit("path", self.rng.choice((f".{column}", f"{table.name}.{column}"))),)


def random_program(seed: int, depth: int = 3) -> tuple[Schema, Turn]:
    """The schema and turn of a seed."""
    rng = random.Random(seed)
    schema = random_schema(rng)
    return schema, Programs(rng, schema, depth).turn()


__all__ = ["UNIT", "Programs", "random_program", "random_schema"]
