"""Diagnostics of reading ThingTalk, DLC22x. Each docstring is what `dlc explain CODE` prints."""

from ...grammar.diagnostic import Diagnostic
from ...grammar.span import Span


def bad_character(char: str, span: Span) -> Diagnostic:
    """DLC221: a character that starts no ThingTalk token.

    What it means: the text is not in the syntax it was read as.

    How to fix it: say which syntax it is in, normal or tokenized.
    """
    return Diagnostic("DLC221", f"unexpected character {char!r}", span)


def open_string(span: Span) -> Diagnostic:
    """DLC222: a string without its end.

    What it means: in the tokenized syntax a string is a `"`, words, and another `"`; the second is missing.

    How to fix it: the program may have been cut off.
    """
    return Diagnostic("DLC222", "this string has no end", span)


def unexpected(found: str, expected: str, span: Span) -> Diagnostic:
    """DLC223: ThingTalk text that is no program.

    What it means: what stands here cannot follow what comes before.

    How to fix it: compare with what is expected.
    """
    return Diagnostic("DLC223", f"unexpected {found or 'end of the text'}; expected {expected}", span)


def too_deep(limit: int, span: Span) -> Diagnostic:
    """DLC224: a program nested too deeply.

    What it means: nesting is bounded, so that hostile input cannot exhaust the machine.

    How to fix it: no program of the corpora comes near the bound.
    """
    return Diagnostic("DLC224", f"nesting is deeper than {limit} levels", span)


def outside(what: str, span: Span) -> Diagnostic:
    """DLC225: ThingTalk that DL does not cover.

    What it means: streams, monitors, timers, policies, and class or data set definitions inside a program are
    read and recognized; they say when something should happen, not what a user means in a turn, and DL has
    nothing for them.

    How to fix it: nothing is wrong with the program; it cannot be converted.
    """
    return Diagnostic("DLC225", f"{what} is outside DL", span)


def unknown_function(name: str, known: list[str], span: Span) -> Diagnostic:
    """DLC226: a class or function the schema does not have.

    What it means: no table or action of the schema goes by this ThingTalk name.

    How to fix it: load the right schema with --schema.
    """
    from ...grammar.diagnostic import nearest

    close = nearest(name, known)
    return Diagnostic(
        "DLC226", f"{name} is not in the schema", span, help=tuple(f"did you mean {c}?" for c in close[:1])
    )


def unknown_parameter(name: str, owner: str, known: list[str], span: Span) -> Diagnostic:
    """DLC227: a parameter its function does not have.

    What it means: the query or action has no input or output of this ThingTalk name.

    How to fix it: compare with the names listed.
    """
    listed = (f"{owner} has: {', '.join(sorted(known))}",) if known else ()
    return Diagnostic("DLC227", f"{owner} has no parameter {name}", span, help=listed)
