"""What the ThingTalk writer has to say about a turn. Docstrings are what `dlc explain CODE` prints."""

from ..rows import Note


def no_value(part: str, what: str) -> Note:
    """DLC271: a value that ThingTalk cannot write where it stands.

    What it means: a raw value of an enum, number or time; a mark (`any`, `none`) as an argument; a placeholder
    in normal syntax; a computation ThingTalk lacks. The comparison or argument is left out, the rest kept.

    How to fix it: correct the annotation, so that the value has its type.
    """
    return Note("DLC271", f"ThingTalk cannot write {what} for {part}; left out", loss=True, part=part)


def marked_none(part: str) -> Note:
    """DLC272: `none`, which ThingTalk does not have.

    What it means: the annotator wrote that there is no value. ThingTalk has absence (no filter) and don't-care
    (`true(field)`), and neither means this. The filter or argument is left out.

    How to fix it: nothing to fix; decide for one of the two in the annotation if it should be kept.
    """
    return Note("DLC272", f"ThingTalk has no `none`; {part} is left out", loss=True, part=part)


def no_counterpart(part: str) -> Note:
    """DLC273: a domain, field or argument that the ThingTalk classes do not have.

    What it means: the schema says `@thingtalk no`, or the name is not in the schema. It is left out.

    How to fix it: give it a ThingTalk name in the schema, if the classes in use have one.
    """
    return Note("DLC273", f"ThingTalk has no counterpart of {part}; left out", loss=True, part=part)


def no_construct(part: str, what: str) -> Note:
    """DLC274: a construct that ThingTalk does not have.

    What it means: grouping, set operations, outer joins, references, patterns and the like have no ThingTalk
    form. That part is left out, or the nearest form written; the rest is kept.

    How to fix it: convert to a target that has the construct.
    """
    return Note("DLC274", f"ThingTalk cannot say {what}", loss=True, part=part)


def approximated(part: str, what: str) -> Note:
    """DLC275: a comparison whose ThingTalk form differs where a value is missing.

    What it means: `!=` and `not in` are false on a missing value, ThingTalk's `!(...)` is true on it, and the
    field is declared optional.

    How to fix it: nothing to fix; if every row has the field, declare it without `?`.
    """
    return Note("DLC275", f"`{what}` on {part} differs in ThingTalk where the value is missing", loss=True, part=part)


def nothing_said() -> Note:
    """DLC276: a turn of which ThingTalk can say nothing (rejected).

    What it means: no statement of the turn is a query or an action of the schema, so there is no program.

    How to fix it: convert to a target that has the constructs, or load the schema the turn was written for.
    """
    return Note("DLC276", "no statement of this turn is a query or action of the schema", loss=True)


def any_of_many(part: str, what: str) -> Note:
    """DLC277: a comparison with the single value of a query, which ThingTalk compares with any value of it.

    What it means: `(query)` as a value is the one value the query gives; ThingTalk's `any(...)` holds if the
    comparison holds for some of its rows. They agree only if there is one row at most, and that is not certain.

    How to fix it: write `in (query)` if any value will do; else make it one value (`whole`, `take 1`).
    """
    return Note("DLC277", f"`{what}` on {part} holds in ThingTalk for any row of the query", loss=True, part=part)
