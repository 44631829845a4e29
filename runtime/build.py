"""Core terms to graph nodes: one node a call, one a specification with an edge for each value it names.

A turn becomes a plan first: its nodes, inputs counted from the first of them. A plan can be put into any graph.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..compiler.infer import free_names
from ..compiler.node import node as quick
from ..compiler.sugar import STAGES
from ..compiler.terms import Abs, App, Ascribe, Entity, Field, Hole, Lit, Record, Term, Turn, Var, children, rebuild
from ..compiler.types import DYNAMIC, Con, Type
from .graph import Edge, Graph, Result, Role
from .values import entity_value, literal_value

Types = dict[tuple[int, ...], Type]


Planned = tuple[str, tuple[Edge, ...], Term | None, Type, Result | None]


@quick
class Plan:
    """A turn's nodes as (function, inputs, term, type, result if it is known beforehand), inputs before what uses
    them; `roots` its statements.

    calls: the node of each call of a statement, by the statement's position and the path within its term.
    """

    speaker: Literal["user", "agent"]
    nodes: tuple[Planned, ...]
    roots: tuple[int, ...]
    calls: tuple[tuple[int, tuple[int, ...], int], ...]


def plan(turn: Turn, types: Sequence[Types] | None = None) -> Plan:
    """The plan of a turn. types: for each statement the type of each subterm; without, only types that are written."""
    graph = Graph()
    builder = Builder(graph, 0)
    roots: list[int] = []
    calls: list[tuple[int, tuple[int, ...], int]] = []
    for i, statement in enumerate(turn.statements):
        builder.calls = []
        root = builder.build(statement.term, types[i] if types is not None else {})
        calls += [(i, path, node) for path, node in builder.calls]
        if statement.let is not None:
            builder.lets[statement.let] = root
        else:
            roots.append(root)
    nodes = tuple([(n.fn, n.inputs, n.term, n.type, _known_result(n.term)) for n in graph.nodes])
    return Plan(turn.speaker, nodes, tuple(roots), tuple(calls))


def _known_result(term: Term | None) -> Result | None:
    """A literal or entity is its value; one that has none (a date that is no date) is left to evaluation."""
    match term:
        case Entity():
            return Result("value", entity_value(term))
        case App("Constraint", (), (), (type_,)):
            return Result("value", OfType(type_))
        case Lit():
            try:
                return Result("value", literal_value(term))
            except ValueError:
                return None
    return None


@dataclass(frozen=True, slots=True)
class OfType:
    """A bare type constraint, `Constraint[Hotel]`, as a predicate."""

    type: Type

    def __call__(self, subject: Mapping[str, Any]) -> bool:
        """Whether a node is of the type."""
        return bool(subject["type"] == self.type)


@dataclass(slots=True)
class Builder:
    """Adds the terms of one turn; `lets` maps the turn's variables to nodes, so that `let` shares."""

    graph: Graph
    turn: int
    lets: dict[str, int] = field(default_factory=dict)
    calls: list[tuple[tuple[int, ...], int]] = field(default_factory=list)

    def build(self, term: Term, types: Types, path: tuple[int, ...] = ()) -> int:
        """The node of a closed term. `types` gives the type of the subterm at each path."""
        type_ = types.get(path, DYNAMIC)
        match term:
            case Var(name) if name in self.lets:
                return self.lets[name]
            case App("coerce", (inner,)):
                return self.build(inner, types, (*path, 0))
            case Abs("spec", ("it",), body):
                inputs: list[Edge] = []
                new = self._specification(body, types, (*path, 0), (), inputs)
                return self.graph.add("{}", tuple(inputs), Abs("spec", ("it",), new), type_, self.turn)
            case App(fn, args, named) if not _over_rows(term):
                edges = [Edge((str(i),), self.build(a, types, (*path, i))) for i, a in enumerate(args)]
                edges += [
                    Edge((label,), self.build(value, types, (*path, len(args) + i)))
                    for i, (label, value) in enumerate(named)
                ]
                if fn == "Constraint" and not args and len(term.targs) == 1:
                    type_ = Con("Spec", term.targs)
                made = self.graph.add(fn, tuple(edges), _skeleton(term), type_, self.turn)
                self.calls.append((path, made))
                return made
            case Field(subject, name):
                edge = Edge(("0",), self.build(subject, types, (*path, 0)))
                return self.graph.add(f".{name}", (edge,), Field(Var("#0"), name), type_, self.turn)
            case Record(fields):
                edges = [Edge((n,), self.build(v, types, (*path, i))) for i, (n, v) in enumerate(fields)]
                record = Record(tuple((n, Var(f"#{i}")) for i, (n, _) in enumerate(fields)))
                return self.graph.add("{ }", tuple(edges), record, type_, self.turn)
            case Ascribe(inner, given):
                below = (*path, 0)
                if not types:
                    return self.build(inner, {below: given}, below)
                return self.build(inner, types if below in types else {**types, below: given}, below)
            case Lit() | Entity() | Hole():
                return self.graph.add("constant", (), term, type_, self.turn)
        inputs = []
        new = self._specification(term, types, path, (), inputs)
        return self.graph.add("query", tuple(inputs), new, type_, self.turn)

    def _specification(self, term: Term, types: Types, path: tuple[int, ...], role: Role, inputs: list[Edge]) -> Term:
        """The term with every value it names as an input: constants, calls, and `let` variables."""
        if isinstance(term, App) and term.fn in _COMPARISONS and len(term.args) == 2:
            left = term.args[0]
            fields, subject = _fields(left)
            if not isinstance(subject, Var) or subject.name in self.lets:
                left = self._specification(left, types, (*path, 0), role, inputs)
            return App(term.fn, (left, self._named_value(term.args[1], types, (*path, 1), role + fields, inputs)))
        if _is_value(term, self.lets):
            return self._named_value(term, types, path, role, inputs)
        below = children(term)
        if not below:
            return term
        new = tuple(self._specification(c, types, (*path, i), role, inputs) for i, c in enumerate(below))
        return rebuild(term, new)

    def _named_value(self, term: Term, types: Types, path: tuple[int, ...], role: Role, inputs: list[Edge]) -> Term:
        if isinstance(term, Abs) and term.params == ("it",):
            body = self._specification(term.body, types, (*path, 0), role, inputs)
            return Abs(term.kind, term.params, body)
        if _mentions_row(term):
            below = children(term)
            new = tuple(self._specification(c, types, (*path, i), role, inputs) for i, c in enumerate(below))
            return rebuild(term, new) if below else term
        inputs.append(Edge(role, self.build(term, types, path)))
        return Var(f"#{len(inputs) - 1}")


_COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">=", "~", "!~", "like", "not_like", "is"))


def _is_value(term: Term, lets: dict[str, int]) -> bool:
    if isinstance(term, Var):
        return term.name in lets
    if isinstance(term, App):
        return term.fn in ("refer", "Execute") or (bool(term.named) and term.fn != "show")
    return False


def _mentions_row(term: Term) -> bool:
    """Whether a term depends on the row or subject in hand, so that it cannot be a node of its own."""
    if isinstance(term, Lit | Entity | Hole) or (isinstance(term, App) and not term.args and not term.named):
        return False
    return any(name == "it" or name[:1].isupper() for name in free_names(term))


def _fields(term: Term) -> tuple[Role, Term]:
    """The path of fields a comparison is about, and what it begins at."""
    path: list[str] = []
    while isinstance(term, Field):
        path.append(term.name)
        term = term.subject
    return tuple(reversed(path)), term


def _over_rows(term: App) -> bool:
    """Queries evaluate as a whole: their parts range over rows."""
    return term.fn in STAGES or term.fn in ("the", "exists")


def _skeleton(term: App) -> App:
    """The call with its arguments as variables."""
    args = tuple(Var(f"#{i}") for i in range(len(term.args)))
    named = tuple((label, Var(f"#{len(args) + i}")) for i, (label, _) in enumerate(term.named))
    return App(term.fn, args, named, term.targs)


def is_spec(type_: Type) -> bool:
    """Whether a node's value is a specification."""
    return isinstance(type_, Con) and type_.name == "Spec"
