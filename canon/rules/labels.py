"""Labelled arguments in the order of the declaration.

Sound always: labels, not places, say which parameter an argument is for.
"""

from ...compiler.terms import App, Term
from ..context import Context, Rule


def apply(term: App, context: Context) -> Term | None:
    """Sort the labelled arguments of a declared function; unknown labels come last, as they were."""
    function = context.scope.schema.function.get(term.fn)
    if function is None or len(term.named) < 2:
        return None
    place = {label: i for i, label in enumerate(function.labelled)}
    ordered = tuple(sorted(term.named, key=lambda item: place.get(item[0], len(place))))
    return None if ordered == term.named else App(term.fn, term.args, ordered, term.targs)


RULE = Rule("labels", frozenset(), "always: a label says what an argument is for", apply)
