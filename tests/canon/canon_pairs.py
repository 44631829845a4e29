"""Seeded pairs of filters over every type of value: half of them rewritten by laws, half mutated.

Shares nothing with `dlc.canon`; filters are built as core terms.
"""

import random
from fractions import Fraction
from functools import partial

from dlc.compiler.check import prelude
from dlc.compiler.schema import Schema, merge
from dlc.compiler.schema_text import read_schema
from dlc.compiler.terms import App, Entity, Field, Lit, Term, Var

SCHEMA_TEXT = """schema lodge
enum Area = north | south | east
ordered enum Price = cheap | moderate | dear | lavish
open enum Mood = calm | lively
entity Dish
table Lodge {
  id: Int key, area: Area?, area_r: Area, price: Price?, price_r: Price, mood: Mood?, dish: Dish?, dish_r: Dish,
  stars: Number?, stars_r: Number, rooms: Int?, rooms_r: Int, note: Text?, note_r: Text, wifi: Bool?, wifi_r: Bool,
  hour: Time?, hour_r: Time, day: Date?, day_r: Date, cost: Money?, cost_r: Money, stay: Duration?, stay_r: Duration,
  load: Measure[kg]?, load_r: Measure[kg], since: DateTime?
}"""
SCHEMA: Schema = merge(prelude(), read_schema(SCHEMA_TEXT))
BINDER = "Lodge"
ORDERED = ("number", "int", "time", "date", "money", "duration", "measure", "text", "price", "datetime")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

# Field: (kind, required). Constants of a kind are small numbers, spelled by `constant`.
FIELDS: dict[str, tuple[str, bool]] = {}
for _name, _kind in (
    ("area", "area"),
    ("price", "price"),
    ("dish", "dish"),
    ("stars", "number"),
    ("rooms", "int"),
    ("note", "text"),
    ("wifi", "bool"),
    ("hour", "time"),
    ("day", "date"),
    ("cost", "money"),
    ("stay", "duration"),
    ("load", "measure"),
):
    FIELDS[_name] = (_kind, False)
    FIELDS[f"{_name}_r"] = (_kind, True)
FIELDS["mood"] = ("mood", False)
FIELDS["since"] = ("datetime", False)

MEMBERS = {"area": ("north", "south", "east"), "price": ("cheap", "moderate", "dear", "lavish")}
TEXTS = ("", "Ab", "abc", "b c", "bd", "x")
DISHES = ("curry", "fish soup", "Rice", "soup")
MOODS = ("calm", "lively", "odd")
PATTERNS = (("~", "b"), ("~", "soup"), ("like", "a%"), ("~", "C"))


def field(name: str) -> Term:
    return Field(Var(BINDER), name)


def constant(kind: str, i: int, rng: random.Random) -> Term:
    """The i-th constant of a kind, in one of its spellings."""
    match kind:
        case "area" | "price":
            return App(MEMBERS[kind][i % len(MEMBERS[kind])])
        case "mood":
            return App(MOODS[i % 2])
        case "dish":
            return Entity(DISHES[i % len(DISHES)])
        case "text":
            return Lit("text", TEXTS[i % len(TEXTS)])
        case "bool":
            return Lit("bool", ("false", "true")[i % 2])
        case "number":
            half = Fraction(i, 2)
            plain = f"{float(half):g}"
            return Lit("number", rng.choice([plain, plain, f"{float(half):.2f}"]))
        case "int":
            return Lit("int", str(i - 1)) if rng.random() < 0.8 else Lit("number", str(i - 1))
        case "time":
            return Lit("time", ("09:00", "09:00:01", "09:01", "10:30", "24:55", "9:00:02")[i % 6])
        case "date":
            return Lit("date", ("2019-02-27", "2019-02-28", "2019-03-01", "2020-02-29", "2020-03-01")[i % 5])
        case "datetime":
            return Lit("datetime", ("2019-02-28T10:00", "2019-02-28T10:00:30", "2019-03-01T00:00:00")[i % 3])
        case "money":
            return Lit("quantity", rng.choice([f"{i}usd", f"{i}.0usd"]))
        case "duration":
            return Lit(
                "quantity",
                rng.choice([("30min", "1h", "90min", "2h")[i % 4], ("1800s", "60min", "1.5h", "7200s")[i % 4]]),
            )
        case "measure":
            return Lit("quantity", rng.choice([("500g", "1kg", "1500g")[i % 3], ("0.5kg", "1000g", "1.5kg")[i % 3]]))
    raise AssertionError(kind)


def names(rng: random.Random) -> list[str]:
    """One to three fields; now and then one in both forms of optionality."""
    return rng.sample(sorted(FIELDS), rng.choice((1, 1, 2, 2, 3)))


