"""Parquet: the rows of `convert` as one table of fixed columns, which `datasets` loads without a script."""

from collections.abc import Iterator
from typing import Any

import orjson

from dlc.grammar.diagnostic import Diagnostic

from . import errors
from .conversion import Made
from .errors import InputFailure
from .forms import Form, program_text
from .outputs import Output

ROWS = 20_000
"""Rows in a group: what is held in memory at a time."""


def parquet() -> Form:
    """The form. Raises InputFailure (DLC378) without pyarrow."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise InputFailure(errors.no_pyarrow()) from error
    return Form(lambda: _encode, _Table)


def columns() -> Any:
    """The columns, the same for every source and target. `program` is text; a slot state is JSON."""
    import pyarrow as pa

    text, position = pa.string(), pa.int32()
    note = pa.struct([("code", text), ("message", text), ("span", pa.list_(position))])
    spanned = [("domain", text), ("slot", text), ("start", position), ("exclusive_end", position), ("value", text)]
    return pa.schema(
        [
            ("dialogue_id", text),
            ("turn", position),
            ("speaker", text),
            ("utterance", text),
            ("lang", text),
            ("schema", text),
            ("program", text),
            ("status", text),
            ("notes", pa.list_(note)),
            ("part", text),
            ("heard", text),
            ("provenance", pa.struct([("spans", pa.list_(pa.struct(spanned)))])),
        ]
    )


def _encode(made: list[Made]) -> list[bytes]:
    return [orjson.dumps({**one.row, "program": program_text(one.row["program"])}) for one, _, _ in made]


class _Table:
    def __init__(self, output: Output, path: str | None) -> None:
        import pyarrow.parquet as pq

        self._columns = columns()
        self._rows: list[dict[str, Any]] = []
        self._file = _File(output)
        self._writer = pq.ParquetWriter(self._file, self._columns, compression="zstd")

    def write(self, payload: list[bytes]) -> None:
        self._rows += [orjson.loads(line) for line in payload]
        if len(self._rows) >= ROWS:
            self._flush()

    def finish(self) -> Iterator[Diagnostic]:
        self._flush()
        self._writer.close()
        return iter(())

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._columns))
            self._rows = []


class _File:
    """An output as the file object that pyarrow writes to."""

    def __init__(self, output: Output) -> None:
        self._output, self._written = output, 0
        self.closed = False

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._output.write(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """The output flushes itself."""

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
