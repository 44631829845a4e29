"""The program a node of the graph stands for, with every reference and revision replaced by what it found."""

from collections.abc import Iterator, Mapping
from typing import Final

from ..canon.inlining import simplified
from ..compiler.terms import Abs, App, Ascribe, Term, Var, children, rebuild
from . import errors
from .errors import RuntimeFailure
from .graph import Graph, Reference

MAX_SIZE: Final = 10_000
"""Computations in the largest program written; those of a corpus have some dozens."""


def fragment(graph: Graph, node: int, written: bool = False) -> Term:
    """The term of a node. Metacomputation that failed stays as it is written.

    written: specifications carry their type, for programs whose types only they show. Raises RuntimeFailure (DLC407)
    for a term too large to be written: a graph shares what a term repeats.
    """
    try:
        return _Fragments(graph, written).term(node)
    except RecursionError:
        raise RuntimeFailure(errors.too_large(MAX_SIZE)) from None


class _Fragments:
    def __init__(self, graph: Graph, written: bool) -> None:
        self.graph, self.written = graph, written
        self.known: dict[int, Term] = {}
        self.sizes: dict[int, int] = {}

    def term(self, node: int) -> Term:
        node = self.graph.standing_for(node)
        if node not in self.known:
            self.known[node] = self._made(node)
            self.sizes[node] = 1 + sum(self.sizes[self.graph.standing_for(below)] for below in self._below(node))
            if self.sizes[node] > MAX_SIZE:
                raise RuntimeFailure(errors.too_large(MAX_SIZE))
        return self.known[node]

    def _below(self, node: int) -> Iterator[int]:
        """The nodes whose terms a node's term holds."""
        referent = self._referent(node)
        return iter((referent,)) if referent is not None else (edge.node for edge in self.graph.nodes[node].inputs)

    def _referent(self, node: int) -> int | None:
        result = self.graph.results.get(node)
        if result is None or not isinstance(result.value, Reference) or self.graph.nodes[node].fn == "intension":
            return None
        return result.value.node

    def _made(self, node: int) -> Term:
        made = self.graph.nodes[node]
        referent = self._referent(node)
        if referent is not None:
            return App("intension", (self.term(referent),))
        inputs = {f"#{i}": edge.node for i, edge in enumerate(made.inputs)}
        if made.term is None:
            return App(made.fn, tuple(self.term(edge.node) for edge in made.inputs))
        term = self._filled(made.term, inputs)
        if self.written and made.fn == "{}" and isinstance(term, Abs):
            return Ascribe(term, made.type)
        return term

    def _filled(self, term: Term, inputs: Mapping[str, int]) -> Term:
        if isinstance(term, Var) and term.name in inputs:
            return self.term(inputs[term.name])
        below = children(term)
        if not below:
            return term
        return simplified(rebuild(term, tuple(self._filled(child, inputs) for child in below)))
