"""The normal form of a condition: equal for conditions that hold in the same rows.

Complete on and/or/not over comparisons of one subject with constants, membership, `is any|none|missing` and
text matches; anything else is a proposition that only equals itself. Above the guards (`limit` literals,
diagram nodes, printed literals) the fallback keeps the condition's structure: negation pushed down, repeated
parts dropped, parts sorted. It is sound and stable, but two equal conditions may then look different.
"""

from dataclasses import dataclass

from ...compiler.terms import App, Term
from ..order import condition_key
from ..rows import Scope
from .atoms import Gate, Literal, Node, Reader, TooManyAtoms
from .cells import Space, subject_space
from .diagram import TooLarge
from .functions import cells_of, components, function, over
from .regions import lone, plain_equality, reduced, region
from .shape import FALSE, TRUE, Printer, TooLong, Variable, both, either

MAX_LITERALS = 600
# A subject with more cells than this (many scales or text matches at once) is not cut up.
MAX_CELLS = 1 << 12
NODE_LIMIT = 20_000
PRINT_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Normal:
    """A normal form; `complete` is False where the fallback was taken, for the reason given."""

    term: Term
    complete: bool = True
    reason: str = ""


def normal_form(condition: Term, scope: Scope) -> Normal:
    """The normal form of a Bool term; operands of opaque parts are expected to be canonical already."""
    reader = Reader(scope, MAX_LITERALS)
    try:
        node = reader.read(condition)
    except TooManyAtoms:
        return Normal(tidy(condition), False, f"more than {MAX_LITERALS} tests")
    try:
        return Normal(in_order_deep(_Writer(reader).term(node)))
    except TooLarge:
        return Normal(tidy(condition), False, "too many cases over too many fields")
    except TooLong:
        return Normal(tidy(condition), False, f"the normal form has more than {PRINT_LIMIT} tests")


class _Writer:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.spaces: dict[str, Space] = {}

    def space(self, key: str) -> Space:
        found = self.spaces.get(key)
        if found is None:
            found = self.spaces[key] = subject_space(self.reader.subjects[key], self.reader.scope.schema)
            if found.size > MAX_CELLS:
                raise TooLarge
        return found

    def term(self, node: Node) -> Term:
        """Groups of parts that share no subject are printed apart: a function splits that way in any case."""
        if isinstance(node, bool):
            return TRUE if node else FALSE
        if isinstance(node, Literal):
            subject = self.reader.subjects[node.subject]
            if node.positive and node.test[0] == "=":
                plain = plain_equality(subject, node, self.reader.scope.schema)
                if plain is not None:
                    return plain
            known = lone(subject, node)
            if known is not None:
                return known
            space = self.space(node.subject)
            return region(subject, space, space.mask(node))
        if len(node.nodes) == 1:
            return self.term(node.nodes[0])
        groups = components(node)
        terms: list[Term] = []
        zero = FALSE if node.all else TRUE
        for subjects, parts in groups:
            term = self._entangled(Gate(node.all, tuple(parts)), sorted(subjects))
            if term == zero:
                return zero
            terms.append(term)
        return both(terms) if node.all else either(terms)

    def _entangled(self, node: Gate, keys: list[str]) -> Term:
        if len(node.nodes) == 1 and isinstance(node.nodes[0], Literal):
            return self.term(node.nodes[0])
        if len(keys) == 1:
            space = self.space(keys[0])
            return region(self.reader.subjects[keys[0]], space, cells_of(node, space))
        if len(node.nodes) == 1:
            return self.term(node.nodes[0])
        spaces = [self.space(key) for key in keys]
        table = over(spaces, NODE_LIMIT)
        whole = function(node, table, spaces, keys)
        if whole == table.true:
            return TRUE
        if whole == table.false:
            return FALSE
        representatives: list[list[int]] = []
        variables: list[Variable] = []
        for i, (key, space) in enumerate(zip(keys, spaces, strict=True)):
            cofactors = [table.cofactor(whole, i, c) for c in range(space.size)]
            coarse, cells = reduced(space, cofactors)
            classes: dict[object, list[int]] = {}
            for cell, old in enumerate(cells):
                classes.setdefault(cofactors[old], []).append(cell)
            members = list(classes.values())
            representatives.append([cells[group[0]] for group in members])
            variables.append(Variable(i, len(members), self._region_writer(key, coarse, members)))
        smaller, part = table.remapped(whole, representatives)
        used = [v for v in variables if v.size > 1]
        return Printer(smaller, PRINT_LIMIT).term(part, used)

    def _region_writer(self, key: str, space: Space, classes: list[list[int]]):  # type: ignore[no-untyped-def]
        subject = self.reader.subjects[key]

        def write(mask: int) -> Term:
            cells = 0
            for i, group in enumerate(classes):
                if mask >> i & 1:
                    for cell in group:
                        cells |= 1 << cell
            return region(subject, space, cells)

        return write


def in_order(conjunction: bool, terms: list[Term]) -> Term:
    """Parts of `and` or `or` in the one order of terms."""
    joined = both(terms) if conjunction else either(terms)
    if isinstance(joined, App) and joined.fn == ("and" if conjunction else "or") and not joined.named:
        return App(joined.fn, tuple(sorted(joined.args, key=condition_key)))
    return joined


def in_order_deep(term: Term) -> Term:
    """The same in every connective below."""
    if isinstance(term, App) and term.fn in ("and", "or", "not"):
        parts = [in_order_deep(a) for a in term.args]
        return App("not", tuple(parts)) if term.fn == "not" else in_order(term.fn == "and", parts)
    return term


def tidy(condition: Term) -> Term:
    """The fallback: flat, sorted, without repeats."""
    if isinstance(condition, App) and condition.fn in ("and", "or"):
        parts = {condition_key(t): t for t in (tidy(a) for a in condition.args)}
        joined = both(list(parts.values())) if condition.fn == "and" else either(list(parts.values()))
        if isinstance(joined, App) and joined.fn in ("and", "or"):
            unique = {condition_key(t): t for t in joined.args}
            terms = tuple(unique[key] for key in sorted(unique))
            return App(joined.fn, terms) if len(terms) > 1 else terms[0]
        return joined
    if isinstance(condition, App) and condition.fn == "not" and len(condition.args) == 1:
        inner = condition.args[0]
        if isinstance(inner, App) and inner.fn == "not":
            return tidy(inner.args[0])
        return App("not", (tidy(inner),))
    return condition
