"""Class files (`.tt`): class definitions with the annotations that mean something, and back to text.

Annotations that have no field here are kept in the tree, whatever they are, and printed back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from .declarations import ClassDef, EntityDef, FunctionDef, Member, Program
from .lexer import ThingTalkSyntaxError, token_span
from .print_programs import class_head, class_member, entity_head, function_head
from .print_types import annotation_tokens, argument_tokens
from .printer import Printer, join_tokens
from .programs import parse
from .values import Annotation, Argument, Array, Boolean, Currency, Enum, Measure, Number, Object, String, Value


class ClassFileError(ValueError):
    """A class file whose annotations or definitions do not fit together. `where` names the class and member."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(f"{where}: {message}")
        self.message = message
        self.where = where


@dataclass(frozen=True, slots=True)
class ArgumentFacts:
    """What the annotations of a parameter or result say.

    filterable: may stand in a filter. unique: names its row. conflict_filter: fields that are dropped from a filter when
    this one is added. slot_operator: the comparison that a bare value means, `==` if None. min_number, max_number: bounds
    of the value, both included. string_values: the list of values a text is taken from.
    """

    filterable: bool = True
    unique: bool = False
    conflict_filter: tuple[str, ...] = ()
    slot_operator: str | None = None
    min_number: int | float | None = None
    max_number: int | float | None = None
    string_values: str | None = None
    canonical: Value | None = None


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """What the annotations of a function say.

    minimal_projection: fields that every result has (None: not said). confirm: whether the user is asked before it runs
    (None: not said). require_either: groups of which one field must be given. on_error: error codes with their texts.
    """

    minimal_projection: tuple[str, ...] | None = None
    confirm: bool | None = None
    require_either: tuple[tuple[str, ...], ...] = ()
    on_error: tuple[tuple[str, Value], ...] = ()
    canonical: Value | None = None


@dataclass(frozen=True, slots=True)
class ClassFile:
    """Class definitions and the ways to find things in them.

    functions: by class and name. parents: supertypes of entity types, both as `class:name`.
    """

    classes: tuple[ClassDef, ...]
    functions: Mapping[tuple[str, str], FunctionDef]
    parents: Mapping[str, tuple[str, ...]]

    def arguments(self, kind: str, function: str) -> tuple[Argument, ...]:
        """Arguments of a function after those of the functions it extends; of one name, the last counts.

        Raises KeyError if the class has no such function.
        """
        order: list[str] = []
        seen = {function}
        stack = [(function, iter(self.functions[kind, function].extends))]
        while stack:
            name, above = stack[-1]
            parent = next(above, None)
            if parent is None:
                stack.pop()
                order.append(name)
            elif parent not in seen:
                seen.add(parent)
                stack.append((parent, iter(self.functions[kind, parent].extends)))
        found: dict[str, Argument] = {}
        for name in order:
            for argument in self.functions[kind, name].args:
                found.pop(argument.name, None)
                found[argument.name] = argument
        return tuple(found.values())


def read_class_file(text: str) -> ClassFile:
    """A class file, normal syntax. Raises ThingTalkSyntaxError and ClassFileError."""
    return class_file(parse_classes(text))


def parse_classes(text: str) -> tuple[ClassDef, ...]:
    """The definitions of a class file as written. Raises ThingTalkSyntaxError."""
    made = parse(text)
    if not isinstance(made, Program) or not all(isinstance(s, ClassDef) for s in made.statements):
        raise ThingTalkSyntaxError("a class file has class definitions only", *token_span(text, 0, False))
    return tuple(s for s in made.statements if isinstance(s, ClassDef))


def class_file(classes: tuple[ClassDef, ...]) -> ClassFile:
    """Index class definitions. Raises ClassFileError for a name defined twice or a function that extends itself."""
    functions: dict[tuple[str, str], FunctionDef] = {}
    parents: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for definition in classes:
        if definition.name in seen:
            raise ClassFileError("this class is defined twice", f"@{definition.name}")
        seen.add(definition.name)
        for member in definition.members:
            match member:
                case FunctionDef(name=name):
                    if (definition.name, name) in functions:
                        raise ClassFileError("this function is defined twice", f"@{definition.name}.{name}")
                    functions[definition.name, name] = member
                case EntityDef(name, extends):
                    entity = f"{definition.name}:{name}"
                    if entity in parents:
                        raise ClassFileError("this entity type is defined twice", f"^^{entity}")
                    parents[entity] = tuple(e if ":" in e else f"{definition.name}:{e}" for e in extends)
    _check_extends(functions)
    return ClassFile(classes, functions, parents)


def _check_extends(functions: Mapping[tuple[str, str], FunctionDef]) -> None:
    """Each function is looked at once, without recursion: a chain of them may be as long as a file."""
    done: set[tuple[str, str]] = set()
    for key in functions:
        if key in done:
            continue
        stack = [(key, iter(functions[key].extends))]
        open_ = {key}
        while stack:
            (kind, name), above = stack[-1]
            parent = next(above, None)
            if parent is None:
                stack.pop()
                open_.discard((kind, name))
                done.add((kind, name))
            elif (kind, parent) in open_:
                raise ClassFileError(f"extends itself by way of {parent}", f"@{kind}.{key[1]}")
            elif (kind, parent) not in done:
                if (kind, parent) not in functions:
                    raise ClassFileError(f"extends {parent}, which the class has not", f"@{kind}.{name}")
                open_.add((kind, parent))
                stack.append(((kind, parent), iter(functions[kind, parent].extends)))


