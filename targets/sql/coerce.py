"""SQLite's conversions, made explicit.

SQLite compares two values by the affinity of the columns they come from: a number column makes the other side a
number, else a text column makes a bare value text, else nothing is converted and every number is less than every
text. DL writes the conversion: number_of(...), text_of(...), untyped(...).
"""

from typing import Any

from ...compiler.schema import fact
from ...compiler.terms import App, Lit, Term
from ...compiler.types import BOOL, DYNAMIC, NUMBER, TEXT, Con, Type
from . import errors
from .constants import BASIC, term_of_text
from .dialects import place
from .scope import Context, Val


def is_basic(type_: Type | None) -> bool:
    """Whether values are numbers, texts or truth values, which SQLite converts into each other."""
    return isinstance(type_, Con) and type_.name in BASIC and not type_.args


def numeric(type_: Type | None) -> bool:
    """Whether a column of this type has numeric affinity."""
    return isinstance(type_, Con) and type_.name in ("Number", "Int", "Bool")


def as_number(val: Val, what: str, node: Any, context: Context) -> Term:
    """The value where SQL computes with numbers."""
    if val.type is None or val.type == NUMBER or (isinstance(val.type, Con) and val.type.name == "Int"):
        return val.term
    if val.type == DYNAMIC:
        return App("number_of", (val.term,))
    if val.type != BOOL and is_basic(val.type):
        context.lint(errors.affinity(what, _shown(val.type), "a number", place(node)))
    if not is_basic(val.type):
        return val.term
    return App("number_of", (val.term,))


def as_text(val: Val, node: Any, context: Context) -> Term:
    """The value where SQL wants text."""
    if val.type is None or val.type == TEXT:
        return val.term
    return App("text_of", (val.term,))


def comparable(left: Val, right: Val, node: Any, context: Context) -> tuple[Term, Term]:
    """Both sides of a comparison, of one type."""
    a, b = left.type, right.type
    if a is None or b is None:
        return left.term, right.term
    if right.literal and _finer(left):
        return left.term, _constant(left, right, context)
    if left.literal and _finer(right):
        return _constant(right, left, context), right.term
    if a == b and is_basic(a):
        if left.info is not None and right.info is not None:
            _declared(left, right, node, context)
        return left.term, right.term
    if a == b or DYNAMIC in (a, b):
        return left.term, right.term
    if not (is_basic(a) and is_basic(b)):
        return App("text_of", (left.term,)), App("text_of", (right.term,))
    return _basic(left, right, node, context)


def _finer(val: Val) -> bool:
    """Whether values are kept in the database in another form than their type's."""
    if val.literal or val.type in (None, DYNAMIC):
        return False
    return not is_basic(val.type) or (val.info is not None and val.info.stored != "")


def _basic(left: Val, right: Val, node: Any, context: Context) -> tuple[Term, Term]:
    a, b = left.type, right.type
    if BOOL in (a, b):
        return _number_of(left), _number_of(right)
    context.lint(errors.affinity("a comparison", _shown(b), _shown(a), place(node)))
    if (left.affine and numeric(a)) or (right.affine and numeric(b)):
        return _number_of(left), _number_of(right)
    if left.affine and a == TEXT:
        return left.term, App("text_of", (right.term,))
    if right.affine and b == TEXT:
        return App("text_of", (left.term,)), right.term
    return App("untyped", (left.term,)), App("untyped", (right.term,))


def _number_of(val: Val) -> Term:
    return val.term if val.type == NUMBER else App("number_of", (val.term,))


def _constant(column: Val, literal: Val, context: Context) -> Term:
    """A constant compared with a column that has a finer type than SQL's."""
    stored = column.info.stored if column.info is not None else ""
    term = literal.term
    value = term.value if isinstance(term, Lit) else ""
    assert column.type is not None
    if stored == "amount" and isinstance(term, Lit) and term.kind == "number" and column.info is not None:
        return Lit("quantity", f"{value}{fact(column.info.column.facts, 'sql_unit') or ''}")
    made = term_of_text(context.catalog.schema, column.type, value, stored)
    if made is not None:
        return made
    name = column.info.name if column.info is not None else "value"
    context.lint(errors.constant_kept(value, name))
    return Lit("raw", value)


def _declared(left: Val, right: Val, node: Any, context: Context) -> None:
    """A lint where the database itself declares two types that the schema reader made one."""
    assert left.info is not None and right.info is not None
    a, b = left.info.declared, right.info.declared
    if a != b and (a == "number") != (b == "number") and "time" not in (a, b):
        first, second = (f"{i.table}.{i.name}" for i in (left.info, right.info))
        context.lint(errors.repaired(first, second, place(node)))


def _shown(type_: Type | None) -> str:
    return type_.name if isinstance(type_, Con) else "a value"


def made_one(left: Type | None, right: Val) -> Term:
    """A value where another has given the type already (sides of a set operation, branches of a CASE)."""
    if left is None or right.type is None or left == right.type or left == DYNAMIC or right.type == DYNAMIC:
        return right.term
    return App("untyped", (right.term,))
