"""Whether class definitions are well formed, and what the examples of data sets say of themselves.

The rules are those of the reference's checker, and of what `classfile` reads annotations for. Where they differ from the
reference's ours is the stricter: names of types are looked at inside lists too, two functions or entity types of one name
are reported whatever their kind, and an annotation with a meaning has a value that can mean something.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ...compiler.schema import Schema
from ...grammar.diagnostic import CompileError, Diagnostic
from . import class_errors as errors
from . import values
from .classfile import ClassFileError, argument_facts, function_facts
from .constant_types import dimension, fits, is_constant, is_numeric, unknown_types
from .declarations import ClassDef, Dataset, EntityDef, Example, FunctionDef, Import
from .modules import PLATFORM, Module
from .print_types import type_tokens
from .printer import Printer, join_tokens
from .read_classes import schema_with
from .read_text import Source
from .write_names import Names

_TEXTS = ("doc", "url")
_TRUTHS = ("handle_thingtalk", "require_filter")


def check_class(
    definition: ClassDef,
    schema: Schema,
    *,
    inline: bool = False,
    modules: Mapping[str, Module] | None = PLATFORM,
    source: Source | None = None,
) -> tuple[Diagnostic, ...]:
    """What is wrong with a class definition (DLC23x), in the order of its text.

    schema: knows the entity types of other classes. inline: it stands inside a program, beside statements. modules: what may be
    imported, by name; None where nobody knows, and imports go unchecked but for their facets. source: the text it was
    parsed from, for places.
    """
    members = (m for m in definition.members if isinstance(m, FunctionDef) and m.kind == "query")
    checks = _Class(definition, modules, _parents(definition, schema), {m.name: m for m in members})
    return tuple(_placed(found, at, source) for found, at in _at(definition.at, checks.findings(inline)))


def _placed(found: Diagnostic, at: int, source: Source | None) -> Diagnostic:
    return found if source is None else replace(found, span=source.span(max(at, 0)))


def schema_defining(
    classes: tuple[ClassDef, ...],
    schema: Schema,
    *,
    inline: bool = False,
    modules: Mapping[str, Module] | None = PLATFORM,
    source: Source | None = None,
) -> Schema:
    """A schema with the classes of a program, each checked first. Raises CompileError (DLC23x) with all that is wrong."""
    found: list[Diagnostic] = []
    names: set[str] = set()
    for each in classes:
        if each.name in names:
            found.append(_placed(errors.defined_twice(f"@{each.name}", "this class is defined"), each.at, source))
        names.add(each.name)
        found += check_class(each, schema, inline=inline, modules=modules, source=source)
    if found:
        raise CompileError(*found)
    return schema_with(classes, schema)


def check_example(example: Example, found: str) -> tuple[Diagnostic, ...]:
    """What is wrong with what an example of a data set says of itself. found: the kind of its expression."""
    where = f"the example of a {found}"
    said: list[Diagnostic] = []
    for _, type_ in example.params:
        said += [errors.unknown_type(where, name) for name in unknown_types(type_)]
    if example.kind not in ("program", found):
        said.append(errors.bad_example(where, f"it is said to be a {example.kind}"))
    for note in example.annotations:
        if note.name == "utterances" and _names(note.value) is None:
            said.append(errors.bad_example(where, "utterances is a list of texts"))
        elif note.translatable:
            said += _constants((note,), where)
    return tuple(said)


def check_dataset(dataset: Dataset) -> tuple[Diagnostic, ...]:
    """What is wrong with a data set itself; its examples are looked at one by one."""
    return tuple(_constants(_translatable(dataset.annotations), f"dataset @{dataset.name}"))


# ---------------------------------------------------------------- classes


Placed = tuple[Diagnostic, int]
"""A finding and the number of the token it is at (-1: somewhere in what is looked at)."""


def _at(at: int, found: Iterable[Diagnostic | Placed]) -> Iterator[Placed]:
    """Findings at a token, but for those that have a place already."""
    for each in found:
        finding, own = each if isinstance(each, tuple) else (each, -1)
        yield finding, own if own >= 0 else at


@dataclass(frozen=True, slots=True)
class _Class:
    definition: ClassDef
    modules: Mapping[str, Module] | None
    parents: Mapping[str, tuple[str, ...]]
    queries: Mapping[str, FunctionDef]

    def findings(self, inline: bool) -> Iterator[Diagnostic | Placed]:
        definition, where = self.definition, f"@{self.definition.name}"
        if inline and len(definition.extends) > 1:
            yield errors.bad_base(where, "a class inside a program extends one class at most")
        for note in definition.annotations:
            if note.translatable and not isinstance(note.value, values.String):
                yield errors.annotation_value(where, note.name, "a text for people", True)
        names: set[str] = set()
        entities: set[str] = set()
        facets: set[str] = set()
        for member in definition.members:
            match member:
                case Import():
                    yield from _at(member.at, self._import(member, where, facets))
                case EntityDef(name):
                    if name in entities:
                        yield errors.defined_twice(where, f"entity {name} is defined"), member.at
                    entities.add(name)
                    noted = _constants(_translatable(member.annotations), f"{where}:{name}")
                    yield from _at(member.at, noted)
                case FunctionDef(name=name):
                    if name in names:
                        yield errors.defined_twice(where, f"{name} is defined"), member.at
                    names.add(name)
                    yield from _at(member.at, self._function(member, f"{where}.{name}"))

    def _import(self, imported: Import, where: str, facets: set[str]) -> Iterator[Diagnostic | Placed]:
        for facet in imported.facets:
            if self.definition.abstract and facet in ("config", "loader"):
                yield errors.bad_import(where, f"an abstract class imports no {facet}")
            if facet in facets:
                yield errors.defined_twice(where, f"{facet} is imported")
            facets.add(facet)
        if self.modules is None:
            return
        module = self.modules.get(imported.module)
        if module is None:
            yield errors.bad_import(where, f"there is no module @{imported.module}")
            return
        taken = dict(module.arguments)
        given: set[str] = set()
        for param in imported.params:
            type_ = taken.get(param.name)
            if type_ is None:
                yield errors.bad_import(where, f"@{imported.module} takes no {param.name}")
            elif param.name in given:
                yield errors.defined_twice(where, f"{param.name} is given to @{imported.module}")
            elif not isinstance(param.value, values.Undefined) and not (
                is_constant(param.value) and fits(param.value, type_, self.parents)
            ):
                wanted = f"a constant of type {_text(type_)}"
                yield errors.bad_import(where, f"{param.name} of @{imported.module} is {wanted}")
            given.add(param.name)
        for name in module.required:
            if name not in given:
                yield errors.bad_import(where, f"@{imported.module} needs {name}")

    def _function(self, function: FunctionDef, where: str) -> Iterator[Diagnostic | Placed]:
        types: dict[str, values.Type] = {}
        for argument in function.args:
            yield from _at(argument.at, _argument(argument, f"{where}.{argument.name}", self.parents))
            if types.setdefault(argument.name, argument.type) != argument.type:
                yield errors.defined_twice(where, f"{argument.name} is declared, with different types,"), argument.at
        yield from _constants(function.annotations, where)
        yield from self._notes(function, where)
        if function.kind == "action" and function.extends:
            yield errors.bad_base(where, "an action extends nothing")
        else:
            yield from self._bases(function, where)

    def _notes(self, function: FunctionDef, where: str) -> Iterator[Diagnostic]:
        notes = _plain(function.annotations)
        for name in _TEXTS:
            if not isinstance(notes.get(name, values.String("")), values.String):
                yield errors.annotation_value(where, name, "a string")
        for name in _TRUTHS:
            if not isinstance(notes.get(name, values.Boolean(True)), values.Boolean):
                yield errors.annotation_value(where, name, "true or false")
        projection = notes.get("default_projection")
        if projection is not None:
            yield from _projection(projection, notes.get("minimal_projection"), function, where)
        interval = notes.get("poll_interval")
        if interval is None:
            pass
        elif function.kind == "action" or not function.is_monitorable:
            yield errors.misplaced_annotation(where, "poll_interval", "a monitorable query")
        elif not isinstance(interval, values.Measure) or dimension(interval.unit) != "ms":
            yield errors.annotation_value(where, "poll_interval", "a duration")
        try:
            function_facts(function)
        except ClassFileError as error:
            yield errors.annotation_value(where, *_said(error))

    def _bases(self, function: FunctionDef, where: str) -> Iterator[Diagnostic]:
        """Each function above once, without recursion: a chain of them may be as long as a file."""
        types = {argument.name: argument.type for argument in function.args}
        seen = {function.name}
        stack = [(function.name, name) for name in reversed(function.extends)]
        while stack:
            below, name = stack.pop()
            base = self.queries.get(name)
            if name == function.name:
                yield errors.bad_base(where, f"extends itself by way of {below}")
            elif base is None and below == function.name:
                yield errors.bad_base(where, f"extends {name}, which is no query of the class")
            elif base is not None and name not in seen:
                seen.add(name)
                for argument in base.args:
                    if not _same(types.setdefault(argument.name, argument.type), argument.type):
                        yield errors.bad_base(where, f"{argument.name} has another type in {name}")
                stack += [(name, above) for above in reversed(base.extends)]


def _parents(definition: ClassDef, schema: Schema) -> dict[str, tuple[str, ...]]:
    """The entity types above those of a schema and of a class."""
    said, own = Names(schema), definition.name
    known: dict[str, tuple[str, ...]] = {}
    known |= {said.entity(e.name): (said.entity(e.supertype),) for e in schema.entities if e.supertype is not None}
    for member in definition.members:
        if isinstance(member, EntityDef):
            known[f"{own}:{member.name}"] = tuple(e if ":" in e else f"{own}:{e}" for e in member.extends)
    return known


def _argument(
    argument: values.Argument, where: str, parents: Mapping[str, tuple[str, ...]]
) -> Iterator[Diagnostic | Placed]:
    for name in unknown_types(argument.type):
        yield errors.unknown_type(where, name)
    yield from _constants(argument.annotations, where)
    notes = _plain(argument.annotations)
    for name in ("default", "min_number", "max_number"):
        value = notes.get(name)
        if value is None or not is_constant(value):
            continue
        if name != "default" and not is_numeric(argument.type):
            yield errors.misplaced_annotation(where, name, "a number, a measure or a currency")
        elif not fits(value, argument.type, parents):
            yield errors.annotation_value(where, name, f"a constant of type {_text(argument.type)}")
    try:
        argument_facts(argument)
    except ClassFileError as error:
        name, wanted = _said(error)
        if name not in ("min_number", "max_number"):
            yield errors.annotation_value(where, name, wanted)
    type_ = argument.type
    while isinstance(type_, values.ArrayType):
        type_ = type_.element
    if isinstance(type_, values.CompoundType):
        for field in type_.fields:
            # The types were looked at with the whole.
            inner = _at(field.at, _argument(field, f"{where}.{field.name}", parents))
            yield from (found for found in inner if found[0].code != "DLC233")


def _projection(
    projection: values.Value, minimal: values.Value | None, function: FunctionDef, where: str
) -> Iterator[Diagnostic]:
    names = _names(projection)
    if names is None:
        yield errors.annotation_value(where, "default_projection", "a list of names of parameters")
        return
    own = [name for argument in function.args for name in _flat(argument)]
    for name in names:
        if name not in own:
            yield errors.annotated_parameter(where, "default_projection", name, own)
    given = [argument.name for argument in function.args if argument.direction == "out"]
    always = _names(minimal) if minimal is not None else ("id",) if "id" in given else ()
    for name in always or ():
        if names and name not in names:
            yield errors.annotation_value(where, "default_projection", f"without {name}, which every result has")


def _flat(argument: values.Argument) -> Iterator[str]:
    """A parameter and the parts of a compound one, as a program names them."""
    yield argument.name
    if isinstance(argument.type, values.CompoundType):
        for field in argument.type.fields:
            yield from (f"{argument.name}.{name}" for name in _flat(field))


def _names(value: values.Value) -> tuple[str, ...] | None:
    if not isinstance(value, values.Array) or not all(isinstance(v, values.String) for v in value.values):
        return None
    return tuple(v.value for v in value.values if isinstance(v, values.String))


def _constants(annotations: Iterable[values.Annotation], where: str) -> Iterator[Diagnostic]:
    for note in annotations:
        if not is_constant(note.value):
            yield errors.annotation_value(where, note.name, "a constant", note.translatable)


def _translatable(annotations: tuple[values.Annotation, ...]) -> tuple[values.Annotation, ...]:
    return tuple(note for note in annotations if note.translatable)


def _plain(annotations: tuple[values.Annotation, ...]) -> dict[str, values.Value]:
    """Annotations by name; where one is written twice the last counts."""
    return {note.name: note.value for note in annotations if not note.translatable}


def _said(error: ClassFileError) -> tuple[str, str]:
    """The annotation and what it is, of a complaint of the class file's reader."""
    name, _, wanted = error.message.partition("] is ")
    return name.removeprefix("#["), wanted


def _same(first: values.Type, second: values.Type) -> bool:
    """Entity types need not be the same: one may be above the other."""
    if isinstance(first, values.EntityType) and isinstance(second, values.EntityType):
        return True
    if isinstance(first, values.ArrayType) and isinstance(second, values.ArrayType):
        return _same(first.element, second.element)
    if isinstance(first, values.CompoundType) and isinstance(second, values.CompoundType):
        ours, theirs = ({f.name: f.type for f in each.fields} for each in (first, second))
        return ours.keys() == theirs.keys() and all(_same(ours[name], theirs[name]) for name in ours)
    return first == second


def _text(type_: values.Type) -> str:
    return join_tokens(type_tokens(type_, Printer(False)), False)
