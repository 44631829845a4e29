"""Samples of DL: from which models, how they are begun, what they must show, the judge; and gold for a schema that has
little of its own."""

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from sampling import BOUND, CUT, NGRAM, PLAIN, RANDOM, RARE, UNIFORM, WHOLE, Measures, Setting

from dlc.compiler.check import Checker, prelude
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema import Schema
from dlc.compiler.spelling import quote_name
from dlc.grammar.lexer import Token, tokenize
from dlc.grammar.ll1 import load_table
from dlc.grammar.rules import Production, Symbol, load_grammar
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.dl_instances import mentions

LET = "user: let x0 ="
SHARES = {
    (NGRAM, WHOLE): 62, (NGRAM, BOUND): 5, (NGRAM, CUT): 7, (NGRAM, RARE): 16, (UNIFORM, PLAIN): 3, (UNIFORM, CUT): 2,
    (RANDOM, PLAIN): 3, (RANDOM, CUT): 2,
}  # fmt: skip
"""Kinds of samples in percent."""


def setting(name: str, schema: Schema, gold: Sequence[str], budgets: tuple[int, int]) -> Setting:
    """A schema, programs over it, a tokenizer trained on them, a decoder."""
    from tokenizers_of import trained

    tokenizer = trained("bytes split", gold, 2000)
    checker = Checker(schema)
    return Setting(
        name,
        ConstrainedDecoder(schema=schema, tokenizer=tokenizer, executor="cpu"),
        lambda text: tokenizer(text, add_special_tokens=False)["input_ids"],
        gold,
        LET,
        lambda texts: list(judged(texts, checker)),
        measures([schema]),
        SHARES,
        budgets,
        "user:",
    )


# ---------------------------------------------------------------- what samples show

# By the kind of the token: what it is called, what its text is like, and a text that begins so.
_LITERALS = {
    "number": ("NUMBER", r"\d+", "7"), "decimal number": ("NUMBER", r"\d+\.\d+", "7.5"), "negative number": ("NUMBER", r"-.*", "-7"),
    "number with an exponent": ("NUMBER", r".*e.*", "7e2"), "int": ("INT", r"\d.*", "7L"), "negative int": ("INT", r"-.*", "-7L"),
    "quantity": ("QUANTITY", r"\d.*", "7"), "negative quantity": ("QUANTITY", r"-.*", "-7"), "date": ("DATE", r".*", "2024-03-05"),
    "time": ("TIME", r".*", "10:15"), "time with seconds": ("TIME", r".*:.*:.*", "10:15:30"),
    "datetime": ("DATETIME", r".*", "2024-03-05T10:15"), "datetime with seconds": ("DATETIME", r".*T.*:.*:.*", "2024-03-05T10:15:30"),
    "text": ("STR", r'"[^"\\].*', '"a'), "empty text": ("STR", r'""', '""'), "text with an escape": ("STR", r".*\\.*", '"\\'),
    "text beyond ASCII": ("STR", r".*[^\x00-\x7f].*", '"\u00e9'), "entity by name": ("ENT", r'@"(?!.*"#").*', '@"a"'),
    "entity by key": ("ENT", r"@#.*", '@#"a'), "entity by both": ("ENT", r'@".*"#".*', '@"a"#"'), "placeholder": ("HOLE", r".*", "$1"), "not equal": ("CMP", "!=", "!="), "at most": ("CMP", "<=", "<="),
    "at least": ("CMP", ">=", ">="), "more": ("CMP", ">", ">"), "alike": ("CMP", "~", "~"), "not alike": ("CMP", "!~", "!~"),
    "name in quotes": ("NAME", "`.*", "`a"),
}  # fmt: skip
_EXAMPLES = {"NUMBER": "7", "INT": "7L", "QUANTITY": "7min", "DATE": "2024-03-05", "TIME": "10:15", "STR": '"',
             "DATETIME": "2024-03-05T10:15", "ENT": '@"', "HOLE": "$1", "FIELD": ".", "CMP": "!="}  # fmt: skip
OUTSIDE = frozenset((
    "expr: fn NAME => expr", "unary: - unary", "_braces: field _fields_tail", "_braces: nothing", "_ascription: ascription",
    "ascription: : type", "_targs: targs", "targs: [ type _types ]", "_types: , type _types", "_types: nothing",
    "_then: ( query )", "_direction: nothing", "transform", "substitute",
))  # fmt: skip
"""What the decoder's language leaves out (docs/decoding.md): lambdas, ascriptions, type arguments, records as values, signs
before what is no literal, `then` a query, an order not named (the printer names it), functions with two hidden type
variables."""


