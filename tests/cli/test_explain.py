"""Every diagnostic is explained, and every function that makes one is found."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from dlc.catalog import MODULES, explanations

ROOT = Path(__file__).resolve().parents[2]


def makers():
    """(module, function) for every function of the modules whose text holds a code."""
    for name in MODULES:
        module = import_module(name)
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == name and re.search(r'"DLC\d{3}"', inspect.getsource(function)):
                yield name, function


@pytest.mark.parametrize("module, function", list(makers()), ids=lambda x: getattr(x, "__name__", x))
def test_a_maker_explains_the_code_it_makes(module, function):
    body = re.sub(re.escape(function.__doc__ or ""), "", inspect.getsource(function))
    made = set(re.findall(r'"(DLC\d{3})"', body))
    assert len(made) == 1
    text = explanations()[made.pop()]
    assert text == inspect.getdoc(function)
    assert "What it means:" in text and "How to fix it:" in text


def test_every_code_written_anywhere_is_explained():
    known = set(explanations())
    for folder in ("grammar", "compiler", "canon", "targets", "runtime", "metrics", "neural", "src"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    if re.fullmatch(r"DLC\d{3}", node.value):
                        assert node.value in known, f"{path.relative_to(ROOT)}: {node.value}"


def test_explain(dlc_run):
    done = dlc_run("explain", "DLC104")
    assert done.status == 0 and done.out.startswith("DLC104: ") and "How to fix it" in done.out
    assert dlc_run("explain", "104").out == dlc_run("explain", "dlc104").out == done.out


def test_explain_lists_all(dlc_run):
    listed = dlc_run("explain").out.splitlines()
    assert [line.split(":")[0] for line in listed] == sorted(explanations())


def test_explain_an_unknown_code(dlc_run):
    done = dlc_run("explain", "DLC999")
    assert done.status == 2 and "there is no diagnostic DLC999" in done.err
