"""What can be said of two programs: never a bare yes or no."""

from dataclasses import dataclass
from typing import Any, Literal

from .databases import Database


@dataclass(frozen=True, slots=True)
class Witness:
    """A database on which two queries differ, with what each gives. `replayed`: where else running them showed it."""

    database: Database
    first: tuple[Any, ...]
    second: tuple[Any, ...]
    replayed: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of `equivalent`, and how far it goes.

    equal: proved, for all databases if `bound` is None, else for all with at most `bound` rows a table.
    different: `witness` shows it. likely: equal on `databases` random databases, `reason` says why not proved.
    unknown: `reason`. `tried` lists the steps that were taken.
    """

    kind: Literal["equal", "different", "likely", "unknown"]
    bound: int | None = None
    witness: Witness | None = None
    databases: int = 0
    reason: str = ""
    tried: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        raise TypeError("a verdict is no bool: look at its kind")
