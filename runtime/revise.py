"""Revision: a copy of a computation with one place changed, sharing every node it can.

Places are nodes or missing arguments. Nothing of the original is touched.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..compiler.schema import Schema
from ..compiler.terms import Abs, App, Field, Term, Var, children, rebuild
from ..compiler.types import DYNAMIC, Con, Type
from .graph import Edge, Graph, Role


@dataclass(frozen=True, slots=True)
class Missing:
    """An argument, or a field of a specification, that a node does not have yet."""

    node: int
    role: Role
    type: Type


Place = int | Missing


def missing_places(graph: Graph, node: int, schema: Schema) -> Iterator[Missing]:
    """The arguments a call leaves out, and the fields a specification over a table says nothing of."""
    made = graph.nodes[node]
    present = {edge.role[0] for edge in made.inputs if edge.role}
    function = schema.function.get(made.fn)
    if function is not None:
        for label, parameter in function.labelled.items():
            if label not in present:
                yield Missing(node, (label,), parameter.type)
        for i, parameter in enumerate(function.positional):
            if str(i) not in present:
                yield Missing(node, (str(i),), parameter.type)
    subject = made.type.args[0] if isinstance(made.type, Con) and made.type.name == "Spec" else None
    if made.fn == "{}" and isinstance(subject, Con):
        for name in schema.fields_of(subject.name):
            column = schema.column(subject.name, name)
            if column is not None and name not in present:
                yield Missing(node, (name,), column.type)


def with_place(graph: Graph, root: int, place: Place, new: int, turn: int) -> int:
    """The root of a copy of `root` in which `new` stands at `place`; nodes off the way to it are shared."""
    done: dict[int, int] = {}

    def copy(node: int) -> int:
        if node in done:
            return done[node]
        if node == place:
            return new
        done[node] = node
        result = graph.results.get(node)
        if result is not None and result.node is not None:
            revised = copy(result.node)
            if revised != result.node:
                done[node] = revised
                return revised
        original = graph.nodes[node]
        inputs = tuple(Edge(edge.role, copy(edge.node)) for edge in original.inputs)
        term = original.term
        if isinstance(place, Missing) and place.node == node:
            term = _with_argument(term, place.role, len(inputs))
            inputs = (*inputs, Edge(place.role, new))
        if inputs != original.inputs:
            done[node] = graph.add(original.fn, inputs, term, original.type, turn)
        return done[node]

    return copy(root)


def _with_argument(term: Term | None, role: Role, index: int) -> Term | None:
    value = Var(f"#{index}")
    match term:
        case App(fn, args, named, targs) if role[0].isdigit():
            return App(fn, (*args, value), named, targs)
        case App(fn, args, named, targs):
            return App(fn, args, (*named, (role[0], value)), targs)
        case Abs("spec", params, body):
            atom = App("=", (_field_path(role), value))
            return Abs("spec", params, _conjunction([*atoms(body), atom]))
    return term


def _field_path(role: Role) -> Term:
    term: Term = Var("it")
    for name in role:
        term = Field(term, name)
    return term


# ---------------------------------------------------------------- constraints


def atoms(body: Term) -> list[Term]:
    """The conjuncts of a condition."""
    if isinstance(body, App) and body.fn == "and":
        return [atom for arg in body.args for atom in atoms(arg)]
    if body == App("is", (Var("it"), App("everything"))):
        return []
    return [body]


def _conjunction(parts: list[Term]) -> Term:
    if not parts:
        return App("is", (Var("it"), App("everything")))
    return parts[0] if len(parts) == 1 else App("and", tuple(parts))


def subject_path(atom: Term) -> Role | None:
    """The field a conjunct is about; None if it is about several or none."""
    if not isinstance(atom, App) or not atom.args:
        return None
    if atom.fn == "not":
        return subject_path(atom.args[0])
    if atom.fn in ("and", "or"):
        paths = {subject_path(arg) for arg in atom.args}
        return paths.pop() if len(paths) == 1 else None
    path: list[str] = []
    term = atom.args[0]
    while isinstance(term, Field):
        path.append(term.name)
        term = term.subject
    return tuple(reversed(path)) if path and term == Var("it") else None


def revised_constraint(graph: Graph, old: int, new: int, turn: int, satisfiable: Callable[[Term], bool | None]) -> int:
    """`old` and `new` as one specification: what `new` says of a field replaces what `old` said of it, and if
    together they can still not be met, `old` is weakened, its latest conjunct first."""
    old_node, new_node = graph.nodes[old], graph.nodes[new]
    new_parts, new_inputs = _parts(graph, new), list(new_node.inputs)
    about = [path for part in new_parts if (path := subject_path(part)) is not None]
    shift = len(new_inputs)
    kept: list[Term] = []
    for part in _parts(graph, old):
        path = subject_path(part)
        if path is None or not any(_covers(said, path) for said in about):
            kept.append(_shifted(part, shift))
    inputs = (*new_inputs, *old_node.inputs)
    while kept and satisfiable(Abs("spec", ("it",), _conjunction([*kept, *new_parts]))) is False:
        droppable = [
            i
            for i in reversed(range(len(kept)))
            if satisfiable(Abs("spec", ("it",), _conjunction([*kept[:i], *kept[i + 1 :], *new_parts]))) is not False
        ]
        kept.pop(droppable[0] if droppable else -1)
    body = _conjunction([*kept, *new_parts])
    used = sorted({int(v.name[1:]) for v in _variables(body)})
    renamed = {f"#{i}": f"#{k}" for k, i in enumerate(used)}
    type_ = new_node.type if new_node.type != DYNAMIC else old_node.type
    term = Abs("spec", ("it",), _renamed(body, renamed))
    return graph.add("{}", tuple(inputs[i] for i in used), term, type_, turn)


def _parts(graph: Graph, node: int) -> list[Term]:
    term = graph.nodes[node].term
    if isinstance(term, Abs) and term.kind == "spec":
        return atoms(term.body)
    if term == App("everything") or term is None:
        return []
    return [App("is", (Var("it"), term))]


def _covers(new: Role, old: Role) -> bool:
    return old[: len(new)] == new or new[: len(old)] == old


def _variables(term: Term) -> Iterator[Var]:
    if isinstance(term, Var) and term.name.startswith("#"):
        yield term
    for child in children(term):
        yield from _variables(child)


def _shifted(term: Term, by: int) -> Term:
    names = {v.name: f"#{int(v.name[1:]) + by}" for v in _variables(term)}
    return _renamed(term, names)


def _renamed(term: Term, names: dict[str, str]) -> Term:
    if isinstance(term, Var):
        return Var(names.get(term.name, term.name))
    below = children(term)
    return rebuild(term, tuple(_renamed(c, names) for c in below)) if below else term
