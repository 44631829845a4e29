"""MultiWOZ's slots under the names that later layouts give them: `hotel-bookday`, `train-leaveat`, `book stay`.

The rule is one: letters and digits of part and slot in lower case, `semi` left out. So no table of names is needed, and
a slot that a schema declares is known in every layout.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

from .layout import Domain, Layout, Target

_SIGNS = re.compile(r"[^a-z0-9]+")

Names: TypeAlias = Mapping[str, tuple[str, str]]


def plain(slot: str) -> str:
    """A slot's name without signs, in lower case."""
    return _SIGNS.sub("", slot.lower())


def plain_slot(part: str, slot: str) -> str:
    """`bookday` for `book`, `day`; `leaveat` for `semi`, `leaveAt`."""
    return plain(slot if part == "semi" else f"{part}{slot}")


def own_names(layout: Layout) -> Mapping[str, Names]:
    """By domain and plain name: part and slot as MultiWOZ 2.1 has them."""
    return {
        name: {plain_slot(*key.split(".", 1)): (key.partition(".")[0], key.partition(".")[2]) for key in domain.slots}
        for name, domain in layout.domains.items()
    }


def requested_field(domain: Domain, slot: str) -> Target | None:
    """What a requested slot asks for: a column of the table, else an argument or a result of the action."""
    wanted = plain(slot)
    found = [t for key, t in domain.slots.items() if plain_slot(*key.split(".", 1)) == wanted]
    results = domain.action.columns if domain.action is not None else ()
    for column in results:
        booked = next((name for name, known in domain.booked.items() if known is column), "")
        if wanted in (plain(column.name), plain(booked)) and domain.action is not None:
            found.append(Target("action", domain.action.name, column.name, column.type, result=True))
    return found[0] if found else None


def requested_name(domain: Domain, owner: str, field: str) -> str | None:
    """The plain name under which a field is requested: the inverse of `requested_field`."""
    for key, target in domain.slots.items():
        if (target.owner, target.name) == (owner, field):
            return plain_slot(*key.split(".", 1))
    if (
        domain.action is not None
        and owner == domain.action.name
        and any(c.name == field for c in domain.action.columns)
    ):
        return plain(field)
    return None
