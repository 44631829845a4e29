"""SQL text to clauses, by the grammar of the official evaluator of Spider, SParC and CoSQL.

The published figures depend on what this grammar reads and on how it misreads: aliases are global, `limit` forgets its
number, connectives are flat, what follows the query is ignored. All of that is kept, because a query that
does not parse counts as an empty one. Source: taoyds/test-suite-sql-eval, `process_sql.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from .errors import SqlParseError
from .sql_repairs import NO_REPAIRS, Repair
from .sql_schema import SqlSchema
from .sql_tokens import tokenize

AGGREGATES: Final = ("none", "max", "min", "count", "sum", "avg")
OPERATORS: Final = ("not", "between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists")
ARITHMETIC: Final = ("none", "-", "+", "*", "/")
CLAUSES: Final = frozenset(("select", "from", "where", "group", "order", "limit", "intersect", "union", "except"))
JOINS: Final = frozenset(("join", "on", "as"))
CLOSERS: Final = frozenset((")", ";"))
SET_OPERATIONS: Final = ("intersect", "union", "except")
MAX_DEPTH: Final = 60
"""Deepest nesting of SELECTs read; the published scripts fail at some depth too (the interpreter's stack)."""


class ColUnit(NamedTuple):
    """A column, maybe under an aggregate. `distinct` is None once distinctness is disregarded."""

    aggregate: int
    column: str
    distinct: bool | None


class ValUnit(NamedTuple):
    """One column, or two joined by an arithmetic operator (0: none)."""

    operator: int
    left: ColUnit | None
    right: ColUnit | None


class Cond(NamedTuple):
    """`unit [not] operator low [and high]`."""

    negated: bool
    operator: int
    unit: ValUnit
    low: "Value"
    high: "Value"


class Item(NamedTuple):
    """One item of SELECT; the aggregate stands outside the unit."""

    aggregate: int
    unit: ValUnit


class Order(NamedTuple):
    """ORDER BY. `direction`: one for the whole clause, or one a key when directions are kept apart."""

    direction: str | tuple[str, ...]
    units: tuple[ValUnit, ...]


@dataclass(frozen=True, slots=True)
class Sql:
    """One SELECT with what is attached to it. Conditions are flat: conditions at even places, connectives at odd."""

    distinct: bool | None
    select: tuple[Item, ...]
    tables: tuple["str | Sql", ...]
    on: "Conds"
    where: "Conds"
    group: tuple[ColUnit, ...]
    having: "Conds"
    order: Order | None
    limit: bool
    intersect: "Sql | None"
    union: "Sql | None"
    except_: "Sql | None"


Value = float | str | ColUnit | Sql | None
Conds = tuple[Cond | str, ...]
EMPTY: Final = Sql(False, (), (), (), (), (), (), None, False, None, None, None)
"""What a prediction that does not parse is compared as."""


def parse_sql(query: str, schema: SqlSchema, repairs: frozenset[Repair] = NO_REPAIRS) -> Sql:
    """`query` as clauses over `schema`. Raises `SqlParseError` if the official grammar does not read it."""
    tokens = tokenize(query)
    parser = _Parser(schema, repairs, _aliases(tokens, schema))
    position, sql = parser.query(tokens, 0, 0, {})
    if Repair.TRAILING in repairs and position < len(tokens):
        raise SqlParseError(f"unread text from {tokens[position]!r} on")
    return sql


def _aliases(tokens: Sequence[str], schema: SqlSchema) -> dict[str, str]:
    """What stands after an `as` names what stands before it, anywhere in the query; tables name themselves."""
    aliases: dict[str, str] = {}
    for i, token in enumerate(tokens):
        if token == "as":
            aliases[_at(tokens, i + 1)] = tokens[i - 1]
    for table in schema.columns:
        if table in aliases:
            raise SqlParseError(f"alias {table!r} is the name of a table")
        aliases[table] = table
    return aliases


def _at(tokens: Sequence[str], position: int) -> str:
    if position >= len(tokens):
        raise SqlParseError("the query ends too early")
    return tokens[position]


def _expect(tokens: Sequence[str], position: int, token: str) -> int:
    if _at(tokens, position) != token:
        raise SqlParseError(f"expected {token!r}, found {tokens[position]!r}")
    return position + 1


def _opened(tokens: Sequence[str], position: int) -> tuple[bool, int]:
    block = _at(tokens, position) == "("
    return block, position + block


@dataclass(frozen=True, slots=True)
class _Parser:
    """Reads from a position and returns the next one with what was read. `scope`: tables that bare columns may be of,
    in order, by the name their alias resolves to."""

    schema: SqlSchema
    repairs: frozenset[Repair]
    aliases: Mapping[str, str]

    def query(self, tokens: Sequence[str], position: int, depth: int, outer: Mapping[str, str]) -> tuple[int, Sql]:
        if depth > MAX_DEPTH:
            raise SqlParseError(f"more than {MAX_DEPTH} nested queries")
        block, start = _opened(tokens, position)
        local = self
        if Repair.ALIAS_SCOPE in self.repairs:
            local = _Parser(self.schema, self.repairs, {**self.aliases, **outer, **self._own_aliases(tokens, start)})
        return local._clauses(tokens, position, start, block, depth)

    def _own_aliases(self, tokens: Sequence[str], start: int) -> dict[str, str]:
        """Tables, and the aliases given in the FROM of the SELECT that starts here, not in a nested one."""
        found = {table: table for table in self.schema.columns}
        level, in_from = 0, False
        for i in range(start, len(tokens)):
            level += (tokens[i] == "(") - (tokens[i] == ")")
            if level < 0 or (in_from and not level and tokens[i] in CLAUSES):
                break
            in_from |= not level and tokens[i] == "from"
            if in_from and not level and tokens[i] == "as":
                found[_at(tokens, i + 1)] = tokens[i - 1]
        return found

    def _clauses(self, tokens: Sequence[str], position: int, start: int, block: bool, depth: int) -> tuple[int, Sql]:
        at, tables, on, scope = self._from(tokens, position, depth)
        distinct, select = self._select(tokens, start, scope)
        at, where = self._conditions_after("where", tokens, at, scope, depth)
        at, group = self._group(tokens, at, scope)
        at, having = self._conditions_after("having", tokens, at, scope, depth)
        at, order = self._order(tokens, at, scope)
        limit = at < len(tokens) and tokens[at] == "limit"
        if limit:
            _at(tokens, at + 1)
            at += 2
        at = _skip_semicolons(tokens, at)
        if block:
            at = _expect(tokens, at, ")")
        at = _skip_semicolons(tokens, at)
        branches: dict[str, Sql | None] = dict.fromkeys(SET_OPERATIONS)
        if at < len(tokens) and tokens[at] in SET_OPERATIONS:
            operation = tokens[at]
            at, branches[operation] = self.query(tokens, at + 1, depth + 1, {})
        sides = (branches["intersect"], branches["union"], branches["except"])
        return at, Sql(distinct, select, tables, on, where, group, having, order, limit, *sides)

    def _from(
        self, tokens: Sequence[str], position: int, depth: int
    ) -> tuple[int, tuple[str | Sql, ...], Conds, list[str]]:
        try:
            at = tokens.index("from", position) + 1
        except ValueError:
            raise SqlParseError("no FROM") from None
        tables: list[str | Sql] = []
        on: list[Cond | str] = []
        scope: list[str] = []
        while at < len(tokens):
            block, at = _opened(tokens, at)
            if _at(tokens, at) == "select":
                at, nested = self.query(tokens, at, depth + 1, {})
                tables.append(nested)
            else:
                at += tokens[at] == "join"
                at, table = self._table(tokens, at)
                tables.append(self.schema.identifiers[table])
                scope.append(table)
            if at < len(tokens) and tokens[at] == "on":
                at, conds = self._conditions(tokens, at + 1, scope, depth)
                on += ["and", *conds] if on else conds
            if block:
                at = _expect(tokens, at, ")")
            if at < len(tokens) and (tokens[at] in CLAUSES or tokens[at] in CLOSERS):
                break
        return at, tuple(tables), tuple(on), scope

    def _table(self, tokens: Sequence[str], at: int) -> tuple[int, str]:
        table = self.aliases.get(_at(tokens, at))
        if table is None or table not in self.schema.identifiers:
            raise SqlParseError(f"unknown table {tokens[at]!r}")
        aliased = at + 1 < len(tokens) and tokens[at + 1] == "as"
        return at + (3 if aliased else 1), table

    def _select(self, tokens: Sequence[str], at: int, scope: list[str]) -> tuple[bool, tuple[Item, ...]]:
        at = _expect(tokens, at, "select")
        distinct = at < len(tokens) and tokens[at] == "distinct"
        at += distinct
        items: list[Item] = []
        while at < len(tokens) and tokens[at] not in CLAUSES:
            aggregate = 0
            if tokens[at] in AGGREGATES:
                aggregate = AGGREGATES.index(tokens[at])
                at += 1
            at, unit = self._val_unit(tokens, at, scope)
            items.append(Item(aggregate, unit))
            at += at < len(tokens) and tokens[at] == ","
        return distinct, tuple(items)

    def _group(self, tokens: Sequence[str], at: int, scope: list[str]) -> tuple[int, tuple[ColUnit, ...]]:
        keys: list[ColUnit] = []
        if at >= len(tokens) or tokens[at] != "group":
            return at, ()
        at = _expect(tokens, at + 1, "by")
        while at < len(tokens) and tokens[at] not in CLAUSES and tokens[at] not in CLOSERS:
            at, key = self._col_unit(tokens, at, scope)
            keys.append(key)
            if at >= len(tokens) or tokens[at] != ",":
                break
            at += 1
        return at, tuple(keys)

    def _order(self, tokens: Sequence[str], at: int, scope: list[str]) -> tuple[int, Order | None]:
        if at >= len(tokens) or tokens[at] != "order":
            return at, None
        at = _expect(tokens, at + 1, "by")
        units: list[ValUnit] = []
        directions: list[str] = []
        last = "asc"
        while at < len(tokens) and tokens[at] not in CLAUSES and tokens[at] not in CLOSERS:
            at, unit = self._val_unit(tokens, at, scope)
            units.append(unit)
            directions.append("asc")
            if at < len(tokens) and tokens[at] in ("asc", "desc"):
                directions[-1] = last = tokens[at]
                at += 1
            if at >= len(tokens) or tokens[at] != ",":
                break
            at += 1
        return at, Order(tuple(directions) if Repair.ORDER_DIRECTION in self.repairs else last, tuple(units))

    def _conditions_after(
        self, keyword: str, tokens: Sequence[str], at: int, scope: list[str], depth: int
    ) -> tuple[int, Conds]:
        if at >= len(tokens) or tokens[at] != keyword:
            return at, ()
        at, conds = self._conditions(tokens, at + 1, scope, depth)
        return at, tuple(conds)

    def _conditions(self, tokens: Sequence[str], at: int, scope: list[str], depth: int) -> tuple[int, list[Cond | str]]:
        conds: list[Cond | str] = []
        while at < len(tokens):
            at, unit = self._val_unit(tokens, at, scope)
            negated = _at(tokens, at) == "not"
            at += negated
            if _at(tokens, at) not in OPERATORS:
                raise SqlParseError(f"expected a comparison, found {tokens[at]!r}")
            operator = OPERATORS.index(tokens[at])
            at, low = self._value(tokens, at + 1, scope, depth)
            high: Value = None
            if OPERATORS[operator] == "between":
                at, high = self._value(tokens, _expect(tokens, at, "and"), scope, depth)
            conds.append(Cond(negated, operator, unit, low, high))
            if at < len(tokens) and (tokens[at] in CLAUSES or tokens[at] in CLOSERS or tokens[at] in JOINS):
                break
            if at < len(tokens) and tokens[at] in ("and", "or"):
                conds.append(tokens[at])
                at += 1
        return at, conds

    def _value(self, tokens: Sequence[str], at: int, scope: list[str], depth: int) -> tuple[int, Value]:
        start = at
        block, at = _opened(tokens, at)
        value: Value
        if _at(tokens, at) == "select":
            at, value = self.query(tokens, at, depth + 1, self.aliases)
        elif '"' in tokens[at]:
            at, value = at + 1, tokens[at]
        else:
            try:
                at, value = at + 1, float(tokens[at])
            except ValueError:
                end = at
                # `or` is no delimiter here, so what follows it is swallowed: an official reading, kept.
                while end < len(tokens) and tokens[end] not in CLAUSES | JOINS and tokens[end] not in (",", ")", "and"):
                    end += 1
                if Repair.OPERAND in self.repairs and "or" in tokens[at:end]:
                    end = tokens.index("or", at)
                _, value = self._col_unit(tokens[start:end], 0, scope)
                at = end
        return (_expect(tokens, at, ")") if block else at), value

    def _val_unit(self, tokens: Sequence[str], at: int, scope: list[str]) -> tuple[int, ValUnit]:
        block, at = _opened(tokens, at)
        at, left = self._col_unit(tokens, at, scope)
        operator, right = 0, None
        if at < len(tokens) and tokens[at] in ARITHMETIC:
            operator = ARITHMETIC.index(tokens[at])
            at, right = self._col_unit(tokens, at + 1, scope)
        return (_expect(tokens, at, ")") if block else at), ValUnit(operator, left, right)

    def _col_unit(self, tokens: Sequence[str], at: int, scope: list[str]) -> tuple[int, ColUnit]:
        block, at = _opened(tokens, at)
        aggregate = 0
        if _at(tokens, at) in AGGREGATES:
            aggregate = AGGREGATES.index(tokens[at])
            at = _expect(tokens, at + 1, "(")
            # Of `(max(a))` only the inner parenthesis is closed here: an official reading, kept.
            block = True
        distinct = _at(tokens, at) == "distinct"
        at += distinct
        column = self._column(_at(tokens, at), scope)
        at += 1
        return (_expect(tokens, at, ")") if block else at), ColUnit(aggregate, column, distinct)

    def _column(self, token: str, scope: list[str]) -> str:
        if token == "*":
            return self.schema.identifiers[token]
        name: str | None = None
        if "." in token:
            alias, _, column = token.partition(".")
            if alias in self.aliases and "." not in column:
                name = f"{self.aliases[alias]}.{column}"
        else:
            name = next((f"{table}.{token}" for table in scope if token in self.schema.columns.get(table, ())), None)
        if name is None or name not in self.schema.identifiers:
            raise SqlParseError(f"unknown column {token!r}")
        return self.schema.identifiers[name]


def _skip_semicolons(tokens: Sequence[str], at: int) -> int:
    while at < len(tokens) and tokens[at] == ";":
        at += 1
    return at
