"""The main job on MultiWOZ val: `convert multiwoz --to thingtalk`, one core, JSON reading included.

    python benchmarks/convert.py [val.json.zip]

Prints turns/s (medians of five runs, interpreter start not counted) and the ratio to `json.loads` of the same bytes alone,
run in turn with it in the same process. The collector is as the command sets it for the conversion, and on, untouched, for
`json.loads`.
"""

import gc
import json
import os
import statistics
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import dlc
from dlc.workers import spare_collector

RUNS = 5


def main() -> None:
    """Measure and print."""
    corpora = Path(os.environ.get("DLC_CORPORA") or Path(__file__).parents[2] / "shared" / "data")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else corpora / "multiwoz21" / "val.json.zip"
    with zipfile.ZipFile(path) as archive:
        raw = archive.read(archive.namelist()[0])
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "val.json"
        plain.write_bytes(raw)
        list(dlc.convert("multiwoz", to="thingtalk"))
        loads: list[float] = []
        converts: list[float] = []
        turns = 0
        defaults = gc.get_threshold()
        for _ in range(RUNS):
            gc.unfreeze()
            gc.set_threshold(*defaults)
            start = time.perf_counter()
            json.loads(raw)
            loads.append(time.perf_counter() - start)
            spare_collector()
            start = time.perf_counter()
            turns = sum(1 for _ in dlc.convert("multiwoz", plain, to="thingtalk"))
            converts.append(time.perf_counter() - start)
    load, convert = statistics.median(loads), statistics.median(converts)
    ratios = [a / b for a, b in zip(loads, converts, strict=True)]
    print(f"turns {turns}  json.loads {load:.3f} s  convert {convert:.3f} s  {turns / convert:.0f} turns/s")
    print(f"ratio to json.loads: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
