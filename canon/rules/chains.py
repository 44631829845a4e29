"""What follows what follows: `q | then (r) | then (s)` is `q | then (r | then (s))`, and a filter goes to where its rows are.

Sound always: the rows of `then` are those of what follows, one row of `q` after the other, and neither `then` nor
`where` looks at more than one of them.
"""

from ...compiler.terms import Abs, App, Term
from ..context import Context, Rule
from ..relations import SET_OPERATIONS, STAGES, binders_of, renamed

_QUERIES = STAGES | SET_OPERATIONS


def apply(term: App, context: Context) -> Term | None:
    """Move a stage over `then` into what follows."""
    source, over = term.args[0], term.args[1] if len(term.args) == 2 else None
    if not (isinstance(source, App) and source.fn == "then" and isinstance(over, Abs)):
        return None
    following = source.args[1]
    if not isinstance(following, Abs) or not _is_query(following.body, context):
        return None
    binders = binders_of(following.body)
    if len(binders) != len(over.params) or set(binders) & set(following.params):
        return None
    names = {a: b for a, b in zip(over.params, binders, strict=True) if a != b}
    stage = App(term.fn, (following.body, Abs(over.kind, binders, renamed(over.body, names))))
    return App("then", (source.args[0], Abs(following.kind, following.params, stage)))


def _is_query(term: Term, context: Context) -> bool:
    return isinstance(term, App) and (term.fn in _QUERIES or term.fn in context.scope.schema.table)


RULE = Rule("chains", frozenset(("then", "where")), "the stage looks at one row at a time", apply)
