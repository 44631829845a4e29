"""`dlc.complete`: what an editor may offer, each with the type the value then has; whatever it offers goes on."""

import random
import subprocess
import sys

import pytest

import dlc
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.neural.complete import Completer

SCHEMA = read_schema(
    "enum Area = north | south\nentity Place\nentity Inn < Place\n"
    "table Hotel { id: Inn key, area: Area?, stars: Number?, parking: Bool?, opens: Time? }\n"
    "action book(; hotel: Place, people: Number) error full\nact user ask\n"
)


@pytest.fixture(scope="module")
def completer() -> Completer:
    return Completer(SCHEMA)


def offered(completer: Completer, prefix: str) -> dict[str, tuple[str, ...]]:
    return {c.text: c.types for c in completer.complete(prefix)}


def test_words_and_the_types_they_have(completer: Completer) -> None:
    assert offered(completer, "user: Hotel | where .area = ")["north"] == ("Area",)
    assert offered(completer, "user: Hotel | where ")[".stars"] == ("Number",)
    assert offered(completer, "user: Hotel | where .ar") == {"ea": ("Area",)}
    assert {"where ", "show ", "join ", "whole"} <= set(offered(completer, "user: Hotel | "))
    assert {"hotel:", "people:"} == set(offered(completer, "user: book("))
    assert "people:" not in offered(completer, "user: book(people: 2, ")
    assert offered(completer, "user: ")["now"] == ("DateTime",)
    assert {"ask", "a"}.isdisjoint(offered(completer, "agent ")) and "ask" in offered(completer, "user ")
    assert {"hotel", "people"} <= set(offered(completer, "user ask(book."))


def test_kinds_without_end_are_shown_by_an_example(completer: Completer) -> None:
    kinds = {c.kind: c.types for c in completer.complete("user: Hotel | where .opens = ")}
    assert kinds["time"] == ("Time",) and "number" not in kinds and "text" not in kinds
    kinds = {c.kind: c.types for c in completer.complete("user: book(hotel: ")}
    assert kinds["entity"] == ("Place",) and kinds["placeholder"] == ("Place",)


def test_a_program_may_end_where_it_is_whole(completer: Completer) -> None:
    assert any(c.kind == "end" for c in completer.complete("user: Hotel;"))
    assert not any(c.kind == "end" for c in completer.complete("user: Hotel"))


def test_whatever_is_offered_goes_on(completer: Completer) -> None:
    rng, steps = random.Random(5), 0
    for _ in range(30):
        text = ""
        for _ in range(12):
            options = [c for c in completer.complete(text) if c.kind != "end"]
            if not options:
                break
            text += rng.choice(options).text
            steps += 1
            assert completer.complete(text), text
    assert steps > 200


def test_a_prefix_that_goes_wrong_is_a_diagnostic(completer: Completer) -> None:
    with pytest.raises(CompileError) as caught:
        completer.complete("user: Hotel | where .area = monday")
    assert caught.value.diagnostics[0].code == "DLC504"


def test_the_front_door_needs_neither_numpy_nor_torch() -> None:
    code = (
        "import dlc, sys; dlc.complete('user: Hotel | ', 'multiwoz'); assert not {'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert any(c.text == "where " for c in dlc.complete("user: Hotel | ", "multiwoz"))
