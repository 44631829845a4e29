"""What the user hears on standard error: diagnostics, each kind a bounded number of times, and progress."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from dlc.grammar.diagnostic import CompileError, Diagnostic
from dlc.grammar.render import render

from .errors import InputFailure

SHOWN = 10
FINE, DIAGNOSTICS, USAGE, FAILURE = 0, 1, 2, 3


def wants_color(stream: TextIO) -> bool:
    """A terminal, and NO_COLOR (https://no-color.org) not set to anything."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


class Report:
    """Collects what happened and knows the exit status. Shows the first SHOWN of each code in full."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._color = wants_color(self._stream)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._progress_shown = False
        self._next = time.monotonic() + 0.5
        self.status = FINE

    def failure(self, diagnostic: Diagnostic) -> None:
        """An input or output that could not be read or written: exit status 3, unless it is only a warning."""
        self._show(diagnostic)
        if diagnostic.severity == "error":
            self.status = FAILURE

    @contextmanager
    def failures(self) -> Iterator[None]:
        """What ends a run inside is told: an input or output that fails, or a schema that all rows shall use."""
        try:
            yield
        except InputFailure as failure:
            self.failure(failure.diagnostic)
            self.status = FAILURE
        except CompileError as error:
            for diagnostic in error.diagnostics:
                self.failure(diagnostic)

    def found(self, diagnostic: Diagnostic) -> None:
        """Something about a row: exit status 1, unless it is only a warning."""
        self._show(diagnostic)
        if diagnostic.severity == "error":
            self.status = max(self.status, DIAGNOSTICS)

    def say(self, text: str) -> None:
        """A line about the whole run."""
        self._say(text)

    def _show(self, diagnostic: Diagnostic) -> None:
        kind = (diagnostic.severity, diagnostic.code)
        self._counts[kind] += 1
        if self._counts[kind] <= SHOWN:
            self._say(render(diagnostic, color=self._color))

    def progress(self, turns: int) -> None:
        """A counter on a terminal, at most five times a second."""
        if self._stream.isatty() and (now := time.monotonic()) >= self._next:
            self._next = now + 0.2
            self._stream.write(f"\r\x1b[K{turns:,} turns")
            self._stream.flush()
            self._progress_shown = True

    def finish(self) -> int:
        """Say how many more there were of each code; the exit status."""
        for (severity, code), count in sorted(self._counts.items()):
            if count > SHOWN:
                self._say(f"{severity}[{code}]: and {count - SHOWN:,} more like these")
        self._clear()
        return self.status

    def _say(self, text: str) -> None:
        self._clear()
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads standard error; the exit status still tells.
            self._stream = open(os.devnull, "w")  # noqa: SIM115

    def _clear(self) -> None:
        if self._progress_shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._progress_shown = False
