"""How a program can be finished from any state: a shortest text for the rest of each procedure, in tokens.

The sum over the stack of these is a finish that is always at hand, so keeping it affordable keeps the budget. It
is an upper bound: a token that spells the end of one procedure and the beginning of what follows could save some.
`exact` finds the true minimum where that matters.
"""

import heapq
from typing import Final

from .automaton import Control, Frame
from .net import Net
from .vocabulary import Vocabulary

NEVER: Final = 1 << 20
_END: Final = -1


class Costs:
    """Shortest rests of procedures by network state."""

    def __init__(self, net: Net, vocabulary: Vocabulary) -> None:
        self.net = net
        self.vocabulary = vocabulary
        self._rests: dict[int, bytes] = {}
        self._longer: dict[int, int] = {}
        self._tokens: dict[int, int] = {}
        self._fewest: dict[bytes, int] = {}

    def rest(self, state: int) -> bytes | None:
        """A shortest text from a state to the end of its procedure; None if there is none of 4,000 bytes."""
        limit = 4
        given = self.net.state(state).rest
        if given is not None:
            limit = max(limit, len(given() or b""))
        while limit <= 4096:
            found = self._within(state, limit)
            if found is not None:
                return found
            limit *= 2
        return None

    def tokens(self, state: int) -> int:
        """The number of tokens of that text."""
        known = self._tokens.get(state)
        if known is None:
            text = self.rest(state)
            known = NEVER if text is None else self._count(text)
            self._tokens[state] = known
        return known

    def _count(self, text: bytes) -> int:
        known = self._fewest.get(text)
        if known is None:
            known = self._fewest[text] = self.vocabulary.fewest(text)
        return known

    def _within(self, start: int, limit: int) -> bytes | None:
        """Uniform-cost search inside one procedure, calls counted at their own shortest text."""
        known = self._rests.get(start)
        if known is not None:
            return known if len(known) <= limit else None
        if self._longer.get(start, -1) >= limit:
            return None
        heap: list[tuple[int, int, bytes]] = [(0, start, b"")]
        done: set[int] = set()
        while heap:
            cost, number, text = heapq.heappop(heap)
            if number == _END:
                self._rests[start] = text
                return text
            if number in done:
                continue
            done.add(number)
            state = self.net.state(number)
            if state.ends:
                self._rests[start] = text
                return text
            given = state.rest() if state.rest is not None else None
            if given is not None and cost + len(given) <= limit:
                heapq.heappush(heap, (cost + len(given), _END, text + given))
            for target in state.silent:
                heapq.heappush(heap, (cost, target, text))
            if cost >= limit:
                continue
            for byte, targets in state.moves.items():
                for target in targets:
                    if target not in done:
                        heapq.heappush(heap, (cost + 1, target, text + bytes((byte,))))
            for procedure, target in state.calls:
                if target not in done:
                    inner = self._called(procedure, limit - cost)
                    if inner is not None:
                        heapq.heappush(heap, (cost + len(inner), target, text + inner))
        self._longer[start] = limit
        return None

    def _called(self, procedure: int, limit: int) -> bytes | None:
        known = self.net.short(procedure)
        if known is None:
            return self._within(self.net.starts[procedure], limit)
        return known if len(known) <= limit else None

    def control(self, control: Control) -> dict[int, int]:
        """Tokens to the end of each procedure that a control state is in."""
        found: dict[int, int] = {}
        for number in control.members:
            state = self.net.states[number]
            cost = self.tokens(number)
            if cost < found.get(state.owner, NEVER):
                found[state.owner] = cost
        return found

    def frame(self, frame: Frame) -> dict[tuple[int, int], int]:
        """Tokens from a frame's return to the end of its procedures, by (procedure returning, procedure ended)."""
        found: dict[tuple[int, int], int] = {}
        for procedure, target in frame.calls:
            key = (procedure, self.net.states[target].owner)
            cost = self.tokens(target)
            if cost < found.get(key, NEVER):
                found[key] = cost
        return found
