"""An encoding of filters in Z3 of its own: it shares no code with `dlc.canon`."""

import datetime
from fractions import Fraction

import z3
from canon_pairs import FIELDS, MEMBERS, known_match

from dlc.compiler.terms import App, Entity, Field, Lit, Term

DISCRETE = ("int", "time", "date", "area", "price", "mood", "dish", "bool")


def number(kind: str, term: Term, codes: dict[str, int]) -> Fraction:
    """A constant as a number that orders like it; texts and names by their place in `codes`."""
    match term:
        case Lit("number" | "int", value):
            return Fraction(value)
        case Lit("bool", value):
            return Fraction(value == "true")
        case Lit("time", value):
            parts = [int(p) for p in value.split(":")]
            return Fraction(parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0))
        case Lit("date", value):
            return Fraction(datetime.date.fromisoformat(value).toordinal() + 365)
        case Lit("datetime", value):
            return Fraction(int((datetime.datetime.fromisoformat(value) - datetime.datetime(1, 1, 1)).total_seconds()))
        case Lit("quantity", value):
            digits = value.rstrip("abcdefghijklmnopqrstuvwxyz")
            unit = value[len(digits) :]
            factor = {"usd": 1, "s": 1, "min": 60, "h": 3600, "g": Fraction(1, 1000), "kg": 1}[unit]
            return Fraction(digits) * factor
        case Lit("text", value):
            return Fraction(codes[value])
        case Entity(text):
            return Fraction(codes[str(text)])
        case App(name):
            return Fraction(MEMBERS[kind].index(name) if kind in MEMBERS else codes[name])
    raise AssertionError(term)


def texts(term: Term, found: set[str]) -> set[str]:
    match term:
        case App("~" | "!~" | "like" | "not_like"):
            return found
        case App(name, ()):
            found.add(name)
        case App(_, args):
            for a in args:
                texts(a, found)
        case Lit("text", value):
            found.add(value)
        case Entity(text):
            found.add(str(text))
    return found


class Encoding:
    """Two filters over the same variables."""

    def __init__(self, *terms: Term) -> None:
        named: set[str] = set()
        for term in terms:
            texts(term, named)
        # "" is the least text there is; it is always given its place, so that nothing lies below it.
        self.codes = {text: i for i, text in enumerate(sorted(named | {""}))}
        self.values: dict[str, z3.ArithRef] = {}
        self.missing: dict[str, z3.BoolRef] = {}
        self.matched: dict[tuple[str, str, str], z3.BoolRef] = {}
        self.facts: list[z3.BoolRef] = []

    def value(self, name: str) -> z3.ArithRef:
        if name not in self.values:
            kind, required = FIELDS[name]
            made = z3.Int(name) if kind in DISCRETE else z3.Real(name)
            self.values[name] = made
            self.missing[name] = z3.BoolVal(False) if required else z3.Bool(f"{name}?")
            if kind in MEMBERS:
                self.facts.append(z3.And(made >= 0, made < len(MEMBERS[kind])))
            elif kind == "bool":
                self.facts.append(z3.And(made >= 0, made <= 1))
            elif kind == "time":
                self.facts.append(z3.And(made >= 0, made < 48 * 3600))
            elif kind in ("date", "text"):
                self.facts.append(made >= 0)
        return self.values[name]

    def bool(self, term: Term) -> z3.BoolRef:
        match term:
            case App("and", args):
                return z3.And([self.bool(a) for a in args])
            case App("or", args):
                return z3.Or([self.bool(a) for a in args])
            case App("not", (a,)):
                return z3.Not(self.bool(a))
            case App("is_any" | "is_none" as mark, (Field(name=name),)):
                return z3.Bool(f"{name} {mark}")
            case App("is_missing", (Field(name=name),)):
                self.value(name)
                return self.missing[name]
            case App("is_not_missing", (Field(name=name),)):
                self.value(name)
                return z3.Not(self.missing[name])
            case App("~" | "!~" | "like" | "not_like" as op, (Field(name=name), Lit("text", pattern))):
                return self.match(op, name, pattern)
            case App("in", (f, App("list", items))):
                return z3.Or([self.bool(App("=", (f, i))) for i in items])
            case App("not_in", (f, App("list", items))):
                return z3.And([self.bool(App("!=", (f, i))) for i in items])
            case App("between", (f, lo, hi)):
                return z3.And(self.bool(App(">=", (f, lo))), self.bool(App("<=", (f, hi))))
            case App("not_between", (f, lo, hi)):
                return z3.Or(self.bool(App("<", (f, lo))), self.bool(App(">", (f, hi))))
            case Field() as f:
                return self.bool(App("=", (f, Lit("bool", "true"))))
            case App(op, (Field(name=name), c)):
                return self.compare(op, name, c)
            case App(op, (c, Field(name=name))):
                return self.compare({"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op), name, c)
        raise AssertionError(term)

    def compare(self, op: str, name: str, c: Term) -> z3.BoolRef:
        v = self.value(name)
        n = number(FIELDS[name][0], c, self.codes)
        k = z3.RealVal(str(n)) if v.is_real() or n.denominator != 1 else z3.IntVal(int(n))
        left = z3.ToReal(v) if v.is_int() and n.denominator != 1 else v
        holds = {"=": left == k, "!=": left != k, "<": left < k, "<=": left <= k, ">": left > k, ">=": left >= k}[op]
        return z3.And(z3.Not(self.missing[name]), holds)

    def match(self, op: str, name: str, pattern: str) -> z3.BoolRef:
        v = self.value(name)
        plain = {"!~": "~", "not_like": "like"}.get(op, op)
        key = (name, plain, pattern)
        if key not in self.matched:
            self.matched[key] = z3.Bool(f"{name} {plain} {pattern}")
            for text, code in self.codes.items():
                self.facts.append(z3.Implies(v == code, self.matched[key] == known_match(plain, text, pattern)))
        holds = self.matched[key]
        return z3.And(z3.Not(self.missing[name]), holds if plain == op else z3.Not(holds))


def equivalent(solver: z3.Solver, first: Term, second: Term) -> bool:
    """Whether Z3 finds no row that tells the two apart."""
    encoding = Encoding(first, second)
    a, b = encoding.bool(first), encoding.bool(second)
    solver.push()
    solver.add(*encoding.facts)
    solver.add(a != b)
    answer = solver.check()
    solver.pop()
    assert answer != z3.unknown
    return bool(answer == z3.unsat)
