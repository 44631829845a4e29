"""A condition in its normal form (`canon.filters`).

Sound always: the form holds in the same rows, missing values included; what is right for required fields
only happens for fields the schema says are required.
"""

from ...compiler.terms import App, Term
from ..context import Context, Rule

CONNECTIVES = frozenset(("and", "or", "not"))
CONDITIONS = CONNECTIVES | frozenset(
    (
        *("=", "!=", "<", "<=", ">", ">=", "in", "not_in", "between", "not_between"),
        *("~", "!~", "like", "not_like", "starts_with", "ends_with", "any_match"),
        *("is_any", "is_none", "is_missing", "is_not_missing"),
    )
)


def apply(term: App, context: Context) -> Term | None:
    """The normal form of a whole condition; never called on a part of one."""
    form = context.condition(term, context.scope)
    return None if form == term else form


RULE = Rule("filters", CONDITIONS, "always; field by field as the schema says whether it may be missing", apply)
