"""The source `slots`: states as `convert --to slots` writes them, a state a line or rows of dialogues.

A state is in MultiWOZ's names, `{domain: {"semi", "book"}}`, or over a schema of services in SGD's, `{service:
{"slots", "intent", "requested"}}`. Neither says acts: what a turn asks for shows in what it changed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from dlc.compiler.terms import Turn
from dlc.grammar.diagnostic import CompileError, Place
from dlc.targets.rows import Dialogue, Note, TurnRow

from . import errors
from .options import Options
from .row_files import row_units
from .row_texts import losses
from .schemas import Schemas
from .sources import Read, Source
from .units import Part, Unit, numbered

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

StatesReader: TypeAlias = Callable[[str, list[Part]], tuple[TurnRow, ...]]
"""A dialogue's name and the rows of its user's turns over one schema, in order; a turn each."""


def slots() -> Source:
    """States, one a line, or JSON rows with `program`."""
    return Source((".jsonl",), lambda document: row_units(document, objects=True), _reader)


def _reader(options: Options) -> Callable[[Unit], Read]:
    schemas = Schemas(options.schema)
    readers: dict[int, StatesReader] = {}
    wanted = options.wanted_speakers("both")

    def read(unit: Unit) -> Read:
        rows = [(turn, part) for turn, part in numbered(unit) if _speaker(part) in wanted]
        made: list[TurnRow | None] = []
        used: list[Schema | None] = []
        for _, part in rows:
            schema: Schema | None = None
            row: TurnRow | None = None
            try:
                schema = schemas.get(part.value.get("schema"), "multiwoz", "slots")
                row = _without_state(part, schema)
            except CompileError as error:
                notes = losses(error.diagnostics)
                row = _row(part, schema.name if schema is not None else "", None, notes)
            made.append(row)
            used.append(schema)
        for schema in {id(s): s for s in used if s is not None}.values():
            if id(schema) not in readers:
                readers[id(schema)] = _states_reader(schema)
            left = [i for i, row in enumerate(made) if row is None and used[i] is schema]
            for i, row in zip(left, readers[id(schema)](unit.dialogue or "", [rows[i][1] for i in left]), strict=True):
                made[i] = row
        turns = tuple(
            replace(row, dialogue_id=unit.dialogue or "", turn=turn, provenance=part.text)
            for (turn, part), row in zip(rows, made, strict=True)
            if row is not None
        )
        return Read(Dialogue(unit.dialogue or "", turns), tuple(used), lines=tuple(part.line for _, part in rows))

    return read


def _speaker(part: Part) -> str:
    return part.value.get("speaker") or "user"


def _without_state(part: Part, schema: "Schema") -> TurnRow | None:
    """The turn of an agent, which has no state; None for a user's. Raises CompileError for what is no state."""
    program = part.value["program"]
    if program is None:
        raise CompileError(errors.rejected_before(Place()))
    if not isinstance(program, dict):
        raise CompileError(errors.bad_row(Place(), f"a state is an object, but `program` is {type(program).__name__}"))
    if _speaker(part) == "user":
        return None
    if program:
        raise CompileError(
            errors.bad_row(
                Place(), "a state is the user's, but the speaker is the agent: it belongs to the user's turn before"
            )
        )
    return _row(part, schema.name, Turn("agent"), ())


def _row(part: Part, schema: str, turn: Turn | None, notes: tuple[Note, ...]) -> TurnRow:
    speaker = "agent" if _speaker(part) == "agent" else "user"
    return TurnRow("", 0, speaker, part.value.get("utterance"), schema, turn, notes)  # type: ignore[arg-type]


def _states_reader(schema: "Schema") -> StatesReader:
    from dlc.targets.slots.services import has_services

    return _service_states(schema) if has_services(schema) else _domain_states(schema)


def _domain_states(schema: "Schema") -> StatesReader:
    from dlc.targets.slots.multiwoz import read_multiwoz
    from dlc.targets.slots.states import Memo

    memo = Memo(schema)

    def read(name: str, parts: list[Part]) -> tuple[TurnRow, ...]:
        log: list[Any] = []
        for part in parts:
            log += [{"text": part.value.get("utterance")}, {"metadata": part.value["program"]}]
        return read_multiwoz(name, {"log": log}, schema, memo).turns

    return read


def _service_states(schema: "Schema") -> StatesReader:
    from dlc.targets.slots.sgd import ServiceMemo, read_sgd

    memo = ServiceMemo(schema)

    def read(name: str, parts: list[Part]) -> tuple[TurnRow, ...]:
        # Each turn carries its whole state, so each is read as a dialogue of one.
        return tuple(
            read_sgd(_one_turn(part), schema, memo, frozenset(("user",))).turns[0]
            if part.value["program"]
            else _row(part, schema.name, Turn("user"), ())
            for part in parts
        )

    return read


def _one_turn(part: Part) -> dict[str, Any]:
    frames = []
    for service, state in part.value["program"].items():
        known = state if isinstance(state, dict) else {}
        stored = {
            "active_intent": known.get("intent", "NONE"),
            "requested_slots": known.get("requested", []),
            "slot_values": known.get("slots", {}),
        }
        frames.append({"service": service, "actions": [], "slots": [], "state": stored if known else state})
    turn = {"speaker": "USER", "utterance": part.value.get("utterance") or "", "frames": frames}
    return {"dialogue_id": "row", "services": list(part.value["program"]), "turns": [turn]}
