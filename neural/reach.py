"""Tokens against the automaton: from a control state, which token leads where.

A token may end here or deeper (a class: one target control state and frames pushed), or run past the end of what
the control state reads; then the rest of it is left to the callers, as a node of the token trie.
"""

from dataclasses import dataclass

from .automaton import Automaton, Control, Frame
from .vocabulary import Trie

_NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Where a class of tokens leads: a control state, with frames pushed (outermost first)."""

    control: Control
    pushed: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What the tokens below a trie node do from a control state.

    targets[i] is reached by tokens[i]. rests: what returned, the trie node where, and the next bytes that the
    control state itself would read there (the callers get only the others).
    """

    targets: tuple[Target, ...]
    tokens: tuple[tuple[int, ...], ...]
    rests: tuple[tuple[frozenset[int], int, frozenset[int]], ...]


class Reaches:
    """Reaches, worked out once each."""

    def __init__(self, automaton: Automaton, trie: Trie) -> None:
        self.automaton = automaton
        self.trie = trie
        self._known: dict[tuple[int, int, frozenset[int]], Reach] = {}

    def at(self, control: Control, node: int = 0, taken: frozenset[int] = _NOTHING) -> Reach:
        """The reach of a control state below a trie node, leaving out the first bytes in `taken`."""
        key = (control.number, node, taken)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._walk(control, node, taken)
        return known

    def _walk(self, control: Control, node: int, taken: frozenset[int]) -> Reach:
        step, after = self.automaton.step, self.automaton.after
        bytes_, ends, tokens = self.trie.byte, self.trie.end, self.trie.tokens
        classes: dict[tuple[int, tuple[Frame, ...]], tuple[Target, list[int]]] = {}
        rests: list[tuple[frozenset[int], int, frozenset[int]]] = []
        todo: list[tuple[Control, tuple[Frame, ...], int, frozenset[int]]] = [(control, (), node, taken)]
        while todo:
            state, pushed, at, skip = todo.pop()
            child, last = at + 1, ends[at]
            refused = False
            read: set[int] = set()
            while child < last:
                byte = bytes_[child]
                if byte not in skip:
                    moved = step(state, byte)
                    if moved is None:
                        refused = True
                    else:
                        read.add(byte)
                        target, more = moved
                        frames = pushed + more if more else pushed
                        ids = tokens[child]
                        if ids:
                            key = (target.number, frames)
                            known = classes.get(key)
                            if known is None:
                                classes[key] = (Target(target, frames), list(ids))
                            else:
                                known[1].extend(ids)
                        if ends[child] > child + 1:
                            todo.append((target, frames, child, _NOTHING))
                child = ends[child]
            if refused and state.ended:
                left = frozenset(read) | skip
                if pushed:
                    back = after(pushed[-1], state.ended)
                    if back is not None:
                        todo.append((back, pushed[:-1], at, left))
                else:
                    rests.append((state.ended, at, left))
        found = list(classes.values())
        return Reach(tuple(t for t, _ in found), tuple(tuple(ids) for _, ids in found), tuple(rests))
