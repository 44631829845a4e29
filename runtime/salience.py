"""Which node a reference means: an order over the graph's nodes, and where to look if none will do.

The default is the paper's heuristic (Andreas et al. 2020, section 3): the root of the previous user utterance first,
then whatever few steps reach from it, where a step goes from a node to an input, from an evaluated node to its
result, or from the root of an utterance to the root of an adjacent one.
"""

from collections.abc import Iterator
from typing import Protocol

from ..compiler.schema import Schema
from ..compiler.terms import Abs, App, Field, Lit, Term, Var
from ..compiler.types import Con, Type
from .graph import Graph


class Salience(Protocol):
    """A replaceable model of salience."""

    def order(self, graph: Graph) -> Iterator[int]:
        """Nodes made before the current turn, most salient first."""
        ...

    def meant(self, graph: Graph, type_: Type) -> int | None:
        """The node that a bare type constraint means, if the model knows; None to go by `order`."""
        ...

    def search(self, constraint: Abs, type_: Type, schema: Schema) -> Term | None:
        """An expression that looks harder for a referent, or None."""
        ...


class Nearest:
    """The paper's heuristic. `horizon` is how many utterances back it looks."""

    def __init__(self, horizon: int = 8) -> None:
        self.horizon = horizon

    def order(self, graph: Graph) -> Iterator[int]:
        """Breadth first from the previous user utterance; an exception before what has a value."""
        turns = graph.turns[-self.horizon :]
        start = next((i for i in reversed(range(len(turns))) if turns[i].speaker == "user"), None)
        if start is None:
            start = len(turns) - 1
        if start < 0:
            return
        turn_of = {root: i for i, turn in enumerate(turns) for root in turn.roots}
        seen: set[int] = set()
        level = list(reversed(turns[start].roots))
        if not level:
            level = [root for turn in reversed(turns) for root in reversed(turn.roots)][:1]
        while level:
            fresh = [n for n in dict.fromkeys(level) if n not in seen]
            seen.update(fresh)
            yield from sorted(fresh, key=lambda n: not _failed(graph, n))
            level = []
            for node in fresh:
                result = graph.results.get(node)
                level += [result.node] if result is not None and result.node is not None else []
                level += [edge.node for edge in graph.nodes[node].inputs]
                if node in turn_of:
                    for beside in (turn_of[node] - 1, turn_of[node] + 1):
                        if 0 <= beside < len(turns):
                            level += reversed(turns[beside].roots)

    def meant(self, graph: Graph, type_: Type) -> int | None:
        """Nothing in particular: a type is like any other constraint."""
        return None

    def search(self, constraint: Abs, type_: Type, schema: Schema) -> Term | None:
        """The first row of the type's table that the constraint's `.value` part accepts."""
        if not (isinstance(type_, Con) and type_.name in schema.table):
            return None
        wanted = [on_value for atom in _atoms(constraint.body) if (on_value := _about_value(atom)) is not None]
        if len(wanted) != len(_atoms(constraint.body)):
            return None
        table = App(type_.name)
        subject = Var(type_.name)
        where: Term = table
        for predicate in wanted:
            where = App("where", (where, Abs("spec", (type_.name,), App("is", (subject, predicate)))))
        return App("at", (where, Lit("number", "1")))


def _failed(graph: Graph, node: int) -> bool:
    result = graph.results.get(node)
    return result is not None and result.kind == "failure"


def _atoms(body: Term) -> list[Term]:
    if isinstance(body, App) and body.fn == "and":
        return [atom for arg in body.args for atom in _atoms(arg)]
    return [body]


def _about_value(atom: Term) -> Term | None:
    """The specification that an atom puts on `.value`, or None if it is about something else."""
    match atom:
        case App("is", (Field(Var("it"), "value"), predicate)):
            return predicate
        case App(fn, (left, right)):
            moved = _from_value(left)
            if moved is not None:
                return Abs("spec", ("it",), App(fn, (moved, right)))
    return None


def _from_value(term: Term) -> Term | None:
    """`.value.f.g` as `.f.g`; None if the term does not start at `.value`."""
    match term:
        case Field(Var("it"), "value"):
            return Var("it")
        case Field(subject, name):
            inner = _from_value(subject)
            return Field(inner, name) if inner is not None else None
    return None
