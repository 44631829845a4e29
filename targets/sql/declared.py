"""From what a database declares to a DL schema: which types and keys are to be trusted, and their repair.

Declared types are coarse and often wrong. Columns that foreign keys make one get one type first, that of the key they
refer to; what then remains is made explicit in each query. A key that is one of several foreign keys of its table is
really part of a longer one (bridge tables), and is not trusted to be unique.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...compiler.schema import Column, Facts, Schema, Table
from ...compiler.types import BOOL, NUMBER, TEXT, Type
from ...grammar.diagnostic import CompileError
from . import errors
from .names import RESERVED_TABLES, default_declared, dl_name, named_fact, table_name


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """A column as the database declares it: `tag` its declared type."""

    name: str
    tag: str
    required: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """A table as declared. `foreign`: (own column, other table, other column), by position of the table."""

    name: str
    columns: tuple[DeclaredColumn, ...]
    primary: tuple[str, ...] = ()
    foreign: tuple[tuple[str, str, str], ...] = ()
    facts: Facts = field(default=())


Place = tuple[str, str]


def build_schema(name: str, tables: Sequence[DeclaredTable], facts: Facts = ()) -> Schema:
    """The DL schema. Raises CompileError (DLC255) for names that differ in case only."""
    kept = [t for t in tables if t.name.lower() not in RESERVED_TABLES]
    _no_clash("table", [t.name for t in kept])
    for table in kept:
        _no_clash("column", [c.name for c in table.columns])
    names: dict[str, str] = {}
    columns: dict[str, dict[str, str]] = {}
    for table in kept:
        names[table.name.lower()] = table_name(table.name, set(names.values()))
        own: dict[str, str] = {}
        for column in table.columns:
            own[column.name.lower()] = dl_name(column.name, set(own.values()))
        columns[table.name.lower()] = own
    repaired = repair_types(kept)
    return Schema(
        dl_name(name),
        tables=tuple(_table(t, names, columns, repaired) for t in kept),
        facts=(*named_fact(dl_name(name), name), *facts),
    )


def _no_clash(kind: str, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise CompileError(errors.case_clash(kind, (seen[name.lower()], name)))
        seen[name.lower()] = name


def _table(
    table: DeclaredTable, names: dict[str, str], columns: dict[str, dict[str, str]], types: dict[Place, Type]
) -> Table:
    low = table.name.lower()
    key = trusted_key(table)
    made: list[Column] = []
    for column in table.columns:
        own = column.name.lower()
        type_ = types[(low, own)]
        targets = [
            (names[t.lower()], columns[t.lower()][c.lower()])
            for f, t, c in table.foreign
            if f.lower() == own and c.lower() in columns.get(t.lower(), {})
        ]
        facts: list[tuple[str, str | tuple[str, ...] | None]] = list(named_fact(columns[low][own], column.name))
        if column.tag and column.tag.lower() != default_declared(type_):
            facts.append(("sql_type", column.tag))
        if len(targets) > 1:
            facts.append(("references", tuple(f"{t}.{c}" for t, c in targets[1:])))
        is_key = key == own
        made.append(
            Column(
                columns[low][own],
                type_,
                optional=not (column.required or is_key),
                key=is_key,
                unique=column.unique and not is_key,
                references=targets[0] if targets else None,
                facts=tuple(facts),
            )
        )
    table_facts: list[tuple[str, str | tuple[str, ...] | None]] = [
        *named_fact(names[low], table.name),
        *table.facts,
    ]
    if key is None and table.primary:
        table_facts.append(("sql_key", tuple(columns[low].get(c.lower(), c) for c in table.primary)))
    return Table(names[low], tuple(made), tuple(table_facts))


def trusted_key(table: DeclaredTable) -> str | None:
    """The one column (lower case) that identifies a row, if the declaration can be believed."""
    if len(table.primary) != 1:
        return None
    key = table.primary[0].lower()
    foreign = {f.lower() for f, _, _ in table.foreign}
    return None if key in foreign and len(foreign) > 1 else key


def repair_types(tables: Sequence[DeclaredTable]) -> dict[Place, Type]:
    """The type of every column, (table, column) in lower case: declared ones, made one along foreign keys."""
    declared = {(t.name.lower(), c.name.lower()): type_of_tag(c.tag) for t in tables for c in t.columns}
    parent: dict[Place, Place] = {place: place for place in declared}

    def root(place: Place) -> Place:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    keys: set[Place] = set()
    for table in tables:
        for own, other, column in table.foreign:
            left, right = (table.name.lower(), own.lower()), (other.lower(), column.lower())
            if left in declared and right in declared:
                keys.add(right)
                parent[root(left)] = root(right)
    classes: dict[Place, list[Place]] = {}
    for place in declared:
        classes.setdefault(root(place), []).append(place)
    types = dict(declared)
    for members in classes.values():
        if len({declared[m] for m in members}) > 1:
            votes = Counter(declared[m] for m in members if m in keys).most_common()
            if len(votes) > 1 and votes[0][1] == votes[1][1]:
                votes = Counter(declared[m] for m in members).most_common()
            for member in members:
                types[member] = votes[0][0]
    return types


_NUMERIC = ("int", "real", "floa", "doub", "num", "dec", "year", "money", "serial", "currency")


def type_of_tag(tag: str) -> Type:
    """The DL type of a declared type, by what its name says. Dates and times are kept as the text they are stored as."""
    low = tag.lower()
    if low.startswith("bool"):
        return BOOL
    if "point" in low or "interval" in low:
        return TEXT
    if any(part in low for part in _NUMERIC):
        return NUMBER
    return TEXT


__all__ = ["DeclaredColumn", "DeclaredTable", "build_schema", "repair_types", "trusted_key", "type_of_tag"]
