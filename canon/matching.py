"""What the text matches mean: `~` (soft), `like` (SQL's patterns), `starts_with`, `ends_with`.

One definition for canonical forms and for whatever runs programs, so that folding a match of two
constants gives what running it gives.
"""

from functools import lru_cache

# Operators whose second operand is a pattern, by the operator each one negates or None.
NEGATED_MATCH = {"!~": "~", "not_like": "like"}
MATCHES = frozenset(("~", "like", "starts_with", "ends_with"))


def matches(operator: str, value: str, pattern: str) -> bool:
    """Whether a present text matches.

    `~` is containment without regard to case; `like` is SQL's LIKE: `%` any run, `_` any one character,
    ASCII letters without regard to case, the whole text; the other two are exact.
    """
    match operator:
        case "~":
            return pattern.lower() in value.lower()
        case "like":
            return _like(_ascii_lower(value), _ascii_lower(pattern))
        case "starts_with":
            return value.startswith(pattern)
        case "ends_with":
            return value.endswith(pattern)
    raise ValueError(operator)


@lru_cache(maxsize=4096)
def _ascii_lower(text: str) -> str:
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def _like(value: str, pattern: str) -> bool:
    """Greedy matching with one point to come back to: linear in practice, never exponential."""
    v = p = 0
    star = -1
    back = 0
    while v < len(value):
        if p < len(pattern) and pattern[p] == "%":
            star, back = p, v
            p += 1
        elif p < len(pattern) and (pattern[p] == "_" or pattern[p] == value[v]):
            v += 1
            p += 1
        elif star >= 0:
            back += 1
            v, p = back, star + 1
        else:
            return False
    return all(c == "%" for c in pattern[p:])
