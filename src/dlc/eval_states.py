"""`dlc eval slots`: metrics over states of domains, turn by turn. States of services go to `eval_services`."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.metrics.slots import VARIANTS, State, score_slots

from . import errors
from .errors import InputFailure
from .eval_figures import Figures, Measure, Section, by_dialogue, by_turn
from .eval_programs import Programs
from .eval_rows import Pairs, Row
from .schemas import Schemas

# The slots of MultiWOZ that TRADE and the trackers after it keep: a count of 30 that slot accuracy divides by.
_BOOKED: Final = {"hotel": ("day", "people", "stay"), "restaurant": ("day", "people", "time"), "train": ("people",)}
_ASKED: Final = {
    "attraction": ("area", "name", "type"),
    "hotel": ("area", "internet", "name", "parking", "pricerange", "stars", "type"),
    "restaurant": ("area", "food", "name", "pricerange"),
    "taxi": ("arriveby", "departure", "destination", "leaveat"),
    "train": ("arriveby", "day", "departure", "destination", "leaveat"),
}
TRADE_SLOTS: Final = frozenset(
    (
        *(f"{domain}-{slot}" for domain, slots in _ASKED.items() for slot in slots),
        *(f"{domain}-book {slot}" for domain, slots in _BOOKED.items() for slot in slots),
    )
)


_OF_SERVICES: Final = frozenset(("slots", "intent", "requested"))


def slots_figures(pairs: Pairs, variant: str | None, inventory: str | None, schema: str | None) -> Figures:
    """Joint goal accuracy and its relatives.

    variant: a name of `metrics.slots.VARIANTS` or, for states of services, of `metrics.slots_sgd.VARIANTS`; or `all`.
    inventory: a file of slot names. schema: what `--schema` says; states of services need it. A prediction that is null
    or cannot be read is the empty state. Raises CompileError for gold or predictions that are no states.
    """
    known = Schemas(schema).get(None, "multiwoz", "slots")
    programs = Programs(known if schema is not None else None)
    from dlc.targets.slots.services import has_services

    if has_services(known):
        from .eval_services import services_figures

        return services_figures(pairs, variant or "sgd", read_inventory(inventory), known, programs)
    if variant is not None and variant not in (*VARIANTS, "all"):
        raise CompileError(errors.no_services(known.name))
    found: list[Diagnostic] = []
    gold, predicted = [], []
    for dialogue in pairs:
        sides = programs.sides(dialogue)
        gold.append([_state(row, state, found) for row, state, _, _ in sides])
        predicted.append([_state(row, state, found) for _, _, row, state in sides])
    found += programs.found
    if found:
        raise CompileError(*found)
    slots = read_inventory(inventory) or TRADE_SLOTS
    names = tuple(VARIANTS) if variant == "all" else (variant or "trade",)
    section, measures = turn_figures(gold, predicted, names, slots)
    return Figures([section], measures, programs.told)


def turn_figures(
    gold: Sequence[Sequence[State]], predicted: Sequence[Sequence[State]], names: Sequence[str], slots: Collection[str]
) -> tuple[Section, list[Measure]]:
    """The figures of variants over turns, and their items."""
    scores = [score_slots(gold, predicted, name, slots) for name in names]
    columns = ("variant", "joint goal", "slot accuracy", "joint F1", "dialogue", "prefix length")
    rows = tuple(
        (s.variant, s.joint_goal_accuracy, s.slot_accuracy, s.joint_f1, s.dialogue_accuracy, s.mean_prefix)
        for s in scores
    )
    measures: list[Measure] = []
    for s in scores:
        joint = [[turn.joint for turn in dialogue] for dialogue in s.turns]
        accuracy = [[1 - turn.errors / len(slots) for turn in dialogue] for dialogue in s.turns]
        f1 = [[turn.f1 for turn in dialogue] for dialogue in s.turns]
        measures += [
            by_turn(f"{s.variant}: joint goal", joint),
            by_turn(f"{s.variant}: slot accuracy", accuracy, right_or_wrong=False),
            by_turn(f"{s.variant}: joint F1", f1, right_or_wrong=False),
            *by_dialogue(f"{s.variant}: joint goal", joint),
        ]
    turns = sum(map(len, gold))
    title = f"slots: {len(gold)} dialogues, {turns} turns, {len(slots)} slots"
    return Section(title, columns, rows), measures


def _state(row: Row, program: Any, found: list[Diagnostic]) -> dict[str, str]:
    """A state by lower-cased slot names: of `convert`'s layout, or flat (`{"hotel-area": "north"}`)."""
    flat: dict[str, str] = {}
    try:
        for domain, parts in an_object(program).items():
            if isinstance(parts, str):
                flat[domain.lower()] = parts
                continue
            for part, slots in an_object(parts).items():
                if part in _OF_SERVICES:
                    found.append(errors.no_services("multiwoz", row.place))
                    return {}
                if part not in ("semi", "book"):
                    raise TypeError(part)
                # What was booked is no slot: trackers do not predict it.
                for slot, value in an_object(slots).items():
                    if part == "book" and slot == "booked":
                        continue
                    if not isinstance(value, str):
                        raise TypeError(slot)
                    flat[f"{domain}-{'book ' if part == 'book' else ''}{slot}".lower()] = value
    except TypeError as error:
        why = f"`program` is no slot state: {{domain: {{semi: {{slot: value}}, book: {{…}}}}}} (at {error})"
        found.append(errors.bad_row(row.place, why))
    return flat


def an_object(value: Any) -> Mapping[str, Any]:
    """A JSON object as it is. Raises TypeError, naming what it is instead."""
    if not isinstance(value, dict):
        raise TypeError(type(value).__name__)
    return value


def read_inventory(path: str | None) -> Collection[str] | None:
    """Slot names of a file: a JSON array or object of them, or one a line; None for no file.

    Raises InputFailure.
    """
    if path is None:
        return None
    if os.path.isdir(path):
        raise InputFailure(errors.no_such_file(path, "this is a folder"))
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise InputFailure(errors.no_such_file(path, error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        raise InputFailure(errors.not_unicode(Place(path), f"at byte {error.start + 1}")) from error
    names: Any
    try:
        names = json.loads(text) if text.lstrip()[:1] in ("[", "{") else text.split("\n")
    except json.JSONDecodeError as error:
        place = Place(path, line=error.lineno)
        raise InputFailure(errors.bad_json(place, error.msg, error.lineno, error.colno)) from error
    except RecursionError:
        raise InputFailure(errors.nested_too_deeply(Place(path))) from None
    if not all(isinstance(name, str) for name in names):
        raise InputFailure(errors.unknown_layout(Place(path), "an inventory is a list of slot names"))
    slots = frozenset(name.strip().lower() for name in names if name.strip())
    if not slots:
        raise InputFailure(errors.empty_input(path))
    return slots
