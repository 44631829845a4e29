"""MultiWOZ 2.0 and 2.1, `{id: {goal, log}}`: a dialogue's states and acts as DL turns.

The state of a user turn is annotated with the system turn after it. Every turn carries its whole state: what the
turn asks for is accepted (see `decide`), the rest confirmed and written first, because that is what has been said
before. A booked item is the outcome of the domain's action; if the same turn asks for that action again, the
outcome stands on a call of its own.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from ...compiler.schema import Schema
from ...compiler.terms import Act, Lit, Statement, Term, Turn
from ..rows import Dialogue, Mention, Note, TurnRow
from . import notes as say
from .decide import ANY_DOMAIN, Asked, Said, States, Talk, asked_for
from .layout import Layout
from .multiwoz_agent import agent_statements
from .states import DomainState, Memo, domain_state

Speaker: TypeAlias = Literal["user", "agent"]
_WORD: Final = re.compile(r"\S+")


def read_multiwoz(
    dialogue_id: str,
    dialogue: Any,
    schema: Schema,
    memo: Memo | None = None,
    speakers: frozenset[str] = frozenset(("user",)),
) -> Dialogue:
    """Read one dialogue of the file, as parsed from JSON.

    A turn that cannot be read is rejected (`program` None, a note says why); nothing raises for bad data.
    memo: shared by all dialogues of a run over one schema; made afresh if not given.
    """
    memo = memo if memo is not None else Memo(schema)
    memo.trim()
    name = dialogue_id.removesuffix(".json")
    log = dialogue.get("log") if isinstance(dialogue, dict) else None
    if not isinstance(log, list):
        note = say.malformed("the dialogue has no list `log`")
        return Dialogue(name, (TurnRow(name, 0, "user", None, schema.name, None, (note,)),))
    rows: list[TurnRow] = []
    talk = Talk()
    before: dict[str, DomainState] = {}
    metadata: dict[str, Any] = {}
    agent: tuple[Said, ...] = ()
    wanted_user, wanted_agent = "user" in speakers, "agent" in speakers
    for index in range(0, len(log), 2):
        entry = log[index]
        reply = log[index + 1] if index + 1 < len(log) else None
        user = _acts_said(entry, memo)
        found = _state_of(entry, reply)
        if isinstance(found, Note):
            if wanted_user:
                rows.append(TurnRow(name, index, "user", _text(entry), schema.name, None, (found,), entry))
        else:
            after = states_of(found, metadata, before, memo)
            asked = asked_for(before, after, user, agent, talk, memo.layout)
            if wanted_user:
                acts, act_notes = _acts("user", user, talk, memo)
                turn = Turn("user", acts, statements_of(after, asked, memo))
                notes = act_notes
                for state in after.values():
                    if state.notes:
                        notes = (*notes, *state.notes)
                heard = _text(log[index - 1]) if index and not wanted_agent else None
                spans = _mentions(entry)
                rows.append(TurnRow(name, index, "user", _text(entry), schema.name, turn, notes, entry, heard, spans))
            before, metadata = after, found
        if reply is not None:
            agent = _acts_said(reply, memo)
            if wanted_agent:
                rows.append(_agent_row(name, index + 1, reply, agent, before, talk, memo))
    return Dialogue(name, tuple(rows))


def _text(entry: Any) -> str | None:
    text = entry.get("text") if isinstance(entry, dict) else None
    return text if isinstance(text, str) else None


def _mentions(entry: Any) -> tuple[Mention, ...]:
    """The annotated spans, `[act, field, value, first word, last word]`, by the characters of their words."""
    annotated = entry.get("span_info") if isinstance(entry, dict) else None
    text = _text(entry)
    if not annotated or text is None or not isinstance(annotated, list):
        return ()
    words = [word.span() for word in _WORD.finditer(text)]
    found: list[Mention] = []
    for span in annotated:
        match span:
            case [str(act), str(slot), _, int(first), int(last)] if 0 <= first <= last < len(words):
                start, end = words[first][0], words[last][1]
                found.append(Mention(act.partition("-")[0].lower(), slot, start, end, text[start:end]))
    return tuple(found)


def _state_of(entry: Any, reply: Any) -> dict[str, Any] | Note:
    if not isinstance(entry, dict):
        return say.malformed("the turn is no object")
    if reply is None:
        return say.no_state()
    metadata = reply.get("metadata") if isinstance(reply, dict) else None
    return metadata if isinstance(metadata, dict) else say.malformed("the system turn has no `metadata`")


def states_of(
    metadata: Mapping[str, Any], old_metadata: Mapping[str, Any], before: States, memo: Memo
) -> dict[str, DomainState]:
    """States of the domains that have any; a domain that did not change keeps the very same state."""
    after: dict[str, DomainState] = {}
    for name, parts in metadata.items():
        if name in old_metadata and parts == old_metadata[name]:
            state = before.get(name)
        else:
            state = domain_state(name, parts, memo)
        if state is not None:
            after[name] = state
    return after


def statements_of(after: States, asked: Asked, memo: Memo) -> tuple[Statement, ...]:
    """A state's statements: first what stands confirmed, then what is asked for."""
    confirmed: list[Statement | None] = []
    accepted: list[Statement | None] = []
    for name, state in after.items():
        shown = asked.get((name, "query"))
        if shown is None:
            confirmed.append(state.statement("query", False))
        else:
            accepted.append(state.statement("query", True, shown))
        if (name, "action") in asked:
            confirmed.append(state.booked())
            accepted.append(state.statement("action", True))
        else:
            confirmed.append(state.statement("action", False))
    for name, role in asked:
        if name not in after:
            fresh = DomainState(memo.layout.domains[name], None, None, {}, None, False, ())
            accepted.append(fresh.statement(role, True, asked[name, role]))
    return tuple(s for s in (*confirmed, *accepted) if s is not None)


