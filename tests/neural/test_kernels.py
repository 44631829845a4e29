"""The Triton kernels: in Triton's interpreter they do what the reference does, environments, plans and what goes
wrong included; and they compile to machine code for GPUs, for which none has to be there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).resolve().parents[1] / "support"


def run(script: str, *arguments: str, **environment: str) -> str:
    """What a script says. They run by themselves: whether kernels are interpreted is decided when Triton is loaded."""
    done = subprocess.run(
        [sys.executable, str(SUPPORT / script), *arguments],
        capture_output=True,
        text=True,
        env={**{k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}, **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_kernels_agree_with_the_reference() -> None:
    said = run("triton_agrees.py", "8", "2", TRITON_INTERPRET="1")
    found = re.search(r"(\d+) steps agree", said)
    assert found is not None and int(found[1]) > 80
    # Refused, missed, overflowed (`core`), where rows are changed into what no program comes to.
    outcomes = ("fill 0", "fill 2", "fill 3", "advance 0", "advance 1", "advance 2", "advance 3")
    assert [each for each in outcomes if each not in said] == []


@pytest.mark.parametrize("architecture", ["80", pytest.param("90", marks=pytest.mark.slow)])
def test_the_kernels_compile_for_gpus(architecture: str, tmp_path: Path) -> None:
    said = run("triton_compiles.py", architecture, TRITON_CACHE_DIR=str(tmp_path))
    made: dict[str, Any] = dict(line.split(": ") for line in said.splitlines())
    # A lane is a row: nothing passes from one to another.
    alone = ", 0 changes of layout"
    rest = ["_masked bf16", "_masked fp16", "_masked fp32"]
    assert sorted(made) == [f"_advance{alone}", *rest, f"_recipe{alone}", "_write"]
    assert all(int(size) > 1000 for size in made.values())
