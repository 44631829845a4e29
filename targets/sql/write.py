"""DL queries as SQL, in any dialect of sqlglot.

Rows go by their table's name, or by their binder where that differs. Conversions that SQLite makes by itself are not
written. See docs/sql.md.
"""

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from ...compiler.schema import Schema
from ...compiler.terms import Statement, Turn, Var, subterms
from ..rows import Note, Written
from . import errors
from .dialects import text_of
from .names import Catalog
from .write_select import finished, outermost
from .write_stages import block_of
from .write_terms import NotSaid, Writing, ident


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A query with its constants taken out: `values` by parameter (`:v0`), `holes` the placeholders' parameters with
    their number and type (`:p0_Time` for the `$0` that is a Time)."""

    sql: str
    values: tuple[tuple[str, str | int | float], ...]
    holes: tuple[tuple[str, int, str], ...]


def write_sql(turn: Turn, schema: "Schema | Catalog", dialect: str = "sqlite") -> Written:
    """The queries of a turn, separated by `; `. What is no query is left out and noted.

    Rejected (`program` None) only if the turn has no query the database can answer. Raises CompileError (DLC242) for
    an unknown dialect.
    """
    trees, notes = _trees(turn, schema, dialect)
    if not trees:
        diagnostic = errors.no_query()
        return Written(None, (*notes, Note(diagnostic.code, diagnostic.message, loss=True)))
    return Written("; ".join(text_of(tree, dialect) for tree in trees), notes)


def bound_queries(
    turn: Turn, schema: "Schema | Catalog", dialect: str = "sqlite"
) -> tuple[tuple[BoundQuery, ...], tuple[Note, ...]]:
    """The queries of a turn with their constants as parameters, for a driver to bind."""
    trees, notes = _trees(turn, schema, dialect)
    return tuple(_bound(tree, dialect) for tree in trees), notes


def _bound(tree: Any, dialect: str) -> BoundQuery:
    values: list[tuple[str, str | int | float]] = []

    def taken(node: Any) -> Any:
        if isinstance(node, exp.Literal):
            text = node.this
            number = float(text) if not node.is_string else 0.0
            exact = text.isdigit() and len(text) < 19
            values.append((f"v{len(values)}", text if node.is_string else int(text) if exact else number))
            return exp.Placeholder(this=values[-1][0])
        return node

    made = tree.transform(taken)
    names = sorted({p.name for p in made.find_all(exp.Placeholder) if p.name.startswith("p")})
    holes = []
    for name in names:
        number, _, kind = name[1:].partition("_")
        holes.append((name, int(number), kind))
    return BoundQuery(text_of(made, dialect), tuple(values), tuple(holes))


def _trees(turn: Turn, schema: "Schema | Catalog", dialect: str) -> tuple[list[Any], tuple[Note, ...]]:
    w = Writing(schema if isinstance(schema, Catalog) else Catalog(schema), dialect)
    trees: list[Any] = []
    lets: list[tuple[str, Statement]] = []
    for said in turn.statements:
        if said.let is not None and _mentioned(said.let, turn.statements):
            lets.append((said.let, said))
            continue
        try:
            trees.append(_statement(said, lets, w))
        except NotSaid as reason:
            w.drop(reason.diagnostic)
    if turn.acts:
        w.drop(errors.acts_elsewhere(), loss=False, part=turn.acts[0].name)
    if any(said.status == "proposed" for said in turn.statements):
        w.drop(errors.no_construct("that a query is only proposed"))
    if any(said.outcome is not None for said in turn.statements):
        w.drop(errors.no_construct("results"))
    return trees, tuple(w.notes)


def _mentioned(name: str, statements: tuple[Statement, ...]) -> bool:
    return any(Var(name) in subterms(s.term) for s in statements)


def _statement(said: Statement, lets: list[tuple[str, Statement]], w: Writing) -> Any:
    w.lets = {}
    ctes: list[Any] = []
    for name, bound in lets:
        made = finished(block_of(bound.term, outermost(w), w), outermost(w), w, keep_labels=True)
        w.lets[name] = made
        ctes.append((name, exp.CTE(this=made[0], alias=exp.TableAlias(this=ident(name)))))
    tree, _ = finished(block_of(said.term, outermost(w), w), outermost(w), w, top=True)
    needed = {t.name for t in tree.find_all(exp.Table)}
    for name, cte in reversed(ctes):
        if name in needed:
            needed |= {t.name for t in cte.find_all(exp.Table)}
    kept = [cte for name, cte in ctes if name in needed]
    if kept:
        tree.set("with_", exp.With(expressions=kept))
    return tree
