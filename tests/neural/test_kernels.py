"""The Triton kernels, in Triton's interpreter: the reference's masks and steps, environments and plans included."""

import os
import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "support" / "triton_agrees.py"


def test_the_kernels_agree_with_the_reference() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "8", "2"],
        capture_output=True,
        text=True,
        env={**os.environ, "TRITON_INTERPRET": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.search(r"(\d+) steps agree", done.stdout)
    assert found is not None and int(found[1]) > 80
