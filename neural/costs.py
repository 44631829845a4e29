"""How a program can be finished from any state: a shortest text for the rest of each procedure, in tokens.

Every control state has a cost, the tokens of a shortest rest of one of its procedures; every frame has one, the
dearest of what may be left to do after a return. Their sum over a configuration is a finish that is always at hand:
an upper bound, as simple as tables need it. (Inside a variable's name it is the longest rest of a name.) A token is
allowed if the sum after it is within what the budget leaves. Where no token is, the texts themselves are followed to
the end (the *plan*): they take no more than the sum said, so the budget is kept. `exact` finds the true minimum where
that matters.
"""

import heapq
from collections.abc import Iterable
from typing import Final

from .automaton import Control, Frame
from .net import NEVER, Net, Short
from .vocabulary import Spellings, Vocabulary

_END: Final = -1
_SHORT: Final = 256
"""Bytes of a text up to which all its ends are kept with it."""


def priced(vocabulary: Vocabulary, text: bytes, room: int) -> int:
    """The least tokens that spell a text; if there is room, cut inside its literals, each with that many tokens more."""
    return sum(map(vocabulary.fewest, _cut(text, room))) + room * (text.count(b'"') // 2)


def _cut(text: bytes, room: int) -> list[bytes]:
    """A text cut after each quote that opens a literal, if there is room for what it may have to say."""
    if not room or text.count(b'"') < 2:
        return [text]
    parts = text.split(b'"')
    # An odd number of quotes: the text begins inside a literal.
    first = 2 if len(parts) % 2 == 0 else 1
    begun = b'"'.join(parts[:first]) + b'"'
    closed = [b'"'.join(parts[i : i + 2]) + b'"' for i in range(first, len(parts) - 2, 2)]
    return [begun, *closed, b'"'.join(parts[-2:])]


class Costs:
    """Shortest rests of procedures by network state. room: tokens kept for what each literal of a finish may have to
    say (`grounded`)."""

    def __init__(self, net: Net, vocabulary: Vocabulary, room: int = 0) -> None:
        self.net = net
        self.vocabulary = vocabulary
        self.room = room
        self._rests: dict[int, Short] = {}
        self._givens: dict[int, Short | None] = {}
        self._seen: dict[int, int] = {}
        self._longer: dict[int, int] = {}
        self._tokens: dict[int, int] = {}
        self._spelled: dict[bytes, tuple[Spellings, int]] = {}
        self._roomy: dict[bytes, int] = {}
        self._control_costs: dict[int, tuple[int, int]] = {}
        self._frame_costs: dict[int, int] = {}
        self._backs: dict[tuple[int, int], tuple[int, int]] = {}

    def rest(self, state: int) -> Short | None:
        """A shortest text from a state to the end of its procedure, and what that returns; None if there is none of
        4,000 bytes."""
        known = self._rests.get(state)
        if known is not None:
            return known
        given = self._given(state)
        if given is not None and not self.net.states[state].slots:
            result = self.net.states[state].result
            self._rests[state], self._seen[state] = (given if result is None else (b"", result)), 0
            return self._rests[state]
        way, text, last = self._only_way(state)
        found = self.rest(last) if way and self._given(last) is not None else self._found(last)
        if found is None:
            return None
        if way:
            seen = self._seen[last]
            for number, at in way:
                self._rests[number] = text[at:] + found[0], found[1]
                self._seen[number] = len(text) - at + seen
        return self._rests[state]

    def _only_way(self, state: int) -> tuple[list[tuple[int, int]], bytes, int]:
        """States from which one byte or call of a known text leads on and nothing else does, as far as they go from a
        state, each with the bytes read before it; those bytes; the state where they end."""
        way: list[tuple[int, int]] = []
        text = bytearray()
        while state not in self._rests and self._given(state) is None and len(way) < 4096:
            drawn = self.net.state(state)
            if drawn.silent or drawn.slots or drawn.result is not None or len(drawn.moves) + len(drawn.calls) != 1:
                break
            at = len(text)
            if drawn.moves:
                ((byte, targets),) = drawn.moves.items()
                if len(targets) != 1:
                    break
                way.append((state, at))
                text.append(byte)
                state = targets[0]
            else:
                inner = self.net.short(drawn.calls[0][0])
                after = self.net.then(drawn.calls[0], inner[1]) if inner is not None else None
                if inner is None or after is None:
                    break
                way.append((state, at))
                text += inner[0]
                state = after
        return way, bytes(text), state

    def _found(self, state: int) -> Short | None:
        known = self._given(state)
        limit = max(4, len(known[0])) if known is not None else 4
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
            rest = self.rest(state)
            known = NEVER if rest is None else self.count(rest[0])
            self._tokens[state] = known
        return known

    def count(self, text: bytes) -> int:
        """The least tokens that spell a text; with room, what `priced` says."""
        if self.room:
            if text not in self._roomy:
                self._roomy[text] = min(NEVER, priced(self.vocabulary, text, self.room))
            return self._roomy[text]
        spellings, at = self._spelled.get(text) or self._spell(text)
        return spellings.counts[at]

    def _spell(self, text: bytes) -> tuple[Spellings, int]:
        """A text as an end of itself. What is priced next is mostly an end of it."""
        spellings = self.vocabulary.spellings(text)
        ends = range(len(text) + 1) if len(text) <= _SHORT else (0,)
        self._spelled |= {text[i:]: (spellings, i) for i in ends}
        return spellings, 0

    def _within(self, start: int, limit: int) -> Short | None:
        """Uniform-cost search inside one procedure, calls counted at their own shortest text. It uses no variable:
        which of them go is not known here. Of several shortest texts the first in the order of bytes, so that the
        answer does not depend on what was asked before. Where a surface gives a rest the search ends: what is behind
        it is not drawn. So the text is a short one, not always the shortest."""
        known = self._rests.get(start)
        if known is not None:
            return known if len(known[0]) <= limit else None
        if self._longer.get(start, -1) >= limit:
            return None
        heap: list[tuple[int, bytes, int, int, Short | None]] = [(0, b"", start, _END, None)]
        came: dict[int, tuple[int, int]] = {}
        while heap:
            cost, text, number, before, found = heapq.heappop(heap)
            if found is not None:
                if len(text) + len(found[0]) > limit:
                    break
                return self._remember(start, came, before, text + found[0], found[1], cost)
            if number in came:
                continue
            came[number] = before, cost
            rest = self._rests.get(number)
            if rest is not None:
                # As far as the search that found it went before it ended.
                seen = self._seen[number]
                heapq.heappush(heap, (cost + seen, text + rest[0][:seen], _END, number, (rest[0][seen:], rest[1])))
                continue
            given = self._given(number)
            state = self.net.states[number] if given is not None else self.net.state(number)
            if state.slots:
                continue
            if state.result is not None:
                given = b"", state.result
            if given is not None:
                if cost + len(given[0]) > limit:
                    break
                return self._remember(start, came, number, text + given[0], given[1], cost)
            for target in state.silent:
                heapq.heappush(heap, (cost, text, target, number, None))
            if cost >= limit:
                continue
            for byte, targets in state.moves.items():
                for target in targets:
                    if target not in came:
                        heapq.heappush(heap, (cost + 1, text + bytes((byte,)), target, number, None))
            for call in state.calls:
                inner = self._called(call[0], limit - cost)
                after = self.net.then(call, inner[1]) if inner is not None else None
                if inner is not None and after is not None and after not in came:
                    heapq.heappush(heap, (cost + len(inner[0]), text + inner[0], after, number, None))
        self._longer[start] = limit
        return None

    def _given(self, number: int) -> Short | None:
        """The rest that a surface gives for a state; if it was given with the state, that is not drawn."""
        if number in self._givens:
            return self._givens[number]
        state = self.net.states[number]
        given = state.rest() if state.rest is not None else None
        if given is None and state.expand is not None:
            state = self.net.state(number)
            given = state.rest() if state.rest is not None else None
        self._givens[number] = given
        return given

    def _remember(
        self, start: int, came: dict[int, tuple[int, int]], number: int, text: bytes, result: int, seen: int
    ) -> Short:
        """The rest of every state on the way is the rest of the text; `seen` bytes of it were searched."""
        while number != _END:
            before, cost = came[number]
            self._rests[number] = text[cost:], result
            self._seen[number] = seen - cost
            number = before
        return self._rests[start]

    def _called(self, procedure: int, limit: int) -> Short | None:
        known = self.net.short(procedure)
        if known is None:
            return self._within(self.net.starts[procedure], limit)
        return known if len(known[0]) <= limit else None

    def plan(self, state: int) -> list[int]:
        """The tokens of a shortest text to the end of a state's procedure."""
        rest = self.rest(state)
        if rest is None:
            return []
        if self.room:
            parts = [self.vocabulary.spell(part) for part in _cut(rest[0], self.room)]
            return [token for part in parts for token in part] if all(parts) else []
        spellings, at = self._spelled.get(rest[0]) or self._spell(rest[0])
        return spellings.tokens(at)

    def text(self, state: int) -> bytes:
        """A shortest text to the end of a state's procedure."""
        rest = self.rest(state)
        assert rest is not None
        return rest[0]

    def result(self, state: int) -> int:
        """What that returns."""
        rest = self.rest(state)
        assert rest is not None
        return rest[1]

    def control(self, control: Control) -> tuple[int, int]:
        """The cost of a control state, and the network state whose rest that is (inside a variable's name: any)."""
        known = self._control_costs.get(control.number)
        if known is None:
            if control.slots is not None:
                texts = [text for n in control.members for _, text in self.net.states[n].slots]
                known = max(self.count(text) for text in texts), control.members[0]
            else:
                known = self._cheapest(n for n in control.members if not self.net.states[n].slots)
            self._control_costs[control.number] = known
        return known

    def frame(self, frame: Frame) -> int:
        """The cost of a frame: the most that any result it waits for leaves to do."""
        known = self._frame_costs.get(frame.number)
        if known is None:
            targets: dict[int, list[int]] = {}
            for procedure, target in frame.calls:
                if target >= 0:
                    targets.setdefault(procedure, []).append(target)
            costs = [self._cheapest(at)[0] for at in targets.values()]
            costs += [self.net.dearest(target, self.count) for _, target in frame.calls if target < 0]
            known = self._frame_costs[frame.number] = min(max(costs), NEVER)
        return known

    def back(self, frame: Frame, result: int) -> tuple[int, int]:
        """What a frame leaves to do once a result has returned, and the network state whose rest that is."""
        known = self._backs.get((frame.number, result))
        if known is None:
            targets = (self.net.then(call, result) for call in frame.calls)
            known = self._backs[frame.number, result] = self._cheapest(t for t in targets if t is not None)
        return known

    def _cheapest(self, states: Iterable[int]) -> tuple[int, int]:
        best = min((self.tokens(s), self.rest(s) or (b"", 0), s) for s in states)
        return best[0], best[2]
