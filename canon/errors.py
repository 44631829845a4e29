"""Lints about filters, DLC1xx. Each docstring is what `dlc explain CODE` prints."""

from ..grammar.diagnostic import Diagnostic
from ..grammar.span import Span


def nothing_matches(parts: list[str], span: Span | None = None) -> Diagnostic:
    """DLC127: a filter that no row can meet (a lint).

    What it means: the conditions named exclude each other, or one of them holds for no value of its type:
    `.stars >= 5 and .stars <= 2`, `.area = north and .area = south`. The query gives nothing on any data. A
    missing value meets no comparison, so it does not help.

    How to fix it: look for a bound the wrong way round, or an `and` that should be an `or`.
    """
    shown = " and ".join(f"`{part}`" for part in parts)
    return Diagnostic("DLC127", f"no row can meet {shown}", span, severity="warning")


def everything_matches(part: str, span: Span | None = None) -> Diagnostic:
    """DLC128: a condition that every row meets (a lint).

    What it means: the condition holds whatever the values are, missing ones included: `.stars >= 3 or
    .stars < 5` on a required field. It filters nothing. On an optional field the same condition still drops
    the rows that have no value, and is not reported.

    How to fix it: leave it out, or look for an `or` that should be an `and`.
    """
    return Diagnostic("DLC128", f"every row meets `{part}`", span, severity="warning")
