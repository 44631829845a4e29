"""Schemas by name or file."""

import json
import os
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dlc.grammar.diagnostic import CompileError, Place

from . import errors
from .sql_schemas import DATABASES, read_collection, read_database, read_ddl

if TYPE_CHECKING:
    from dlc.compiler.schema import Schema

MAX_SCHEMA_BYTES = 64 << 20
BUILT_IN: Mapping[str, str] = {
    "multiwoz": "multiwoz.dl",
    "smcalflow": "smcalflow.dl",
    "assistant": "assistant.dl",
}


def load_schema(source: str) -> "Schema":
    """A built-in schema by name, or the schema in a file, by its suffix. Raises CompileError (DLC0xx, DLC36x)."""
    if source in BUILT_IN:
        return _dl(files("dlc").joinpath("data", BUILT_IN[source]).read_text(encoding="utf-8"), source, source)
    path, _, member = source.partition("#")
    if member and not os.path.exists(source):
        collection = _collection(path) if os.path.exists(path) else None
        if collection is None:
            raise CompileError(errors.unknown_schema(source, sorted(BUILT_IN)))
        return _member(collection, member)
    if os.path.isdir(source):
        raise CompileError(errors.bad_schema_file(source, "this is a folder, not a schema file"))
    if not os.path.exists(source):
        raise CompileError(errors.unknown_schema(source, sorted(BUILT_IN)))
    suffix = os.path.splitext(source)[1].lower()
    if suffix in DATABASES:
        return read_database(source)
    if suffix == ".json" and (schema := _services(source)) is not None:
        return schema
    collection = _collection(source)
    if collection is not None:
        if len(collection) == 1:
            return next(iter(collection.values()))
        raise CompileError(errors.bad_schema_file(source, f"it holds {len(collection)} databases; write {source}#NAME"))
    if suffix not in READERS:
        known = ", ".join(sorted((*READERS, *DATABASES)))
        raise CompileError(errors.bad_schema_file(source, f"schema files end in {known}"))
    return READERS[suffix](_read_text(source), os.path.splitext(os.path.basename(source))[0], source)


def _collection(path: str) -> "Mapping[str, Schema] | None":
    """The schemas of a file of several databases, by name; None for any other file. Raises CompileError."""
    return read_collection(_read_text(path), path) if path.lower().endswith(".json") and os.path.isfile(path) else None


def _services(path: str) -> "Schema | None":
    """The schema of a file of services (SGD, MultiWOZ 2.2); None for any other JSON. Raises CompileError."""
    services = read_services(_read_text(path))
    if services is None:
        return None
    from dlc.targets.slots.sgd_schema import sgd_schema

    try:
        return sgd_schema(services)
    except CompileError as error:
        raise CompileError(*(d.at(Place(path)) for d in error.diagnostics)) from error


def read_services(text: str) -> list[Any] | None:
    """The services of a schema.json, as parsed; None if the text is something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    listed = isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
    return value if listed and any("service_name" in one for one in value) else None


def _member(collection: "Mapping[str, Schema]", name: str) -> "Schema":
    from dlc.targets.sql.errors import unknown_database

    if name not in collection:
        raise CompileError(unknown_database(name, sorted(collection)))
    return collection[name]


def _read_text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_SCHEMA_BYTES + 1)
    except OSError as error:
        raise CompileError(errors.no_such_file(path, error.strerror or str(error))) from error
    if not raw.strip():
        raise CompileError(errors.empty_input(path))
    if len(raw) > MAX_SCHEMA_BYTES:
        raise CompileError(errors.value_too_large(Place(path), MAX_SCHEMA_BYTES))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CompileError(errors.not_unicode(Place(path), f"at byte {error.start + 1}")) from error


def _dl(text: str, name: str, path: str) -> "Schema":
    from dlc.compiler.schema_text import read_schema

    try:
        return read_schema(text, name)
    except CompileError as error:
        raise CompileError(*(d.at(Place(path), text) for d in error.diagnostics)) from error


def _class_file(text: str, name: str, source: str) -> "Schema":
    from dlc.compiler.schema import Schema
    from dlc.targets.thingtalk.check_classes import schema_defining
    from dlc.targets.thingtalk.classfile import ClassFileError, parse_classes
    from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError
    from dlc.targets.thingtalk.read_text import Source

    try:
        # A class file does not say which modules there are.
        return schema_defining(parse_classes(text), Schema(name), modules=None, source=Source(text, False))
    except CompileError as error:
        raise CompileError(*(d.at(Place(source), text) for d in error.diagnostics)) from error
    except (ThingTalkSyntaxError, ClassFileError) as error:
        raise CompileError(errors.bad_schema_file(source, str(error))) from None


READERS: Mapping[str, Callable[[str, str, str], "Schema"]] = {".sql": read_ddl, ".dl": _dl, ".tt": _class_file}


class Schemas:
    """The schemas of one run: an override for all rows, else each row's own, else the source's default."""

    def __init__(self, override: "str | Schema | None" = None) -> None:
        self.override = override
        self._loaded: dict[str, Schema | CompileError] = {}
        self._many: Mapping[str, Schema] | None = _collection(override) if isinstance(override, str) else None

    def get(self, named: str | None, default: str | None, source: str) -> "Schema":
        """The schema of a row that names `named`. Raises CompileError, the same each time."""
        if self._many is not None and named is not None:
            return _member(self._many, named)
        wanted = self.override or named or default
        if wanted is None:
            raise CompileError(errors.no_schema(source))
        if not isinstance(wanted, str):
            return wanted
        if self.override is None and named is not None and named not in BUILT_IN:
            # Data does not say which files of this machine are read; only the command line does.
            raise CompileError(errors.unknown_schema(named, sorted(BUILT_IN)))
        if wanted not in self._loaded:
            try:
                self._loaded[wanted] = load_schema(wanted)
            except CompileError as error:
                self._loaded[wanted] = error
        found = self._loaded[wanted]
        if isinstance(found, CompileError):
            raise found
        return found
