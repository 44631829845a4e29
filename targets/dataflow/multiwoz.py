"""MultiWOZ as dataflow: the published recipe, from states and texts to programs.

A turn's program says how its state differs from the one before: `find` for a domain that becomes active,
`ReviseConstraint` for one that is, `abandon` for one that loses all it had, `refer` for a value that nobody mentions
in the turn and that the salience model finds by itself. Source: section 6 of the dataflow paper and its conversion
script, `multiwoz/create_programs.py`, whose options keep their names here. Executing the programs in order restores
the states, because a reference is written only where it already resolves to the right value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from .program import EMPTY, Arg, Call, Expr, Tagged, positional, string
from .salience import NoSalience, Salience, VanillaSalience

DOMAINS: Final = frozenset({"hotel", "train", "restaurant", "attraction", "taxi"})
"""The domains of the published experiments, kept unless `keep_all_domains`."""

SLOTS: Final[Mapping[str, tuple[str, ...]]] = {
    "attraction": ("area", "name", "type"),
    "hotel": (
        *("area", "book-day", "book-people", "book-stay", "internet"),
        *("name", "parking", "pricerange", "stars", "type"),
    ),
    "restaurant": ("area", "book-day", "book-people", "book-time", "food", "name", "pricerange"),
    "taxi": ("arriveby", "departure", "destination", "leaveat"),
    "train": ("arriveby", "book-people", "day", "departure", "destination", "leaveat"),
    "bus": ("day", "departure", "destination", "leaveat"),
    "hospital": ("department",),
}
"""Slots of each domain, for `fill_none` and for accuracy by slot."""

_EARLY_TIME: Final = re.compile(r"0\d:\d")
_BLANK: Final = re.compile(r"\s+")


class Turn(Protocol):
    """A user turn with normalized texts: the system's words before it, the user's, the state after it.

    `belief` maps full slot names ("hotel-book day" or "hotel-book-day") to values.
    """

    @property
    def system(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def belief(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Options:
    """The published script's flags; all off is the paper's setting."""

    no_refer: bool = False
    no_revise: bool = False
    keep_all_domains: bool = False
    remove_none: bool = False
    fill_none: bool = False
    avoid_empty_plan: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """One slot's difference. `kind` is added, changed, deleted or repeated; `value` is None if deleted."""

    kind: str
    slot: str
    value: str | None


@dataclass(slots=True)
class _History:
    """What the recipe remembers between the turns of a dialogue."""

    belief: dict[str, str]
    changes: list[_Change]
    live: dict[str, set[str]]
    """Slots in force, by domain. A domain with an entry in `found` but nothing here is forgotten."""
    found: set[str]
    trace: dict[str, list[str | None]]


def dataflow_programs(
    turns: Iterable[Turn], options: Options | None = None, salience: Salience | None = None
) -> list[Expr]:
    """One program for each turn of a dialogue, `()` where nothing changes.

    `salience` decides what a reference would resolve to; default is the published model, none with `no_refer`.
    """
    options = options or Options()
    if salience is None or options.no_refer:
        salience = NoSalience() if options.no_refer else VanillaSalience()
    history = _History({}, [], {}, set(), {})
    return [_program(turn, options, salience, history) for turn in turns]


def flat_belief(belief: Mapping[str, str], options: Options) -> dict[str, str]:
    """A state under the slot names that programs use, cut down as the options say."""
    kept = {
        _BLANK.sub("-", slot): value
        for slot, value in belief.items()
        if (options.keep_all_domains or slot.split("-", 1)[0] in DOMAINS)
        and not (options.remove_none and value == "none")
    }
    if options.fill_none:
        for domain in sorted({slot.split("-", 1)[0] for slot in kept}):
            for name in SLOTS.get(domain, ()):
                kept.setdefault(f"{domain}-{name}", "none")
    return kept


def mentioned(value: str, text: str) -> bool:
    """Whether a text says a value, as whole words; "1" may be said as "one" or "single", "09:15" as "9:15"."""
    if _has_words(value, text):
        return True
    if value == "1":
        return _has_words("single", text) or _has_words("one", text)
    if value == "guest house":
        return _has_words("guesthouse", text)
    return _EARLY_TIME.match(value) is not None and _has_words(value[1:], text)


