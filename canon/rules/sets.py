"""`except` and `intersect` with another query on a key column are `not in` and `in`.

Sound if the left side shows exactly one trusted key of its only table (so it has no duplicates to drop), and the
right side's column is never missing.
"""

from ...compiler.terms import Abs, App, Field, Term, Var
from ..context import Context, Rule
from ..relations import base_table, free_vars, where
from ..rows import row_of


def apply(term: App, context: Context) -> Term | None:
    """Turn the set operation into a filter."""
    left, right = term.args
    if not (isinstance(left, App) and left.fn == "show" and len(left.named) == 1 and len(left.args) == 1):
        return None
    shown = left.named[0][1]
    base = base_table(left.args[0])
    table = context.scope.schema.table.get(base[1]) if base is not None else None
    if base is None or table is None or not isinstance(shown, Abs) or base[0] in free_vars(right):
        return None
    if any(isinstance(s, App) and s.fn in ("take", "at", "sort") for s in _stages(left.args[0])):
        return None
    if shown.body not in {Field(Var(base[0]), key) for key in context.trusted_keys(table)}:
        return None
    columns = row_of(right, context.scope)
    facts = columns[0][1].columns if len(columns) == 1 else None
    if facts is None or len(facts) != 1 or any(f.optional for f in facts.values()):
        return None
    member = App("not_in" if term.fn == "except" else "in", (shown.body, right))
    return App("show", (where(left.args[0], member),), left.named)


def _stages(term: Term) -> list[Term]:
    found: list[Term] = []
    while isinstance(term, App) and term.args:
        found.append(term)
        term = term.args[0]
    return found


RULE = Rule(
    "sets", frozenset(("except", "intersect")), "the left side shows a trusted key; the right is never missing", apply
)
