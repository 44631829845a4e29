"""The packages named in pyproject.toml are the folders there are."""

import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import dlc

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = CONFIG["tool"]["setuptools"]
STAGES = ["grammar", "compiler", "canon", "targets", "runtime", "metrics", "neural"]


def packages_on_disk() -> set[str]:
    found = set()
    for stage in STAGES:
        folders = {path.parent for path in (ROOT / stage).rglob("*.py")}
        found |= {"dlc." + ".".join(folder.relative_to(ROOT).parts) for folder in folders}
    source = ROOT / "src"
    folders = {path.parent for path in (source / "dlc").rglob("*.py")}
    return found | {".".join(folder.relative_to(source).parts) for folder in folders}


def test_the_package_list_equals_the_folders():
    assert sorted(SETUPTOOLS["packages"]) == sorted(packages_on_disk())


def test_every_package_has_an_init():
    for package in SETUPTOOLS["packages"]:
        assert (folder_of(package) / "__init__.py").is_file(), package


def test_the_stages_are_mapped_to_the_top():
    assert SETUPTOOLS["package-dir"] == {"dlc": "src/dlc", **{f"dlc.{stage}": stage for stage in STAGES}}


def test_data_files_are_installed():
    patterns = SETUPTOOLS["package-data"]["*"]
    packages = {folder_of(package) for package in SETUPTOOLS["packages"]}
    for top in {folder_of(f"dlc.{stage}") for stage in STAGES} | {folder_of("dlc")}:
        for path in top.rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc", ".md") and "__pycache__" not in path.parts:
                package = next(folder for folder in path.parents if folder in packages)
                name = path.relative_to(package).as_posix()
                assert any(path.relative_to(package).match(p) and name.count("/") == p.count("/") for p in patterns), (
                    path
                )
    assert files("dlc").joinpath("py.typed").is_file()
    assert files("dlc.grammar").joinpath("dl.lark").is_file()


def folder_of(package: str) -> Path:
    parts = package.split(".")[1:]
    return ROOT.joinpath(*parts) if parts else ROOT / "src" / "dlc"


def test_the_command_tells_the_version():
    done = subprocess.run([sys.executable, "-m", "dlc", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"dlc {dlc.__version__}\n"


def test_no_tracked_file_names_a_machine():
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    personal = re.compile(r"/(?:home|root|Users|work|mnt)/\w")
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            assert not personal.search(path.read_text(encoding="utf-8", errors="replace")), name
