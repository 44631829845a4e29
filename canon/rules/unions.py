"""Unions: of the same rows under two filters one filter, of the same query once, and one order of the two sides.

`T | where p | show c | union (T | where q | show c)` is `T | where p or q | show c | distinct`. `union all` is
`where p or q` if no row meets both. The sides of a union or intersection change places where their columns have the
same names. Not where a stage above sees the order of rows.
"""

from ...compiler.terms import Abs, App, Lit, Term
from ..context import Context, Rule
from ..filters.decide import satisfiable
from ..order import term_key
from ..relations import CHOICES, binders_of, has, where


def apply(term: App, context: Context) -> Term | None:
    """Merge the sides, or put them in order."""
    left, right = term.args
    if context.ordered == 2 or not (isinstance(left, App) and isinstance(right, App)):
        return None
    if term.fn != "intersect":
        merged = _merged(term.fn, left, right, context)
        if merged is not None:
            return merged
    labels = [_labels(side) for side in (left, right)]
    if labels[0] is not None and labels[0] == labels[1] and term_key(right) < term_key(left):
        return App(term.fn, (right, left))
    return None


def _merged(fn: str, left: App, right: App, context: Context) -> Term | None:
    if fn == "union" and left == right:
        return App("distinct", (left,))
    if left.fn != "show" or right.fn != "show" or len(left.args) != 1 or len(right.args) != 1:
        return None
    if [over for _, over in left.named] != [over for _, over in right.named]:
        return None
    (rows, first), (other, second) = _filtered(left.args[0]), _filtered(right.args[0])
    if rows != other or has(rows, CHOICES) or any(has(over, CHOICES) for _, over in left.named):
        return None
    either = where(rows, App("or", (first, second)))
    if fn == "union":
        return App("distinct", (App("show", (either,), left.named),))
    scope = context.scope.over(binders_of(rows), context.row(rows))
    if satisfiable(App("and", (first, second)), scope) is not False:
        return None
    return App("show", (either,), left.named)


def _filtered(relation: Term) -> tuple[Term, Term]:
    match relation:
        case App("where", (rows, Abs("spec", _, condition))):
            return rows, condition
    return relation, Lit("bool", "true")


def _labels(term: Term) -> list[str] | None:
    """The names of a query's columns, where they are in sight."""
    while isinstance(term, App) and term.args and term.fn in ("distinct", "take", "at", "sort", "union", "intersect"):
        term = term.args[0]
    if not (isinstance(term, App) and term.fn == "show") or any(label == "all_fields" for label, _ in term.named):
        return None
    return [label for label, _ in term.named]


RULE = Rule(
    "unions",
    frozenset(("union", "union_all", "intersect")),
    "unseen order; the same rows and columns on both sides; exclusive filters for `union all`",
    apply,
)
