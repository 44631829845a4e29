"""The grammar, loaded and validated by lark, as plain tables: productions, terminals, reachability."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lark import Lark
from lark.grammar import Rule

STARTS = ("program", "query", "expr", "type", "schema")
END = "$END"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A terminal or nonterminal in a production; `kept` terminals become children of the tree."""

    name: str
    terminal: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class Production:
    """`origin: symbols -> node`. `spliced` rules have no node; `thin` ones vanish around one child."""

    origin: str
    symbols: tuple[Symbol, ...]
    node: str
    spliced: bool
    thin: bool


@dataclass(frozen=True, slots=True)
class Grammar:
    """Everything later tables are computed from. `fixed` gives the text of constant terminals."""

    productions: tuple[Production, ...]
    of: dict[str, tuple[Production, ...]]
    patterns: tuple[tuple[str, str], ...]
    fixed: dict[str, str]

    def reachable_terminals(self, start: str) -> frozenset[str]:
        """Terminals that some sentence of `start` can hold."""
        seen, todo, found = {start}, [start], set()
        while todo:
            for production in self.of[todo.pop()]:
                for symbol in production.symbols:
                    if symbol.terminal:
                        found.add(symbol.name)
                    elif symbol.name not in seen:
                        seen.add(symbol.name)
                        todo.append(symbol.name)
        return frozenset(found)


def grammar_text() -> str:
    """The source of dl.lark."""
    return (files(__package__) / "dl.lark").read_text(encoding="utf-8")


def _production(rule: Rule) -> Production:
    origin = str(rule.origin.name)
    symbols = tuple(
        Symbol(str(s.name), s.is_term, not (s.is_term and getattr(s, "filter_out", False))) for s in rule.expansion
    )
    return Production(
        origin, symbols, rule.alias or origin, origin.startswith("_"), rule.options.expand1 and not rule.alias
    )


@cache
def load_grammar() -> Grammar:
    """Load dl.lark once. Raises lark.GrammarError if the file is broken."""
    lark = Lark(grammar_text(), parser=None, lexer="basic", start=list(STARTS))
    productions = tuple(_production(rule) for rule in lark.rules)
    of: dict[str, list[Production]] = {}
    for production in productions:
        of.setdefault(production.origin, []).append(production)
    file_order = {name: i for i, name in enumerate(_terminal_names(grammar_text()))}
    terminals = sorted(lark.terminals, key=lambda t: file_order.get(t.name, -1))
    patterns = tuple((t.name, t.pattern.to_regexp()) for t in terminals if t.pattern.type == "re")
    fixed = {t.name: t.pattern.value for t in terminals if t.pattern.type == "str"}
    return Grammar(productions, {name: tuple(alts) for name, alts in of.items()}, patterns, fixed)


def _terminal_names(text: str) -> list[str]:
    return [line.split(":", 1)[0] for line in text.splitlines() if line[:1].isupper()]
