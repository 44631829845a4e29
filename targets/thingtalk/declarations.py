"""Programs, class definitions and the other things a ThingTalk text can be.

`at` is the index of a node's first token, or of the name it defines, and no part of equality (as in `ast`).
"""

from dataclasses import field
from typing import Literal, TypeAlias

from ...compiler.node import node
from .ast import DialogueState, Expression, Filter, InputParam
from .values import Annotation, Argument, Type, Value

# ---------------------------------------------------------------- classes


@node
class Import:
    """`import loader from @module(params);`."""

    facets: tuple[str, ...]
    module: str
    params: tuple[InputParam, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)


@node
class EntityDef:
    """`entity Name extends ^^class:Parent, Local;`; a parent of another class is `class:Parent`."""

    name: str
    extends: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)


@node
class FunctionDef:
    """`monitorable list query name extends a, b(...);` or `action ...`."""

    kind: Literal["query", "action"]
    name: str
    args: tuple[Argument, ...] = ()
    extends: tuple[str, ...] = ()
    is_list: bool = False
    is_monitorable: bool = False
    annotations: tuple[Annotation, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)


Member: TypeAlias = Import | EntityDef | FunctionDef


@node
class ClassDef:
    """`abstract class @name extends @a, @b { members }`, members in the order of the text."""

    name: str
    members: tuple[Member, ...] = ()
    extends: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    abstract: bool = False
    at: int = field(default=-1, compare=False, repr=False)


# ---------------------------------------------------------------- statements


@node
class ExpressionStatement:
    """`expression;`. The old `now => e` and `e => notify` are `e`."""

    expression: Expression
    at: int = field(default=-1, compare=False, repr=False)


@node
class Let:
    """`let name = expression;`."""

    name: str
    expression: Expression
    at: int = field(default=-1, compare=False, repr=False)


@node
class Return:
    """`return expression;` inside a function."""

    expression: Expression
    at: int = field(default=-1, compare=False, repr=False)


@node
class FunctionDeclaration:
    """`function name(a : Type) { statements }`."""

    name: str
    params: tuple[tuple[str, Type], ...]
    body: tuple["ExpressionStatement | Let | Return | FunctionDeclaration", ...]
    annotations: tuple[Annotation, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)


@node
class Example:
    """One line of a data set: `query (p : String) = expression #_[utterances=["..."]];`."""

    kind: Literal["stream", "query", "action", "program"]
    params: tuple[tuple[str, Type], ...]
    expression: Expression
    annotations: tuple[Annotation, ...] = ()


@node
class Dataset:
    """`dataset @name language "en" { examples }`."""

    name: str
    examples: tuple[Example, ...] = ()
    language: str | None = None
    annotations: tuple[Annotation, ...] = ()


Statement: TypeAlias = ClassDef | Dataset | FunctionDeclaration | ExpressionStatement | Let


@node
class Program:
    """Statements in the order of the text; of class definitions only, it is a library."""

    statements: tuple[Statement, ...]
    annotations: tuple[Annotation, ...] = ()


# ---------------------------------------------------------------- policies and commands


@node
class PolicyFunction:
    """`@kind.function filter f`; function None: `@kind.*`; kind None too: `*`."""

    kind: str | None
    function: str | None
    filter: Filter | None = None


@node
class Policy:
    """`$policy { principal : query => action; }`; query None: `now`; action None: `notify`."""

    principal: Filter
    query: PolicyFunction | None
    action: PolicyFunction | None


@node
class Control:
    """`$yes;`, `$stop;` and the like; name without `$`. `$choice(n)` and `$answer(v)` have a value."""

    name: str
    value: Value | None = None


Input: TypeAlias = Program | DialogueState | Policy | Control
