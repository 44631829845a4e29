"""ThingTalk text to tokens: plain strings, told apart by how they begin.

The two syntaxes have one grammar. Normal: as in JavaScript, `@class.function` one token, comments skipped. Tokenized:
spaces between tokens, `@class . function`, strings as `" some words "`, and placeholders. Tokens keep their spelling, so
that one `findall` makes them all; places are worked out again only when somebody asks.
"""

import re
from typing import Final

# A string that never ends is one token too, to the end of its line.
_STRING: Final = r'"[^\\\n\r"]*+(?:\\.[^\\\n\r"]*+)*+"?' + r"|'[^\\\n\r']*+(?:\\.[^\\\n\r']*+)*+'?"
_PATH: Final = r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*"
_DECIMAL: Final = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_BASED: Final = r"-?0(?:[bB][01]+|[xX][0-9A-Fa-f]+|[oO][0-7]+)"

NORMAL: Final = re.compile(
    # Skipped: space and comments. A comment that never ends is one token, for the parser to refuse.
    r"(?:[\s\ufeff]|//[^\r\n]*|/\*(?s:.*?)\*/)*+("
    + "|".join(
        (
            r"/\*(?s:.*)",
            _STRING,
            # `Entity(tt:url)`, as older class files have it, for `Entity(^^tt:url)`.
            rf"Entity\({_PATH}:[A-Za-z_][A-Za-z0-9_]*\)",
            # A held entity: such text is written on the way to the tokenized syntax, which alone names placeholders.
            rf"GENERIC_ENTITY_{_PATH}:[A-Za-z_][A-Za-z0-9_]*",
            r"~?[A-Za-z_][A-Za-z0-9_]*~?",
            r"\$(?:[A-Za-z0-9_]+|\?)",
            rf"@{_PATH}",
            rf"\^\^{_PATH}:[A-Za-z_][A-Za-z0-9_]*",
            _BASED,
            _DECIMAL,
            r">>>=|\.\.\.|===|!==|>>>|\*\*=|>>=|<<=|#_\[|#\[|[><+*/%~!&|^:-]=|=[~>]|==|\*\*|\+\+|--|<<|>>|&&|\|\||::",
            r"\S|\Z",
        )
    )
    + ")"
)
TOKENIZED: Final = re.compile(r'"(?:\s.*?)??\s"(?!\S)|\S+', re.DOTALL)

# What in the tokenized syntax stands for a value; the index at the end, a type or unit before it for the last two.
PLACEHOLDER: Final = re.compile(
    r"(?:(QUOTED_STRING)|(NUMBER)|(CURRENCY|DURATION|TIME|DATE|LOCATION|USERNAME|HASHTAG|URL|PHONE_NUMBER|EMAIL_ADDRESS"
    r"|PATH_NAME|PICTURE|SLOT|MEASURE_[A-Za-z]+|GENERIC_ENTITY_[^\s:]+:[^\s:]+))_[0-9]+"
)
CLASS_NAME: Final = re.compile(_PATH)
ENTITY_NAME: Final = re.compile(rf"{_PATH}:[A-Za-z_][A-Za-z0-9_]*")
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(_DECIMAL)
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{2})(?![0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(.))"
)
_PLAIN_ESCAPES: Final = {"n": "\n", "t": "\t", "b": "\b", "f": "\f", "r": "\r", "v": "\v", "0": "\0"}

# Words that name nothing.
_RESERVED_WORDS: Final = """
    class enum extends import in let new null of true false return abstract all any as dataset filter function mixin
    monitor notify now out opt req sort on await break case catch const continue debugger delete do export finally
    for if implements instanceof interface package private protected public static super switch this throw try
    typeof var void while with yield aggregate bookkeeping compute edge join oninput Any ArgMap Array Boolean
    Compound Currency Date Entity Enum Location Measure Number Object RecurrentTimeSpecification String Time
"""
RESERVED: Final = frozenset(_RESERVED_WORDS.split())
# Words that may not stand anywhere, not even as a member of an enum.
_FORBIDDEN_WORDS: Final = """
    __count__ __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ __noSuchMethod__ __parent__
    __proto__ eval
"""
FORBIDDEN: Final = frozenset(_FORBIDDEN_WORDS.split())
# Words with a meaning of their own in some places and names in all others.
_CONTEXTUAL_WORDS: Final = """
    action entity from language list monitorable program query stream error confirm more results beginDate beginTime
    dayOfWeek endDate endTime frequency interval subtract asc desc starts_with ends_with prefix_of suffix_of
    contains in_array min max sum avg count distance set_time
"""
CONTEXTUAL: Final = frozenset(_CONTEXTUAL_WORDS.split())
NOT_A_NAME: Final = RESERVED | FORBIDDEN
NOT_A_UNIT: Final = (NOT_A_NAME | CONTEXTUAL) - {"in", "min"}
_NO_CURRENCY_WORDS: Final = """
    $dialogue $policy $? $undefined $answer $choice $yes $no $failed $train $debug $nevermind $stop $help $wakeup
    $end_of $location $now $program_id $result $type $self $source $start_of $time $context
"""
NO_CURRENCY: Final = frozenset(_NO_CURRENCY_WORDS.split())


class ThingTalkSyntaxError(Exception):
    """Text that is no ThingTalk. offset: the character where it stops making sense; end: where that token ends."""

    def __init__(self, message: str, offset: int, end: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.end = end if end is not None else offset + 1


def token_span(text: str, index: int, tokenized: bool) -> tuple[int, int]:
    """Characters (start, end) of the index-th token, as the `at` of a node counts them; the end of the text past it."""
    spans = token_spans(text, tokenized)
    return spans[index] if index < len(spans) else (len(text), len(text))


def token_spans(text: str, tokenized: bool) -> list[tuple[int, int]]:
    """Characters (start, end) of each token."""
    pattern, group = (TOKENIZED, 0) if tokenized else (NORMAL, 1)
    return [match.span(group) for match in pattern.finditer(text)]


def unquote(token: str, tokenized: bool) -> str:
    """What a string token says. Raises ValueError with the reason."""
    if tokenized:
        if len(token) > 2 and token[1].isspace():
            return token[2:-2]
        if token == '""':
            return ""
        raise ValueError("this string has no end")
    body = token[1:-1]
    if len(token) < 2 or token[-1] != token[0] or (len(body) - len(body.rstrip("\\"))) % 2:
        raise ValueError("this string has no end")
    return _ESCAPE.sub(_unescaped, body) if "\\" in body else body


def _unescaped(match: re.Match[str]) -> str:
    hexadecimal = match[1] or match[2] or match[3] or match[4]
    if hexadecimal:
        code = int(hexadecimal, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise ValueError(f"{match[0]} is no character")
        return chr(code)
    char = match[5]
    if char in "ux123456789":
        raise ValueError(f"\\{char} is no escape")
    return _PLAIN_ESCAPES.get(char, char)


def number(token: str, tokenized: bool) -> int | float:
    """The number a token is; whole numbers exactly. Raises ValueError if it is none, or too large."""
    if not _NUMBER.fullmatch(token):
        if tokenized or not re.fullmatch(_BASED, token):
            raise ValueError("not a number")
        return int(token, 0) if len(token) < 300 else _too_large()
    if len(token) < 300 and token.lstrip("-").isdigit():
        return int(token)
    value = float(token)
    if value in (float("inf"), float("-inf")):
        return _too_large()
    return value


def _too_large() -> int:
    raise ValueError("this number is too large")
