"""Text to tokens, with one regular expression compiled from the terminals of dl.lark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from . import errors
from .diagnostic import CompileError, Diagnostic
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
    """A compiled scanner, the reserved words of one part of the language (programs or schemas), and the
    names of punctuation."""

    scan: re.Pattern[str]
    keywords: dict[str, str]
    marks: dict[str, str]


# After these a minus is an operator, not the sign of a literal.
_OPERAND_ENDS = frozenset(
    ("NAME", "FIELD", "STR", "ENT", "HOLE", "NUMBER", "INT", "QUANTITY", "DATE", "TIME", "DATETIME")
    + ("RPAR", "RSQB", "RBRACE", "IT", "TRUE", "FALSE", "EVERYTHING")
)
_SIGNED = frozenset(("NUMBER", "INT", "QUANTITY"))


@cache
def lexicon(start: str) -> Lexicon:
    """The scanner for sentences of `start`: only words that `start` can use are reserved.

    Names and labels share one alternative: a label is a name with its colon, unless the name is reserved.
    """
    grammar = load_grammar()
    reachable = grammar.reachable_terminals("schema" if start == "schema" else "program")
    words = {text: name for name, text in grammar.fixed.items() if text.isalpha() and name in reachable}
    marks = {text: name for name, text in grammar.fixed.items() if not text.isalpha()}
    patterns = dict(grammar.patterns)
    long_marks = "|".join(f"(?P<{marks[text]}>{re.escape(text)})" for text in marks if len(text) > 1)
    single = "".join(re.escape(text) for text in marks if len(text) == 1)
    named = [f"(?P<{name}>{pattern})" for name, pattern in patterns.items() if name not in _JOINED]
    parts = [r"(?P<SKIP>(?:\s+|--[^\n]*)+)", rf"(?P<WORD>{patterns['NAME']})(?P<MARK>\??:)?", long_marks]
    return Lexicon(re.compile("|".join([*parts, *named, f"(?P<SINGLE>[{single}])"])), words, marks)


_JOINED = frozenset(("NAME", "LABEL", "OPTIONAL_LABEL", "WS", "COMMENT"))


def tokenize(text: str, start: str = "program") -> list[Token]:
    """Tokens of `text`, ending with one END token. Raises CompileError with DLC001 or DLC002."""
    lexer = lexicon(start)
    keywords, marks = lexer.keywords, lexer.marks
    tokens: list[Token] = []
    append = tokens.append
    position = 0
    for match in lexer.scan.finditer(text):
        begin, end = match.span()
        if begin != position:
            raise CompileError(_bad_character(text, position))
        position = end
        kind = match.lastgroup
        if kind == "SKIP":
            continue
        word = match.group()
        if kind == "WORD":
            append(Token(keywords.get(word, "NAME"), word, begin, end))
        elif kind == "SINGLE":
            append(Token(marks[word], word, begin, end))
        elif kind == "MARK":
            tokens += _marked(word, begin, end, keywords)
        elif kind in _SIGNED and word[0] == "-" and tokens and tokens[-1].kind in _OPERAND_ENDS:
            append(Token("MINUS", "-", begin, begin + 1))
            append(Token(kind, word[1:], begin + 1, end))
        else:
            assert kind is not None
            append(Token(kind, word, begin, end))
    if position != len(text):
        raise CompileError(_bad_character(text, position))
    append(Token(END, "", len(text), len(text)))
    return tokens


def _marked(word: str, begin: int, end: int, keywords: dict[str, str]) -> list[Token]:
    """A name with a colon: a label, or a reserved word and what follows it."""
    mark = "?:" if word.endswith("?:") else ":"
    name = word[: -len(mark)]
    if name not in keywords:
        return [Token("LABEL" if mark == ":" else "OPTIONAL_LABEL", word, begin, end)]
    tokens = [Token(keywords[name], name, begin, begin + len(name))]
    if mark == "?:":
        tokens.append(Token("QMARK", "?", end - 2, end - 1))
    return [*tokens, Token("COLON", ":", end - 1, end)]


def comments(text: str) -> Iterator[Span]:
    """The places of comments, in order (a `--` inside a string is none)."""
    for match in lexicon("program").scan.finditer(text):
        if match.lastgroup == "SKIP":
            for comment in re.finditer(r"--[^\n]*", match.group()):
                yield Span(match.start() + comment.start(), match.start() + comment.end())


def _bad_character(text: str, position: int) -> Diagnostic:
    char = text[position]
    line_end = text.find("\n", position)
    line_end = len(text) if line_end < 0 else line_end
    if char == '"' or text.startswith('@"', position):
        return errors.unterminated("this string", Span(position, line_end))
    if char == "`":
        return errors.unterminated("this back-quoted name", Span(position, line_end))
    return errors.unexpected_character(char, Span(position, position + 1))
