"""What the slots reader and writer have to say about a turn. Docstrings are what `dlc explain CODE` prints."""

from ...grammar.diagnostic import Diagnostic, nearest
from ..rows import Note


def unknown_slot(part: str, known: list[str]) -> Note:
    """DLC301: a domain or slot that the schema does not have.

    What it means: the state holds a value under a name that no `@slot` fact of the schema mentions, so the
    program cannot say it. Everything else of the turn is kept.

    How to fix it: compare with the spelling suggested; declare the slot in the schema.
    """
    close = nearest(part, known, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return Note("DLC301", f"the schema has no slot {part}{hint}", loss=True, part=part)


def kept_raw(part: str, value: str, type_: str) -> Note:
    """DLC302: a value kept exactly as it was annotated (a lint).

    What it means: no value of the slot's type prints as this text: a time as `5:45pm`, an unlisted member
    of a closed enum, several values joined by an unknown sign. It is written `raw "..."`, so that nothing
    is lost; nothing can be computed with it.

    How to fix it: correct the annotation, or normalize first (--normalize).
    """
    return Note("DLC302", f'{part} = "{value}" is no {type_} as written; kept raw', part=part)


def not_text(part: str, value: object) -> Note:
    """DLC303: a value that is no text where states have text.

    What it means: the state holds a number, list or null where a slot has a string. It is left out.

    How to fix it: annotate a string.
    """
    return Note("DLC303", f"{part} holds {type(value).__name__}, not text; left out", loss=True, part=part)


def malformed(what: str) -> Note:
    """DLC304: a turn or dialogue that does not have the layout of its corpus.

    What it means: `log` is missing or no list, or a turn is no object with `metadata`. The turn is rejected;
    the run goes on.

    How to fix it: compare with another dialogue of the file.
    """
    return Note("DLC304", what, loss=True)


def no_state() -> Note:
    """DLC305: a user turn without an annotated state.

    What it means: the state of a user turn is annotated with the system turn after it, and there is none.

    How to fix it: the dialogue is cut; restore the missing turn.
    """
    return Note("DLC305", "no system turn follows, so this turn has no annotated state", loss=True)


def unknown_act(name: str, known: list[str]) -> Note:
    """DLC306: a dialogue act that the schema does not declare (a lint).

    What it means: the act is kept under its own name; what follows from it is not known.

    How to fix it: declare it in the schema (`act user name @slot "..."`).
    """
    close = nearest(name, known, 1)
    return Note(
        "DLC306", f"the act {name} is not declared" + (f"; did you mean {close[0]}?" if close else ""), part=name
    )


def said_values(part: str) -> Note:
    """DLC307: a value that the agent says and no statement holds.

    What it means: an act of the agent says a value of a field that the schema does not have, or is about a booking
    while no domain is being talked about. The act and all other values are kept.

    How to fix it: declare the field in the schema (`@act`), and what the act says (`@says`).
    """
    return Note("DLC307", f"the values said by {part} are not kept", loss=True, part=part)


def no_sgd_schema(why: str) -> Diagnostic:
    """DLC308: a file that is no schema of SGD.

    What it means: a `schema.json` is a list of services, each with `service_name`, `slots` and `intents`; an intent
    names slots of its own service.

    How to fix it: compare with another service of the file.
    """
    return Diagnostic("DLC308", f"this is no SGD schema: {why}")


def span_outside(part: str, start: int, end: int, length: int) -> Note:
    """DLC309: an annotated span that is not inside its utterance (a lint).

    What it means: the source says that a slot's value stands at characters which the utterance does not have, as
    after an edit of the text. The span is left out; states do not depend on it.

    How to fix it: correct the span.
    """
    return Note("DLC309", f"the span of {part} is {start} to {end} of an utterance of {length}; left out", part=part)


def no_slot(part: str, what: str) -> Note:
    """DLC211: a part of a program that slot states cannot say.

    What it means: a slot state is a conjunction of slot values. Sorting, joins, aggregates, comparisons other
    than the slot's own, projections that no act of the turn asks for, and proposals have no place in it.
    Everything else of the turn is kept.

    How to fix it: convert to a target that has the construct.
    """
    return Note("DLC211", f"slots cannot say {what}", loss=True, part=part)


def said_twice(part: str) -> Note:
    """DLC212: two values for one slot.

    What it means: two statements or conjuncts of the turn give one slot different values; slots hold one.
    The last one is written.

    How to fix it: drop one of them.
    """
    return Note("DLC212", f"two values for {part}; the last one is written", loss=True, part=part)


def acts_elsewhere() -> Note:
    """DLC213: dialogue acts, which a slot state does not hold (a lint).

    What it means: acts annotate the utterance. A corpus keeps them beside its states, and so does a native
    layout; the slots themselves are complete.

    How to fix it: nothing to fix.
    """
    return Note("DLC213", "acts are not part of a slot state")
