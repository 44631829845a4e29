"""`dlc equiv`: whether two programs always give the same, or the pairs of a file, one by one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from dlc.grammar.diagnostic import CompileError, Diagnostic, Place

from . import errors
from .errors import InputFailure
from .inputs import find
from .options import Options
from .outputs import Output
from .report import DIAGNOSTICS, FINE, Report
from .row_files import object_units
from .sources import source
from .units import Broken, Part, Unit

if TYPE_CHECKING:
    from dlc.canon.verdict import Verdict
    from dlc.compiler.schema import Schema
    from dlc.compiler.terms import Turn

LANGUAGES = ("dl", "sql", "thingtalk", "dataflow")
UNDECIDED = 4
_TURN = re.compile(r"(user|agent)\b")
_NAMES = {"likely": "likely_equal"}


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try, and what to take for granted."""

    databases: int = 200
    bound: int = 2
    timeout: float = 5.0
    keys: bool = True
    smt: bool = True
    distinct: bool = True


def run_equiv(
    first: str, second: str, lang: str, schema: str | None, form: str, effort: Effort, witness: str | None = None
) -> int:
    """Say the verdict; status 0 if equal, 1 if different (or wrong), 4 if open."""
    report = Report()
    judge = Judge(schema, effort)
    try:
        verdict = judge.compare(first, second, lang, None, Place())
        row = _row(verdict)
        if witness is not None and row["witness"] is not None:
            with Output(witness) as out:
                out.write(orjson.dumps(row["witness"], option=orjson.OPT_APPEND_NEWLINE, default=str))
                out.commit()
        with Output(None) as out:
            shown = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=str) if form == "json" else _text(row)
            out.write(shown)
            out.commit()
    except CompileError as error:
        for diagnostic in error.diagnostics:
            report.found(diagnostic)
        return report.finish()
    except InputFailure as failure:
        report.failure(failure.diagnostic)
        return report.finish()
    report.status = max(report.status, _status(verdict))
    return report.finish()


def run_pairs(path: str, lang: str, schema: str | None, effort: Effort, output: str | None = None) -> int:
    """A verdict a line for the rows `{a, b, lang?, db_id?}` of a file. A pair that cannot be read is told, and its verdict is
    `unknown` with the reason. Status 0 if all are equal, 1 if some differ or cannot be read, else 4.
    """
    report = Report()
    judge = Judge(schema, effort)
    worst = FINE
    try:
        with Output(output) as out:
            for document in find([path], (".jsonl",)):
                if isinstance(document, Diagnostic):
                    raise InputFailure(document)
                for unit in object_units(document, "id"):
                    if isinstance(unit, Broken):
                        report.found(unit.diagnostic)
                        continue
                    row, status = _judged(unit, judge, lang, report)
                    worst = max(worst, status, key=(FINE, UNDECIDED, DIAGNOSTICS).index)
                    out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=str))
            out.commit()
    except InputFailure as failure:
        report.failure(failure.diagnostic)
    report.status = report.status or worst
    return report.finish()


def _judged(unit: Unit, judge: "Judge", lang: str, report: Report) -> tuple[dict[str, Any], int]:
    fields = unit.parts[0].value
    place = Place(unit.file, unit.dialogue, line=unit.parts[0].line)
    known = {key: fields[key] for key in ("id", "db_id") if key in fields}
    try:
        language = fields.get("lang", lang)
        if not all(isinstance(fields.get(side), str) for side in ("a", "b")) or language not in LANGUAGES:
            raise CompileError(errors.bad_row(place, f"a pair is `a` and `b`, texts in one of {', '.join(LANGUAGES)}"))
        db_id = fields.get("db_id") or fields.get("schema")
        verdict = judge.compare(fields["a"], fields["b"], language, db_id, place)
    except CompileError as error:
        for diagnostic in error.diagnostics:
            report.found(diagnostic)
        told = f"{error.diagnostics[0].code}: {error.diagnostics[0].message}"
        empty = {"verdict": "unknown", "bound": None, "reason": told, "witness": None}
        return {**known, **empty}, DIAGNOSTICS
    return {**known, **_row(verdict)}, _status(verdict)


