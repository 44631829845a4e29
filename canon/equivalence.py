"""Whether two queries always give the same: canonical forms, then databases that tell them apart, then Z3.

A witness is replayed before it is reported, by an engine that is handed in (SQLite): what it does not show is no witness.

Rows are compared as a bag; in order too, where both queries end in a sort and the order is determined. A query
whose result depends on the order of rows in a table (a `take` among ties) is not judged on that database.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..compiler.schema import Schema
from ..compiler.terms import App, Lit, Term, Turn, children, rebuild, subterms
from .context import Assumptions
from .databases import Database, Pools, crowded_database, random_database, tables_in
from .pipeline import TRUSTING, canonical_term, canonicalize
from .verdict import Verdict, Witness

# Runs a query on a database: rows of (label, value) pairs. Raises anything for a query it cannot run.
Run = Callable[[Term, Database], Sequence[tuple[tuple[str, Any], ...]]]


@dataclass(frozen=True, slots=True)
class Replay:
    """Another engine, handed in, which has the last word.

    differ: whether two queries give different results there, None if they cannot be run there or the order of rows decides.
    alike: whether it keeps what both show, and what they combine by set operations, the same way; where it does not (a
    number here, its text there), equal values are no equal results.
    """

    name: str
    differ: Callable[[Term, Term, Database], bool | None]
    alike: Callable[[Term, Term], bool]


# Larger tables take too long to run for what they show.
_LARGEST = 24
_CROWD = 250
# How many smaller databases are tried before a witness is taken as it is.
_TRIES = 80

_OPEN = frozenset(("is_any", "is_none", "refer", "Execute", "revise", "intension"))


def equivalent(
    first: Term,
    second: Term,
    schema: Schema,
    run: Run | None = None,
    *,
    replay: Replay | None = None,
    distinct: bool = True,
    assume: Assumptions = TRUSTING,
    databases: int = 200,
    seed: int = 0,
    bound: int = 2,
    timeout_ms: int = 5000,
    smt: bool = True,
) -> Verdict:
    """The verdict on two queries or expressions over one schema.

    `run` executes queries (`runtime` hands it in); without it no database is tried. `replay` confirms witnesses.
    `distinct` False compares the queries without DISTINCT, as the published SQL metrics do. `bound` is the number of rows
    a table has at most in the proof; `smt` False leaves the proof out.
    """
    tried = ["canonical form"]
    if not distinct:
        first, second = without_distinct(first), without_distinct(second)
    first, second = by_position(first, second)
    first, second = converted(first), converted(second)
    a, b = canonical_term(first, schema, assume), canonical_term(second, schema, assume)
    unlike = f"{replay.name} keeps a number here as text there" if replay and not replay.alike(first, second) else ""
    if a == b:
        return _undecided(0, unlike, tried) if unlike else Verdict("equal", tried=tuple(tried))
    judged = 0
    reason = "no way to run queries was given"
    if run is not None:
        tried.append("random databases")
        search = _Search(a, b, schema, assume, run, random.Random(seed))
        witness, judged, reason = search.look(databases)
        if witness is not None:
            return _different(witness, first, second, replay, judged, tried)
    if unlike:
        return _undecided(0, unlike, tried)
    if not smt:
        return _undecided(judged, reason or "the proof was left out", tried)
    proof = prove(a, b, schema, assume, bound, timeout_ms)
    if proof.tried:
        tried.append("bounded proof")
    if proof.kind == "equal":
        return Verdict("equal", proof.bound, databases=judged, tried=tuple(tried))
    if proof.kind == "different" and proof.witness is not None and run is not None:
        # A counterexample of the prover counts only once running the queries shows it.
        search = _Search(a, b, schema, assume, run, random.Random(seed))
        witness = search.compare(proof.witness.database)
        if witness is not None:
            return _different(witness, first, second, replay, judged, tried)
        return Verdict("unknown", reason="running does not show the prover's counterexample", tried=tuple(tried))
    return _undecided(judged, proof.reason, tried)


def _different(
    witness: Witness, first: Term, second: Term, replay: Replay | None, judged: int, tried: list[str]
) -> Verdict:
    """A witness as it was found, once the other engine shows it too (the queries as given, not their forms)."""
    if replay is not None:
        name, shown = replay.name, replay.differ(first, second, witness.database)
        if shown is False:
            why = f"the evaluator and {name} disagree on a database: {witness.database}"
            return Verdict("unknown", reason=why, databases=judged, tried=(*tried, f"replay in {name}"))
        if shown:
            witness = replace(witness, replayed=name)
        tried = [*tried, f"replay in {name}"]
    return Verdict("different", witness=witness, databases=judged, tried=tuple(tried))


_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)\Z", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z", re.ASCII)


def converted(term: Term) -> Term:
    """The query with constants that are converted before they are compared in converted form: `text_of(2)` is "2"."""
    match term:
        case App("text_of", (Lit("number", value),)) if _WHOLE.match(value):
            return Lit("text", value)
        case App("number_of", (Lit("text", value),)) if _NUMBER.match(value):
            return Lit("number", value)
    parts = children(term)
    return rebuild(term, tuple(map(converted, parts))) if parts else term


_PLAIN = {"count_distinct": "count", "sum_distinct": "sum", "avg_distinct": "avg"}


def without_distinct(term: Term) -> Term:
    """The query with no DISTINCT in it, neither of rows nor in aggregates."""
    parts = children(term)
    made = rebuild(term, tuple(map(without_distinct, parts))) if parts else term
    if isinstance(made, App) and made.fn == "distinct":
        return made.args[0]
    return App(_PLAIN[made.fn], made.args, made.named) if isinstance(made, App) and made.fn in _PLAIN else made


def _undecided(judged: int, reason: str, tried: list[str]) -> Verdict:
    if judged:
        return Verdict("likely", databases=judged, reason=reason, tried=tuple(tried))
    return Verdict("unknown", reason=reason, tried=tuple(tried))


def prove(a: Term, b: Term, schema: Schema, assume: Assumptions, bound: int, timeout_ms: int) -> Verdict:
    """The bounded proof; says so if Z3 is not installed."""
    try:
        import z3  # noqa: F401
    except ImportError:
        return Verdict("unknown", reason="z3 is not installed (the `smt` extra): no proof was tried")
    from .prover.prove import bounded

    return bounded(a, b, schema, assume, bound, timeout_ms)


def by_position(first: Term, second: Term) -> tuple[Term, Term]:
    """Two queries whose columns have other names are compared by position: both get the same names."""
    labels = [_labels(first), _labels(second)]
    if labels[0] is None or labels[1] is None or sorted(labels[0]) == sorted(labels[1]):
        return first, second
    if len(labels[0]) != len(labels[1]):
        return first, second
    return _numbered(first), _numbered(second)


def _labels(term: Term) -> list[str] | None:
    if isinstance(term, App) and term.args and term.fn in ("take", "at", "distinct"):
        return _labels(term.args[0])
    plain = isinstance(term, App) and term.fn == "show" and all(label != "all_fields" for label, _ in term.named)
    return [label for label, _ in term.named] if plain and isinstance(term, App) else None


def _numbered(term: Term) -> Term:
    assert isinstance(term, App)
    if term.fn != "show":
        return App(term.fn, (_numbered(term.args[0]), *term.args[1:]))
    return App("show", term.args, tuple((f"c{i:03d}", over) for i, (_, over) in enumerate(term.named)))


def equivalent_turns(
    first: Turn,
    second: Turn,
    schema: Schema,
    run: Run | None = None,
    *,
    assume: Assumptions = TRUSTING,
    **options: Any,
) -> Verdict:
    """The verdict on two turns: acts and statements pairwise, outcomes by form. `options` are those of `equivalent`."""
    if len(first.statements) == len(second.statements) == 1 and (first.speaker, first.acts) == (
        second.speaker,
        second.acts,
    ):
        x, y = first.statements[0], second.statements[0]
        if x.let is y.let is None and x.outcome is y.outcome is None and x.status == y.status:
            return equivalent(x.term, y.term, schema, run, assume=assume, **options)
    a, b = canonicalize(first, schema, assume), canonicalize(second, schema, assume)
    if a == b:
        return Verdict("equal", tried=("canonical form",))
    if (a.speaker, a.acts) != (b.speaker, b.acts) or len(a.statements) != len(b.statements):
        return Verdict("different", reason="acts or number of statements differ", tried=("canonical form",))
    worst = Verdict("equal", tried=("canonical form",))
    for x, y in zip(a.statements, b.statements, strict=True):
        if x == y:
            continue
        if (x.status, x.let, x.outcome) != (y.status, y.let, y.outcome):
            return Verdict("different", reason="status or outcome differs", tried=("canonical form",))
        verdict = equivalent(x.term, y.term, schema, run, assume=assume, **options)
        if verdict.kind != "equal":
            worst = verdict
            if verdict.kind == "different":
                return verdict
        elif worst.kind == "equal" and verdict.bound is not None:
            worst = verdict
    return worst


class _Search:
    def __init__(self, a: Term, b: Term, schema: Schema, assume: Assumptions, run: Run, rng: random.Random) -> None:
        self.a, self.b, self.run, self.rng, self.assume = a, b, run, rng, assume
        self.tables = tables_in((a, b), schema)
        self.pools = Pools((a, b), schema)
        self.ordered = ends_sorted(a) and ends_sorted(b)
        self.failure = ""

    def look(self, count: int) -> tuple[Witness | None, int, str]:
        """A witness if one is found, how many databases were judged, and why not more could be said."""
        if any(isinstance(p, App) and p.fn in _OPEN for t in (self.a, self.b) for p in subterms(t)):
            return None, 0, "marks and references have no value in a database"
        judged = 0
        numbers = sorted({n for n in numbers_of_rows((self.a, self.b)) if n <= _CROWD})
        crowds = [size for n in numbers for size in (n, n + 1, max(n - 1, 1)) if size > 3][:12] if count else []
        largest = min(max((8, *(2 * n + 2 for n in numbers))), _LARGEST)
        for i in range(count + len(crowds)):
            if i < len(crowds):
                database = crowded_database(self.tables, self.pools, self.rng, crowds[i], self.assume.keys)
            else:
                # Every other database is small, so that rows meet and witnesses are short.
                size = 1 + i % (5 if i % 2 else largest)
                database = random_database(self.tables, self.pools, self.rng, size, self.assume.keys)
            found = self.judge(database)
            if isinstance(found, Witness):
                return self.smaller(found), judged + 1, ""
            judged += found
            if self.failure and not judged:
                return None, 0, self.failure
        return None, judged, "" if judged else "the result depends on the order of rows in the tables"

    def judge(self, database: Database) -> Witness | bool:
        """A witness, or whether the database says anything."""
        turned = {name: rows[::-1] for name, rows in database.items()}
        try:
            x, y = self.run(self.a, database), self.run(self.b, database)
            stable = _same(x, self.run(self.a, turned), False) and _same(y, self.run(self.b, turned), False)
            if not stable:
                # Which rows come is not determined; how many do may be, and tells as much.
                counts = [(len(q), len(self.run(t, turned))) for q, t in ((x, self.a), (y, self.b))]
                if counts[0][0] == counts[0][1] != counts[1][0] == counts[1][1]:
                    return Witness(database, tuple(x), tuple(y))
                return False
            if not _same(x, y, False):
                return Witness(database, tuple(x), tuple(y))
            if self.ordered and not _same(x, y, True):
                settled = _same(x, self.run(self.a, turned), True) and _same(y, self.run(self.b, turned), True)
                return Witness(database, tuple(x), tuple(y)) if settled else True
        except Exception as error:  # whatever running raises is the runner's to explain
            self.failure = f"a query cannot be run: {error}"
            return False
        return True

    def compare(self, database: Database) -> Witness | None:
        """A witness on one given database."""
        found = self.judge({name: database.get(name, []) for name in self.tables})
        return found if isinstance(found, Witness) else None

    def smaller(self, witness: Witness) -> Witness:
        """The witness with rows gone that it does not need: halves of a table, then less, down to single rows."""
        tries = _TRIES
        # Rows that refer go before the rows they refer to.
        for name in reversed(self.tables):
            step = max(len(witness.database[name]) // 2, 1)
            while step and tries > 0:
                start = len(witness.database[name]) - step
                while start > -step and tries > 0:
                    rows = witness.database[name]
                    trial = {**witness.database, name: rows[: max(start, 0)] + rows[start + step :]}
                    start -= step
                    if self.assume.keys and not self._refers(trial):
                        continue
                    tries -= 1
                    found = self.judge(trial)
                    if isinstance(found, Witness):
                        witness = found
                step //= 2
        return witness

    def _refers(self, database: Database) -> bool:
        for name, rows in database.items():
            for column in self.pools.schema.table[name].columns:
                if column.references is None or column.references[0] not in database:
                    continue
                there = [r[column.references[1]] for r in database[column.references[0]]]
                if any(r[column.name] is not None and r[column.name] not in there for r in rows):
                    return False
        return True


def numbers_of_rows(terms: Sequence[Term]) -> list[int]:
    """Numbers that counts are compared with, and of rows that are taken: a database needs as many rows to show them."""
    found: list[int] = []
    for part in (p for term in terms for p in subterms(term)):
        if not isinstance(part, App) or len(part.args) < 2:
            continue
        counting = part.fn in ("take", "at") or any(
            isinstance(a, App) and a.fn in ("count", "count_distinct") for a in part.args
        )
        if counting:
            found += [int(a.value) for a in part.args if isinstance(a, Lit) and a.value.isdigit() and len(a.value) < 6]
    return found


def ends_sorted(term: Term) -> bool:
    """Whether a query's rows come in an order that was asked for."""
    while isinstance(term, App) and term.args and term.fn in ("show", "take", "at", "distinct", "where"):
        term = term.args[0]
    return isinstance(term, App) and term.fn == "sort"


def _same(x: Sequence[tuple[tuple[str, Any], ...]], y: Sequence[tuple[tuple[str, Any], ...]], ordered: bool) -> bool:
    """Rows equal as bags or lists: by label if the labels are the same, else by position."""
    if len(x) != len(y):
        return False
    if x and y:
        labels = sorted(label for label, _ in x[0])
        by_label = labels == sorted(label for label, _ in y[0]) and len(set(labels)) == len(labels)
        if by_label:
            x = [tuple(sorted(row, key=lambda c: c[0])) for row in x]
            y = [tuple(sorted(row, key=lambda c: c[0])) for row in y]
    left = [tuple(_key(v) for _, v in row) for row in x]
    right = [tuple(_key(v) for _, v in row) for row in y]
    return left == right if ordered else Counter(left) == Counter(right)


def _key(value: Any) -> Any:
    """A value as a key: sums of floats in another order are one value, booleans are no numbers."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, tuple):
        return tuple(_key(v) for v in value)
    if isinstance(value, list | dict):
        return repr(value)
    return value
