"""Lexemes as procedures: literals of every kind, strings, placeholders, fixed words, names of enum members."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache, partial
from typing import Final, TypeVar

from ..compiler.spelling import is_identifier
from ..compiler.types import BOOL, DATE, DATETIME, DURATION, INT, MONEY, NUMBER, TEXT, TIME, Con, Type
from ..compiler.units import MEASURE_UNITS, TIME_UNITS, quantity_type
from ..grammar.lexer import lexicon
from ..grammar.rules import load_grammar
from .net import NEVER, Count, Net, Part, Short
from .patterns import characters, draw

# What a literal must be beyond its terminal's pattern for it to exist: minutes end at 59, hours at 47, months at 12.
_CLOCK = "(?:[0-3]?[0-9]|4[0-7]):[0-5][0-9]"
_MONTHS = (
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8])"
)
_YEAR = "(?:[0-9][0-9][0-9][1-9]|[0-9][0-9][1-9]0|[0-9][1-9]00|[1-9]000)"
_FOURTH = "(?:0[48]|[2468][048]|[13579][26])"
_LEAP = f"(?:[0-9][0-9]{_FOURTH}|{_FOURTH}00)-02-29"
_DATE = f"(?:{_YEAR}-(?:{_MONTHS})|{_LEAP})"
_FIRST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
"""How an identifier begins."""
_LETTERS = f"{_FIRST}0123456789"
"""How it goes on."""
_AMOUNT = r"-?[0-9]+(?:\.[0-9]+)?"


@cache
def _patterns() -> dict[str, str]:
    """Patterns of literals: the terminal's own where every text of it is a value, narrower where not."""
    terminals = dict(load_grammar().patterns)
    return {
        # A capital exponent would lex as a unit.
        "number": terminals["NUMBER"].replace("[eE]", "e"),
        "int": terminals["INT"],
        "time": rf"{_CLOCK}(?::[0-5][0-9])?",
        "date": _DATE,
        "datetime": rf"{_DATE}T[0-4][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?Z?".replace(
            "T[0-4][0-9]", "T(?:[0-3][0-9]|4[0-7])"
        ),
        "hole": r"\$(?:0|[1-9][0-9]*)",
    }


_KINDS: dict[Type, tuple[str, ...]] = {
    NUMBER: ("number",),
    INT: ("int",),
    TIME: ("time",),
    DATE: ("date",),
    DATETIME: ("datetime",),
}


_SHORT = {NUMBER: b"0", INT: b"0L", TEXT: b'""', TIME: b"0:00", DATE: b"0001-01-01", MONEY: b"0aaa", BOOL: b"true"}
_SHORT[DATETIME] = b"0001-01-01T00:00"


T = TypeVar("T", bound=Hashable)

Left = tuple[tuple[bytes, int], ...]
"""Texts that may follow, with what is returned after each, in order."""

_REFUSED: Final = -1
"""Stands for the result of a name that may not be written."""


