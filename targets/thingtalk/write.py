"""DL turns as ThingTalk programs, normal syntax.

One program a turn: `$dialogue @org.thingpedia.dialogue.transaction.ACT; ITEM; ...`. Statements keep their order and
status; an outcome becomes the item's results. The act comes from the turn's acts by the schema's facts
(`act user thank @thingtalk "cancel"`), the first declared of them deciding, and from the statements where there is
none: `execute` if anything is accepted, else `cancel`. See docs/slots.md.
"""

from dataclasses import dataclass, field
from typing import Final

from ...compiler.schema import Schema, fact
from ...compiler.terms import Act, App, Lit, Outcome, Statement, Term, Turn
from ...compiler.types import NUMBER
from ..rows import Note, Written
from . import write_notes as say
from .write_names import NOT_SAID, Names, identifier
from .write_queries import Query, statement, subquery
from .write_values import Context, NotSaid, value

POLICY: Final = "org.thingpedia.dialogue.transaction"
_EXECUTE, _CANCEL, _UNCLEAR = "execute", "cancel", "sys_invalid"


@dataclass
class ThingTalkMemo:
    """What the writer keeps from turn to turn: names and the text of every statement. One for each schema.

    placeholders: write `$0` as `TIME_0` and the like, which the reference reads in the tokenized syntax only.
    """

    schema: Schema
    placeholders: bool = False
    names: Names = field(init=False)
    items: dict[Statement, "tuple[str | None, tuple[Note, ...]]"] = field(default_factory=dict)
    acts: dict[object, "tuple[str, tuple[Note, ...]]"] = field(default_factory=dict)
    parts: dict[object, object] = field(default_factory=dict)
    limit: int = 200_000

    def __post_init__(self) -> None:
        self.names = Names(self.schema)


def write_thingtalk(turn: Turn, schema: Schema, memo: ThingTalkMemo | None = None) -> Written:
    """The program of a turn. What ThingTalk cannot say is left out and noted, the rest kept.

    Rejected (`program` None) only if the turn has statements and none of them is a query or action of the schema.
    memo: shared by all turns of a run over one schema; made afresh if not given.
    """
    memo = memo if memo is not None else ThingTalkMemo(schema)
    texts: list[str] = []
    notes: tuple[Note, ...] = ()
    for said in turn.statements:
        item = memo.items.get(said)
        if item is None:
            if len(memo.items) > memo.limit:
                memo.items.clear()
            item = memo.items[said] = item_text(said, memo)
        if item[0] is not None:
            texts.append(item[0])
        if item[1]:
            notes += item[1]
    if turn.statements and not texts and not any(_declared(said.term, schema) for said in turn.statements):
        return Written(None, (*notes, say.nothing_said()))
    accepted = any(s.status == "accepted" for s in turn.statements)
    key = (turn.speaker, turn.acts, accepted)
    act = memo.acts.get(key)
    if act is None:
        act = memo.acts[key] = _act(turn, accepted, memo)
    if act[1]:
        notes += act[1]
    return Written(f"$dialogue @{POLICY}.{act[0]};{''.join(texts)}", notes)


def _declared(term: Term, schema: Schema) -> bool:
    """Whether a statement is about a table or action of the schema, so that what is lost of it has a name."""
    while isinstance(term, App) and term.args:
        term = term.args[0]
    return isinstance(term, App) and (term.fn in schema.table or _is_action(term.fn, schema))


def _is_action(name: str, schema: Schema) -> bool:
    function = schema.function.get(name)
    return function is not None and function.action


# ---------------------------------------------------------------- items


def item_text(said: Statement, memo: ThingTalkMemo) -> tuple[str | None, tuple[Note, ...]]:
    """A statement with its status and results, after a space; None if nothing of it can be said."""
    context = Context(memo.schema, memo.names, subquery=subquery, placeholders=memo.placeholders, cache=memo.parts)
    if said.let is not None:
        context.drop(say.no_construct(said.let, "a `let`"))
    try:
        made = statement(said.term, context)
    except NotSaid as reason:
        context.drop(reason.note)
        return None, tuple(context.notes)
    annotations = ""
    if said.outcome is not None:
        annotations = _outcome(said.outcome, made, context)
    elif said.status != "accepted":
        annotations = f" #[confirm=enum {said.status}]"
    return f" {made.text}{annotations};", tuple(context.notes)


