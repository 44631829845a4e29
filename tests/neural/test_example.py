"""The example runs, and shows what it says."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "constrained_decoding.py"


def test_the_example_writes_well_typed_programs_where_nothing_else_does() -> None:
    command = [sys.executable, str(EXAMPLE), "--samples", "4", "--budget", "30"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    shares = {name: int(fine) for name, fine in re.findall(r"^([a-z ]+): (\d+) of 4 well typed", said, re.MULTILINE)}
    assert shares["typed"] == 4
    assert shares["unconstrained"] < 2 and shares["grammar only"] < 2
