"""Loops over the trie of a vocabulary, compiled: where plain text leads, and how few tokens spell a text.

Plain text is what an automaton reads without calling anything: strings, numbers, names. There each token leads to one
control state, so that a walk is a table of control states by byte, looked up once a node.
"""

from typing import Any

from numba import njit

from .reach import HANDED, REFUSED, STOPPED, UNKNOWN

_fast: Any = njit(nogil=True, cache=True, boundscheck=False)


@_fast
def walk(byte, end, parent, count, table, ended, state_of, node, at, taken, found, stops, hands, sizes):  # type: ignore[no-untyped-def]
    """Go through the subtree of `node` in preorder, from its node `at` on. Where it stopped: past the subtree, or at
    a node whose parent's control state has no moves in `table` (int32 [states, 256]) yet.

    state_of: by node, int32; that of `node` is set. taken: bool [256], bytes of children of `node` to leave out.
    Written, with how many in `sizes`: found (node with tokens, state), stops (node with a child refused and a state
    that may return, by `ended`), hands (node, step).
    """
    last = end[node]
    while at < last:
        above = parent[at]
        state = state_of[above] & (STOPPED - 1)
        letter = byte[at]
        if above == node and taken[letter]:
            at = end[at]
            continue
        target = table[state, letter]
        if target >= 0:
            state_of[at] = target
            if count[at] > 0:
                found[sizes[0], 0] = at
                found[sizes[0], 1] = target
                sizes[0] += 1
            at += 1
            continue
        if target == UNKNOWN:
            return at
        if target == REFUSED:
            if ended[state] and state_of[above] < STOPPED:
                state_of[above] |= STOPPED
                stops[sizes[1], 0] = above
                stops[sizes[1], 1] = state
                sizes[1] += 1
        else:
            hands[sizes[2], 0] = at
            hands[sizes[2], 1] = HANDED - target
            sizes[2] += 1
        at = end[at]
    return at


@_fast
def spread(first, count, order, nodes, classes, of):  # type: ignore[no-untyped-def]
    """Write the class of each node's tokens into `of`, by token; how many tokens."""
    total = 0
    for i in range(nodes.size):
        start = first[nodes[i]]
        for j in range(count[nodes[i]]):
            of[order[start + j]] = classes[i]
        total += count[nodes[i]]
    return total


@_fast
def collect(of, tokens, which):  # type: ignore[no-untyped-def]
    """The tokens whose class is not -1, ascending, with their classes; `of` is as new afterwards."""
    at = 0
    for token in range(of.size):
        if of[token] >= 0:
            tokens[at] = token
            which[at] = of[token]
            of[token] = -1
            at += 1


@_fast
def spell(byte, kids, kid, first, count, order, text, best, last, token):  # type: ignore[no-untyped-def]
    """The least tokens that spell each beginning of `text`: how many (best, given as very many), from where the last
    of them begins (last) and which it is (token)."""
    best[0] = 0
    for start in range(text.size):
        base = best[start] + 1
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
            if count[node] > 0 and base < best[at]:
                best[at], last[at], token[at] = base, start, order[first[node]]
