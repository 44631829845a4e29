"""What may come next: after any prefix of printed DL, the terminals and the finite set of expected types.

A placeholder is put at the cut, the program is finished the shortest way, and inference says what type the
placeholder must have. If nothing decides it, its constraints and the schema's types do.
"""

from dataclasses import dataclass
from functools import cache

from ..grammar.diagnostic import CompileError
from ..grammar.lexer import Token
from ..grammar.ll1 import load_table
from ..grammar.parser import expected_after, parse_tokens, stack_after
from ..grammar.rules import END, Production, load_grammar
from .check import Checker
from .classes import has_class
from .lower import lower_program
from .schema import Schema
from .types import BOOL, BUILTIN_TYPES, Con, Constraint, Type, TypeVar, resolve, zonk

_CUT = 999_999_999


@dataclass(frozen=True, slots=True)
class Expected:
    """Terminals that may follow, and the types a value may have here (empty: no value can stand here)."""

    terminals: frozenset[str]
    types: frozenset[Type]


def expected_at(prefix: list[Token], checker: Checker) -> Expected:
    """What may follow `prefix` (tokens of one program, without END)."""
    terminals = expected_after(prefix)
    if "HOLE" not in terminals:
        return Expected(terminals, frozenset())
    cut = [*prefix, Token("HOLE", f"${_CUT}", 0, 0)]
    tokens = [*cut, *_completion(stack_after(cut)), Token(END, "", 0, 0)]
    try:
        turns, _ = lower_program(parse_tokens(tokens))
    except CompileError:
        return Expected(terminals, frozenset(ground_types(checker.schema)))
    found = checker.placeholder_type(turns[-1], _CUT)
    types = _possible(found, checker.schema)
    if BOOL in types and "EQ" in expected_after(cut):
        comparable = Constraint("Eq")
        types |= {t for t in ground_types(checker.schema) if has_class(checker.schema, t, comparable)}
    return Expected(terminals, types)


def _possible(found: Type | None, schema: Schema) -> frozenset[Type]:
    types = ground_types(schema)
    if found is None:
        return frozenset(types)
    found = resolve(found)
    if isinstance(found, TypeVar):
        wanted = [c for c in found.constraints if c.kind not in ("hole", "unknown", "field")]
        return frozenset(t for t in types if all(has_class(schema, t, c) for c in wanted))
    found = zonk(found)
    below = [Con(e.name) for e in schema.entities if isinstance(found, Con) and found.name in schema.supertypes(e.name)]
    return frozenset((found, *below))


def ground_types(schema: Schema) -> list[Type]:
    """The schema's types without arguments: what an undecided value may be."""
    names = [n for n, arity in BUILTIN_TYPES.items() if arity == 0]
    declared = (*schema.enum, *schema.entity, *schema.wrapper, *schema.table)
    return [Con(name) for name in dict.fromkeys((*names, *declared))]


# Dear terminals are avoided, a placeholder is welcome wherever a value may stand.
_TEXT = {"NAME": "x", "LABEL": "x:", "FIELD": ".x", "STR": '""', "HOLE": "$0", "NUMBER": "0"}
_PRICE = {"HOLE": 1, "NAME": 4, "FIELD": 4, "LABEL": 4}


@cache
def _cheapest() -> dict[str, tuple[int, Production]]:
    """For each nonterminal its cheapest production, by a fixpoint over prices."""
    best: dict[str, tuple[int, Production]] = {}
    grown = True
    while grown:
        grown = False
        for production in load_grammar().productions:
            price = 0
            for symbol in production.symbols:
                if symbol.terminal:
                    price += _PRICE.get(symbol.name, 2)
                elif symbol.name in best:
                    price += best[symbol.name][0]
                else:
                    break
            else:
                known = best.get(production.origin)
                if known is None or price < known[0]:
                    best[production.origin] = (price, production)
                    grown = True
    return best


def _completion(stack: list[str]) -> list[Token]:
    tokens: list[Token] = []
    nonterminals = load_table().predict
    fixed = load_grammar().fixed
    todo = list(stack)
    while todo:
        top = todo.pop()
        if top in nonterminals:
            todo.extend(s.name for s in reversed(_cheapest()[top][1].symbols))
        else:
            tokens.append(Token(top, fixed.get(top) or _TEXT.get(top, "x"), 0, 0))
    return tokens
