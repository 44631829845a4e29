"""Whole ThingTalk texts: dialogue states, programs, class definitions, data sets, policies, control commands."""

from collections.abc import Callable
from typing import Final, Literal, TypeVar, cast

from .ast import DialogueState, Expression, Item, Results
from .declarations import (
    ClassDef,
    Control,
    Dataset,
    EntityDef,
    Example,
    ExpressionStatement,
    FunctionDeclaration,
    FunctionDef,
    Import,
    Input,
    Let,
    Member,
    Policy,
    PolicyFunction,
    Program,
    Return,
    Statement,
)
from .parse_filters import CALLED, filter_only
from .parse_queries import chain, params
from .parse_types import annotations, arguments, typed_names
from .parser import SCALAR_FUNCTIONS, Parser
from .values import Annotation, Array, Number, Object, String, Value

_SPECIAL: Final = frozenset(["$yes", "$no", "$failed", "$train", "$debug", "$nevermind", "$stop", "$help", "$wakeup"])
Made = TypeVar("Made")
_EXAMPLE_KINDS: Final = frozenset(("stream", "query", "action", "program"))


def parse(text: str, tokenized: bool = False) -> Input:
    """A ThingTalk text in the normal or the tokenized syntax. Raises ThingTalkSyntaxError and nothing else."""
    p = Parser(text, tokenized)
    made = _input(p)
    if p.toks[p.i]:
        p.unexpected("the end of the text")
    return made


def parse_dialogue(text: str, tokenized: bool = False) -> DialogueState:
    """A dialogue state. Raises ThingTalkSyntaxError, also if the text is another kind of program."""
    p = Parser(text, tokenized)
    if p.toks[0] != "$dialogue":
        p.unexpected("`$dialogue`")
    made = _dialogue(p)
    if p.toks[p.i]:
        p.unexpected("a statement")
    return made


def _input(p: Parser) -> Input:
    token = p.toks[p.i]
    if token == "$dialogue":
        return _dialogue(p)
    if token == "$policy":
        return _policy(p)
    if token in _SPECIAL:
        p.i += 1
        p.expect(";")
        return Control(token[1:])
    if token in ("$choice", "$answer"):
        return _control(p, token)
    return _program(p)


def _control(p: Parser, token: str) -> Input:
    p.i += 1
    p.expect("(")
    value: Value = Number(p.literal_number()) if token == "$choice" else p.value()
    p.expect(")")
    p.expect(";")
    return Control(token[1:], value)


# ---------------------------------------------------------------- dialogue states


def _dialogue(p: Parser) -> DialogueState:
    p.i += 1
    policy, act = p.function_name()
    said: tuple[Value, ...] | None = None
    if p.take("("):
        said = p.values()
        p.expect(")")
    noted = annotations(p)
    p.expect(";")
    toks = p.toks
    items: list[Item] = []
    while toks[p.i]:
        items.append(_item(p))
    return DialogueState(policy, act, said, tuple(items), noted)


def _item(p: Parser) -> Item:
    at = p.i
    expression = statement_expression(p)
    confirm, results, noted = standing(p, at)
    return Item(expression, confirm, results, noted, at)


def alone(text: str, read: Callable[[Parser], Made]) -> Made:
    """A text of the tokenized syntax that is one piece of a program, as `read` reads it. Raises ThingTalkSyntaxError."""
    p = Parser(text, True)
    made = read(p)
    if p.toks[p.i]:
        p.unexpected("the end of the text")
    return made


def standing(p: Parser, at: int = 0) -> tuple[str, Results | None, tuple[Annotation, ...]]:
    """What stands after a statement of a dialogue state, `;` included: status, results, other annotations."""
    if p.toks[p.i] == ";":
        p.i += 1
        return "accepted", None, ()
    if p.toks[p.i] == "#[" and p.toks[p.i + 1] == "confirm":
        p.i += 2
        p.expect("=")
        confirm = p.enum_member()
        p.expect("]")
        noted = annotations(p)
        for annotation in noted:
            if not annotation.translatable and annotation.name in ("confirm", "results", "more", "count", "error"):
                p.fail(f"#[{annotation.name}] cannot stand beside #[confirm]", at)
        p.expect(";")
        return confirm, None, noted
    results, noted = _results(p)
    p.expect(";")
    return "confirmed", results, noted