def atom(rng: random.Random, fields: list[str]) -> Term:
    name = rng.choice(fields)
    kind, _ = FIELDS[name]
    subject = field(name)
    roll = rng.random()
    pick = lambda: constant(kind, rng.randrange(6), rng)  # noqa: E731
    if roll < 0.06:
        return App(rng.choice(("is_any", "is_none")), (subject,))
    if roll < 0.12:
        return App(rng.choice(("is_missing", "is_not_missing")), (subject,))
    if roll < 0.24:
        items = tuple(pick() for _ in range(rng.choice((0, 1, 2, 2, 3))))
        return App(rng.choice(("in", "in", "not_in")), (subject, App("list", items)))
    if kind in ("text", "dish") and roll < 0.5:
        operator, pattern = rng.choice(PATTERNS)
        negated = {"~": "!~", "like": "not_like"}[operator]
        return App(rng.choice((operator, operator, negated)), (subject, Lit("text", pattern)))
    if kind == "bool" and roll < 0.35:
        return subject
    if kind in ORDERED and roll < 0.34:
        return App(rng.choice(("between", "between", "not_between")), (subject, pick(), pick()))
    operator = rng.choice(COMPARISONS if kind in ORDERED else ("=", "=", "!="))
    if rng.random() < 0.1:
        return App(FLIPPED[operator], (pick(), subject))
    return App(operator, (subject, pick()))


def formula(rng: random.Random, fields: list[str], size: int) -> Term:
    if size <= 1:
        made = atom(rng, fields)
        return App("not", (made,)) if rng.random() < 0.2 else made
    left = rng.randint(1, size - 1)
    made = App(rng.choice(("and", "or")), (formula(rng, fields, left), formula(rng, fields, size - left)))
    return App("not", (made,)) if rng.random() < 0.15 else made


# ---------------------------------------------------------------- laws


def required(term: Term) -> bool:
    return isinstance(term, Field) and FIELDS[term.name][1]


def ordered(term: Term) -> bool:
    return isinstance(term, Field) and FIELDS[term.name][0] in ORDERED


def law(rng: random.Random, fields: list[str], term: Term) -> Term:
    """Rewrite the top of a condition by a law that changes more than order; the same term if none fits."""
    options: list[Term] = []
    match term:
        case App("and" | "or" as fn, args):
            other = "or" if fn == "and" else "and"
            options.append(App("not", (App(other, tuple(App("not", (a,)) for a in args)),)))
            options.append(App(fn, (*args, rng.choice(args))))
            options.append(App(fn, (*args, App(other, (rng.choice(args), atom(rng, fields))))))
            for i, a in enumerate(args):
                if isinstance(a, App) and a.fn == other:
                    rest = args[:i] + args[i + 1 :]
                    options.append(App(other, tuple(App(fn, (x, *rest)) for x in a.args)))
                if isinstance(a, App) and a.fn == fn:
                    options.append(App(fn, args[:i] + a.args + args[i + 1 :]))
        case App("not", (App("not", (inner,)),)):
            options.append(inner)
        case App("not", (App("and" | "or" as fn, args),)):
            options.append(App("or" if fn == "and" else "and", tuple(App("not", (a,)) for a in args)))
        case App("not", (App(op, (Field() as f, c)),)) if op in COMPARISONS:
            if required(f):
                options.append(App(OPPOSITE[op], (f, c)))
            options.append(App("or", (App("is_missing", (f,)), App(OPPOSITE[op], (f, c)))))
        case App("in" | "not_in" as fn, (f, App("list", items))) if items:
            op, join = ("=", "or") if fn == "in" else ("!=", "and")
            parts = tuple(App(op, (f, i)) for i in items)
            options.append(App(join, parts) if len(parts) > 1 else parts[0])
            options.append(App(fn, (f, App("list", tuple(reversed((*items, items[0])))))))
        case App("between", (f, lo, hi)):
            options.append(App("and", (App(">=", (f, lo)), App("<=", (f, hi)))))
        case App("not_between", (f, lo, hi)):
            options.append(App("or", (App("<", (f, lo)), App(">", (f, hi)))))
        case App("!~" | "not_like" as fn, (f, p)):
            op = {"!~": "~", "not_like": "like"}[fn]
            options.append(App("and", (App("not", (App(op, (f, p)),)), App("is_not_missing", (f,)))))
        case App("~" | "like" as fn, (Field() as f, Lit("text") as p)) if FIELDS[f.name][0] == "text":
            c = rng.choice(TEXTS)
            point = App("=", (f, Lit("text", c)))
            if known_match(fn, c, p.value):
                options.append(App("or", (App("and", (term, App("!=", (f, Lit("text", c))))), point)))
            else:
                options.append(App("and", (term, App("not", (point,)))))
        case App(op, (Field() as f, c)) if op in COMPARISONS:
            options.append(App(FLIPPED[op], (c, f)))
            options.append(App("and", (App("not", (App(OPPOSITE[op], (f, c)),)), App("is_not_missing", (f,)))))
            if required(f):
                options.append(App("not", (App(OPPOSITE[op], (f, c)),)))
            if op == "=" and ordered(f):
                options.append(App("and", (App(">=", (f, c)), App("<=", (f, c)))))
                options.append(App("between", (f, c, c)))
            if op == "!=" and ordered(f):
                options.append(App("or", (App("<", (f, c)), App(">", (f, c)))))
            if op == "<=" and ordered(f):
                options.append(App("or", (App("<", (f, c)), App("=", (f, c)))))
            if op == "<" and ordered(f):
                options.append(App("and", (App("<=", (f, c)), App("!=", (f, c)))))
            stepped = step(c)
            if op == ">" and stepped is not None:
                options.append(App(">=", (f, stepped)))
            if op == "<=" and stepped is not None:
                options.append(App("<", (f, stepped)))
            kind = FIELDS[f.name][0]
            if kind in MEMBERS and op in ("=", "!="):
                others = tuple(App(m) for m in MEMBERS[kind] if App(m) != c)
                options.append(App("in" if op == "!=" else "not_in", (f, App("list", others))))
            if kind == "bool" and op in ("=", "!=") and isinstance(c, Lit):
                flipped = Lit("bool", "false" if c.value == "true" else "true")
                options.append(App(OPPOSITE[op], (f, flipped)))
        case Field() as f:
            options.append(App("=", (f, Lit("bool", "true"))))
    extra = atom(rng, fields)
    options.append(App("or", (App("and", (term, extra)), App("and", (term, App("not", (extra,)))))))
    options.append(App("and", (term, App("or", (extra, App("not", (extra,)))))))
    options.append(App("not", (App("not", (term,)),)))
    return rng.choice(options)


