"""`dlc eval slots` over states of services: the SGD evaluation by frames, and the variants over turns."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlc.compiler.types import Con
from dlc.grammar.diagnostic import CompileError, Diagnostic
from dlc.metrics import slots_sgd
from dlc.metrics.slots import VARIANTS, mean
from dlc.metrics.slots_sgd import Frame, ScoredFrame, Service, ServiceScore, score_services
from dlc.targets.slots.services import services_of

from . import errors
from .eval_figures import Cell, Figures, Measure, Section, by_turn
from .eval_programs import Programs
from .eval_rows import Pairs, Row
from .eval_states import an_object, turn_figures

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

_FRAMES = ("joint goal", "average goal", "active intent", "requested F1")


def services_figures(
    pairs: Pairs, variant: str, inventory: Collection[str] | None, schema: "Schema", programs: Programs
) -> Figures:
    """The script's figures over frames and by service, the variants of `metrics.slots` over turns, or both (`all`).

    Raises CompileError for rows that are no states of services, and for gold about a service or slot the schema lacks.
    """
    services = _services(schema)
    found: list[Diagnostic] = []
    gold, predicted = [], []
    for dialogue in pairs:
        sides = programs.sides(dialogue)
        gold.append([_gold(row, state, services, found) for row, state, _, _ in sides])
        predicted.append([_frames(row, state, found) for _, _, row, state in sides])
    found += programs.found
    if found:
        raise CompileError(*found)
    sections: list[Section] = []
    measures: list[Measure] = []
    framed = tuple(slots_sgd.VARIANTS) if variant == "all" else (variant,) if variant in slots_sgd.VARIANTS else ()
    if framed:
        scores = [score_services(gold, predicted, services, name) for name in framed]
        sections += _by_frame(scores)
        measures += [measure for score in scores for measure in _measures(score)]
    turned = tuple(VARIANTS) if variant == "all" else (variant,) if variant in VARIANTS else ()
    if turned:
        slots = inventory or [f"{name}-{slot}".lower() for name, one in services.items() for slot in one.slots]
        flat = [[[_flat(turn) for turn in turns] for turns in side] for side in (gold, predicted)]
        section, more = turn_figures(flat[0], flat[1], turned, slots)
        sections.append(section)
        measures += more
    return Figures(sections, measures, programs.told)


def _services(schema: "Schema") -> dict[str, Service]:
    """The slots of each service. A slot is categorical if its values are listed: a closed enum, or Bool."""
    made: dict[str, Service] = {}
    for name, service in services_of(schema).services.items():
        closed = [
            slot
            for slot, place in service.all.slots.items()
            if isinstance(place.type, Con)
            and (
                place.type.name == "Bool" or (place.type.name in schema.enum and not schema.enum[place.type.name].open)
            )
        ]
        made[name] = Service(tuple(service.all.slots), frozenset(closed))
    return made


def _gold(row: Row, state: Any, services: Mapping[str, Service], found: list[Diagnostic]) -> dict[str, Frame]:
    frames = _frames(row, state, found)
    for name, frame in frames.items():
        if name not in services:
            found.append(errors.unusable_gold(row.place, f"the schema has no service `{name}`"))
            continue
        for slot in (*frame.slots, *frame.requested):
            if slot not in services[name].slots:
                found.append(errors.unusable_gold(row.place, f"the schema has no slot `{name}.{slot}`"))
    return frames


def _frames(row: Row, state: Any, found: list[Diagnostic]) -> dict[str, Frame]:
    """What a state says of each service: {service: {"slots": {slot: [values]}, "intent": name, "requested": [slots]}}."""
    frames: dict[str, Frame] = {}
    try:
        for service, said in an_object(state).items():
            parts = an_object(said)
            odd = next((part for part in parts if part not in ("slots", "intent", "requested")), None)
            if odd is not None:
                raise TypeError(odd)
            slots = {slot: _texts(values, slot) for slot, values in an_object(parts.get("slots", {})).items()}
            intent = parts.get("intent", slots_sgd.NO_FRAME.intent)
            if not isinstance(intent, str):
                raise TypeError("intent")
            frames[service] = Frame(slots, intent, _texts(parts.get("requested", []), "requested"))
    except TypeError as error:
        shape = "{service: {slots: {slot: [values]}, intent: name, requested: [slots]}}"
        found.append(errors.bad_row(row.place, f"`program` is no state of services: {shape} (at {error})"))
    return frames


def _texts(value: Any, name: str) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError(name)
    return value


def _flat(frames: Mapping[str, Frame]) -> dict[str, str]:
    """A state by slots, the ways to say one value separated as MultiWOZ separates them."""
    return {
        f"{service}-{slot}".lower(): "|".join(values)
        for service, frame in frames.items()
        for slot, values in frame.slots.items()
    }


def _by_frame(scores: Sequence[ServiceScore]) -> list[Section]:
    first = scores[0]
    frames = [frame for row in first.frames for frame in row]
    rows: list[tuple[Cell, ...]] = []
    for score in scores:
        joint = [value for row in score.joint for value in row]
        _, *others = _figures([frame for row in score.frames for frame in row])
        rows.append((score.variant.name, mean(joint), *others))
    title = f"slots of services: {len(first.dialogues)} dialogues, {len(frames)} frames"
    by_service: list[tuple[Cell, ...]] = []
    for name in sorted({frame.service for frame in frames}):
        own = [frame for frame in frames if frame.service == name]
        by_service.append((name, len(own), *_figures(own)))
    return [
        Section(title, ("variant", *_FRAMES), tuple(rows)),
        Section(f"by service ({first.variant.name})", ("service", "frames", *_FRAMES), tuple(by_service)),
    ]


def _figures(frames: Sequence[ScoredFrame]) -> tuple[Cell, ...]:
    goal = slots_sgd.score_frames([frame.goal for frame in frames])
    return goal.joint, goal.average, mean([f.intent for f in frames]), mean([f.requested_f1 for f in frames])


def _measures(score: ServiceScore) -> list[Measure]:
    name = score.variant.name
    average = [[f.goal.average for f in row if f.goal.average is not None] for row in score.frames]
    exact = not score.variant.fuzzy
    return [
        by_turn(f"{name}: joint goal", score.joint, right_or_wrong=exact),
        by_turn(f"{name}: average goal", average, right_or_wrong=False),
        by_turn(f"{name}: active intent", [[f.intent for f in row] for row in score.frames]),
        by_turn(f"{name}: requested F1", [[f.requested_f1 for f in row] for row in score.frames], right_or_wrong=False),
    ]
