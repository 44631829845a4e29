"""What a rewrite rule may know about the place it works at."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..compiler.schema import Table
from ..compiler.terms import App, Term
from .rows import Scope


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
    known: forms found so far in this call, by what they depend on; forms themselves are known to be theirs.
    """

    scope: Scope
    assume: Assumptions = Assumptions()
    ordered: int = 1
    multiset: bool = True
    grouped: Term | None = None
    known: dict[object, Term] = field(default_factory=dict, compare=False, repr=False)

    def using(self, ordered: int, multiset: bool) -> "Context":
        """The same place with another use of its rows."""
        return replace(
            self,
            ordered=ordered,
            multiset=multiset,
        )

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


@dataclass(frozen=True, slots=True)
class Rule:
    """A rewrite rule: `apply` gives the new term, or None where the rule does not fit.

    heads: names of the functions it may rewrite. `condition`: when it is sound, in words.
    """

    name: str
    heads: frozenset[str]
    condition: str
    apply: Callable[[App, Context], Term | None]
