"""Random databases for a schema: small tables with repeats and missing values."""

import random
from datetime import date
from typing import Any

from dlc.compiler.schema import Column, Schema
from dlc.compiler.types import Con


def random_database(
    rng: random.Random, schema: Schema, rows: int = 4, missing: float = 0.25
) -> dict[str, list[dict[str, Any]]]:
    """Up to `rows` rows a table; keys are unique, optional columns are missing with the given chance."""
    database: dict[str, list[dict[str, Any]]] = {}
    for table in schema.tables:
        database[table.name] = []
        for i in range(rng.randint(0, rows)):
            row = {c.name: f"{table.name}{i}" if c.key else _value(rng, schema, c, missing) for c in table.columns}
            database[table.name].append(row)
    return database


def _value(rng: random.Random, schema: Schema, column: Column, missing: float) -> Any:
    if column.optional and rng.random() < missing:
        return None
    assert isinstance(column.type, Con)
    match column.type.name:
        case "Bool":
            return rng.random() < 0.5
        case "Number" | "Int":
            return rng.choice((-3, 0, 1, 2.5, 4, 100))
        case "Text":
            return rng.choice(("", "north", "ab", "Rxy"))
        case "Time":
            return rng.choice((0, 3600, 45000, 86340))
        case "Date":
            return rng.choice((date(2015, 1, 1), date(2020, 2, 29), date(2030, 12, 31)))
        case "Duration":
            return rng.choice((60, 3600, 86400))
        case "Money":
            return (rng.choice(("usd", "eur")), rng.choice((1, 20, 50)))
    enum = schema.enum.get(column.type.name)
    if enum is not None:
        return rng.choice(enum.members).name
    return rng.choice(("acorn", "the lodge", "x", "id1", f"{column.type.name}0"))
