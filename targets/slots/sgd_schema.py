"""SGD's `schema.json` (Rastogi et al. 2020, section 3.1), and MultiWOZ 2.2's in the same layout, as a DL schema.

A service is a table of all its slots. Each of its intents is declared beside it: one that only searches is a table of
the slots it takes and gives, a transactional one is an action, its result slots the columns of what it gives. So the
head of a statement says the intent, and the service's own table whatever a state holds beyond it. A categorical slot
is a closed enum, of yes and no if its values are True and False; every other slot is text, because services disagree
on how they write dates and numbers. Acts are those of the paper's table 6.

Facts: `@accumulate "service"` on the schema, `@slot` the name or value as SGD has it (on tables and actions the
service), `@sql` such a value in a database, `@intent` the intent of a table or action, `@default` the value of an
optional slot, `@thingtalk` a class for each service.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from ...compiler.check import prelude
from ...compiler.operators import OPERATORS
from ...compiler.relations import RELATIONAL
from ...compiler.schema import ActDecl, Column, EnumType, Facts, Function, Member, Parameter, Schema, Table
from ...compiler.types import BOOL, TEXT, Con, RecordType, Type
from ...grammar.diagnostic import CompileError
from ..thingtalk.write_names import identifier
from . import notes as say

_MARKS: Final = frozenset(("any", "none", "missing", "it", "everything", "true", "false", "coerce"))
_BOOLEANS = frozenset(("True", "False"))
_IDENTIFIER: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z][\w -]*", re.ASCII)

# Act, whether it is about slots, its ThingTalk act. The first declared of several in a turn decides that one.
_USER_ACTS: Final = (
    ("REQUEST", True, "execute"),
    ("INFORM_INTENT", False, "execute"),
    ("AFFIRM_INTENT", False, "execute"),
    ("INFORM", True, "execute"),
    ("REQUEST_ALTS", False, "execute"),
    ("AFFIRM", False, "execute"),
    ("SELECT", True, "execute"),
    ("NEGATE", False, "cancel"),
    ("NEGATE_INTENT", False, "cancel"),
    ("THANK_YOU", False, "cancel"),
    ("GOODBYE", False, "cancel"),
)
_AGENT_ACTS: Final = (
    ("NOTIFY_FAILURE", False, "sys_action_error"),
    ("NOTIFY_SUCCESS", False, "sys_action_success"),
    ("CONFIRM", True, "sys_confirm_action"),
    ("REQUEST", True, "sys_search_question"),
    ("OFFER_INTENT", False, "sys_recommend_one"),
    ("OFFER", True, "sys_recommend_one"),
    ("INFORM", True, "sys_recommend_one"),
    ("INFORM_COUNT", False, "sys_generic_search_question"),
    ("REQ_MORE", False, "sys_anything_else"),
    ("GOODBYE", False, "sys_end"),
)
FAILED: Final = "failed"
"""The error code of every action: NOTIFY_FAILURE names none."""


@dataclass
class _Made:
    """Declarations so far, the names they have taken, and those that no member of an enum may have: it would read as
    the table, action or function of that name.
    """

    enums: list[EnumType] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    actions: list[Function] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    reserved: set[str] = field(default_factory=set)
    tables_of: dict[str, str] = field(default_factory=dict)

    def named(self, wanted: str) -> str:
        """A name of its own for a declaration."""
        made, count = wanted, 2
        while made in self.taken:
            made, count = f"{wanted}_{count}", count + 1
        self.taken.add(made)
        return made


def sgd_schema(services: Any, name: str = "sgd") -> Schema:
    """The schema of a parsed `schema.json`, a list of services. Raises CompileError (DLC308)."""
    if not isinstance(services, list) or not services:
        raise CompileError(say.no_sgd_schema("a list of services is expected"))
    made = _Made()
    core = {*OPERATORS, *RELATIONAL, *prelude().function, *_MARKS}
    names = [_text(service, "service_name", "a service") for service in services]
    for service, called in zip(services, names, strict=True):
        if called in made.tables_of:
            raise CompileError(say.no_sgd_schema(f"the service {called} is declared twice"))
        made.tables_of[called] = made.named(f"{called}_" if called in core else called)
        listed = _list(service, "intents", called)
        made.reserved |= {made.tables_of[called], *(f"{called}_{intent.get('name')}" for intent in listed)}
    made.reserved |= core
    for service, called in zip(services, names, strict=True):
        _service(service, called, f"org.dlc.{_plain(name)}", made)
    return Schema(
        name,
        enums=tuple(made.enums),
        tables=tuple(made.tables),
        functions=tuple(made.actions),
        acts=(*(_act("user", *act) for act in _USER_ACTS), *(_act("agent", *act) for act in _AGENT_ACTS)),
        facts=(("accumulate", "service"),),
    )


def _act(speaker: Any, annotated: str, fields: bool, thingtalk: str) -> ActDecl:
    facts: Facts = (("slot", annotated), ("thingtalk", thingtalk))
    if annotated == "REQUEST" and speaker == "user":
        facts = (*facts, ("thingtalk_action", "action_question"))
    params = (Parameter("fields", Con("Path"), positional=True),) if fields else ()
    return ActDecl(speaker, annotated.lower(), params, facts)


def _service(service: dict[str, Any], called: str, vendor: str, made: _Made) -> None:
    columns: dict[str, Column] = {}
    plain: set[str] = set()
    for slot in _list(service, "slots", called):
        own = _text(slot, "name", f"a slot of {called}")
        if own in columns:
            raise CompileError(say.no_sgd_schema(f"the slot {own} of {called} is declared twice"))
        short = own.removeprefix(f"{called}-")
        column = _distinct(_plain(short), plain)
        columns[own] = Column(column, _type(f"{_plain(called)}_{column}", slot, made), facts=(("slot", own),))
    own_class = identifier(_plain(called))
    kind = f"{vendor}.{own_class}"
    functions = {own_class}
    facts: Facts = (("slot", called), ("thingtalk", f"{kind}.{own_class}"))
    made.tables.append(Table(made.tables_of[called], tuple(columns.values()), facts))
    for intent in _list(service, "intents", called):
        own = _text(intent, "name", f"an intent of {called}")
        facts = (
            ("slot", called),
            ("intent", own),
            ("thingtalk", f"{kind}.{_distinct(identifier(_plain(own)), functions)}"),
        )
        _intent(intent, f"{called}.{own}", columns, facts, made)


def _distinct(wanted: str, taken: set[str]) -> str:
    made, count = wanted, 2
    while made in taken:
        made, count = f"{wanted}_{count}", count + 1
    taken.add(made)
    return made


def _plain(text: str) -> str:
    """The identifier nearest to a name or value."""
    plain = re.sub(r"\W", "_", text, flags=re.ASCII) or "_"
    return f"n{plain}" if plain[0].isdigit() else plain


def _type(name: str, slot: dict[str, Any], made: _Made) -> Type:
    values = slot.get("possible_values")
    if slot.get("is_categorical") is not True or not isinstance(values, list) or not values:
        return TEXT
    if not all(isinstance(value, str) for value in values):
        raise CompileError(say.no_sgd_schema(f"the possible values of {name} are no texts"))
    if _BOOLEANS.issuperset(values):
        return BOOL
    enum = made.named(name)
    made.enums.append(EnumType(enum, tuple(_members(dict.fromkeys(values), made.reserved))))
    return Con(enum)


def _members(values: Iterable[str], reserved: set[str]) -> Iterable[Member]:
    taken = set(reserved)
    for value in values:
        member = _distinct(_plain(value), taken)
        yield Member(member, () if member == value else (("slot", value), ("sql", value)))


def _intent(intent: dict[str, Any], where: str, columns: dict[str, Column], facts: Facts, made: _Made) -> None:
    def known(slot: Any) -> Column:
        if not isinstance(slot, str) or slot not in columns:
            raise CompileError(say.no_sgd_schema(f"{where} names a slot that its service does not have: {slot!r}"))
        return columns[slot]

    optional = intent.get("optional_slots") or {}
    if not isinstance(optional, dict):
        raise CompileError(say.no_sgd_schema(f"the optional slots of {where} are no object"))
    required = [known(slot) for slot in _list(intent, "required_slots", where, texts=True)]
    chosen = [(known(slot), str(default)) for slot, default in optional.items()]
    # MultiWOZ 2.2 lists no results: an intent gives what its service has.
    listed = "result_slots" in intent
    results = [known(s) for s in _list(intent, "result_slots", where, texts=True)] if listed else [*columns.values()]
    name = made.named(where.replace(".", "_", 1))
    if intent.get("is_transactional") is not True:
        used = {c.name for c in (*required, *(c for c, _ in chosen), *results)}
        made.tables.append(Table(name, tuple(c for c in columns.values() if c.name in used), facts))
        return
    params = [Parameter(c.name, c.type, facts=c.facts) for c in required]
    params += [Parameter(c.name, c.type, optional=True, facts=(*c.facts, ("default", d))) for c, d in chosen]
    result: Type = RecordType(tuple((c.name, c.type) for c in results)) if results else Con("_")
    errors = (Member(FAILED),)
    made.actions.append(
        Function(name, tuple(params), result, action=True, columns=tuple(results), errors=errors, facts=facts)
    )


def _text(of: Any, key: str, what: str) -> str:
    value = of.get(key) if isinstance(of, dict) else None
    pattern = _NAME if key == "name" else _IDENTIFIER
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise CompileError(say.no_sgd_schema(f"{what} has no `{key}` that is a name"))
    return value


def _list(of: dict[str, Any], key: str, what: str, texts: bool = False) -> list[Any]:
    value = of.get(key)
    kind = str if texts else dict
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise CompileError(say.no_sgd_schema(f"`{key}` of {what} is no list of {'names' if texts else 'objects'}"))
    return value
