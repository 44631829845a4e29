"""Dialogues of requests (MultiWOZ as dataflow) as plain DL: run on the graph, each turn then carries its state."""

from dataclasses import replace
from typing import TYPE_CHECKING

from dlc.targets.rows import Note, TurnRow

from .options import Options
from .sources import Read

if TYPE_CHECKING:
    from dlc.compiler.check import Checker
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn
    from dlc.targets.slots.sgd import ServiceMemo
    from dlc.targets.slots.states import Memo


class Requests:
    """Inlines the dialogues of one run. One a process; keeps what belongs to a schema."""

    def __init__(self, options: Options) -> None:
        self._whole = options.recipe is not None and options.recipe.no_revise
        self._known: dict[int, tuple[Checker, Memo | ServiceMemo]] = {}

    def plain(self, read: Read) -> Read:
        """The dialogue with its references and revisions inlined; itself, if it is no dialogue of requests."""
        turns = self._requests(read)
        if turns is None:
            return read
        return self._inlined(read, turns, next(schema for schema in read.schemas if schema is not None))

    def untyped(self, read: Read) -> Read:
        """A dialogue of requests without what the checker says of it: the recipe's programs have no types.

        Their values are text whatever the slot's type, and their functions are no schema's.
        """
        turns = self._requests(read)
        if turns is None:
            return read
        rows = tuple(
            row if turn is None else replace(row, program=turn, notes=())
            for row, turn in zip(read.dialogue.turns, turns, strict=True)
        )
        kept = tuple(() if turn is not None else found for turn, found in zip(turns, read.diagnostics, strict=False))
        return replace(read, dialogue=replace(read.dialogue, turns=rows), diagnostics=kept, checked=())

    def _requests(self, read: Read) -> "list[Turn | None] | None":
        """What each row says, if together they are a dialogue of requests over one schema."""
        turns = [self._turn(read, i) for i in range(len(read.dialogue.turns))]
        schemas = {id(schema) for schema in read.schemas if schema is not None}
        said = [turn for turn in turns if turn is not None and turn.statements]
        if len(schemas) != 1 or not said or any(read.parts):
            return None
        from dlc.runtime.requests import is_request

        found = all(is_request(statement.term) for turn in said for statement in turn.statements)
        return turns if found else None

    def _turn(self, read: Read, index: int) -> "Turn | None":
        """What a row says, well typed or not: the recipe's values are text whatever the slot's type."""
        checked = read.checked[index] if read.checked else None
        return checked.turn if checked is not None else read.dialogue.turns[index].program

    def _inlined(self, read: Read, turns: "list[Turn | None]", schema: "Schema") -> Read:
        from dlc.compiler.check import Checker
        from dlc.runtime.errors import unfulfilled
        from dlc.runtime.requests import Requests as Live
        from dlc.runtime.requests import requests_dialogue
        from dlc.targets.slots.requests import ServiceReader, StateReader
        from dlc.targets.slots.services import has_services
        from dlc.targets.slots.sgd import ServiceMemo
        from dlc.targets.slots.states import Memo

        if id(schema) not in self._known:
            self._known[id(schema)] = (Checker(schema), ServiceMemo(schema) if has_services(schema) else Memo(schema))
        checker, memo = self._known[id(schema)]
        if isinstance(memo, Memo) and not memo.layout.domains:
            return read
        memo.trim()
        running, live = requests_dialogue(checker), Live(self._whole)
        reader = StateReader(memo) if isinstance(memo, Memo) else ServiceReader(memo)
        rows: list[TurnRow] = []
        for row, turn in zip(read.dialogue.turns, turns, strict=True):
            if turn is None or row.speaker != "user":
                rows.append(row)
                continue
            result = running.step(turn)
            program, notes = reader.turn(live.update(running.graph, running.graph.turns[-1]))
            failed = [unfulfilled(f.kind, f.message) for f in result.failures if f is not None]
            told = tuple(Note(d.code, d.message, loss=True) for d in failed)
            rows.append(replace(row, program=program, notes=(*told, *notes)))
        kept = tuple(() if turn is not None else found for turn, found in zip(turns, read.diagnostics, strict=False))
        return replace(read, dialogue=replace(read.dialogue, turns=tuple(rows)), diagnostics=kept, checked=())
