"""Loops over the trie of a vocabulary, compiled: where plain text leads, and how few tokens spell a text.

Plain text is what an automaton reads without calling anything: strings, numbers, names. There each token leads to one
control state, so that a walk is a table of control states by byte, looked up once a node.
"""

from typing import Any

import numpy as np
from numba import njit

from .reach import HANDED, REFUSED, UNKNOWN
from .trie import Trie

_fast: Any = njit(nogil=True, cache=True, boundscheck=False)


@_fast
def walk(  # type: ignore[no-untyped-def]
    byte, end, depth, first, order, table, ended, states, starts, inside, classes, of, stops, hands, unknown, found
):
    """Go through the subtrees of some nodes, each in preorder, and write the class of every token read into `of`.

    starts: node and control state [starts, 2], the state in the node if `inside`, else before it. states: scratch, the
    control state at each depth. classes: by control state; one that has none (-1) gets the next, found[0]. Written,
    with how many in found[1:]: stops (node refused, state that may return, by `ended`), hands (node, step), unknown
    (node, the state before it, which has no moves in `table`, int32 [states, 256], yet).
    """
    found[3] = 0
    for which in range(starts.shape[0]):
        at = starts[which, 0]
        last = end[at]
        if inside:
            states[depth[at]] = starts[which, 1]
            at += 1
        else:
            states[depth[at] - 1] = starts[which, 1]
        while at < last:
            state = states[depth[at] - 1]
            target = table[state, byte[at]]
            if target >= 0:
                states[depth[at]] = target
                start, stop = first[at], first[at + 1]
                if start < stop:
                    if classes[target] < 0:
                        classes[target] = found[0]
                        found[0] += 1
                    for i in range(start, stop):
                        of[order[i]] = classes[target]
                at += 1
                continue
            if target == UNKNOWN:
                unknown[found[3], 0] = at
                unknown[found[3], 1] = state
                found[3] += 1
            elif target == REFUSED:
                if ended[state]:
                    stops[found[1], 0] = at
                    stops[found[1], 1] = state
                    found[1] += 1
            else:
                hands[found[2], 0] = at
                hands[found[2], 1] = HANDED - target
                found[2] += 1
            at = end[at]


@_fast
def tops(byte, depth, first, read, states, top, stops, above):  # type: ignore[no-untyped-def]
    """What `Loop` has of the bytes `read`, bool [256]: how many stops. states: scratch, by depth."""
    count = 0
    for node in range(1, byte.size):
        deepest = states[depth[node] - 1]
        if not read[byte[node]]:
            stops[count], above[count] = node, deepest
            count += 1
            deepest = depth[node]
        states[depth[node]] = deepest
        for i in range(first[node], first[node + 1]):
            top[i] = deepest
    return count


@_fast
def region(nodes, end, depth, first, order, top, row, tokens):  # type: ignore[no-untyped-def]
    """The tokens that a loop reads from each of some nodes it has entered, how many: as bits of `row`, uint32 [words],
    or if it is empty written to `tokens`."""
    count = 0
    for node in nodes:
        for i in range(first[node], first[end[node]]):
            if top[i] <= depth[node]:
                token = order[i]
                if row.size:
                    row[token >> 5] |= np.uint32(1) << np.uint32(token & 31)
                else:
                    tokens[count] = token
                count += 1
    return count


@_fast
def left(nodes, end, depth, stops, above, found):  # type: ignore[no-untyped-def]
    """The nodes where a loop stops that has entered some nodes, written to `found`: how many."""
    count = 0
    for node in nodes:
        at = np.searchsorted(stops, node + 1)
        while at < stops.size and stops[at] < end[node]:
            if above[at] <= depth[node]:
                found[count] = stops[at]
                count += 1
            at += 1
    return count


@_fast
def sizes(of, size):  # type: ignore[no-untyped-def]
    """Count the tokens of each class (`of`, -1: none) into `size`, int64 [classes]."""
    for token in range(of.size):
        if of[token] >= 0:
            size[of[token]] += 1


@_fast
def bits(of, chosen, row):  # type: ignore[no-untyped-def]
    """Set the bits of all tokens of the class `chosen`: uint32 [words]."""
    for word in range(row.size):
        found = np.uint32(0)
        for bit in range(32):
            found |= np.uint32(of[32 * word + bit] == chosen) << np.uint32(bit)
        row[word] = found


@_fast
def pairs(of, but, tokens, which):  # type: ignore[no-untyped-def]
    """Write every token that has another class than `but`, ascending, with its class: int32 [tokens] each."""
    count = 0
    for token in range(of.size):
        if of[token] >= 0 and of[token] != but:
            tokens[count] = token
            which[count] = of[token]
            count += 1


@_fast
def spell(byte, kids, kid, first, count, order, text, best, after, token):  # type: ignore[no-untyped-def]
    """The least tokens that spell each end of `text`: how many (`best`, given as very many), which comes first (token)
    and where the next begins (after)."""
    best[text.size] = 0
    for start in range(text.size - 1, -1, -1):
        node, at = 0, start
        while at < text.size:
            low, high = kids[node], kids[node + 1]
            while low < high:
                middle = (low + high) >> 1
                if byte[kid[middle]] < text[at]:
                    low = middle + 1
                else:
                    high = middle
            if low == kids[node + 1] or byte[kid[low]] != text[at]:
                break
            node, at = kid[low], at + 1
            if count[node] > 0 and best[at] + 1 < best[start]:
                best[start], after[start], token[start] = best[at] + 1, at, order[first[node]]


def load(trie: Trie) -> None:
    """Have the trie's lists made and the loops compiled (from the disk, where they have been before)."""
    assert len(trie.bytes_) == len(trie.ends) == len(trie.counts)
    nothing, written = np.zeros(0, dtype=np.int32), np.zeros((1, 2), dtype=np.int32)
    table, ended = np.full((1, 256), REFUSED, dtype=np.int32), np.zeros(1, dtype=np.bool_)
    walk(
        trie.byte, trie.end, trie.depths, trie.starts, trie.order, table, ended, nothing, written[:0], True, nothing,
        np.zeros(0, dtype=np.int16), written, written, written, np.zeros(4, dtype=np.int32),
    )  # fmt: skip
    classes = np.full(32, -1, dtype=np.int16)
    sizes(classes, np.zeros(0, dtype=np.int64))
    bits(classes, 0, np.zeros(1, dtype=np.uint32))
    pairs(classes, -1, written[0], written[0])
    loop = trie.loop(())
    region(nothing, trie.end, trie.depths, trie.starts, trie.order, loop.tops, np.zeros(0, dtype=np.uint32), nothing)
    left(nothing, trie.end, trie.depths, loop.stops, loop.above, nothing)
