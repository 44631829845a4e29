"""The program a node of the graph stands for, with every reference and revision replaced by what it found."""

from collections.abc import Mapping

from ..canon.inlining import simplified
from ..compiler.terms import Abs, App, Ascribe, Term, Var, children, rebuild
from .graph import Graph, Reference


def fragment(graph: Graph, node: int, written: bool = False) -> Term:
    """The term of a node. Metacomputation that failed stays as it is written.

    written: specifications carry their type, for programs whose types only they show.
    """
    return _Fragments(graph, written, {}).term(node)


class _Fragments:
    def __init__(self, graph: Graph, written: bool, known: dict[int, Term]) -> None:
        self.graph, self.written, self.known = graph, written, known

    def term(self, node: int) -> Term:
        node = self.graph.standing_for(node)
        if node not in self.known:
            self.known[node] = self._made(node)
        return self.known[node]

    def _made(self, node: int) -> Term:
        made = self.graph.nodes[node]
        result = self.graph.results.get(node)
        if result is not None and isinstance(result.value, Reference) and made.fn != "intension":
            return App("intension", (self.term(result.value.node),))
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
