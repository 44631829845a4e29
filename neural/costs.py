"""How a program can be finished from any state: a shortest text for the rest of each procedure, in tokens.

Every control state has a cost, the tokens of a shortest rest of one of its procedures; every frame has one, the
dearest of what may be left to do after a return. Their sum over a configuration is a finish that is always at hand: an upper
bound, as simple as tables need it. A token is allowed if the sum after it is within what the budget leaves. Where no
token is, the texts themselves are followed to the end (the *plan*): they take no more than the sum said, so the
budget is kept. `exact` finds the true minimum where that matters.
"""

import heapq
from collections.abc import Iterable
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
        self._plans: dict[int, list[int]] = {}
        self._control_costs: dict[int, tuple[int, int]] = {}
        self._frame_costs: dict[int, int] = {}
        self._backs: dict[tuple[int, int], tuple[int, int]] = {}

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

    def plan(self, state: int) -> list[int]:
        """The tokens of a shortest text to the end of a state's procedure."""
        known = self._plans.get(state)
        if known is None:
            known = self._plans[state] = self.vocabulary.spell(self.rest(state) or b"")
        return known

    def control(self, control: Control) -> tuple[int, int]:
        """The cost of a control state, and the network state whose rest that is."""
        known = self._control_costs.get(control.number)
        if known is None:
            known = self._control_costs[control.number] = self._cheapest(control.members)
        return known

    def frame(self, frame: Frame) -> int:
        """The cost of a frame: the most that any procedure it waits for leaves to do."""
        known = self._frame_costs.get(frame.number)
        if known is None:
            returns = {procedure for procedure, _ in frame.calls}
            known = self._frame_costs[frame.number] = max(self.back(frame, p)[0] for p in returns)
        return known

    def back(self, frame: Frame, procedure: int) -> tuple[int, int]:
        """What a frame leaves to do once a procedure returns, and the network state whose rest that is."""
        key = (frame.number, procedure)
        known = self._backs.get(key)
        if known is None:
            targets = [target for called, target in frame.calls if called == procedure]
            known = self._backs[key] = self._cheapest(targets)
        return known

    def _cheapest(self, states: Iterable[int]) -> tuple[int, int]:
        best = min((self.tokens(s), self.rest(s) or b"", s) for s in states)
        return best[0], best[2]
