"""A schema in another notation, for `dlc schema show --as`. One entry each; a name stands here when it works."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlc.compiler.schema import Column, Parameter, Schema
    from dlc.compiler.types import Type

_PLAIN: Mapping[str, dict[str, Any]] = {
    "Bool": {"type": "boolean"},
    "Int": {"type": "integer"},
    "Number": {"type": "number"},
    "Text": {"type": "string"},
    "Date": {"type": "string", "format": "date"},
    "Time": {"type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?$"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Unit": {"type": "null"},
    "Dynamic": {},
}


def as_dl(schema: "Schema") -> str:
    """DL's own schema syntax."""
    from dlc.compiler.schema_text import print_schema
    from dlc.formatting import format_text

    return format_text(print_schema(schema))


def as_thingtalk(schema: "Schema") -> str:
    """ThingTalk class definitions."""
    from dlc.targets.thingtalk.write_classes import schema_to_classes

    return schema_to_classes(schema)


def as_sql(schema: "Schema") -> str:
    """CREATE TABLE statements for SQLite."""
    from dlc.targets.sql.ddl import write_ddl

    return write_ddl(schema)


def as_json_schema(schema: "Schema") -> str:
    """JSON Schema (2020-12): a definition for each enum, entity, table row and action call.

    What JSON Schema cannot say is left open: a function type accepts anything.
    """
    definitions: dict[str, Any] = {}
    for enum in schema.enums:
        members = [member.name for member in enum.members]
        definitions[enum.name] = {"type": "string"} if enum.open else {"type": "string", "enum": members}
        if enum.open and members:
            definitions[enum.name]["examples"] = members
    for entity in schema.entities:
        definitions[entity.name] = {"type": "string"}
    for wrapper in schema.wrappers:
        definitions[wrapper.name] = _type(wrapper.type)
    for table in schema.tables:
        # A table and an entity may share a name: the one is the row, the other its name in a field.
        row = f"{table.name}.row" if table.name in definitions else table.name
        required = [c.name for c in table.columns if not c.optional]
        definitions[row] = _object({c.name: _column(c) for c in table.columns}, required)
    for function in schema.functions:
        if function.action:
            required = [p.name for p in function.params if p.name is not None and not p.optional]
            arguments = {p.name: _parameter(p) for p in function.params if p.name is not None}
            definitions[function.name] = _object(arguments, required)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema.name,
        "$defs": definitions,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _column(column: "Column") -> dict[str, Any]:
    return {**_type(column.type), **_bounds(column.minimum, column.maximum)}


def _parameter(parameter: "Parameter") -> dict[str, Any]:
    return {**_type(parameter.type), **_bounds(parameter.minimum, parameter.maximum)}


def _bounds(minimum: str | None, maximum: str | None) -> dict[str, Any]:
    bounds = (("minimum", minimum), ("maximum", maximum))
    return {name: json.loads(value) for name, value in bounds if value is not None}


def _type(type_: "Type") -> dict[str, Any]:
    from dlc.compiler.types import Con, RecordType

    if isinstance(type_, RecordType):
        return _object({name: _type(inner) for name, inner in type_.fields}, [name for name, _ in type_.fields])
    if not isinstance(type_, Con):
        return {}
    if type_.name in _PLAIN:
        return dict(_PLAIN[type_.name])
    if type_.name == "List" and type_.args:
        return {"type": "array", "items": _type(type_.args[0])}
    if type_.name in ("Money", "Measure", "Duration", "Path", "Location"):
        return {"type": "string"}
    return {"$ref": f"#/$defs/{type_.name}"} if not type_.args else {}


VIEWS: Mapping[str, Callable[["Schema"], str]] = {
    "dl": as_dl,
    "thingtalk": as_thingtalk,
    "json-schema": as_json_schema,
    "sql": as_sql,
}
