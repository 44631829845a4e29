"""What an agent says in MultiWOZ as DL statements, by what its acts are declared to say (`@says`).

| `@says` | acts | statement |
|---|---|---|
| found | Inform, Recommend | the query of the state with one result for each entity named; `of n`, or `more` for a number in words, where a Choice is said. Without an entity but with a Choice the values are conditions of the query |
| choice | Select | as found if an entity is named, else `proposed`: the table with the values as alternatives |
| nothing | NoOffer | the query of the state and the values said, without results |
| proposed | OfferBook, and Inform about a booking | `proposed`: the action with what the state and the turn know |
| done | Book, OfferBooked, and whatever says a result of the action | the action with its outcome |
| failed | NoBook | the action with the error that the act declares (`@error`) |

Values of an action's arguments belong to the action, whatever the act; all others to the query.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ...compiler.schema import ActDecl, fact
from ...compiler.terms import Abs, App, Lit, Outcome, Record, Statement, Term, Var
from ...compiler.terms import Field as FieldTerm
from ..rows import Note
from . import notes as say
from .decide import ANY_DOMAIN, Said
from .layout import Domain, Target
from .states import DomainState, Memo
from .values import read_argument, read_filter, read_listed

_COUNT: Final = "Choice"
_NO_VALUE: Final = frozenset(("none", "?"))
_WORDS: Final = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)

Values = list[tuple[Target, str]]


@dataclass
class _Domain:
    """What the acts of a turn say about one domain."""

    domain: Domain
    state: DomainState | None
    found: Values = field(default_factory=list)
    alternatives: Values = field(default_factory=list)
    missing: Values = field(default_factory=list)
    arguments: Values = field(default_factory=list)
    results: Values = field(default_factory=list)
    says: set[str] = field(default_factory=set)
    count: str | None = None
    error: str | None = None


def agent_statements(
    said: tuple[Said, ...], states: Mapping[str, DomainState], active: str | None, memo: Memo
) -> tuple[tuple[Statement, ...], tuple[Note, ...]]:
    """The statements of an agent's turn, domain by domain, and the values that have no place in them.

    states: the user's, which the agent answers. active: the domain that acts about a booking are about.
    """
    domains: dict[str, _Domain] = {}
    notes: list[Note] = []
    declared = {fact(act.facts, "slot"): act for act in memo.schema.acts if act.speaker == "agent"}
    for name, kind, pairs in said:
        about = active if name == ANY_DOMAIN else name
        domain = memo.layout.domains.get(about) if about is not None else None
        act = declared.get(kind)
        if domain is None or act is None:
            if any(value not in _NO_VALUE for _, value in pairs):
                notes.append(say.said_values(f"{name}-{kind}"))
            continue
        talk = domains.setdefault(domain.name, _Domain(domain, states.get(domain.name)))
        notes += _hear(talk, act, name == ANY_DOMAIN, f"{name}-{kind}", pairs)
    return tuple(s for talk in domains.values() for s in _statements(talk, memo)), tuple(notes)


def _hear(talk: _Domain, act: ActDecl, booking: bool, whole: str, pairs: tuple[tuple[str, str], ...]) -> Iterator[Note]:
    """Sort the values of an act; a note for each that has no place."""
    says = fact(act.facts, "says")
    if says is None:
        if any(value not in _NO_VALUE for _, value in pairs):
            yield say.said_values(whole)
        return
    acting = booking or says in ("proposed", "done", "failed")
    says = "proposed" if booking and says == "found" else says
    talk.says.add(says)
    if says == "failed":
        talk.error = fact(act.facts, "error")
    for name, value in pairs:
        if value in _NO_VALUE:
            continue
        if name == _COUNT:
            talk.count = value
            continue
        target = (_of_action(talk.domain, name) if acting else None) or talk.domain.acts.get(name)
        if target is None:
            yield say.said_values(f"{whole} {name}")
        elif target.result:
            talk.results.append((target, value))
        elif target.role == "action":
            talk.arguments.append((target, value))
        elif says == "nothing":
            talk.missing.append((target, value))
        elif says == "choice":
            talk.alternatives.append((target, value))
        else:
            talk.found.append((target, value))


def _of_action(domain: Domain, name: str) -> Target | None:
    """The argument or result of the domain's action that an act calls so."""
    if domain.action is None:
        return None
    for parameter in domain.action.labelled.values():
        if fact(parameter.facts, "act") == name and parameter.name is not None:
            return Target("action", domain.action.name, parameter.name, parameter.type)
    for column in domain.action.columns:
        if fact(column.facts, "act") == name:
            return Target("action", domain.action.name, column.name, column.type, result=True)
    return None


