"""The typed context-free grammar of a Lispress corpus: a nonterminal for each type, a production for each use of a
function at ground types seen in the gold. What a grammar cannot say (which variables are in scope and of which
type) it leaves open. Written for xgrammar (EBNF) and llguidance (Lark)."""

import json
from collections.abc import Iterable

from dlc.targets.dataflow.names import text_of_type
from dlc.targets.dataflow.program import Ascribed, Atom, Call, Expr, Let, TypeExpr, Var
from dlc.targets.dataflow.reader import read_program

# A production: pieces that are fixed text, or a nonterminal in a tuple.
Production = tuple["str | tuple[str]", ...]


class Grammar:
    """Productions by type."""

    def __init__(self) -> None:
        self.productions: dict[str, dict[Production, None]] = {}
        self.roots: dict[str, None] = {}

    def add(self, typed: str, canonical: str) -> bool:
        """Learn from a program and its fully typed form; False if the two do not go side by side."""
        try:
            pending: list[tuple[str | None, Expr, Expr]] = [(None, read_program(typed), read_program(canonical))]
            found: list[tuple[str, Production]] = []
            root = None
            while pending:
                type_, full, short = pending.pop()
                while isinstance(full, Ascribed):
                    type_, full = text_of_type(full.type), full.expr
                if isinstance(full, Let) and isinstance(short, Let):
                    pairs = zip(full.bindings, short.bindings, strict=True)
                    pending += [(None, a, b) for (_, a), (_, b) in pairs]
                    if len(full.body) != 1 or len(short.body) != 1:
                        return False
                    body = full.body[0]
                    root = text_of_type(body.type) if isinstance(body, Ascribed) else None
                    pending.append((None, body, short.body[0]))
                    continue
                root = root or type_
                if type_ is None:
                    return False
                if isinstance(short, Var):
                    continue
                if isinstance(short, Atom):
                    found.append((type_, ((short.kind,),)))
                    continue
                if not (isinstance(full, Call) and isinstance(short, Call) and full.head == short.head):
                    return False
                pieces: list[str | tuple[str]] = ["(" + _head(short)]
                for a, b in zip(full.args, short.args, strict=True):
                    if a.value is None or b.value is None:
                        return False
                    inner = text_of_type(a.value.type) if isinstance(a.value, Ascribed) else None
                    if inner is None and not isinstance(a.value, Var):
                        return False
                    pieces.append(f" :{b.name} " if b.name else " ")
                    pieces.append((inner,) if inner is not None else ("variable",))
                    pending.append((inner, a.value, b.value)) if inner is not None else None
                found.append((type_, (*pieces, ")")))
        except (ValueError, KeyError):
            return False
        if root is None:
            return False
        for type_, production in found:
            self.productions.setdefault(type_, {})[production] = None
        self.roots[root] = None
        return True

    def _rules(self) -> tuple[dict[str, str], list[str]]:
        names = {type_: f"t{i}" for i, type_ in enumerate(self.productions)}
        return names, [t for t in self.roots if t in names]

    def ebnf(self) -> str:
        """For xgrammar."""
        names, roots = self._rules()
        lines = [
            'root ::= value | "(let (" binding (" " binding)* ") " value ")"',
            'binding ::= variable " " anything',
            "value ::= " + " | ".join(names[t] for t in roots),
            "anything ::= " + " | ".join(names.values()),
            'variable ::= "x" [0-9] [0-9]?',
            r'String ::= "\"" char* "\""',
            r'char ::= [^"\\\x00-\x1f] | "\\" ["\\/bfnrt] | "\\u" [0-9a-f] [0-9a-f] [0-9a-f] [0-9a-f]',
            'Long ::= ("0" | [1-9] [0-9]*) "L"',
            'Number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)?',
            'Boolean ::= "true" | "false"',
        ]
        return "\n".join(lines + [f"{n} ::= {self._alternatives(t, names)} | variable" for t, n in names.items()])

    def lark(self) -> str:
        """For llguidance."""
        names, roots = self._rules()
        lines = [
            'start: value | "(let (" binding (" " binding)* ") " value ")"',
            'binding: VARIABLE " " anything',
            "value: " + " | ".join(names[t] for t in roots),
            "anything: " + " | ".join(names.values()),
            "VARIABLE: /x[0-9][0-9]?/",
            r'STRING: /"([^"\\\x00-\x1f]|\\["\\\/bfnrt]|\\u[0-9a-f]{4})*"/',
            "LONG: /(0|[1-9][0-9]*)L/",
            r"NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?/",
            'BOOLEAN: "true" | "false"',
        ]
        upper = {"String": "STRING", "Long": "LONG", "Number": "NUMBER", "Boolean": "BOOLEAN", "variable": "VARIABLE"}
        return "\n".join(lines + [f"{n}: {self._alternatives(t, names, upper)} | VARIABLE" for t, n in names.items()])

    def _alternatives(self, type_: str, names: dict[str, str], literals: "dict[str, str] | None" = None) -> str:
        def piece(each: "str | tuple[str]") -> str:
            if isinstance(each, str):
                return json.dumps(each)
            return names.get(each[0], variable)

        def whole(production: Production) -> str:
            # A literal is a production of its own, of one piece that is no text.
            alone = production[0]
            if len(production) == 1 and not isinstance(alone, str):
                return (literals or {}).get(alone[0], alone[0])
            return " ".join(piece(p) for p in production)

        variable = (literals or {}).get("variable", "variable")
        return " | ".join(whole(production) for production in self.productions[type_])


def _head(call: Call) -> str:
    given: Iterable[TypeExpr] | None = call.type_args
    return f"^({' '.join(text_of_type(t) for t in given)}) {call.head}" if given else call.head