def _results(p: Parser) -> tuple[Results, tuple[Annotation, ...]]:
    """The annotations of an executed statement, in any order."""
    at = p.i
    known: dict[str, Value | tuple[Object, ...]] = {}
    noted: list[Annotation] = []
    while (token := p.toks[p.i]) in ("#[", "#_["):
        p.i += 1
        name = p.name("the name of an annotation")
        p.expect("=")
        if token == "#[" and name in ("results", "count", "more", "error"):
            if name in known:
                p.fail(f"#[{name}] is written twice")
            if name == "more" and p.toks[p.i] != "true":
                p.unexpected("`true`")
            known[name] = _rows(p) if name == "results" else p.value()
        elif token == "#[" and name == "confirm":
            p.fail("#[confirm] cannot stand beside #[results]")
        else:
            noted.append(Annotation(name, p.value(), token == "#_["))
        p.expect("]")
    rows = known.get("results")
    if not isinstance(rows, tuple):
        if p.i == at:
            p.unexpected("`;`, `=>`, `filter` or an annotation")
        p.fail("a statement that was executed has #[results]", at)
    count, error = cast(Value | None, known.get("count")), cast(Value | None, known.get("error"))
    return Results(rows, count, "more" in known, error), tuple(noted)


def _rows(p: Parser) -> tuple[Object, ...]:
    p.expect("[")
    found: list[Object] = []
    while p.toks[p.i] != "]" if not found else p.take(","):
        found.append(p.object())
    p.expect("]")
    return tuple(found)


# ---------------------------------------------------------------- programs


def _program(p: Parser) -> Program:
    noted = annotations(p)
    found: list[Statement] = []
    while p.toks[p.i] or not found:
        found.append(_toplevel(p))
    if any(isinstance(s, Dataset) for s in found) and not all(isinstance(s, Dataset | ClassDef) for s in found):
        p.fail("a data set cannot stand beside statements", 0)
    return Program(tuple(found), noted)


def _toplevel(p: Parser) -> Statement:
    token = p.toks[p.i]
    if token in ("class", "abstract"):
        return class_definition(p)
    if token == "dataset":
        return _dataset(p)
    return cast(Statement, _statement(p))


def _statement(p: Parser, inside: bool = False) -> ExpressionStatement | Let | Return | FunctionDeclaration:
    at = p.i
    token = p.toks[at]
    if token == "function":
        return _function(p)
    if token == "let" or (inside and token == "return"):
        p.i += 1
        p.wraps = 0
        name = ""
        if token == "let":
            name = p.name()
            p.expect("=")
        inner = chain(p)
        p.expect(";")
        return Let(name, inner, at) if token == "let" else Return(inner, at)
    expression = statement_expression(p)
    p.expect(";")
    return ExpressionStatement(expression, at)


def statement_expression(p: Parser) -> Expression:
    """An expression, also in the old forms with `now =>` before and `=> notify` after it."""
    p.wraps = 0
    if p.toks[p.i] == "now":
        p.i += 1
        p.expect("=>")
    made = chain(p)
    if p.toks[p.i] == "=>":
        p.i += 1
        p.expect("notify")
    return made


def _function(p: Parser) -> FunctionDeclaration:
    at = p.i
    p.enter()
    p.i += 1
    if p.toks[p.i] in CALLED or p.toks[p.i] in SCALAR_FUNCTIONS:
        p.unexpected("a name that is no operator's")
    name = p.name("the name of a function")
    taken = typed_names(p)
    noted = annotations(p)
    p.expect("{")
    body = [_statement(p, inside=True)]
    while p.toks[p.i] != "}":
        body.append(_statement(p, inside=True))
    p.i += 1
    p.depth -= 1
    return FunctionDeclaration(name, taken, tuple(body), noted, at)


# ---------------------------------------------------------------- classes


def class_definition(p: Parser) -> ClassDef:
    """`class @name ... { ... }` at the current token."""
    abstract = p.take("abstract")
    p.expect("class")
    at = p.i
    name = p.class_name()
    extends: list[str] = []
    if p.take("extends"):
        extends.append(p.class_name())
        while p.take(","):
            extends.append(p.class_name())
    noted = annotations(p)
    p.expect("{")
    members: list[Member] = []
    while p.toks[p.i] != "}":
        members.append(_member(p))
    p.i += 1
    return ClassDef(name, tuple(members), tuple(extends), noted, abstract, at)