def known_match(operator: str, value: str, pattern: str) -> bool:
    """What the patterns used here do on a known text."""
    if operator == "like":
        assert pattern == "a%"
        return value[:1] in ("a", "A")
    return pattern.lower() in value.lower()


def step(constant_: Term) -> Term | None:
    """The next whole value: only literals whose type is discrete."""
    match constant_:
        case Lit("int", value):
            return Lit("int", str(int(value) + 1))
        case Lit("date", value):
            following = {"2019-02-27": "2019-02-28", "2019-02-28": "2019-03-01", "2020-02-29": "2020-03-01"}
            return Lit("date", following[value]) if value in following else None
        case Lit("time", value):
            following = {"09:00": "09:00:01", "09:00:01": "09:00:02", "10:30": "10:30:01", "09:01": "9:01:01"}
            return Lit("time", following[value]) if value in following else None
    return None


def anywhere(rng: random.Random, term: Term, change) -> Term:  # type: ignore[no-untyped-def]
    """Change one condition inside a condition."""
    if isinstance(term, App) and term.fn in ("and", "or", "not") and rng.random() < 0.65:
        i = rng.randrange(len(term.args))
        return App(term.fn, term.args[:i] + (anywhere(rng, term.args[i], change),) + term.args[i + 1 :])
    return change(term)


def shuffled(rng: random.Random, term: Term) -> Term:
    if isinstance(term, App) and term.fn in ("and", "or", "not"):
        args = [shuffled(rng, a) for a in term.args]
        rng.shuffle(args)
        return App(term.fn, tuple(args))
    return term


def mutated(rng: random.Random, term: Term, fields: list[str]) -> Term:
    """A small change that usually, not always, changes the meaning."""

    def change(part: Term) -> Term:
        roll = rng.random()
        match part:
            case App("and" | "or" as fn, args):
                if roll < 0.4:
                    return rng.choice(args)
                return App("or" if fn == "and" else "and", args)
            case App("not", (App(op, args),)) if op in OPPOSITE:
                return App(OPPOSITE[op], args)
            case App("not", (inner,)):
                return inner
            case App(op, (Field() as f, c)) if op in COMPARISONS:
                if roll < 0.5:
                    return App(rng.choice(COMPARISONS if ordered(f) else ("=", "!=")), (f, c))
                return App(op, (f, constant(FIELDS[f.name][0], rng.randrange(6), rng)))
            case App("in" | "not_in" as fn, (f, App("list", items))) if items:
                return App(fn, (f, App("list", items[1:])))
        return atom(rng, fields) if roll < 0.5 else App("not", (part,))

    return anywhere(rng, term, change)


def pairs(count: int, seed: int):  # type: ignore[no-untyped-def]
    """Pairs with how each was made: `laws`, `order` or `mutated`."""
    rng = random.Random(seed)
    for _ in range(count):
        fields = names(rng)
        first = formula(rng, fields, rng.choice((1, 2, 2, 3, 3, 4, 5)))
        roll = rng.random()
        second = first
        if roll < 0.42:
            for _ in range(rng.randint(1, 4)):
                second = anywhere(rng, second, partial(law, rng, fields))
            yield first, shuffled(rng, second), "laws"
        elif roll < 0.48:
            yield first, shuffled(rng, first), "order"
        else:
            if rng.random() < 0.5:
                second = anywhere(rng, second, partial(law, rng, fields))
            yield first, mutated(rng, second, fields), "mutated"
