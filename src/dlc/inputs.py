"""Input files: paths, folders, patterns, `.gz`, `.zip` and standard input as streams of bytes, all bounded."""

import glob
import gzip
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from dlc.grammar.diagnostic import Diagnostic

from . import errors
from .errors import InputFailure

CHUNK = 1 << 20
# Deflate shrinks at most by 1032; real corpora stay under 50. Small files may do as they please.
MAX_RATIO = 250
RATIO_FREE = 32 << 20
MAX_MEMBERS = 10_000

_ZIP, _GZIP = b"PK", b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Document:
    """One stream of data. `sought` is false if the user named a folder or archive and this was found in it."""

    name: str
    chunks: Callable[[], Iterator[bytes]]
    sought: bool = True


def find(paths: list[str], suffixes: tuple[str, ...]) -> Iterator[Document | Diagnostic]:
    """The documents that paths stand for, in order; a diagnostic in the place of one that cannot be read.

    suffixes: names looked for in folders and archives (`.json`), each also with `.gz`, in folders with `.zip`.
    """
    for path in paths:
        if path == "-":
            yield Document("<stdin>", _stdin_chunks)
        elif os.path.isdir(path):
            yield from _folder(path, suffixes)
        elif os.path.exists(path):
            yield from _file(path, suffixes, True)
        elif glob.has_magic(path) and (matches := sorted(glob.glob(path, recursive=True))):
            yield from find(matches, suffixes)
        else:
            yield errors.no_such_file(path, "there is no such file or folder")


def _folder(path: str, suffixes: tuple[str, ...]) -> Iterator[Document | Diagnostic]:
    wanted = tuple(s + more for s in suffixes for more in ("", ".gz", ".zip"))
    names = sorted(str(p) for p in Path(path).rglob("*") if p.is_file() and p.name.endswith(wanted))
    if not names:
        yield errors.no_data_file(path, suffixes)
    for name in names:
        yield from _file(name, suffixes, False)


def _file(path: str, suffixes: tuple[str, ...], sought: bool) -> Iterator[Document | Diagnostic]:
    try:
        # A pipe cannot be looked into twice; it is taken as plain text.
        magic = b"" if not os.path.isfile(path) else _first_bytes(path)
    except OSError as error:
        yield errors.no_such_file(path, error.strerror or str(error))
        return
    if magic.startswith(_ZIP):
        yield from _archive(path, suffixes)
    elif magic.startswith(_GZIP):
        yield Document(path, partial(_gzip_chunks, path), sought)
    else:
        yield Document(path, partial(_plain_chunks, path), sought)


def _first_bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(2)


def _archive(path: str, suffixes: tuple[str, ...]) -> Iterator[Document | Diagnostic]:
    wanted = tuple(s + more for s in suffixes for more in ("", ".gz"))
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        yield errors.bad_archive(path, str(error))
        return
    if len(members) > MAX_MEMBERS:
        yield errors.archive_too_large(path, f"the archive has {len(members)} members; the bound is {MAX_MEMBERS}")
        return
    data = [m for m in members if _is_data(m, wanted)]
    if not data:
        yield errors.no_data_file(path, suffixes)
    for member in data:
        name = f"{path}:{member.filename}"
        yield Document(name, partial(_zip_chunks, path, member, name), len(data) == 1)


def _is_data(member: zipfile.ZipInfo, wanted: tuple[str, ...]) -> bool:
    parts = member.filename.split("/")
    hidden = parts[0] == "__MACOSX" or parts[-1].startswith(".")
    return member.filename.endswith(wanted) and not hidden and not member.is_dir()


def _stdin_chunks() -> Iterator[bytes]:
    stream = sys.stdin.buffer
    first = stream.read(CHUNK)
    if first.startswith(_ZIP):
        raise InputFailure(errors.bad_archive("<stdin>", "a .zip cannot be read from standard input"))
    if first.startswith(_GZIP):
        yield from _inflate(_joined(first, stream), "<stdin>", None)
        return
    yield from _joined(first, stream)


def _joined(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while first:
        yield first
        first = stream.read(CHUNK)


def _plain_chunks(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise InputFailure(errors.no_such_file(path, error.strerror or str(error))) from error


def _gzip_chunks(path: str) -> Iterator[bytes]:
    yield from _inflate(_plain_chunks(path), path, os.path.getsize(path))


def _inflate(compressed: Iterator[bytes], name: str, size: int | None) -> Iterator[bytes]:
    """Unpack gzip members one after another. size: bytes of the archive, or what was read so far if None."""
    budget = _Budget(name, size)
    engine = zlib.decompressobj(wbits=31)
    done = False
    try:
        for piece in compressed:
            budget.read += len(piece)
            while piece:
                if done:
                    piece = piece.lstrip(b"\0")
                    if not piece:
                        break
                    engine, done = zlib.decompressobj(wbits=31), False
                out = engine.decompress(piece, CHUNK)
                if out:
                    yield budget.spend(out)
                done = engine.eof
                piece = engine.unused_data if done else engine.unconsumed_tail
    except zlib.error as error:
        raise InputFailure(errors.bad_archive(name, str(error))) from error
    if not done:
        raise InputFailure(errors.bad_archive(name, "it ends too early"))


def _zip_chunks(path: str, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    budget = _Budget(name, os.path.getsize(path))
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            source = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if name.endswith(".gz") else file
            while chunk := source.read(CHUNK):
                yield budget.spend(chunk)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise InputFailure(errors.bad_archive(name, str(error))) from error
    except (NotImplementedError, RuntimeError) as error:
        # zipfile's way of saying: encrypted, or packed by a method it does not know.
        raise InputFailure(errors.bad_archive(name, str(error))) from error


class _Budget:
    """Counts unpacked bytes against the size of the archive; what the archive claims is not believed."""

    def __init__(self, name: str, size: int | None) -> None:
        self.name, self.size, self.read, self.spent = name, size, 0, 0

    def spend(self, chunk: bytes) -> bytes:
        self.spent += len(chunk)
        packed = self.size if self.size is not None else self.read
        if self.spent > RATIO_FREE and self.spent > MAX_RATIO * max(packed, 1):
            why = f"it unpacks to more than {MAX_RATIO} times its size ({self.spent >> 20} MiB so far)"
            raise InputFailure(errors.archive_too_large(self.name, why))
        return chunk
