"""What inference has to say of a term, by the paths of subterms, until it is known where they stood."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..grammar.diagnostic import Diagnostic, Label
from ..grammar.span import Span
from .lower import Origin, locate


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic, the path of the subterm it is about, and labelled paths that explain it."""

    diagnostic: Diagnostic
    path: tuple[int, ...]
    labels: tuple[tuple[tuple[int, ...], str], ...] = ()


def located(findings: Sequence[Finding], origin: Origin | None) -> list[Diagnostic]:
    """The diagnostics with their places (None without an origin), each said once."""
    out: list[Diagnostic] = []
    seen: set[tuple[str, str, Span | None]] = set()
    for finding in findings:
        diagnostic = finding.diagnostic
        if origin is not None:
            labels = tuple(Label(locate(origin, path), text) for path, text in finding.labels)
            diagnostic = replace(diagnostic, span=locate(origin, finding.path), labels=labels)
        key = (diagnostic.code, diagnostic.message, diagnostic.span)
        if key not in seen:
            seen.add(key)
            out.append(diagnostic)
    return out
