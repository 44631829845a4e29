"""Revision: a copy of a computation with one place changed, sharing every node it can.

Places are nodes or missing arguments. Nothing of the original is touched.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ..compiler.schema import Schema
from ..compiler.terms import Abs, App, Entity, Field, Lit, Term, Var, children, rebuild
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
    return _copied(graph, root, place, new, turn, {})


def _copied(graph: Graph, node: int, place: Place, new: int, turn: int, done: dict[int, int]) -> int:
    if node == place:
        return new
    known = done.get(node)
    if known is not None:
        return known
    done[node] = node
    result = graph.results.get(node)
    if result is not None and result.node is not None:
        revised = _copied(graph, result.node, place, new, turn, done)
        if revised != result.node:
            done[node] = revised
            return revised
    original = graph.nodes[node]
    inputs = original.inputs
    for i, edge in enumerate(original.inputs):
        below = _copied(graph, edge.node, place, new, turn, done)
        if below != edge.node:
            inputs = (*inputs[:i], Edge(edge.role, below), *inputs[i + 1 :])
    term = original.term
    if isinstance(place, Missing) and place.node == node:
        term = _with_argument(term, place.role, len(inputs))
        inputs = (*inputs, Edge(place.role, new))
    if inputs is not original.inputs:
        done[node] = graph.add(original.fn, inputs, term, original.type, turn)
    return done[node]


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
        found: list[Term] = []
        for arg in body.args:
            if isinstance(arg, App) and arg.fn not in ("and", "is"):
                found.append(arg)
            else:
                found += atoms(arg)
        return found
    return [] if body == _EVERYTHING else [body]


_IT = Var("it")
_EVERYTHING = App("is", (_IT, App("everything")))


def _conjunction(parts: list[Term]) -> Term:
    if not parts:
        return _EVERYTHING
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
    term = atom.args[0]
    if isinstance(term, Field) and isinstance(term.subject, Var):
        return (term.name,) if term.subject.name == "it" else None
    path: list[str] = []
    while isinstance(term, Field):
        path.append(term.name)
        term = term.subject
    return tuple(reversed(path)) if path and term == Var("it") else None


class Conjunct(NamedTuple):
    """A part of a specification; the field it is about, None if it is about several or none; and the input that it
    compares that field with, if that is all it does (`.field op #i`)."""

    term: Term
    path: Role | None
    port: int | None


Read = tuple[Term | None, tuple[Conjunct, ...]]
Merger = tuple[Term, tuple[tuple[int, int], ...]]
"""A specification, and for each of its inputs where it comes from: the old (0) or new (1) one, and which."""


def revised_constraint(
    graph: Graph, old: int, new: int, turn: int, satisfiable: Callable[[Term], bool | None] | None
) -> int:
    """`old` and `new` as one specification: what `new` says of a field replaces what `old` said of it, and if
    together they can still not be met, `old` is weakened, its latest conjunct first."""
    old_node, new_node = graph.nodes[old], graph.nodes[new]
    if satisfiable is None:
        term, picks = _known_merger(old_node.term, new_node.term)
    else:
        values = _values(graph, (*old_node.inputs, *new_node.inputs))

        def can_hold(spec: Term) -> bool | None:
            return satisfiable(_valued(spec, values))

        term, picks = _merger(old_node.term, new_node.term, len(old_node.inputs), can_hold)
    both = (old_node.inputs, new_node.inputs)
    type_ = old_node.type if new_node.type is DYNAMIC else new_node.type
    return graph.add("{}", tuple([both[side][index] for side, index in picks]), term, type_, turn)


def conjuncts(term: Term | None) -> tuple[Conjunct, ...]:
    """The parts of a specification."""
    return _read(term)[1]


# Specifications name their values as inputs, so that the same few come again and again: they are read and merged once,
# and equal ones that merging makes are one object, so that looking them up is cheap.


@lru_cache(maxsize=1 << 13)
def _read(term: Term | None) -> Read:
    return term, tuple([Conjunct(part, subject_path(part), _only_port(part)) for part in _parts(term)])


@lru_cache(maxsize=1 << 13)
def _known_merger(old: Term | None, new: Term | None) -> Merger:
    return _merger(old, new, 0, None)


@lru_cache(maxsize=1 << 13)
def _with_port(part: App, port: int) -> App:
    """A conjunct that compares a field with an input, with another input."""
    return App(part.fn, (part.args[0], Var(f"#{port}")))


def forget() -> None:
    """Drop what is remembered of earlier revisions; for measuring."""
    for memo in (_read, _known_merger, _with_port):
        memo.cache_clear()


def _merger(
    old: Term | None, new: Term | None, shift: int, satisfiable: Callable[[Term], bool | None] | None
) -> Merger:
    added = conjuncts(new)
    about = {part.path for part in added if part.path is not None}
    kept = [part for part in conjuncts(old) if part.path is None or not _replaced(part.path, about)]
    if satisfiable is not None:
        kept = _weakened(kept, [_shifted(part.term, shift) for part in added], satisfiable)
    picks: list[tuple[int, int]] = []
    body: list[Term] = []
    for side, parts in enumerate((kept, added)):
        for term, _, port in parts:
            if port is not None and isinstance(term, App):
                # By far the most common: one field compared with one value.
                body.append(term if port == len(picks) else _with_port(term, len(picks)))
                picks.append((side, port))
                continue
            names: dict[str, str] = {}
            for name in _variables(term):
                if name not in names:
                    names[name] = f"#{len(picks)}"
                    picks.append((side, int(name[1:])))
            body.append(_renamed(term, names))
    merged = _read(Abs("spec", ("it",), _conjunction(body)))[0]
    assert merged is not None
    return merged, tuple(picks)


def _values(graph: Graph, inputs: tuple[Edge, ...]) -> dict[str, Term]:
    """The inputs that are plain values."""
    given = {f"#{i}": graph.nodes[edge.node].term for i, edge in enumerate(inputs)}
    return {name: term for name, term in given.items() if isinstance(term, Lit | Entity)}


def _valued(term: Term, values: Mapping[str, Term]) -> Term:
    """A specification with the values of its inputs in their places, as far as they are known."""
    if isinstance(term, Var):
        return values.get(term.name, term)
    below = children(term)
    return rebuild(term, tuple(_valued(c, values) for c in below)) if below else term


def _weakened(kept: list[Conjunct], new: list[Term], satisfiable: Callable[[Term], bool | None]) -> list[Conjunct]:
    """What can stay of `kept` beside `new`: the latest conjunct whose absence is enough goes first."""

    def can_stay(parts: list[Conjunct]) -> bool:
        terms = [part.term for part in parts]
        return satisfiable(Abs("spec", ("it",), _conjunction([*terms, *new]))) is not False

    kept = list(kept)
    while kept and not can_stay(kept):
        droppable = [i for i in reversed(range(len(kept))) if can_stay([*kept[:i], *kept[i + 1 :]])]
        kept.pop(droppable[0] if droppable else -1)
    return kept


def _parts(term: Term | None) -> list[Term]:
    if isinstance(term, Abs) and term.kind == "spec":
        return atoms(term.body)
    if term is None or (isinstance(term, App) and term.fn in ("everything", "Constraint")):
        return []
    return [App("is", (Var("it"), term))]


def _only_port(part: Term) -> int | None:
    """Which input a conjunct `.field op #i` compares with; None for any other."""
    if not isinstance(part, App) or len(part.args) != 2 or part.named or part.targs:
        return None
    left, right = part.args
    if isinstance(right, Var) and right.name[:1] == "#" and isinstance(left, Field) and left.subject == _IT:
        return int(right.name[1:])
    return None


def _replaced(old: Role, about: Set[Role]) -> bool:
    """Whether something is said of a field, of a part of it or of what it is part of."""
    return old in about or any(old[: len(new)] == new or new[: len(old)] == old for new in about)


def _variables(term: Term) -> Iterator[str]:
    """The inputs that a term uses, left to right."""
    if isinstance(term, Var) and term.name[:1] == "#":
        yield term.name
    for child in children(term):
        yield from _variables(child)


def _shifted(term: Term, by: int) -> Term:
    names = {name: f"#{int(name[1:]) + by}" for name in _variables(term)}
    return _renamed(term, names)


def _renamed(term: Term, names: dict[str, str]) -> Term:
    if isinstance(term, Var):
        return Var(names.get(term.name, term.name))
    below = children(term)
    return rebuild(term, tuple(_renamed(c, names) for c in below)) if below else term
