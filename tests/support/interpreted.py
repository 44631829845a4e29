"""Triton's interpreter made faster, with the same arithmetic."""

from dataclasses import replace
from typing import Any


def patched_once(overflows: bool = True) -> None:
    """Let the interpreter replace the language's operations once for all: it does so anew before every function that
    a kernel calls, which takes most of its time. overflows: whether additions are checked for overflow."""
    from triton.runtime import interpreter

    patch = interpreter._patch_lang
    done: list[Any] = []

    class Kept:
        def restore(self) -> None:
            """Nothing: what was replaced stays so."""

    def once(function: Any) -> Kept:
        if not done:
            done.append(patch(function))
        return Kept()

    interpreter._patch_lang = once
    builder = interpreter.interpreter_builder
    builder.options = replace(builder.options, sanitize_overflow=overflows)
