"""The command as a user runs it: in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Done:
    """What a run left: exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Done]


@pytest.fixture
def dlc_run(tmp_path: Path) -> Run:
    """`dlc_run("convert", ..., stdin=b"")` in a folder of its own, without colours."""

    def run(*args: str, stdin: bytes | None = None, cwd: Path | None = None) -> Done:
        environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
        done = subprocess.run(
            command(args),
            input=stdin if stdin is not None else b"",
            capture_output=True,
            cwd=cwd or tmp_path,
            env={**environment, "COLUMNS": "100", "TERM": "dumb"},
            timeout=120,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def command(args: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "dlc", *args]


@pytest.fixture
def dlc_command() -> Callable[[Sequence[str]], list[str]]:
    """The command line itself, for tests that watch the process."""
    return command


def turn(**slots: str) -> dict[str, Any]:
    return {"hotel": {"book": {"booked": []}, "semi": dict(slots)}}


def dialogue(*states: dict[str, Any]) -> dict[str, Any]:
    """A dialogue in MultiWOZ's layout: a user turn and a system turn for each state."""
    log: list[dict[str, Any]] = []
    for state in states:
        log += [{"text": "I need a room", "metadata": {}}, {"text": "Which one?", "metadata": state}]
    return {"goal": {}, "log": log}


@pytest.fixture
def corpus() -> dict[str, Any]:
    """Three small dialogues."""
    return {
        "A1.json": dialogue(turn(stars="4"), turn(stars="4", area="north")),
        "A2.json": dialogue(turn(parking="yes")),
        "A3.json": dialogue(turn(area="dontcare")),
    }


@pytest.fixture(scope="session")
def oracle_tokens(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[str], Path], list[dict[str, Any]]]:
    """The same for programs in the tokenized syntax."""
    from thingtalk_oracle import install

    folder = Path(os.environ.get("DLC_ORACLE") or Path(__file__).resolve().parents[3] / "shared/oracles/thingtalk")
    oracle = install(folder, tmp_path_factory.mktemp("oracle"))
    return lambda programs, classes: oracle.judge([(program, "tokenized") for program in programs], classes)


@pytest.fixture(scope="session")
def oracle_judge(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[str], Path], list[dict[str, Any]]]:
    """The ThingTalk reference's verdicts on programs in normal syntax against a class file, in order."""
    from thingtalk_oracle import install

    folder = Path(os.environ.get("DLC_ORACLE") or Path(__file__).resolve().parents[3] / "shared/oracles/thingtalk")
    oracle = install(folder, tmp_path_factory.mktemp("oracle"))
    return lambda programs, classes: oracle.judge([(program, "normal") for program in programs], classes)