def _has_words(phrase: str, text: str) -> bool:
    """`\\bphrase\\b` occurs in the text."""
    if not phrase:
        return any(_is_word(char) for char in text)
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        before = at > 0 and _is_word(text[at - 1])
        after = end < len(text) and _is_word(text[end])
        if before != _is_word(phrase[0]) and after != _is_word(phrase[-1]):
            return True
        at = text.find(phrase, at + 1)
    return False


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _program(turn: Turn, options: Options, salience: Salience, history: _History) -> Expr:
    """The turn's program; brings `history` up to date."""
    belief = flat_belief(turn.belief, options)
    before = {} if options.no_revise else history.belief
    if options.avoid_empty_plan and belief and belief == before:
        changes = [_Change("repeated" if c.kind == "added" else c.kind, c.slot, c.value) for c in history.changes]
    else:
        changes = _changes(before, belief, turn.user)
    _update_live(history.live, changes)

    by_domain: dict[str, list[_Change]] = {}
    for change in changes:
        by_domain.setdefault(change.slot.split("-", 1)[0], []).append(change)
    text = f"{turn.system.strip()} {turn.user.strip()}"
    written: list[tuple[str, str | None]] = []
    statements: list[Expr] = []
    for domain in sorted(by_domain):
        theirs = sorted(by_domain[domain], key=lambda change: change.slot)
        had = sum(slot.startswith(domain) for slot in before)
        if len(theirs) == had and all(change.value is None for change in theirs):
            statements.append(Call("abandon", positional(Call(_constraint(domain)))))
        else:
            args = []
            for change in theirs:
                name = change.slot.partition("-")[2]
                value = change.value
                args.append(Arg(name, _field(name, value, text, options, salience, history.trace)))
                written.append((name, value))
            is_new = domain not in history.found or options.no_revise
            statements.append(_statement(domain, tuple(args), is_new=is_new))
        history.found.add(domain)
    history.found = {domain for domain in history.found if history.live.get(domain)}
    for name, value in written:
        history.trace.setdefault(name, []).append(value)
    history.belief, history.changes = belief, changes
    if not statements:
        return EMPTY
    return statements[0] if len(statements) == 1 else Call("do", positional(*statements))


def _changes(before: Mapping[str, str], after: Mapping[str, str], user: str) -> list[_Change]:
    changes = []
    for slot in sorted(before.keys() | after.keys()):
        if slot not in before:
            changes.append(_Change("added", slot, after[slot]))
        elif slot not in after:
            changes.append(_Change("deleted", slot, None))
        elif before[slot] != after[slot]:
            changes.append(_Change("changed", slot, after[slot]))
        elif after[slot] != "yes" and mentioned(after[slot].lower(), user):
            changes.append(_Change("repeated", slot, after[slot]))
    return changes


def _update_live(live: dict[str, set[str]], changes: list[_Change]) -> None:
    for change in changes:
        domain = change.slot.split("-", 1)[0]
        if change.kind == "deleted":
            live.get(domain, set()).discard(change.slot)
        elif change.kind == "added":
            live.setdefault(domain, set()).add(change.slot)


def _field(
    name: str, value: str | None, text: str, options: Options, salience: Salience, trace: Mapping[str, list[str | None]]
) -> Expr:
    if value is None:
        return Call("EmptyConstraint")
    if not options.no_revise and not mentioned(value.lower(), text) and salience.salient(name, trace) == value:
        return Call("refer", positional(Call(_constraint(name))))
    return Call("?=", positional(string(value)))


def _statement(domain: str, fields: tuple[Arg, ...], *, is_new: bool) -> Expr:
    constraint = Call(_constraint(domain), fields)
    if is_new:
        return Call("find", positional(constraint))
    return Call(
        "ReviseConstraint",
        (
            Arg("new", constraint),
            Arg("oldLocation", Call(f"Constraint[{_constraint(domain)}]")),
            Arg("rootLocation", Call("roleConstraint", positional(Tagged("Path", ('"output"',))))),
        ),
    )


def _constraint(of: str) -> str:
    return f"Constraint[{of.capitalize()}]"
