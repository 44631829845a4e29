"""A dialogue's dataflow graph as DOT or Mermaid text.

Result edges are dashed, evaluated nodes shaded, the last turn's nodes dark, exceptions marked. One cluster a turn.
"""

from collections.abc import Iterator

from ..compiler.sugar import print_term
from .graph import Graph, Node, Result

MAX_LABEL = 40


def to_dot(graph: Graph) -> str:
    """The graph for Graphviz."""
    lines = ["digraph dialogue {", "  rankdir=BT;", '  node [shape=box, fontname="sans-serif", style=filled];']
    for number, turn in enumerate(graph.turns):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f'    label="turn {number}, {turn.speaker}"; color=gray;')
        for node in graph.nodes[turn.start : turn.end]:
            lines.append(f"    n{node.id} [{_dot_style(graph, node)}];")
        lines.append("  }")
    for source, target, label, dashed in _edges(graph):
        style = ", style=dashed" if dashed else ""
        lines.append(f'  n{source} -> n{target} [label="{_escape(label)}"{style}];')
    return "\n".join([*lines, "}"]) + "\n"


def to_mermaid(graph: Graph) -> str:
    """The graph for Mermaid."""
    lines = ["flowchart BT"]
    for number, turn in enumerate(graph.turns):
        lines.append(f'  subgraph t{number}["turn {number}, {turn.speaker}"]')
        for node in graph.nodes[turn.start : turn.end]:
            lines.append(f'    n{node.id}["{_mermaid_text(_label(graph, node))}"]:::{_state(graph, node)}')
        lines.append("  end")
    for source, target, label, dashed in _edges(graph):
        arrow = "-.->" if dashed else "-->"
        said = f"|{_mermaid_text(label)}|" if label else ""
        lines.append(f"  n{source} {arrow}{said} n{target}")
    lines += [
        "  classDef waiting fill:#ffffff,stroke:#888888,color:#000000",
        "  classDef done fill:#d9d9d9,stroke:#555555,color:#000000",
        "  classDef current fill:#4d4d4d,stroke:#000000,color:#ffffff",
        "  classDef failed fill:#f4cccc,stroke:#cc0000,color:#000000",
    ]
    return "\n".join(lines) + "\n"


def _edges(graph: Graph) -> Iterator[tuple[int, int, str, bool]]:
    """(source, target, label, whether a result edge): inputs point to what uses them."""
    for node in graph.nodes:
        for edge in node.inputs:
            yield edge.node, node.id, ".".join(edge.role), False
        result = graph.results.get(node.id)
        if result is not None and result.node is not None:
            yield node.id, result.node, "", True


def _state(graph: Graph, node: Node) -> str:
    result: Result | None = graph.results.get(node.id)
    if result is not None and result.kind == "failure":
        return "failed"
    last = graph.turns[-1] if graph.turns else None
    if last is not None and last.start <= node.id < last.end:
        return "current"
    return "done" if result is not None and result.kind != "blocked" else "waiting"


_COLOURS = {"waiting": ("white", "black"), "done": ("gray85", "black"), "current": ("gray30", "white")}


def _dot_style(graph: Graph, node: Node) -> str:
    state = _state(graph, node)
    label = _escape(_label(graph, node))
    if state == "failed":
        return f'label="{label}", fillcolor="#f4cccc", color="#cc0000", penwidth=2'
    fill, ink = _COLOURS[state]
    return f'label="{label}", fillcolor={fill}, fontcolor={ink}'


def _label(graph: Graph, node: Node) -> str:
    result = graph.results.get(node.id)
    if node.fn == "constant" and node.term is not None:
        shown = print_term(node.term)
    elif node.fn == "{}":
        shown = "{ … }"
    else:
        shown = node.fn
    if result is not None and result.kind == "failure":
        shown += f" ✗ {result.value.kind}"
    return shown if len(shown) <= MAX_LABEL else shown[: MAX_LABEL - 1] + "…"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _mermaid_text(text: str) -> str:
    return (
        text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("|", "&#124;").replace("\n", " ")
    )
