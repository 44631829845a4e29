"""`dlc schema show` and `dlc schema import`."""

from dlc.grammar.diagnostic import CompileError

from .errors import InputFailure
from .outputs import Output
from .report import Report
from .schema_views import VIEWS
from .schemas import load_schema


def run_schema(name: str, notation: str, output: str | None) -> int:
    """Write the schema `name` (built in, or a file) in a notation of VIEWS; the exit status."""
    report = Report()
    try:
        text = VIEWS[notation](load_schema(name))
        with Output(output) as out:
            out.write(text.encode())
            out.commit()
    except CompileError as error:
        for diagnostic in error.diagnostics:
            report.failure(diagnostic)
    except InputFailure as failure:
        report.failure(failure.diagnostic)
    return report.finish()
