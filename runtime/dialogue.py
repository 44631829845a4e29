"""Running a dialogue as dataflow: each turn extends the graph, and its roots are evaluated.

`Dialogue.step` is the dataflow instance of `step(state, turn)`. The operators on the graph itself:

    refer(spec)              the most salient node that `spec` accepts, as a reference
    Execute(ref)             the value of a reference
    intension(x)             the reference to x's own node
    revise(root, old, new)   root's computation, the specification that `old` accepts revised by `new`
    substitute(root, old, new) root's computation with `new` in the place that `old` accepts
    transform(root, old, f)  root's computation with f applied at the place that `old` accepts

`root` is a reference or, in the paper's own form, a constraint on it; then the revision stands for what it made.
A schema's functions can be such operators under other names (`operators`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from ..compiler.check import Checker
from ..compiler.node import node as quick
from ..compiler.terms import Abs, App, Field, Statement, Term, Turn, Var
from ..compiler.types import DYNAMIC, Con, Type
from ..targets.dataflow.names import is_variable
from .build import OfType, Plan, is_spec, plan
from .errors import RuntimeFailure
from .evaluate import Call, Context, Relation, Scope, can_evaluate, evaluate
from .graph import OUTPUT, Edge, Failure, Graph, Node, Reference, Result, Role, TurnNodes
from .library import Library, Problem
from .revise import Missing, Place, missing_places, revised_constraint, with_place
from .salience import Nearest, Salience

MAX_STEPS = 10_000
_new = tuple.__new__
"""Makes a named tuple without the call in between: a turn is a dozen nodes and edges."""


class _Roles:
    """The roles a node plays: equal to each of them, as a tuple of names or as text. Found out when asked for."""

    def __init__(self, plays: Callable[[Role], bool]) -> None:
        self.plays = plays

    def __eq__(self, other: object) -> bool:
        role = _role(other)
        return isinstance(role, tuple) and self.plays(role)

    __hash__ = None  # type: ignore[assignment]


def _role(value: Any) -> Any:
    """A role from the text of its path, or as it is."""
    return tuple(value.split(".")) if isinstance(value, str) else value


@quick
class Symbol:
    """The value of a call that nothing implements, where the library allows that: the node itself, and nothing else
    is known of it. As a predicate it accepts nothing."""

    node: int

    def __call__(self, *values: Any) -> None:
        """Not known of any value."""


_HAS_ROLE = Abs("spec", ("it",), App("=", (Field(Var("it"), "role"), Var("#0"))))


@lru_cache(maxsize=1 << 10)
def _asks_role(term: Term) -> bool:
    """Whether a specification is `{ .role = #0 }` and nothing else."""
    return term == _HAS_ROLE


class _Spec:
    """A specification as a predicate over the values of its inputs, evaluated when it is first asked."""

    __slots__ = ("context", "predicate", "term", "values")

    def __init__(self, term: Term, context: Context, values: list[Any]) -> None:
        self.term, self.context, self.values = term, context, values
        self.predicate: Any = None

    def __call__(self, subject: Any) -> Any:
        if self.predicate is None:
            scope = Scope({f"#{i}": value for i, value in enumerate(self.values)})
            self.predicate = evaluate(self.term, self.context, scope)
        return self.predicate(subject)

    def asked_role(self) -> Role | None:
        """The role that a node must have, if that is all this asks of it."""
        role = _role(self.values[0]) if _asks_role(self.term) else None
        return role if isinstance(role, tuple) else None


@quick
class StepResult:
    """What a turn gave: for each statement its value, or the failure that stopped it."""

    values: tuple[Any, ...]
    failures: tuple[Failure | None, ...]


@dataclass
class Dialogue:
    """A dialogue's state and everything needed to go on with it.

    `satisfiable` says of a specification whether anything can meet it (None: not known); it is handed in
    by whoever has a prover, and used only to weaken revised constraints. `typed`: turns are type-checked for the types
    of their subterms; else only types that they write are known. `operators`: which functions of the schema are
    operators of the graph.
    """

    checker: Checker
    library: Library = field(default_factory=Library)
    database: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    salience: Salience = field(default_factory=Nearest)
    satisfiable: Callable[[Term], bool | None] | None = None
    graph: Graph = field(default_factory=Graph)
    typed: bool = True
    operators: Mapping[str, str] = field(default_factory=dict)
    outputs: set[int] = field(default_factory=set)
    _context: Context = field(init=False)
    _budget: int = MAX_STEPS

    def __post_init__(self) -> None:
        library = _LIBRARY_OF_PATHS | dict(self.library.functions)
        self._context = Context(self.checker.schema, self.database, library)

    def step(self, turn: Turn) -> StepResult:
        """Add a turn and evaluate its statements. An exception stops only what depends on it."""
        return self.run(plan(turn, self.checker.subterm_types(turn) if self.typed else None))

    def run(self, made: Plan) -> StepResult:
        """The same for a turn that is planned already."""
        graph = self.graph
        number, start = len(graph.turns), len(graph.nodes)
        nodes, results = graph.nodes, graph.results
        for i, (fn, inputs, term, type_, result) in enumerate(made.nodes, start):
            if start and inputs:
                inputs = tuple([_new(Edge, (role, input_ + start)) for role, input_ in inputs])
            nodes.append(_new(Node, (i, fn, inputs, term, type_, number)))
            if result is not None:
                results[i] = result
        said = len(graph.nodes)
        roots = tuple([root + start for root in made.roots])
        self._budget = MAX_STEPS
        for root in roots:
            try:
                self.evaluate(root)
            except RecursionError:
                self._failed(root, Failure("budget", "this is nested too deep to run"))
        graph.turns.append(TurnNodes(made.speaker, roots, start, len(graph.nodes), said))
        if made.speaker == "user":
            self.outputs.update(map(self._output, roots))
        failures = [graph.failure(root) if root in graph.tainted else None for root in roots]
        return StepResult(tuple([graph.value(root) for root in roots]), tuple(failures))

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
        graph = self.graph
        made = graph.nodes[node]
        for _, below in made.inputs:
            if below not in graph.results:
                self.evaluate(below)
            if below in graph.tainted:
                graph.tainted.add(node)
        if made.fn == "{}" and made.term is not None:
            spec = Result("value", _Spec(made.term, self._context, graph.values(made.inputs)))
            graph.results[node] = spec
            return spec
        if node in graph.tainted and not is_spec(made.type):
            return self._set(node, Result("blocked"))
        name = self.operators.get(made.fn, made.fn)
        operator = _OPERATORS.get(name)
        try:
            if operator is not None:
                if len(made.inputs) != _ARITY[name]:
                    raise Problem("malformed", f"{made.fn} takes {_ARITY[name]} arguments, not {len(made.inputs)}")
                return operator(self, node)
            if made.fn in self.library.confirmations:
                return self._confirm(node)
            return self._call(node)
        except Problem as problem:
            return self._failed(node, Failure(problem.kind, problem.message, problem.path))

    def _set(self, node: int, result: Result) -> Result:
        self.graph.results[node] = result
        if result.kind == "failure" or (result.node is not None and result.node in self.graph.tainted):
            self.graph.tainted.add(node)
        return result

    def _failed(self, node: int, failure: Failure) -> Result:
        return self._set(node, Result("failure", failure))

    def _inputs(self, node: int) -> list[Any]:
        return self.graph.values(self.graph.nodes[node].inputs)

    def _scope(self, node: int) -> Scope:
        return Scope({f"#{i}": value for i, value in enumerate(self._inputs(node))})

    def _call(self, node: int) -> Result:
        made = self.graph.nodes[node]
        if made.fn in self.library.effects and node not in self.graph.confirmed:
            arguments = tuple((self._label(made, e)[0], self.graph.value(e.node)) for e in made.inputs)
            proposal = Call(made.fn, arguments)
            return self._failed(node, Failure("unconfirmed", f"{made.fn} waits to be confirmed", (), proposal))
        if made.fn in self.library.functions:
            positional = [v for e, v in zip(made.inputs, self._inputs(node), strict=True) if e.role[0].isdigit()]
            named = {
                e.role[0]: v for e, v in zip(made.inputs, self._inputs(node), strict=True) if not e.role[0].isdigit()
            }
            return self._set(node, Result("value", self.library.call(made.fn, tuple(positional), named)))
        assert made.term is not None
        if is_variable(made.fn) and made.fn not in self.checker.schema.function:
            raise Problem("unbound", f"the variable {made.fn} is not bound")
        if self.library.symbolic and self._unknown(made):
            return self._set(node, Result("value", Symbol(node)))
        try:
            value = evaluate(made.term, self._context, self._scope(node))
        except RuntimeFailure as error:
            raise Problem("error", error.diagnostics[0].message) from None
        except (TypeError, ValueError, ArithmeticError):
            # A program that was never type-checked, or data that do not fit the schema.
            raise Problem("malformed", f"{made.fn} does not apply to these values") from None
        if isinstance(value, Call):
            missing = [m.role for m in missing_places(self.graph, node, self.checker.schema)]
            required = self.checker.schema.function[made.fn].labelled
            lacking = [role for role in missing if role[0] in required and not required[role[0]].optional]
            if lacking:
                raise Problem("incomplete", f"{made.fn} needs {', '.join(r[0] for r in lacking)}", lacking[0])
        return self._set(node, Result("value", value))

    def _unknown(self, made: Node) -> bool:
        """Whether nothing can be computed: a call that nothing implements, or one of what is itself unknown."""
        if isinstance(made.term, App) and not can_evaluate(made.term.fn) and made.fn not in _LIBRARY_OF_PATHS:
            return True
        return any(isinstance(self.graph.value(edge.node), Symbol) for edge in made.inputs)

    def _confirm(self, node: int) -> Result:
        """The most salient proposal of the wanted type, confirmed; without data, else the last thing shown."""
        wanted = _argument(self.graph.nodes[node].type)
        for candidate in self.salience.order(self.graph):
            result = self.graph.results.get(candidate)
            if wanted not in (DYNAMIC, self.graph.nodes[candidate].type):
                continue
            if result is not None and isinstance(result.value, Failure) and result.value.kind == "unconfirmed":
                self.graph.confirmed.add(candidate)
                for other in [n for n in self.graph.results if candidate in set(self.graph.within(n))]:
                    del self.graph.results[other]
                    self.graph.tainted.discard(other)
                self.evaluate(candidate)
                return self._set(node, Result("value", Reference(candidate)))
        shown = self.salience.order(self.graph) if self.library.symbolic else ()
        for candidate in shown:
            if candidate in self.outputs and wanted in (DYNAMIC, self.graph.nodes[candidate].type):
                return self._set(node, Result("value", Reference(candidate)))
        raise Problem("nothing_to_confirm", "there is nothing that waits to be confirmed")

    # ------------------------------------------------------------ reference

    def _refer(self, node: int) -> Result:
        constraint = self.graph.nodes[node].inputs[0].node
        type_ = _argument(self.graph.nodes[node].type)
        predicate = self.graph.value(constraint)
        found = self.salience.meant(self.graph, predicate.type) if isinstance(predicate, OfType) else None
        if found is None:
            found = next(self._accepted(constraint, type_, self.salience.order(self.graph)), None)
        if found is None:
            found = self._search(constraint, type_, node)
        if found is None:
            raise Problem("no_referent", "nothing mentioned so far fits", self._asked_role(constraint))
        return self._set(node, Result("value", Reference(found)))

    def _accepted(self, constraint: int, type_: Type, nodes: Iterator[int]) -> Iterator[int]:
        """Nodes among `nodes` of the type that the constraint accepts."""
        predicate = self.graph.value(constraint)
        if not callable(predicate):
            return
        of_type = predicate.type if isinstance(predicate, OfType) else None
        asked = predicate.asked_role() if isinstance(predicate, _Spec) else None
        term = self.graph.nodes[constraint].term
        playing: dict[Role, set[int]] = {}

        def plays(candidate: int, role: Role) -> bool:
            if role == OUTPUT and candidate in self.outputs:
                return True
            if role not in playing:
                playing[role] = self._playing(role)
            return candidate in playing[role]

        for candidate in nodes:
            own = self.graph.nodes[candidate].type
            if type_ is not DYNAMIC and type_ not in (DYNAMIC, own, _executed(own)):
                continue
            if of_type is not None:
                if own is of_type or own == of_type:
                    yield candidate
                continue
            if asked is not None:
                if plays(candidate, asked):
                    yield candidate
                continue
            value = self.graph.value(candidate)
            if value is None and _mentions(term, "value"):
                continue
            subject = {"role": _Roles(partial(plays, candidate)), "value": _single(value), "type": own}
            if _accepts(predicate, subject):
                yield candidate

    def _output(self, root: int) -> int:
        """What a user's statement gave; a function with a parameter `output` hands on the argument it has there."""
        made = self.graph.nodes[root]
        if made.fn not in self.checker.schema.function:
            return root
        return next((edge.node for edge in made.inputs if self._label(made, edge) == OUTPUT), root)

    def _label(self, made: Node, edge: Edge) -> Role:
        """An edge's role; an argument given by position goes by the name of its parameter, if that has one."""
        if len(edge.role) != 1 or not edge.role[0].isdigit():
            return edge.role
        function = self.checker.schema.function.get(made.fn)
        if function is None:
            return edge.role
        index = int(edge.role[0])
        name = function.positional[index].name if index < len(function.positional) else None
        return (name,) if name else edge.role

    def _playing(self, role: Role) -> set[int]:
        """The nodes that some computation uses by a keyword path.

        Of a node's own paths only those matter that `role` begins with: where computations are shared, there are
        exponentially many others.
        """
        wanted = {role[:i] for i in range(1, len(role) + 1)}
        paths: dict[int, set[Role]] = {root: {OUTPUT} & wanted for root in self.outputs}
        for made in reversed(self.graph.nodes):
            outer = paths.get(made.id, set())
            for edge in made.inputs:
                known = paths.setdefault(edge.node, set())
                for own in {edge.role, self._label(made, edge)}:
                    known.update(wanted.intersection(own[i:] for i in range(len(own))))
                    known.update(wanted.intersection([before + own for before in outer]))
                stands = self.graph.standing_for(edge.node)
                if stands != edge.node:
                    paths.setdefault(stands, set()).update(known)
        return {node for node, found in paths.items() if role in found}

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
        if isinstance(reference, Symbol):
            return self._set(node, Result("value", Symbol(node)))
        if not isinstance(reference, Reference):
            raise Problem("no_reference", "only a reference can be executed")
        self.evaluate(reference.node)
        return self._set(node, Result("node", node=reference.node))

    def _intension(self, node: int) -> Result:
        return self._set(node, Result("value", Reference(self.graph.nodes[node].inputs[0].node)))

    # ------------------------------------------------------------ revision

    def _located(self, node: int) -> tuple[Iterator[int], int, int, bool]:
        """Of a revision: the roots it may revise, the node of its `old` and `new`, and whether it names its root by a
        constraint."""
        made = self.graph.nodes[node]
        given = {self._label(made, edge)[0]: edge.node for edge in made.inputs}
        named = all(name in given for name in _LOCATIONS)
        root, old, new = [given[name] for name in _LOCATIONS] if named else [edge.node for edge in made.inputs]
        value = self.graph.value(root)
        if isinstance(value, Reference):
            return iter((value.node,)), old, new, False
        if not (is_spec(self.graph.nodes[root].type) or callable(value)):
            raise Problem("no_root", "there is nothing to revise")
        found = self._accepted(root, DYNAMIC, self.salience.order(self.graph))
        return map(self.graph.standing_for, found), old, new, True

    def _places(self, root: int, constraint: int, type_: Type) -> Iterator[Place]:
        """Places within a computation that a constraint accepts: where it failed first, then nodes, then what is
        missing."""
        yield from self._accepted(constraint, type_, self.graph.within(root))
        predicate = self.graph.value(constraint)
        failed = self.graph.failure(root) if root in self.graph.tainted else None
        # No column holds a specification, only a call's argument is one.
        in_specs = not (isinstance(predicate, OfType) and is_spec(predicate.type))
        gaps = [
            gap
            for node in self.graph.within(root)
            if in_specs or self.graph.nodes[node].fn in self.checker.schema.function
            for gap in missing_places(self.graph, node, self.checker.schema)
        ]
        gaps.sort(key=lambda gap: failed is None or failed.path[-1:] != gap.role[-1:])
        for gap in gaps:
            subject = {"role": _Roles(gap.role.__eq__), "value": None, "type": gap.type}
            if type_ in (DYNAMIC, gap.type) and callable(predicate) and _accepts(predicate, subject):
                yield gap

    def _revise(self, node: int) -> Result:
        turn = self.graph.nodes[node].turn
        roots, constraint, new, located = self._located(node)
        new_type = self.graph.nodes[new].type
        root, place = next(
            ((r, p) for r in roots for p in self._places(r, constraint, DYNAMIC) if self._revisable(p, new_type)),
            (node, None),
        )
        if place is None:
            raise Problem("no_place", "nothing there can be revised in this way")
        if isinstance(place, Missing):
            revised = new
        else:
            revised = revised_constraint(self.graph, place, new, turn, self.satisfiable)
        return self._redirect(node, with_place(self.graph, root, place, revised, turn), located)

    def _revisable(self, place: Place, type_: Type) -> bool:
        """Specifications of the same subject; two whose subject nobody decided fit any."""
        own = place.type if isinstance(place, Missing) else self.graph.nodes[place].type
        if not (isinstance(own, Con) and own.name == "Spec"):
            return False
        if isinstance(own.args[0], Con) and own.args[0].name == "Ref":
            return False
        return type_ == own or DYNAMIC in (own.args[0], _argument(type_))

    def _substitute(self, node: int) -> Result:
        roots, constraint, new, located = self._located(node)
        value = self.graph.value(new)
        target = value.node if isinstance(value, Reference) else new
        wanted = _executed(self.graph.nodes[target].type)
        root, place = next(((r, p) for r in roots for p in self._places(r, constraint, wanted)), (node, None))
        if place is None:
            raise Problem("no_place", "nothing there can be substituted in this way")
        copy = with_place(self.graph, root, place, target, self.graph.nodes[node].turn)
        return self._redirect(node, copy, located)

    def _transform(self, node: int) -> Result:
        turn = self.graph.nodes[node].turn
        roots, constraint, function, located = self._located(node)
        wanted = _argument(self.graph.nodes[function].type)
        places = ((r, p) for r in roots for p in self._places(r, constraint, wanted))
        root, place = next(((r, p) for r, p in places if isinstance(p, int)), (node, None))
        if not isinstance(place, int):
            raise Problem("no_place", "nothing there can be changed in this way")
        changed = self.graph.add(
            "apply", (Edge(("0",), function), Edge(("1",), place)), None, self.graph.nodes[place].type, turn
        )
        return self._redirect(node, with_place(self.graph, root, place, changed, turn), located)

    def _apply(self, node: int) -> Result:
        function, argument = self._inputs(node)
        if isinstance(function, Symbol):
            return self._set(node, Result("value", Symbol(node)))
        if not callable(function):
            raise Problem("malformed", "only a function can be applied")
        try:
            return self._set(node, Result("value", function(argument)))
        except (RuntimeFailure, TypeError, ValueError, ArithmeticError):
            raise Problem("malformed", "the function does not apply to this value") from None

    def _redirect(self, node: int, root: int, located: bool) -> Result:
        """A revision's value is the reference to the revised computation; in the paper's own form its result is that
        computation."""
        if not located:
            return self._set(node, Result("value", Reference(root)))
        self.evaluate(root)
        return self._set(node, Result("node", node=root))


_OPERATORS: dict[str, Callable[[Dialogue, int], Result]] = {
    "refer": Dialogue._refer,
    "Execute": Dialogue._execute,
    "intension": Dialogue._intension,
    "revise": Dialogue._revise,
    "substitute": Dialogue._substitute,
    "transform": Dialogue._transform,
    "apply": Dialogue._apply,
}
_ARITY = {"refer": 1, "Execute": 1, "intension": 1, "revise": 3, "substitute": 3, "transform": 3, "apply": 2}
_LOCATIONS = ("rootLocation", "oldLocation", "new")


def _path(text: Any) -> Role:
    if not isinstance(text, str):
        raise TypeError("a path is text")
    return tuple(text.split("."))


_LIBRARY_OF_PATHS: dict[str, Callable[..., Any]] = {"Path": _path}


def _accepts(predicate: Callable[..., Any], subject: Mapping[str, Any]) -> bool:
    """Whether a constraint holds of a node; one that does not apply to such a node (a field it lacks) does not."""
    try:
        return predicate(subject) is True
    except (RuntimeFailure, TypeError):
        return False


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
    from ..compiler.terms import subterms

    return term is not None and any(
        isinstance(t, Field) and t.name == name and t.subject == Var("it") for t in subterms(term)
    )
