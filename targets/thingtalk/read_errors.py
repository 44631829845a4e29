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

    How to fix it: it cannot be converted. Whether anything is wrong with the program is said beside. `dlc canon`, `equiv` and `diff` take it all
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


def undeclared(name: str, known: list[str], span: Span | None = None) -> Diagnostic:
    """DLC264: a call of something the program does not declare.

    What it means: `name()` calls a function of the program, or what a `let` named. Functions may be called anywhere in
    the program, a `let` only after it.

    How to fix it: declare it, or move its `let` up; a function of a class is written `@class.name()`.
    """
    from ...grammar.diagnostic import nearest

    close = nearest(name, known)
    listed = tuple(f"did you mean {c}?" for c in close[:1])
    return Diagnostic("DLC264", f"{name} is neither a function nor a `let` of the program", span, help=listed)


def misplaced(what: str, span: Span | None = None) -> Diagnostic:
    """DLC265: a stream, query or action where there must be another.

    What it means: a stream stands first in a statement or nowhere; an action stands last; queries alone can be monitored,
    sorted, counted and joined. A function of the program returns once, and has no stream beside an action.

    How to fix it: make statements of their own of the parts.
    """
    return Diagnostic("DLC265", what, span)


def no_such_value(what: str, span: Span | None = None) -> Diagnostic:
    """DLC266: a value that is nothing where it stands.

    What it means: a place or time nobody has (`$location` knows current_location, home and work, `$time` morning and
    evening), the start or end of what is no span of time, a field of something without fields, or a result before
    anything was done.

    How to fix it: compare with the message.
    """
    return Diagnostic("DLC266", what, span)


def not_constant(what: str, span: Span | None = None) -> Diagnostic:
    """DLC267: something computed, or passed on, where a constant must stand.

    What it means: parameters of an act are constants or names of fields; the attributes of a device are constants or
    parameters of the function around.

    How to fix it: write the value itself.
    """
    return Diagnostic("DLC267", f"{what} is no constant", span)


def no_type(name: str, span: Span | None = None) -> Diagnostic:
    """DLC268: a type that there is not.

    What it means: a parameter is declared with a name that is none of ThingTalk's types.

    How to fix it: entity types are written `Entity(class:name)`, choices `Enum(a, b)`.
    """
    return Diagnostic("DLC268", f"there is no type {name}", span)


def declared_twice(name: str, how: str = "declared", span: Span | None = None) -> Diagnostic:
    """DLC269: a name declared twice, or given twice.

    What it means: the program has a function or `let` of this name already, or the call this parameter.

    How to fix it: rename or remove one of them.
    """
    return Diagnostic("DLC269", f"{name} is {how} twice", span)


def not_monitored(what: str, span: Span | None = None) -> Diagnostic:
    """DLC270: a `monitor` of what does not change.

    What it means: the class says which queries can be monitored (`monitorable query`), and only results change: what a
    query is given stays. A chain can be monitored if all of it can, a join if a part of it can.

    How to fix it: monitor another query, or run this one at certain times (`timer`, `attimer`).
    """
    return Diagnostic("DLC270", f"{what} cannot be monitored", span)
