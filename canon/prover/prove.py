"""Proving that two queries give the same on all databases with few rows a table."""

from typing import Any

import z3

from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Lit, Term, subterms
from ..context import Assumptions, Context
from ..rows import Scope
from ..verdict import Verdict, Witness
from .encode import Encoder, Relation, flat, same, width
from .values import Row, Unsupported, World, database_of, named_texts

# Without a row in any result a proof says nothing; then tables may have more rows, up to this.
MAX_BOUND = 6
_COMPARING = frozenset(("=", "!=", "<", "<=", ">", ">=", "in", "not_in", "between", "not_between"))


def bounded(a: Term, b: Term, schema: Schema, assume: Assumptions, bound: int, timeout_ms: int) -> Verdict:
    """`equal` up to a bound, `different` with a database still to be replayed, or `unknown` with the reason.

    The whole call takes little more than `timeout_ms`. A proof on databases where both results are always empty
    is no proof: the bound grows until some result is not, or the answer is unknown.
    """
    needed = 1 + max((*_counted(a), *_counted(b)), default=0)
    if needed > MAX_BOUND:
        why = f"a count is compared with {needed - 1}, which tables of {MAX_BOUND} rows do not reach"
        return Verdict("unknown", reason=why, tried=("z3",))
    bound = max(bound, needed)
    # Each bound gets its share, so that the whole is bounded without a clock.
    share = timeout_ms // (MAX_BOUND + 1 - bound)
    reason = ""
    for rows in range(bound, MAX_BOUND + 1):
        try:
            verdict = _attempt(a, b, schema, assume, rows, share)
        except Unsupported as missing:
            if reason:
                # A larger bound would have been needed, and is out of reach.
                return Verdict("unknown", reason=reason, tried=("z3",))
            return Verdict("unknown", reason=f"the proof does not cover {missing}", tried=("z3",))
        except z3.Z3Exception as error:
            return Verdict("unknown", reason=f"Z3 failed: {error}", tried=("z3",))
        if verdict is not None:
            return verdict
        reason = f"with up to {rows} rows a table the result is always empty, so equality there says nothing"
    return Verdict("unknown", reason=reason, tried=("z3",))


def _counted(term: Term) -> list[int]:
    """Numbers that counts are compared with: below them a `having` cannot be told from another."""
    found: list[int] = []
    for part in subterms(term):
        if isinstance(part, App) and part.fn in _COMPARING:
            inside = list(subterms(part))
            if any(isinstance(t, App) and t.fn in ("count", "count_distinct") for t in inside):
                found += [int(float(t.value)) for t in inside if isinstance(t, Lit) and t.kind in ("number", "int")]
    return found


def _attempt(a: Term, b: Term, schema: Schema, assume: Assumptions, rows: int, timeout_ms: int) -> Verdict | None:
    world = World(schema, Context(Scope(schema), assume), rows, named_texts((a, b)))
    encoder = Encoder(world)
    first, order_a = _top(a)
    second, order_b = _top(b)
    if order_a != order_b:
        raise Unsupported("queries that sort or take differently")
    left, right = _by_label(encoder.relation(first, {}), encoder.relation(second, {}))
    solver = z3.Solver()
    solver.set("timeout", timeout_ms)
    world.spend((len(left) + len(right)) ** 2 * width(left or right))
    differ = z3.And(_bags_differ(left, right), *world.determined)
    solver.add(*world.facts)
    solver.push()
    solver.add(differ)
    answer = solver.check()
    if answer == z3.unknown:
        return Verdict("unknown", reason=f"Z3 gave up: {solver.reason_unknown()}", tried=("z3",))
    if answer == z3.sat:
        if order_a and any(step != "sort" for step, *_ in order_a):
            return Verdict("unknown", reason="the rows to take from differ; what is taken need not", tried=("z3",))
        database = database_of(solver.model(), world)
        return Verdict("different", witness=Witness(database, (), ()), tried=("z3",))
    solver.pop()
    if world.determined:
        solver.push()
        solver.add(z3.Not(z3.And(world.determined)))
        if solver.check() != z3.unsat:
            return Verdict(
                "unknown", reason="a picked value is not shown to be the only one of its group", tried=("z3",)
            )
        solver.pop()
    solver.add(z3.Or([r.there for r in left] or [z3.BoolVal(False)]))
    if solver.check() == z3.sat:
        return Verdict("equal", bound=rows, tried=("z3",))
    return None


def _top(term: Term) -> tuple[Term, tuple[tuple[object, ...], ...]]:
    """A query without its final sort and take, the sort keys shown as columns, and what was taken off.

    If two queries have the same rows with the same keys, sorting and taking them gives the same results, ties
    taken either way.
    """
    steps: list[tuple[object, ...]] = []
    named: tuple[tuple[str, Term], ...] | None = None
    inner = term
    if isinstance(inner, App) and inner.fn == "show":
        named, inner = inner.named, inner.args[0]
    hidden: list[tuple[str, Term]] = []
    while isinstance(inner, App) and inner.fn in ("sort", "take", "at"):
        if inner.fn == "sort":
            if named is None:
                break
            for i, key in enumerate(inner.args[1:]):
                assert isinstance(key, Abs) and isinstance(key.body, App)
                hidden.append((f"~{len(steps)}.{i}", Abs("row", key.params, key.body.args[0])))
            steps.append(
                ("sort", *(k.body.fn for k in inner.args[1:] if isinstance(k, Abs) and isinstance(k.body, App)))
            )
        else:
            if named is None:
                break
            steps.append((inner.fn, *inner.args[1:]))
        inner = inner.args[0]
    if named is None or not steps:
        return term, ()
    return App("show", (inner,), (*named, *hidden)), tuple(steps)


def _by_label(left: Relation, right: Relation) -> tuple[Relation, Relation]:
    """Columns in one order, if both sides have the same labels."""
    if not left or not right:
        return left, right
    labels = [[label for columns in side[0].data.values() for label in columns] for side in (left, right)]
    if sorted(labels[0]) != sorted(labels[1]) or len(set(labels[0])) != len(labels[0]):
        return left, right

    def sorted_columns(row: Row) -> Row:
        columns = {label: s for data in row.data.values() for label, s in data.items()}
        return Row(row.there, {"it": dict(sorted(columns.items()))})

    return tuple(map(sorted_columns, left)), tuple(map(sorted_columns, right))


def _bags_differ(left: Relation, right: Relation) -> Any:
    """Some row occurs more often on one side than on the other."""
    if left and right and len(flat(left[0])) != len(flat(right[0])):
        raise Unsupported("results of different width")

    def times(row: Row, side: Relation) -> Any:
        return z3.Sum([z3.If(z3.And(o.there, same(row, o)), 1, 0) for o in side] or [z3.IntVal(0)])

    return z3.Or([z3.And(r.there, times(r, left) != times(r, right)) for r in (*left, *right)])
