"""The dataflow graph of a dialogue: nodes, edges with roles, results, and the turns that made them.

Source: Andreas et al. 2020 (TACL), sections 2 to 5. A node is a computation. Evaluating it gives a result: a value, an
edge to another node (an existing one, or the root of a new subgraph), or an exception, which is a result like
any other. Nothing is ever removed or changed; a result, once there, stays unless it was an exception that the
dialogue has since dealt with.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ..compiler.node import node as quick
from ..compiler.terms import Term
from ..compiler.types import Type

Role = tuple[str, ...]
OUTPUT: Role = ("output",)


class Edge(NamedTuple):
    """An input. role: an argument's label, its position as text, or the path of fields in a specification."""

    role: Role
    node: int


class Node(NamedTuple):
    """A computation: `fn` applied to inputs, or a constant or specification given by `term`.

    In `term` the inputs stand as variables `#0`, `#1`, in order. `turn` is the turn that made it.
    """

    id: int
    fn: str
    inputs: tuple[Edge, ...]
    term: Term | None
    type: Type
    turn: int


@quick
class Reference:
    """The value of a `Ref`: a node, not yet executed."""

    node: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception as a value. `path` names what was missing or wrong; `proposal` what awaits confirmation."""

    kind: str
    message: str
    path: Role = ()
    proposal: Any = None


class Result(NamedTuple):
    """A node's result: a value, a node that stands for it, or a failure (`blocked` where an input failed)."""

    kind: Literal["value", "node", "failure", "blocked"]
    value: Any = None
    node: int | None = None


@quick
class TurnNodes:
    """What a turn added: its roots in order of the statements, and its first and last new node.

    Nodes from `start` to `said` are the program's own; evaluating it made the rest.
    """

    speaker: Literal["user", "agent"]
    roots: tuple[int, ...]
    start: int
    end: int
    said: int


@dataclass(slots=True)
class Graph:
    """Nodes in order of making, their results, and the turns. Grows only."""

    nodes: list[Node] = field(default_factory=list)
    results: dict[int, Result] = field(default_factory=dict)
    turns: list[TurnNodes] = field(default_factory=list)
    confirmed: set[int] = field(default_factory=set)
    tainted: set[int] = field(default_factory=set)
    """Nodes that an exception reaches: those that have one, and those above them."""

    def add(self, fn: str, inputs: tuple[Edge, ...], term: Term | None, type_: Type, turn: int) -> int:
        """A new node; its id."""
        self.nodes.append(Node(len(self.nodes), fn, inputs, term, type_, turn))
        return len(self.nodes) - 1

    def standing_for(self, node: int) -> int:
        """The node at the end of the result edges that start here."""
        result = self.results.get(node)
        if result is None or result.node is None:
            return node
        seen = {node}
        while (result := self.results.get(node)) is not None and result.node is not None and result.node not in seen:
            node = result.node
            seen.add(node)
        return node

    def failure(self, node: int) -> Failure | None:
        """The exception that stopped a node: its own, or the first of an input's."""
        seen: set[int] = set()
        todo = [node]
        while todo:
            current = todo.pop()
            if current in seen:
                continue
            seen.add(current)
            result = self.results.get(current)
            if result is not None and result.kind == "failure":
                return result.value if isinstance(result.value, Failure) else None
            if result is not None and result.node is not None:
                todo.append(result.node)
            todo.extend(edge.node for edge in reversed(self.nodes[current].inputs))
        return None

    def value(self, node: int) -> Any:
        """A node's value after following result edges; None if it has none."""
        result = self.results.get(node)
        if result is not None and result.node is not None:
            result = self.results.get(self.standing_for(node))
        return result.value if result is not None and result.kind == "value" else None

    def values(self, inputs: tuple[Edge, ...]) -> list[Any]:
        """The values of a node's inputs."""
        values: list[Any] = []
        for _, node in inputs:
            result = self.results.get(node)
            if result is not None and result.node is not None:
                result = self.results.get(self.standing_for(node))
            values.append(result.value if result is not None and result.kind == "value" else None)
        return values

    def within(self, root: int) -> Iterator[int]:
        """Nodes of the computation at `root`, breadth first, through inputs and result edges."""
        seen = {root}
        queue = [root]
        for node in queue:
            yield node
            result = self.results.get(node)
            ahead = [result.node] if result is not None and result.node is not None else []
            for following in ahead + [edge.node for edge in self.nodes[node].inputs]:
                if following not in seen:
                    seen.add(following)
                    queue.append(following)
