"""Running a dialogue as dataflow: each turn extends the graph, and its roots are evaluated.

`Dialogue.step` is the dataflow instance of `step(state, turn)`. The operators on the graph itself:

    refer(spec)              the most salient node that `spec` accepts, as a reference
    Execute(ref)             the value of a reference
    intension(x)             the reference to x's own node
    revise(root, old, new)   root's computation, the specification that `old` accepts revised by `new`
    substitute(root, old, new) root's computation with `new` in the place that `old` accepts
    transform(root, old, f)  root's computation with f applied at the place that `old` accepts
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..compiler.check import Checker
from ..compiler.terms import Abs, Statement, Term, Turn, Var
from ..compiler.types import DYNAMIC, Con, Type
from .build import Builder, is_spec
from .evaluate import Call, Context, Relation, Scope, evaluate
from .graph import OUTPUT, Failure, Graph, Reference, Result, Role, TurnNodes
from .library import Library, Problem
from .revise import Missing, Place, missing_places, revised_constraint, with_place
from .salience import Nearest, Salience

MAX_STEPS = 10_000


class _Roles:
    """The roles a node plays: equal to each of them."""

    def __init__(self, roles: set[Role]) -> None:
        self.roles = roles

    def __eq__(self, other: object) -> bool:
        return other in self.roles

    def __hash__(self) -> int:
        return hash(frozenset(self.roles))


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a turn gave: for each statement its value, or the failure that stopped it."""

    values: tuple[Any, ...]
    failures: tuple[Failure | None, ...]


