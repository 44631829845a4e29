"""CREATE TABLE statements, both ways."""

from typing import Any

import sqlglot
from sqlglot import exp

from ...compiler.schema import Column, Schema, Table, fact, fact_list
from ...compiler.types import Con, Type
from ...grammar.diagnostic import CompileError
from . import errors
from .declared import DeclaredColumn, DeclaredTable, build_schema
from .dialects import identifier, parse


def read_ddl(text: str, name: str, dialect: str = "sqlite") -> Schema:
    """The schema that CREATE TABLE statements declare; other statements are passed over.

    Raises CompileError (DLC240, DLC255, DLC256).
    """
    tables: list[DeclaredTable] = []
    for statement in parse(text, dialect):
        if isinstance(statement, exp.Create) and statement.kind == "TABLE" and isinstance(statement.this, exp.Schema):
            tables.append(_read_table(statement.this))
    if not tables:
        raise CompileError(errors.bad_schema(f"{name} has no CREATE TABLE statement"))
    by_name = {t.name.lower(): t for t in tables}
    return build_schema(name, [_with_targets(t, by_name) for t in tables])


def _read_table(node: exp.Schema) -> DeclaredTable:
    columns: list[DeclaredColumn] = []
    primary: list[str] = []
    foreign: list[tuple[str, str, str]] = []
    for part in node.expressions:
        constraint = part.args.get("expressions")
        if isinstance(part, exp.Constraint) and constraint:
            part = constraint[0]
        if isinstance(part, exp.ColumnDef):
            columns.append(_read_column(part, primary, foreign))
        elif isinstance(part, exp.PrimaryKey):
            primary += [_name(e) for e in part.expressions]
        elif isinstance(part, exp.ForeignKey):
            other, targets = _reference(part.args.get("reference"))
            own = [_name(e) for e in part.expressions]
            foreign += list(zip(own, [other] * len(own), targets or [""] * len(own), strict=False))
    return DeclaredTable(node.this.name, tuple(columns), tuple(primary), tuple(foreign))


def _read_column(node: exp.ColumnDef, primary: list[str], foreign: list[tuple[str, str, str]]) -> DeclaredColumn:
    required = unique = False
    for constraint in node.constraints:
        kind = constraint.kind
        if isinstance(kind, exp.PrimaryKeyColumnConstraint):
            primary.append(node.name)
        elif isinstance(kind, exp.NotNullColumnConstraint):
            required = not kind.args.get("allow_null")
        elif isinstance(kind, exp.UniqueColumnConstraint):
            unique = True
        elif isinstance(kind, exp.Reference):
            other, targets = _reference(kind)
            foreign.append((node.name, other, targets[0] if targets else ""))
    tag = node.kind.sql() if node.kind is not None else ""
    return DeclaredColumn(node.name, tag, required, unique)


def _reference(node: Any) -> tuple[str, list[str]]:
    if node is None:
        return "", []
    target = node.this
    if isinstance(target, exp.Schema):
        return target.this.name, [_name(e) for e in target.expressions]
    return target.name, []


def _name(node: Any) -> str:
    while isinstance(node, exp.Ordered):
        node = node.this
    return str(node.name)


def _with_targets(table: DeclaredTable, tables: dict[str, DeclaredTable]) -> DeclaredTable:
    foreign = []
    for own, other, column in table.foreign:
        target = tables.get(other.lower())
        if not column and target is not None and len(target.primary) == 1:
            column = target.primary[0]
        foreign.append((own, other, column))
    return DeclaredTable(table.name, table.columns, table.primary, tuple(foreign))


# ---------------------------------------------------------------- writing

_SQL_TYPES = {"Number": "NUMERIC", "Int": "INTEGER", "Bool": "BOOLEAN", "Date": "DATE", "DateTime": "DATETIME"}
_TAGS = {"text": "TEXT", "number": "NUMERIC", "time": "DATETIME", "boolean": "BOOLEAN", "others": "BLOB", "": "BLOB"}


def write_ddl(schema: Schema, dialect: str = "sqlite") -> str:
    """CREATE TABLE statements for a schema's tables, in the dialect, each ended by `;`."""
    statements = [_write_table(schema, table) for table in schema.tables if fact(table.facts, "sql") != "no"]
    if dialect == "sqlite":
        return "".join(f"{s};\n" for s in statements)
    return "".join(f"{sqlglot.transpile(s, read='sqlite', write=dialect)[0]};\n" for s in statements)


def _write_table(schema: Schema, table: Table) -> str:
    lines: list[str] = []
    for column in table.columns:
        if fact(column.facts, "sql") == "no":
            continue
        words = [identifier(sql_name(column)), sql_type(column)]
        if column.key and not fact_list(table.facts, "sql_key"):
            words.append("PRIMARY KEY")
        if not column.optional and not column.key:
            words.append("NOT NULL")
        if column.unique and not column.key:
            words.append("UNIQUE")
        lines.append(" ".join(words))
    names = {c.name: sql_name(c) for c in table.columns}
    keys = fact_list(table.facts, "sql_key")
    if keys:
        lines.append(f"PRIMARY KEY ({', '.join(identifier(names.get(k, k)) for k in keys)})")
    for column in table.columns:
        for other, target in _targets(column):
            owner = schema.table.get(other)
            if owner is not None and target in owner.by_name and fact(owner.facts, "sql") != "no":
                named = identifier(fact(owner.facts, "sql") or owner.name)
                to = identifier(sql_name(owner.by_name[target]))
                lines.append(f"FOREIGN KEY ({identifier(sql_name(column))}) REFERENCES {named} ({to})")
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {identifier(fact(table.facts, 'sql') or table.name)} (\n  {body}\n)"


def _targets(column: Column) -> list[tuple[str, str]]:
    found = [column.references] if column.references is not None else []
    for text in fact_list(column.facts, "references"):
        other, _, target = text.rpartition(".")
        found.append((other, target))
    return found


def sql_name(column: Column) -> str:
    """The column's name in the database."""
    return fact(column.facts, "sql") or column.name


def sql_type(column: Column) -> str:
    """The declared type: the database's own if it is known, else one that fits."""
    tag = fact(column.facts, "sql_type")
    if tag is not None:
        return _TAGS.get(tag.lower(), tag)
    if fact(column.facts, "sql_as") is not None:
        return "TEXT"
    return type_name(column.type)


def type_name(type_: Type) -> str:
    """A SQL type for a DL type; what is no number, truth value or date is kept as text."""
    if isinstance(type_, Con):
        if type_.name in ("Money", "Duration", "Measure"):
            return "NUMERIC"
        return _SQL_TYPES.get(type_.name, "TEXT")
    return "TEXT"


__all__ = ["read_ddl", "sql_name", "sql_type", "type_name", "write_ddl"]
