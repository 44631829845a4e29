"""Taking queries apart and putting them together: what the query rules share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..compiler.terms import Abs, App, Ascribe, Field, Lit, Term, Var, children, free_names, rebuild, subterms

STAGES = frozenset(("where", "sort", "take", "at", "distinct", "group", "whole", "show", "then", "as"))
AGGREGATES = frozenset(
    ("count", "count_distinct", "sum", "avg", "sum_distinct", "avg_distinct", "min", "max", "pick", "pick_all")
)
CHOICES = frozenset(("pick", "pick_all"))
SET_OPERATIONS = frozenset(("union", "except", "intersect", "union_all", "except_all", "intersect_all"))


def conjuncts(term: Term) -> tuple[Term, ...]:
    """The parts of a conjunction; none of `true`."""
    if isinstance(term, App) and term.fn == "and" and not term.named:
        return tuple(c for a in term.args for c in conjuncts(a))
    return () if term == Lit("bool", "true") else (term,)


def conjunction(parts: Iterable[Term]) -> Term:
    """The conjunction of some parts."""
    flat = tuple(parts)
    if not flat:
        return Lit("bool", "true")
    return flat[0] if len(flat) == 1 else App("and", flat)


@lru_cache(maxsize=1 << 16)
def has(term: Term, names: frozenset[str]) -> bool:
    """Whether a call of one of these functions occurs."""
    return any(isinstance(t, App) and t.fn in names for t in subterms(term))


NONE: frozenset[str] = frozenset()


def free_vars(term: Term) -> frozenset[str]:
    """Free variables: binders of queries around, and names bound by `let` or `fn`."""
    match term:
        case Var(name):
            return frozenset((name,))
        case Field(Var(name)):
            return frozenset((name,))
    return free_names(term)


def replace_free(term: Term, change: Callable[[Term], Term | None], names: frozenset[str]) -> Term:
    """Replace subterms, top down, where none of `names` is bound again on the way."""
    new = change(term)
    if new is not None:
        return new
    if isinstance(term, Abs) and names & frozenset(term.params):
        names = names - frozenset(term.params)
        if not names:
            return term
    parts = children(term)
    if not parts:
        return term
    return rebuild(term, tuple(replace_free(p, change, names) for p in parts))


def renamed(term: Term, names: dict[str, str]) -> Term:
    """Free variables under other names; the caller sees to it that nothing is captured."""
    if isinstance(term, Var):
        return Var(names[term.name]) if term.name in names else term
    if free_vars(term).isdisjoint(names):
        return term
    if isinstance(term, Abs):
        inner = {k: v for k, v in names.items() if k not in term.params}
        return Abs(term.kind, term.params, renamed(term.body, inner)) if inner else term
    parts = children(term)
    return rebuild(term, tuple([renamed(p, names) for p in parts]))


@dataclass(frozen=True, slots=True)
class Columns:
    """A projection's columns by label; `rest` is the row whose fields the other labels are, if `*` shows it."""

    named: Mapping[str, Term]
    rest: Var | None = None

    def get(self, label: str) -> Term | None:
        """What a label shows."""
        found = self.named.get(label)
        return Field(self.rest, label) if found is None and self.rest is not None else found


def over_columns(body: Term, columns: Columns, binders: tuple[str, ...]) -> Term | None:
    """A condition on a projection's rows as one on the rows projected, of these binders: `.label` becomes what it shows.

    None if it speaks of the row other than by the columns given, or of a row around that has the name of one of them.
    """
    free = free_vars(body)
    if not free.isdisjoint(binders) and binders != ("it",):
        return None
    if "it" not in free:
        return body

    def change(part: Term) -> Term | None:
        if isinstance(part, Field) and part.subject == Var("it"):
            return columns.get(part.name)
        return None

    new = replace_free(body, change, frozenset(("it",)))
    shown = _names(columns.named.values()) | (frozenset((columns.rest.name,)) if columns.rest is not None else NONE)
    captured = any(isinstance(t, Abs) and frozenset(t.params) & shown for t in subterms(body))
    return None if captured or "it" in free_vars(new) else new


def _names(terms: Iterable[Term]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for term in terms:
        found |= free_vars(term)
    return found


ALL = App("all_fields")


def columns_shown(show: App, fields_of: Callable[[Term], frozenset[str] | None]) -> Columns | None:
    """What a projection shows by label; None if some label is no plain expression over the row.

    fields_of: the fields of a relation's row, if they are known; needed to tell what `*` shows.
    """
    found: dict[str, Term] = {}
    rest: Var | None = None
    for label, over in show.named:
        if not isinstance(over, Abs) or has(over.body, CHOICES) or label in found:
            return None
        if over.body == ALL:
            if rest is not None or len(over.params) != 1 or over.params == ("it",):
                return None
            rest = Var(over.params[0])
            continue
        found[label] = over.body
    if rest is not None:
        fields = fields_of(show.args[0])
        if fields is None or not fields.isdisjoint(found):
            return None
    return Columns(found, rest)


def binders_of(term: Term) -> tuple[str, ...]:
    """The binders of a relation's rows."""
    match term:
        case App("as", (_, Lit("name", name))):
            return (name,)
        case App("join" | "join_left" | "join_right" | "join_full", (left, right, *_)):
            return binders_of(left) + binders_of(right)
        case App("where" | "sort" | "take" | "at" | "distinct" | "group" | "whole", (inner, *_)):
            return binders_of(inner)
        case App(fn, (inner, _)) if fn in SET_OPERATIONS:
            return binders_of(inner)
        case App(fn, (), (), ()) if fn not in ("show", "then"):
            return (fn,)
        case Var(name):
            return (name,)
        case Ascribe(term=inner):
            return binders_of(inner)
    return ("it",)


def over(kind: str, binders: tuple[str, ...], body: Term) -> Abs:
    """An abstraction over a row."""
    return Abs("spec" if kind == "where" else "row", binders, body)


def where(relation: Term, condition: Term) -> Term:
    """`relation | where condition`, or the relation if the condition is `true`."""
    if condition == Lit("bool", "true"):
        return relation
    return App("where", (relation, over("where", binders_of(relation), condition)))


def is_grouped(term: Term) -> bool:
    """Whether a relation's rows are groups."""
    while isinstance(term, App) and term.args and term.fn in ("where", "sort", "take", "at", "distinct"):
        term = term.args[0]
    return isinstance(term, App) and term.fn in ("group", "whole")


def grouped_relation(term: Term) -> Term | None:
    """What was grouped, below a relation of groups."""
    while isinstance(term, App) and term.args and term.fn in ("where", "sort", "take", "at", "distinct"):
        term = term.args[0]
    return term.args[0] if isinstance(term, App) and term.fn in ("group", "whole") else None


def gives_one(term: Term) -> bool:
    """Whether a relation has one row at most for certain: an aggregate over everything, or one row taken."""
    while isinstance(term, App) and term.args:
        if term.fn == "whole" or (term.fn == "at" and len(term.args) == 2):
            return True
        if term.fn == "take" and term.args[1] == Lit("number", "1"):
            return True
        if term.fn not in ("show", "where", "sort", "distinct", "take"):
            return False
        term = term.args[0]
    return False


def base_table(term: Term) -> tuple[str, str] | None:
    """Binder and table of a relation that is rows of one table, each at most once."""
    while isinstance(term, App) and term.args and term.fn in ("where", "sort", "take", "at", "distinct"):
        term = term.args[0]
    match term:
        case App("as", (App(table, (), (), ()), Lit("name", name))):
            return name, table
        case App(table, (), (), ()):
            return table, table
    return None
