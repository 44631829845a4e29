"""dlc: a compiler for the formal languages of dialogue.

import dlc

for row in dlc.convert("multiwoz", to="thingtalk"):
    print(row["dialogue_id"], row["turn"], row["status"], row["program"])

program = dlc.read("dl", 'user inform: Hotel | where .stars = 4;', "multiwoz")
print(dlc.write("thingtalk", program)[0].program)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlc.grammar.diagnostic import CompileError, Diagnostic

    from .errors import InputFailure
    from .meaning import canonicalize, equivalent
    from .programs import Program, complete, parse, read, typecheck, write
    from .schemas import load_schema
    from .streams import convert

__version__ = "0.1.0"

__all__ = [
    "CompileError",
    "Diagnostic",
    "InputFailure",
    "Program",
    "canonicalize",
    "complete",
    "convert",
    "equivalent",
    "load_schema",
    "parse",
    "read",
    "typecheck",
    "write",
]

# Where the public names live. They are imported when first used, so that one stage alone
# (`dlc.metrics`, say) can be imported without the others.
_HOMES = {
    "CompileError": "dlc.grammar.diagnostic",
    "Diagnostic": "dlc.grammar.diagnostic",
    "InputFailure": "dlc.errors",
    "Program": "dlc.programs",
    "canonicalize": "dlc.meaning",
    "complete": "dlc.programs",
    "convert": "dlc.streams",
    "equivalent": "dlc.meaning",
    "load_schema": "dlc.schemas",
    "parse": "dlc.programs",
    "read": "dlc.programs",
    "typecheck": "dlc.programs",
    "write": "dlc.programs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dlc' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted((*globals(), *_HOMES))
