"""What exact set match disregards: values, DISTINCT, and which of two joined columns is named.

Done as the official evaluator does it, including where it forgets to (subqueries), with the named repairs
switchable. Source: taoyds/test-suite-sql-eval, `evaluation.py`.
"""

from collections.abc import Mapping
from dataclasses import replace

from .errors import MetricError
from .sql_parse import OPERATORS, ColUnit, Cond, Conds, Item, Order, Sql, Value, ValUnit
from .sql_repairs import NO_REPAIRS, Repair
from .sql_schema import SqlSchema

EQUALS = OPERATORS.index("=")
Classes = Mapping[str, str]


def normalize(sql: Sql, schema: SqlSchema, repairs: frozenset[Repair] = NO_REPAIRS) -> Sql:
    """`sql` ready to be compared: values None, DISTINCT None, joined columns merged.

    Raises `MetricError` where two conditions stand without a connective and the official script would crash.
    """
    return _Columns(schema, repairs, classes(sql, schema, repairs)).sql(_drop_values(sql, repairs))


# --- values


def _drop_values(sql: Sql, repairs: frozenset[Repair]) -> Sql:
    deep = Repair.SUBQUERY in repairs
    return replace(
        sql,
        tables=tuple(_drop_values(t, repairs) if deep and isinstance(t, Sql) else t for t in sql.tables),
        on=_drop_in_conditions(sql.on, repairs, Repair.JOIN_CONDITION in repairs),
        where=_drop_in_conditions(sql.where, repairs, Repair.OPERAND in repairs),
        having=_drop_in_conditions(sql.having, repairs, Repair.OPERAND in repairs),
        intersect=sql.intersect and _drop_values(sql.intersect, repairs),
        union=sql.union and _drop_values(sql.union, repairs),
        except_=sql.except_ and _drop_values(sql.except_, repairs),
    )


def _drop_in_conditions(conds: Conds, repairs: frozenset[Repair], keep_columns: bool) -> Conds:
    dropped: list[Cond | str] = list(conds)
    for i in range(0, len(conds), 2):
        cond = conds[i]
        if not isinstance(cond, Cond):
            raise MetricError("two conditions without AND or OR between them")
        low, high = (_drop_value(value, repairs, keep_columns) for value in (cond.low, cond.high))
        dropped[i] = cond._replace(low=low, high=high)
    return tuple(dropped)


def _drop_value(value: Value, repairs: frozenset[Repair], keep_columns: bool) -> Value:
    if isinstance(value, Sql):
        return _drop_values(value, repairs)
    return value if keep_columns and isinstance(value, ColUnit) else None


# --- columns


def classes(sql: Sql, schema: SqlSchema, repairs: frozenset[Repair]) -> Classes:
    """Every column of the tables in this FROM that stands for another one, to the one that represents it."""
    if Repair.FOREIGN_KEY in repairs:
        return _joined_classes(sql, schema)
    tables = {table[2:-2] for table in sql.tables if isinstance(table, str)}
    return {column: kept for column, kept in schema.merged.items() if _table(column) in tables}


def equated(on: Conds) -> list[tuple[str, str]]:
    """The pairs of columns that ON conditions equate."""
    return [
        (cond.unit.left.column, cond.low.column)
        for cond in on[::2]
        if isinstance(cond, Cond) and cond.operator == EQUALS and not cond.negated
        if cond.unit.left is not None and isinstance(cond.low, ColUnit)
    ]


def partition(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each column to the alphabetically first one that it is equated with, directly or not."""
    home: dict[str, str] = {}

    def root(column: str) -> str:
        while home.setdefault(column, column) != column:
            column = home[column]
        return column

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        home[high] = low
    return {column: root(column) for column in list(home)}


def _joined_classes(sql: Sql, schema: SqlSchema) -> Classes:
    """By ON where there is one, else by the only foreign key between two tables of FROM."""
    pairs = equated(sql.on)
    if not sql.on:
        tables = {table[2:-2] for table in sql.tables if isinstance(table, str)}
        between: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for a, b in schema.foreign_keys:
            ends = tuple(sorted((_table(a), _table(b))))
            if set(ends) <= tables and len(set(ends)) == 2:
                between.setdefault(ends, []).append((a, b))
        pairs = [edges[0] for edges in between.values() if len(set(edges)) == 1]
    return partition(pairs)


def _table(column: str) -> str:
    return column[2:].partition(".")[0]


class _Columns:
    """Renames columns by their classes and drops DISTINCT, through one query."""

    def __init__(self, schema: SqlSchema, repairs: frozenset[Repair], classes: Classes) -> None:
        self.schema = schema
        self.repairs = repairs
        self.classes = classes

    def sql(self, sql: Sql) -> Sql:
        return replace(
            sql,
            distinct=None,
            select=tuple(Item(item.aggregate, self.val_unit(item.unit)) for item in sql.select),
            tables=tuple(self.nested(table) if isinstance(table, Sql) else table for table in sql.tables),
            on=sql.on if Repair.JOIN_CONDITION in self.repairs else self.conditions(sql.on),
            where=self.conditions(sql.where),
            group=tuple(self.col_unit(key) for key in sql.group),
            having=self.conditions(sql.having),
            order=sql.order and Order(sql.order.direction, tuple(map(self.val_unit, sql.order.units))),
            intersect=sql.intersect and self.branch(sql.intersect),
            union=sql.union and self.branch(sql.union),
            except_=sql.except_ and self.branch(sql.except_),
        )

    def nested(self, sql: Sql) -> Sql:
        """A subquery: officially left as it is."""
        if Repair.SUBQUERY not in self.repairs:
            return sql
        return _Columns(self.schema, self.repairs, {**self.classes, **classes(sql, self.schema, self.repairs)}).sql(sql)

    def branch(self, sql: Sql) -> Sql:
        """A set-operation branch: officially renamed by the outer query's FROM, not by its own."""
        if Repair.SUBQUERY not in self.repairs:
            return self.sql(sql)
        return _Columns(self.schema, self.repairs, classes(sql, self.schema, self.repairs)).sql(sql)

    def conditions(self, conds: Conds) -> Conds:
        return tuple(self.condition(c) if i % 2 == 0 and isinstance(c, Cond) else c for i, c in enumerate(conds))

    def condition(self, cond: Cond) -> Cond:
        return cond._replace(unit=self.val_unit(cond.unit), low=self.value(cond.low), high=self.value(cond.high))

    def value(self, value: Value) -> Value:
        if isinstance(value, Sql):
            return self.nested(value)
        return self.col_unit(value) if isinstance(value, ColUnit) else value

    def val_unit(self, unit: ValUnit) -> ValUnit:
        return ValUnit(unit.operator, unit.left and self.col_unit(unit.left), unit.right and self.col_unit(unit.right))

    def col_unit(self, unit: ColUnit) -> ColUnit:
        return ColUnit(unit.aggregate, self.classes.get(unit.column, unit.column), None)
