"""MultiWOZ as dataflow on the graph: which requests are live, and the slot state they make.

`find` opens a request of a domain, a located revision remakes it, `abandon` drops it; `EmptyConstraint` takes a slot
back. A reference by bare type (`refer(Constraint[Area])`) means the last value of that slot, or of one that can
stand in for it. Source: section 6 of the dataflow paper and the conversion script published with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..compiler.check import Checker
from ..compiler.schema import Schema
from ..compiler.terms import Abs, App, Term
from ..compiler.types import Con, Type
from ..targets.dataflow.salience import NEVER_MEANT, SLOT_GROUPS
from .dialogue import Dialogue
from .graph import Graph, Node, Reference, TurnNodes
from .library import Library
from .revise import conjuncts

FIND: Final = "find"
ABANDON: Final = "abandon"
NOTHING: Final = "EmptyConstraint"

OPERATORS: Final[Mapping[str, str]] = {"ReviseConstraint": "revise", "\\'ReviseConstraint": "revise"}
"""The recipe's functions that are operators of the graph, as DL names them with and without a signature."""

State = Mapping[str, Mapping[str, str]]
"""Values by domain and slot, both in lower case: `{"hotel": {"area": "east", "book-day": "monday"}}`."""


class SlotSalience:
    """The published model: the user's own requests, latest first; a bare type means a slot's last value.

    Values "none" and "dontcare" are never meant. Where the slot itself has none, the slots of its group are looked
    through in their fixed order, not by recency.
    """

    def order(self, graph: Graph) -> Iterator[int]:
        """The roots of the user's turns."""
        for turn in reversed(graph.turns):
            if turn.speaker == "user":
                yield from reversed(turn.roots)

    def meant(self, graph: Graph, type_: Type) -> int | None:
        """The node of the value, from the turns before this one."""
        slot = type_.name.lower() if isinstance(type_, Con) else ""
        group = next((group for group in SLOT_GROUPS if slot in group), ())
        last = _last_values(graph, {slot, *group})
        return next((last[name] for name in (slot, *group) if name in last), None)

    def search(self, constraint: Abs, type_: Type, schema: Schema) -> Term | None:
        """Nothing is looked up: states hold only what was said."""
        return None


def _last_values(graph: Graph, slots: set[str]) -> dict[str, int]:
    """For each slot the node of the last value that programs gave it; what revisions copied does not count."""
    last: dict[str, int] = {}
    for turn in reversed(graph.turns):
        for made in reversed(graph.nodes[turn.start : turn.said]):
            if made.fn != "{}":
                continue
            for edge in reversed(made.inputs):
                slot = edge.role[-1].lower() if edge.role else ""
                if slot in slots and slot not in last and _value(graph, edge.node) not in NEVER_MEANT:
                    last[slot] = _meant_node(graph, edge.node)
    return last


def _meant_node(graph: Graph, node: int) -> int:
    value = graph.value(node)
    return value.node if isinstance(value, Reference) else node


def _value(graph: Graph, node: int) -> str | None:
    """The text that a value's node stands for; None for `EmptyConstraint` and for a reference without referent."""
    result = graph.results.get(node)
    if result is not None and isinstance(result.value, str):
        return result.value
    value = graph.value(_meant_node(graph, node))
    return value if isinstance(value, str) and graph.nodes[node].fn != NOTHING else None


def requests_dialogue(checker: Checker) -> Dialogue:
    """A dialogue of the recipe's programs, about to begin."""
    library = Library(symbolic=True, seconds=0)
    return Dialogue(checker, library, salience=SlotSalience(), typed=False, operators=OPERATORS)


def is_request(term: Term) -> bool:
    """Whether a statement opens, revises or drops a request."""
    return isinstance(term, App) and (term.fn in (FIND, ABANDON) or term.fn in OPERATORS)


@dataclass(slots=True)
class Requests:
    """The live request of each domain, brought up to date turn by turn. whole: each turn says its whole state."""

    whole: bool = False
    live: dict[str, int] = field(default_factory=dict)
    _slots: dict[int, dict[str, str]] = field(default_factory=dict)

    def update(self, graph: Graph, turn: TurnNodes) -> State:
        """The state after a turn. A statement that failed changes nothing."""
        if turn.speaker == "user":
            if self.whole:
                self.live = {}
            for root in turn.roots:
                self._statement(graph, root)
        for node in self.live.values():
            if node not in self._slots:
                self._slots[node] = _slots(graph, node)
        return {domain: self._slots[node] for domain, node in self.live.items() if self._slots[node]}

    def _statement(self, graph: Graph, root: int) -> None:
        node = graph.standing_for(root)
        made = graph.nodes[node]
        domain = _domain(graph, made)
        if domain is None or root in graph.tainted:
            return
        if made.fn == FIND:
            self.live[domain] = node
        elif made.fn == ABANDON:
            self.live.pop(domain, None)


def _domain(graph: Graph, made: Node) -> str | None:
    """What a request is about: the subject of its constraint."""
    type_ = graph.nodes[made.inputs[0].node].type if made.fn in (FIND, ABANDON) and made.inputs else None
    if isinstance(type_, Con) and type_.name == "Spec" and isinstance(type_.args[0], Con):
        return type_.args[0].name.lower()
    return None


def _slots(graph: Graph, node: int) -> dict[str, str]:
    """Slot values of a request."""
    spec = graph.nodes[graph.nodes[node].inputs[0].node]
    slots: dict[str, str] = {}
    for term, path, port in conjuncts(spec.term):
        if path is not None and port is not None and isinstance(term, App) and term.fn in ("=", "is"):
            value = _value(graph, spec.inputs[port].node)
            if value is not None:
                slots[path[0].lower()] = value
    return slots


__all__ = ["Requests", "SlotSalience", "State"]
