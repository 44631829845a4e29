"""`dlc graph`: a dialogue drawn as DOT, Mermaid or, with Graphviz, SVG."""

import json
import re
import shutil
import sys

import pytest

ROWS = [
    ("D1", "user inform: Hotel | where .stars = 4;"),
    ("D1", 'user request: Execute(refer({ .role = Path("output") }));'),
    ("D2", "user inform: Restaurant | where .area = north;"),
]


@pytest.fixture
def rows(tmp_path):
    made = [
        {"dialogue_id": name, "turn": 2 * i, "schema": "multiwoz", "program": text}
        for i, (name, text) in enumerate(ROWS)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    return "rows.jsonl"


def test_dot(dlc_run, rows):
    done = dlc_run("graph", rows, "--dialogue", "D1")
    assert done.status == 0, done.err
    assert done.out.startswith("digraph dialogue {") and done.out.endswith("}\n")
    assert done.out.count("subgraph cluster_") == 2 and 'label="turn 1, user"' in done.out
    # Every edge joins nodes that are drawn, and the reference to the output is executed: a dashed edge.
    nodes = set(re.findall(r"^    (n\d+) \[", done.out, re.MULTILINE))
    edges = re.findall(r"^  (n\d+) -> (n\d+) ", done.out, re.MULTILINE)
    assert edges and {end for edge in edges for end in edge} <= nodes
    assert "refer" in done.out and "Execute" in done.out


def test_mermaid_to_a_file(dlc_run, rows, tmp_path):
    done = dlc_run("graph", rows, "--dialogue", "D2", "--format", "mermaid", "-o", "graph.mmd")
    assert done.status == 0 and done.out == ""
    text = (tmp_path / "graph.mmd").read_text()
    assert text.startswith("flowchart BT\n") and 'subgraph t0["turn 0, user"]' in text and "t1[" not in text


def test_lines_without_a_name_are_one_dialogue(dlc_run, tmp_path):
    (tmp_path / "talk.dl").write_text("\n".join(text for _, text in ROWS) + "\n")
    done = dlc_run("graph", "talk.dl", "--schema", "multiwoz")
    assert done.status == 0 and done.out.count("subgraph cluster_") == 3


def test_a_corpus(dlc_run):
    done = dlc_run("graph", "--lang", "multiwoz", "--dialogue", "INV0001")
    assert done.status == 0 and done.out.count("subgraph cluster_") >= 5


def test_lispress(dlc_run, tmp_path):
    (tmp_path / "talk.lispress").write_text("(Yield (Now))\n")
    done = dlc_run("graph", "talk.lispress", "--lang", "dataflow")
    assert done.status == 0, done.err
    assert done.out.count("subgraph cluster_") == 1 and "Now" in done.out


def test_svg(dlc_run, rows):
    done = dlc_run("graph", rows, "--dialogue", "D1", "--format", "svg")
    if shutil.which("dot"):
        assert done.status == 0 and "<svg" in done.out and done.out.count('class="node"') > 2
    else:
        assert done.status == 3 and done.out == "" and "DLC374" in done.err and "Graphviz" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands for dot")
@pytest.mark.parametrize(("script", "status"), [("cat > /dev/null; echo '<svg/>'", 0), ("echo no >&2; exit 1", 3)])
def test_svg_is_what_dot_says(dlc_run, rows, tmp_path, monkeypatch, script, status):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "dot").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin" / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    done = dlc_run("graph", rows, "--dialogue", "D1", "--format", "svg")
    assert done.status == status
    assert done.out == "<svg/>\n" if status == 0 else "DLC374" in done.err and "no" in done.err


def test_several_dialogues_or_none(dlc_run, rows):
    done = dlc_run("graph", rows)
    assert done.status == 3 and "DLC368" in done.err and "D1, D2" in done.err
    done = dlc_run("graph", rows, "--dialogue", "D9")
    assert done.status == 3 and "DLC368" in done.err and "D9" in done.err


def test_broken_turns_are_reported_and_the_rest_drawn(dlc_run, tmp_path):
    (tmp_path / "talk.dl").write_text(f"{ROWS[0][1]}\nuser inform: Hotel | where\n")
    done = dlc_run("graph", "talk.dl", "--schema", "multiwoz")
    assert done.status == 1 and "DLC004" in done.err and "line 2" in done.err
    assert done.out.count("subgraph cluster_") == 1


def test_usage(dlc_run):
    assert dlc_run("graph").status == 2
    assert dlc_run("graph", "x", "--format", "png").status == 2
    assert dlc_run("graph", "nowhere.dl").status == 3
