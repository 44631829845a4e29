"""What the writer knows of a term: which column it is, and how the database keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from ...compiler.schema import Schema
from ...compiler.terms import Abs, App, Field, Lit, Term, Var, children, rebuild
from ...compiler.types import Con, Type
from ...grammar.diagnostic import Diagnostic
from ..rows import Note
from .blocks import Bound
from .dialects import is_plain
from .names import Catalog, ColumnInfo


class NotSaid(Exception):
    """SQL cannot say a part; carries the reason."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(diagnostic.message)


@dataclass(slots=True)
class Writing:
    """What is shared by all queries of one turn."""

    catalog: Catalog
    dialect: str
    lets: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @property
    def schema(self) -> Schema:
        """The schema."""
        return self.catalog.schema

    @property
    def affine(self) -> bool:
        """Whether the dialect converts between numbers and text by itself, as SQLite does."""
        return self.dialect == "sqlite"

    def drop(self, diagnostic: Diagnostic, loss: bool = True, part: str = "") -> None:
        """Note something that is left out."""
        self.notes.append(Note(diagnostic.code, diagnostic.message, None, loss, part))


@dataclass(frozen=True, slots=True)
class Scope:
    """The binders an expression can name. `qualified`: whether columns carry their table's name."""

    bounds: Mapping[str, Bound]
    qualified: bool
    own: frozenset[str]
    visible: frozenset[str] = frozenset()


def ident(name: str) -> Any:
    """An identifier, quoted if it must be."""
    return exp.Identifier(this=name, quoted=not is_plain(name))


def info_of(term: Term, scope: Scope) -> ColumnInfo | None:
    """The column a term is, if it is one."""
    while isinstance(term, App) and term.fn in ("pick", "the", "coerce") and term.args:
        if term.fn == "the":
            return shown_info(term.args[0], scope)
        term = term.args[0]
    if isinstance(term, Field) and isinstance(term.subject, Var):
        bound = scope.bounds.get(term.subject.name)
        found = bound.columns.get(term.name) if bound is not None else None
        return found if isinstance(found, ColumnInfo) else found.info if found is not None else None
    return None


def shown_info(term: Term, scope: Scope) -> ColumnInfo | None:
    while isinstance(term, App) and term.args and term.fn in ("distinct", "take", "sort", "at"):
        term = term.args[0]
    if isinstance(term, App) and term.fn == "show" and len(term.named) == 1:
        over = term.named[0][1]
        inner = over.body if isinstance(over, Abs) else over
        while isinstance(inner, App) and inner.fn in ("pick", "number_of", "untyped") and inner.args:
            inner = inner.args[0]
        if isinstance(inner, Field) and isinstance(inner.subject, Var):
            info = _table_column(term.args[0], inner.subject.name, inner.name)
            return _catalog_column(scope, info) if info is not None else None
    return None


def _table_column(term: Term, binder: str, name: str) -> tuple[str, str] | None:
    """The table a binder of a relation stands for, and the column."""
    if isinstance(term, App):
        if not term.args:
            return (term.fn, name) if term.fn == binder else None
        if term.fn == "as" and isinstance(term.args[1], Lit) and term.args[1].value == binder:
            inner = term.args[0]
            return (inner.fn, name) if isinstance(inner, App) and not inner.args else None
        for arg in term.args[:2] if term.fn.startswith("join") else term.args[:1]:
            found = _table_column(arg, binder, name)
            if found is not None:
                return found
    return None


_CATALOG_KEY = ""


def _catalog_column(scope: Scope, place: tuple[str, str]) -> ColumnInfo | None:
    """A column by table and name, from the catalog the scope carries."""
    carrier = scope.bounds.get(_CATALOG_KEY)
    catalog = carrier.value if carrier is not None else None
    if not isinstance(catalog, Catalog):
        return None
    table = catalog.by_name.get(place[0])
    return table.columns.get(place[1]) if table is not None else None


def type_of(term: Term, scope: Scope) -> Type | None:
    """The type of a column or constant; None for what is not worth knowing."""
    info = info_of(term, scope)
    if info is not None:
        return info.type
    match term:
        case Lit("number"):
            return Con("Number")
        case Lit("text"):
            return Con("Text")
        case Lit("bool"):
            return Con("Bool")
    return None


def numeric_column(term: Term, scope: Scope) -> bool:
    info = info_of(term, scope)
    return (
        info is not None
        and isinstance(info.type, Con)
        and info.type.name in ("Number", "Int", "Bool")
        and not info.stored
    )


def text_column(term: Term, scope: Scope) -> bool:
    info = info_of(term, scope)
    return info is not None and not numeric_column(term, scope)


def substituted(term: Term, name: str, value: Term) -> Term:
    """The term with a free variable replaced."""
    if isinstance(term, Var):
        return value if term.name == name else term
    if isinstance(term, Abs) and name in term.params:
        return term
    below = children(term)
    if not below:
        return term
    return rebuild(term, tuple(substituted(child, name, value) for child in below))
