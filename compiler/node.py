"""What every node of a tree is: a frozen slotted dataclass that is cheap to make.

A program of a corpus has ten to two hundred nodes and much of the time spent on it goes into making them, so the
constructor writes the slots directly; the one that `dataclass(frozen=True)` makes takes half as long again.
"""

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def node(cls: type[T]) -> type[T]:
    """Make a class a node: `dataclass(frozen=True, slots=True)` with a quick constructor."""
    made = dataclass(frozen=True, slots=True)(cls)
    known: dict[str, Any] = {}
    parameters, body = ["self"], []
    for item in fields(made):  # type: ignore[arg-type]
        if item.default_factory is not MISSING:
            raise TypeError(f"{made.__name__}.{item.name}: a node's default is a value")
        known[f"_set_{item.name}"] = made.__dict__[item.name].__set__
        known[f"_default_{item.name}"] = item.default
        if item.init:
            parameters.append(item.name if item.default is MISSING else f"{item.name}=_default_{item.name}")
        body.append(f" _set_{item.name}(self, {item.name if item.init else f'_default_{item.name}'})")
    exec(f"def __init__({', '.join(parameters)}):\n" + "\n".join(body or [" pass"]), known)
    made.__init__ = known["__init__"]  # type: ignore[method-assign]
    return made