# ---------------------------------------------------------------- acts


def _acts_said(entry: Any, memo: Memo) -> tuple[Said, ...]:
    """The acts of a turn; empty if they are not annotated (a corpus may say so in words)."""
    annotated = entry.get("dialog_act") if isinstance(entry, dict) else None
    if not annotated or not isinstance(annotated, dict):
        return ()
    said: list[Said] = []
    for name, pairs in annotated.items():
        domain, _, kind = name.partition("-")
        known = tuple([(p[0], p[1]) for p in pairs if _is_pair(p)]) if isinstance(pairs, list) else ()
        said.append((domain.lower(), kind, known))
    return tuple(said)


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str)


def _acts(speaker: Speaker, said: tuple[Said, ...], talk: Talk, memo: Memo) -> tuple[tuple[Act, ...], tuple[Note, ...]]:
    key = (speaker, said, talk.active if speaker == "agent" else None)
    found = memo.acts.get(key)
    if found is None:
        found = memo.acts[key] = _acts_of(speaker, said, talk.active, memo.layout)
    return found  # type: ignore[return-value]


def _acts_of(
    speaker: Speaker, said: tuple[Said, ...], active: str | None, layout: Layout
) -> tuple[tuple[Act, ...], tuple[Note, ...]]:
    """DL acts in the order annotated; one act for all the domains it is about."""
    fields: dict[str, list[Term]] = {}
    notes: list[Note] = []
    for name, kind, pairs in said:
        whole = f"{name}-{kind}"
        declared = layout.acts.get((speaker, whole)) or layout.acts.get((speaker, kind))
        if declared is None:
            known = [annotated for who, annotated in layout.acts if who == speaker]
            notes.append(say.unknown_act(whole, known))
            if not kind or "`" in kind or "\n" in kind:
                continue
        act, takes_fields = declared or (kind, False)
        paths = fields.setdefault(act, [])
        domain = layout.domains.get(active if name == ANY_DOMAIN and active is not None else name)
        if takes_fields and domain is not None:
            for field, _ in pairs:
                target = domain.acts.get(field)
                path = Lit("path", target.path) if target is not None else None
                if path is not None and path not in paths:
                    paths.append(path)
    return tuple(Act(act, tuple(paths)) for act, paths in fields.items()), tuple(notes)


def _agent_row(
    name: str, index: int, reply: Any, said: tuple[Said, ...], states: States, talk: Talk, memo: Memo
) -> TurnRow:
    schema = memo.schema.name
    if not isinstance(reply, dict):
        note = say.malformed("the turn is no object")
        return TurnRow(name, index, "agent", None, schema, None, (note,), reply)
    acts, notes = _acts("agent", said, talk, memo)
    statements, unsaid = agent_statements(said, states, talk.active, memo)
    turn = Turn("agent", acts, statements)
    return TurnRow(name, index, "agent", _text(reply), schema, turn, (*notes, *unsaid), reply, None, _mentions(reply))
