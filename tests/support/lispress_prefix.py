"""Whether a text might begin a Lispress program of a small schema, found without the decoder's automaton.

It prunes the brute-force search of `test_flow_exact`: words must exist, parentheses must fit, and every closed call
without variables must be in the language, as the contract says. It may say yes too often, never no.
"""

import re
from collections.abc import Iterator

from dlc.neural.flow_contract import FlowContract

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[()^ ]|"(?:[^"\\]|\\.?)*\Z|[^\s()"^]+|\s', re.DOTALL)
_LITERAL = re.compile(r"-?\d+(\.\d+)?|\d+L|true|false")
_BEGUN = re.compile(r"-?\d*\.?\d*|\d+L|t|tr|tru|true|f|fa|fal|fals|false|x|x\d+")


class _End(Exception):
    """The text is over before anything was wrong."""


class _Bad(Exception):
    """No program begins like that."""


class Prefix:
    """A check of beginnings over one schema."""

    def __init__(self, contract: FlowContract, types: frozenset[str]) -> None:
        self.contract = contract
        self.types = types
        self.heads = {head: contract.judge.function(head) for head in contract.judge.heads()}
        self._closed: dict[str, bool] = {}

    def plausible(self, text: str) -> bool:
        tokens = _Tokens(text)
        try:
            self._program(tokens)
            return tokens.over
        except _End:
            return True
        except _Bad:
            return False

    def _program(self, tokens: "_Tokens") -> None:
        if not tokens.text.startswith("(let"):
            self._value(tokens, 0)
            return
        for expected in ("(", "let", " ", "("):
            tokens.expect(expected)
        bound = 0
        while True:
            tokens.expect(f"x{bound}")
            tokens.expect(" ")
            self._value(tokens, bound)
            bound += 1
            if tokens.next() == ")":
                break
        tokens.expect(" ")
        self._value(tokens, bound)
        tokens.expect(")")

    def _value(self, tokens: "_Tokens", bound: int) -> bool:
        """Read a value; whether it uses no variable."""
        start, word = tokens.at, tokens.next(_BEGUN)
        if word[0] == '"' or _LITERAL.fullmatch(word):
            return True
        if re.fullmatch(r"x\d+", word):
            if int(word[1:]) >= bound:
                raise _Bad
            return False
        if word != "(":
            raise _Bad
        head = tokens.next(known=[*self.heads, "^"])
        if head == "^":
            tokens.expect("(")
            while self._type(tokens):
                if tokens.next() == ")":
                    break
            tokens.expect(" ")
            head = tokens.next(known=self.heads)
        function = self.heads.get(head)
        if function is None and not re.fullmatch(r"Color\.[A-Z]\w*", head):
            raise _Bad
        closed, given = True, 0
        while (mark := tokens.next()) == " ":
            if tokens.peek() == ":":
                tokens.next(known=[f":{p.name}" for p in function.params] if function else [])
                tokens.expect(" ")
            closed &= self._value(tokens, bound)
            given += 1
            if given > len(function.params if function else ()):
                raise _Bad
        if mark != ")":
            raise _Bad
        part = tokens.text[start : tokens.at]
        if closed and part not in self._closed:
            self._closed[part] = self.contract.outside(part) is None
        if closed and not self._closed[part]:
            raise _Bad
        return closed

    def _type(self, tokens: "_Tokens") -> bool:
        name = tokens.next(known=[*self.types, "("])
        if name == "(":
            if tokens.next(known=self.types) not in self.types:
                raise _Bad
            while tokens.next() == " ":
                self._type(tokens)
        elif name not in self.types:
            raise _Bad
        return True


class _Tokens:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def over(self) -> bool:
        return self.at == len(self.text)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self, begun: "re.Pattern[str] | None" = None, known: "Iterator[str] | list[str] | object" = ()) -> str:
        """The next token. A word that the text ends in may go on: it is over if it could be one of `known`."""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            if self.over:
                raise _End
            raise _Bad
        word = match.group()
        if match.end() == len(self.text) and word[0] not in "()^ ":
            whole_string = word[0] == '"' and re.fullmatch(r'"(?:[^"\\]|\\.)*"', word, re.DOTALL)
            if word[0] == '"' and not whole_string:
                raise _End
            if not whole_string:
                possible = any(k.startswith(word) for k in known)  # type: ignore[attr-defined]
                if not possible and not (begun and begun.fullmatch(word)) and not "Color.".startswith(word[:6]):
                    raise _Bad
                if not (begun and (_LITERAL.fullmatch(word) or re.fullmatch(r"x\d+", word))):
                    raise _End
        self.at = match.end()
        return word

    def expect(self, wanted: str) -> None:
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
        elif wanted.startswith(self.text[self.at :]):
            raise _End
        else:
            raise _Bad
