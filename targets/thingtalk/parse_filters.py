"""Filters. A bracket inside one may turn out to hold a filter or a value, and `condition(open_end=True)` reads either."""

from typing import Final, cast

from . import ast, parse_queries
from .ast import FILTER_CLASSES, Atom, Filter
from .lexer import NOT_A_NAME
from .parser import PRECEDENCE, Parser
from .values import Value, VarRef

INFIX: Final = frozenset(("==", ">=", "<=", "=~", "~="))
_CALLED_WORDS: Final = """
    starts_with ends_with prefix_of suffix_of contains contains~ ~contains in_array in_array~ ~in_array
"""
CALLED: Final = frozenset(_CALLED_WORDS.split())


def filter_only(p: Parser) -> Filter:
    """A filter."""
    return cast(Filter, condition(p))


def condition(p: Parser, open_end: bool = False) -> Filter | Value:
    """Alternatives of conjunctions. open_end: what begins here may also be a value, and is returned as one."""
    toks = p.toks
    start = p.i
    disjuncts: list[Filter] | None = None
    conjuncts: list[Filter] = []
    while True:
        at = p.i
        token = toks[at]
        op = toks[at + 1]
        if op in INFIX and token.isidentifier() and token not in NOT_A_NAME and token.isascii():
            # The usual case, a field compared with a constant, without the calls that lead there.
            conjuncts.append(_plain(p, at))
        else:
            one = unary(p, open_end)
            if open_end and one.__class__ not in FILTER_CLASSES:
                return one
            conjuncts.append(cast(Filter, one))
        open_end = False
        token = toks[p.i]
        if token == "&&":
            p.i += 1
            continue
        if token == "||":
            p.i += 1
            disjuncts = disjuncts if disjuncts is not None else []
            disjuncts.append(_conjunction(conjuncts, start))
            conjuncts = []
            continue
        whole = _conjunction(conjuncts, start)
        if disjuncts is None:
            return whole
        disjuncts.append(whole)
        return ast.Or(tuple(disjuncts), start)


def _plain(p: Parser, at: int) -> Filter:
    """`field op value` at a token."""
    toks = p.toks
    p.i = at + 2
    if toks[at + 2] == "any":
        return _compared(p, VarRef(toks[at]), toks[at + 1], at)
    value = p.primary()
    if toks[p.i] in PRECEDENCE:
        value = p.sum(value, 1)
    return Atom(toks[at], toks[at + 1], value, at)


def unary(p: Parser, open_end: bool = False, narrow: bool = False) -> Filter | Value:
    """One filter without `&&` and `||`. narrow: in a filtered value, where the right side is no sum."""
    at = p.i
    token = p.toks[at]
    if token == "!":
        p.i += 1
        token = p.toks[p.i]
        operand = _bracketed(p) if token == "(" else _called(p, token)
        if operand is None:
            p.unexpected("`(` after `!`")
        return ast.Not(operand, at)
    called = _called(p, token)
    if called is not None:
        return called
    left = left_side(p)
    if p.toks[p.i] in PRECEDENCE:
        left = p.sum(left, 1, left_side)
    if left.__class__ in FILTER_CLASSES:
        return left
    op = p.toks[p.i]
    if op in INFIX:
        p.i += 1
        return _compared(p, left, op, at, narrow)
    if open_end:
        return p.longer(left) if op in ("of", "filter") else left
    p.unexpected("a comparison")


def left_side(p: Parser) -> Value:
    """A value before an operator; a bracket may hold a filter instead, which then is returned."""
    if p.toks[p.i] != "(":
        if p.toks[p.i] in ("true", "false"):
            p.unexpected("a value that is no constant truth")
        return p.primary()
    p.enter()
    p.i += 1
    inner = condition(p, open_end=True)
    p.expect(")")
    p.depth -= 1
    return cast(Value, inner)


def _bracketed(p: Parser) -> Filter:
    p.enter()
    p.expect("(")
    inner = filter_only(p)
    p.expect(")")
    p.depth -= 1
    return inner


def _called(p: Parser, token: str) -> Filter | None:
    """A filter that begins with a word of its own: truth, don't-care, subquery, called operator. None: no such."""
    at = p.i
    if token == "true" and p.toks[at + 1] == "(":
        p.i += 2
        name = p.path("a field")
        p.expect(")")
        return ast.DontCare(name, at)
    if token in ("true", "false"):
        p.i += 1
        return ast.Truth(token == "true", at)
    if p.toks[at + 1] != "(":
        return None
    if token == "any":
        p.i += 2
        inner = parse_queries.chain(p)
        p.expect(")")
        return ast.Existential(inner, at)
    if token not in CALLED:
        return None
    p.i += 2
    left = p.value()
    p.expect(",")
    if p.toks[p.i] == "any" and p.toks[p.i + 1] == "(":
        made = _compared(p, left, token, at)
    elif isinstance(left, VarRef):
        made = Atom(left.name, token, p.value(), at)
    else:
        made = ast.Compute(left, token, p.value(), at)
    p.expect(")")
    return made


def _compared(p: Parser, left: Value, op: str, at: int, narrow: bool = False) -> Filter:
    """The right side of a comparison."""
    if not narrow and p.toks[p.i] == "any" and p.toks[p.i + 1] == "(":
        p.enter()
        p.i += 2
        inner = parse_queries.projection(p)
        p.expect(")")
        p.depth -= 1
        return ast.ComparisonSubquery(left, op, inner, at)
    right = p.primary()
    if not narrow and p.toks[p.i] in PRECEDENCE:
        right = p.sum(right, 1)
    if isinstance(left, VarRef):
        return Atom(left.name, op, right, at)
    return ast.Compute(left, op, right, at)


def _conjunction(conjuncts: list[Filter], at: int) -> Filter:
    return conjuncts[0] if len(conjuncts) == 1 else ast.And(tuple(conjuncts), at)
