"""The graph as text: every node and edge is there, states are marked, nothing in a label breaks the syntax."""

import re
import shutil
import subprocess

import pytest
from calendar_world import FIRST, Conversation

from dlc.runtime.draw import to_dot, to_mermaid


@pytest.fixture
def graph():
    talk = Conversation(FIRST)
    talk.say('find_event({ .subject = "say \\"hi\\" | <b>" });')
    talk.say('Execute(revise[_, Event](refer({ .role = Path("output") }), everything, { .subject = "planning" }));')
    return talk.dialogue.graph


def test_dot_has_every_node_and_edge(graph):
    text = to_dot(graph)
    assert set(re.findall(r"^ +(n\d+) \[", text, re.M)) == {f"n{n.id}" for n in graph.nodes}
    inputs = sum(len(n.inputs) for n in graph.nodes)
    dashed = sum(1 for r in graph.results.values() if r.node is not None)
    assert text.count(" -> ") == inputs + dashed
    assert text.count("style=dashed") == dashed > 0
    assert "✗ not_found" in text
    assert "turn 1, user" in text


def test_mermaid_has_every_node_and_edge(graph):
    text = to_mermaid(graph)
    assert set(re.findall(r"^    (n\d+)\[", text, re.M)) == {f"n{n.id}" for n in graph.nodes}
    assert "-.->" in text
    assert ":::failed" in text
    assert ":::current" in text
    assert "<b>" not in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_accepts_it(graph):
    drawn = subprocess.run(["dot", "-Tsvg"], input=to_dot(graph), capture_output=True, text=True, check=True)
    assert "<svg" in drawn.stdout


def test_drawing_is_deterministic(graph):
    assert to_dot(graph) == to_dot(graph)
