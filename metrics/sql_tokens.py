"""SQL text to the tokens the official Spider-family parser sees.

The parser behind the published figures reads SQL with an English word tokenizer (the Penn Treebank rules), after masking
quoted strings. Whether a query parses at all depends on those rules (`a >= 1` becomes three tokens, but `a=1` stays
one and `a>=1` becomes `a`, `>`, `=1`, and both fail later), so they are restated here, for text without quotes.
Source: taoyds/test-suite-sql-eval, `process_sql.py`.
"""

import re
from typing import Final

from .errors import SqlParseError

MAX_CHARS: Final = 100_000
"""Longest query read, in characters; the published scripts have no bound, and no published query comes near it."""

# Order matters: each rule sees what the ones before it have spaced out.
_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"[«“‘„]|`+"), r" \g<0> "),
    (re.compile(r"``"), r" \g<0> "),
    (re.compile(r"([^.])(\.)([\])}>»”’ ]*)\s*$"), r"\1 \2 \3 "),
    (re.compile(r"([:,])(\D)"), r" \1 \2"),
    (re.compile(r"[:,]$"), r" \g<0> "),
    (re.compile(r"\.{2,}"), r" \g<0> "),
    (re.compile(r"[;@#$%&]"), r" \g<0> "),
    (re.compile(r"([^.])(\.)([\])}>]*)\s*$"), r"\1 \2\3 "),
    (re.compile(r"[?!*]"), r" \g<0> "),
    (re.compile(r"[\]\[(){}<>]"), r" \g<0> "),
    (re.compile(r"--"), r" -- "),
    (re.compile(r"[»”’]"), r" \g<0> "),
    (re.compile(r"\b(can)(not)\b", re.I), r" \1 \2 "),
    (re.compile(r"\b(gim|lem)(me)\b", re.I), r" \1 \2 "),
    (re.compile(r"\b(gon|wan)(na)\b", re.I), r" \1 \2 "),
    (re.compile(r"\b(got)(ta)\b", re.I), r" \1 \2 "),
)


def words(text: str) -> list[str]:
    """The words of `text`, which holds no straight quotes, by the Treebank rules (case kept)."""
    # A run of blanks before the end would make the final-period rules backtrack over each other.
    text = text.rstrip()
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.split()


def tokenize(query: str) -> list[str]:
    """Lower-cased tokens; a quoted string is one token, quotes and case kept, and single quotes become double ones.

    Raises `SqlParseError` on an odd number of quotes or on a query longer than `MAX_CHARS`.
    """
    if len(query) > MAX_CHARS:
        raise SqlParseError(f"query of {len(query)} characters; at most {MAX_CHARS} are read")
    pieces = query.replace("'", '"').split('"')
    if len(pieces) % 2 == 0:
        raise SqlParseError("odd number of quotes")
    strings: dict[str, str] = {}
    masked: list[str] = []
    offset = 0
    for position, piece in enumerate(pieces):
        if position % 2:
            # The mask must survive the word rules as a whole, and glue to its neighbours as the quoted string did.
            key = f"__val_{offset - 1}_{offset + len(piece)}__"
            strings[key] = f'"{piece}"'
            masked.append(key)
        else:
            masked.append(piece)
        offset += len(piece) + 1
    tokens = [word.lower() for word in words("".join(masked))]
    return _merge_operators([strings.get(token, token) for token in tokens])


def _merge_operators(tokens: list[str]) -> list[str]:
    """`!`, `<` or `>` directly before `=` is one operator, whatever stood between them."""
    merged: list[str] = []
    for token in tokens:
        if token == "=" and merged and merged[-1] in ("!", "<", ">"):
            merged[-1] += "="
        else:
            merged.append(token)
    return merged
