"""The schema the written cases are over: the two of the random tests, and an action."""

import canon_pairs
import canon_queries

from dlc.compiler.schema import merge
from dlc.compiler.schema_text import read_schema

GOLDEN = merge(
    merge(canon_pairs.SCHEMA, canon_queries.SCHEMA),
    read_schema("schema golden action reserve(; lodge: Int, hour: Time, people: Number) -> { ref: Text }"),
)
