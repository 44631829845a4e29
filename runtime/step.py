"""`step(state, turn)` for ThingTalk: what a turn means for what came before.

A prediction replaces all that is pending and keeps what was executed (Campagna et al. 2022, appendix A.2; `computeNewState`
and `prepareContextForPrediction` of Genie). Slots accumulate (`runtime.step_slots`); the dataflow graph is
`runtime.dialogue.Dialogue`.

A ThingTalk state is a turn: its acts the last act, its statements the history, executed ones confirmed, then
what is pending.
"""

from dataclasses import replace

from ..compiler.schema import Schema, fact_list
from ..compiler.terms import Abs, App, Lit, Outcome, Statement, Term, Turn, subterms

MAX_HISTORY = 5
SLOT_FILLING = frozenset(("sys_slot_fill", "request"))
"""Acts that ask for arguments of an action."""


def step_thingtalk(state: Turn | None, turn: Turn) -> Turn:
    """The state after a turn's prediction: the executed prefix of the old one, then the turn's statements."""
    history: list[Statement] = []
    for statement in state.statements if state is not None else ():
        if statement.status != "confirmed":
            break
        history.append(statement)
    return Turn(turn.speaker, turn.acts, (*history[-MAX_HISTORY:], *turn.statements))


def prediction_between(old: Turn | None, new: Turn) -> Turn:
    """The turn that leads from `old` to `new`: what follows their common executed prefix."""
    common = 0
    for before, after in zip(old.statements if old is not None else (), new.statements, strict=False):
        if before != after or before.status != "confirmed":
            break
        common += 1
    return Turn(new.speaker, new.acts, new.statements[common:])


def executed(
    state: Turn, schema: Schema, outcomes: dict[int, Outcome] | None = None, reply: Turn | None = None
) -> Turn:
    """The state once every accepted statement that lacks no required argument has run.

    outcomes: what statements gave, by their index; one that is not there gave an unknown outcome. reply: what the agent
    said next, where a person was the agent: an action whose arguments it still asks for has not run, and waits for them.
    """
    known = outcomes or {}
    asked = _asked(reply)
    done: list[Statement] = []
    for i, statement in enumerate(state.statements):
        if asked and statement.status == "accepted" and not missing_arguments(statement.term, schema):
            statement = replace(statement, term=_waiting(statement.term, asked, schema))
        if statement.status == "accepted" and not missing_arguments(statement.term, schema):
            statement = replace(statement, status="confirmed", outcome=known.get(i))
        done.append(statement)
    return Turn(state.speaker, state.acts, tuple(done))


def _asked(reply: Turn | None) -> frozenset[str]:
    """The arguments an agent asks for by an act that is about an action."""
    acts = [act for act in reply.acts if act.name in SLOT_FILLING] if reply is not None else []
    return frozenset(a.value.rpartition(".")[2] for act in acts for a in act.args if isinstance(a, Lit))


def _waiting(term: Term, asked: frozenset[str], schema: Schema) -> Term:
    """An action without the arguments asked for, those that need not be given left open; other terms as they are."""
    function = schema.function.get(term.fn) if isinstance(term, App) else None
    if function is None or not function.action or not isinstance(term, App) or not asked & function.labelled.keys():
        return term
    kept = [(label, value) for label, value in term.named if label not in asked]
    left_open = [name for name, p in function.labelled.items() if name in asked and p.optional]
    return App(term.fn, term.args, (*kept, *((name, App("missing")) for name in left_open)))


def missing_arguments(term: Term, schema: Schema) -> tuple[str, ...]:
    """Required arguments that an action, alone or at the end of a chain, does not have yet.

    An argument left open (`missing`) is waited for, optional or not; of those in a fact `@require_either [...]`
    one is enough.
    """
    while isinstance(term, App) and term.fn == "then" and isinstance(term.args[1], Abs):
        term = term.args[1].body
    function = schema.function.get(term.fn) if isinstance(term, App) else None
    if function is None or not isinstance(term, App):
        return ()
    given = {label for label, value in term.named if value != App("missing")}
    asked = tuple(label for label, value in term.named if value == App("missing"))
    if asked:
        return asked
    either = fact_list(function.facts, "require_either")
    lacking = tuple(name for name, p in function.labelled.items() if name not in given and not p.optional)
    return lacking if lacking or not either or given & set(either) else either


def prepared(state: Turn, schema: Schema, results: int = 1) -> Turn:
    """The state as a model is shown it: of the executed statements the last of each run over the same functions, the
    newest MAX_HISTORY of them, with at most `results` records each; then all that is pending."""
    history = [s for s in state.statements if s.status == "confirmed"]
    pending = [s for s in state.statements if s.status != "confirmed"]
    following: list[Statement | None] = [*history[1:], None]
    kept = [s for s, after in zip(history, following, strict=False) if not _continues(s, after, schema)]
    return Turn(state.speaker, state.acts, (*(_trimmed(s, results) for s in kept[-MAX_HISTORY:]), *pending))


def _continues(statement: Statement, after: Statement | None, schema: Schema) -> bool:
    return after is not None and functions_of(statement.term, schema) == functions_of(after.term, schema)


def functions_of(term: Term, schema: Schema) -> frozenset[str]:
    """Tables and actions a statement uses."""
    return frozenset(
        t.fn
        for t in subterms(term)
        if isinstance(t, App) and (t.fn in schema.table or (t.fn in schema.function and schema.function[t.fn].action))
    )


def _trimmed(statement: Statement, results: int) -> Statement:
    outcome = statement.outcome
    if outcome is None or len(outcome.results) <= results:
        return statement
    count = outcome.count or Lit("number", str(len(outcome.results)))
    return replace(statement, outcome=replace(outcome, results=outcome.results[:results], count=count))
