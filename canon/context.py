"""What a rewrite rule may know about the place it works at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..compiler.schema import Table
from ..compiler.terms import App, Field, Term
from .filters.normal import normal_form
from .order import condition_key
from .relations import conjuncts, free_vars
from .rows import Binders, Scope, row_of


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is taken to hold of the data beyond types. `keys`: declared keys and references are enforced."""

    keys: bool = True


@dataclass(frozen=True, slots=True)
class Context:
    """The place of a term.

    ordered: who sees the order of its rows: 0 nobody, 1 a reader who only counts on `sort`, 2 a stage above
    (`take`, or `sort` because of ties).
    multiset: someone above can see how often a row occurs.
    grouped: the relation that was grouped, if the term is an expression over groups.
    known: forms found so far under this schema, by what they depend on; forms themselves are known to be theirs.
    """

    scope: Scope
    assume: Assumptions = Assumptions()
    ordered: int = 1
    multiset: bool = True
    grouped: Term | None = None
    known: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def using(self, ordered: int, multiset: bool) -> "Context":
        """The same place with another use of its rows."""
        if ordered == self.ordered and multiset == self.multiset:
            return self
        return Context(self.scope, self.assume, ordered, multiset, self.grouped, self.known)

    def inside(self, scope: Scope, grouped: Term | None = None) -> "Context":
        """An expression below this place, over the rows of `scope`."""
        return Context(scope, self.assume, self.ordered, self.multiset, grouped, self.known)

    def outside(self) -> "Context":
        """The place of a relation that speaks of no row around it: as if it stood alone."""
        return Context(Scope(self.scope.schema), self.assume, self.ordered, self.multiset, None, self.known)

    def row(self, relation: Term) -> Binders:
        """The binders of a relation's rows with their sources."""
        if self.scope.binders:
            return row_of(relation, self.scope)
        key = ("row", relation)
        found: Binders | None = self.known.get(key)
        if found is None:
            found = self.known[key] = row_of(relation, self.scope)
        return found

    def fields(self, relation: Term) -> frozenset[str] | None:
        """The fields of a relation's rows, if they are rows of one table."""
        row = self.row(relation)
        name = row[0][1].table if len(row) == 1 else None
        table = self.scope.schema.table.get(name) if name is not None else None
        if table is None:
            return None
        found: frozenset[str] | None = self.known.get(("fields", name))
        if found is None:
            found = self.known["fields", name] = frozenset(table.by_name)
        return found

    def condition(self, condition: Term, scope: Scope) -> Term:
        """The normal form of a condition, found once for every condition on the same rows."""
        rows = tuple([(name, scope.binders.get(name)) for name in sorted(free_vars(condition))])
        try:
            found: Term | None = self.known.get((condition, rows))
        except TypeError:  # rows of a projection: what is known of its columns has no hash
            return normal_form(condition, scope).term
        if found is None:
            found = self._apart(condition, scope)
            if found is None:
                found = normal_form(condition, scope).term
            self.known[condition, rows] = self.known[found, rows] = found
        return found

    def _apart(self, condition: Term, scope: Scope) -> Term | None:
        """The normal form of tests of different subjects, each in its form already: the tests in order.

        A function that splits into parts over different subjects is printed part by part in any case.
        """
        parts = conjuncts(condition)
        if len(parts) < 2:
            return None
        subjects = {_subject(part) for part in parts}
        if len(subjects) < len(parts) or None in subjects:
            return None
        if any(self.condition(part, scope) != part for part in parts):
            return None
        return App("and", tuple(sorted(parts, key=condition_key)))

    def trusted_keys(self, table: Table) -> frozenset[str]:
        """Columns that identify a row for certain.

        A key column that is one of several references marks a bridge table, whose real key is composite: such
        a declaration is not believed.
        """
        if not self.assume.keys:
            return frozenset()
        references = sum(c.references is not None for c in table.columns)
        return frozenset(
            c.name
            for c in table.columns
            if (c.key or c.unique) and not c.optional and not (c.references is not None and references > 1)
        )


_TESTS = frozenset(("=", "!=", "<", "<=", ">", ">=", "in", "not_in", "between", "not_between", "is_missing"))
_TESTS = _TESTS | frozenset(("is_not_missing", "~", "!~", "like", "not_like"))


def _subject(test: Term) -> Term | None:
    """The field that a single test is about, or the test itself if it asks a query; None for anything else."""
    if isinstance(test, App) and test.fn == "not":
        return _subject(test.args[0])
    if not (isinstance(test, App) and test.fn in _TESTS and isinstance(test.args[0], Field)):
        return None
    if test.fn in ("in", "not_in") and not (isinstance(test.args[1], App) and test.args[1].fn == "list"):
        return App("in", test.args)
    return test.args[0]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rewrite rule: `apply` gives the new term, or None where the rule does not fit.

    heads: names of the functions it may rewrite. `condition`: when it is sound, in words.
    """

    name: str
    heads: frozenset[str]
    condition: str
    apply: Callable[[App, Context], Term | None]
