"""Verdicts: proved with a bound, refuted with a witness that running shows, or open with the reason."""

import builtins
import random
import time

import pytest
from canon_queries import SCHEMA, query, read
from canon_run import runner

from dlc.canon.equivalence import equivalent
from dlc.canon.verdict import Verdict
from dlc.compiler.terms import App, Lit, Term, children, rebuild

RUN = runner(SCHEMA)


def verdict(a: str, b: str, **options) -> Verdict:  # type: ignore[no-untyped-def]
    return equivalent(read(a), read(b), SCHEMA, RUN, **options)


PROVED = [
    ("Member | join Town on Member.town = Town.town_id | show Member.name", "Member | show .name"),
    (
        "Boat | join Member on Boat.owner = Member.member_id | show .title",
        "Boat | where .owner is not missing | show .title",
    ),
    ("Member | show .member_id | distinct", "Member | show .member_id"),
    (
        "Member | show .member_id | except (Trip | show .skipper)",
        "Member | where .member_id not in (Trip | show .skipper) | show .member_id",
    ),
    ("Member | whole | show count(.member_id)", "Member | whole | show count()"),
    ("Member | whole | show count_distinct(.member_id)", "Member | whole | show count()"),
    ("Member | group .member_id | show .member_id", "Member | show .member_id"),
    ("Member | where .age = 1 or .age = 1 | show .name", "Member | where .age = 1 | show .name"),
    (
        "Member | where exists (Trip | where .skipper = Member.member_id) | show .name",
        "Member | where .member_id in (Trip | show .skipper) | show .name",
    ),
    (
        "Member | join Trip on Trip.skipper = Member.member_id | show Member.name | distinct",
        "Member | where .member_id in (Trip | show .skipper) | show .name | distinct",
    ),
    (
        "Member | group .town | where count() >= 2 | show .town",
        "Member | join Member as M on Member.town = M.town and Member.member_id != M.member_id | show Member.town | distinct",
    ),
    (
        "Town | join Member on Member.town = Town.town_id | group Town.town_id | show Town.town_id, count()",
        "Member | group .town | show .town, count()",
    ),
]
PROVED = [(a.replace("show .title", "show Boat.title") if "join Member on Boat" in a else a, b) for a, b in PROVED]


@pytest.mark.parametrize(("a", "b"), PROVED)
def test_proved(a: str, b: str) -> None:
    found = verdict(a, b)
    assert found.kind == "equal", found
    assert found.bound is None or found.bound >= 2


REFUTED = [
    ("Member | whole | show max(.age)", "Member | sort .age desc | take 1 | show .age"),
    ("Member | show .name | distinct", "Member | show .name"),
    ("Member | whole | show count(.age)", "Member | whole | show count()"),
    ("Member | where not .age = 1 | show .name", "Member | where .age != 1 | show .name"),
    ("Boat | join Member on Boat.owner = Member.member_id | show Boat.title", "Boat | show .title"),
    (
        "Member | show .member_id | except (Boat | show .owner)",
        "Member | where .member_id not in (Boat | show .owner) | show .member_id",
    ),
    (
        "Trip | join Member on Trip.skipper = Member.member_id | show Member.name",
        "Member | where .member_id in (Trip | show .skipper) | show .name",
    ),
    ("Member | group .town | where count() > 2 | show .town", "Member | group .town | where count() = 3 | show .town"),
    ("Member | sort .member_id asc | show .name", "Member | sort .member_id desc | show .name"),
    (
        "Town | join Member on Member.town = Town.town_id | show Member.age",
        "Town | join left Member on Member.town = Town.town_id | show Member.age",
    ),
]


REFUTED += [
    # Set above, counted below: how often a member has a trip matters to the count, not to the one row of it.
    (
        "Member | join Trip on Trip.skipper = Member.member_id | whole | show count() | distinct",
        "Member | where .member_id in (Trip | show .skipper) | whole | show count() | distinct",
    ),
    (
        "Member | join Trip on Trip.skipper = Member.member_id | group Member.town | show count() | distinct",
        "Member | where .member_id in (Trip | show .skipper) | group .town | show count() | distinct",
    ),
]


@pytest.mark.parametrize(("a", "b"), REFUTED)
def test_refuted_with_a_witness_that_shows_it(a: str, b: str) -> None:
    found = verdict(a, b)
    assert found.kind == "different" and found.witness is not None
    first, second = RUN(read(a), found.witness.database), RUN(read(b), found.witness.database)
    assert first != second
    assert sum(len(rows) for rows in found.witness.database.values()) <= 8


