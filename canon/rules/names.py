"""Bound names: binders of tables are the tables' names, parameters of `fn` are numbered.

Sound always, as long as no name is captured: a name that something inside uses, or binds, is left alone.
"""

from ...compiler.terms import Abs, App, Lit, Term, subterms
from ..context import Context, Rule
from ..relations import free_vars, renamed


def apply(term: App, context: Context) -> Term | None:
    """`T as t`, the only table of a query, needs no other name."""
    source, alias = term.args
    if isinstance(source, App) and not source.args and isinstance(alias, Lit) and alias.value == source.fn:
        return source
    return None


def bound(term: Abs, depth: int) -> Abs:
    """A function with its parameters named by how deep they are bound."""
    names = {p: f"v{depth + i}" for i, p in enumerate(term.params)}
    taken = free_vars(term.body) | {p for t in subterms(term.body) if isinstance(t, Abs) for p in t.params}
    taken |= {t.fn for t in subterms(term.body) if isinstance(t, App)}
    if any(new in taken and new not in names for new in names.values()):
        return term
    return Abs(term.kind, tuple(names.values()), renamed(term.body, names))


RULE = Rule("names", frozenset(("as",)), "no name is captured", apply)
