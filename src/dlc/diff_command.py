"""`dlc diff`: two annotations of the same dialogues, turn by turn, by meaning."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

import orjson

from .canon_command import canonical_rows
from .conversion import units
from .diff_page import page
from .diff_rows import ABSENT, DIFFERENT, MEANING, OPEN, SPELLING, VERDICTS, agreement, parquet
from .options import Options
from .outputs import Output
from .report import DIAGNOSTICS, Report
from .sources import source


def run_diff(
    first: str, second: str, lang: str, options: Options, form: str = "jsonl", output: str | None = None,
    prove: bool = True, summary: str | None = None,
) -> int:  # fmt: skip
    """Compare two files; status 0 if all turns mean the same, 1 if not.

    Turns pair up by dialogue, turn and part where the files have them, else by position. How far the two agree goes
    to standard error, and as JSON to `summary`.
    """
    report = Report()
    counts: Counter[str] = Counter()
    with report.failures(), ExitStack() as stack:
        out = stack.enter_context(Output(output))
        sides = [dict(_rows(path, lang, options, report)) for path in (first, second)]
        rows = [_compared(key, sides[0].get(key), sides[1].get(key), prove) for key in {**sides[0], **sides[1]}]
        counts.update(row["verdict"] for row in rows)
        agreed = agreement(rows)
        if summary is not None:
            figures = {**asdict(agreed), "verdicts": {name: counts[name] for name in VERDICTS}}
            with Output(summary) as told:
                told.write(orjson.dumps(figures, option=orjson.OPT_APPEND_NEWLINE))
                told.commit()
        if form == "html":
            out.write(page(first, second, rows, agreed).encode())
        elif form == "parquet":
            out.write(parquet(rows))
        else:
            for row in rows:
                out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=str))
        out.commit()
        report.say(agreed.line())
    if counts[DIFFERENT] or counts[OPEN] or counts[ABSENT]:
        report.status = max(report.status, DIAGNOSTICS)
    return report.finish()


Key = tuple[Any, ...]
_DATABASES = 200


def _rows(path: str, lang: str, options: Options, report: Report) -> Iterator[tuple[Key, tuple[dict[str, Any], Any]]]:
    forms = canonical_rows(lang, options)
    position: Counter[Key] = Counter()
    for unit in units(source(lang), [path], report.failure):
        for row, programs, diagnostics in forms(unit):
            for diagnostic in diagnostics:
                report.found(diagnostic)
            named = row["dialogue_id"] is not None
            key = (row["dialogue_id"], row["turn"], row["speaker"]) if named else (None, None, None)
            position[key] += 1
            yield (*key, position[key]), (row, programs)


def _compared(key: Key, a: Any, b: Any, prove: bool) -> dict[str, Any]:
    from dlc.canon.difference import certainly, difference
    from dlc.targets.thingtalk.stand_ins import is_beyond

    from .meaning import by_form, verdict_on

    some = a or b
    row: dict[str, Any] = {
        "dialogue_id": key[0],
        "turn": some[0]["turn"] if key[0] is not None else None,
        "row": key[-1],
        "utterance": some[0]["utterance"],
        "verdict": ABSENT,
        "a": _written(a[1]) if a and a[1] else None,
        "b": _written(b[1]) if b and b[1] else None,
        "canonical_a": a[0]["program"] if a else None,
        "canonical_b": b[0]["program"] if b else None,
        "differs": None,
        "reason": None,
        "witness": None,
    }
    if not (a and b and a[1] and b[1]):
        if row["a"] is None and row["b"] is None and a and b:
            row["verdict"], row["reason"] = OPEN, "neither side could be read"
        return row
    beyond = is_beyond(a[1][2]) or is_beyond(b[1][2])
    if row["a"] == row["b"] if beyond else a[1][0] == b[1][0]:
        row["verdict"] = SPELLING
        return row
    if beyond:
        verdict = by_form(a[1][1], b[1][1])
        row["differs"] = [row["canonical_a"], row["canonical_b"]]
    else:
        apart = difference(a[1][1], b[1][1])
        row["differs"] = [apart.first, apart.second] if apart is not None else None
        if apart is not None and not prove:
            row["verdict"] = DIFFERENT
            return row
        known = certainly(a[1][1], b[1][1], a[1][2])
        if known is not None:
            row["verdict"], row["reason"] = DIFFERENT, known
            return row
        verdict = verdict_on(a[1][0], b[1][0], a[1][2], smt=prove, databases=_DATABASES if prove else 0)
    if verdict.kind == "different":
        row["verdict"], row["reason"] = DIFFERENT, verdict.reason or None
        witness = verdict.witness
        if witness is not None:
            gives = {"first": [dict(r) for r in witness.first], "second": [dict(r) for r in witness.second]}
            row["witness"] = {"database": witness.database, **gives, "replayed": witness.replayed or None}
    elif verdict.kind == "equal":
        row["verdict"], row["differs"] = MEANING, None
        row["reason"] = f"proved for up to {verdict.bound} rows a table" if verdict.bound is not None else None
    else:
        row["verdict"], row["reason"] = OPEN, f"{verdict.kind}: {verdict.reason}"
    return row


def _written(programs: Any) -> str:
    """A turn as it was; one outside DL as its text was."""
    from dlc.compiler.sugar import print_turn
    from dlc.targets.thingtalk.stand_ins import text_before

    turn, _, schema = programs
    return text_before(schema) or print_turn(turn)
