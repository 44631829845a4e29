"""SQL answers judged by meaning: proved equal to gold, whatever their spelling.

As the published measures without values do, DISTINCT does not count, gold's values are tried in the places of the answer's,
and a join without a condition is one along the first foreign key that connects its tables, and no value is missing: the
schemas do not say where one may be.
"""

import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from dlc.grammar.diagnostic import CompileError
from dlc.metrics.sql_plug import plugged

if TYPE_CHECKING:
    from dlc.canon.equivalence import Replay, Run
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Term

Kind: TypeAlias = Literal["equal", "likely", "unknown", "different", "unreadable"]
KINDS: Final[tuple[Kind, ...]] = ("equal", "likely", "unknown", "different", "unreadable")
"""From the best to the worst."""

# What systems that predict no values write in their place, where it is no name.
_PLACEHOLDER = re.compile(r"""(?<![\w."'`])value(?![\w."'`])""")
_TRIED = 64
_DATABASES = 60
_TIMEOUT_MS = 2000


class MeaningJudge:
    """Compares answers over one database's schema. Raises CompileError (DLC255) for a schema SQL cannot have."""

    def __init__(self, schema: "Schema") -> None:
        from dlc.compiler.check import Checker
        from dlc.targets.sql.names import Catalog

        from .meaning import replay_on, run_on

        self.catalog: Catalog = Catalog(schema)
        self._schema: Schema = Checker(without_missing(schema)).schema
        self._run: Run = run_on(self._schema)
        self._replay: Replay = replay_on(schema)
        self._known: dict[tuple[str, str], Kind] = {}

    def read(self, query: str) -> "Term":
        """A query as DL, joins completed. Raises CompileError."""
        from dlc.canon.lets import plain_lets
        from dlc.targets.sql.read import read_sql

        turn = plain_lets(read_sql(query, self.catalog)[0])
        return completed(turn.statements[-1].term, self._schema)

    def judge(self, gold: str, answer: str) -> Kind:
        """How close an answer is shown to be; `unreadable` too if gold cannot be read."""
        key = (gold, answer)
        if key not in self._known:
            self._known[key] = self._judge(gold, answer)
        return self._known[key]

    def _judge(self, gold: str, answer: str) -> Kind:
        from dlc.canon.equivalence import converted, equivalent, without_distinct
        from dlc.canon.pipeline import canonical_term

        try:
            wanted = self.read(gold)
        except CompileError:
            return "unreadable"
        given: dict[Term, None] = {}
        for candidate in islice(plugged(gold, _PLACEHOLDER.sub("1", answer)), _TRIED):
            try:
                given[self.read(candidate)] = None
            except CompileError:
                continue
        if not given:
            return "unreadable"
        form = canonical_term(converted(without_distinct(wanted)), self._schema)
        # The candidate of the same form, if there is one, first: most answers end there.
        ordered = sorted(given, key=lambda t: canonical_term(converted(without_distinct(t)), self._schema) != form)
        found: set[Kind] = set()
        for term in ordered:
            verdict = equivalent(
                wanted, term, self._schema, self._run, replay=self._replay, distinct=False, databases=_DATABASES,
                timeout_ms=_TIMEOUT_MS,
            )  # fmt: skip
            if verdict.kind == "equal":
                return "equal"
            found.add(verdict.kind)
        return next(kind for kind in KINDS if kind in found)


def without_missing(schema: "Schema") -> "Schema":
    """The schema with every column required."""
    tables = (replace(t, columns=tuple(replace(c, optional=False) for c in t.columns)) for t in schema.tables)
    return replace(schema, tables=tuple(tables))


def completed(term: "Term", schema: "Schema") -> "Term":
    """The query with a condition for each join that has none: the first foreign key between the tables."""
    from dlc.compiler.terms import Abs, App, Field, Var, children, rebuild

    parts = children(term)
    made = rebuild(term, tuple(completed(p, schema) for p in parts)) if parts else term
    if not (isinstance(made, App) and made.fn == "join" and len(made.args) == 2):
        return made
    left, right = _binders(made.args[0], schema), _binders(made.args[1], schema)
    if left is None or right is None:
        return made
    for one, others in ((right, left), (left, right)):
        for binder, table in one.items():
            for column in schema.table[table].columns:
                for other, parent in others.items():
                    if column.references is not None and column.references[0] == parent:
                        on = App("=", (Field(Var(binder), column.name), Field(Var(other), column.references[1])))
                        return App("join", (*made.args, Abs("row", (*left, *right), on)))
    return made


def _binders(term: "Term", schema: "Schema") -> dict[str, str] | None:
    """Binders and their tables of joined tables; None for any other rows."""
    from dlc.compiler.terms import App, Lit

    match term:
        case App("join", (left, right, *_)):
            a, b = _binders(left, schema), _binders(right, schema)
            return {**a, **b} if a is not None and b is not None else None
        case App("as", (App(name, ()), Lit(value=binder))) if name in schema.table:
            return {binder: name}
        case App(name, ()) if name in schema.table:
            return {name: name}
    return None


def crossed(pairs: list[tuple[bool, Kind]]) -> tuple[tuple[str, int, int], ...]:
    """Verdicts by meaning against exact set match: verdict, how many it calls right, how many wrong."""
    counts = Counter(pairs)
    return tuple((kind, counts[True, kind], counts[False, kind]) for kind in KINDS)
