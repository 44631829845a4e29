"""Arithmetic on literals is done, and a literal is written one way.

Sound where the result is certain: no division by zero, no time of day past midnight, no month lengths.
"""

from ...compiler.terms import App, Lit, Term
from ..constants import compute, negated
from ..context import Context, Rule


def apply(term: App, context: Context) -> Term | None:
    """`1 + 2` is `3`, `18:00 - 1h` is `17:00`, `-(5)` is `-5`."""
    if term.named or term.targs:
        return None
    if term.fn == "negate_number" and len(term.args) == 1:
        return negated(term.args[0]) if isinstance(term.args[0], Lit) else None
    if len(term.args) == 2:
        return compute(term.fn, term.args[0], term.args[1])
    return None


RULE = Rule(
    "constants",
    frozenset(("+", "-", "*", "/", "%", "negate_number")),
    "the operation is defined on the values and a literal has the result",
    apply,
)
