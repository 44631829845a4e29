"""What a diagnostic is: data, drawn later and in one place (`render`)."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from .span import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains the first: `span` underlined with `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text came from, for a reader at row 48,211 of a file. Unknown parts are None."""

    file: str | None = None
    dialogue: str | None = None
    turn: int | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, a sentence, a place, and what to do about it.

    `span` and the labels' spans index characters of the text that was compiled; `text` is that text
    when it is not the file itself (a row's program, say).
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    labels: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()
    severity: Severity = "error"
    place: Place = Place()
    text: str | None = None

    def at(self, place: Place, text: str | None = None) -> "Diagnostic":
        """The same finding, told where its text stands."""
        return replace(self, place=place, text=text if text is not None else self.text)


class CompileError(Exception):
    """Raised where a stage cannot go on; carries the diagnostics as data."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in diagnostics))

    def __reduce__(self) -> tuple[type["CompileError"], tuple[Diagnostic, ...]]:
        """Raised in a worker process, it arrives whole."""
        return CompileError, self.diagnostics


def nearest(name: str, known: list[str], count: int = 3) -> list[str]:
    """Spellings in `known` closest to `name`, best first (for 'did you mean')."""
    return list(_nearest(name, tuple(known), count))


@lru_cache(maxsize=4096)
def _nearest(name: str, known: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Remembered: a file with one unknown name tends to use it in every row."""
    from difflib import get_close_matches

    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.lower(), candidate)
    return tuple(folded[match] for match in get_close_matches(name.lower(), list(folded), n=count, cutoff=0.6))
