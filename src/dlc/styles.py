"""Published canonical forms beside DL's own: the language each is of, and how it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """A published form: the target that programs are written in first, and the form of such a program's text."""

    target: str
    form: Callable[[str], str]


def thingtalk(text: str) -> str:
    """The form of ThingTalk's reference, in the syntax of the text."""
    from dlc.targets.thingtalk.normal_form import normal_form
    from dlc.targets.thingtalk.print_programs import to_text
    from dlc.targets.thingtalk.programs import parse

    # The tokenized syntax has spaces around every token.
    tokenized = text.rstrip().endswith(" ;")
    return to_text(normal_form(parse(text, tokenized)), tokenized)


def lispress_metric(text: str) -> str:
    """The form that the SMCalFlow leaderboard compares."""
    from dlc.metrics.dataflow_canonical import leaderboard_form

    return leaderboard_form(text)


STYLES: Mapping[str, Style] = {
    "thingtalk": Style("thingtalk", thingtalk),
    "lispress-metric": Style("dataflow", lispress_metric),
}
