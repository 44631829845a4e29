"""Grounded literals: what the strings of a program may say, for one request.

`Grounding` is what a caller asks for. `Literals` is one choice of strings as a machine over the bytes they are spelled
with in a program: a network of character spellings, made deterministic as far as it is visited. Both are small (texts
of a dialogue, members of a set), so nothing is compiled ahead and nothing of a schema's tables changes.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .net import NEVER

QUOTE: Final = ord('"')
NOWHERE: Final = -1
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Grounding:
    """What string literals of a program must be (docs/decoding.md says which literals count).

    texts: a literal is a part of one of these, not empty (None: texts ground nothing). sets: by a column or argument
    with its owner (`Hotel.name`), by its name alone, or by type, the only values it may have there; a set goes before
    the texts. words: parts begin and end at the borders of words. fold_case: letters may differ in case. entities:
    names of entities (`@"…"`) are grounded in the texts too.
    """

    texts: tuple[str, ...] | None = None
    sets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    words: bool = False
    fold_case: bool = False
    entities: bool = False


Spell = Callable[[str], tuple[bytes, ...]]
"""A character to all its spellings inside a string literal, the first the usual one."""


def spell_dl(char: str) -> tuple[bytes, ...]:
    """DL has one spelling for each character."""
    return _encoded((json.dumps(char, ensure_ascii=False)[1:-1],))


def spell_lispress(char: str) -> tuple[bytes, ...]:
    """Lispress reads characters beyond ASCII as they are or escaped."""
    return _encoded((json.dumps(char, ensure_ascii=False)[1:-1], json.dumps(char)[1:-1]))


def _encoded(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    try:
        return tuple(text.encode() for text in dict.fromkeys(texts))
    except UnicodeEncodeError:
        return ()  # half of a surrogate pair: no program says it


def folded(spell: Spell) -> Spell:
    """Spellings in either case."""

    def both(char: str) -> tuple[bytes, ...]:
        cases = dict.fromkeys((char, *(c for c in (char.lower(), char.upper()) if len(c) == 1)))
        return tuple(dict.fromkeys(text for each in cases for text in spell(each)))

    return both


class Literals:
    """The strings a literal may be, over the bytes between its quotes.

    A pointer is a number, `start` before the first byte. Every pointer leads to some string: characters that no tokens
    spell by themselves are left out, and what leads to no string without them. fewest: the tokens of some bytes.
    """

    start: Final = 0

    def __init__(self, spell: Spell, fewest: Callable[[bytes], int]) -> None:
        self._spell = spell
        self.fewest = fewest
        self._edges: list[list[tuple[int, int]]] = []
        self._ends: set[int] = set()
        self._begins: list[int] = []
        self._spellings: dict[str, tuple[bytes, ...]] = {}
        self._left: list[int] = []
        self._pointers: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._steps: list[dict[int, int] | None] = []
        self._needs: dict[int, int] = {}
        self._empty = True
        self.possible = False
        self.walks: dict[tuple[int, int], Any] = {}
        """What `literal_walks` found of the token trie."""

    # ------------------------------------------------------------ drawing

    def text(self, text: str, begins: Sequence[int], ends: Sequence[int]) -> None:
        """Add a text: a literal may begin before the characters numbered `begins` and end before those in `ends`
        (the length of the text: after its last), if it begins first."""
        edges, at = self._edges, [len(self._edges)]
        edges.append([])
        for char in text:
            here, arrive = at[-1], list[tuple[int, int]]()
            for data in self._spelled(char):
                source = here
                for byte in data[:-1]:
                    edges[source].append((byte, len(edges)))
                    source = len(edges)
                    edges.append([])
                arrive.append((source, data[-1]))
            after = len(edges)
            edges.append([])
            for source, byte in arrive:
                edges[source].append((byte, after))
            at.append(after)
        self._begins += [at[i] for i in begins]
        self._ends.update(at[i] for i in ends)

    def _spelled(self, char: str) -> tuple[bytes, ...]:
        known = self._spellings.get(char)
        if known is None:
            known = tuple(data for data in self._spell(char) if self.fewest(data) < NEVER)
            self._spellings[char] = known
        return known

    def close(self, empty: bool) -> bool:
        """Nothing is added any more; whether there is any string. empty: whether the empty string may be one."""
        self._left = self._distances()
        begins = tuple(sorted({n for n in self._begins if (empty and n in self._ends) or self._alive(n)}))
        self._pointers, self._steps, self._empty = [begins], [None], empty
        self.possible = bool(begins)
        return self.possible

    def _alive(self, node: int) -> list[tuple[int, int]]:
        """Edges that lead to an end."""
        return [(byte, target) for byte, target in self._edges[node] if self._left[target] < NEVER]

    def _distances(self) -> list[int]:
        """For each node the bytes of a shortest way to an end."""
        left = [NEVER] * len(self._edges)
        for node in range(len(left) - 1, -1, -1):  # edges lead to later nodes
            if node in self._ends:
                left[node] = 0
            elif self._edges[node]:
                left[node] = min(NEVER, 1 + min([left[target] for _, target in self._edges[node]]))
        return left

    # ------------------------------------------------------------ reading

    def steps(self, pointer: int) -> dict[int, int]:
        """The bytes that may follow, each with the pointer after it."""
        known = self._steps[pointer]
        if known is None:
            reached: dict[int, set[int]] = {}
            for node in self._pointers[pointer]:
                for byte, target in self._alive(node):
                    reached.setdefault(byte, set()).add(target)
            known = {byte: self._pointer(nodes) for byte, nodes in sorted(reached.items())}
            self._steps[pointer] = known
        return known

    def _pointer(self, nodes: Iterable[int]) -> int:
        key = tuple(sorted(nodes))
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self._pointers)
            self._pointers.append(key)
            self._steps.append(None)
        return known

    def read(self, pointer: int, data: bytes) -> int:
        """The pointer after some bytes; NOWHERE if no literal goes on so."""
        for byte in data:
            pointer = self.steps(pointer).get(byte, NOWHERE)
            if pointer == NOWHERE:
                break
        return pointer

    def may_end(self, pointer: int) -> bool:
        """Whether the closing quote may follow."""
        if pointer == self.start and not self._empty:
            return False
        return any(node in self._ends for node in self._pointers[pointer])

    def rest(self, pointer: int) -> bytes:
        """A shortest way to the closing quote, without it."""
        out = bytearray()
        while not self.may_end(pointer):
            pairs = [pair for node in self._pointers[pointer] for pair in self._alive(node)]
            byte, _ = min(pairs, key=lambda pair: (self._left[pair[1]], pair[0]))
            out.append(byte)
            pointer = self.steps(pointer)[byte]
        return bytes(out)

    def need(self, pointer: int) -> int:
        """The tokens of the shortest way to the closing quote and the quote; NEVER or more if tokens cannot."""
        known = self._needs.get(pointer)
        if known is None:
            known = self._needs[pointer] = self.fewest(self.rest(pointer) + b'"')
        return known


def parts(literals: Literals, texts: Iterable[str], words: bool) -> bool:
    """Draw the non-empty parts of texts, at borders of words if asked for. Whether there are any."""
    for text in texts:
        size = len(text)
        if not words:
            literals.text(text, range(size), range(1, size + 1))
            continue
        word = [False, *(_WORD.match(c) is not None for c in text), False]
        border = [i for i in range(size + 1) if not (word[i] and word[i + 1])]
        begins = [i for i in border if i < size and not text[i].isspace()]
        literals.text(text, begins, [i for i in border if i > 0 and not text[i - 1].isspace()])
    return literals.close(empty=False)


def members(literals: Literals, values: Iterable[str]) -> bool:
    """Draw the members of a set. Whether there are any that tokens can spell."""
    for value in sorted(values):
        literals.text(value, (0,), (len(value),))
    return literals.close(empty=True)


def column_sets(rows: Mapping[str, Iterable[Mapping[str, object]]]) -> dict[str, frozenset[str]]:
    """Sets by `Table.column` of every value that is text, from the rows of a database by table."""
    found: dict[str, set[str]] = {}
    for table, each in rows.items():
        for row in each:
            for column, value in row.items():
                if isinstance(value, str):
                    found.setdefault(f"{table}.{column}", set()).add(value)
    return {name: frozenset(values) for name, values in found.items()}
