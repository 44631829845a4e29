"""Exact set match without values, its ten parts, and query hardness, as the official evaluator computes them.

`exact_set_match` is the published metric, defects included; `exact_set_match_repaired` is the same comparison with
every repair of `sql_repairs` on. Source: taoyds/test-suite-sql-eval, `evaluation.py`.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from .errors import GoldError, MetricError
from .sql_normalize import equated, normalize, partition
from .sql_parse import EMPTY, OPERATORS, Cond, Conds, Sql, parse_sql
from .sql_repairs import ALL_REPAIRS, NO_REPAIRS, Repair
from .sql_schema import SqlSchema
from .sql_tokens import tokenize

PARTS: Final = (
    "select",
    "select(no AGG)",
    "where",
    "where(no OP)",
    "group(no Having)",
    "group",
    "order",
    "and/or",
    "IUEN",
    "keywords",
)
_LIKE, _IN = OPERATORS.index("like"), OPERATORS.index("in")


@dataclass(frozen=True, slots=True)
class Part:
    """Items of one part of gold and prediction, and how many agree."""

    gold: int
    predicted: int
    agreed: int

    @property
    def right(self) -> bool:
        """The official score of a part is all or nothing."""
        return self.gold == self.predicted == self.agreed


@dataclass(frozen=True, slots=True)
class Verdict:
    """One comparison. `parts` by the names of `PARTS`; `error` says why the prediction was taken as empty, if it was."""

    exact: bool
    parts: dict[str, Part]
    error: str | None = None


def exact_set_match(gold: str, pred: str, schema: SqlSchema) -> bool:
    """The official verdict on one pair of queries, values disregarded. Raises `GoldError` if gold does not parse."""
    return compare(gold, pred, schema).exact


def exact_set_match_repaired(gold: str, pred: str, schema: SqlSchema) -> bool:
    """The same with every documented defect repaired: not the published metric, and never to be reported as it."""
    return compare(gold, pred, schema, ALL_REPAIRS).exact


def compare(gold: str, pred: str, schema: SqlSchema, repairs: frozenset[Repair] = NO_REPAIRS) -> Verdict:
    """Verdict and parts of one pair. A prediction that does not parse is compared as an empty query.

    Raises `GoldError` if gold does not parse.
    """
    try:
        reference = normalize(raw := parse_sql(gold, schema, repairs), schema, repairs)
    except MetricError as error:
        raise GoldError(f"{error} in gold query: {gold[:200]}") from error
    problem: str | None = None
    try:
        parsed = parse_sql(_plug_placeholder(pred, repairs), schema, repairs)
        if Repair.JOIN_CONDITION in repairs and Counter(raw.tables) == Counter(parsed.tables):
            reference = normalize(replace(raw, on=raw.on or parsed.on), schema, repairs)
            parsed = replace(parsed, on=parsed.on or raw.on)
        answer = normalize(parsed, schema, repairs)
    except MetricError as error:
        answer, problem = EMPTY, str(error)
    parts = compare_parts(reference, answer, repairs)
    return Verdict(_exact(reference, answer, parts, repairs), parts, problem)


def repair_causes(gold: str, pred: str, schema: SqlSchema) -> tuple[Repair, ...]:
    """Why official and repaired verdict differ: the repairs that alone turn the official verdict, in order.

    Where they differ but no single repair is enough: the repairs without which the repaired verdict would turn back.
    Empty where they agree.
    """
    official = compare(gold, pred, schema).exact
    if compare(gold, pred, schema, ALL_REPAIRS).exact == official:
        return ()
    alone = tuple(r for r in Repair if compare(gold, pred, schema, frozenset({r})).exact != official)
    return alone or tuple(r for r in Repair if compare(gold, pred, schema, ALL_REPAIRS - {r}).exact == official)


def compare_parts(gold: Sql, pred: Sql, repairs: frozenset[Repair] = NO_REPAIRS) -> dict[str, Part]:
    """The ten parts of two normalized queries."""
    return {
        "select": _bags(gold.select, pred.select),
        "select(no AGG)": _bags([item.unit for item in gold.select], [item.unit for item in pred.select]),
        "where": _bags(gold.where[::2], pred.where[::2]),
        "where(no OP)": _bags([_unit(c) for c in gold.where[::2]], [_unit(c) for c in pred.where[::2]]),
        "group(no Having)": _bags(_keys(gold, repairs), _keys(pred, repairs)),
        "group": _group(gold, pred, repairs),
        "order": Part(
            gold.order is not None,
            pred.order is not None,
            gold.order is not None and gold.order == pred.order and gold.limit == pred.limit,
        ),
        "and/or": _connectives(gold.where, pred.where, repairs),
        "IUEN": _branches(gold, pred, repairs),
        "keywords": _bags(keywords(gold), keywords(pred)),
    }


def keywords(sql: Sql) -> set[str]:
    """The keywords a query counts as using."""
    conds = (*sql.on[::2], *sql.where[::2], *sql.having[::2])
    connectives = (*sql.on[1::2], *sql.where[1::2], *sql.having[1::2])
    directions = () if sql.order is None else sql.order.direction
    found = {directions} if isinstance(directions, str) else set(directions)
    present = {
        "where": bool(sql.where),
        "group": bool(sql.group),
        "having": bool(sql.having),
        "order": sql.order is not None,
        "limit": sql.limit,
        "except": sql.except_ is not None,
        "union": sql.union is not None,
        "intersect": sql.intersect is not None,
        "or": "or" in connectives,
        "not": any(cond[0] for cond in conds),
        "in": any(cond[1] == _IN for cond in conds),
        "like": any(cond[1] == _LIKE for cond in conds),
    }
    return found | {word for word, there in present.items() if there}


def hardness(sql: Sql) -> str:
    """`easy`, `medium`, `hard` or `extra`, from a parsed query before normalization."""
    conds = [c for c in (*sql.on[::2], *sql.where[::2], *sql.having[::2]) if isinstance(c, Cond)]
    connectives = (*sql.on[1::2], *sql.where[1::2], *sql.having[1::2])
    clauses = bool(sql.where) + bool(sql.group) + (sql.order is not None) + sql.limit + max(len(sql.tables) - 1, 0)
    clauses += connectives.count("or") + sum(cond.operator == _LIKE for cond in conds)
    nested = sum(isinstance(value, Sql) for cond in conds for value in (cond.low, cond.high))
    nested += sum(branch is not None for branch in (sql.intersect, sql.union, sql.except_))
    others = (_aggregates(sql) > 1) + (len(sql.select) > 1) + (len(sql.where) > 1) + (len(sql.group) > 1)
    if clauses <= 1 and not others and not nested:
        return "easy"
    if not nested and ((others <= 2 and clauses <= 1) or (clauses <= 2 and others < 2)):
        return "medium"
    if not nested and ((others > 2 and clauses <= 2) or (2 < clauses <= 3 and others <= 2)):
        return "hard"
    return "hard" if clauses <= 1 and not others and nested <= 1 else "extra"


def _aggregates(sql: Sql) -> int:
    """The official count of aggregates, which also takes a NOT in WHERE, and every connective of HAVING, for one."""
    units = [] if sql.order is None else sql.order.units
    return (
        sum(item.aggregate != 0 for item in sql.select)
        + sum(isinstance(cond, str) or cond.negated for cond in sql.where[::2])
        + sum(key.aggregate != 0 for key in sql.group)
        + sum(col.aggregate != 0 for unit in units for col in (unit.left, unit.right) if col is not None)
        + sum(isinstance(cond, str) or cond.negated for cond in sql.having)
    )


def _plug_placeholder(pred: str, repairs: frozenset[Repair]) -> str:
    """Systems write `value` for a constant; the evaluator replaces the letters wherever they stand."""
    if Repair.VALUE_WORD not in repairs:
        return pred.replace("value", "1")
    return " ".join("1" if token == "value" else token for token in tokenize(pred))


def _exact(gold: Sql, pred: Sql, parts: dict[str, Part], repairs: frozenset[Repair]) -> bool:
    if not all(part.right for part in parts.values()):
        return False
    if Repair.JOIN_CONDITION in repairs and not _same_joins(gold, pred):
        return False
    return not gold.tables or Counter(gold.tables) == Counter(pred.tables)


def _same_joins(gold: Sql, pred: Sql) -> bool:
    """Where every join of both sides has its condition: the same columns equated, directly or not, and the rest alike."""
    if any(len(sql.on[::2]) < max(len(sql.tables) - 1, 1) for sql in (gold, pred)):
        return True
    sides = [(partition(pairs := equated(s.on)), len(s.on[::2]) == len(pairs), s.on) for s in (gold, pred)]
    if sides[0][1] and sides[1][1] and "or" not in (*gold.on, *pred.on):
        return sides[0][0] == sides[1][0]
    return Counter(gold.on) == Counter(pred.on)


def _bags(gold: Iterable[Hashable], pred: Iterable[Hashable]) -> Part:
    left, right = Counter(gold), Counter(pred)
    return Part(left.total(), right.total(), (left & right).total())


def _unit(cond: Cond | str) -> Hashable:
    """The third field, of whatever stands where a condition should: connectives slip when an AND is missing."""
    return cond[2]


def _keys(sql: Sql, repairs: frozenset[Repair]) -> list[str]:
    columns = [key.column for key in sql.group]
    return columns if Repair.GROUP_TABLE in repairs else [c.split(".")[1] if "." in c else c for c in columns]


def _group(gold: Sql, pred: Sql, repairs: frozenset[Repair]) -> Part:
    left, right = ([key.column for key in sql.group] for sql in (gold, pred))
    if Repair.GROUP_TABLE in repairs:
        left, right = sorted(left), sorted(right)
    having = gold.having == pred.having
    if Repair.PRECEDENCE in repairs:
        having = _alternatives(gold.having) == _alternatives(pred.having)
    return Part(bool(left), bool(right), bool(left) and left == right and having)


def _connectives(gold: Conds, pred: Conds, repairs: frozenset[Repair]) -> Part:
    if Repair.PRECEDENCE in repairs:
        same = _alternatives(gold) == _alternatives(pred)
        return Part(1, 1, same)
    left, right = set(gold[1::2]), set(pred[1::2])
    return Part(1, 1, 1) if left == right else Part(len(left), len(right), 0)


def _alternatives(conds: Conds) -> Counter[Hashable]:
    """Flat conditions as a bag of alternatives, each a bag of what holds together: AND binds tighter."""
    groups: list[Counter[Hashable]] = [Counter()]
    for i, cond in enumerate(conds):
        if i % 2 == 0:
            groups[-1][cond] += 1
        elif cond == "or":
            groups.append(Counter())
    return Counter(frozenset(group.items()) for group in groups)


def _branches(gold: Sql, pred: Sql, repairs: frozenset[Repair]) -> Part:
    pairs = ((gold.intersect, pred.intersect), (gold.except_, pred.except_), (gold.union, pred.union))
    agreed = sum(
        _exact(left, right, compare_parts(left, right, repairs), repairs)
        for left, right in pairs
        if left is not None and right is not None
    )
    return Part(sum(left is not None for left, _ in pairs), sum(right is not None for _, right in pairs), agreed)
