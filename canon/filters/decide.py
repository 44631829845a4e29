"""Questions about filters, answered without printing a normal form: can it hold, does one imply another.

None means the guards were reached and nothing is known.
"""

from collections.abc import Callable, Sequence

from ...compiler.schema import Schema
from ...compiler.terms import Abs, Term
from ..rows import Scope
from .atoms import Gate, Literal, Node, Reader, TooManyAtoms, gate
from .cells import Space, subject_space
from .diagram import TooLarge
from .functions import cells_of, components, function, over, subjects_of
from .normal import MAX_CELLS, MAX_LITERALS, NODE_LIMIT


class Question:
    """Conditions over one scope, read together so that they share their cells."""

    def __init__(self, scope: Scope, conditions: Sequence[Term]) -> None:
        self.reader = Reader(scope, MAX_LITERALS)
        self.nodes = [self.reader.read(c) for c in conditions]
        self._spaces: dict[str, Space] = {}

    def space(self, key: str) -> Space:
        """The cells of a subject, cut at the constants of all conditions."""
        found = self._spaces.get(key)
        if found is None:
            found = subject_space(self.reader.subjects[key], self.reader.scope.schema)
            if found.size > MAX_CELLS:
                raise TooLarge
            self._spaces[key] = found
        return found

    def possible(self, node: Node) -> bool:
        """Whether some row makes it true."""
        if isinstance(node, bool):
            return node
        if isinstance(node, Literal):
            return self.space(node.subject).mask(node) != 0
        groups = components(node)
        if not node.all:
            return any(self.possible(part) for part in node.nodes)
        return all(self._possible_together(subjects, parts) for subjects, parts in groups)

    def _possible_together(self, subjects: frozenset[str], parts: list[Node]) -> bool:
        if len(parts) == 1 and not (isinstance(parts[0], Gate) and parts[0].all):
            return self.possible(parts[0])
        node = gate(True, list(parts))
        keys = sorted(subjects)
        if len(keys) == 1:
            return cells_of(node, self.space(keys[0])) != 0
        spaces = [self.space(k) for k in keys]
        table = over(spaces, NODE_LIMIT)
        return function(node, table, spaces, keys) != table.false

    def same(self, first: Node, second: Node) -> bool:
        """Whether two nodes hold in the same rows."""
        a, b = self._regions(first), self._regions(second)
        if a is not None and b is not None:
            if 0 in a.values() or 0 in b.values():
                return 0 in a.values() and 0 in b.values()
            return all(a.get(k, self.space(k).full) == b.get(k, self.space(k).full) for k in a.keys() | b.keys())
        keys = sorted(subjects_of(first) | subjects_of(second))
        if len(keys) == 1:
            space = self.space(keys[0])
            return cells_of(first, space) == cells_of(second, space)
        spaces = [self.space(k) for k in keys]
        table = over(spaces, NODE_LIMIT)
        return function(first, table, spaces, keys) == function(second, table, spaces, keys)

    def _regions(self, node: Node) -> dict[str, int] | None:
        """A conjunction of conditions on one subject each, as a region for each subject; else None."""
        if isinstance(node, bool):
            return {} if node else {"": 0}
        if isinstance(node, Literal):
            return {node.subject: self.space(node.subject).mask(node)}
        if not node.all:
            keys = subjects_of(node)
            if len(keys) != 1:
                return None
            key = next(iter(keys))
            return {key: cells_of(node, self.space(key))}
        found: dict[str, int] = {}
        for part in node.nodes:
            inner = self._regions(part)
            if inner is None:
                return None
            for key, mask in inner.items():
                found[key] = found[key] & mask if key in found else mask
        return found


def satisfiable(condition: Term, scope: Scope) -> bool | None:
    """Whether a condition can hold for any row."""
    try:
        question = Question(scope, [condition])
        return question.possible(question.nodes[0])
    except (TooLarge, TooManyAtoms):
        return None


def always(condition: Term, scope: Scope) -> bool | None:
    """Whether a condition holds for every row."""
    try:
        reader = Question(scope, [])
        node = reader.reader.read(condition, False)
        return not reader.possible(node)
    except (TooLarge, TooManyAtoms):
        return None


def entails(first: Term, second: Term, scope: Scope) -> bool | None:
    """Whether every row that meets the first condition meets the second."""
    try:
        question = Question(scope, [])
        a = question.reader.read(first)
        b = question.reader.read(second, False)
        return not question.possible(gate(True, [a, b]))
    except (TooLarge, TooManyAtoms):
        return None


def specification(schema: Schema) -> Callable[[Term], bool | None]:
    """`satisfiable` for specifications `{ ... }`, of whatever they are about: what runs dialogues is handed."""
    scope = Scope(schema)

    def possible(spec: Term) -> bool | None:
        if not isinstance(spec, Abs):
            return None
        return satisfiable(spec.body, scope.without(spec.params))

    return possible


def same(first: Term, second: Term, scope: Scope) -> bool | None:
    """Whether two conditions hold in the same rows."""
    if first == second:
        return True
    try:
        question = Question(scope, [first, second])
        return question.same(*question.nodes)
    except (TooLarge, TooManyAtoms):
        return None
