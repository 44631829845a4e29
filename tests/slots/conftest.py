"""Shared by the slots tests: the built-in schema, the corpora, and the ThingTalk reference behind a function."""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import read_schema

ROOT = Path(__file__).resolve().parents[2]
Verdicts = Callable[[Iterable[str], str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def multiwoz() -> Schema:
    """The built-in schema."""
    return read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The corpora; CI fails without them, because it asks for the marker `corpus`."""
    found = Path(os.environ.get("DLC_CORPORA", ROOT.parent / "shared" / "data"))
    assert found.is_dir(), f"no corpora at {found}; set DLC_CORPORA"
    return found


@pytest.fixture(scope="session")
def val(data: Path) -> dict[str, Any]:
    """MultiWOZ 2.1, validation dialogues."""
    with zipfile.ZipFile(data / "multiwoz21" / "val.json.zip") as archive:
        (name,) = archive.namelist()
        loaded: dict[str, Any] = json.loads(archive.read(name))
    return loaded


@pytest.fixture(scope="session")
def verdicts(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Programs and a class file to what the reference says, in order.

    DLC_THINGTALK names a folder where the oracle is installed already; otherwise it is installed in a scratch copy.
    """
    folder = Path(os.environ.get("DLC_THINGTALK", ""))
    if not (folder / "node_modules").is_dir():
        folder = tmp_path_factory.mktemp("oracle") / "thingtalk"
        shutil.copytree(data.parent / "oracles" / "thingtalk", folder)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=300
        )

    def judge(programs: Iterable[str], classes: str) -> list[dict[str, Any]]:
        path = tmp_path_factory.mktemp("classes") / "schema.tt"
        path.write_text(classes, encoding="utf-8")
        lines = [json.dumps({"id": i, "code": p, "syntax": "normal"}) + "\n" for i, p in enumerate(programs)]
        done = subprocess.run(
            ["node", "oracle.mjs", str(path)], cwd=folder, input="".join(lines), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-500:]
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(lines)
        return answers

    return judge
