"""From nodes to functions over cells: one subject is a set of cells, several are a table or a diagram."""

from collections.abc import Sequence

from .atoms import Gate, Literal, Node
from .cells import Space, product
from .diagram import TABLE_LIMIT, Diagram
from .table import Table


def subjects_of(node: Node) -> frozenset[str]:
    """Keys of the subjects a node is about."""
    if isinstance(node, Gate):
        if node.about is None:
            found: set[str] = set()
            for part in node.nodes:
                if isinstance(part, Literal):
                    found.add(part.subject)
                else:
                    found |= subjects_of(part)
            node.about = frozenset(found)
        return node.about
    return frozenset((node.subject,)) if isinstance(node, Literal) else frozenset()


def cells_of(node: Node, space: Space) -> int:
    """The set of cells where a node about one subject holds."""
    if isinstance(node, Literal):
        return space.mask(node)
    if isinstance(node, bool):
        return space.full if node else 0
    out = space.full if node.all else 0
    for part in node.nodes:
        inner = space.mask(part) if isinstance(part, Literal) else cells_of(part, space)
        out = out & inner if node.all else out | inner
    return out


def components(gate: Gate) -> list[tuple[frozenset[str], list[Node]]]:
    """The parts of a gate grouped so that no two groups share a subject, in order of first appearance."""
    groups: list[tuple[frozenset[str], list[Node]]] = []
    for part in gate.nodes:
        subjects = subjects_of(part)
        joined: tuple[frozenset[str], list[Node]] = (subjects, [part])
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
            cells = part.cells if part.cells >= 0 else spaces[variable].mask(part)
            return table.literal(variable, cells)
        if isinstance(part, bool):
            return table.true if part else table.false
        out = build(part.nodes[0])
        for inner in part.nodes[1:]:
            out = table.conj(out, build(inner)) if part.all else table.disj(out, build(inner))
        return out

    return build(node)
