"""What an action is not told and what it is told is `missing` are the same, where it needs telling.

Sound for required arguments of actions: a statement may leave any of them out, and that leaves them open. An optional
argument that is named and left open says that it will be given, and stays.
"""

from ...compiler.terms import App, Term
from ..context import Context, Rule

_OPEN = App("missing")


def apply(term: App, context: Context) -> Term | None:
    """Leave out `missing` for a required argument."""
    function = context.scope.schema.function.get(term.fn)
    if function is None or not function.action:
        return None
    required = {label for label, parameter in function.labelled.items() if not parameter.optional}
    kept = tuple([item for item in term.named if item[1] != _OPEN or item[0] not in required])
    return None if len(kept) == len(term.named) else App(term.fn, term.args, kept, term.targs)


RULE = Rule("defaults", frozenset(), "required arguments of actions: leaving them out leaves them open", apply)
