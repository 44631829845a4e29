"""Names inside a query while it is read: sources, columns, and what a lowered expression carries along."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...compiler.terms import App, Field, Lit, Term, Var
from ...compiler.types import Con, Type
from ...grammar.diagnostic import CompileError, Diagnostic
from ..rows import Note
from . import errors
from .dialects import place
from .names import Catalog, ColumnInfo, table_name


class Val(NamedTuple):
    """A lowered expression. `type` None if it is not known (NULL); `info` its column; `affine` whether SQLite
    gives it a column's affinity; `literal` whether it is a constant as written."""

    term: Term
    type: Type | None
    info: ColumnInfo | None = None
    affine: bool = False
    literal: bool = False


class Shown(NamedTuple):
    """A column of a query's result: SQL name in lower case, DL label."""

    name: str
    label: str
    type: Type | None
    info: ColumnInfo | None = None


class Rel(NamedTuple):
    """A lowered query: its term, its rows' binders, its columns; `shown` whether it ends in a flat row."""

    term: Term
    binders: tuple[str, ...]
    columns: tuple[Shown, ...]
    shown: bool


class Source:
    """One entry of FROM: the binder of its rows, the name SQL knows it by, its columns."""

    __slots__ = ("alias", "binder", "columns", "merged", "var")

    def __init__(self, binder: str, alias: str, columns: "Mapping[str, ColumnInfo | Shown]") -> None:
        self.binder, self.alias, self.columns = binder, alias, columns
        self.var = Var(binder)
        self.merged: frozenset[str] = frozenset()


class Frame:
    """One SELECT: its sources, the frame around it, and whether its rows are grouped."""

    __slots__ = ("aliases", "binders", "by_alias", "inside", "keys", "parent", "sources")

    def __init__(self, parent: "Frame | None") -> None:
        self.parent = parent
        self.sources: list[Source] = []
        self.by_alias: dict[str, Source] = {}
        self.binders: tuple[str, ...] = ()
        self.keys: frozenset[Term] | None = None
        self.inside = False
        self.aliases: dict[str, Any] = {}

    def add(self, source: Source) -> None:
        """One more source, after the others."""
        self.sources.append(source)
        self.by_alias.setdefault(source.alias, source)
        self.binders = (*self.binders, source.binder)


class Shadowed(Exception):
    """An inner row took the name of an outer one that the inner query mentions: read again with unique names."""


@dataclass(slots=True)
class Context:
    """What is shared by all queries of one statement."""

    catalog: Catalog
    text: str = ""
    unique: bool = False
    keep_aliases: bool = False
    notes: list[Note] = field(default_factory=list)
    lets: dict[str, Rel] = field(default_factory=dict)
    let_terms: list[tuple[str, Term]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    tables: int = 0
    depth: int = 0

    def lint(self, diagnostic: Diagnostic, loss: bool = False) -> None:
        """Note a finding that does not stop the reading."""
        self.notes.append(Note(diagnostic.code, diagnostic.message, diagnostic.span, loss))

    def binder(self, wanted: str, frame: Frame) -> str:
        """A name for the rows of a source: the wanted one, or the first free `name2`, `name3` that no table has."""
        taken = self.used if self.unique else frame.binders
        made = wanted
        number = 1
        while made in taken:
            number += 1
            made = f"{wanted}{number}"
            if made.lower() in self.catalog.taken:
                made = wanted
        self.used.add(made)
        return made

    def derived_binder(self, alias: str, frame: Frame) -> str:
        """A name for the rows of a subquery: its alias unless a table has it, or another query is called so."""
        wanted = table_name(alias) if alias else "q"
        while wanted.lower() in self.catalog.taken or wanted in self.catalog.schema.enums_of_member:
            wanted += "_"
        return self.binder(wanted, frame)


def unsupported(what: str, node: Any = None, hint: str = "") -> CompileError:
    """The error for a construct without counterpart."""
    return CompileError(errors.unsupported(what, place(node) if node is not None else None, hint))


BINARY = frozenset(("this", "expression"))


def only(node: Any, allowed: frozenset[str]) -> None:
    """Raise for a part of a node that the rule for it does not read, so that nothing is lost silently."""
    for name, part in node.args.items():
        if part and name not in allowed:
            construct = node.sql_name() if hasattr(node, "sql_name") else node.key.upper()
            raise unsupported(f"{construct} with {name.strip('_').replace('_', ' ').upper()}", node)


def column(node: Any, frame: Frame, context: Context) -> Val:
    """A column reference; a double-quoted name that is no column is text. Raises CompileError (DLC243, DLC244)."""
    identifier = node.this
    name = identifier.this
    folded = name.lower()
    owner = node.args.get("table")
    if owner is not None:
        return _qualified(frame, node, owner.this, folded, context)
    at: Frame | None = frame
    while at is not None:
        found = [s for s in at.sources if folded in s.columns]
        if found:
            if len(found) > 1 and not all(folded in s.merged for s in found[1:]):
                names = [s.binder for s in found]
                context.lint(errors.ambiguous_column(name, names, place(node)))
            return _reference(frame, at, found[0], folded)
        at = at.parent
    if identifier.args.get("quoted") and _in_double_quotes(identifier, context):
        return Val(Lit("text", name), Con("Text"), literal=True)
    if folded in ("true", "false"):
        return Val(Lit("bool", folded), Con("Bool"), literal=True)
    if folded in ("rowid", "oid", "_rowid_"):
        raise unsupported("rowid", node)
    known = sorted({c.sql if isinstance(c, ColumnInfo) else c.label for s in frame.sources for c in s.columns.values()})
    raise CompileError(errors.unknown_column(name, known, place(node)))


def _in_double_quotes(identifier: Any, context: Context) -> bool:
    """Whether a quoted name stands between double quotes; SQLite takes only those for text."""
    start = identifier.meta.get("start")
    return start is not None and context.text[start : start + 1] == '"'


def _qualified(frame: Frame, node: Any, table: str, folded: str, context: Context) -> Val:
    alias = table.lower()
    at: Frame | None = frame
    while at is not None:
        source = at.by_alias.get(alias)
        if source is not None:
            if folded not in source.columns:
                known = sorted(c.sql if isinstance(c, ColumnInfo) else c.label for c in source.columns.values())
                raise CompileError(errors.unknown_column(f"{table}.{node.this.this}", known, place(node)))
            return _reference(frame, at, source, folded)
        at = at.parent
    known = sorted({s.alias for s in frame.sources} | {t.sql for t in context.catalog.tables.values()})
    raise CompileError(errors.unknown_table(table, known, place(node)))


def _reference(frame: Frame, at: Frame, source: Source, folded: str) -> Val:
    found = source.columns[folded]
    if isinstance(found, ColumnInfo):
        info: ColumnInfo | None = found
        term: Term = Field(source.var, found.name)
    else:
        info = found.info
        term = Field(source.var, found.label)
    if at is not frame:
        inner: Frame | None = frame
        while inner is not None and inner is not at:
            if source.binder in inner.binders:
                raise Shadowed
            inner = inner.parent
    if at.keys is not None and not at.inside and term not in at.keys:
        term = App("pick", (term,))
    return Val(term, found.type, info, True)
