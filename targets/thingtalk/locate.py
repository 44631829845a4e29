"""Where in a ThingTalk text a finding of the type checker is.

Terms carry no places: they are shared between all the programs that say the same. So, for a finding without one, the text is
parsed again and the part is looked for without which there is no such finding, from statements down to conditions,
parameters, fields shown and fields of results.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, TypeAlias

from ...compiler.terms import Statement, Turn
from ...grammar.diagnostic import CompileError, Diagnostic
from ...grammar.span import Span
from . import ast
from .lexer import token_spans
from .read import ThingTalkReader
from .read_text import Source, parsed

Check: TypeAlias = Callable[[Turn], tuple[Diagnostic, ...]]
Put: TypeAlias = Callable[[Any], ast.Item]
"""A part, changed, to the item it is in."""

_TRIED, _READ = 200, 50_000
"""How many readings of parts are tried for one text, and of how many tokens together; then the place is the statement's."""


def located(
    source: Source,
    found: tuple[Diagnostic, ...],
    reader: ThingTalkReader,
    speaker: Literal["user", "agent"],
    check: Check,
    items: tuple[ast.Item, ...] | None = None,
) -> tuple[Diagnostic, ...]:
    """What was found in a text that the reader reads, each with a span where one can be told.

    items: those of the text that it was found in, if the rest of it is not for the reader.
    """
    if all(d.span is not None for d in found):
        return found
    try:
        search = _Search(source, reader, speaker, check, items)
    except CompileError:
        return found
    spans: dict[tuple[str, str], list[Span]] = {}
    made = []
    for diagnostic in found:
        if diagnostic.span is None:
            key = diagnostic.code, diagnostic.message
            if key not in spans:
                spans[key] = search.places(key)
            # Alike findings stand at the places in order.
            span = spans[key][0] if spans[key] else None
            if len(spans[key]) > 1:
                spans[key].pop(0)
            diagnostic = replace(diagnostic, span=span)
        made.append(diagnostic)
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a node: the item without it (None where it cannot be left out), and with another in its place."""

    node: Any
    without: ast.Item | None
    put: Put


class _Search:
    """Raises CompileError for a text that is not read."""

    def __init__(
        self,
        source: Source,
        reader: ThingTalkReader,
        speaker: Literal["user", "agent"],
        check: Check,
        items: tuple[ast.Item, ...] | None,
    ) -> None:
        self._source, self._reader, self._speaker, self._check = source, reader, speaker, check
        self._act, self._params, self._items = parsed(source) if items is None else (None, (), items)
        self._tokens = token_spans(source.text, source.tokenized)
        self._left = min(_TRIED, _READ // (len(self._tokens) + 1))

    def places(self, key: tuple[str, str]) -> list[Span]:
        """Where findings of a code and message are, in the order of the text."""
        spans: list[Span] = []
        for item in self._items:
            count = self._count((item,), key)
            if count:
                spans += self._inside(item, lambda other: other, key, count) or [self._span(_first(item))]
        return spans or self._act_places(key)

    def _act_places(self, key: tuple[str, str]) -> list[Span]:
        whole = self._count(self._items, key, self._params)
        if not whole:
            return []
        end = self._source.text.find(";")
        for i, name in enumerate(self._params):
            if (self._count(self._items, key, self._params[:i] + self._params[i + 1 :]) or 0) < whole:
                found = self._token(name, 0, end)
                if found is not None:
                    return [found]
        return [self._span(0)]

    def _count(self, items: tuple[ast.Item, ...], key: tuple[str, str], params: tuple[str, ...] = ()) -> int | None:
        """How often the finding is in items, with an act about `params`; None if they are not read, or not tried."""
        if not self._left:
            return None
        self._left -= 1
        try:
            statements: tuple[Statement, ...] = tuple(self._reader.statement(item, self._source) for item in items)
            acts = self._reader.acts(self._act if params else None, params, statements)
            found = self._check(Turn(self._speaker, acts, statements))
        except (CompileError, RecursionError):
            return None
        return sum((d.code, d.message) == key for d in found)

    def _inside(self, node: Any, put: Put, key: tuple[str, str], count: int) -> list[Span]:
        """Places within a node: of its smallest parts without which the finding is made less often."""
        spans: list[Span] = []
        for part in _parts(node, put):
            if part.without is not None:
                left = self._count((part.without,), key)
                if left is None or left >= count:
                    continue
            deeper = self._inside(part.node, part.put, key, count)
            if not deeper and part.without is not None:
                place = self._place(part.node, node, part.put(part.node))
                deeper = [place] if place is not None else []
            spans += deeper
        return spans

    def _place(self, part: Any, around: Any, item: ast.Item) -> Span | None:
        at = _first(part)
        if at >= 0:
            return self._span(at)
        if isinstance(part, str):
            return self._token(part, self._start(_first(around)), len(self._source.text))
        if isinstance(part, _Field):
            return self._result(part, item)
        return None

    def _result(self, part: "_Field", item: ast.Item) -> Span | None:
        """The name of a field among an item's results: the one with as many of its name before it."""
        start = self._start(_first(item))
        texts = [(self._source.text[a:b], (a, b)) for a, b in self._tokens if a >= start]
        begun = next((i for i, (text, _) in enumerate(texts) if text == "results"), 0)
        named = (
            span
            for (before, _), (text, span), (after, _) in zip(
                texts[begun:], texts[begun + 1 :], texts[begun + 2 :], strict=False
            )
            if before in ("{", ",") and text == part.name and after == "="
        )
        found = next((span for i, span in enumerate(named) if i == part.before), None)
        return self._source.characters(*found) if found is not None else None

    def _token(self, text: str, start: int, end: int) -> Span | None:
        found = next(((a, b) for a, b in self._tokens if start <= a < end and self._source.text[a:b] == text), None)
        return self._source.characters(*found) if found is not None else None

    def _start(self, at: int) -> int:
        return self._tokens[at][0] if 0 <= at < len(self._tokens) else 0

    def _span(self, at: int) -> Span:
        return self._source.span(max(at, 0))


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a result; `before`: how many of its name stand before it in the item."""

    name: str
    before: int


def _parts(node: Any, put: Put) -> Iterator[_Part]:
    """What a node is made of and may be left out, or holds such parts."""
    if isinstance(node, ast.Results):
        yield from _results(node, put)
        return
    if not is_dataclass(node) or isinstance(node, type):
        return
    for item in fields(node):
        name, value = item.name, getattr(node, item.name)
        if name in ("at", "annotations"):
            continue
        if isinstance(value, tuple):
            for i, child in enumerate(value):
                left = put(replace(node, **{name: value[:i] + value[i + 1 :]}))
                yield _Part(child, left, _into(node, name, i, put))
        elif is_dataclass(value) and not isinstance(value, type):
            without = None
            if isinstance(node, ast.FilterExpression) and name == "filter":
                without = put(node.expression)
            yield _Part(value, without, _into(node, name, None, put))


def _into(node: Any, name: str, index: int | None, put: Put) -> Put:
    """Puts another part in the place of a node's field, or of one of those that it lists."""

    def instead(new: Any) -> ast.Item:
        if index is None:
            return put(replace(node, **{name: new}))
        listed = getattr(node, name)
        return put(replace(node, **{name: (*listed[:index], new, *listed[index + 1 :])}))

    return instead


def _results(results: ast.Results, put: Put) -> Iterator[_Part]:
    seen: dict[str, int] = {}
    for i, row in enumerate(results.rows):
        for k, (name, _) in enumerate(row.fields):
            left = replace(row, fields=row.fields[:k] + row.fields[k + 1 :])
            without = replace(results, rows=(*results.rows[:i], left, *results.rows[i + 1 :]))
            yield _Part(_Field(name, seen.get(name, 0)), put(without), _same(put, results))
            seen[name] = seen.get(name, 0) + 1


def _same(put: Put, node: Any) -> Put:
    """Puts a part back as it was: there is nothing smaller in it."""
    return lambda _: put(node)


def _first(node: Any) -> int:
    """The number of the first token of a node that says where it begins; -1 if none does."""
    if not is_dataclass(node) or isinstance(node, type):
        return -1
    if isinstance(node, ast.Item):
        return _first(node.expression)
    at = getattr(node, "at", -1)
    if at >= 0:
        return int(at)
    children = (c for f in fields(node) for c in _listed(getattr(node, f.name)))
    return min((first for first in map(_first, children) if first >= 0), default=-1)


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
