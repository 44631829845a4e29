"""SMCalFlow's metacomputation on the graph, without data: what needs no calendar has a meaning, the rest is symbolic.

Sources: the dataflow paper, section 4, and the description of SMCalFlow's semantics published with its data.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..compiler.types import UNIT
from .library import Library

OPERATORS: Final[Mapping[str, str]] = {"ReviseConstraint": "revise", "NewClobber": "substitute"}
"""Functions that are operators of the graph."""


def _anything() -> Callable[[Any], bool]:
    """A location predicate: the type decides, and the checker knows it. What is only shown (Unit) is no computation
    to go on with."""
    return lambda subject: subject["type"] != UNIT


_LOCATIONS: Final = (
    "ConstraintTypeIntension",
    "ActionIntensionConstraint",
    "UpdateEventIntensionConstraint",
    "QueryEventIntensionConstraint",
)

_EFFECTS: Final = frozenset(("CreateCommitEventWrapper", "UpdateCommitEventWrapper", "DeleteCommitEventWrapper"))
_CONFIRMATIONS: Final = frozenset(
    (
        "ConfirmAndReturnAction",
        "ConfirmCreateAndReturnAction",
        "ConfirmUpdateAndReturnActionIntension",
        "ConfirmDeleteAndReturnAction",
    )
)

SYMBOLIC: Final = Library({name: _anything for name in _LOCATIONS}, _EFFECTS, _CONFIRMATIONS, 0, symbolic=True)
"""The library of dialogues that are run for their references and revisions only."""