def _spelled_production(production: Production) -> str:
    right = " ".join(s.name if not s.terminal else load_grammar().fixed.get(s.name, s.name) for s in production.symbols)
    return f"{production.origin}: {right or 'nothing'}"


def _reachable() -> list[Production]:
    grammar = load_grammar()
    todo, seen = ["program"], {"program"}
    found: list[Production] = []
    while todo:
        for production in grammar.of[todo.pop()]:
            found.append(production)
            for symbol in production.symbols:
                if not symbol.terminal and symbol.name not in seen:
                    seen.add(symbol.name)
                    todo.append(symbol.name)
    return found


def _text(symbol: Symbol) -> str:
    return load_grammar().fixed.get(symbol.name, _EXAMPLES.get(symbol.name, "")) if symbol.terminal else ""


def _begins(production: Production) -> list[str]:
    """Texts that a production begins with: its first token, and the second where that is a fixed word."""
    first, *others = production.symbols
    if not first.terminal:
        return [text for other in load_grammar().of[first.name] if other.symbols for text in _begins(other)][:12]
    second = load_grammar().fixed.get(others[0].name, "") if others else ""
    return [f"{_text(first)} {second}".strip()] if _text(first) else []


def _around(origin: str) -> list[str]:
    """Texts in which a rule is empty: the tokens around it."""
    found = []
    for production in load_grammar().productions:
        for before, symbol, after in zip(
            production.symbols, production.symbols[1:], production.symbols[2:], strict=False
        ):
            if symbol.name == origin and _text(before) and _text(after):
                found += [_text(before) + _text(after), f"{_text(before)} {_text(after)}"]
    return found


def productions(tokens: Sequence[Token]) -> Iterator[Production]:
    """The productions of the grammar by which a program is read."""
    predict, stack = load_table().predict, ["program"]
    for token in tokens:
        while stack and stack[-1] in predict:
            production = predict[stack.pop()][token.kind]
            yield production
            stack.extend(symbol.name for symbol in reversed(production.symbols))
        if stack:
            stack.pop()


def measures(schemas: Sequence[Schema]) -> Measures:
    """Productions of the grammar, kinds of literals, functions of the prelude and of the schemas."""
    functions = {f.name: f for schema in (prelude(), *schemas) for f in schema.functions}
    shared = frozenset(
        name for name, f in functions.items()
        if any(sum(mentions(p.type, t) for p in f.params) > 1 for t, _ in f.tparams)
    )  # fmt: skip
    wanted: dict[str, list[str]] = {}
    for production in _reachable():
        texts = _begins(production) if production.symbols else _around(production.origin)
        wanted[_spelled_production(production)] = [space + text for text in texts for space in ("", " ")]
    for name, (_, _, text) in _LITERALS.items():
        wanted[name] = [text, f" {text}"]
    for name in functions:
        wanted[name] = [space + quote_name(name) + end for end in ("(", ";") for space in ("", " ")]
    if not any(quote_name(name).startswith("`") for name in _names(schemas)):
        del wanted["name in quotes"]
    wanted["variable"] = ["x0", " x0"]
    wanted = {name: texts for name, texts in wanted.items() if name not in OUTSIDE}
    patterns = {name: (kind, re.compile(pattern)) for name, (kind, pattern, _) in _LITERALS.items()}

    @functools.lru_cache(100_000)
    def has(text: str) -> frozenset[str]:
        tokens = tokenize(text)
        found = {_spelled_production(production) for production in productions(tokens)}
        found |= {
            name
            for name, (kind, pattern) in patterns.items()
            for t in tokens
            if t.kind == kind and pattern.fullmatch(t.text)
        }
        found |= {"variable"} if uses_variable(text) else set()
        return frozenset(found | {_bare(t.text) for t in tokens if t.kind == "NAME" and _bare(t.text) in functions})

    def shares(text: str) -> bool:
        tokens = tokenize(text)
        return any(
            t.kind == "NAME" and _bare(t.text) in shared and n.kind == "LPAR" for t, n in itertools.pairwise(tokens)
        )

    return Measures(calls, uses_variable, shares, has, wanted)