def test_the_prover_finds_what_random_databases_are_not_asked_for() -> None:
    found = verdict("Member | where .age > 40 | show .name", "Member | where .age >= 40 | show .name", databases=0)
    assert found.kind == "different" and found.tried[-1] == "bounded proof"


def test_a_vacuous_proof_is_none() -> None:
    found = verdict(
        "Member | group .town | where count() >= 900 | show .town",
        "Member | group .town | where count() >= 800 | show .town",
    )
    assert found.kind == "likely" and "900" in found.reason
    found = verdict(
        "Member | where .age > 1 and .name in (Town | where .size < .size | show .town_name) | show .name",
        "Member | where .age > 2 and .name in (Town | where .size < .size | show .town_name) | show .name",
        databases=0,
    )
    assert found.kind == "unknown" and "empty" in found.reason


def test_without_z3_the_verdict_says_what_was_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name, *args, **kwargs):  # type: ignore[no-untyped-def]
        if name == "z3":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    a, b = PROVED[8]
    found = verdict(a, b)
    assert found.kind == "likely" and found.databases == 200 and "z3" in found.reason
    assert verdict(a, b, databases=0).kind == "unknown"


def test_what_the_proof_does_not_cover_is_said() -> None:
    found = equivalent(
        read("Member | join right Boat on Boat.owner = Member.member_id | show Boat.title"),
        read("Boat | show .title"),
        SCHEMA,
    )
    assert found.kind == "unknown" and "join_right" in found.reason


def test_a_verdict_is_no_bool() -> None:
    with pytest.raises(TypeError):
        bool(verdict("Member | show .name", "Member | show .name"))


def test_no_call_takes_much_longer_than_its_time() -> None:
    many = (
        "Member"
        + "".join(f" | join Member as M{i} on M{i}.town != Member.town" for i in range(4))
        + " | show Member.age"
    )
    began = time.monotonic()
    found = equivalent(read(many), read(many.replace("show Member.age", "show M3.age")), SCHEMA, None, timeout_ms=1000)
    assert time.monotonic() - began < 10
    # Two rows a table do not tell the two apart, three would: a proof is only as good as its bound.
    assert found.kind == "unknown" or found.bound == 2


def mutated(term: Term, rng: random.Random) -> Term:
    """The term with one small change somewhere."""
    swaps = {
        "=": "!=",
        "!=": "=",
        "<": "<=",
        ">=": ">",
        ">": ">=",
        "asc": "desc",
        "union": "intersect",
        "except": "union",
    }
    spots: list[tuple[int, ...]] = []

    def look(t: Term, path: tuple[int, ...]) -> None:
        if isinstance(t, App) and (t.fn in swaps or t.fn in ("distinct", "where")):
            spots.append(path)
        if isinstance(t, Lit) and t.kind == "number":
            spots.append(path)
        for i, child in enumerate(children(t)):
            look(child, (*path, i))

    def change(t: Term, path: tuple[int, ...]) -> Term:
        if path:
            parts = list(children(t))
            parts[path[0]] = change(parts[path[0]], path[1:])
            return rebuild(t, tuple(parts))
        if isinstance(t, Lit):
            return Lit("number", str(int(t.value) + 1))
        assert isinstance(t, App)
        return App(swaps[t.fn], t.args, t.named) if t.fn in swaps else t.args[0]

    look(term, ())
    return change(term, rng.choice(spots)) if spots else term


def test_nothing_that_other_databases_separate_is_called_equal() -> None:
    """Mutants of random queries: verdicts held to databases of another size, seed and generator settings."""
    from dlc.canon.databases import Pools, random_database, tables_in
    from dlc.canon.equivalence import _same

    rng = random.Random(77)
    counts = {"equal": 0, "different": 0, "likely": 0, "unknown": 0}
    for i in range(120):
        a = read(query(rng))
        b = mutated(a, rng)
        found = equivalent(a, b, SCHEMA, RUN, databases=100, timeout_ms=500)
        counts[found.kind] += 1
        if found.kind != "equal":
            continue
        dice = random.Random(f"other {i}")
        tables, pools = tables_in((a, b), SCHEMA), Pools((), SCHEMA)
        for _ in range(100):
            database = random_database(tables, pools, dice, 7, True, 0.3)
            turned = {name: rows[::-1] for name, rows in database.items()}
            x, y = RUN(a, database), RUN(b, database)
            if _same(x, RUN(a, turned), False) and _same(y, RUN(b, turned), False):
                assert _same(x, y, False), (a, b, database)
    assert counts["different"] > 50 and counts["equal"] > 3