def _outcome(outcome: Outcome, made: Query, context: Context) -> str:
    records = []
    for record in outcome.results:
        fields = []
        for label, term in record.fields:
            info = made.columns.get(label)
            part = info.part if info is not None else label
            if info is not None and info.name is None:
                context.drop(say.no_counterpart(part))
                continue
            name = info.name.rpartition(".")[2] if info is not None and info.name else identifier(label)
            try:
                fields.append(f"{name}={value(term, info.type if info else None, {}, context, part, constant=True)}")
            except NotSaid as reason:
                context.drop(reason.note)
        records.append("{ " + ", ".join(fields) + " }" if fields else "{}")
    text = f" #[results=[{', '.join(records)}]]"
    if outcome.count is not None:
        try:
            count = value(outcome.count, NUMBER, {}, context, "count", constant=True)
            # The reference fails on a count that is not zero beside no results, and on one below their number.
            if _below(outcome.count, len(records)):
                context.drop(say.no_construct("count", "a count below the number of results"))
            elif records or count == "0":
                text += f" #[count={count}]"
            else:
                context.drop(say.no_construct("count", "a count beside no results"))
        except NotSaid as reason:
            context.drop(reason.note)
    if outcome.more:
        text += " #[more=true]"
    if outcome.error is not None:
        text += f" #[error=enum {identifier(outcome.error)}]"
    return text


def _below(count: Term, listed: int) -> bool:
    return isinstance(count, Lit) and count.kind == "number" and float(count.value) < listed


# ---------------------------------------------------------------- acts


def _act(turn: Turn, accepted: bool, memo: ThingTalkMemo) -> tuple[str, tuple[Note, ...]]:
    """The act with its parameters. An act without `@thingtalk` goes by its own name."""
    schema = memo.schema
    rank = {key: i for i, key in enumerate(schema.act)}
    ordered = sorted(turn.acts, key=lambda a: rank.get((turn.speaker, a.name), -1))
    notes: list[Note] = []
    fallback = _UNCLEAR if turn.speaker == "agent" else _EXECUTE if accepted else _CANCEL
    for act in ordered:
        declared = schema.act.get((turn.speaker, act.name))
        name = fact(declared.facts, "thingtalk") if declared is not None else None
        about_action = fact(declared.facts, "thingtalk_action") if declared is not None else None
        if name == NOT_SAID:
            continue
        if name is None:
            return _with_parameters(identifier(act.name), act, memo, notes), tuple(notes)
        if turn.speaker == "agent":
            chosen = about_action if about_action and _is_about_action(act, memo) else name
            return _with_parameters(chosen, act, memo, notes), tuple(notes)
        if accepted:
            if name == _EXECUTE:
                return _EXECUTE, ()
        elif about_action and _is_about_action(act, memo):
            return _with_parameters(about_action, act, memo, notes), tuple(notes)
        elif name != _EXECUTE:
            return name, ()
    return fallback, tuple(notes)


def _is_about_action(act: Act, memo: ThingTalkMemo) -> bool:
    owners = [a.value.rpartition(".")[0] for a in act.args if isinstance(a, Lit) and a.kind == "path"]
    return bool(owners) and all(owner in memo.schema.function for owner in owners)


def _with_parameters(name: str, act: Act, memo: ThingTalkMemo, notes: list[Note]) -> str:
    parameters: list[str] = []
    for argument in act.args:
        if not (isinstance(argument, Lit) and argument.kind == "path"):
            notes.append(say.no_construct(act.name, f"a value as an argument of `{act.name}`"))
            continue
        owner, _, own = argument.value.rpartition(".")
        declared = memo.schema.table.get(owner) or memo.schema.function.get(owner)
        spelled = memo.names.fields(declared).get(own) if declared is not None else memo.names.anywhere(own)
        if spelled is None or (declared is not None and memo.names.called(declared) is None):
            notes.append(say.no_counterpart(argument.value))
        elif spelled not in parameters:
            parameters.append(spelled)
    if act.named:
        notes.append(say.no_construct(act.name, f"values as arguments of `{act.name}`"))
    return f"{name}({', '.join(parameters)})" if parameters else name
