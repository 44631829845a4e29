"""The text of a program read against a request: where each literal stands, and which tokens go on along its strings."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .grounding import NOWHERE, QUOTE, Literals
from .literal_places import BODY, ENTITY, FREE, KEY, OUT, kind_of, mode_after
from .vocabulary import Vocabulary

Ints = NDArray[np.int32]
NO_OPENING: Final = -1


@dataclass(frozen=True, eq=False)
class Request:
    """The strings of one request. texts: for literals that no set is for. sets: by what `places` says of the text
    before a literal. entities: whether texts ground names of entities. looks: what looking ahead remembers."""

    texts: Literals | None
    sets: dict[str, Literals]
    entities: bool
    places: Callable[[str], tuple[str, ...]]
    looks: dict[int, Any] = field(default_factory=dict)

    def opened(self, before: bytes) -> Literals | None:
        """The strings that a literal may be which opens after some text of a program; None if any may stand there."""
        kind = kind_of(before)
        if kind == KEY:
            return None
        if self.sets:
            for name in self.places(before.decode()):
                if name in self.sets:
                    return self.sets[name]
        return None if kind == ENTITY and not self.entities else self.texts

    @property
    def all(self) -> tuple[Literals, ...]:
        """All of them."""
        return (*self.sets.values(), *([self.texts] if self.texts is not None else []))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the text of a row stands. said: the program so far (before it, the last bytes that could begin the
    marker). literals, pointer: inside a literal that is grounded, which strings and how far."""

    mode: int
    said: bytes
    literals: Literals | None = None
    pointer: int = NOWHERE


@dataclass(frozen=True, slots=True)
class Inside:
    """Tokens from inside a literal: those that end inside it, with the tokens its end then takes at least, and the
    nodes of the trie at which the closing quote was read."""

    tokens: Ints
    needs: Ints
    closings: tuple[int, ...]


class Walks:
    """A vocabulary along texts. names: whether the language has back-quoted names. marker: what ends free text."""

    def __init__(self, vocabulary: Vocabulary, names: bool, marker: bytes) -> None:
        self.vocabulary = vocabulary
        self.names = names
        self.marker = marker
        self.quotes: Ints = np.array([0 if t is None else t.count(b'"') for t in vocabulary.tokens], dtype=np.int32)
        self._openings: dict[int, Ints] = {}

    @property
    def begin(self) -> Spot:
        """Before the first byte."""
        return Spot(FREE if self.marker else OUT, b"")

    def follow(self, request: Request, spot: Spot, data: bytes) -> Spot | None:
        """The spot after some bytes; None if a literal is not grounded. Whether they are well typed is not looked
        at."""
        mode, said, literals, pointer = spot.mode, spot.said, spot.literals, spot.pointer
        if literals is not None and QUOTE not in data:
            pointer = literals.read(pointer, data)
            return None if pointer == NOWHERE else replace(spot, said=said + data, pointer=pointer)
        for byte in data:
            said += bytes((byte,))
            if mode == FREE:
                mode, said = (OUT, b"") if said.endswith(self.marker) else (FREE, said[-len(self.marker) :])
                continue
            if literals is not None and not (byte == QUOTE and literals.may_end(pointer)):
                pointer = literals.steps(pointer).get(byte, NOWHERE)
                if pointer == NOWHERE:
                    return None
                continue
            before, mode = mode, mode_after(mode, byte, self.names)
            if before == OUT and mode == BODY:
                literals, pointer = request.opened(said[:-1]), Literals.start
            elif mode == OUT:
                literals, pointer = None, NOWHERE
        return Spot(mode, said, literals, pointer if literals is not None else NOWHERE)

    def opening(self, mode: int) -> Ints:
        """For each token, read from a mode, the node of the trie after its first opening quote."""
        known = self._openings.get(mode)
        if known is None:
            known = self._openings[mode] = np.full(self.vocabulary.size, NO_OPENING, dtype=np.int32)
            for token in np.flatnonzero(self.quotes).tolist():
                data, now = self.vocabulary.tokens[token] or b"", mode
                for at, byte in enumerate(data):
                    before, now = now, mode_after(now, byte, self.names)
                    if before == OUT and now == BODY:
                        known[token] = self._node(data[: at + 1])
                        break
        return known

    def walk(self, literals: Literals, node: int, pointer: int) -> Inside:
        """Tokens below a node from a pointer on (and those at the node, unless it is the root)."""
        known = literals.walks.get((node, pointer))
        if known is None:
            known = literals.walks[node, pointer] = self._walk(literals, node, pointer)
        assert isinstance(known, Inside)
        return known

    def _walk(self, literals: Literals, node: int, pointer: int) -> Inside:
        trie = self.vocabulary.trie
        bytes_, ends, counts, firsts, order = trie.bytes_, trie.ends, trie.counts, trie.firsts, trie.tokens
        tokens, closings = order[firsts[node] : firsts[node] + counts[node]], list[int]()
        needs = [literals.need(pointer)] * len(tokens)
        todo = [(node, pointer)]
        while todo:
            at, now = todo.pop()
            steps, may_end = literals.steps(now), literals.may_end(now)
            child, last = at + 1, ends[at]
            while child < last:
                byte = bytes_[child]
                if byte == QUOTE and may_end:
                    closings.append(child)
                elif byte in steps:
                    after = steps[byte]
                    if count := counts[child]:
                        tokens += order[firsts[child] : firsts[child] + count]
                        needs += [literals.need(after)] * count
                    if ends[child] > child + 1:
                        todo.append((child, after))
                child = ends[child]
        return Inside(np.array(tokens, dtype=np.int32), np.array(needs, dtype=np.int32), tuple(closings))

    def below(self, node: int) -> Ints:
        """Tokens at a node and below it."""
        trie = self.vocabulary.trie
        end = trie.ends[node]
        last = trie.firsts[end] if end < len(trie.firsts) else len(trie.order)
        return trie.order[trie.firsts[node] : last]

    def spelled(self, node: int) -> bytes:
        """The bytes that lead to a node."""
        trie, out = self.vocabulary.trie, bytearray()
        while node > 0:
            out.append(trie.bytes_[node])
            node = int(trie.parent[node])
        return bytes(out[::-1])

    def _node(self, data: bytes) -> int:
        trie, node = self.vocabulary.trie, 0
        for byte in data:
            child = node + 1
            while trie.bytes_[child] != byte:
                child = trie.ends[child]
            node = child
        return node


__all__ = ["NO_OPENING", "Inside", "Request", "Spot", "Walks"]
