"""The bytes of a vocabulary's tokens as a tree, built and walked in numpy.

Nodes are in preorder: node i's children start at i + 1 and its subtree is i + 1 … end[i] - 1. Tokens are sorted by
their bytes, so the tokens at a node, and those of its subtree, are slices of one array.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Loop:
    """The trie to a state that reads some bytes and stays as it is.

    tops: by position in `Trie.order`, the depth of the deepest node above the token's end that such a byte does not
    lead into. stops: the nodes that such bytes do not lead into, ascending; above: the same depth for each of them.
    """

    tops: NDArray[np.uint16]
    stops: Ints
    above: NDArray[np.uint16]


@dataclass(frozen=True)
class Trie:
    """byte[i] leads into node i from parent[i]; end[i] is one past its subtree; depth[i] is its length in bytes.

    order: token ids sorted by bytes; those at node i are order[first[i]:first[i] + count[i]].
    """

    byte: NDArray[np.uint8]
    parent: Ints
    end: Ints
    depth: Ints
    first: Ints
    count: Ints
    order: Ints

    @cached_property
    def bytes_(self) -> list[int]:
        """`byte` as a list, for walks one node at a time."""
        return self.byte.tolist()  # type: ignore[no-any-return]

    @cached_property
    def ends(self) -> list[int]:
        """`end` as a list."""
        return self.end.tolist()  # type: ignore[no-any-return]

    @cached_property
    def counts(self) -> list[int]:
        """`count` as a list."""
        return self.count.tolist()  # type: ignore[no-any-return]

    @cached_property
    def firsts(self) -> list[int]:
        """`first` as a list."""
        return self.first.tolist()  # type: ignore[no-any-return]

    @cached_property
    def starts(self) -> Ints:
        """`first`, and after it how many tokens there are: those at node i are order[starts[i]:starts[i + 1]]."""
        return np.append(self.first, np.int32(len(self.order)))

    @cached_property
    def depths(self) -> NDArray[np.uint16]:
        """`depth` in less memory."""
        return self.depth.astype(np.uint16)

    @cached_property
    def tokens(self) -> list[int]:
        """`order` as a list."""
        return self.order.tolist()  # type: ignore[no-any-return]

    @cached_property
    def _belows(self) -> dict[int, dict[int, list[int]]]:
        return {}

    def below(self, node: int) -> dict[int, list[int]]:
        """The child of a node by byte, in a list of its own. Do not write to it."""
        known = self._belows.get(node)
        if known is None:
            known = self._belows[node] = {}
            bytes_, ends = self.bytes_, self.ends
            child, end = node + 1, ends[node]
            while child < end:
                known[bytes_[child]] = [child]
                child = ends[child]
        return known

    @cached_property
    def _loops(self) -> dict[bytes, Loop]:
        return {}

    def loop(self, read: Iterable[int]) -> Loop:
        """The trie to a state that reads these bytes and stays as it is."""
        from .walks import tops

        reads = np.zeros(256, dtype=np.bool_)
        reads[list(read)] = True
        key = reads.tobytes()
        known = self._loops.get(key)
        if known is None:
            top = np.zeros(len(self.order), dtype=np.uint16)
            stops, above = np.empty(len(self.byte), dtype=np.int32), np.empty(len(self.byte), dtype=np.uint16)
            states = np.zeros(int(self.depth.max()) + 1, dtype=np.uint16)
            count = tops(self.byte, self.depths, self.starts, reads, states, top, stops, above)
            known = self._loops[key] = Loop(top, stops[:count].copy(), above[:count].copy())
        return known

    @cached_property
    def kid(self) -> Ints:
        """Nodes by parent, each one's children in the order of their bytes."""
        return np.argsort(self.parent[1:], kind="stable").astype(np.int32) + np.int32(1)

    @cached_property
    def kids(self) -> Ints:
        """Where each node's children begin in `kid`; one more says where the last one's end."""
        return np.searchsorted(self.parent[self.kid], np.arange(len(self.parent) + 1)).astype(np.int32)


def build_trie(tokens: "Sequence[bytes | None]") -> Trie:
    """The trie of token bytes by id (None and empty ones are left out)."""
    spelled = sorted((token, i) for i, token in enumerate(tokens) if token)
    order = np.fromiter((i for _, i in spelled), dtype=np.int32, count=len(spelled))
    lengths = np.fromiter((len(t) for t, _ in spelled), dtype=np.int64, count=len(spelled))
    text = np.frombuffer(b"".join(t for t, _ in spelled), dtype=np.uint8)
    starts = np.concatenate(([0], np.cumsum(lengths)))[:-1]
    shared = _shared_prefixes(text, starts, lengths)
    fresh = lengths - shared
    base = 1 + np.concatenate(([0], np.cumsum(fresh)))[:-1] if len(spelled) else np.zeros(0, dtype=np.int64)
    size = 1 + int(fresh.sum())
    # Node k of the fresh ones of token i stands for its byte number shared[i] + k.
    owner = np.repeat(np.arange(len(spelled)), fresh)
    within = np.arange(size - 1) - (base[owner] - 1) if size > 1 else np.zeros(0, dtype=np.int64)
    byte = np.zeros(size, dtype=np.uint8)
    depth = np.zeros(size, dtype=np.int32)
    byte[1:] = text[starts[owner] + shared[owner] + within]
    depth[1:] = shared[owner] + within + 1
    parent = np.arange(-1, size - 1, dtype=np.int32)
    heads = np.flatnonzero(fresh > 0)
    for level in np.unique(shared[heads]) if len(heads) else ():
        mine = heads[shared[heads] == level]
        nodes = np.flatnonzero(depth == level)
        parent[base[mine]] = nodes[np.searchsorted(nodes, base[mine]) - 1]
    end = _ends(parent, depth)
    last = np.where(fresh > 0, base + fresh - 1, -1)
    at = np.maximum.accumulate(last) if len(spelled) else last
    count = np.bincount(at, minlength=size).astype(np.int32) if len(spelled) else np.zeros(size, dtype=np.int32)
    first = np.concatenate(([0], np.cumsum(count)))[:-1].astype(np.int32)
    return Trie(byte, parent, end, depth, first, count, order)


def _shared_prefixes(
    text: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many bytes each token shares with the one before it."""
    shared = np.zeros(len(starts), dtype=np.int64)
    alive = np.arange(1, len(starts))
    at = 0
    while len(alive):
        alive = alive[(lengths[alive] > at) & (lengths[alive - 1] > at)]
        alive = alive[text[starts[alive] + at] == text[starts[alive - 1] + at]]
        shared[alive] += 1
        at += 1
    return shared


def _ends(parent: Ints, depth: Ints) -> Ints:
    size = np.ones(len(parent), dtype=np.int64)
    by_depth = np.argsort(depth, kind="stable")
    cuts = np.cumsum(np.bincount(depth))
    for level in range(len(cuts) - 1, 0, -1):
        nodes = by_depth[cuts[level - 1] : cuts[level]]
        np.add.at(size, parent[nodes], size[nodes])
    return (np.arange(len(parent)) + size).astype(np.int32)
