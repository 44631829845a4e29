"""Where in a program's text a string literal stands: inside which quotes, of which kind, for which column or argument.

Only text is read, so that no surface and no table need know of grounding. Modes follow the bytes one by one; names
are looked for when a literal opens.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..compiler.check import Checker
from ..compiler.schema import Schema
from ..compiler.spelling import unquote_name
from ..compiler.types import Con, Type
from ..targets.dataflow.judge import Judge
from ..targets.dataflow.names import Names

FREE, OUT, NAME, BODY, ESCAPED = range(5)
"""Before the program (free text), in it, in a back-quoted name, in a literal, after its backslash."""
_QUOTE, _BACK, _SLASH = b'"`\\'
TEXT: Final = "text"
ENTITY: Final = "entity"
KEY: Final = "key"


def mode_after(mode: int, byte: int, names: bool) -> int:
    """The mode after a byte, FREE apart. names: whether the language has back-quoted names."""
    if mode == OUT:
        return BODY if byte == _QUOTE else NAME if byte == _BACK and names else OUT
    if mode == NAME:
        return OUT if byte == _BACK else NAME
    if mode == BODY:
        return OUT if byte == _QUOTE else ESCAPED if byte == _SLASH else BODY
    return BODY


def kind_of(before: bytes) -> str:
    """What a literal is that opens after some text: a text, the name of an entity, or an entity's key."""
    if before.endswith(b"@"):
        return ENTITY
    return KEY if before.endswith(b"#") else TEXT


_DL_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|[A-Za-z_][A-Za-z0-9_]*|\S', re.DOTALL)
_FLOW_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+', re.DOTALL)
_NAMED = re.compile(r"[A-Za-z_`]")


@dataclass(slots=True)
class _Level:
    """What is known inside one pair of brackets: the function called, rows by their names, the last column or
    argument with its owner."""

    head: str | None = None
    rows: dict[str, str] = field(default_factory=dict)
    table: str | None = None
    owner: str | None = None
    name: str | None = None
    called: bool = False


def dl_places(before: str, schema: Schema) -> tuple[str, ...]:
    """What sets may be named by, for a literal that opens after the text of a turn: the column or argument with its
    owner, alone, and its type."""
    levels = [_Level()]
    tokens = [(m.group(), m.start(), m.end()) for m in _DL_TOKEN.finditer(before)]
    for i, (token, start, end) in enumerate(tokens):
        level = levels[-1]
        last, last_end = (tokens[i - 1][0], tokens[i - 1][2]) if i else ("", -1)
        following = before[end : end + 1]
        if token in "([{":
            called = last_end == start and _NAMED.match(last) is not None
            head = unquote_name(last) if token == "(" and called else level.head
            about = (head, None) if token == "(" and called else (level.owner, level.name)
            levels.append(_Level(head, dict(level.rows), level.table, *about, called=token == "(" and called))
        elif token in ")]}":
            inner = levels.pop() if len(levels) > 1 else level
            if inner.called and levels[-1].name is None:
                # What a call compares is known by its argument.
                levels[-1].owner, levels[-1].name = inner.owner, inner.name
        elif token == ";":
            levels = [_Level()]
        elif token == "," and level.called:
            level.owner, level.name = level.head, None
        elif token[0] == '"' or not _NAMED.match(token):
            continue
        else:
            name = unquote_name(token)
            if last == "." and last_end == start:
                row = tokens[i - 2] if i > 1 and tokens[i - 2][2] == tokens[i - 1][1] else None
                named = unquote_name(row[0]) if row is not None and _NAMED.match(row[0]) else None
                level.owner, level.name = (level.rows.get(named) if named else level.table), name
            elif following == ":" and len(levels) > 1:
                level.owner, level.name = level.head, name
            elif last == "as" and level.table is not None:
                level.rows[name] = level.table
            elif name in schema.table and following != ".":
                level.table = level.rows[name] = name
    return tuple(_keys(levels[-1], schema))


def _keys(level: _Level, schema: Schema) -> Iterator[str]:
    owner, name = level.owner, level.name
    if name is None:
        if owner is not None:
            yield owner
        return
    if owner is not None:
        yield f"{owner}.{name}"
    yield name
    if owner is not None:
        found = type_of(schema, owner, name)
        if found is not None:
            yield found


def type_of(schema: Schema, owner: str, name: str) -> str | None:
    """The name of the type of a column or argument, lists and the like taken off."""
    column = schema.column(owner, name)
    function = schema.function.get(owner)
    found: Type | None = column.type if column is not None else None
    if function is not None and name in function.labelled:
        found = function.labelled[name].type
    while isinstance(found, Con) and len(found.args) == 1:
        found = found.args[0]
    return found.name if isinstance(found, Con) else None


def dl_names(schema: Schema) -> frozenset[str]:
    """Everything a set may be named by."""
    found = {"Text"}
    for table in schema.tables:
        found.update(name for c in table.columns for name in (c.name, f"{table.name}.{c.name}"))
    for declared in schema.fields:
        found.update((declared.name, f"{declared.owner}.{declared.name}"))
    for function in schema.functions:
        found.add(function.name)
        found.update(name for label in function.labelled for name in (label, f"{function.name}.{label}"))
    for entity in schema.entities:
        found.add(entity.name)
    return frozenset(found)


def flow_names(schema: Schema) -> frozenset[str]:
    """Everything a set may be named by in Lispress: calls, labels, labels with their calls."""
    judge = Judge(schema, Names(schema), Checker(schema))
    found: set[str] = set()
    for head in judge.heads():
        function = judge.function(head)
        labels = [p.name for p in function.params if p.name is not None] if function is not None else []
        found.update((head, *labels, *(f"{head}.{label}" for label in labels)))
    return frozenset(found)


def flow_places(before: str) -> tuple[str, ...]:
    """What sets may be named by, for a literal of Lispress: from the inside out the calls around it, each after its
    argument's label if it has one."""
    levels: list[tuple[str, str | None]] = []
    last = ""
    for match in _FLOW_TOKEN.finditer(before):
        token = match.group()
        if token == "(":
            levels.append(("", None))
        elif token == ")":
            if levels:
                levels.pop()
        elif levels and token[0] != '"':
            head, label = levels[-1]
            if token[0] == ":":
                levels[-1] = head, token[1:]
            elif last in ("(", ")") and not head and token != "^":
                levels[-1] = token, label
        last = token
    found: list[str] = []
    for head, label in reversed(levels):
        found += [f"{head}.{label}", label] if label is not None else []
        found += [head] if head else []
    return tuple(found)


__all__ = ["BODY", "ENTITY", "ESCAPED", "FREE", "KEY", "NAME", "OUT", "TEXT"]
__all__ += ["dl_names", "dl_places", "flow_names", "flow_places", "kind_of", "mode_after", "type_of"]
