"""Output that is whole or is not there: a temporary file beside the target, renamed at the end."""

import contextlib
import os
import stat
import sys
import tempfile
from types import TracebackType
from typing import BinaryIO, Self, cast

from . import errors
from .errors import InputFailure

_BUFFER = 1 << 20


class Output:
    """A stream of bytes to a file, or to standard output for None and `-`.

    Used with `with`. A regular file appears under its name only if the block ends well and `commit` was called;
    a device or pipe is written as it comes. Raises InputFailure (DLC370, DLC371).
    """

    def __init__(self, path: str | None) -> None:
        self.path = None if path == "-" else path
        self._pending: list[bytes] = []
        self._size = 0
        self._temporary: str | None = None
        self._committed = False
        self._file = self._open()

    def _open(self) -> BinaryIO:
        if self.path is None:
            return sys.stdout.buffer
        try:
            if os.path.isdir(self.path):
                raise InputFailure(errors.cannot_write(self.path, "this is a folder"))
            if os.path.exists(self.path) and not stat.S_ISREG(os.stat(self.path).st_mode):
                return cast(BinaryIO, open(self.path, "wb", buffering=0))
            folder, name = os.path.split(os.path.abspath(self.path))
            handle, self._temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
            return cast(BinaryIO, os.fdopen(handle, "wb", buffering=0))
        except OSError as error:
            raise self._failure(error) from error

    def write(self, data: bytes) -> None:
        """Append bytes; what is written reaches the system in large pieces."""
        self._pending.append(data)
        self._size += len(data)
        if self._size >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the system."""
        data, self._pending, self._size = b"".join(self._pending), [], 0
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) or 0 :]
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def commit(self) -> None:
        """Everything is written: give the file its name at the end of the block."""
        self.flush()
        self._committed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.path is None:
            return
        done = self._committed and kind is None
        try:
            if done and self._temporary is not None:
                os.fsync(self._file.fileno())
            self._file.close()
            if done and self._temporary is not None:
                os.chmod(self._temporary, self._mode())
                os.replace(self._temporary, self.path)
                self._temporary = None
        except OSError as failure:
            if kind is None:
                raise self._failure(failure) from failure
        finally:
            if self._temporary is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._temporary)

    def _mode(self) -> int:
        """What an ordinary new file, or the file that is replaced, would allow."""
        assert self.path is not None
        if os.path.exists(self.path):
            return stat.S_IMODE(os.stat(self.path).st_mode)
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

    def _failure(self, error: OSError) -> InputFailure:
        if isinstance(error, BrokenPipeError) and self.path is None:
            silence_stdout()
            return InputFailure(errors.closed_pipe())
        return InputFailure(errors.cannot_write(self.path or "<stdout>", error.strerror or str(error)))


def silence_stdout() -> None:
    """After a closed pipe or a full disk: keep the interpreter from flushing into it again at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
