"""A reader of ThingTalk programs made apart from the project, for checking what it writes.

It knows only the part that MultiWOZ 3.0 uses, in both syntaxes (normal text and space-separated tokens), and
reads values into plain strings: what it cannot know of a placeholder is "?".
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|\^\^[\w.:-]+|@[\w.-]+|#_?\[|[A-Za-z_$][\w.:-]*~?|-?\d+(?:\.\d+)?|&&|\|\||[<>=]=|=~|=>|[^\s]'
)
PLACEHOLDER = re.compile(r"[A-Z]+(?:_[A-Z]+)*_.*\d+\Z")
UNKNOWN = "?"


@dataclass
class Item:
    """One statement: `Class.function`, inputs and filters by name, shown fields, status, whether it has run."""

    function: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    operators: dict[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    status: str = "accepted"
    results: list[dict[str, str]] = field(default_factory=list)

    @property
    def domain(self) -> str:
        return self.function.partition(".")[0].lower()

    @property
    def slots(self) -> dict[str, str]:
        return {**self.inputs, **self.filters}


@dataclass
class Program:
    """Act, its parameters, items in order."""

    act: str
    params: tuple[str, ...] = ()
    items: list[Item] = field(default_factory=list)


def program_of(text: str) -> Program:
    parts = [part for part in _split(TOKEN.findall(text), ";") if part]
    head = [t for part in parts[0][1:] for t in part.split(".") if t]
    params: tuple[str, ...] = ()
    if "(" in head:
        at = head.index("(")
        params, head = tuple(t for t in head[at:] if t not in "(),"), head[:at]
    return Program(head[-1], params, [_item(part) for part in parts[1:]])


def _split(tokens: list[str], sign: str) -> list[list[str]]:
    out: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += token in ("(", "[", "{", "#[", "#_[")
        depth -= token in (")", "]", "}")
        if token == sign and not depth:
            out.append([])
        else:
            out[-1].append(token)
    return out


def _item(tokens: list[str]) -> Item:
    item = Item()
    while "#[" in tokens:
        at = len(tokens) - 1 - tokens[::-1].index("#[")
        note, tokens = tokens[at + 1 : -1], tokens[:at]
        if note[0] == "results":
            item.results = [_pairs(r[1:-1]) for r in _split(note[3:-1], ",") if r]
            item.status = "confirmed"
        elif note[0] == "confirm":
            item.status = note[-1]
    _expression(tokens, item)
    return item


def _expression(tokens: list[str], item: Item) -> None:
    if tokens[0] == "[":
        end = tokens.index("]")
        item.shown = tuple(t for t in tokens[1:end] if t != ",")
        _expression(tokens[end + 2 :], item)
        return
    filtered = _split(tokens, "filter")
    if len(filtered) > 1:
        _expression(filtered[0], item)
        _filter(filtered[1], item)
    elif tokens[-1] == "]":
        depth, at = 0, len(tokens)
        while at == len(tokens) or depth:
            at -= 1
            depth += (tokens[at] == "]") - (tokens[at] == "[")
        _expression(tokens[:at], item)
    elif tokens[0] == "(":
        _expression(tokens[1:-1], item)
    elif tokens[0] == "sort":
        _expression(tokens[tokens.index("of") + 1 : -1], item)
    else:
        opening = tokens.index("(")
        item.function = ".".join([p for t in tokens[:opening] for p in t.split(".") if p][-2:])
        item.inputs = _pairs(tokens[opening + 1 : -1])


def _pairs(tokens: list[str]) -> dict[str, str]:
    return {p[0]: _value(p[2:]) for p in _split(tokens, ",") if p}


def _filter(tokens: list[str], item: Item) -> None:
    for clause in _split(tokens, "&&"):
        while clause[0] == "(" and clause[-1] == ")":
            clause = clause[1:-1]
        operator = "=="
        if clause[0] == "!":
            operator, clause = "!=", [t for t in clause[1:]]
            while clause[0] == "(" and clause[-1] == ")":
                clause = clause[1:-1]
        options = _split(clause, "||")
        if clause[0] == "true" and clause[1:2] == ["("]:
            name, value = clause[2], "dontcare"
        elif clause[0] in ("in_array", "in_array~"):
            name = clause[2]
            value = "|".join(_value(v) for v in _split(clause[5:-2], ","))
        elif len(options) > 1:
            parts = [o[1:-1] if o[0] == "(" else o for o in options]
            name, operator = parts[0][0], parts[0][1]
            value = "|".join(_value(p[2:]) for p in parts)
        else:
            name, value = clause[0], _value(clause[2:])
            operator = clause[1] if operator == "==" else operator
        item.filters[name], item.operators[name] = value, operator


def _value(tokens: list[str]) -> str:
    text = " ".join(tokens)
    if tokens[0] == "enum":
        return tokens[1]
    if text in ("true", "false"):
        return "yes" if text == "true" else "no"
    clock = re.fullmatch(r"new Time \( (\d+) , (\d+) \)", text)
    if clock:
        return f"{int(clock[1]):02}:{int(clock[2]):02}"
    if any(PLACEHOLDER.match(t) for t in tokens):
        return UNKNOWN
    strings = [t for t in tokens if t.startswith('"')]
    if strings:
        body = strings[-1][1:-1]
        # Tokens stand apart, so a tokenized string begins and ends with a blank that is not its own.
        body = body[1:-1] if body.startswith(" ") and body.endswith(" ") and len(body) > 1 else body
        return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), body)
    return text
