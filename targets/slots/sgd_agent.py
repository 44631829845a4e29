"""What an agent says in SGD as DL statements: the call of its service with the results, what it offers and proposes.

| annotated | statement |
|---|---|
| `service_call`, `service_results` | the intent with its arguments and the results; `error failed` with NOTIFY_FAILURE; `of n` with INFORM_COUNT |
| OFFER, INFORM without a call | the service's table with one result of the values said |
| REQUEST with suggestions | `proposed`: the service's table with them as conditions |
| CONFIRM | `proposed`: the transaction that takes all the slots, with these values |
| OFFER_INTENT | `proposed`: the intent without arguments |
"""

from ...compiler.schema import Schema
from ...compiler.terms import App, Lit, Outcome, Record, Statement, Term
from ..rows import Note
from . import notes as say
from .frames import Call, Frame, Said
from .service_terms import Values, argument, call, query
from .services import Intent, Place, Service
from .sgd_schema import FAILED


def agent_statements(frame: Frame, service: Service, schema: Schema) -> tuple[tuple[Statement, ...], tuple[Note, ...]]:
    """The statements of a frame in the order of the table above, and the values that found no place in them."""
    statements: list[Statement] = []
    notes: list[Note] = []
    told = [said for said in frame.acts if said.act in ("OFFER", "INFORM") and said.values]
    if frame.call is not None:
        statements.append(_called(frame.call, frame.acts, service, schema, notes))
        found = {pair for record in frame.call.results for pair in record}
        told = [said for said in told if (said.slot, _canonical(said)) not in found]
    if told:
        record = Record(tuple((p.name, argument(_canonical(s), p, schema)) for s, p in _placed(told, service)))
        statements.append(Statement(App(service.all.owner.name), "confirmed", None, Outcome((record,))))
    suggested = [said for said in frame.acts if said.act == "REQUEST" and said.values]
    if suggested:
        values: Values = [(place, said.values) for said, place in _placed(suggested, service)]
        statements.append(Statement(query(service.all, values, (), schema), "proposed"))
    confirmed = [said for said in frame.acts if said.act == "CONFIRM" and said.values]
    if confirmed:
        statements.append(Statement(_proposal(confirmed, service, schema), "proposed"))
    for said in frame.acts:
        if said.act == "OFFER_INTENT":
            intent = service.intents.get(said.values[0]) if said.values else None
            if intent is not None:
                statements.append(Statement(App(intent.owner.name), "proposed"))
            else:
                notes.append(say.said_values(said.act))
    return tuple(statements), tuple(notes)


def _canonical(said: Said) -> str:
    return said.canonical[0] if said.canonical else said.values[0]


def _placed(acts: list[Said], service: Service) -> list[tuple[Said, Place]]:
    """Acts about slots with their fields, each field once."""
    placed = {
        service.all.slots[said.slot].name: (said, service.all.slots[said.slot])
        for said in acts
        if said.slot in service.all.slots
    }
    return list(placed.values())


def _called(made: Call, acts: tuple[Said, ...], service: Service, schema: Schema, notes: list[Note]) -> Statement:
    intent = service.intents[made.method]
    given: Values = []
    for slot, text in made.arguments:
        if slot in intent.slots:
            given.append((intent.slots[slot], (text,)))
        else:
            notes.append(say.said_values(f"{made.method} {slot}"))
    records: list[Record] = []
    for result in made.results:
        fields: list[tuple[str, Term]] = []
        for slot, text in result:
            place = intent.results.get(slot)
            if place is None:
                notes.append(say.said_values(f"{made.method} {slot}"))
            else:
                fields.append((place.name, argument(text, place, schema)))
        records.append(Record(tuple(fields)))
    names = {said.act for said in acts}
    failed = FAILED if "NOTIFY_FAILURE" in names and intent.acts else None
    outcome = Outcome(tuple(records), _count(acts, len(records)), False, failed)
    term = call(intent, given, schema) if intent.acts else query(intent, given, (), schema)
    return Statement(term, "confirmed", None, outcome)


def _count(acts: tuple[Said, ...], listed: int) -> Term | None:
    """How many there are, where the agent says another number than it lists."""
    for said in acts:
        if said.act == "INFORM_COUNT" and said.values and said.values[0].isascii() and said.values[0].isdigit():
            count = str(int(said.values[0]))
            return Lit("number", count) if count != str(listed) else None
    return None


def _proposal(confirmed: list[Said], service: Service, schema: Schema) -> Term:
    """The transaction that takes all the slots, best one that then lacks no argument; else a query."""
    slots = {said.slot for said in confirmed}
    fitting = [i for i in service.intents.values() if i.acts and slots <= i.slots.keys()]
    fitting.sort(key=lambda i: len(_required(i) - slots))
    head = fitting[0] if fitting else service.all
    values: Values = [(head.slots[said.slot], (said.values[0],)) for said in confirmed if said.slot in head.slots]
    return call(head, values, schema) if head.acts else query(head, values, (), schema)


def _required(intent: Intent) -> set[str]:
    optional = {p.name for p in getattr(intent.owner, "params", ()) if p.optional}
    return {slot for slot, place in intent.slots.items() if place.name not in optional}
