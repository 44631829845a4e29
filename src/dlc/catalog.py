"""Every diagnostic dlc can give, by code: its long text is the docstring of the function that makes it."""

import inspect
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module

# Modules in which each public function makes one diagnostic or note and is documented as such.
MODULES = (
    "dlc.grammar.errors",
    "dlc.compiler.errors",
    "dlc.canon.errors",
    "dlc.targets.slots.notes",
    "dlc.targets.thingtalk.class_errors",
    "dlc.targets.thingtalk.read_errors",
    "dlc.targets.thingtalk.write_notes",
    "dlc.targets.dataflow.errors",
    "dlc.targets.sql.errors",
    "dlc.runtime.errors",
    "dlc.runtime.sql_errors",
    "dlc.neural.errors",
    "dlc.errors",
)
_HEAD = re.compile(r"(DLC\d{3}): ")


@cache
def explanations() -> Mapping[str, str]:
    """Long texts by code, in order of codes. Raises ValueError if two functions claim one code."""
    found: dict[str, str] = {}
    for module in map(import_module, MODULES):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            text = inspect.getdoc(function) or ""
            head = _HEAD.match(text)
            if head is None or function.__module__ != module.__name__ or name.startswith("_"):
                continue
            if head.group(1) in found:
                raise ValueError(f"{head.group(1)} is explained twice, the second time by {module.__name__}.{name}")
            found[head.group(1)] = text
    return dict(sorted(found.items()))
