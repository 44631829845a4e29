"""Spellings of types as procedures: `(^(…) …)`'s arguments.

A type is read as it is built: the name of a type without arguments, or a constructor and each of its arguments by a
procedure of its own. So what can follow a letter of a name is one state wherever a type may stand, however the sets
of types that may stand there differ.
"""

from collections.abc import Sequence

from ..compiler.types import Con, Type
from ..targets.dataflow.names import lispress_type
from ..targets.dataflow.sexp import write
from ..targets.dataflow.writer import type_sexp
from .net import Count, Net, Part, Short
from .words import Words


class TypeNames:
    """Types by number, those given first; more numbers are for arguments that are not among them."""

    def __init__(self, net: Net, types: Sequence[Type], texts: Sequence[str]) -> None:
        self.net = net
        self.results = [net.name(("type", type_)) for type_ in types]
        """What reading a type returns, by number; the same as a value of that type returns."""
        self._words = Words(net)
        self._numbers = {type_: i for i, type_ in enumerate(types)}
        self._texts = [text.encode() for text in texts]
        self._arguments: dict[int, tuple[int, ...]] = {}
        self._types = list(types)

    def one_of(self, types: tuple[int, ...]) -> int:
        """The procedure of the spellings of some types; it returns which it was."""
        procedure = self.net.procedure(("types", types), lambda part: self._draw(part, types))
        self.net.shorten(procedure, lambda: self._shortest(types))
        self.net.returning(procedure, lambda: [self.results[number] for number in types])
        return procedure

    def _draw(self, part: Part, types: tuple[int, ...]) -> None:
        words: dict[str, int] = {}
        plain: set[int] = set()
        built: dict[int, list[int]] = {}
        for number in types:
            text = self._texts[number].decode()
            if self._of(number):
                head = text[: text.index(" ") + 1]
                words[head] = result = self.net.name(("type constructor", head))
                built.setdefault(result, []).append(number)
            else:
                words[text] = self.results[number]
                plain.add(self.results[number])

        def then(result: int) -> int | None:
            if result in built:
                return self._argument(part, tuple(built[result]), 0)
            return self._ended(part, result) if result in plain else None

        def dearest(count: Count) -> int:
            return max((count(self._shortest(some, 0)[0]) for some in built.values()), default=0)

        part.call(part.start, self._words.one_of(tuple(words.items())), self.net.continuation(then, dearest))

    def _ended(self, part: Part, result: int) -> int:
        done = part.new()
        part.end(done, result)
        return done

    def _argument(self, part: Part, types: tuple[int, ...], index: int) -> int:
        """The state before argument number `index` of types of one constructor that agree before it."""

        def draw(state: int) -> None:
            by_result: dict[int, list[int]] = {}
            for number in types:
                by_result.setdefault(self.results[self._of(number)[index]], []).append(number)
            lefts = {result: tuple(some) for result, some in by_result.items()}
            last = index + 1 == len(self._of(types[0]))

            def then(result: int) -> int | None:
                left = lefts.get(result)
                return None if left is None else self._closed(part, left[0]) if last else self._next(part, left, index)

            def dearest(count: Count) -> int:
                return count(b")") if last else max(count(self._after(left, index)[0]) for left in lefts.values())

            arguments = tuple(dict.fromkeys(self._of(number)[index] for number in types))
            part.call(state, self.one_of(arguments), self.net.continuation(then, dearest))

        state = part.lazy(draw)
        self.net.states[state].rest = lambda: self._shortest(types, index)
        return state

    def _closed(self, part: Part, number: int) -> int:
        """Before the parenthesis that closes a type."""
        state = part.new()
        part.end(part.text(state, ")"), self.results[number])
        return state

    def _next(self, part: Part, types: tuple[int, ...], index: int) -> int:
        """After an argument that is not the last."""
        state = part.new()
        part.text(state, " ", self._argument(part, types, index + 1))
        self.net.states[state].rest = lambda: self._after(types, index)
        return state

    def _after(self, types: Sequence[int], index: int) -> Short:
        text, result = self._shortest(types, index + 1)
        return b" " + text, result

    def _shortest(self, types: Sequence[int], index: int | None = None) -> Short:
        """A shortest spelling; or what is left of it from argument number `index` on."""
        if index is None:
            texts = ((self._texts[number], number) for number in types)
        else:
            texts = (
                (b" ".join(self._texts[each] for each in self._of(number)[index:]) + b")", number) for number in types
            )
        text, number = min(texts, key=lambda each: (len(each[0]), each[0]))
        return text, self.results[number]

    def _of(self, number: int) -> tuple[int, ...]:
        """The arguments of a type."""
        known = self._arguments.get(number)
        if known is None:
            type_ = self._types[number]
            given = type_.args if isinstance(type_, Con) else ()
            known = self._arguments[number] = tuple(map(self._number, given))
        return known

    def _number(self, type_: Type) -> int:
        number = self._numbers.get(type_)
        if number is None:
            number = self._numbers[type_] = len(self._types)
            self._types.append(type_)
            self._texts.append(write(type_sexp(lispress_type(type_))).encode())
            self.results.append(self.net.name(("type", type_)))
        return number
