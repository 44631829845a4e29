"""The parser's hold on its tokens: looking, taking, names, literals, errors, and the bound on depth."""

from typing import Final, NoReturn

from .lexer import (
    CLASS_NAME,
    ENTITY_NAME,
    FORBIDDEN,
    NAME,
    NORMAL,
    NOT_A_NAME,
    PLACEHOLDER,
    TOKENIZED,
    ThingTalkSyntaxError,
    number,
    token_span,
    unquote,
)
from .values import Num, Placeholder, Text

MAX_DEPTH: Final = 64
_END: Final = ""


class Scanner:
    """The tokens of one text and a position in them. Tokens end with two that are empty, so one may look ahead."""

    __slots__ = ("depth", "i", "text", "tokenized", "toks", "wraps")

    def __init__(self, text: str, tokenized: bool) -> None:
        self.text = text
        self.tokenized = tokenized
        # Without strings the tokens of the tokenized syntax are its words.
        words = tokenized and '"' not in text
        self.toks: list[str] = text.split() if words else (TOKENIZED if tokenized else NORMAL).findall(text)
        self.toks += (_END, _END)
        self.i = 0
        self.depth = 0
        self.wraps = 0

    # ------------------------------------------------------------ errors

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        """Raise a syntax error at a token, the current one by default."""
        start, end = token_span(self.text, self.i if at is None else at, self.tokenized)
        raise ThingTalkSyntaxError(message, start, end)

    def unexpected(self, expected: str) -> NoReturn:
        """Raise: the current token is not what it should be."""
        token = self.toks[self.i]
        if token == '"' or (not self.tokenized and token in ('"', "'")):
            self.fail("this string has no end")
        if token.startswith("/*"):
            self.fail("this comment has no end")
        shown = token if len(token) <= 40 else token[:37] + "..."
        self.fail(f"expected {expected}, found {f'`{shown}`' if token else 'the end of the text'}")

    def enter(self) -> None:
        """One level deeper; every caller leaves by `depth -= 1`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"nested more than {MAX_DEPTH} levels deep")

    def wrap(self) -> None:
        """One more level of a tree that grows by its left end, counted over a whole statement."""
        self.wraps += 1
        if self.wraps > MAX_DEPTH:
            self.fail(f"more than {MAX_DEPTH} operators nested in one statement")

    # ------------------------------------------------------------ tokens

    def expect(self, token: str) -> None:
        """Take this very token."""
        if self.toks[self.i] != token:
            self.unexpected(f"`{token}`")
        self.i += 1

    def take(self, token: str) -> bool:
        """Take this very token if it is next."""
        if self.toks[self.i] == token:
            self.i += 1
            return True
        return False

    def name(self, what: str = "a name") -> str:
        """Take one name: an identifier that is not reserved."""
        token = self.toks[self.i]
        if token in NOT_A_NAME or not NAME.fullmatch(token):
            self.unexpected(what)
        self.i += 1
        return token

    def word(self, what: str = "a name") -> str:
        """Take an identifier that may be reserved, as members of enums may."""
        token = self.toks[self.i]
        if token in FORBIDDEN or not NAME.fullmatch(token):
            self.unexpected(what)
        self.i += 1
        return token

    def path(self, what: str = "a name") -> str:
        """Take a dotted name; in the tokenized syntax its dots may stand inside a token."""
        toks = self.toks
        token = toks[self.i]
        if not token.isidentifier() or token in NOT_A_NAME or not token.isascii():
            parts = token.split(".") if self.tokenized else [token]
            if not all(NAME.fullmatch(part) and part not in NOT_A_NAME for part in parts):
                self.unexpected(what)
        self.i += 1
        while toks[self.i] == ".":
            self.i += 1
            token += "." + self.name(what)
        return token

    def class_name(self) -> str:
        """Take `@class`; returned without `@`."""
        token = self.toks[self.i]
        if token[:1] != "@" or not CLASS_NAME.fullmatch(token, 1):
            self.unexpected("a class, as in @org.example")
        self.i += 1
        return token[1:]

    def function_name(self) -> tuple[str, str]:
        """Take `@class.function`, in one token or in three; returned as the two names."""
        at = self.i
        kind = self.class_name()
        if self.toks[self.i] == ".":
            self.i += 1
            return kind, self.name("a function name")
        kind, _, function = kind.rpartition(".")
        if not kind or function in NOT_A_NAME or not NAME.fullmatch(function):
            self.fail("expected a class and a function, as in @org.example.search", at)
        return kind, function

    def entity_type(self) -> str:
        """Take `^^class:name`; returned without `^^`."""
        token = self.toks[self.i]
        if token[:2] != "^^" or not ENTITY_NAME.fullmatch(token, 2):
            self.unexpected("an entity type, as in ^^tt:url")
        self.i += 1
        return token[2:]

    # ------------------------------------------------------------ literals

    def placeholder(self, prefix: str) -> Placeholder | None:
        """Take a placeholder of one kind if it is next."""
        token = self.toks[self.i]
        if self.tokenized and token.startswith(prefix) and PLACEHOLDER.fullmatch(token):
            self.i += 1
            return Placeholder(token)
        return None

    def string(self) -> str:
        """Take a string literal."""
        token = self.toks[self.i]
        if token[:1] != '"' and (self.tokenized or token[:1] != "'"):
            self.unexpected("a string")
        try:
            said = unquote(token, self.tokenized)
        except ValueError as reason:
            self.fail(str(reason))
        self.i += 1
        return said

    def text_or_placeholder(self) -> Text:
        """Take a string, or a placeholder of one."""
        held = self.placeholder("QUOTED_STRING_")
        return self.string() if held is None else held

    def literal_number(self) -> int | float:
        """Take a number, without a sign of its own in front."""
        try:
            value = number(self.toks[self.i], self.tokenized)
        except ValueError as reason:
            if str(reason) != "not a number":
                self.fail(str(reason))
            self.unexpected("a number")
        self.i += 1
        return value

    def any_number(self) -> Num:
        """Take a number or its placeholder, with or without a sign."""
        negative = self.take("-")
        held = self.placeholder("NUMBER_")
        if held is not None:
            return Placeholder(held.token, negative)
        value = self.literal_number()
        return -value if negative else value
