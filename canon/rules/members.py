"""Membership in a query that gives one value at most is equality with that value.

Sound always for `in`: of an empty query nothing is a member, and nothing equals a missing value. Not for
`not in`, which holds of an empty query.
"""

from ...compiler.terms import App, Term
from ..context import Context, Rule
from ..relations import gives_one


def apply(term: App, context: Context) -> Term | None:
    """`x in (T | whole | show max(.y))` is `x = (T | whole | show max(.y))`."""
    if len(term.args) != 2 or not gives_one(term.args[1]):
        return None
    return App("=", (term.args[0], App("the", (term.args[1],))))


RULE = Rule("members", frozenset(("in",)), "the query has one row at most", apply)
