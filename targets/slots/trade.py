"""The normalization `trade@1`: how TRADE prepares MultiWOZ 2.0 and 2.1, rule for rule.

Most published MultiWOZ figures stand on these values, among them those of the dataflow paper. Two stages: text
(utterances and values alike), then labels. The tables are in `trade_tables.json`. Source: `create_data.py` and
`fix_label.py` of jasonwu0731/trade-dst, as adapted in microsoft/task_oriented_dialogue_as_dataflow_synthesis.

Nothing here is an improvement: rules that misfire ("restaurant two two" becomes "restaurant 2 two") misfire here too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

NAME: Final = "trade@1"
DOMAINS: Final = ("taxi", "restaurant", "hospital", "hotel", "attraction", "train", "police")
"""Domains whose state is read, in this order; `bus` is not."""
MAX_WORDS: Final = 50

_DONT_CARE: Final = ("dont care", "dontcare", "don't care", "do not care")
_DELETED: Final = str.maketrans("", "", '"<>@()')
_QUOTES: Final = str.maketrans({"\u2018": "'", "\u2019": "'", ";": ",", "/": " and ", "-": " "})
_DIGITS: Final = "0123456789"
_LOOSE_APOSTROPHE: Final = (re.compile("^'"), re.compile("'$"), re.compile(r"'\s"), re.compile(r"\s'"))


@dataclass(frozen=True, slots=True)
class _Tables:
    words: tuple[tuple[str, str], ...]
    slots: frozenset[str]
    values: Mapping[str, str]
    to_none: Mapping[str, Sequence[str]]
    of_slot: Mapping[str, Mapping[str, str]]
    abbreviations: tuple[tuple[str, Mapping[str, str]], ...]
    no_such_area: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class TradeTurn:
    """A user turn: what the system said before it (empty at first), the user's words, the state after it.

    Texts are normalized. `belief` maps full slot names ("hotel-book people", "train-leaveat") to values.
    """

    system: str
    user: str
    belief: Mapping[str, str]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    raw = json.loads(files(__package__).joinpath("trade_tables.json").read_text(encoding="utf-8"))
    return _Tables(
        words=tuple((f" {old} ", f" {new} ") for old, new in raw["words"]),
        slots=frozenset(raw["slots"]),
        values=raw["values"],
        to_none=raw["values_of_another_slot"],
        of_slot=raw["values_of_slot"],
        abbreviations=tuple((part, table) for part, table in raw["abbreviations"]),
        no_such_area=raw["no_such_area"],
    )


def normalize_text(text: str) -> str:
    """Stage 1: lower case, spaced punctuation, word replacements, joined numbers."""
    text = text.lower().strip()
    text = text.replace("b&b", "bed and breakfast").replace("b and b", "bed and breakfast")
    text = text.translate(_QUOTES).translate(_DELETED)
    for mark in ("?", ".", ",", "!", "'s"):
        if mark in text:
            text = _spaced(mark, text)
    if "'" in text:
        start, end, before, after = _LOOSE_APOSTROPHE
        text = after.sub(" ", before.sub(" ", end.sub("", start.sub("", text))))
    padded = f" {text} "
    for old, new in _tables().words:
        if old in padded:
            padded = padded.replace(old, new)
    return " ".join(_joined_numbers(padded.split()))


def _spaced(mark: str, text: str) -> str:
    """Put spaces around a mark, unless it stands between digits.

    At the start of the text the published code looks at the last character as the one before; and the space after
    goes behind the mark's first character, which shows for `'s`.
    """
    at = text.find(mark)
    while at >= 0:
        if at + 1 < len(text) and text[at - 1] in _DIGITS and text[at + 1] in _DIGITS:
            at = text.find(mark, at + 1)
            continue
        if text[at - 1] != " ":
            text = f"{text[:at]} {text[at:]}"
            at += 1
        after = at + len(mark)
        if after < len(text) and text[after] != " ":
            text = f"{text[: at + 1]} {text[at + 1 :]}"
        at = text.find(mark, at + 1)
    return text


def _joined_numbers(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if joined and word.isdecimal() and joined[-1].isdecimal():
            joined[-1] += word
        else:
            joined.append(word)
    return joined


@lru_cache(maxsize=1 << 16)
def _normalized(value: str) -> str:
    return normalize_text(value.strip().lower())


def fix_label(slot: str, value: str) -> str:
    """Stage 2 for one value. `slot` is a full name in lower case, such as "hotel-book day"."""
    tables = _tables()
    if slot not in tables.slots:
        return value
    value = tables.values.get(value, value)
    if (
        value in tables.to_none.get(slot, ())
        or ("area" in slot and value == "moderate")
        or ("day" in slot and value == "t")
    ):
        value = "none"
    elif value in tables.of_slot.get(slot, ()):
        value = tables.of_slot[slot][value]
    else:
        # The first part of the name that fits decides, whether or not its table has the value.
        for part, table in tables.abbreviations:
            if part in slot:
                value = table.get(value, value)
                break
    return "none" if value in tables.no_such_area.get(slot, ()) else value


def slot_name(domain: str, group: str, slot: str) -> str:
    """TRADE's full name of a slot: "hotel-book day" for `("hotel", "book", "day")`, else "train-leaveat"."""
    name = slot.strip().lower()
    return f"{domain}-book {name}" if group == "book" else f"{domain}-{name}"


def trade_value(domain: str, group: str, slot: str, value: str, *, fix: bool = True) -> str | None:
    """Both stages for one stored value; None where TRADE takes the slot as absent.

    `group` is "semi" or "book". In "book" only the empty string is absent: "not mentioned" is a value there, which
    stage 2 makes "none". With `fix=False`, stage 1 only.
    """
    if value == "" or (group == "semi" and value == "not mentioned"):
        return None
    normalized = "dontcare" if group == "semi" and value in _DONT_CARE else _normalized(value)
    return fix_label(slot_name(domain, group, slot), normalized) if fix else normalized


def trade_belief(metadata: Mapping[str, Any], *, fix: bool = True) -> dict[str, str]:
    """The state in one turn's `metadata`, as `{full slot name: value}`, book slots before the others in each domain."""
    belief: dict[str, str] = {}
    for domain in DOMAINS:
        frame = metadata.get(domain, {})
        book, semi = frame.get("book", {}), frame.get("semi", {})
        stored = [("book", slot, book[slot]) for slot in sorted(book) if slot != "booked"]
        stored += [("semi", slot, value) for slot, value in semi.items()]
        for group, slot, raw in stored:
            value = trade_value(domain, group, slot, raw, fix=fix) if isinstance(raw, str) else None
            if value is not None:
                belief[slot_name(domain, group, slot)] = value
    return belief


def trade_turns(log: Sequence[Mapping[str, Any]], *, fix: bool = True) -> list[TradeTurn] | None:
    """A dialogue's `log` as TRADE turns: user turn k with the system's words before it and the state after it.

    None for a dialogue that TRADE drops: an odd number of turns, more than 50 words in one, or a letter beyond ASCII.
    """
    if len(log) % 2:
        return None
    texts = [normalize_text(turn["text"]) for turn in log]
    if any(not text.isascii() or len(text.split()) > MAX_WORDS for text in texts):
        return None
    return [
        TradeTurn(texts[k - 1] if k else "", texts[k], trade_belief(log[k + 1].get("metadata", {}), fix=fix))
        for k in range(0, len(log), 2)
    ]