# ---------------------------------------------------------------- annotations


def argument_facts(argument: Argument, where: str = "") -> ArgumentFacts:
    """What the annotations of an argument say. Raises ClassFileError for a value of the wrong kind."""
    notes = _Notes(argument.annotations, f"{where}.{argument.name}" if where else argument.name)
    operator = notes.text("slot_operator")
    return ArgumentFacts(
        filterable=notes.truth("filterable") is not False,
        unique=notes.truth("unique") is True,
        conflict_filter=notes.texts("conflict_filter") or (),
        slot_operator=operator,
        min_number=notes.number("min_number"),
        max_number=notes.number("max_number"),
        string_values=notes.text("string_values"),
        canonical=notes.translatable.get("canonical"),
    )


def function_facts(function: FunctionDef, where: str = "") -> FunctionFacts:
    """What the annotations of a function say. Raises ClassFileError for a value of the wrong kind."""
    notes = _Notes(function.annotations, f"{where}.{function.name}" if where else function.name)
    errors = notes.translatable.get("on_error")
    if errors is not None and not isinstance(errors, Object):
        notes.wrong("on_error", "an object of error codes")
    return FunctionFacts(
        minimal_projection=notes.texts("minimal_projection"),
        # `#[confirm=enum display_result]` asks in another way; whether it asks is not said.
        confirm=None if isinstance(notes.plain.get("confirm"), Enum) else notes.truth("confirm"),
        require_either=notes.groups("require_either"),
        on_error=errors.fields if isinstance(errors, Object) else (),
        canonical=notes.translatable.get("canonical"),
    )


class _Notes:
    """Annotations by name; where one is written twice the last counts, as in the reference."""

    def __init__(self, annotations: tuple[Annotation, ...], where: str) -> None:
        self.plain = {a.name: a.value for a in annotations if not a.translatable}
        self.translatable = {a.name: a.value for a in annotations if a.translatable}
        self.where = where

    def wrong(self, name: str, wanted: str) -> NoReturn:
        raise ClassFileError(f"#[{name}] is {wanted}", self.where)

    def truth(self, name: str) -> bool | None:
        value = self.plain.get(name)
        if value is not None and not isinstance(value, Boolean):
            self.wrong(name, "true or false")
        return value.value if isinstance(value, Boolean) else None

    def number(self, name: str) -> int | float | None:
        value = self.plain.get(name)
        if isinstance(value, Measure | Currency):
            # A bound with a unit stays in the tree: DL's bounds are of plain numbers.
            return None
        if value is not None and not isinstance(value, Number):
            self.wrong(name, "a number")
        return value.value if isinstance(value, Number) else None

    def text(self, name: str) -> str | None:
        value = self.plain.get(name)
        if value is not None and not isinstance(value, String):
            self.wrong(name, "a string")
        return value.value if isinstance(value, String) else None

    def texts(self, name: str) -> tuple[str, ...] | None:
        value = self.plain.get(name)
        return None if value is None else self._strings(name, value)

    def groups(self, name: str) -> tuple[tuple[str, ...], ...]:
        value = self.plain.get(name)
        if value is None:
            return ()
        if not isinstance(value, Array):
            self.wrong(name, "a list of lists of names")
        return tuple(self._strings(name, each) for each in value.values)

    def _strings(self, name: str, value: Value) -> tuple[str, ...]:
        if not isinstance(value, Array) or not all(isinstance(each, String) for each in value.values):
            self.wrong(name, "a list of names")
        return tuple(each.value for each in value.values if isinstance(each, String))


# ---------------------------------------------------------------- text


def class_text(definition: ClassDef) -> str:
    """A class definition on lines of its own, as a person would lay it out; it reads back as the same tree."""
    p = Printer(tokenized=False)
    class_head(p, definition)
    lines = [p.text(), *_annotation_lines(definition.annotations, "")]
    members = [_member_text(member) for member in definition.members]
    body = "\n\n".join(members)
    return "\n".join(lines) + (" {\n" + body + "\n}\n" if members else " {\n}\n")


def class_file_text(classes: tuple[ClassDef, ...]) -> str:
    """Class definitions one after another."""
    return "\n".join(class_text(each) for each in classes)


def _annotation_lines(annotations: tuple[Annotation, ...], indent: str) -> list[str]:
    p = Printer(tokenized=False)
    return [indent + join_tokens(annotation_tokens((each,), p), tokenized=False) for each in annotations]


_INDENT: Final = "  "


def _member_text(member: Member) -> str:
    p = Printer(tokenized=False)
    if isinstance(member, FunctionDef):
        function_head(p, member)
        head = _INDENT + p.text()
        args = [join_tokens(argument_tokens(argument, p), tokenized=False) for argument in member.args]
        lines = [head + (",\n" + " " * len(head)).join(args) + ")"]
        return "\n".join([*lines, *_annotation_lines(member.annotations, _INDENT)]) + ";"
    if isinstance(member, EntityDef):
        entity_head(p, member)
        return "\n".join([_INDENT + p.text(), *_annotation_lines(member.annotations, _INDENT * 2)]) + ";"
    class_member(p, member)
    return _INDENT + p.text()
