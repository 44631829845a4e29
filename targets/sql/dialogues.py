"""Dialogues of Spider, SParC and CoSQL: loaded JSON to DL.

Spider: `{db_id, question, query}`, a dialogue of one turn. SParC and CoSQL (state tracking): `{database_id,
interaction: [{utterance, query}], final}`; only the user's utterances are there, so the k-th is turn 2k. CoSQL's full
release keeps both speakers and their acts: see `read_release`; its files for single tasks one utterance: `read_utterance`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...compiler.schema import ActDecl, Schema
from ...compiler.terms import Act, Turn
from ...grammar.diagnostic import CompileError, Diagnostic
from ..rows import Dialogue, Note, TurnRow
from . import errors
from .names import Catalog
from .read import read_sql

_USER_ACTS = (
    "INFORM_SQL",
    "INFER_SQL",
    "AMBIGUOUS",
    "AFFIRM",
    "NEGATE",
    "NOT_RELATED",
    "CANNOT_UNDERSTAND",
    "CANNOT_ANSWER",
    "GREETING",
    "GOOD_BYE",
    "THANK_YOU",
)
_AGENT_ACTS = ("CONFIRM_SQL", "CLARIFY", "REJECT", "REQUEST_MORE", "GREETING", "SORRY", "WELCOME", "GOOD_BYE")
# Spellings met in the paper and in releases, besides case and spaces.
_ALIASES = {"GOODBYE": "GOOD_BYE", "CONFORM_SQL": "CONFIRM_SQL", "THANKS": "THANK_YOU", "THANKYOU": "THANK_YOU"}

ACTS: tuple[ActDecl, ...] = (
    *(ActDecl("user", name) for name in _USER_ACTS),
    *(ActDecl("agent", name) for name in _AGENT_ACTS),
)
"""CoSQL's acts of the user and of the expert (paper, appendix A.1)."""


@dataclass(slots=True)
class Databases:
    """Schemas by `db_id`, each made ready for reading once."""

    schemas: Mapping[str, Schema]
    _catalogs: dict[str, Catalog] = field(default_factory=dict)

    def catalog(self, db_id: str) -> Catalog:
        """The database's tables. Raises CompileError (DLC255, DLC342)."""
        found = self._catalogs.get(db_id)
        if found is None:
            schema = self.schemas.get(db_id)
            if schema is None and len(self.schemas) == 1 and not db_id:
                schema = next(iter(self.schemas.values()))
            if schema is None:
                raise CompileError(errors.unknown_database(db_id, list(self.schemas)))
            found = self._catalogs[db_id] = Catalog(schema)
        return found


def read_query(
    text: str, catalog: Catalog, speaker: Literal["user", "agent"] = "user", acts: tuple[Act, ...] = ()
) -> tuple[Turn | None, tuple[Note, ...]]:
    """A turn that asks one text's queries, under these acts; None, with the reason as a note, if it cannot be read."""
    try:
        turn, notes = read_sql(text, catalog, speaker=speaker)
    except CompileError as error:
        return None, tuple(map(_loss, error.diagnostics))
    return Turn(speaker, acts, turn.statements), notes


def _loss(diagnostic: Diagnostic) -> Note:
    return Note(diagnostic.code, diagnostic.message, diagnostic.span, loss=True)


def read_question(name: str, entry: Any, databases: Databases) -> Dialogue:
    """A Spider question as a dialogue of one turn. Raises CompileError (DLC340, DLC342)."""
    db_id = _text(entry, "db_id", name)
    row = _row(name, 0, "user", entry.get("question"), db_id, entry.get("query"), databases, ())
    return Dialogue(name, (row,))


def read_interaction(name: str, entry: Any, databases: Databases) -> Dialogue:
    """A SParC or CoSQL interaction: the k-th utterance is turn 2k. Raises CompileError (DLC340, DLC342)."""
    db_id = _text(entry, "database_id", name)
    turns = entry.get("interaction")
    if not isinstance(turns, list):
        raise CompileError(errors.bad_dialogue(name, "`interaction` is no list"))
    rows = []
    for k, turn in enumerate(turns):
        given: Any = turn if isinstance(turn, dict) else {}
        rows.append(_row(name, 2 * k, "user", given.get("utterance"), db_id, given.get("query"), databases, ()))
    return Dialogue(name, tuple(rows))