def _names(schemas: Sequence[Schema]) -> Iterator[str]:
    for schema in schemas:
        yield from (t.name for t in schema.tables)
        yield from (c.name for t in schema.tables for c in t.columns)
        yield from (f.name for f in schema.functions)
        yield from (m.name for e in schema.enums for m in e.members)


def calls(text: str) -> int:
    """Calls and stages."""
    return sum(
        t.kind == "VBAR" or (t.kind == "LPAR" and b.kind == "NAME") for b, t in itertools.pairwise(tokenize(text))
    )


def uses_variable(text: str) -> bool:
    """Whether a variable that a `let` binds is named again."""
    tokens = tokenize(text)
    bound = [n.text for t, n in itertools.pairwise(tokens) if t.kind == "LET"]
    return any(sum(t.kind == "NAME" and t.text == name for t in tokens) > 1 for name in bound)


# ---------------------------------------------------------------- the judge, and gold of other databases


def judged(texts: Sequence[str], checker: Checker) -> Iterator[list[str]]:
    """What `dlc typecheck` says against each text: nothing, if it is one well-typed turn."""
    for text in texts:
        checked = compile_program(text, checker)
        found = [f"{d.code} {d.message}" for d in checked.diagnostics if d.severity == "error"]
        yield found or ([] if checked.ok and len(checked.turns) == 1 else ["not one turn"])


def moved(
    by_schema: Mapping[str, Sequence[str]], schemas: Mapping[str, Schema], target: Schema, rng: np.random.Generator
) -> Iterator[str]:
    """Programs over other databases with their tables and columns replaced by some of the target's, of the same types,
    without end; those that are not well typed then are left out."""
    checker, names = Checker(target), sorted(by_schema)
    while True:
        name = names[rng.integers(len(names))]
        text = by_schema[name][rng.integers(len(by_schema[name]))]
        found = _moved(tokenize(text)[:-1], schemas[name], target, rng)
        if found is not None:
            made = _spelled(text, found)
            if not next(judged([made], checker)):
                yield made


def bound(texts: Sequence[str], target: Schema) -> list[str]:
    """Queries of one table with the table bound to a variable first, where that is well typed."""
    queries = [re.fullmatch(r"user: ([^ ;]+)( \| .*;)", text) for text in texts]
    made = [f"user: let x0 = {q[1]}; x0{q[2]}" for q in queries if q is not None and " join " not in q[2]]
    return [text for text, wrong in zip(made, judged(made, Checker(target)), strict=True) if not wrong]


def _moved(tokens: list[Token], source: Schema, target: Schema, rng: np.random.Generator) -> list[Token] | None:
    """The tokens with other names; None if the target has no columns for them."""
    own = [_bare(t.text) for t in tokens if t.kind == "NAME" and _bare(t.text) in source.table]
    tables = list(dict.fromkeys(own))
    if len(tables) > len(target.tables):
        return None
    chosen = rng.permutation(len(target.tables))[: len(tables)]
    table = {name: target.tables[i] for name, i in zip(tables, chosen.tolist(), strict=True)}
    columns: dict[tuple[str, str], str] = {}
    out: list[Token] = []
    for before, token in itertools.pairwise((tokens[0], *tokens)):
        name = _bare(token.text.removeprefix("."))
        if token.kind == "NAME":
            of = next((t for t in tables if name == t or (name.startswith(t) and name[len(t) :].isdigit())), None)
            token = token if of is None else token._replace(text=quote_name(table[of].name + name[len(of) :]))
        elif token.kind == "FIELD":
            owner = _bare(before.text) if before.kind == "NAME" and before.end == token.start else ""
            owner = next((t for t in tables if owner.rstrip("0123456789") == t or owner == t), "")
            owner = owner or next((t for t in tables if name in source.table[t].by_name), "")
            if not owner or name not in source.table[owner].by_name:
                return None
            if (owner, name) not in columns:
                type_ = source.table[owner].by_name[name].type
                taken = set(columns.values())
                free = [c.name for c in table[owner].columns if c.type == type_ and c.name not in taken]
                if not free:
                    return None
                columns[owner, name] = free[rng.integers(len(free))]
            token = token._replace(text="." + quote_name(columns[owner, name]))
        out.append(token)
    return out


def _bare(name: str) -> str:
    return name.strip("`")


def _spelled(text: str, tokens: Sequence[Token]) -> str:
    """The text with these tokens where its own stand."""
    out, at = [], 0
    for token in tokens:
        out += text[at : token.start], token.text
        at = token.end
    return "".join(out) + text[at:]