class Judge:
    """Reads programs and compares them; schemas and readers are made once."""

    def __init__(self, schema: str | None, effort: Effort) -> None:
        self._options, self._effort = Options(schema, "both", beyond=True), effort
        self._readers: dict[str, Any] = {}
        self._full: dict[int, tuple[Schema, Schema]] = {}

    def compare(self, first: str, second: str, lang: str, db_id: str | None, place: Place) -> "Verdict":
        """The verdict on two programs. Raises CompileError for one that cannot be read."""
        from dlc.canon.context import Assumptions
        from dlc.canon.pipeline import canonicalize
        from dlc.compiler.check import prelude
        from dlc.compiler.schema import merge
        from dlc.targets.thingtalk.stand_ins import is_beyond

        from .meaning import by_form, verdict_on

        # Of two programs on the command line, which one a finding is about.
        sides = [place if place.file is not None else Place(side) for side in ("A", "B")]
        a, schema = self._turn(first, lang, db_id, sides[0])
        b, other = self._turn(second, lang, db_id, sides[1])
        if is_beyond(schema) or is_beyond(other):
            return by_form(canonicalize(a, merge(prelude(), schema)), canonicalize(b, merge(prelude(), other)))
        effort = self._effort
        full = self._with_prelude(schema)
        return verdict_on(
            a, b, full, distinct=effort.distinct,
            assume=Assumptions(effort.keys), databases=effort.databases, bound=effort.bound,
            timeout_ms=int(effort.timeout * 1000), smt=effort.smt,
        )  # fmt: skip

    def _with_prelude(self, schema: "Schema") -> "Schema":
        from dlc.compiler.check import Checker

        if id(schema) not in self._full:
            self._full[id(schema)] = (schema, Checker(schema).schema)
        return self._full[id(schema)][1]

    def _turn(self, text: str, lang: str, db_id: str | None, place: Place) -> "tuple[Turn, Schema]":
        reader = self._readers.get(lang)
        if reader is None:
            reader = self._readers[lang] = source(lang).reader(self._options)
        if lang == "dl" and not _TURN.match(text):
            text = f"user: {text.strip().rstrip(';')};"
        fields = {"program": text, **({"db_id": db_id} if db_id else {})}
        read = reader(Unit(place.file or "", None, (Part(place.line, fields, text),)))
        found = [d for some in read.diagnostics for d in some if d.severity == "error"]
        turn = read.dialogue.turns[0] if read.dialogue.turns else None
        if turn is None or turn.program is None or not read.schemas or read.schemas[0] is None:
            lost = [
                Diagnostic(n.code, n.message, n.span).at(place, text) for n in (turn.notes if turn else ()) if n.loss
            ]
            raise CompileError(*(found or lost or [errors.bad_row(place, "there is no program to compare")]))
        return turn.program, read.schemas[0]


def _status(verdict: "Verdict") -> int:
    return {"equal": FINE, "different": DIAGNOSTICS}.get(verdict.kind, UNDECIDED)


def _row(verdict: "Verdict") -> dict[str, Any]:
    witness = verdict.witness
    return {
        "verdict": _NAMES.get(verdict.kind, verdict.kind),
        "bound": verdict.bound,
        "databases": verdict.databases,
        "reason": verdict.reason or None,
        "tried": list(verdict.tried),
        "witness": witness.database if witness is not None else None,
        "first": [dict(r) for r in witness.first] if witness is not None else None,
        "second": [dict(r) for r in witness.second] if witness is not None else None,
        "replayed": (witness.replayed or None) if witness is not None else None,
    }


def _text(row: Mapping[str, Any]) -> bytes:
    lines = []
    match row["verdict"]:
        case "equal":
            bound = row["bound"]
            lines.append(
                "equal" + (", on all databases" if bound is None else f", on all with up to {bound} rows a table")
            )
        case "different":
            lines.append("different" + (f": {row['reason']}" if row["reason"] else ""))
            for name, rows in (row["witness"] or {}).items():
                lines.append(f"  {name}:" + ("" if rows else " no rows"))
                lines += ["    " + ", ".join(f"{c}: {v}" for c, v in r.items()) for r in rows]
            if row["witness"] is not None:
                lines.append(f"  first gives  {row['first']}")
                lines.append(f"  second gives {row['second']}")
        case "likely_equal":
            lines.append(f"likely equal: so on {row['databases']} random databases; not proved: {row['reason']}")
        case _:
            lines.append(f"unknown: {row['reason']}")
    lines.append(f"tried: {', '.join(row['tried'])}")
    return ("\n".join(lines) + "\n").encode()
