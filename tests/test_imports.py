"""Imports run one way, and importing dlc is cheap."""

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGES = ["grammar", "compiler", "canon", "targets", "runtime", "metrics", "neural"]
HEAVY = ("torch", "z3", "transformers", "pyarrow")


def imported(path: Path, package: str) -> set[str]:
    """Absolute names of everything a file imports, at any depth of the code. package: the file's own package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def stage_files() -> list[tuple[str, Path]]:
    return [(stage, path) for stage in STAGES for path in sorted((ROOT / stage).rglob("*.py"))]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_only_stages_above_it(stage):
    allowed = set(STAGES[: STAGES.index(stage) + 1])
    wrong = []
    for path in sorted((ROOT / stage).rglob("*.py")):
        package = "dlc." + ".".join(path.relative_to(ROOT).parent.parts)
        for name in imported(path, package):
            parts = name.split(".")
            if parts[0] == "dlc" and len(parts) > 1 and parts[1] not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_metrics_need_no_dl_and_no_torch():
    for path in sorted((ROOT / "metrics").rglob("*.py")):
        package = "dlc." + ".".join(path.relative_to(ROOT).parent.parts)
        names = imported(path, package)
        assert not {n for n in names if n.split(".")[0] == "torch"}, path
        assert not {n for n in names if n.startswith(("dlc.compiler", "dlc.canon", "dlc.runtime"))}, path


def test_inside_a_stage_imports_are_relative():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for stage, path in stage_files()
        for name in absolute_imports(path)
        if name.split(".")[0] in ("dlc", *STAGES)
    ]
    assert not wrong


def absolute_imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return found


def test_the_core_touches_no_file_network_or_clock():
    forbidden = {"socket", "urllib", "http", "requests", "subprocess", "time", "tempfile", "shutil"}
    wrong = []
    for stage, path in stage_files():
        if stage in ("grammar", "compiler", "canon"):
            names = {name.split(".")[0] for name in absolute_imports(path)}
            wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in names & forbidden]
    assert not wrong


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "use",
    [
        "import dlc",
        "import dlc; dlc.convert; dlc.read; dlc.typecheck; dlc.load_schema",
        "import dlc; list(dlc.convert('multiwoz', to='thingtalk'))",
        "import dlc.cli",
    ],
)
def test_nothing_heavy_is_imported(use):
    assert run(f"import sys; {use}; print([m for m in {HEAVY!r} if m in sys.modules])") == "[]"


def test_no_stage_is_imported_under_a_bare_name():
    every = "; ".join(f"import dlc.{stage}" for stage in STAGES)
    use = f"import sys, dlc; {every}; list(dlc.convert('multiwoz', to='slots'))"
    assert run(f"{use}; print([m for m in {STAGES!r} if m in sys.modules])") == "[]"


def cold_start(*command: str) -> float:
    """Processor seconds of the best of five starts: wall time would tell what else the machine is doing."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def test_cold_start():
    assert cold_start("-c", "import dlc") < 0.3
    assert cold_start("-m", "dlc", "--help") < 0.5