def read_release(name: str, entry: Any, databases: Databases) -> Dialogue:
    """A dialogue of CoSQL's full release: `{db_id, turns: [{isUser, text, label?, rawSql?}]}`, every entry a turn.

    `label` names the entry's acts: one name, several joined by commas, or a list (other keys in use are
    `_ACT_KEYS`). An entry without it, or with null, has no acts: none is made up. `rawSql` is the SQL written there, by the
    expert mostly; what was said stays the utterance. Raises CompileError (DLC340, DLC342).
    """
    db_id = _text(entry, "db_id" if isinstance(entry, dict) and "db_id" in entry else "database_id", name)
    turns = entry.get("turns")
    if not isinstance(turns, list):
        raise CompileError(errors.bad_dialogue(name, "`turns` is no list"))
    rows = []
    for k, turn in enumerate(turns):
        if not isinstance(turn, dict) or not isinstance(turn.get("isUser"), bool):
            raise CompileError(errors.bad_dialogue(f"{name}, turn {k}", "a turn is an object that says `isUser`"))
        speaker: Literal["user", "agent"] = "user" if turn["isUser"] else "agent"
        query = next((turn[key] for key in ("rawSql", "query") if turn.get(key)), None)
        text = turn.get("text", turn.get("utterance"))
        rows.append(_row(name, k, speaker, text, db_id, query, databases, acts_of(turn)))
    return Dialogue(name, tuple(rows))


def read_utterance(name: str, entry: Any, databases: Databases) -> Dialogue:
    """One utterance of the files for single tasks, as a dialogue of one turn.

    The user's with its acts (act prediction: `{database_id, utterance, intent: [name]}`), or the expert's to a query and
    its result (response generation: `{db_id, query, response}`). Raises CompileError (DLC340, DLC342).
    """
    db_id = _text(entry, "db_id" if isinstance(entry, dict) and "db_id" in entry else "database_id", name)
    agent = "response" in entry
    speaker: Literal["user", "agent"] = "agent" if agent else "user"
    said = entry.get("response" if agent else "utterance")
    return Dialogue(name, (_row(name, 0, speaker, said, db_id, entry.get("query"), databases, acts_of(entry)),))


_ACT_KEYS = (
    "label",
    "labels",
    "user_dialog_act",
    "system_dialog_act",
    "dialog_act",
    "dialog_acts",
    "acts",
    "intent",
)


def acts_of(turn: Mapping[str, Any]) -> tuple[Act, ...]:
    """The acts annotated with a turn, in order, in CoSQL's spelling; none if the turn is not annotated."""
    for key in _ACT_KEYS:
        found = turn.get(key)
        names = found if isinstance(found, list) else [found]
        acts = [part for name in names if isinstance(name, str) for part in name.split(",") if part.strip()]
        if acts:
            return tuple(Act(act_name(name)) for name in acts)
    return ()


def act_name(name: str) -> str:
    """An act's name in one spelling: upper case, words joined by `_`."""
    made = "_".join(name.strip().upper().replace("-", " ").replace("_", " ").split())
    return _ALIASES.get(made, made)


def _row(
    name: str,
    turn: int,
    speaker: Literal["user", "agent"],
    utterance: Any,
    db_id: str,
    query: Any,
    databases: Databases,
    acts: tuple[Act, ...],
) -> TurnRow:
    said = utterance if isinstance(utterance, str) else None
    if query is None or query == "":
        missing = errors.unannotated(f"turn {turn}")
        note = Note(missing.code, missing.message, loss=not acts)
        program = Turn(speaker, acts, ()) if acts else None
        return TurnRow(name, turn, speaker, said, db_id, program, (note,))
    if not isinstance(query, str):
        bad = errors.bad_dialogue(f"turn {turn}", f"the query is {type(query).__name__}, not text")
        return TurnRow(name, turn, speaker, said, db_id, None, (_loss(bad),), query)
    read, notes = read_query(query, databases.catalog(db_id), speaker, acts)
    return TurnRow(name, turn, speaker, said, db_id, read, notes, query)


def _text(entry: Any, key: str, name: str) -> str:
    if not isinstance(entry, dict):
        raise CompileError(errors.bad_dialogue(name, "a dialogue is an object"))
    value = entry.get(key)
    if not isinstance(value, str):
        raise CompileError(errors.bad_dialogue(name, f"`{key}` is missing or no text"))
    return value
