"""A JSON text with some of its values replaced, every other byte as it was."""

import json
import re
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_string = json.JSONDecoder().raw_decode
_ATOM = re.compile(r"[^\s,\]}]+")


@dataclass(frozen=True, slots=True)
class _Node:
    """A value's characters [start, end). members: of an object, the key's start and the value; of an array the values."""

    start: int
    end: int
    members: "tuple[tuple[str | None, int, _Node], ...]" = ()


def edited(text: str, old: Any, new: Any) -> str:
    """The text of a JSON value, with what differs between `old`, which it says, and `new` written anew.

    Members are changed, taken out or put in where they stand; a list of another length is written as a whole. What is
    written takes the spacing of its neighbours. Raises ValueError if the text is not JSON.
    """
    changes: list[tuple[int, int, str]] = []
    _compare(text, _node(text, _SPACE.match(text, 0).end()), old, new, changes)  # type: ignore[union-attr]
    pieces: list[str] = []
    position = 0
    for start, end, written in sorted(changes):
        pieces += [text[position:start], written]
        position = end
    return "".join((*pieces, text[position:]))


def _node(text: str, start: int) -> _Node:
    opening = text[start : start + 1]
    if opening not in ("{", "["):
        if opening == '"':
            return _Node(start, _string(text, start)[1])
        atom = _ATOM.match(text, start)
        if atom is None:
            raise ValueError(f"no JSON value at {start}")
        return _Node(start, atom.end())
    closing = "}" if opening == "{" else "]"
    members: list[tuple[str | None, int, _Node]] = []
    position = _after_space(text, start + 1)
    while text[position : position + 1] != closing:
        key, at = None, position
        if opening == "{":
            key, position = _string(text, position)
            position = _after_space(text, _after_space(text, position) + 1)
        value = _node(text, position)
        members.append((key, at, value))
        position = _after_space(text, value.end)
        if text[position : position + 1] == ",":
            position = _after_space(text, position + 1)
        elif text[position : position + 1] != closing:
            raise ValueError(f"no JSON at {position}")
    return _Node(start, position + 1, tuple(members))


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match is not None else position


def _compare(text: str, node: _Node, old: Any, new: Any, changes: list[tuple[int, int, str]]) -> None:
    if old is new or (type(old) is type(new) and old == new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and node.members:
        _compare_objects(text, node, old, new, changes)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for (_, _, member), before, after in zip(node.members, old, new, strict=True):
            _compare(text, member, before, after, changes)
    else:
        changes.append((node.start, node.end, _written(text, node.start, new)))


def _compare_objects(
    text: str, node: _Node, old: dict[str, Any], new: dict[str, Any], changes: list[tuple[int, int, str]]
) -> None:
    kept = [i for i, (key, _, _) in enumerate(node.members) if key in new]
    added = {key: value for key, value in new.items() if key not in old}
    if not kept:
        changes.append((node.start, node.end, _written(text, node.start, new)))
        return
    for i, (key, start, member) in enumerate(node.members):
        if key is not None and key in new:
            _compare(text, member, old[key], new[key], changes)
        elif i < kept[0]:
            # Up to the member that follows, its comma included.
            changes.append((start, node.members[i + 1][1], ""))
        else:
            changes.append((node.members[i - 1][2].end, member.end, ""))
    if added:
        first = node.members[0]
        lead = text[node.start + 1 : first[1]]
        colon = text[_string(text, first[1])[1] : first[2].start]
        separator = f",{lead}" if lead or len(node.members) < 2 else text[first[2].end : node.members[1][1]]
        if not lead and len(node.members) < 2:
            separator = ", " if colon.endswith(" ") else ","
        last = node.members[kept[-1]][2].end
        at = node.members[-1][2].end if kept[-1] == len(node.members) - 1 else last
        where = _column(lead)
        written = "".join(
            f"{separator}{_text(text, key)}{colon}{_written(text, first[1] if where else at, value)}"
            for key, value in added.items()
        )
        changes.append((at, at, written))


def _column(lead: str) -> bool:
    return "\n" in lead


def _written(text: str, at: int, value: Any) -> str:
    """A value in the style of a text: on one line where it stands on a line with others, else indented below it."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    indent = line[: len(line) - len(line.lstrip())]
    spread = "\n" in text and isinstance(value, dict | list) and value
    if not spread:
        compact = (",", ":") if '":' in text and '": ' not in text else None
        return json.dumps(value, ensure_ascii=_escapes(text), separators=compact)
    made = json.dumps(value, ensure_ascii=_escapes(text), indent=_step(text))
    end = "\r\n" if "\r\n" in text else "\n"
    return made.replace("\n", end + indent)


def _step(text: str) -> str:
    """One level of indentation: that of the first line that has any more than the line before."""
    depth = None
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        if depth is not None and len(indent) > len(depth):
            return indent[len(depth) :]
        depth = indent if line.strip() else depth
    return "  "


def _escapes(text: str) -> bool:
    """Whether a text writes what is not ASCII as escapes, as far as it shows."""
    return text.isascii()


def _text(text: str, key: str) -> str:
    return json.dumps(key, ensure_ascii=_escapes(text))
