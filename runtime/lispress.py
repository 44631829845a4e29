"""Lispress texts as plans for the graph. Texts that differ only in their strings are planned once."""

from typing import Any, Final

from ..compiler.terms import Lit
from ..targets.dataflow.names import Names
from ..targets.dataflow.reader import read_program
from ..targets.dataflow.to_dl import dl_turn
from .build import OfType, Plan, Planned, plan
from .graph import Result

MEMO_LIMIT: Final = 1 << 16

_Shape = tuple[Plan, tuple[int, ...]]
"""A plan and its nodes that hold the strings."""


class Plans:
    """Plans of programs whose types are only those they write."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}
        self._known: dict[str, Plan] = {}
        self._equal: dict[Any, Any] = {}

    def of(self, text: str) -> Plan:
        """The plan of a program. Raises LispressError for a text that is none, Unsayable for what DL cannot say."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) > MEMO_LIMIT:
                self._known.clear()
                self._shapes.clear()
                self._equal.clear()
            known = self._known[text] = self._filled(text) or self._plan(text)
        return known

    def _plan(self, text: str) -> Plan:
        made = plan(dl_turn(read_program(text), self._names))
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
        # A string after `#(` names something: a path, say. It belongs to the shape.
        lifted = [i for i in range(1, len(pieces), 2) if "#" not in pieces[i - 1]]
        values = [pieces[i] for i in lifted]
        for k, i in enumerate(lifted):
            pieces[i] = f"~{k}~"
        key = tuple(pieces)
        if key not in self._shapes:
            self._shapes[key] = self._shape('"'.join(pieces), len(values))
        shape = self._shapes[key]
        if shape is None:
            return None
        made, places = shape
        nodes = list(made.nodes)
        for place, value in zip(places, values, strict=True):
            fn, inputs, _, type_, _ = nodes[place]
            nodes[place] = (fn, inputs, Lit("text", value), type_, Result("value", value))
        return Plan(made.speaker, tuple(nodes), made.roots, made.calls)

    def _shape(self, text: str, count: int) -> _Shape | None:
        made = self._plan(text)
        names = [f"~{k}~" for k in range(count)]
        texts = {node[2].value: i for i, node in enumerate(made.nodes) if isinstance(node[2], Lit)}
        return (made, tuple([texts[name] for name in names])) if all(name in texts for name in names) else None
