"""Whether a dialogue in SGD's layout has the form its release documents; the first fault in words if not.

Every turn is judged by itself, so that a damaged one costs no other. What a schema decides (services, slots, intents)
is judged with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..rows import Mention
from .services import NO_INTENT, Service, Services

# Slots that acts name beside those of the service.
_SPECIAL = frozenset(("", "intent", "count"))
_KINDS = {str: "text", list: "a list", dict: "an object", int: "a number"}


class Fault(Exception):
    """Raised inside the reader with the words of its diagnostic; always caught there."""


@dataclass(frozen=True, slots=True)
class State:
    """What a frame says of its service: the intent, requested slots, and the values of each slot in order."""

    intent: str
    requested: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One act: name, slot ("" if it has none), values as said, values as the service knows them."""

    act: str
    slot: str
    values: tuple[str, ...]
    canonical: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a service and what it gave: arguments, and one record a result."""

    method: str
    arguments: tuple[tuple[str, str], ...]
    results: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One service's part of a turn, checked. A user's frame has a state, an agent's may have a call."""

    service: str
    acts: tuple[Said, ...]
    state: State | None
    call: Call | None


@dataclass(frozen=True, slots=True)
class Checked:
    """One turn, checked."""

    speaker: str
    utterance: str
    frames: tuple[Frame, ...]
    spans: tuple[Mention, ...]


def checked_turn(turn: Any, services: Services, position: int) -> Checked:
    """A turn of SGD. position: its index, even for the user. Raises Fault."""
    turn = _of(dict, turn, "the turn")
    speaker = _member(str, turn, "speaker", "")
    if speaker not in ("USER", "SYSTEM"):
        raise Fault(f"`speaker` is {_shown(speaker)}, neither USER nor SYSTEM")
    if (speaker == "USER") != (position % 2 == 0):
        raise Fault(f"turn {position} is spoken by {speaker}; speakers take turns, the user first")
    utterance = _member(str, turn, "utterance", "")
    frames: list[Frame] = []
    spans: list[Mention] = []
    for i, value in enumerate(_member(list, turn, "frames", "")):
        path = f"frames[{i}]"
        frame = _frame(_of(dict, value, path), path, speaker, services)
        if any(frame.service == other.service for other in frames):
            raise Fault(f"{path}: a second frame of {frame.service}")
        frames.append(frame)
        spans.extend(_spans(value, path, frame.service, services, utterance))
    if not frames and speaker == "USER":
        raise Fault("`frames` is empty: the turn has no state")
    return Checked(speaker, utterance, tuple(frames), tuple(spans))


def _frame(frame: dict[str, Any], path: str, speaker: str, services: Services) -> Frame:
    name = _member(str, frame, "service", path)
    service = services.services.get(name)
    if service is None:
        raise Fault(f"{path}.service: the schema has no service {_shown(name)}")
    acts = tuple(_acts(_member(list, frame, "actions", path), f"{path}.actions", service))
    if speaker == "SYSTEM":
        if "state" in frame:
            raise Fault(f"{path}.state: a turn of the system has no state")
        return Frame(name, acts, None, _call(frame, path, service))
    return Frame(name, acts, _state(_member(dict, frame, "state", path), f"{path}.state", service), None)


def _acts(actions: list[Any], path: str, service: Service) -> Iterator[Said]:
    for i, value in enumerate(actions):
        here = f"{path}[{i}]"
        action = _of(dict, value, here)
        slot = _member(str, action, "slot", here)
        if slot not in _SPECIAL:
            _known(slot, service, f"{here}.slot")
        said = _texts(_member(list, action, "values", here), f"{here}.values")
        canonical = _texts(_of(list, action.get("canonical_values", []), f"{here}.canonical_values"), here)
        yield Said(_member(str, action, "act", here), slot, said, canonical)


def _state(state: dict[str, Any], path: str, service: Service) -> State:
    intent = _member(str, state, "active_intent", path)
    if intent != NO_INTENT and intent not in service.intents:
        raise Fault(f"{path}.active_intent: {service.name} has no intent {_shown(intent)}")
    requested = _texts(_member(list, state, "requested_slots", path), f"{path}.requested_slots")
    for slot in requested:
        _known(slot, service, f"{path}.requested_slots")
    values: list[tuple[str, tuple[str, ...]]] = []
    for slot, listed in _member(dict, state, "slot_values", path).items():
        where = f"{path}.slot_values.{_bare(slot)}"
        _known(slot, service, f"{path}.slot_values")
        texts = _texts(_of(list, listed, where), where)
        if not texts:
            raise Fault(f"{where} lists no value")
        values.append((slot, texts))
    return State(intent, requested, tuple(values))


def _call(frame: dict[str, Any], path: str, service: Service) -> Call | None:
    if "service_call" not in frame:
        if "service_results" in frame:
            raise Fault(f"{path}.service_results: results without a `service_call`")
        return None
    call = _member(dict, frame, "service_call", path)
    method = _member(str, call, "method", f"{path}.service_call")
    if method not in service.intents:
        raise Fault(f"{path}.service_call.method: {service.name} has no intent {_shown(method)}")
    given = _record(_member(dict, call, "parameters", f"{path}.service_call"), f"{path}.service_call", service)
    listed = _member(list, frame, "service_results", path)
    results = tuple(
        _record(_of(dict, item, f"{path}.service_results[{i}]"), f"{path}.service_results[{i}]", service)
        for i, item in enumerate(listed)
    )
    return Call(method, given, results)


def _record(record: dict[str, Any], path: str, service: Service) -> tuple[tuple[str, str], ...]:
    for slot, value in record.items():
        _known(slot, service, path)
        _of(str, value, f"{path}.{_bare(slot)}")
    return tuple(record.items())


def _spans(frame: dict[str, Any], path: str, service: str, services: Services, utterance: str) -> Iterator[Mention]:
    for i, value in enumerate(_member(list, frame, "slots", path)):
        here = f"{path}.slots[{i}]"
        span = _of(dict, value, here)
        slot = _member(str, span, "slot", here)
        _known(slot, services.services[service], f"{here}.slot")
        if "copy_from" in span and "start" not in span:
            # MultiWOZ 2.2: a value taken over from another slot, which stands nowhere in the utterance.
            continue
        start, end = _member(int, span, "start", here), _member(int, span, "exclusive_end", here)
        if not 0 <= start <= end <= len(utterance):
            raise Fault(f"{here}: characters {start} to {end} of an utterance of {len(utterance)}")
        yield Mention(service, slot, start, end, utterance[start:end])


def _known(slot: str, service: Service, path: str) -> None:
    if slot not in service.all.slots:
        raise Fault(f"{path}: {service.name} has no slot {_shown(slot)}")


def _texts(listed: list[Any], path: str) -> tuple[str, ...]:
    for i, value in enumerate(listed):
        _of(str, value, f"{path}[{i}]")
    return tuple(listed)


def _member(kind: type, of: dict[str, Any], key: str, path: str) -> Any:
    where = f"{path}.{key}" if path else key
    if key not in of:
        raise Fault(f"`{where}` is missing")
    return _of(kind, of[key], where)


def _of(kind: type, value: Any, path: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Fault(f"`{path}` is {type(value).__name__}, not {_KINDS[kind]}")
    return value


def _shown(text: str) -> str:
    return f"`{_bare(text)}`"


def _bare(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
