"""Syntax diagnostics, DLC0xx. Each docstring is what `dlc explain CODE` prints."""

from .diagnostic import Diagnostic
from .span import Span

MAX_NESTING = 100


def unexpected_character(char: str, span: Span) -> Diagnostic:
    """DLC001: a character that starts no token.

    What it means: the text holds a character DL has no use for at this place, such as a single quote
    or a currency sign.

    How to fix it: text goes between double quotes ("north"), a name that is not an identifier between
    back quotes (`guest house`).
    """
    hints = {"'": 'text goes between double quotes: "…"', "#": "comments start with --", "&": "write `and`"}
    return Diagnostic("DLC001", f"unexpected character {char!r}", span, help=(hints[char],) if char in hints else ())


def unterminated(what: str, span: Span) -> Diagnostic:
    """DLC002: a string or back-quoted name without its end.

    What it means: the line ends before the closing quote. Strings do not run over line ends; write \\n.

    How to fix it: close the quote, or escape a quote inside the text with a backslash.
    """
    return Diagnostic("DLC002", f"{what} is not closed on its line", span, help=("close the quote",))


def unexpected_token(found: str, expected: list[str], span: Span, help: tuple[str, ...] = ()) -> Diagnostic:
    """DLC003: a token that cannot stand here.

    What it means: everything before this place is a good beginning of a program, and nothing that
    starts with this token continues it. The message groups what could have come instead.

    How to fix it: compare with the list; a missing `;` after a statement and a missing `:` after the
    acts of a turn are the usual reasons.
    """
    wanted = ", ".join(expected[:-1]) + (" or " if len(expected) > 1 else "") + expected[-1] if expected else "nothing"
    return Diagnostic("DLC003", f"unexpected {found}; expected {wanted}", span, help=help)


def unexpected_end(expected: list[str], span: Span) -> Diagnostic:
    """DLC004: the text ends in the middle of a program.

    What it means: what is there is a good beginning; something must follow.

    How to fix it: finish the statement (they end with `;`) or close the open bracket.
    """
    wanted = ", ".join(expected)
    return Diagnostic("DLC004", f"the text ends here; expected {wanted}", span)


def too_deep(span: Span) -> Diagnostic:
    """DLC005: brackets or operators nested too deeply.

    What it means: DL bounds nesting so that hostile input cannot exhaust the machine. No program in the
    corpora dlc was built on comes near the bound.

    How to fix it: name intermediate results with `let`.
    """
    return Diagnostic("DLC005", f"nesting is deeper than {MAX_NESTING} levels", span, help=("use `let`",))
