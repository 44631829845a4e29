"""The Python interface to canonical forms and equivalence of single programs."""

from typing import TYPE_CHECKING, Any

from .programs import Program, _schema, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlc.canon.equivalence import Replay, Run
    from dlc.canon.verdict import Verdict
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Term, Turn


def canonicalize(program: "Program | str", schema: "Schema | str | None" = None) -> Program:
    """A program in canonical form: text or Program in, Program out. Raises CompileError for text that does not parse."""
    from dlc.canon.pipeline import Canonicalizer
    from dlc.compiler.check import prelude
    from dlc.compiler.schema import merge

    loaded = _schema(schema, program)
    canonical = Canonicalizer(merge(prelude(), loaded))
    turns = (parse(program) if isinstance(program, str) else program).turns
    return Program(tuple(canonical.turn(turn) for turn in turns), loaded)


def equivalent(
    first: str, second: str, schema: "Schema | str", *, databases: int = 200, bound: int = 2,
    timeout_ms: int = 5000, smt: bool = True, keys: bool = True, seed: int = 0, distinct: bool = True,
) -> "Verdict":  # fmt: skip
    """The verdict on two queries, written in DL. Raises CompileError for text that does not parse."""
    from dlc.canon.context import Assumptions
    from dlc.canon.equivalence import equivalent as judge
    from dlc.compiler.check import prelude
    from dlc.compiler.lower import lower_query
    from dlc.compiler.schema import merge
    from dlc.grammar.parser import parse as parse_text

    full = merge(prelude(), _schema(schema, ""))
    a, b = (lower_query(parse_text(text, "query"))[0] for text in (first, second))
    return judge(
        a, b, full, run_on(full), replay=replay_on(full), distinct=distinct, assume=Assumptions(keys), databases=databases, seed=seed, bound=bound,
        timeout_ms=timeout_ms, smt=smt,
    )  # fmt: skip


def verdict_on(first: "Turn", second: "Turn", full: "Schema", **options: Any) -> "Verdict":
    """The verdict on two turns over a schema with the prelude, witnesses replayed in SQLite. options: of `equivalent_turns`.

    What a database cannot show (a user who does not care, another action) may be certain all the same.
    """
    from dlc.canon.difference import certainly
    from dlc.canon.equivalence import equivalent_turns
    from dlc.canon.pipeline import TRUSTING, canonicalize
    from dlc.canon.verdict import Verdict

    verdict = equivalent_turns(first, second, full, run_on(full), replay=replay_on(full), **options)
    if verdict.kind in ("equal", "different"):
        return verdict
    assume = options.get("assume", TRUSTING)
    known = certainly(canonicalize(first, full, assume), canonicalize(second, full, assume), full)
    return verdict if known is None else Verdict("different", reason=known, tried=("canonical form",))


def by_form(first: "Turn", second: "Turn") -> "Verdict":
    """The verdict on two turns in canonical form of which one has parts outside DL: what these do is not known."""
    from dlc.canon.verdict import Verdict

    if first == second:
        return Verdict("equal", tried=("canonical form",))
    why = "a part is outside DL, and the canonical forms are not the same"
    return Verdict("unknown", reason=why, tried=("canonical form",))


def run_on(schema: "Schema") -> "Run":
    """How queries are run to tell them apart: the runtime's evaluator over rows in memory."""
    from dlc.runtime.evaluate import Context, query_rows
    from dlc.runtime.scalars import SCALARS

    def run(term: "Term", database: Any) -> "Sequence[tuple[tuple[str, Any], ...]]":
        relation = query_rows(term, Context(schema, database, dict(SCALARS)))
        return [
            tuple((label, value) for b in relation.binders for label, value in (row[b] or {}).items())
            for row in relation.rows
        ]

    return run


def replay_on(schema: "Schema") -> "Replay":
    """How witnesses are replayed: both queries as SQL in SQLite, on the witness's rows."""
    from dlc.canon.equivalence import Replay
    from dlc.runtime.sql_replay import differ_in_sqlite, kept_alike

    return Replay(
        "SQLite",
        lambda first, second, database: differ_in_sqlite(first, second, database, schema),
        lambda first, second: kept_alike(first, second, schema),
    )
