"""`dlc fmt`: rewrite DL files in place, or say which would change."""

import sys

from dlc.grammar.diagnostic import CompileError, Place

from . import errors
from .errors import InputFailure
from .formatting import format_text
from .outputs import Output
from .report import DIAGNOSTICS, Report

MAX_BYTES = 64 << 20


def run_fmt(paths: list[str], check: bool) -> int:
    """Format each file; standard input goes to standard output. The exit status.

    With `check` nothing is written: the names of files that would change, and status 1.
    """
    report = Report()
    for path in paths:
        try:
            text = _read(path)
            formatted = format_text(text, path)
            if check:
                if formatted != text:
                    _say(f"{path} would be changed\n")
                    report.status = max(report.status, DIAGNOSTICS)
            elif path == "-" or formatted != text:
                _write(path, formatted)
        except CompileError as error:
            for diagnostic in error.diagnostics:
                report.found(diagnostic)
        except InputFailure as failure:
            report.failure(failure.diagnostic)
    return report.finish()


def _say(text: str) -> None:
    with Output(None) as out:
        out.write(text.encode())
        out.commit()


def _write(path: str, text: str) -> None:
    with Output(path) as out:
        out.write(text.encode())
        out.commit()


def _read(path: str) -> str:
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:
                raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputFailure(errors.no_such_file(path, error.strerror or str(error))) from error
    if len(raw) > MAX_BYTES:
        raise InputFailure(errors.value_too_large(Place(path), MAX_BYTES))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputFailure(errors.not_unicode(Place(path), f"at byte {error.start + 1}")) from error
