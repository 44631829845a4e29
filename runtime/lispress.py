"""Lispress texts as plans for the graph.

A program is planned statement by statement, and statements that differ only in their strings are planned once: the
programs of a corpus repeat each other far more in their parts than as wholes.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from ..compiler.terms import Lit
from ..targets.dataflow.names import Names, Unsayable
from ..targets.dataflow.program import Expr
from ..targets.dataflow.reader import program_of, read_program
from ..targets.dataflow.sexp import LispressError, Sexp, read
from ..targets.dataflow.to_dl import dl_turn
from .build import OfType, Plan, Planned, plan
from .graph import Edge, Result

MEMO_LIMIT: Final = 1 << 16

_STRING: Final = "~"
"""Stands for each string of a shape."""

_Shape = tuple[Plan, tuple[int, ...]]
"""A plan and its nodes that hold the strings, in the order of the text."""


class Plans:
    """Plans of programs whose types are only those they write."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[str, Plan] = {}
        self._shapes: dict[str, _Shape | None] = {}
        self._statements: dict[Sexp, _Shape | None] = {}
        self._values: dict[str, tuple[Lit, Result]] = {}
        self._equal: dict[Any, Any] = {}

    def of(self, text: str) -> Plan:
        """The plan of a program. Raises LispressError for a text that is none, Unsayable for what DL cannot say."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) > MEMO_LIMIT:
                for memo in (self._known, self._shapes, self._statements, self._values, self._equal):
                    memo.clear()
            known = self._known[text] = self._filled(text) or self._plan(read_program(text))
        return known

    def _plan(self, program: Expr) -> Plan:
        made = plan(dl_turn(program, self._names))
        nodes = tuple([self._shared(node) if node[0] in ("{}", "Constraint") else node for node in made.nodes])
        return Plan(made.speaker, nodes, made.roots, made.calls)

    def _shared(self, node: Planned) -> Planned:
        """The node over terms and types that equal ones share, so that comparing them is cheap."""
        fn, inputs, term, type_, result = node
        one = self._equal.setdefault
        if result is not None and isinstance(result.value, OfType):
            result = Result("value", OfType(one(result.value.type, result.value.type)))
        if fn == "{}":
            term, type_ = one(term, term), one(type_, type_)
        return fn, inputs, term, type_, result

    def _filled(self, text: str) -> Plan | None:
        """The plan of the text's shape, its strings put in; None where strings are more than values."""
        pieces = text.split('"')
        if len(pieces) < 3 or len(pieces) % 2 == 0 or "\\" in text or not (text.isascii() and text.isprintable()):
            return None
        values: list[str] = []
        for i in range(1, len(pieces), 2):
            # A string after `#(` names something: a path, say. It belongs to the shape.
            if "#" not in pieces[i - 1]:
                values.append(pieces[i])
                pieces[i] = _STRING
        key = '"'.join(pieces)
        if key not in self._shapes:
            self._shapes[key] = self._shape(key)
        shape = self._shapes[key]
        if shape is None or len(shape[1]) != len(values):
            return None
        made, places = shape
        nodes = list(made.nodes)
        for place, value in zip(places, values, strict=True):
            fn, inputs, _, type_, _ = nodes[place]
            term, result = self._values.get(value) or self._value(value)
            nodes[place] = (fn, inputs, term, type_, result)
        return Plan(made.speaker, tuple(nodes), made.roots, made.calls)

    def _value(self, value: str) -> tuple[Lit, Result]:
        made = self._values[value] = Lit("text", value), Result("value", value)
        return made

    def _shape(self, key: str) -> _Shape | None:
        try:
            tree = read(key)
            parts = [self._statement(statement) for statement in _statements(tree)]
        except (LispressError, Unsayable):
            # The text itself is planned then, so that what is said of it is about the text.
            return None
        return _joined(parts)

    def _statement(self, tree: Sexp) -> _Shape | None:
        if tree not in self._statements:
            numbers = count()
            made = self._plan(program_of(_numbered(tree, numbers)))
            self._statements[tree] = _with_places(made, next(numbers))
        return self._statements[tree]


def _with_places(made: Plan, strings: int) -> _Shape | None:
    """A plan with the nodes that hold its numbered strings; None if one of them is not the only value of a node."""
    nodes: dict[str, list[int]] = {}
    for i, node in enumerate(made.nodes):
        if isinstance(node[2], Lit):
            nodes.setdefault(node[2].value, []).append(i)
    places = [nodes.get(f"{_STRING}{k}", []) for k in range(strings)]
    return (made, tuple([own[0] for own in places])) if all(len(own) == 1 for own in places) else None


def _statements(tree: Sexp) -> tuple[Sexp, ...]:
    """The statements of a program that mean alone what they mean within it; else the program as a whole."""
    if isinstance(tree, tuple) and tree[:1] == ("do",) and len(tree) > 2:
        if all(isinstance(each, tuple) and each and each[0] not in ("do", "let") for each in tree[1:]):
            return tree[1:]
    return (tree,)


def _numbered(tree: Sexp, numbers: Iterator[int]) -> Sexp:
    """The tree with a different text for each string, so that their nodes can be told apart."""
    if isinstance(tree, str):
        return f'"{_STRING}{next(numbers)}"' if tree == f'"{_STRING}"' else tree
    return tuple([_numbered(each, numbers) for each in tree])


def _joined(parts: list[_Shape | None]) -> _Shape | None:
    """Plans of statements one after the other as the plan of one turn."""
    if len(parts) == 1:
        return parts[0]
    nodes: list[Planned] = []
    roots: list[int] = []
    calls: list[tuple[int, tuple[int, ...], int]] = []
    places: list[int] = []
    for i, part in enumerate(parts):
        if part is None:
            return None
        made, own = part
        start = len(nodes)
        for fn, inputs, term, type_, result in made.nodes:
            nodes.append((fn, tuple([Edge(e.role, e.node + start) for e in inputs]), term, type_, result))
        roots += [root + start for root in made.roots]
        calls += [(i, path, node + start) for _, path, node in made.calls]
        places += [place + start for place in own]
    return Plan("user", tuple(nodes), tuple(roots), tuple(calls)), tuple(places)