def _statements(talk: _Domain, memo: Memo) -> Iterator[Statement]:
    table, action = talk.domain.table, talk.domain.action
    key = next((c.name for c in table.columns if c.key), None) if table is not None else None
    named = [pair for pair in (*talk.found, *talk.alternatives) if pair[0].name == key]
    if table is not None:
        if talk.alternatives and not any(target.name == key for target, _ in talk.alternatives):
            yield Statement(_where(table.name, _offered(talk.alternatives, memo)), "proposed")
        else:
            talk.found += talk.alternatives
        if "nothing" in talk.says:
            yield _confirmed(_query(talk, talk.missing, memo), ())
        elif talk.found or (talk.count is not None and "found" in talk.says):
            conditions = talk.found if talk.count is not None and not named else []
            records = () if conditions else _records(talk.found, memo)
            yield _confirmed(_query(talk, conditions, memo), records, talk.count)
    if action is None:
        return
    given = dict(talk.state.action.named) if talk.state is not None and talk.state.action is not None else {}
    given |= {target.name: _value(target, text, memo) for target, text in talk.arguments}
    if named and talk.domain.key_argument is not None and len({text for _, text in named}) == 1:
        given[talk.domain.key_argument] = _value(named[0][0], named[0][1], memo)
    call = App(action.name, (), tuple((label, given[label]) for label in action.labelled if label in given))
    if talk.results or "done" in talk.says:
        yield _confirmed(call, _records(talk.results, memo))
    elif "failed" in talk.says:
        yield Statement(call, "confirmed", None, Outcome((), None, False, talk.error))
    elif "proposed" in talk.says or talk.arguments:
        yield Statement(call, "proposed")


def _confirmed(term: Term, records: tuple[Record, ...], count: str | None = None) -> Statement:
    number = _number(count) if count is not None else None
    more = count is not None and number is None
    # A number below what is named counts something else.
    literal = Lit("number", str(number)) if number is not None and number > len(records) else None
    return Statement(term, "confirmed", None, Outcome(records, literal, more))


def _number(text: str) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    return _WORDS.index(text) if text in _WORDS else None


def _query(talk: _Domain, conditions: Values, memo: Memo) -> Term:
    """The state's query, with the fields that the agent speaks of as the agent has them."""
    assert talk.domain.table is not None
    said = {target.name for target, _ in conditions}
    kept = [c for c in _conjuncts(talk.state) if _field(c) not in said]
    return _where(talk.domain.table.name, [*kept, *_filters(conditions, memo)])


def _conjuncts(state: DomainState | None) -> tuple[Term, ...]:
    query = state.query if state is not None else None
    if query is None or len(query.args) != 2 or not isinstance(query.args[1], Abs):
        return ()
    body = query.args[1].body
    return body.args if isinstance(body, App) and body.fn == "and" else (body,)


def _field(conjunct: Term) -> str:
    while isinstance(conjunct, App) and conjunct.args:
        conjunct = conjunct.args[0]
    return conjunct.name if isinstance(conjunct, FieldTerm) else ""


def _filters(values: Values, memo: Memo) -> list[Term]:
    return [read_filter(text, target, memo.schema, memo.spelling) for target, text in dict(values).items()]


def _offered(values: Values, memo: Memo) -> list[Term]:
    """Conditions on what the agent lets choose from, all values of a field in one."""
    fields: dict[Target, list[str]] = {}
    for target, text in values:
        fields.setdefault(target, []).append(text)
    return [
        read_filter(texts[0], target, memo.schema, memo.spelling)
        if len(texts) == 1
        else read_listed(tuple(texts), target, memo.schema, memo.spelling)
        for target, texts in fields.items()
    ]


def _where(table: str, conjuncts: list[Term]) -> Term:
    if not conjuncts:
        return App(table)
    body = conjuncts[0] if len(conjuncts) == 1 else App("and", tuple(conjuncts))
    return App("where", (App(table), Abs("spec", (Var(table).name,), body)))


def _records(values: Values, memo: Memo) -> tuple[Record, ...]:
    """The first value of each field in the first record, the second in the second: as many as the agent names."""
    records: list[dict[str, Term]] = []
    count: dict[str, int] = {}
    for target, text in dict.fromkeys(values):
        at = count[target.name] = count.get(target.name, -1) + 1
        if at == len(records):
            records.append({})
        records[at][target.name] = _value(target, text, memo)
    return tuple(Record(tuple(record.items())) for record in records)


def _value(target: Target, text: str, memo: Memo) -> Term:
    return read_argument(text, target.type, memo.schema, memo.spelling)