def _member(p: Parser) -> Member:
    p.wraps = 0
    token = p.toks[p.i]
    if token == "import":
        at = p.i
        p.i += 1
        facets = _names(p)
        p.expect("from")
        module = p.class_name()
        given = params(p)
        p.expect(";")
        return Import(facets, module, given, at)
    if token == "entity":
        p.i += 1
        at = p.i
        name = p.name("the name of an entity type")
        parents = [_parent(p)] if p.take("extends") else []
        while parents and p.take(","):
            parents.append(_parent(p))
        noted = annotations(p)
        p.expect(";")
        return EntityDef(name, tuple(parents), noted, at)
    return _function_definition(p)


def _parent(p: Parser) -> str:
    return p.entity_type() if p.toks[p.i][:2] == "^^" else p.name("an entity type")


def _names(p: Parser) -> tuple[str, ...]:
    found = [p.name()]
    while p.take(","):
        found.append(p.name())
    return tuple(found)


def _function_definition(p: Parser) -> FunctionDef:
    is_list = is_monitorable = False
    while (token := p.toks[p.i]) in ("list", "monitorable"):
        if is_list if token == "list" else is_monitorable:
            p.unexpected("`query` or `action`")
        is_list, is_monitorable = is_list or token == "list", is_monitorable or token == "monitorable"
        p.i += 1
    if token != "query" and (token != "action" or is_monitorable):
        p.unexpected("`import`, `entity`, `query` or `action`")
    p.i += 1
    at = p.i
    name = p.name("the name of a function")
    extends = _names(p) if p.take("extends") else ()
    args = arguments(p)
    noted = annotations(p)
    p.expect(";")
    kind = cast(Literal["query", "action"], token)
    return FunctionDef(kind, name, args, extends, is_list, is_monitorable, noted, at)


# ---------------------------------------------------------------- data sets


def _dataset(p: Parser) -> Dataset:
    p.i += 1
    name = p.class_name()
    language = p.string() if p.take("language") else None
    noted = annotations(p)
    p.expect("{")
    examples: list[Example] = []
    while p.toks[p.i] != "}":
        examples.append(_example(p))
    p.i += 1
    return Dataset(name, tuple(examples), language, noted)


def _example(p: Parser) -> Example:
    kind = p.toks[p.i]
    if kind not in _EXAMPLE_KINDS:
        p.unexpected("`stream`, `query`, `action` or `program`")
    p.i += 1
    p.wraps = 0
    taken = typed_names(p) if p.toks[p.i] == "(" else ()
    if not p.take(":="):
        p.expect("=")
    braced = kind == "program" and p.take("{")
    expression = chain(p)
    if braced:
        p.expect("}")
    at = p.i
    noted = annotations(p)
    for annotation in noted:
        _check_example_annotation(p, annotation, at)
    p.expect(";")
    return Example(cast(Literal["stream", "query", "action", "program"], kind), taken, expression, noted)


def _check_example_annotation(p: Parser, annotation: Annotation, at: int) -> None:
    if annotation.translatable:
        if annotation.name not in ("utterances", "preprocessed"):
            p.fail(f"#_[{annotation.name}] says nothing of an example; utterances and preprocessed do", at)
        if not isinstance(annotation.value, Array | String):
            p.fail(f"#_[{annotation.name}] is a list of strings", at)
    elif annotation.name == "id" and not isinstance(annotation.value, Number):
        p.fail("#[id] is a number", at)


# ---------------------------------------------------------------- policies


def _policy(p: Parser) -> Policy:
    p.i += 1
    p.expect("{")
    principal = filter_only(p)
    p.expect(":")
    query = None if p.take("now") else _policy_function(p)
    p.expect("=>")
    at = p.i
    action = None if p.take("notify") else _policy_function(p)
    if query is None and action is None:
        p.fail("a policy says what may be asked or done", at)
    p.expect(";")
    p.expect("}")
    return Policy(principal, query, action)


def _policy_function(p: Parser) -> PolicyFunction:
    if p.take("*"):
        return PolicyFunction(None, None)
    if p.toks[p.i + 1] == "." and p.toks[p.i + 2] == "*":
        kind = p.class_name()
        p.i += 2
        return PolicyFunction(kind, None)
    kind, function = p.function_name()
    filtered = p.toks[p.i] in ("filter", ",")
    p.i += filtered
    return PolicyFunction(kind, function, filter_only(p) if filtered else None)
