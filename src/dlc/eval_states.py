"""`dlc eval slots`: metrics over states."""

import json
import os
from collections.abc import Collection, Mapping
from typing import Any, Final

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place
from dlc.metrics.slots import VARIANTS, score_slots

from . import errors
from .errors import InputFailure
from .eval_figures import Section
from .eval_rows import Pairs, Row

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


def slots_figures(pairs: Pairs, variant: str, inventory: Collection[str]) -> list[Section]:
    """Joint goal accuracy and its relatives. variant: a name of `metrics.slots.VARIANTS`, or `all`.

    Raises CompileError for a gold row that is no state; a prediction that is none counts as the empty state.
    """
    found: list[Diagnostic] = []
    gold, predicted = [], []
    for dialogue in pairs:
        gold.append([_gold_state(row, found) for row, _ in dialogue])
        predicted.append([_predicted_state(row, found) for _, row in dialogue])
    if found:
        raise CompileError(*found)
    scores = [score_slots(gold, predicted, name, inventory) for name in (VARIANTS if variant == "all" else (variant,))]
    columns = ("variant", "joint goal", "slot accuracy", "joint F1", "dialogue", "prefix length")
    rows = tuple(
        (s.variant, s.joint_goal_accuracy, s.slot_accuracy, s.joint_f1, s.dialogue_accuracy, s.mean_prefix)
        for s in scores
    )
    turns = sum(map(len, pairs))
    return [Section(f"slots: {len(pairs)} dialogues, {turns} turns, {len(inventory)} slots", columns, rows)]


def _gold_state(row: Row, found: list[Diagnostic]) -> dict[str, str]:
    if row.program is None:
        found.append(errors.unusable_gold(row.place, "it has no state"))
        return {}
    return _state(row, found)


def _predicted_state(row: Row, found: list[Diagnostic]) -> dict[str, str]:
    return {} if row.program is None else _state(row, found)


def _state(row: Row, found: list[Diagnostic]) -> dict[str, str]:
    """A state by lower-cased slot names: of `convert`'s layout, or flat (`{"hotel-area": "north"}`)."""
    flat: dict[str, str] = {}
    try:
        for domain, parts in _object(row.program).items():
            if isinstance(parts, str):
                flat[domain.lower()] = parts
                continue
            for part, slots in _object(parts).items():
                if part not in ("semi", "book"):
                    raise TypeError(part)
                # What was booked is no slot: trackers do not predict it.
                for slot, value in _object(slots).items():
                    if part == "book" and slot == "booked":
                        continue
                    if not isinstance(value, str):
                        raise TypeError(slot)
                    flat[f"{domain}-{'book ' if part == 'book' else ''}{slot}".lower()] = value
    except TypeError as error:
        why = f"`program` is no slot state: {{domain: {{semi: {{slot: value}}, book: {{…}}}}}} (at {error})"
        found.append(errors.bad_row(row.place, why))
    return flat


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(type(value).__name__)
    return value


def read_inventory(path: str | None) -> Collection[str]:
    """Slot names of a file: a JSON array or object of them, or one a line; TRADE's thirty for None.

    Raises InputFailure.
    """
    if path is None:
        return TRADE_SLOTS
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
