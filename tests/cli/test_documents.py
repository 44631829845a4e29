"""Every command line and every Python block in the README and the docs runs as it stands there."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import boats
import pytest

import dlc

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(path: Path, language: str) -> list[str]:
    return [body for kind, body in _FENCE.findall(path.read_text(encoding="utf-8")) if kind == language]


def with_commands() -> list[Path]:
    return [path for path in DOCUMENTS if blocks(path, "sh")]


@pytest.fixture
def folder(tmp_path, corpus):
    """A folder with the files that the documents speak of, and `dlc` on the path."""
    (tmp_path / "val.json").write_text(json.dumps(corpus))
    (tmp_path / "programs.dl").write_text("user inform: Hotel | where .stars = 4;\n-- a comment\nagent bye:\n")
    (tmp_path / "hotels.dl").write_text("schema hotels\ntable Room { id: Int key, beds: Int?, name: Text }\n")
    (tmp_path / "schema.json").write_text(json.dumps(boats.services()))
    (tmp_path / "dialogues_001.json").write_text(json.dumps([boats.dialogue()]))
    for name in ("gold.lispress", "pred.lispress"):
        (tmp_path / name).write_text("(Yield (Now))\n(Yield (Today))\n")
    (tmp_path / "gold.sql.txt").write_text("SELECT name FROM room\thotels\nSELECT count(*) FROM room\thotels\n")
    (tmp_path / "pred.sql.txt").write_text("SELECT name FROM room\nSELECT beds FROM room\n")
    columns = [[-1, "*"], [0, "id"], [0, "beds"], [0, "name"]]
    tables = [{"db_id": "hotels", "table_names_original": ["room"], "column_names_original": columns}]
    (tmp_path / "tables.json").write_text(json.dumps(tables))
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "dlc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dlc "$@"\n')
    (commands / "dlc").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("document", with_commands(), ids=lambda path: path.name)
def test_every_command_line_runs(folder, document):
    lines = [line for block in blocks(document, "sh") for line in block.splitlines() if line.strip()]
    assert lines
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for line in lines:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_no_command_line_hides_outside_a_block():
    for path in DOCUMENTS:
        text = _FENCE.sub("", path.read_text(encoding="utf-8"))
        found = [line for line in text.splitlines() if re.match(r"\s*(\$ )?dlc [a-z]", line)]
        assert not found, path


@pytest.mark.parametrize("document", [p for p in DOCUMENTS if blocks(p, "python")], ids=lambda path: path.name)
def test_every_python_block_runs(document, capsys):
    for block in blocks(document, "python"):
        exec(compile(block, document.name, "exec"), {})
    assert capsys.readouterr().out


def test_the_setup_lines_are_the_two_of_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "    pip install . && dlc convert multiwoz --to thingtalk\n" in text
    assert "    pip install '.[dev]' && pytest\n" in text


def test_the_row_in_the_readme_is_the_first_row():
    (block,) = blocks(ROOT / "README.md", "json")
    assert json.loads(block) == next(iter(dlc.convert("multiwoz", to="thingtalk")))


def test_documented_flags_and_statuses_are_those_there_are(dlc_run):
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command in ("convert", "typecheck", "eval", "graph"):
        flags = set(re.findall(r"--[a-z]+", dlc_run(command, "--help").out)) - {"--help", "--output"}
        assert flags <= set(re.findall(r"--[a-z]+", text)), command
    for command in ("convert", "typecheck", "fmt", "eval", "graph", "explain", "schema"):
        assert f"## `dlc {command}" in text


def test_the_reannotation_script(tmp_path, monkeypatch, dlc_run):
    script = ROOT / "examples" / "reannotate.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 36
    before = [json.dumps(row) for row in dlc.convert("multiwoz", to="dl")]
    broken = {**json.loads(before[0]), "program": "user inform: Hotel | where .stars = true;"}
    (tmp_path / "before.jsonl").write_text("\n".join([*before, json.dumps(broken)]) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), "before.jsonl", "after.jsonl", "doubtful.jsonl"])
    runpy.run_path(str(script), run_name="__main__")
    after = (tmp_path / "after.jsonl").read_text()
    assert len(after.splitlines()) == len(before)
    assert "17:45" in after and "5:45pm" in "\n".join(before) and 'raw \\"5:45pm\\"' not in after
    (doubtful,) = [json.loads(line) for line in (tmp_path / "doubtful.jsonl").read_text().splitlines()]
    assert doubtful["program"] == broken["program"] and doubtful["found"][0].startswith("DLC104")
    assert dlc_run("convert", "dl", "after.jsonl", "--to", "slots").status == 0