class Words:
    """The lexemes of one network."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self._states: dict[tuple[Left, bool], int] = {}
        self._moves: dict[bool, dict[int, list[int]]] = {}

    def word(self, part: Part, source: int, word: str, depth: int = 1, target: int | None = None) -> int:
        """A fixed word as a call (of a call, `depth` times), so that it can stand beside names that begin alike
        and are read that deep."""

        def build(body: Part, depth: int) -> None:
            if depth > 1:
                body.end(
                    body.call(
                        body.start,
                        self.net.procedure(("word", word, depth - 1), lambda p: build(p, depth - 1), word.encode),
                    )
                )
            else:
                body.end(body.text(body.start, word))

        procedure = self.net.procedure(("word", word, depth), lambda p: build(p, depth), word.encode)
        return part.call(source, procedure, target)

    def pattern(self, kind: str) -> int:
        """A literal by its pattern."""

        def build(body: Part) -> None:
            target = body.new()
            draw(body, body.start, _patterns()[kind], target)
            body.end(target)

        return self.net.procedure(("lexeme", kind), build)

    def names(self, key: object, words: Iterable[str]) -> int:
        """One of several words, such as the members of an enum."""

        def build(body: Part) -> None:
            target = body.new()
            body.words(body.start, known, target)
            body.end(target)

        known = tuple(words)
        return self.net.procedure(("names", key), build, lambda: min(known, key=len).encode())

    def one_of(self, words: tuple[tuple[str, int], ...], depth: int = 1) -> int:
        """One of several words, each with a result of its own, as a call of a call `depth` times."""
        left = tuple(sorted((word.encode(), result) for word, result in words))
        results = frozenset(result for _, result in left)

        def build(body: Part) -> None:
            if depth == 1:
                self._branch(body, body.start, left)
                return

            def then(result: int) -> int | None:
                if result not in results:
                    return None
                done = body.new()
                body.end(done, result)
                return done

            body.call(body.start, self.one_of(words, depth - 1), self.net.continuation(then, lambda _: 0))

        procedure = self.net.procedure(("one of", left, depth), build)
        self.net.shorten(procedure, lambda: _shortest(left))
        self.net.returning(procedure, lambda: results)
        return procedure

    def deep(self, key: str, names: tuple[str, ...]) -> int:
        """One of several words that stand where operands do, as deep in calls as the names in them."""
        return self.net.deeper(self.names(key, names))

    def any_name(self, but: frozenset[str], reserved: bool, known: tuple[tuple[str, int], ...]) -> int:
        """Any identifier that is neither reserved nor one of `but`, with the result `other`. known: identifiers with
        results of their own."""
        words = but | (frozenset(lexicon("program").keywords) if reserved else frozenset())
        results = dict.fromkeys((word for word in words if is_identifier(word)), _REFUSED) | dict(known)
        left = tuple(sorted((word.encode(), result) for word, result in results.items()))
        procedure = self.net.procedure(("any name", left), lambda body: self._names(body, body.start, left, True))
        self.net.shorten(procedure, lambda: self._shortest_name(left, _FIRST))
        self.net.returning(procedure, lambda: (self.other, *(result for _, result in known)))
        return procedure

    @property
    def other(self) -> int:
        """The result of a name that nothing declares."""
        return self.net.name("other name")

    def choose(
        self,
        part: Part,
        start: int,
        ways: Mapping[str, T],
        draw: Callable[[int, T], None],
        rest: Callable[[T], bytes | None],
        depth: int = 1,
        other: T | None = None,
        but: frozenset[str] = frozenset(),
        reserved: bool = True,
        types: Mapping[str, Type] | None = None,
    ) -> None:
        """One of several words, and what follows each: drawn once it is read. Words that lead to the same go on in one
        state. rest: a short text from after a word to the end of the procedure. other: what follows any other
        identifier that is neither reserved nor one of `but`. types: those of words that are operands, which
        their results say."""
        typed = types or {}
        results = (("was", word, typed[word]) if word in typed else ("word", word) for word in ways)
        of = dict(zip(map(self.net.name, results), ways.values(), strict=True))
        words = list(zip(ways, of, strict=True))
        afters: dict[T, int] = {}

        def then(result: int) -> int | None:
            if result not in of:
                return None
            way = of[result]
            if way not in afters:
                afters[way] = part.lazy(lambda state: draw(state, way), lambda: rest(way))
            return afters[way]

        def dearest(count: Count) -> int:
            texts = {rest(way) for way in dict.fromkeys(of.values())}
            return max(NEVER if text is None else count(text) for text in texts)

        plain = tuple(each for each in words if other is not None and is_identifier(each[0]))
        quoted = tuple(each for each in words if each not in plain)
        goes = self.net.continuation(then, dearest)
        if other is not None:
            of[self.other] = other
            part.call(start, self.any_name(but, reserved, plain), goes)
        if quoted:
            part.call(start, self.one_of(quoted, depth), goes)

    def _branch(self, body: Part, state: int, left: Left) -> None:
        """Any of some texts, each to its result. States where the same is left are one, whatever it is left of."""
        for byte, rest in _by_byte(left).items():
            body.byte(state, byte, byte, self._left(body, rest))
        for text, result in left:
            if not text:
                body.end(state, result)

    def _left(self, body: Part, left: Left) -> int:
        """The state where some texts are left. Where it is one text there is nothing to wait for: all of it is drawn."""
        if len(left) > 1 or not left[0][0]:
            return self._state(body, (left, False), self._branch, partial(_shortest, left))
        ((text, result),) = left
        known, at = self._states.get((left, False)), 0
        if known is not None:
            return known
        while at < len(text) and known is None:
            at += 1
            known = self._states.get((((text[at:], result),), False))
        ends = known if known is not None else self._left(body, ((b"", result),))
        states = body.along(text[:at], ends)
        for i, number in enumerate(states[:-1]):
            self._states[((text[i:], result),), False] = number
        return states[0]

    def _names(self, body: Part, state: int, left: Left, first: bool = False) -> None:
        """The rest of any name; those left over have results of their own, or are refused. Shared in the same way."""
        ended = self._ended(left)
        if not first and ended != _REFUSED:
            body.end(state, ended)
        anything = self._state(body, ((), True), self._names, lambda: (b"", self.other))
        self.net.endless.add(anything)
        instead = {
            byte: self._state(body, (rest, True), self._names, partial(self._shortest_name, rest, _LETTERS, True))
            for byte, rest in _by_byte(left).items()
        }
        if first not in self._moves:
            self._moves[first] = body.moves(map(ord, _FIRST if first else _LETTERS), anything)
        body.each(state, self._moves[first], instead)

    def _state(
        self, body: Part, key: tuple[Left, bool], draw: Callable[[Part, int, Left], None], rest: Callable[[], Short]
    ) -> int:
        known = self._states.get(key)
        if known is None:
            known = self._states[key] = body.lazy(lambda state: draw(body, state, key[0]))
            self.net.states[known].rest = rest
        return known

    def _shortest_name(self, left: Left, letters: str, may_end: bool = False) -> Short:
        """A short rest of a name that is not refused, and its result."""
        if may_end and self._ended(left) != _REFUSED:
            return b"", self._ended(left)
        rests = _by_byte(left)
        for char in letters:
            ended = self._ended(rests.get(ord(char), ()))
            if ended != _REFUSED:
                return char.encode(), ended
        text, result = self._shortest_name(rests[ord(letters[0])], _LETTERS)
        return letters[0].encode() + text, result

    def _ended(self, left: Left) -> int:
        """What a name returns that ends where these are left."""
        return next((result for text, result in left if not text), self.other)

    def quantity(self, type_: Type) -> int:
        """An amount with a unit whose quantities have the type."""

        def build(body: Part) -> None:
            amount, target = body.new(), body.new()
            draw(body, body.start, _AMOUNT, amount)
            if type_ == MONEY:
                _currencies(body, amount, target)
            else:
                units = (*TIME_UNITS, *MEASURE_UNITS)
                body.words(amount, [unit for unit in units if quantity_type(unit) == type_], target)
            body.end(target)

        return self.net.procedure(("quantity", type_), build, lambda: self.short_literal(type_))

    def quoted(self) -> int:
        """A string, spelled as the printer spells it (JSON, not only ASCII). What follows its first quote or any
        character is one state, wherever a string stands."""

        def build(body: Part) -> None:
            inside = body.text(body.start, '"')
            characters(body, inside)
            escape = body.text(inside, "\\")
            for char in '"\\bfnrt':
                body.text(escape, char, inside)
            control = body.text(escape, "u00")
            zero, one = body.text(control, "0"), body.text(control, "1")
            for char in "01234567be":
                body.text(zero, char, inside)
            body.text(zero, "f", inside)
            for char in "0123456789abcdef":
                body.text(one, char, inside)
            body.end(body.text(inside, '"'))

        return self.net.procedure(("quoted",), build, lambda: b'""')

    def short_literal(self, type_: Type) -> bytes | None:
        """A short literal, where its type has one of its own."""
        return _short_literal(type_)

    def literals(self, type_: Type) -> tuple[int, ...]:
        """Procedures of the literals that are of exactly this type (strings and entities apart)."""
        found = [self.pattern(kind) for kind in _KINDS.get(type_, ())]
        if type_ == BOOL:
            found.append(self.names("Bool", ("true", "false")))
        if type_ in (DURATION, MONEY) or (isinstance(type_, Con) and type_.name == "Measure"):
            found.append(self.quantity(type_))
        return tuple(found)


def _by_byte(left: Left) -> dict[int, Left]:
    """What is left after each byte that some of it begins with."""
    found: dict[int, list[tuple[bytes, int]]] = {}
    for text, result in left:
        if text:
            found.setdefault(text[0], []).append((text[1:], result))
    return {byte: tuple(rest) for byte, rest in found.items()}


def _shortest(left: Left) -> Short:
    return min(left, key=lambda each: (len(each[0]), each))


@cache
def _short_literal(type_: Type) -> bytes | None:
    unit = next((u for u in (*TIME_UNITS, *MEASURE_UNITS) if quantity_type(u) == type_), None)
    known: bytes | None = _SHORT.get(type_) if isinstance(type_, Con) else None
    return known or (f"0{unit}".encode() if unit is not None else None)


def _currencies(body: Part, source: int, target: int) -> None:
    """Three lower-case letters that name no unit of time or measure."""
    taken = {unit for unit in (*TIME_UNITS, *MEASURE_UNITS) if len(unit) == 3}
    starts = {unit[:1] for unit in taken}
    pairs = {unit[:2] for unit in taken}
    letters = "abcdefghijklmnopqrstuvwxyz"
    free2 = body.new()
    for char in letters:
        body.text(free2, char, target)
    free1 = body.new()
    for char in letters:
        body.text(free1, char, free2)
    for a in letters:
        if a not in starts:
            body.text(source, a, free1)
            continue
        second = body.text(source, a)
        for b in letters:
            if a + b not in pairs:
                body.text(second, b, free2)
                continue
            third = body.text(second, b)
            for c in letters:
                if a + b + c not in taken:
                    body.text(third, c, target)
