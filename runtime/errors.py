"""Diagnostics of running, DLC4xx. Each docstring is what `dlc explain CODE` prints."""

from ..grammar.diagnostic import CompileError, Diagnostic


class RuntimeFailure(CompileError):
    """Raised where evaluation cannot go on; carries its diagnostics as data."""


def no_relation(found: str) -> Diagnostic:
    """DLC401: a stage over something that has no rows.

    What it means: the program was run without a type check; `dlc typecheck` finds this before.

    How to fix it: start the query with a table.
    """
    return Diagnostic("DLC401", f"a query works on rows, this is {found}")


def no_field(name: str, found: str) -> Diagnostic:
    """DLC402: a field of a value that has none.

    What it means: the rows at hand do not have the shape their schema declares.

    How to fix it: check the database against the schema.
    """
    return Diagnostic("DLC402", f"{found} has no field `{name}`")


def no_implementation(fn: str) -> Diagnostic:
    """DLC403: a function that is declared but that nobody can run.

    What it means: the schema gives its signature; the library given to `run` has no code for it.

    How to fix it: add it to the library.
    """
    return Diagnostic("DLC403", f"nothing implements `{fn}`")


def too_many_rows(limit: int) -> Diagnostic:
    """DLC404: a query that would build too many rows.

    What it means: a join without a condition multiplies its tables; evaluation stops at a bound.

    How to fix it: join `on` a condition, filter earlier, or raise the bound.
    """
    return Diagnostic("DLC404", f"this join would build more than {limit} rows")


def unfulfilled(kind: str, message: str) -> Diagnostic:
    """DLC406: a statement of a dialogue that ended in an exception.

    What it means: running the dialogue's graph, the statement could not be evaluated: a reference that nothing fits, a
    revision without a place, an argument that is missing. What does not depend on it was evaluated.

    How to fix it: compare with the turns before; an exception is part of a dialogue, and the next turn may repair it.
    """
    return Diagnostic("DLC406", f"{kind}: {message}", severity="warning")


def too_large(limit: int) -> Diagnostic:
    """DLC407: a program that is too large to be written without what it shares.

    What it means: a dialogue's graph holds a computation once however often it is used; the program of a node repeats
    it at every use, which for a few dozen variables that each use the one before twice is more than can be written.

    How to fix it: look at the graph (`dlc graph`); the turn itself was run.
    """
    message = f"the program is too large to be written out: more than {limit} calls, or nested too deep"
    return Diagnostic("DLC407", message, severity="warning")


def outside_group(fn: str) -> Diagnostic:
    """DLC405: an aggregate evaluated where there is no group.

    What it means: the program was run without a type check; `dlc typecheck` finds this before (DLC115).

    How to fix it: put `| group` or `| whole` before it.
    """
    return Diagnostic("DLC405", f"`{fn}` needs a group to range over")
