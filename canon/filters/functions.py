"""From nodes to functions over cells: one subject is a set of cells, several are a table or a diagram."""

from collections.abc import Sequence
from functools import reduce as fold

from .atoms import Gate, Literal, Node
from .cells import Space, product
from .diagram import TABLE_LIMIT, Diagram
from .table import Table


def subjects_of(node: Node) -> set[str]:
    """Keys of the subjects a node is about."""
    if isinstance(node, Literal):
        return {node.subject}
    if isinstance(node, bool):
        return set()
    found: set[str] = set()
    for part in node.nodes:
        found |= subjects_of(part)
    return found


def cells_of(node: Node, space: Space) -> int:
    """The set of cells where a node about one subject holds."""
    if isinstance(node, Literal):
        return space.mask(node)
    if isinstance(node, bool):
        return space.full if node else 0
    masks = [cells_of(part, space) for part in node.nodes]
    if node.all:
        return fold(lambda a, b: a & b, masks)
    return fold(lambda a, b: a | b, masks)


def components(gate: Gate) -> list[tuple[set[str], list[Node]]]:
    """The parts of a gate grouped so that no two groups share a subject, in order of first appearance."""
    groups: list[tuple[set[str], list[Node]]] = []
    for part in gate.nodes:
        subjects = subjects_of(part)
        joined: tuple[set[str], list[Node]] = (set(subjects), [part])
        rest = []
        for group in groups:
            if group[0].isdisjoint(subjects):
                rest.append(group)
            else:
                joined = (joined[0] | group[0], group[1] + joined[1])
        groups = [*rest, joined]
    return groups


def over(spaces: Sequence[Space], limit: int = 50_000) -> Table | Diagram:
    """The table or diagram that functions of these subjects live in."""
    sizes = tuple(space.size for space in spaces)
    return Table(sizes) if product(sizes) <= TABLE_LIMIT else Diagram(sizes, limit)


def function(node: Node, table: Table | Diagram, spaces: Sequence[Space], order: Sequence[str]) -> int:
    """A node as a function of several subjects, tested in `order`. Raises `diagram.TooLarge`."""
    place = {key: i for i, key in enumerate(order)}

    def build(part: Node) -> int:
        if isinstance(part, Literal):
            variable = place[part.subject]
            return table.literal(variable, spaces[variable].mask(part))
        if isinstance(part, bool):
            return table.true if part else table.false
        out = build(part.nodes[0])
        for inner in part.nodes[1:]:
            out = table.conj(out, build(inner)) if part.all else table.disj(out, build(inner))
        return out

    return build(node)
