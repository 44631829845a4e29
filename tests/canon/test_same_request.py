"""One request written in several languages on the Cambridge schema has one canonical DL program (`same_request.txt`)."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from dlc.canon.pipeline import canonicalize
from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema import Schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import Statement, Turn
from dlc.grammar.parser import parse
from dlc.schemas import load_schema
from dlc.targets.slots.multiwoz import read_multiwoz
from dlc.targets.sql.read import read_sql
from dlc.targets.thingtalk.read import ThingTalkReader

TABLE = Path(__file__).parent / "same_request.txt"
CLASSES = "uk.ac.cam.multiwoz."


@cache
def schema() -> Schema:
    return load_schema("multiwoz")


def cases() -> list[tuple[str, str, tuple[tuple[str, str], ...], str]]:
    """(id, kind, programs by language, the canonical program) for each paragraph of the table."""
    found = []
    kind = ""
    for paragraph in TABLE.read_text(encoding="utf-8").split("\n\n"):
        programs = []
        for line in paragraph.strip().splitlines():
            if line.startswith("=="):
                kind = line.removeprefix("==").strip()
            elif not line.startswith("#"):
                name, text = line.split(None, 1)
                programs.append((name, text))
        if programs:
            name, canonical = programs.pop()
            assert name == "canon", paragraph
            found.append((f"{kind} {len(found)}", kind, tuple(programs), canonical))
    return found


def from_slots(text: str) -> tuple[Statement, ...]:
    """`domain: slot=value, … ; book slot=value, … & domain: …`: a first turn whose state was nothing before it."""
    state: dict[str, dict[str, dict[str, str]]] = {}
    for domain in text.split(" & "):
        name, _, rest = domain.partition(":")
        semi, _, book = rest.partition("; book ")
        state[name.strip()] = {"semi": _pairs(semi), "book": _pairs(book)}
    log = [{"text": "", "metadata": {}}, {"text": "", "metadata": state}]
    (row,) = read_multiwoz("x", {"log": log}, schema()).turns
    assert row.program is not None and not row.notes
    # A turn that books names the table too, confirmed, because that is what the state holds.
    return tuple(s for s in row.program.statements if s.status == "accepted")


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.strip().split("=") for pair in text.strip(" ;").split(",") if pair.strip())


def from_thingtalk(text: str) -> tuple[Statement, ...]:
    full = re.sub(r"\^\^~", f"^^{CLASSES}", text).replace("@", f"@{CLASSES}")
    items = "".join(f" {item.strip()};" for item in full.split(";"))
    code = f"$dialogue @org.thingpedia.dialogue.transaction.execute;{items}"
    return ThingTalkReader(schema()).read(code).statements


def from_sql(text: str) -> tuple[Statement, ...]:
    return tuple(s for query in text.split(";") for s in read_sql(query, schema())[0].statements)


def from_dl(text: str) -> tuple[Statement, ...]:
    return lower_program(parse(f"user: {text};"))[0][0].statements


READ = {"slots": from_slots, "thingtalk": from_thingtalk, "sql": from_sql, "dl": from_dl}


@pytest.mark.parametrize(("programs", "canonical"), [c[2:] for c in cases()], ids=[c[0] for c in cases()])
def test_the_same_request_has_one_canonical_program(programs: tuple[tuple[str, str], ...], canonical: str) -> None:
    checker = Checker(schema())
    assert len(programs) > 1
    for language, text in programs:
        turn = Turn("user", (), READ[language](text))
        form = canonicalize(turn, checker.schema)
        # What every later reader has is the printed text.
        assert print_turn(form) == f"user: {canonical};", language
        assert checker.check_turn(lower_program(parse(print_turn(form)))[0][0]).ok


def test_every_kind_of_request_is_there() -> None:
    kinds = Counter(kind for _, kind, _, _ in cases())
    languages = Counter(language for _, _, programs, _ in cases() for language, _ in programs)
    assert sum(kinds.values()) >= 50 and len(kinds) >= 12
    assert languages["slots"] >= 18 and languages["thingtalk"] >= 40 and languages["sql"] >= 40
