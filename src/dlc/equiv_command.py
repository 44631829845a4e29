"""`dlc equiv`: whether two queries always give the same."""

from collections.abc import Mapping

import orjson

from dlc.grammar.diagnostic import CompileError

from .outputs import Output
from .report import DIAGNOSTICS, FINE, Report


def run_equiv(
    first: str, second: str, schema: str, form: str = "text", databases: int = 200, bound: int = 2,
    timeout: float = 5.0, keys: bool = True, smt: bool = True,
) -> int:  # fmt: skip
    """Say the verdict; status 0 if equal, 1 if not or not known."""
    from .meaning import equivalent

    report = Report()
    try:
        verdict = equivalent(
            first, second, schema, databases=databases, bound=bound, timeout_ms=int(timeout * 1000), keys=keys, smt=smt
        )
    except CompileError as error:
        for diagnostic in error.diagnostics:
            report.found(diagnostic)
        return report.finish()
    row = {
        "verdict": verdict.kind,
        "bound": verdict.bound,
        "databases": verdict.databases,
        "reason": verdict.reason or None,
        "tried": list(verdict.tried),
        "witness": verdict.witness.database if verdict.witness is not None else None,
        "first": [dict(r) for r in verdict.witness.first] if verdict.witness is not None else None,
        "second": [dict(r) for r in verdict.witness.second] if verdict.witness is not None else None,
    }
    with Output(None) as out:
        if form == "json":
            out.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE, default=str))
        else:
            out.write(_text(row).encode())
        out.commit()
    report.status = max(report.status, FINE if verdict.kind == "equal" else DIAGNOSTICS)
    return report.finish()


def _text(row: Mapping[str, object]) -> str:
    lines = []
    match row["verdict"]:
        case "equal":
            bound = row["bound"]
            lines.append(
                "equal" + (", on all databases" if bound is None else f", on all with up to {bound} rows a table")
            )
        case "different":
            lines.append("different")
            witness = row["witness"]
            if isinstance(witness, dict):
                for name, rows in witness.items():
                    lines.append(f"  {name}:" + ("" if rows else " no rows"))
                    lines += ["    " + ", ".join(f"{c}: {v}" for c, v in r.items()) for r in rows]
            lines.append(f"  first gives  {row['first']}")
            lines.append(f"  second gives {row['second']}")
        case "likely":
            lines.append(f"likely equal: so on {row['databases']} random databases; not proved: {row['reason']}")
        case _:
            lines.append(f"unknown: {row['reason']}")
    lines.append(f"tried: {', '.join(map(str, row['tried']))}")  # type: ignore[call-overload]
    return "\n".join(lines) + "\n"
