"""A soft match spelled out: `position_of(lower(x), lower("tea")) > 0`, as SQL has to say it, is `x ~ "tea"`.

Sound always: both are false for a missing value, and both look for the text without regard to case.
"""

from ...compiler.terms import App, Lit, Term
from ...compiler.types import Con
from ..context import Context, Rule

_FOUND = frozenset(((">", "0"), (">=", "1"), ("!=", "0")))


def apply(term: App, context: Context) -> Term | None:
    """Turn a position that is only asked for being there into a match."""
    match term.args:
        case (App("position_of", (App("lower", (value,)), sought)), Lit("number" | "int", count)):
            if (term.fn, count) not in _FOUND:
                return None
        case _:
            return None
    match sought:
        case App("lower", (Lit("text") as pattern,)):
            pass
        case Lit("text", said) as pattern if said.isascii() and said == said.lower():
            pass
        case _:
            return None
    if isinstance(value, App) and value.fn == "text_of":
        (value,) = value.args
        known = context.scope.fact(value).type
        if known is None or not (known == Con("Text") or context.scope.schema.is_entity(known)):
            return None
    return App("~", (value, pattern))


RULE = Rule(
    "matches", frozenset((">", ">=", "!=")), "the text is only asked whether it occurs, without regard to case", apply
)
