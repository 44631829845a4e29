"""Running queries for the tests: the runtime's evaluator, rows as labelled values."""

from dlc.canon.equivalence import Run
from dlc.compiler.schema import Schema
from dlc.runtime.evaluate import Context, query_rows
from dlc.runtime.scalars import SCALARS


def runner(schema: Schema) -> Run:
    def run(term, database):  # type: ignore[no-untyped-def]
        relation = query_rows(term, Context(schema, database, dict(SCALARS)))
        return [
            tuple((label, value) for b in relation.binders for label, value in (row[b] or {}).items())
            for row in relation.rows
        ]

    return run
