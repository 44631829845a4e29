"""A schema as a ThingTalk class file: the classes that `write` writes programs for."""

from ...compiler.schema import Column, Facts, Function, Parameter, Schema, Table, fact
from ...compiler.types import Con
from .write_names import NOT_SAID, Called, Names
from .write_values import string

_HEAD = """  import loader from @org.thingpedia.v2();
  import config from @org.thingpedia.config.none();
"""


def schema_to_classes(schema: Schema) -> str:
    """Class definitions, one for each class that a table, action or entity type is declared in.

    Tables and actions marked `@thingtalk no`, functions and acts have no place in a class file and are left out.
    """
    names = Names(schema)
    kinds: dict[str, list[str]] = {}
    for line in _entities(schema, names):
        kinds.setdefault(line[0], []).append(line[1])
    declarations: list[Table | Function] = [*schema.tables, *(f for f in schema.functions if f.action)]
    for declared in declarations:
        called = names.called(declared)
        if called is not None:
            text = _table(declared, called, names) if isinstance(declared, Table) else _action(declared, called, names)
            kinds.setdefault(called.kind, []).append(text)
    return "\n".join(f"class @{kind}\n{{\n{_HEAD}\n" + "\n".join(body) + "}\n" for kind, body in kinds.items())


def _entities(schema: Schema, names: Names) -> list[tuple[str, str]]:
    """Entity types by class. Tables' own row types are entities too; types of another vendor stay theirs."""
    listed = [(e.name, e.supertype, e.facts) for e in schema.entities]
    listed += [(t.name, None, ()) for t in schema.tables if t.name not in schema.entity and _is_used(t.name, schema)]
    out = []
    for name, supertype, facts in listed:
        if fact(facts, "thingtalk") == NOT_SAID:
            continue
        kind, _, own = names.entity(name).partition(":")
        if kind == "tt":
            continue
        above = f" extends ^^{names.entity(supertype)}" if supertype is not None else ""
        out.append((kind, f"  entity {own}{above} #_[name={string(name)}] #[has_ner=true];\n"))
    return out


def _is_used(name: str, schema: Schema) -> bool:
    columns = [c.type for t in schema.tables for c in t.columns]
    columns += [p.type for f in schema.functions for p in f.params]
    return Con(name) in columns


def _table(table: Table, called: Called, names: Names) -> str:
    fields = names.fields(table)
    members = [_output(c, fields[c.name] or "", names) for c in table.columns if fields[c.name] is not None]
    key = next((fields[c.name] for c in table.columns if c.key and fields[c.name] is not None), None)
    minimal = (
        f"\n  #[minimal_projection=[{string(key)}]]"
        if key is not None and key == "id"
        else "\n  #[minimal_projection=[]]"
    )
    return f"  list query {called.name}(" + _members(members) + f"){minimal}\n  #[confirm=false];\n"


def _action(action: Function, called: Called, names: Names) -> str:
    fields = names.fields(action)
    members: list[str] = []
    given: set[str] = set()
    for parameter in action.params:
        name = fields.get(parameter.name or "")
        if name is not None:
            given.add(name)
            members.append(_input(parameter, name, names))
    for column in action.columns:
        name = fields.get(column.name)
        if name is not None and name not in given:
            given.add(name)
            members.append(_output(column, name, names))
    errors = ", ".join(f"{e.name}=[{string(e.name)}]" for e in action.errors)
    raised = f"\n  #_[on_error={{{errors}}}]" if errors else ""
    return f"  action {called.name}(" + _members(members) + f")\n  #[confirm=false]{raised};\n"


def _members(members: list[str]) -> str:
    return ",\n    ".join(["", *members])[1:].lstrip() if members else ""


def _input(parameter: Parameter, name: str, names: Names) -> str:
    need = "opt" if parameter.optional else "req"
    bounds = _bounds(parameter.minimum, parameter.maximum)
    return f"in {need} {name} : {names.type(parameter.type)}{bounds}{_canonical(parameter.name or name)}"


def _output(column: Column, name: str, names: Names) -> str:
    notes = _bounds(column.minimum, column.maximum)
    notes += " #[unique=true]" if column.key or column.unique else ""
    notes += " #[filterable=false]" if fact(column.facts, "filterable") == NOT_SAID else ""
    notes += _operator(column.facts)
    return f"out {name} : {names.type(column.type)}{notes}{_canonical(column.name)}"


def _operator(facts: Facts) -> str:
    operator = fact(facts, "op")
    return f" #[slot_operator={string(operator)}]" if operator in ("<=", ">=") else ""


def _bounds(minimum: str | None, maximum: str | None) -> str:
    low = f" #[min_number={minimum}]" if minimum is not None else ""
    return low + (f" #[max_number={maximum}]" if maximum is not None else "")


def _canonical(name: str) -> str:
    return f" #_[canonical={{base=[{string(name.replace('_', ' '))}]}}]"
