"""Names of entities looked up in a database: what people call a thing, and the key of the row it is.

A name matches a key that is written the same, case, blanks, punctuation and a leading article aside; else the only key that
has all its words, or whose words it has all. Two keys that fit equally well are no match: nothing is guessed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..compiler.schema import Schema
from ..compiler.terms import App, Entity, Field, Statement, Term, Turn, Var, children, rebuild
from ..compiler.types import Con, Type

_WORD = re.compile(r"\w+")
_ARTICLES = frozenset(("the", "a", "an"))


def words(name: str) -> tuple[str, ...]:
    """The words of a name as they are compared; apostrophes are nothing."""
    found = _WORD.findall(name.lower().replace("'", "").replace("\u2019", ""))
    return tuple(found[1:] if len(found) > 1 and found[0] in _ARTICLES else found)


@dataclass(slots=True)
class NameBook:
    """Keys by the entity type they are of."""

    keys: Mapping[str, Sequence[str]]
    _exact: dict[str, dict[tuple[str, ...], str | None]] = field(default_factory=dict)
    _known: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def best(self, type_name: str, said: str) -> str | None:
        """The key of a type that a name stands for; None if none does, or more than one."""
        known = self._known.get((type_name, said), "")
        if known == "":
            known = self._known[type_name, said] = self._find(type_name, words(said))
        return known

    def _find(self, type_name: str, said: tuple[str, ...]) -> str | None:
        exact = self._exact.get(type_name)
        if exact is None:
            exact = self._exact[type_name] = {}
            for key in self.keys.get(type_name, ()):
                spelled = words(key)
                exact[spelled] = key if exact.get(spelled, key) == key else None
        if not said:
            return None
        if said in exact:
            return exact[said]
        given = frozenset(said)
        longer = [key for spelled, key in exact.items() if given <= frozenset(spelled)]
        if longer:
            return longer[0] if len(longer) == 1 else None
        shorter = [key for spelled, key in exact.items() if spelled and frozenset(spelled) <= given]
        return shorter[0] if len(shorter) == 1 else None


def name_book(schema: Schema, rows: Mapping[str, Iterable[Mapping[str, object]]]) -> NameBook:
    """The keys of tables whose key is an entity. rows: by DL name of the table, each with its columns' DL names."""
    keys: dict[str, list[str]] = {}
    for table in schema.tables:
        for column in table.columns:
            if column.key and isinstance(column.type, Con) and column.type.name in schema.entity:
                found = (row.get(column.name) for row in rows.get(table.name, ()))
                keys.setdefault(column.type.name, []).extend(key for key in found if isinstance(key, str))
    return NameBook(keys)


def resolved(turn: Turn, schema: Schema, book: NameBook) -> Turn:
    """The turn with the key of its row as the identifier of each entity that has none and is found; text stays."""

    def term(node: Term, expected: Type | None) -> Term:
        if isinstance(node, Entity):
            type_ = node.type or expected
            if node.id is None and node.text is not None and isinstance(type_, Con):
                key = book.best(type_.name, node.text)
                return replace(node, id=key) if key is not None else node
            return node
        below = children(node)
        if not below:
            return node
        new = tuple(term(child, kind) for child, kind in zip(below, _expected(node, schema, expected), strict=True))
        return rebuild(node, new) if any(a is not b for a, b in zip(new, below, strict=True)) else node

    def statement(said: Statement) -> Statement:
        return Statement(term(said.term, None), said.status, said.let, said.outcome)

    return Turn(turn.speaker, turn.acts, tuple(map(statement, turn.statements)))


def _expected(node: Term, schema: Schema, expected: Type | None) -> tuple[Type | None, ...]:
    """The declared types of a node's subterms, as far as a field or a parameter says; a list's items are its own."""
    count = len(children(node))
    if not isinstance(node, App):
        return (None,) * count
    if node.fn == "list":
        return (expected,) * count
    function = schema.function.get(node.fn)
    if function is not None:
        labelled = function.labelled
        named = tuple(labelled[label].type if label in labelled else None for label, _ in node.named)
        return (None,) * len(node.args) + named
    types = [_field_type(arg, schema) for arg in node.args]
    known = next((t for t in types if t is not None), None)
    return (known,) * count


def _field_type(node: Term, schema: Schema) -> Type | None:
    if isinstance(node, Field) and isinstance(node.subject, Var):
        column = schema.column(node.subject.name, node.name)
        return column.type if column is not None else None
    return None
