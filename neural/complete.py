"""What may come next after the beginning of a program: for an annotator's editor, from the decoder's own network.

No numpy and no tokenizer: the automaton is read byte by byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..compiler.schema import Schema
from ..compiler.types import Type, show
from ..grammar.diagnostic import CompileError
from . import errors
from .automaton import Automaton, Control, Frame
from .dl_turns import dl_surface
from .net import Net

_OPEN = {
    "1": "number",
    "1L": "int",
    "10:00": "time",
    "2020-01-02": "date",
    "2020-01-02T10:00": "datetime",
    "1h": "duration",
    "1usd": "money",
    '"a"': "text",
    '@"a"': "entity",
    "$0": "placeholder",
    'raw "a"': "raw",
    "zq0": "name",
}
"""A word of each kind that has endlessly many."""
_LITERALS = ("lexeme", "quoted", "quantity")
_PATTERNS = (*_LITERALS, "hole", "entity")
_BOUNDARY = frozenset(b" (){}[]:,;")
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Completion:
    """One thing that may come next. text: what to add (of a kind with endlessly many words, an example). kind: `word`,
    `end` (the program may end here), or the kind of literal or name. types: types that the value then has, as DL
    writes them; empty where no value ends here."""

    text: str
    kind: str
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    control: Control
    stack: tuple[Frame, ...]


class Completer:
    """Completions over one schema; what it learns of it is kept."""

    def __init__(self, schema: Schema) -> None:
        net, root = dl_surface(schema)
        self.net = net
        self.automaton = Automaton(net, root)

    def complete(self, prefix: str) -> tuple[Completion, ...]:
        """What may follow `prefix`, in the order of text. Raises CompileError (DLC504) if no program begins so."""
        place = _Place(self.automaton.root, ())
        for at, byte in enumerate(prefix.encode()):
            after = self._step(place, byte)
            if after is None:
                raise CompileError(errors.bad_prefix(prefix[:200], at))
            place = after
        found = [Completion("", "end")] if self._ends(place) else []
        for word in sorted(self._words(place)):
            reached = self._read(place, word)
            if reached is not None:
                found.append(Completion(word, "word", self._types(reached)))
        for example, kind in _OPEN.items():
            reached = self._read(place, example)
            if reached is not None and reached.control.ended:
                found.append(Completion(example, kind, self._types(reached)))
        return tuple(found)

    def _step(self, place: _Place, byte: int) -> _Place | None:
        control, stack = place.control, place.stack
        moved = self.automaton.step(control, byte)
        while moved is None:
            back = self.automaton.after(stack[-1], control.ended) if stack and control.ended else None
            if back is None:
                return None
            control, stack = back, stack[:-1]
            moved = self.automaton.step(control, byte)
        return _Place(moved[0], stack + moved[1])

    def _read(self, place: _Place, text: str) -> _Place | None:
        reached: _Place | None = place
        for byte in text.encode():
            reached = self._step(reached, byte) if reached is not None else None
        return reached

    def _returns(self, place: _Place) -> Iterator[_Place]:
        """The place, and those its procedures would return to if they ended here."""
        current: Control | None = place.control
        stack = place.stack
        while current is not None:
            yield _Place(current, stack)
            if not current.ended or not stack:
                return
            current, stack = self.automaton.after(stack[-1], current.ended), stack[:-1]

    def _ends(self, place: _Place) -> bool:
        *_, last = self._returns(place)
        return bool(last.control.ended) and not last.stack

    def _types(self, place: _Place) -> tuple[str, ...]:
        """Types of the operands that end here."""
        found: dict[Type, None] = {}
        for each in self._returns(place):
            for result in sorted(each.control.ended):
                key = self.net.keys[result] if result >= 0 else None
                if isinstance(key, tuple) and key[0] in ("operand", "was"):
                    found[key[2]] = None
        return tuple(sorted({show(type_) for type_ in found}))

    def _words(self, place: _Place) -> set[str]:
        found: set[bytes] = set()
        for each in self._returns(place):
            seen: set[int] = set()
            for member in each.control.members:
                owner = self.net.states[member].owner
                if self.net.keys[owner] == ("quoted",):
                    found.add(b'"')
                elif not _is_pattern(self.net, owner, _LITERALS):
                    self._walk(member, b"", found, seen)
        return {word.decode() for word in found if word}

    def _walk(self, number: int, text: bytes, found: set[bytes], seen: set[int]) -> None:
        """Texts of the network from a state to the next boundary."""
        state = self.net.state(number)
        if not text:
            if number in seen:
                return
            seen.add(number)
            for target in state.silent:
                self._walk(target, text, found, seen)
            for procedure, _ in state.calls:
                if self.net.keys[procedure] == ("quoted",):
                    found.add(b'"')
                elif not _is_pattern(self.net, procedure):
                    self._walk(self.net.starts[procedure], text, found, seen)
        elif self._stops(number, text):
            found.add(text)
        if len(text) > _LONGEST:
            return
        for byte, targets in state.moves.items():
            for target in targets:
                if target in self.net.endless:
                    continue
                longer = text + bytes((byte,))
                if byte in _BOUNDARY and not _quoted(longer):
                    found.add(longer)
                else:
                    self._walk(target, longer, found, seen)

    def _stops(self, number: int, text: bytes) -> bool:
        """Whether a word may end here. A name that nothing declares is none."""
        state = self.net.state(number)
        if _is_pattern(self.net, state.owner, ("any name",)):
            return state.result is not None and self.net.keys[state.result] != "other name"
        return state.result is not None or bool(state.calls or state.silent) or not state.moves or len(text) > _LONGEST


def _quoted(text: bytes) -> bool:
    return text.count(b"`") % 2 == 1


def _is_pattern(net: Net, procedure: int, kinds: tuple[str, ...] = _PATTERNS) -> bool:
    key = net.keys[procedure]
    return isinstance(key, tuple) and key[0] in kinds


def complete(prefix: str, schema: Schema) -> tuple[Completion, ...]:
    """What may come next after the beginning of one turn of printed DL. Raises CompileError (DLC504)."""
    return Completer(schema).complete(prefix)


__all__ = ["Completer", "Completion", "complete"]
