"""A query as it is being read: its term, and what may be said of its rows."""

from dataclasses import dataclass, field
from functools import lru_cache

from ...compiler.node import node
from ...compiler.schema import Function, Table
from ...compiler.terms import Abs, App, Field, Lit, Term, Var, children, rebuild
from ...compiler.types import Type

Argument = tuple[str, Term]


@dataclass(slots=True)
class Shape:
    """What rows have: DL names by ThingTalk name, types by DL name.

    declared: the table or action they are of, if they are of one. owners: after a join, the binder a name is a field of.
    atoms, arguments, results: conditions on such rows, arguments of such a call, and fields of its results that were
    read alone, by their text (`read_pieces`).
    """

    names: dict[str, str]
    types: dict[str, Type]
    declared: Table | Function | None = None
    owners: dict[str, str] = field(default_factory=dict)
    atoms: dict[str, Term] = field(default_factory=dict)
    arguments: dict[str, Argument | None] = field(default_factory=dict)
    results: dict[str, Argument] = field(default_factory=dict)


@node
class Query:
    """A term with the binders of its rows and their shape.

    table: the table whose rows these are, under its own name, if they are.
    """

    term: Term
    binders: tuple[str, ...]
    shape: Shape
    action: bool = False
    table: str | None = None

    def field(self, name: str) -> Term:
        """A field of the row in hand."""
        return _field(self.binders[0], name)

    def with_term(self, term: Term) -> "Query":
        """The same fields over another term."""
        return Query(term, self.binders, self.shape, self.action, self.table)

    def then_where(self, condition: Term) -> "Query":
        """Filtered."""
        return self.with_term(App("where", (self.term, Abs("spec", self.binders, condition))))

    def with_arguments(self, named: tuple[Argument, ...]) -> "Query":
        """A call of an action, given arguments."""
        fn = self.shape.declared.name if self.shape.declared is not None else "nothing"
        return self.with_term(App(fn, (), named))

    def shown(self) -> list[str]:
        """The columns that `*` shows: of a projection its own, else all fields."""
        match self.term:
            case App("show", _, named) if all(isinstance(v, Abs) and v.body != App("all_fields") for _, v in named):
                return [label for label, _ in named]
        return list(dict.fromkeys(self.shape.names.values()))


def renamed_table(term: Term, name: str, new: str) -> Term:
    """A query whose rows of a table are called otherwise."""
    match term:
        case App(fn, ()) if fn == name and not term.named:
            return App("as", (term, Lit("name", new)))
        case App("as", (App(fn, ()), _)) if fn == name:
            return term
        case Var(old) if old == name:
            return Var(new)
        case Abs(kind, params, body):
            named = tuple([new if p == name else p for p in params])
            return Abs(kind, named, renamed_table(body, name, new))
    parts = children(term)
    return rebuild(term, tuple([renamed_table(p, name, new) for p in parts])) if parts else term


def shown_column(term: Term) -> str | None:
    """The one column that a query shows, if it shows one."""
    match term:
        case App("show", _, ((label, Abs(_, _, body)),)) if body != App("all_fields"):
            return label
        case App("sort" | "take" | "at" | "distinct" | "where", (inner, *_)):
            return shown_column(inner)
    return None


@lru_cache(maxsize=10_000)
def _field(binder: str, name: str) -> Field:
    return Field(Var(binder), name)


EMPTY = Query(App("nothing"), ("it",), Shape({}, {}))
"""Where a value stands that no row is around."""
