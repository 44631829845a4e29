"""Helpers over terms that several law tests share: erasing types, renaming, shuffling labels."""

import random
from dataclasses import replace

from dlc.compiler.terms import Abs, App, Term, Turn, Var, children, rebuild


def erase(term: Term) -> Term:
    """The term without type arguments and coercions."""
    below = children(term)
    term = rebuild(term, tuple(erase(c) for c in below)) if below else term
    if isinstance(term, App):
        return term.args[0] if term.fn == "coerce" else App(term.fn, term.args, term.named)
    return term


def on_terms(turn: Turn, change) -> Turn:
    """A turn with every statement's term changed."""
    return replace(turn, statements=tuple(replace(s, term=change(s.term)) for s in turn.statements))


def shuffle_labels(term: Term, rng: random.Random) -> Term:
    """Labelled arguments of calls in another order (not the columns of `show`, whose order means something)."""
    below = children(term)
    term = rebuild(term, tuple(shuffle_labels(c, rng) for c in below)) if below else term
    if isinstance(term, App) and term.named and term.fn != "show":
        return App(term.fn, term.args, tuple(rng.sample(term.named, len(term.named))), term.targs)
    return term


def rename(turn: Turn, names: dict[str, str]) -> Turn:
    """Let-bound variables renamed throughout."""

    def change(term: Term) -> Term:
        if isinstance(term, Var):
            return Var(names.get(term.name, term.name))
        if isinstance(term, Abs) and set(term.params) & names.keys():
            return term
        below = children(term)
        return rebuild(term, tuple(change(c) for c in below)) if below else term

    statements = tuple(
        replace(s, term=change(s.term), let=names.get(s.let, s.let) if s.let else None) for s in turn.statements
    )
    return replace(turn, statements=statements)
