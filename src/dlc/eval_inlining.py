"""Dataflow predictions after inlining, as the paper scores them (its footnote 6).

References and direct substitutions are replaced by the fragments they return in the gold dialogue so far;
`ReviseConstraint` stays. A program that cannot be read or run, and a reference that needs data to be resolved, stays
as it is written, in gold and prediction alike.
"""

from copy import copy
from typing import TYPE_CHECKING, Final

from dlc.grammar.diagnostic import CompileError

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema
    from dlc.runtime.dialogue import Dialogue
    from dlc.runtime.graph import Graph

INLINED: Final = frozenset(("refer", "substitute"))


class Inliner:
    """The dialogues of one schema, gold turn by gold turn."""

    def __init__(self, schema: "Schema") -> None:
        from dlc.targets.dataflow.names import Names
        from dlc.targets.dataflow.read import LispressReader

        self._reader = LispressReader(schema)
        self._names = Names(schema)
        self._dialogue = self._fresh()

    def _fresh(self) -> "Dialogue":
        from dlc.runtime.dialogue import Dialogue
        from dlc.runtime.smcalflow import OPERATORS, SYMBOLIC

        return Dialogue(self._reader.checker, SYMBOLIC, operators=OPERATORS)

    def start(self) -> None:
        """A new dialogue."""
        self._dialogue = self._fresh()

    def turn(self, gold: str, predicted: str | None) -> tuple[str, str | None]:
        """Both programs of a turn inlined; the dialogue goes on as gold says."""
        answer = predicted
        if predicted is not None and predicted != gold:
            answer = self._inlined(predicted, self._copied())
        made = self._inlined(gold, self._dialogue)
        return made, made if predicted == gold else answer

    def _copied(self) -> "Dialogue":
        """The dialogue so far, to try a prediction on."""
        other = self._fresh()
        other.graph = _copied_graph(self._dialogue.graph)
        other.outputs = set(self._dialogue.outputs)
        return other

    def _inlined(self, text: str, dialogue: "Dialogue") -> str:
        from dlc.canon.inlining import inlined
        from dlc.runtime.build import plan
        from dlc.runtime.fragments import fragment
        from dlc.runtime.graph import Reference
        from dlc.targets.dataflow.from_dl import lispress_of
        from dlc.targets.dataflow.names import Unsayable
        from dlc.targets.dataflow.sexp import LispressError
        from dlc.targets.dataflow.writer import write_program

        turn, _ = self._reader.turn(text)
        if turn is None:
            return text
        checker = self._reader.checker
        try:
            made = plan(turn, checker.subterm_types(turn))
            start = len(dialogue.graph.nodes)
            dialogue.run(made)
            graph = dialogue.graph
            found = {}
            for index, path, node in made.calls:
                fn = graph.nodes[start + node].fn
                result = graph.results.get(start + node)
                if dialogue.operators.get(fn, fn) in INLINED and result is not None:
                    if isinstance(result.value, Reference):
                        found[index, path] = fragment(graph, start + node)
            if not found:
                return text
            whole = inlined(turn, found)
            written = lispress_of(whole, self._names, checker.check_turn(whole))
            return text if written.open else write_program(written.program)
        except (CompileError, Unsayable, LispressError, RecursionError):
            return text


def _copied_graph(graph: "Graph") -> "Graph":
    made = copy(graph)
    made.nodes, made.results, made.turns = list(graph.nodes), dict(graph.results), list(graph.turns)
    made.confirmed, made.tainted = set(graph.confirmed), set(graph.tainted)
    return made
