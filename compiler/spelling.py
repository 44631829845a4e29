"""How names and strings are spelled in DL text, both ways."""

import json
import re

from ..grammar.diagnostic import CompileError
from ..grammar.lexer import Token, lexicon
from ..grammar.span import Span
from . import errors

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|["\\/bfnrt])|\\')
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def unquote_name(text: str) -> str:
    """A name token's name: back quotes off."""
    return text[1:-1] if text.startswith("`") else text


def quote_name(name: str, start: str = "program") -> str:
    """A name as it is written: in back quotes if it is reserved or no identifier.

    Raises ValueError for a name no spelling exists for (empty, with a back quote or a line end).
    """
    if _IDENTIFIER.match(name) and name not in lexicon(start).keywords:
        return name
    if not name or "`" in name or "\n" in name:
        raise ValueError(f"{name!r} cannot be written as a name")
    return f"`{name}`"


def is_identifier(name: str) -> bool:
    """Whether a name needs no back quotes after a dot, where no word is reserved."""
    return _IDENTIFIER.match(name) is not None


def quote(text: str) -> str:
    """Text as a string literal: JSON escapes, everything else as it is."""
    return json.dumps(text, ensure_ascii=False)


def unescape(token: Token) -> str:
    """The text of a string token. Raises CompileError (DLC110) for an unknown escape."""
    body = token.text[1:-1]
    if "\\" not in body:
        return body
    return str(json.loads(f'"{_checked(body, token)}"', strict=False))


def _checked(body: str, token: Token) -> str:
    for match in _ESCAPE.finditer(body):
        if match.group(1) is None:
            start = token.start + 1 + match.start()
            raise CompileError(errors.bad_escape(Span(start, start + 2)))
    return body
