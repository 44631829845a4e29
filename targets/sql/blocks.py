"""A SELECT while it is put together from the stages of a DL query."""

from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from ...compiler.terms import Abs, Term
from ...compiler.types import Type
from .names import ColumnInfo, TableInfo


@dataclass(slots=True)
class Output:
    """A column of a derived table: where its expression stands, so that it can be named once someone asks for it."""

    label: str
    select: Any
    index: int
    type: Type | None = None
    info: ColumnInfo | None = None
    name: str | None = None

    def column_name(self) -> str:
        """The column's name; the expression gets it as an alias if it does not have it of itself."""
        if self.name is None:
            items = self.select.expressions
            item = items[self.index]
            plain = isinstance(item, exp.Column) and isinstance(item.this, exp.Identifier)
            others = {i.output_name.lower() for k, i in enumerate(items) if k != self.index}
            if isinstance(item, exp.Alias):
                self.name = item.alias
            elif plain and item.name.lower() not in others:
                self.name = item.name
            else:
                self.name = free_name(self.label, others)
                items[self.index] = exp.Alias(
                    this=item, alias=exp.to_identifier(self.name, quoted=not _plain(self.name))
                )
                items[self.index].parent = self.select
        return self.name


def _plain(name: str) -> bool:
    from .dialects import is_plain

    return is_plain(name)


def free_name(name: str, taken: "set[str]") -> str:
    """A name no other has, in any case."""
    made, number = name, 1
    while made.lower() in taken:
        number += 1
        made = f"{name}{number}"
    return made


Columns = dict[str, "ColumnInfo | Output"]


@dataclass(slots=True)
class Origin:
    """One entry of FROM. `tree`: the table or derived query; `alias`: set when names are given out."""

    tree: Any
    wanted: str
    table: TableInfo | None = None
    derived: bool = False
    alias: str | None = None
    visible: str = ""


@dataclass(slots=True)
class Bound:
    """A DL binder in SQL: which entry of FROM its columns come from, under which names."""

    origin: Origin | None
    columns: Columns
    key: str | None = None
    value: Any = None


@dataclass(slots=True)
class Join:
    """A further entry of FROM."""

    origin: Origin
    side: str
    on: Abs | None


@dataclass(slots=True)
class Block:
    """Stages collected for one SELECT. `groups` None if ungrouped, empty for `whole`; `shown` None for SELECT *."""

    bounds: list[tuple[str, Bound]]
    origins: list[Origin] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    where: list[Abs] = field(default_factory=list)
    groups: list[Abs] | None = None
    having: list[Abs] = field(default_factory=list)
    order: list[Abs] = field(default_factory=list)
    shown: tuple[tuple[str, Term], ...] | None = None
    distinct: bool = False
    limit: tuple[Term, ...] | None = None
    compound: Any = None
    outputs: Columns = field(default_factory=dict)
    result: str = "it"

    @property
    def open(self) -> bool:
        """Whether rows are still those of FROM: nothing grouped, shown or cut off."""
        return (
            self.groups is None
            and self.shown is None
            and not self.distinct
            and self.limit is None
            and self.compound is None
        )