@dataclass
class Dialogue:
    """A dialogue's state and everything needed to go on with it.

    `satisfiable` says of a specification whether anything can meet it (None: not known); it is handed in
    by whoever has a prover, and used only to weaken revised constraints.
    """

    checker: Checker
    library: Library = field(default_factory=Library)
    database: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    salience: Salience = field(default_factory=Nearest)
    satisfiable: Callable[[Term], bool | None] = lambda spec: None
    graph: Graph = field(default_factory=Graph)

    def step(self, turn: Turn) -> StepResult:
        """Add a turn and evaluate its statements. An exception stops only what depends on it."""
        number = len(self.graph.turns)
        start = len(self.graph.nodes)
        builder = Builder(self.graph, number)
        roots: list[int] = []
        for statement, types in zip(turn.statements, self.checker.subterm_types(turn), strict=True):
            root = builder.build(statement.term, types)
            if statement.let is not None:
                builder.lets[statement.let] = root
            else:
                roots.append(root)
        self._budget = MAX_STEPS
        for root in roots:
            self.evaluate(root)
        self.graph.turns.append(TurnNodes(turn.speaker, tuple(roots), start, len(self.graph.nodes)))
        return StepResult(
            tuple(self.graph.value(root) for root in roots), tuple(self.graph.failure(root) for root in roots)
        )

    def mention(self, *terms: Term) -> StepResult:
        """The agent's reply extends the graph with what it said."""
        return self.step(Turn("agent", (), tuple(Statement(term) for term in terms)))

    # ------------------------------------------------------------ evaluation

    def evaluate(self, node: int) -> Result:
        """A node's result, worked out once; inputs first."""
        known = self.graph.results.get(node)
        if known is not None:
            return known
        self._budget -= 1
        if self._budget < 0:
            return self._failed(node, Failure("budget", f"more than {MAX_STEPS} steps"))
        made = self.graph.nodes[node]
        inputs = [self.evaluate(edge.node) for edge in made.inputs]
        if any(
            result.kind in ("failure", "blocked") or self.graph.failure(edge.node)
            for result, edge in zip(inputs, made.inputs, strict=True)
        ):
            if not is_spec(made.type):
                return self._set(node, Result("blocked"))
        operator = _OPERATORS.get(made.fn)
        try:
            if operator is not None:
                return operator(self, node)
            if made.fn in self.library.confirmations:
                return self._confirm(node)
            return self._call(node)
        except Problem as problem:
            return self._failed(node, Failure(problem.kind, problem.message, problem.path))

    def _set(self, node: int, result: Result) -> Result:
        self.graph.results[node] = result
        return result

    def _failed(self, node: int, failure: Failure) -> Result:
        return self._set(node, Result("failure", failure))

    def _inputs(self, node: int) -> list[Any]:
        return [self.graph.value(edge.node) for edge in self.graph.nodes[node].inputs]

    def _scope(self, node: int) -> Scope:
        return Scope({f"#{i}": value for i, value in enumerate(self._inputs(node))})

    def _context(self) -> Context:
        return Context(self.checker.schema, self.database, _LIBRARY_OF_PATHS | dict(self.library.functions))

    def _call(self, node: int) -> Result:
        made = self.graph.nodes[node]
        if made.fn in self.library.functions:
            positional = [v for e, v in zip(made.inputs, self._inputs(node), strict=True) if e.role[0].isdigit()]
            named = {
                e.role[0]: v for e, v in zip(made.inputs, self._inputs(node), strict=True) if not e.role[0].isdigit()
            }
            if made.fn in self.library.effects and node not in self.graph.confirmed:
                proposal = Call(made.fn, tuple(named.items()))
                return self._failed(node, Failure("unconfirmed", f"{made.fn} waits to be confirmed", (), proposal))
            return self._set(node, Result("value", self.library.call(made.fn, tuple(positional), named)))
        assert made.term is not None
        from .errors import RuntimeFailure

        try:
            value = evaluate(made.term, self._context(), self._scope(node))
        except RuntimeFailure as error:
            raise Problem("error", error.diagnostics[0].message) from None
        if isinstance(value, Call):
            missing = [m.role for m in missing_places(self.graph, node, self.checker.schema)]
            required = self.checker.schema.function[made.fn].labelled
            lacking = [role for role in missing if role[0] in required and not required[role[0]].optional]
            if lacking:
                raise Problem("incomplete", f"{made.fn} needs {', '.join(r[0] for r in lacking)}", lacking[0])
        return self._set(node, Result("value", value))

    def _confirm(self, node: int) -> Result:
        for candidate in self.salience.order(self.graph):
            result = self.graph.results.get(candidate)
            if result is not None and isinstance(result.value, Failure) and result.value.kind == "unconfirmed":
                self.graph.confirmed.add(candidate)
                for other in [n for n in self.graph.results if candidate in set(self.graph.within(n))]:
                    del self.graph.results[other]
                self.evaluate(candidate)
                return self._set(node, Result("value", Reference(candidate)))
        raise Problem("nothing_to_confirm", "there is nothing that waits to be confirmed")

    # ------------------------------------------------------------ reference

    def _refer(self, node: int) -> Result:
        constraint = self.graph.nodes[node].inputs[0].node
        type_ = _argument(self.graph.nodes[node].type)
        found = next(self._accepted(constraint, type_, self.salience.order(self.graph)), None)
        if found is None:
            found = self._search(constraint, type_, node)
        if found is None:
            raise Problem("no_referent", "nothing mentioned so far fits", self._asked_role(constraint))
        return self._set(node, Result("value", Reference(found)))

    def _accepted(self, constraint: int, type_: Type, nodes: Iterator[int]) -> Iterator[int]:
        """Nodes among `nodes` of the type that the constraint accepts."""
        predicate = self.graph.value(constraint)
        looks_at_value = _mentions(self.graph.nodes[constraint].term, "value")
        outputs = {root for turn in self.graph.turns if turn.speaker == "user" for root in turn.roots}
        roles = self._roles(outputs)
        for candidate in nodes:
            made = self.graph.nodes[candidate]
            if type_ not in (DYNAMIC, made.type, _executed(made.type)) or not callable(predicate):
                continue
            value = self.graph.value(candidate)
            if looks_at_value and value is None:
                continue
            subject = {"role": _Roles(roles.get(candidate, set())), "value": _single(value), "type": made.type}
            if predicate(subject) is True:
                yield candidate

    def _roles(self, outputs: set[int]) -> dict[int, set[Role]]:
        """Each node's roles: the keyword paths by which some computation uses it."""
        roles: dict[int, set[Role]] = {root: {OUTPUT} for root in outputs}
        for made in reversed(self.graph.nodes):
            for edge in made.inputs:
                known = roles.setdefault(edge.node, set())
                known.update(edge.role[i:] for i in range(len(edge.role)))
                for outer in list(roles.get(made.id, ())):
                    known.add(outer + edge.role)
                stands = self.graph.standing_for(edge.node)
                if stands != edge.node:
                    roles.setdefault(stands, set()).update(known)
        return roles

    def _asked_role(self, constraint: int) -> Role:
        for edge in self.graph.nodes[constraint].inputs:
            if edge.role[-1:] == ("role",):
                value = self.graph.value(edge.node)
                if isinstance(value, tuple):
                    return value
        return ()

    def _search(self, constraint: int, type_: Type, node: int) -> int | None:
        """The salience model's fallback: an expression added to the graph as a new subgraph."""
        term = self.graph.nodes[constraint].term
        if not isinstance(term, Abs):
            return None
        expression = self.salience.search(term, type_, self.checker.schema)
        if expression is None:
            return None
        inputs = self.graph.nodes[constraint].inputs
        made = self.graph.add("query", inputs, expression, type_, self.graph.nodes[node].turn)
        found = self.evaluate(made).value
        if not (isinstance(found, Relation) and found.rows):
            return None
        self._set(made, Result("value", _single(found)))
        return made

    def _execute(self, node: int) -> Result:
        reference = self.graph.value(self.graph.nodes[node].inputs[0].node)
        if not isinstance(reference, Reference):
            raise Problem("no_reference", "only a reference can be executed")
        self.evaluate(reference.node)
        return self._set(node, Result("node", node=reference.node))

    def _intension(self, node: int) -> Result:
        return self._set(node, Result("value", Reference(self.graph.nodes[node].inputs[0].node)))

    # ------------------------------------------------------------ revision

    def _root_of(self, node: int) -> int:
        reference = self.graph.value(self.graph.nodes[node].inputs[0].node)
        if not isinstance(reference, Reference):
            raise Problem("no_root", "there is nothing to revise")
        return reference.node

    def _places(self, root: int, constraint: int, type_: Type) -> Iterator[Place]:
        """Places within a computation that a constraint accepts: where it failed first, then nodes, then what is
        missing."""
        within = list(self.graph.within(root))
        yield from self._accepted(constraint, type_, iter(within))
        predicate = self.graph.value(constraint)
        failed = self.graph.failure(root)
        gaps = [gap for node in within for gap in missing_places(self.graph, node, self.checker.schema)]
        gaps.sort(key=lambda gap: failed is None or failed.path[-1:] != gap.role[-1:])
        for gap in gaps:
            subject = {"role": _Roles({gap.role}), "value": None, "type": gap.type}
            if type_ in (DYNAMIC, gap.type) and callable(predicate) and predicate(subject) is True:
                yield gap

    def _revise(self, node: int) -> Result:
        made = self.graph.nodes[node]
        root, constraint, new = self._root_of(node), made.inputs[1].node, made.inputs[2].node
        new_type = self.graph.nodes[new].type
        place = next((p for p in self._places(root, constraint, DYNAMIC) if self._revisable(p, new_type)), None)
        if place is None:
            raise Problem("no_place", "nothing there can be revised in this way")
        if isinstance(place, Missing):
            revised = new
        else:
            revised = revised_constraint(self.graph, place, new, made.turn, self.satisfiable)
        return self._redirect(node, with_place(self.graph, root, place, revised, made.turn))

    def _revisable(self, place: Place, type_: Type) -> bool:
        """Specifications of the same subject; two whose subject nobody decided fit any."""
        own = place.type if isinstance(place, Missing) else self.graph.nodes[place].type
        if not (isinstance(own, Con) and own.name == "Spec"):
            return False
        if isinstance(own.args[0], Con) and own.args[0].name == "Ref":
            return False
        return type_ == own or DYNAMIC in (own.args[0], _argument(type_))

    def _substitute(self, node: int) -> Result:
        made = self.graph.nodes[node]
        root, constraint, new = self._root_of(node), made.inputs[1].node, made.inputs[2].node
        value = self.graph.value(new)
        target = value.node if isinstance(value, Reference) else new
        place = next(self._places(root, constraint, _executed(self.graph.nodes[target].type)), None)
        if place is None:
            raise Problem("no_place", "nothing there can be substituted in this way")
        return self._redirect(node, with_place(self.graph, root, place, target, made.turn))

    def _transform(self, node: int) -> Result:
        made = self.graph.nodes[node]
        root, constraint, function = self._root_of(node), made.inputs[1].node, made.inputs[2].node
        wanted = _argument(self.graph.nodes[function].type)
        place = next((p for p in self._places(root, constraint, wanted) if isinstance(p, int)), None)
        if not isinstance(place, int):
            raise Problem("no_place", "nothing there can be changed in this way")
        from .graph import Edge

        changed = self.graph.add(
            "apply", (Edge(("0",), function), Edge(("1",), place)), None, self.graph.nodes[place].type, made.turn
        )
        return self._redirect(node, with_place(self.graph, root, place, changed, made.turn))

    def _apply(self, node: int) -> Result:
        function, argument = self._inputs(node)
        return self._set(node, Result("value", function(argument)))

    def _redirect(self, node: int, root: int) -> Result:
        """A revision's value is the reference to the revised computation."""
        return self._set(node, Result("value", Reference(root)))


