"""ThingTalk text to tokens, the normal and the tokenized syntax to one and the same stream.

The two syntaxes have one grammar. They differ in how a token is spelled: the tokenized one puts a space between any two,
writes a string as `"` words `"`, and cuts a function off its class (`@org.example . query`).
"""

import re
from typing import NamedTuple

from ...grammar.diagnostic import CompileError
from ...grammar.span import Span
from . import read_errors as errors


class Tok(NamedTuple):
    """kind: name, string, number, unit number, placeholder, function, entity type, mark, or end."""

    kind: str
    text: str
    start: int
    end: int


_NAME = r"[A-Za-z_$][A-Za-z0-9_$]*~?"
_NORMAL = re.compile(
    r"""(?P<skip>(?:\s+|//[^\n]*|/\*.*?\*/)+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<function>@[A-Za-z_][A-Za-z0-9_.-]*)
    |(?P<entity>\^\^[A-Za-z_][A-Za-z0-9_.:-]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?:\$?[A-Za-z_]+)?)
    |(?P<placeholder>[A-Z][A-Z_]*(?:_[A-Za-z][A-Za-z0-9_.:-]*)?_[0-9]+(?![A-Za-z0-9_]))
    |(?P<context>\$context(?:\.[A-Za-z_.]+)?|\$\?)
    |(?P<name>"""
    + _NAME
    + r""")
    |(?P<mark>\#_?\[|=>|:=|==|>=|<=|=~|~=|&&|\|\||~[a-z_]+|\*\*|[\[\](){},;:=!<>+\-*/%.~@?^#|])""",
    re.X | re.S,
)
_WORD = re.compile(r"\S+")
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*(?:_\S+)?_[0-9]+\Z")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?:\$?[A-Za-z_]+)?\Z")
_STRING_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0"}


def tokenize_normal(text: str) -> list[Tok]:
    """Tokens of the normal syntax. Raises CompileError (DLC221)."""
    tokens: list[Tok] = []
    position = 0
    for match in _NORMAL.finditer(text):
        start, end = match.span()
        if start != position:
            raise CompileError(errors.bad_character(text[position], Span(position, position + 1)))
        position = end
        kind = match.lastgroup or ""
        if kind == "skip":
            continue
        word = match.group()
        if kind == "string":
            word = _unescape(word[1:-1])
        tokens.append(Tok(kind, word, start, end))
    if position != len(text):
        raise CompileError(errors.bad_character(text[position], Span(position, position + 1)))
    tokens.append(Tok("end", "", len(text), len(text)))
    return tokens


def _unescape(body: str) -> str:
    if "\\" not in body:
        return body
    return re.sub(r"\\(.)", lambda m: _STRING_ESCAPES.get(m.group(1), m.group(1)), body, flags=re.S)


def tokenize_tokens(text: str) -> list[Tok]:
    """Tokens of the tokenized syntax. Raises CompileError (DLC222) for a string without end."""
    tokens: list[Tok] = []
    append = tokens.append
    quoted: list[str] | None = None
    quote_start = 0
    for match in _WORD.finditer(text):
        word = match.group()
        start, end = match.span()
        if word == '"':
            if quoted is None:
                quoted, quote_start = [], start
            else:
                append(Tok("string", " ".join(quoted), quote_start, end))
                quoted = None
        elif quoted is not None:
            quoted.append(word)
        else:
            append(Tok(_kind_of(word), word, start, end))
    if quoted is not None:
        raise CompileError(errors.open_string(Span(quote_start, len(text))))
    append(Tok("end", "", len(text), len(text)))
    return _joined(tokens)


def _kind_of(word: str) -> str:
    first = word[0]
    if first == "@" and len(word) > 1:
        return "function"
    if first == "^" and word.startswith("^^"):
        return "entity"
    if first.isdigit() or (first == "-" and len(word) > 1):
        return "number" if _NUMBER.match(word) else "mark"
    if first.isupper() and _PLACEHOLDER.match(word):
        return "placeholder"
    if word.startswith("$context") or word == "$?":
        return "context"
    return "name" if first.isalpha() or first in "_$" else "mark"


def _joined(tokens: list[Tok]) -> list[Tok]:
    """`@class . name` as the one token it is in the normal syntax."""
    out: list[Tok] = []
    for token in tokens:
        if token.kind == "name" and len(out) > 1 and out[-1].text == "." and out[-2].kind == "function":
            out.pop()
            before = out.pop()
            out.append(Tok("function", f"{before.text}.{token.text}", before.start, token.end))
        else:
            out.append(token)
    return out


def to_tokenized(text: str) -> str:
    """Normal text in the tokenized spelling. Placeholders stay; other constants are written literally."""
    return " ".join(_spelled(token) for token in tokenize_normal(text)[:-1])


def _spelled(token: Tok) -> str:
    if token.kind == "string":
        return f'" {token.text} "' if token.text else '" "'
    if token.kind == "function":
        kind, _, name = token.text.rpartition(".")
        return f"{kind} . {name}"
    if token.kind == "number":
        amount = token.text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$")
        return f"{amount} {token.text[len(amount) :]}" if 0 < len(amount) < len(token.text) else token.text
    return token.text
