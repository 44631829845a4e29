"""Query text changed without parsing it: values plugged in, DISTINCT dropped, split operators joined.

Execution accuracy for systems that predict no values tries every assignment of gold's values to the prediction's value
slots. Source: the test-suite paper (Zhong, Yu and Klein 2020).
"""

import re
from collections.abc import Iterator
from itertools import chain, product
from math import prod
from typing import Final

_TOKEN: Final = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*(?:.*?\*/|.*) )
  | (?P<string> '(?:[^']|'')*+'? | "(?:[^"]|"")*+"? )
  | (?P<name> `[^`]*+`? | \[[^\]]*+\]? | [^\W\d]\w*(?:\.(?:[^\W\d]\w*|\*))* )
  | (?P<number> \d+(?:\.\d*)?(?:[eE][+-]?\d+)? | \.\d+(?:[eE][+-]?\d+)? )
  | (?P<blank> \s+ )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def lex(query: str) -> list[tuple[str, str]]:
    """`(kind, text)` for every piece of `query`; the texts joined give it back.

    Never fails: what is opened and not closed runs to the end, as in SQLite.
    """
    return [(match.lastgroup or "other", match.group()) for match in _TOKEN.finditer(query)]


def join_split_operators(query: str) -> str:
    """`> =`, `< =` and `! =`, as the corpora print them, made one operator; strings are left alone."""
    pieces = lex(query)
    out: list[str] = []
    for i, (_, text) in enumerate(pieces):
        if text.isspace() and out and out[-1] in ("<", ">", "!") and i + 1 < len(pieces) and pieces[i + 1][1] == "=":
            continue
        out.append(text)
    return "".join(out)


def drop_distinct(query: str) -> str:
    """`query` without its DISTINCT words; the word inside a string stays."""
    return "".join(text for kind, text in lex(query) if not (kind == "name" and text.lower() == "distinct"))


def is_ordered(query: str) -> bool:
    """Whether the rows' order counts: `order by` occurs in gold, anywhere, as officially decided."""
    return "order by" in query.lower()


def values(query: str) -> list[str]:
    """The literals of a query as written, each once, in order: strings in either quotes and numbers."""
    return list(dict.fromkeys(text for kind, text in lex(query) if kind in ("string", "number")))


def count_plugged(gold: str, pred: str) -> int:
    """How many queries `plugged` gives."""
    slots = sum(kind in ("string", "number") for kind, _ in lex(pred))
    return 1 + prod([len(values(gold))] * slots)


def plugged(gold: str, pred: str) -> Iterator[str]:
    """The prediction as it is, then with gold's values in its value slots, every product of them.

    Lazy: the number is gold's values to the power of the slots, so bound it (`count_plugged`, `itertools.islice`).
    """
    pieces = lex(pred)
    slots = [i for i, (kind, _) in enumerate(pieces) if kind in ("string", "number")]
    return chain([pred], _assignments([text for _, text in pieces], slots, values(gold)))


def _assignments(texts: list[str], slots: list[int], choices: list[str]) -> Iterator[str]:
    for assignment in product(choices, repeat=len(slots)):
        filled = list(texts)
        for slot, value in zip(slots, assignment, strict=True):
            filled[slot] = value
        yield "".join(filled)
