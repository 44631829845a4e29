"""S-expressions to programs. Accepts both versions of Lispress, typed or not; normalizes nothing."""

import re
from typing import Final

from .program import EMPTY, Arg, Ascribed, Atom, Call, Expr, Lambda, Let, Name, Opaque, Tagged, TypeExpr, Var
from .sexp import META, VALUE, LispressError, Sexp, is_string, openings, read, symbol_name

_LONG: Final = re.compile(r"[0-9]+L\Z")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?\Z|NaN\Z|-?Infinity\Z")
_VARIABLE: Final = re.compile(r"x[0-9]+\Z")

_Scope = frozenset[str]
_NOTHING_BOUND: Final[_Scope] = frozenset()


class _Malformed(Exception):
    """Something is wrong with one tuple of the tree; carries it so that its place in the text can be found."""

    def __init__(self, message: str, node: Sexp) -> None:
        super().__init__(message)
        self.message = message
        self.node = node


def read_program(text: str) -> Expr:
    """Read one program. Raises `LispressError` with the offset of the innermost expression that is malformed."""
    tree = read(text)
    try:
        return _expr(tree, _NOTHING_BOUND)
    except _Malformed as error:
        raise LispressError(error.message, _locate(text, tree, error.node)) from None
    except RecursionError:
        raise LispressError("nested too deep", 0) from None


def program_of(sexp: Sexp) -> Expr:
    """The program that an expression spells. Raises `LispressError` (without an offset)."""
    try:
        return _expr(sexp, _NOTHING_BOUND)
    except _Malformed as error:
        raise LispressError(error.message) from None
    except RecursionError:
        raise LispressError("nested too deep") from None


def _locate(text: str, tree: Sexp, node: Sexp) -> int:
    """The offset of `node`, one of the tuples of `tree`, in the text that `tree` was read from."""
    pending = [tree]
    places = iter(openings(text))
    while pending:
        current = pending.pop()
        if isinstance(current, tuple):
            place = next(places)
            if current is node:
                return place
            pending.extend(reversed(current[1:] if current[:1] in ((META,), (VALUE,)) else current))
    return 0


def is_long(text: str) -> bool:
    """Whether an atom is spelled as a Long literal."""
    return _LONG.match(text) is not None


def is_literal(text: str) -> bool:
    """Whether an atom that no variable shadows is spelled as a number or a truth value."""
    return text in ("true", "false") or is_long(text) or _NUMBER.match(text) is not None


def _atom(text: str, scope: _Scope) -> Expr:
    if is_string(text):
        return Atom("String", text)
    if _LONG.match(text):
        return Atom("Long", text)
    name = symbol_name(text)
    if name in scope:
        return Var(name)
    if text == "true" or text == "false":
        return Atom("Boolean", text)
    if _NUMBER.match(text):
        return Atom("Number", text)
    return Var(name) if _VARIABLE.match(text) else Name(name)


def _expr(sexp: Sexp, scope: _Scope) -> Expr:
    if isinstance(sexp, str):
        return _atom(sexp, scope)
    if not sexp:
        return EMPTY
    head = sexp[0]
    if isinstance(head, tuple):
        if len(head) == 3 and head[0] == META and isinstance(head[2], str) and not is_string(head[2]):
            types = head[1]
            if isinstance(types, str):
                raise _Malformed(f"type arguments need parentheses: ^({types})", head)
            type_args = tuple([_type(each, head) for each in types])
            return Call(symbol_name(head[2]), _args(sexp, scope), type_args)
        return Opaque(sexp)
    if head == META:
        return Ascribed(_type(sexp[1], sexp), _expr(sexp[2], scope))
    if head == VALUE:
        return _tagged(sexp)
    if head == "let":
        return _let(sexp, scope)
    if head == "lambda":
        return _lambda(sexp, scope)
    if is_string(head):
        return Opaque(sexp)
    return Call(symbol_name(head), _args(sexp, scope))


def _args(call: tuple[Sexp, ...], scope: _Scope) -> tuple[Arg, ...]:
    args: list[Arg] = []
    key: str | None = None
    for item in call[1:]:
        if isinstance(item, str) and item[0] == ":":
            if key is not None:
                args.append(Arg(key, None))
            key = symbol_name(item[1:])
        else:
            args.append(Arg(key, _expr(item, scope)))
            key = None
    if key is not None:
        args.append(Arg(key, None))
    return tuple(args)


def _type(sexp: Sexp, around: Sexp) -> TypeExpr:
    if isinstance(sexp, str):
        if is_string(sexp):
            raise _Malformed("a type is a name or a parenthesized application, not a string", around)
        return TypeExpr(symbol_name(sexp))
    if not sexp or not isinstance(sexp[0], str) or is_string(sexp[0]) or sexp[0] in (META, VALUE):
        raise _Malformed("a type begins with its name", sexp or around)
    return TypeExpr(symbol_name(sexp[0]), tuple([_type(each, sexp) for each in sexp[1:]]))


def _tagged(sexp: tuple[Sexp, ...]) -> Tagged:
    body = sexp[1]
    if not isinstance(body, tuple) or not body:
        raise _Malformed("a value is written #(Schema value)", sexp)
    schema, *values = body
    atoms = [value for value in values if isinstance(value, str)]
    if not isinstance(schema, str) or is_string(schema) or schema in (META, VALUE) or len(atoms) < len(values):
        raise _Malformed("a value is written #(Schema value), with atoms inside", sexp)
    return Tagged(symbol_name(schema), tuple(atoms))


def _let(sexp: tuple[Sexp, ...], scope: _Scope) -> Let:
    if len(sexp) < 3 or not isinstance(sexp[1], tuple):
        raise _Malformed("let is written (let (name value ...) body)", sexp)
    pairs = sexp[1]
    if len(pairs) % 2:
        raise _Malformed("let needs a value for every name", pairs)
    bindings = []
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        if not isinstance(name, str) or is_string(name) or name in (META, VALUE):
            raise _Malformed("let binds symbols", pairs)
        bindings.append((symbol_name(name), _expr(value, scope)))
        scope |= {bindings[-1][0]}
    body = [_expr(each, scope) for each in sexp[2:]]
    return Let(tuple(bindings), tuple(body))


def _lambda(sexp: tuple[Sexp, ...], scope: _Scope) -> Lambda:
    if len(sexp) != 3 or not isinstance(sexp[1], tuple) or len(sexp[1]) != 1:
        raise _Malformed("lambda is written (lambda (^T name) body)", sexp)
    param, given = sexp[1][0], None
    if isinstance(param, tuple) and len(param) == 3 and param[0] == META:
        given, param = _type(param[1], param), param[2]
    if not isinstance(param, str) or is_string(param) or param in (META, VALUE):
        raise _Malformed("lambda binds one symbol", sexp)
    name = symbol_name(param)
    return Lambda(name, given, _expr(sexp[2], scope | {name}))
