"""Diagnostics of reading ThingTalk, DLC22x. Each docstring is what `dlc explain CODE` prints."""

from ...grammar.diagnostic import Diagnostic
from ...grammar.span import Span


class Misread(Exception):
    """What a reader meets deep in a program, and the number of the token it is at (-1: somewhere in the item)."""

    def __init__(self, diagnostic: Diagnostic, at: int = -1) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic
        self.at = at


def no_thingtalk(message: str, span: Span) -> Diagnostic:
    """DLC223: text that is no ThingTalk.

    What it means: what stands here cannot follow what comes before, in the syntax the text was read as; or the
    text is nested more deeply than any program needs to be.

    How to fix it: compare with the message; say which syntax it is in, normal or tokenized.
    """
    return Diagnostic("DLC223", message, span)


def outside(what: str, span: Span | None = None) -> Diagnostic:
    """DLC225: ThingTalk that DL does not cover.

    What it means: streams, monitors, timers, policies, and class or data set definitions inside a program are
    read and recognized; they say when something should happen, not what a user means in a turn, and DL has
    nothing for them.

    How to fix it: nothing is wrong with the program; it cannot be converted. `dlc canon`, `equiv` and `diff` take it all
    the same: what they do not know keeps its ThingTalk, all around it is brought to form.
    """
    return Diagnostic("DLC225", f"{what} is outside DL", span)


def unknown_function(name: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC226: a class or function the schema does not have.

    What it means: no table or action of the schema goes by this ThingTalk name.

    How to fix it: load the right schema with --schema.
    """
    from ...grammar.diagnostic import nearest

    close = nearest(name, known)
    return Diagnostic(
        "DLC226", f"{name} is not in the schema", span, help=tuple(f"did you mean {c}?" for c in close[:1])
    )


def unknown_parameter(name: str, owner: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC227: a parameter its function does not have.

    What it means: the query or action has no input or output of this ThingTalk name.

    How to fix it: compare with the names listed.
    """
    listed = (f"{owner} has: {', '.join(sorted(known))}",) if known else ()
    return Diagnostic("DLC227", f"{owner} has no parameter {name}", span, help=listed)


def no_constant(name: str, span: Span | None = None) -> Diagnostic:
    """DLC228: a result that is no constant.

    What it means: `#[results=[...]]` lists what a query found, and the value of this field is a parameter or a computation.

    How to fix it: write the value itself.
    """
    return Diagnostic("DLC228", f"the result `{name}` is no constant", span)
