"""SGD's `schema.json` (Rastogi et al. 2020, section 3.1) as a DL schema.

A service is a table of all its slots; each transactional intent is an action, its result slots the columns of what it
gives. A categorical slot is a closed enum, of yes and no if its values are True and False; every other slot is text,
because services disagree on how they write dates and numbers. Facts: `@slot` holds the name or value as SGD has it,
`@default` the value of an optional slot, `@intent` on a table the intents that only search.
"""

import re
from collections.abc import Iterable
from typing import Any

from ...compiler.schema import Column, EnumType, Facts, Function, Member, Parameter, Schema, Table
from ...compiler.types import BOOL, TEXT, Con, RecordType, Type
from ...grammar.diagnostic import CompileError
from . import notes as say

_BOOLEANS = frozenset(("True", "False"))


def sgd_schema(services: Any, name: str = "sgd") -> Schema:
    """The schema of a parsed `schema.json`, a list of services. Raises CompileError (DLC308)."""
    if not isinstance(services, list) or not services:
        raise CompileError(say.no_sgd_schema("a list of services is expected"))
    enums: list[EnumType] = []
    tables: list[Table] = []
    actions: list[Function] = []
    for service in services:
        called = _text(service, "service_name", "a service")
        if any(table.name == called for table in tables):
            raise CompileError(say.no_sgd_schema(f"the service {called} is declared twice"))
        types: dict[str, Type] = {}
        for slot in _list(service, "slots", called):
            own = _text(slot, "name", f"a slot of {called}")
            types[own] = _type(f"{called}_{own}", slot, enums)
        searches: list[str] = []
        for intent in _list(service, "intents", called):
            made = _intent(intent, called, types)
            if intent.get("is_transactional") is True:
                actions.append(made)
            else:
                searches.append(_text(intent, "name", f"an intent of {called}"))
        columns = tuple(Column(own, type_, facts=(("slot", own),)) for own, type_ in types.items())
        facts: Facts = (("slot", called), *([("intent", tuple(searches))] if searches else []))
        tables.append(Table(called, columns, facts))
    return Schema(name, enums=tuple(enums), tables=tuple(tables), functions=tuple(actions))


def _type(name: str, slot: dict[str, Any], enums: list[EnumType]) -> Type:
    values = slot.get("possible_values")
    if slot.get("is_categorical") is not True or not isinstance(values, list) or not values:
        return TEXT
    if not all(isinstance(value, str) for value in values):
        raise CompileError(say.no_sgd_schema(f"the possible values of {name} are no texts"))
    if _BOOLEANS.issuperset(values):
        return BOOL
    enums.append(EnumType(name, tuple(_members(dict.fromkeys(values)))))
    return Con(name)


def _members(values: Iterable[str]) -> Iterable[Member]:
    taken: set[str] = set()
    for value in values:
        plain = re.sub(r"\W", "_", value, flags=re.ASCII) or "_"
        plain = f"n{plain}" if plain[0].isdigit() else plain
        made, count = plain, 2
        while made in taken:
            made, count = f"{plain}_{count}", count + 1
        taken.add(made)
        yield Member(made, () if made == value else (("slot", value),))


def _intent(intent: Any, service: str, types: dict[str, Type]) -> Function:
    own = _text(intent, "name", f"an intent of {service}")
    where = f"{service}.{own}"

    def known(slot: Any) -> str:
        if not isinstance(slot, str) or slot not in types:
            raise CompileError(say.no_sgd_schema(f"{where} names a slot that {service} does not have: {slot!r}"))
        return slot

    optional = intent.get("optional_slots") or {}
    if not isinstance(optional, dict):
        raise CompileError(say.no_sgd_schema(f"the optional slots of {where} are no object"))
    params = [
        Parameter(known(s), types[s], facts=(("slot", s),)) for s in _list(intent, "required_slots", where, texts=True)
    ]
    for slot, default in optional.items():
        facts: Facts = (("slot", slot), ("default", str(default)))
        params.append(Parameter(known(slot), types[slot], optional=True, facts=facts))
    results = _list(intent, "result_slots", where, texts=True)
    columns = tuple(Column(known(s), types[s], facts=(("slot", s),)) for s in results)
    result = RecordType(tuple((c.name, c.type) for c in columns))
    facts = (("slot", service), ("intent", own))
    return Function(f"{service}_{own}", tuple(params), result, action=True, columns=columns, facts=facts)


def _text(of: Any, key: str, what: str) -> str:
    value = of.get(key) if isinstance(of, dict) else None
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]\w*", value, re.ASCII):
        raise CompileError(say.no_sgd_schema(f"{what} has no `{key}` that is a name"))
    return value


def _list(of: dict[str, Any], key: str, what: str, texts: bool = False) -> list[Any]:
    value = of.get(key)
    kind = str if texts else dict
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise CompileError(say.no_sgd_schema(f"`{key}` of {what} is no list of {'names' if texts else 'objects'}"))
    return value
