"""What kind of error a predicted program makes: Table 4 of the dataflow paper, as far as two programs decide it.

The paper's authors looked at a hundred errors by hand. Two programs, with the utterance where it is known, decide the
kinds below; whether another reading was acceptable, or the gold program wrong, they do not: such errors are `other`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from ..targets.dataflow.sexp import META, VALUE, LispressError, Sexp, is_string, read

ErrorKind = Literal[
    "no program",
    "underprediction",
    "entity: hallucinated",
    "entity: boundary mismatch",
    "entity: other value",
    "entity: wrong type",
    "entity: wrong field",
    "fencing: should have fenced",
    "fencing: should not have fenced",
    "fencing: wrong message",
    "used wrong function",
    "other",
]
KINDS: Final[tuple[ErrorKind, ...]] = get_args(ErrorKind)
MAX_NODES: Final = 20_000
_FENCE: Final = "Fence"


@dataclass(frozen=True, slots=True)
class _Tree:
    """A call or literal: `head` a function's name or a literal's kind, `text` a literal's text."""

    head: str
    below: "tuple[_Tree, ...]" = ()
    text: str | None = None


def error_kind(gold: str, predicted: str | None, utterance: str | None = None) -> ErrorKind | None:
    """The kind of the error; None if the programs are the same but for shared subexpressions.

    A gold program that cannot be read gives `other`, and so do two that are too large to be compared.
    """
    try:
        found = _tree(predicted) if predicted is not None else None
        if found is None:
            return "no program"
        wanted = _tree(gold)
    except _TooLarge:
        return None if predicted == gold else "other"
    if wanted is None:
        return "other"
    if wanted == found:
        return None
    return _fencing(wanted, found) or _entity(wanted, found, utterance) or _functions(wanted, found)


def _fencing(gold: _Tree, predicted: _Tree) -> ErrorKind | None:
    fences = [any(t.head.startswith(_FENCE) for t in _all(tree)) for tree in (gold, predicted)]
    if fences == [True, False]:
        return "fencing: should have fenced"
    if fences == [False, True]:
        return "fencing: should not have fenced"
    return "fencing: wrong message" if fences == [True, True] else None


def _entity(gold: _Tree, predicted: _Tree, utterance: str | None) -> ErrorKind | None:
    """The same computation over other values, or the same values elsewhere in it."""
    if _shape(gold) == _shape(predicted):
        pairs = [(a, b) for a, b in zip(_literals(gold), _literals(predicted), strict=True) if a != b]
        if utterance is not None and any(_said(a, utterance) and not _said(b, utterance) for a, b in pairs):
            return "entity: hallucinated"
        overlap = all(set(_words(a)) & set(_words(b)) for a, b in pairs)
        return "entity: boundary mismatch" if overlap else "entity: other value"
    if sorted(_literals(gold)) != sorted(_literals(predicted)):
        return None
    if Counter(t.head for t in _all(gold)) == Counter(t.head for t in _all(predicted)):
        return "entity: wrong field"
    if _wrapped(gold) == _wrapped(predicted):
        return "entity: wrong type"
    return None


def _functions(gold: _Tree, predicted: _Tree) -> ErrorKind:
    calls, made = Counter(t.head for t in _all(gold)), Counter(t.head for t in _all(predicted))
    values, given = Counter(_literals(gold)), Counter(_literals(predicted))
    if made < calls and given <= values:
        return "underprediction"
    if _bare(gold) == _bare(predicted):
        return "used wrong function"
    return "other"


# ---------------------------------------------------------------- trees


def _shape(tree: _Tree) -> _Tree:
    """The tree without the texts of its literals."""
    return _Tree(tree.head, tuple(map(_shape, tree.below)))


def _wrapped(tree: _Tree) -> _Tree:
    """The tree without the names of the functions that stand right around a literal."""
    direct = bool(tree.below) and all(t.text is not None for t in tree.below)
    return _Tree("" if direct else tree.head, tuple(map(_wrapped, tree.below)), tree.text)


def _bare(tree: _Tree) -> _Tree:
    """The tree without the names of functions."""
    return _Tree("" if tree.text is None else tree.head, tuple(map(_bare, tree.below)), tree.text)


def _all(tree: _Tree) -> Iterator[_Tree]:
    pending = [tree]
    while pending:
        tree = pending.pop()
        yield tree
        pending.extend(reversed(tree.below))


def _literals(tree: _Tree) -> list[str]:
    return [t.text for t in _all(tree) if t.text is not None]


def _words(literal: str) -> list[str]:
    return literal.strip('"').lower().split()


def _said(literal: str, utterance: str) -> bool:
    return " ".join(_words(literal)) in " ".join(utterance.lower().split()) or not is_string(literal)


class _TooLarge(Exception):
    """Shared subexpressions written out would be too many."""


def _tree(text: str) -> _Tree | None:
    """A program as a tree, types left out and shared subexpressions written out; None if it is none.

    Raises _TooLarge.
    """
    try:
        return _Reading().tree(read(text), {})
    except (LispressError, RecursionError):
        return None


class _Reading:
    def __init__(self) -> None:
        self.left = MAX_NODES

    def tree(self, sexp: Sexp, env: dict[str, _Tree]) -> _Tree:
        self.left -= 1
        if self.left < 0:
            raise _TooLarge
        if isinstance(sexp, str):
            if sexp in env:
                self.left -= sum(1 for _ in _all(env[sexp]))
                return env[sexp]
            kind = _literal_kind(sexp)
            return _Tree(kind, (), sexp) if kind is not None else _Tree(sexp)
        if sexp[:1] == (META,) and len(sexp) == 3:
            return self.tree(sexp[2], env)
        if sexp[:1] == (VALUE,) and len(sexp) == 2 and isinstance(sexp[1], tuple) and sexp[1]:
            schema, *values = sexp[1]
            return _Tree(f"#{schema}", tuple(self.tree(value, env) for value in values))
        if sexp[:1] == ("let",) and len(sexp) == 3 and isinstance(sexp[1], tuple):
            inner = dict(env)
            for name, value in zip(sexp[1][::2], sexp[1][1::2], strict=False):
                inner[str(name)] = self.tree(value, inner)
            return self.tree(sexp[2], inner)
        if not sexp:
            return _Tree("()")
        head = sexp[0]
        while isinstance(head, tuple) and head[:1] == (META,) and len(head) == 3:
            head = head[2]
        name = head if isinstance(head, str) else "(…)"
        return _Tree(name, tuple(self.tree(each, env) for each in sexp[1:]))


def _literal_kind(atom: str) -> str | None:
    if is_string(atom):
        return "String"
    if atom in ("true", "false"):
        return "Boolean"
    body = atom[:-1] if atom[-1:] == "L" else atom
    try:
        float(body)
    except ValueError:
        return None
    return None if body[:1].isalpha() else "Long" if body != atom else "Number"
