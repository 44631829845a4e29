"""Text to tokens, with one regular expression compiled from the terminals of dl.lark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from . import errors
from .diagnostic import CompileError
from .rules import END, load_grammar
from .span import Span


class Token(NamedTuple):
    """A token: terminal name in dl.lark, its text, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A compiled scanner and the reserved words of one part of the language (programs or schemas)."""

    scan: re.Pattern[str]
    keywords: dict[str, str]


# After these a minus is an operator, not the sign of a literal.
_OPERAND_ENDS = frozenset(
    ("NAME", "FIELD", "STR", "ENT", "HOLE", "NUMBER", "INT", "QUANTITY", "DATE", "TIME", "DATETIME")
    + ("RPAR", "RSQB", "RBRACE", "IT", "TRUE", "FALSE", "EVERYTHING")
)
_SIGNED = frozenset(("NUMBER", "INT", "QUANTITY"))


@cache
def lexicon(start: str) -> Lexicon:
    """The scanner for sentences of `start`: only words that `start` can use are reserved."""
    grammar = load_grammar()
    reachable = grammar.reachable_terminals("schema" if start == "schema" else "program")
    words = {text: name for name, text in grammar.fixed.items() if text.isalpha() and name in reachable}
    marks = {text: name for name, text in grammar.fixed.items() if not text.isalpha()}
    parts = [r"(?P<SKIP>(?:\s+|--[^\n]*)+)"]
    reserved = "|".join(sorted(words))
    for name, pattern in grammar.patterns:
        if name in ("WS", "COMMENT"):
            continue
        if name in ("LABEL", "OPTIONAL_LABEL"):
            pattern = rf"(?!(?:{reserved})\??:)(?:{pattern})"
        parts.append(f"(?P<{name}>{pattern})")
    for text in sorted(marks, key=len, reverse=True):
        parts.append(f"(?P<{marks[text]}>{re.escape(text)})")
    # A constant such as `->` must win over a pattern that matches its first character.
    arrows = [part for part in parts if part.endswith((r"\->)", r"=>)", r"\.\.)"))]
    rest = [part for part in parts if part not in arrows]
    return Lexicon(re.compile("|".join([rest[0], *arrows, *rest[1:]])), words)


def tokenize(text: str, start: str = "program") -> list[Token]:
    """Tokens of `text`, ending with one END token. Raises CompileError with DLC001 or DLC002."""
    lexer = lexicon(start)
    keywords = lexer.keywords
    tokens: list[Token] = []
    append = tokens.append
    position = 0
    for match in lexer.scan.finditer(text):
        begin, end = match.span()
        if begin != position:
            raise CompileError(_bad_character(text, position))
        position = end
        kind = match.lastgroup
        if kind == "SKIP" or kind is None:
            continue
        if kind == "NAME":
            word = text[begin:end]
            append(Token(keywords.get(word, "NAME"), word, begin, end))
        elif kind in _SIGNED and text[begin] == "-" and tokens and tokens[-1].kind in _OPERAND_ENDS:
            append(Token("MINUS", "-", begin, begin + 1))
            append(Token(kind, text[begin + 1 : end], begin + 1, end))
        else:
            append(Token(kind, text[begin:end], begin, end))
    if position != len(text):
        raise CompileError(_bad_character(text, position))
    append(Token(END, "", len(text), len(text)))
    return tokens


def comments(text: str) -> Iterator[Span]:
    """The places of comments, in order (a `--` inside a string is none)."""
    for match in lexicon("program").scan.finditer(text):
        if match.lastgroup == "SKIP":
            for comment in re.finditer(r"--[^\n]*", match.group()):
                yield Span(match.start() + comment.start(), match.start() + comment.end())


def _bad_character(text: str, position: int) -> "errors.Diagnostic":
    char = text[position]
    line_end = text.find("\n", position)
    line_end = len(text) if line_end < 0 else line_end
    if char == '"' or text.startswith('@"', position):
        return errors.unterminated("this string", Span(position, line_end))
    if char == "`":
        return errors.unterminated("this back-quoted name", Span(position, line_end))
    return errors.unexpected_character(char, Span(position, position + 1))
