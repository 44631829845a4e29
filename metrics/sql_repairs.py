"""The named repairs of exact set match: what the official metric gets wrong, each switchable on its own.

The official metric is the published one and stays the default everywhere. A repair changes one documented behaviour;
`ALL_REPAIRS` together are the repaired variant. Some are reported in the tracker of taoyds/test-suite-sql-eval (issue 7).
"""

from enum import StrEnum
from typing import Final


class Repair(StrEnum):
    """One repair. Values are the names that reports print."""

    ALIAS_SCOPE = "alias-scope"
    """A SELECT's own aliases come first, then the enclosing ones; officially the last `as` anywhere in the query wins."""
    TRAILING = "trailing"
    """Text after the query is a syntax error; officially it is ignored."""
    VALUE_WORD = "value-word"
    """Only the whole word `value` in a prediction is a placeholder; officially the letters are replaced inside names too."""
    OPERAND = "operand"
    """A column on the right of a comparison counts; officially every right-hand side but a subquery is dropped."""
    SUBQUERY = "subquery"
    """Subqueries and set-operation branches are normalized like the outer query, by their own FROM."""
    FOREIGN_KEY = "foreign-key"
    """Columns are one only if this query's joins equate them; officially every foreign key of the tables in FROM counts."""
    JOIN_CONDITION = "join-condition"
    """Where both sides spell out their joins, they must equate the same columns, and a side that spells none borrows the
    other's; officially ON is never compared."""
    PRECEDENCE = "precedence"
    """AND binds tighter than OR; officially conditions and connectives are compared as two loose sets."""
    GROUP_TABLE = "group-table"
    """GROUP BY keys are compared with their table and without order; officially by bare name, and in order."""
    ORDER_DIRECTION = "order-direction"
    """Every ORDER BY key has its own direction; officially the last one read holds for all."""


NO_REPAIRS: Final[frozenset[Repair]] = frozenset()
ALL_REPAIRS: Final[frozenset[Repair]] = frozenset(Repair)