_OPERATORS: dict[str, Callable[[Dialogue, int], Result]] = {
    "refer": Dialogue._refer,
    "Execute": Dialogue._execute,
    "intension": Dialogue._intension,
    "revise": Dialogue._revise,
    "substitute": Dialogue._substitute,
    "transform": Dialogue._transform,
    "apply": Dialogue._apply,
}

_LIBRARY_OF_PATHS: dict[str, Callable[..., Any]] = {"Path": lambda text: tuple(text.split("."))}


def _argument(type_: Type) -> Type:
    """What a `Ref`, `Spec` or `Fn` is about."""
    return type_.args[0] if isinstance(type_, Con) and type_.args else DYNAMIC


def _executed(type_: Type) -> Type:
    return type_.args[0] if isinstance(type_, Con) and type_.name == "Ref" else type_


def _single(value: Any) -> Any:
    """The one row of a relation of one row counts as that row."""
    if isinstance(value, Relation) and len(value.rows) == 1 and len(value.binders) == 1:
        return value.rows[0][value.binders[0]]
    return value


def _mentions(term: Term | None, name: str) -> bool:
    from ..compiler.terms import Field, subterms

    return term is not None and any(
        isinstance(t, Field) and t.name == name and t.subject == Var("it") for t in subterms(term)
    )
