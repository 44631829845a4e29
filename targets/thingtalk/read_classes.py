"""ThingTalk class files as DL schemas.

A query becomes a table (its inputs and outputs the columns), an action an action, an entity type an entity. Names are the
ThingTalk names where they do not clash: an action or query whose name occurs in several classes is told apart by its class
(`Hotel_make_booking`). Every declaration carries its full ThingTalk name as a fact, so the writer gives it back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...compiler.schema import Column, EntityType, EnumType, Facts, Function, Member, Parameter, Schema, Table, merge
from ...compiler.types import BOOL, DATETIME, DURATION, DYNAMIC, MONEY, NUMBER, TEXT, TIME, Con, RecordType, Type
from ...compiler.units import MEASURE_UNITS, TIME_UNITS
from . import values
from .classfile import ArgumentFacts, ClassFile, argument_facts, class_file, function_facts, read_class_file
from .declarations import ClassDef, FunctionDef
from .write_names import Names

_SIMPLE = {"Boolean": BOOL, "Number": NUMBER, "String": TEXT, "Time": TIME, "Date": DATETIME, "Currency": MONEY}
_SIMPLE |= {"Location": Con("Location")}


def schema_of_class_file(text: str, name: str) -> Schema:
    """The schema of a class file. Raises ThingTalkSyntaxError and ClassFileError."""
    return _Reader(read_class_file(text), Schema(name)).schema()


def schema_with(classes: tuple[ClassDef, ...], schema: Schema) -> Schema:
    """A schema with classes that a program defines; one that it has already is replaced. Raises ClassFileError."""
    names, kinds = Names(schema), {definition.name for definition in classes}

    def kept(declared: Table | Function) -> bool:
        called = names.called(declared)
        return called is None or called.kind not in kinds

    tables = tuple(t for t in schema.tables if kept(t))
    functions = tuple(f for f in schema.functions if not f.action or kept(f))
    others = replace(schema, tables=tables, functions=functions)
    return merge(others, replace(_Reader(class_file(classes), others).schema(), facts=schema.facts))


def types_in(schema: Schema, types: Mapping[str, values.Type]) -> tuple[dict[str, Type], Schema]:
    """DL types of ThingTalk types, by the same names, and the schema with the entities and enums it did not have."""
    mentioned = [name for type_ in types.values() for name in _entities(type_)]
    reader = _Reader(ClassFile((), {}, {}), schema, mentioned)
    made = {name: reader.type(type_, schema.name, name) for name, type_ in types.items()}
    return made, merge(schema, replace(reader.schema(), facts=schema.facts))


class _Reader:
    """Names chosen once for the whole file, then one declaration after the other. Those of `given` are taken."""

    def __init__(self, file: ClassFile, given: Schema, mentioned: Iterable[str] = ()) -> None:
        self.file, self.name = file, given.name
        said = Names(given)
        own = [*(entity.name for entity in given.entities), *(table.name for table in given.tables)]
        self.given = {said.entity(name): name for name in reversed(own)}
        taken = {*own, *(f.name for f in given.functions), *(e.name for e in given.enums)}
        functions = [(c, m) for c in file.classes for m in c.members if isinstance(m, FunctionDef)]
        uses = Counter(m.name for _, m in functions)
        self.functions: dict[tuple[str, str], str] = {}
        for c, m in functions:
            alone = uses[m.name] == 1 and m.name not in taken
            self.functions[c.name, m.name] = m.name if alone else _free(f"{_last(c.name)}_{m.name}", taken)
        self.queries = {f"{c.name}:{m.name}": self.functions[c.name, m.name] for c, m in functions if m.kind == "query"}
        known = dict.fromkeys((*self._mentioned(), *mentioned))
        short = Counter(_short(e) for e in known)
        taken |= set(self.functions.values())
        self.entities: dict[str, str] = dict(self.given)
        for entity in known:
            # The entity of a query's own rows and its table are one type with fields.
            label = self.queries.get(entity, self.given.get(entity))
            if label is None:
                label = _short(entity)
                if short[label] > 1 or label in taken:
                    label = _free(f"{_last(entity.partition(':')[0])}_{label}", taken if self.given else set())
            self.entities[entity] = label
        self.taken = taken
        self.enums: dict[tuple[str, ...], str] = {
            tuple(sorted((*(m.name for m in e.members), *(("*",) if e.open else ())))): e.name for e in given.enums
        }
        self.declared: list[EnumType] = []

    def _mentioned(self) -> list[str]:
        found: list[str] = list(self.file.parents)
        for definition in self.file.classes:
            for member in definition.members:
                if isinstance(member, FunctionDef):
                    for argument in member.args:
                        found += _entities(argument.type)
        return found + [above for parents in self.file.parents.values() for above in parents]

    def schema(self) -> Schema:
        """The whole file."""
        tables: list[Table] = []
        actions: list[Function] = []
        for definition in self.file.classes:
            for member in definition.members:
                if isinstance(member, FunctionDef):
                    if member.kind == "query":
                        tables.append(self._table(definition, member))
                    else:
                        actions.append(self._action(definition, member))
        entities = tuple(
            EntityType(label, self._above(entity), facts=(("thingtalk", entity),))
            for entity, label in self.entities.items()
            if entity not in self.given or entity in self.file.parents
        )
        return Schema(self.name, tuple(self.declared), entities, (), tuple(tables), tuple(actions))

    def _above(self, entity: str) -> str | None:
        parents = self.file.parents.get(entity, ())
        return self.entities.get(parents[0]) if parents else None

    def _table(self, definition: ClassDef, function: FunctionDef) -> Table:
        label = self.functions[definition.name, function.name]
        key = self.entities.get(f"{definition.name}:{function.name}")
        columns = []
        for argument in self.file.arguments(definition.name, function.name):
            facts = argument_facts(argument, f"@{definition.name}.{function.name}")
            type_ = self.type(argument.type, label, argument.name)
            columns.append(
                Column(
                    argument.name,
                    type_,
                    optional=not (facts.unique or argument.name == "id"),
                    key=argument.name == "id" and type_ == Con(key or ""),
                    unique=facts.unique,
                    minimum=_bound(facts.min_number),
                    maximum=_bound(facts.max_number),
                    facts=_facts_of(facts) + (() if argument.direction == "out" else (("input", "yes"),)),
                )
            )
        said: Facts = (("thingtalk", f"{definition.name}.{function.name}"),)
        return Table(label, tuple(columns), said if function.is_monitorable else (*said, ("monitorable", "no")))

    def _action(self, definition: ClassDef, function: FunctionDef) -> Function:
        label = self.functions[definition.name, function.name]
        params: list[Parameter] = []
        columns: list[Column] = []
        for argument in self.file.arguments(definition.name, function.name):
            facts = argument_facts(argument, f"@{definition.name}.{function.name}")
            type_ = self.type(argument.type, label, argument.name)
            bounds = (_bound(facts.min_number), _bound(facts.max_number))
            if argument.direction == "out":
                columns.append(Column(argument.name, type_, True, False, False, *bounds, facts=_facts_of(facts)))
            else:
                optional = argument.direction == "in opt"
                params.append(Parameter(argument.name, type_, False, optional, *bounds, _facts_of(facts)))
        said = function_facts(function, f"@{definition.name}")
        facts_of: Facts = (("thingtalk", f"{definition.name}.{function.name}"),)
        for group in said.require_either:
            facts_of = (*facts_of, ("require_either", group))
        errors = tuple(Member(code) for code, _ in said.on_error)
        result = RecordType(tuple((c.name, c.type) for c in columns)) if columns else Con("Unit")
        return Function(label, tuple(params), result, (), True, tuple(columns), errors, facts_of)

    def type(self, type_: values.Type, owner: str, field: str) -> Type:
        """A DL type; what DL has none for is Dynamic."""
        match type_:
            case values.EntityType(name):
                return Con(self.entities[name])
            case values.EnumType():
                return Con(self._enum(type_, owner, field))
            case values.MeasureType(unit):
                if unit in TIME_UNITS:
                    return DURATION
                return Con("Measure", (Con(MEASURE_UNITS[unit][0]),)) if unit in MEASURE_UNITS else NUMBER
            case values.ArrayType(element):
                return Con("List", (self.type(element, owner, field),))
            case values.CompoundType(fields):
                return RecordType(tuple((f.name, self.type(f.type, owner, f"{field}_{f.name}")) for f in fields))
            case values.SimpleType(name):
                return _SIMPLE.get(name, DYNAMIC)

    def _enum(self, type_: values.EnumType, owner: str, field: str) -> str:
        """One enum for each set of members, whatever their order: the reference tells orders apart, wrongly."""
        members = tuple(m for m in type_.members if m != "*")
        key = tuple(sorted(type_.members))
        known = self.enums.get(key)
        if known is None:
            taken = {*self.enums.values(), *self.entities.values(), *self.functions.values(), *self.taken}
            base = "".join(part.capitalize() for part in field.split("_"))
            known = base if base not in taken else f"{owner}{base}"
            while known in taken:
                known += "_"
            self.enums[key] = known
            self.declared.append(EnumType(known, tuple(Member(m) for m in members), open="*" in type_.members))
        return known


def _entities(type_: values.Type) -> list[str]:
    """The entity types in a type."""
    match type_:
        case values.EntityType(name):
            return [name]
        case values.ArrayType(element):
            return _entities(element)
        case values.CompoundType(fields):
            return [name for field in fields for name in _entities(field.type)]
    return []


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _short(entity: str) -> str:
    return entity.rpartition(":")[2]


def _bound(value: int | float | None) -> str | None:
    return None if value is None else str(value)


def _facts_of(facts: ArgumentFacts) -> Facts:
    found: list[tuple[str, str]] = []
    if not facts.filterable:
        found.append(("filterable", "no"))
    if facts.slot_operator is not None:
        found.append(("op", facts.slot_operator))
    return tuple(found)
