"""Seeded random queries over an invented schema with keys and references, as text."""

import random

from dlc.compiler.check import prelude
from dlc.compiler.lower import lower_query
from dlc.compiler.schema import Schema, merge
from dlc.compiler.schema_text import read_schema
from dlc.compiler.terms import Term
from dlc.grammar.parser import parse

SCHEMA: Schema = merge(
    prelude(),
    read_schema("""schema club
enum Kind = day | night | guest
table Town { town_id: Int key, town_name: Text?, size: Number }
table Member { member_id: Int key, name: Text, kind: Kind?, age: Number?, town: Int references Town.town_id }
table Boat { boat_id: Int key, title: Text, owner: Int? references Member.member_id, length: Number }
table Trip { trip_id: Int key, boat: Int references Boat.boat_id, skipper: Int references Member.member_id, miles: Number? }
"""),
)
NUMBERS = {"Town": ["size"], "Member": ["age"], "Boat": ["length"], "Trip": ["miles"]}
TEXTS = {"Town": ["town_name"], "Member": ["name"], "Boat": ["title"], "Trip": []}
KEYS = {"Town": "town_id", "Member": "member_id", "Boat": "boat_id", "Trip": "trip_id"}
LINKS = [
    ("Member", "town", "Town"),
    ("Boat", "owner", "Member"),
    ("Trip", "boat", "Boat"),
    ("Trip", "skipper", "Member"),
]


def read(text: str) -> Term:
    return lower_query(parse(text, "query"))[0]


def column(rng: random.Random, table: str) -> str:
    return rng.choice(NUMBERS[table] + TEXTS[table] + [KEYS[table]])


def test_of(rng: random.Random, binder: str, table: str, many: bool) -> str:
    prefix = f"{binder}." if many else "."
    roll = rng.random()
    if roll < 0.45 or not TEXTS[table]:
        return f"{prefix}{NUMBERS[table][0]} {rng.choice(('=', '!=', '<', '>=', '>'))} {rng.randint(0, 3)}"
    if roll < 0.6:
        return f"{prefix}{KEYS[table]} in [{rng.randint(0, 3)}L, {rng.randint(0, 3)}L]"
    if roll < 0.8:
        return f'not {prefix}{TEXTS[table][0]} = "{rng.choice(("ann", "bob"))}"'
    return f"{prefix}{TEXTS[table][0]} is {rng.choice(('missing', 'not missing'))}"


def source(rng: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """Tables joined along references, with their binders."""
    roll = rng.random()
    if roll < 0.4:
        table = rng.choice(sorted(KEYS))
        return table, [(table, table)]
    child, link, parent = rng.choice(LINKS)
    first, second = (child, parent) if rng.random() < 0.5 else (parent, child)
    text = f"{first} | join {second} on {child}.{link} = {parent}.{KEYS[parent]}"
    binders = [(first, first), (second, second)]
    if rng.random() < 0.3:
        options = [(c, k, p) for c, k, p in LINKS if c in (child, parent) and p not in (child, parent)]
        if options:
            c, k, p = rng.choice(options)
            text += f" | join {p} on {p}.{KEYS[p]} = {c}.{k}"
            binders.append((p, p))
    elif rng.random() < 0.3:
        text += f" | join {child} as {child}2 on {child}2.{link} = {parent}.{KEYS[parent]}"
        binders.append((f"{child}2", child))
    return text, binders


def query(rng: random.Random, depth: int = 0) -> str:
    text, binders = source(rng)
    many = len(binders) > 1

    def field(name: str | None = None) -> str:
        binder, table = rng.choice(binders)
        return f"{binder}.{column(rng, table)}" if many else f".{column(rng, table)}"

    for _ in range(rng.choice((0, 1, 1, 2))):
        text += " | where " + test_of(rng, *rng.choice(binders), many)
    if depth == 0 and rng.random() < 0.25:
        child, link, parent = rng.choice(LINKS)
        keyed = [b for b in binders if b[1] == parent]
        if keyed:
            subject = (f"{keyed[0][0]}." if many else ".") + KEYS[parent]
            inner = f"{child} | where {test_of(rng, child, child, False)} | show .{link}"
            text += f" | where {subject} {rng.choice(('in', 'not in'))} ({inner})"
        children = [(b, c, k, p) for b, t in binders for c, k, p in LINKS if c == t]
        if children:
            b, _, k, p = rng.choice(children)
            subject = (f"{b}." if many else ".") + k
            text += f" | where {subject} in ({p} | where {test_of(rng, p, p, False)} | show .{KEYS[p]})"
    roll = rng.random()
    if roll < 0.2:
        return text + f" | whole | show {rng.choice(('count()', f'count({field()})', f'count_distinct({field()})'))}"
    if roll < 0.4:
        key = field()
        text += f" | group {key}"
        if rng.random() < 0.4:
            text += f" | where count() {rng.choice(('>', '>='))} {rng.randint(0, 2)}"
        shown = rng.choice((key, f"{key}, count()", f"{key}, count({field()})"))
        return text + f" | show {shown}"
    if rng.random() < 0.3:
        text += f" | sort {field()} {rng.choice(('asc', 'desc'))}, {field()} desc"
    if rng.random() < 0.1:
        text += f" | take {rng.randint(1, 3)}"
    items = [field() for _ in range(rng.choice((1, 1, 2)))]
    text += " | show " + ", ".join(dict.fromkeys(items))
    if rng.random() < 0.25:
        text += " | distinct"
    elif depth == 0 and rng.random() < 0.15:
        other = query_column(rng)
        text = f"{query_column(rng)} | {rng.choice(('union', 'except', 'intersect'))} ({other})"
    return text


def query_column(rng: random.Random) -> str:
    table = rng.choice(("Member", "Trip", "Boat"))
    columns = {"Member": "member_id", "Trip": "skipper", "Boat": "owner"}
    return f"{table} | where {test_of(rng, table, table, False)} | show .{columns[table]}"
