"""What a diagnostic looks like: drawn texts a person can read here."""

from dataclasses import replace
from textwrap import dedent

import pytest

from dlc.grammar.diagnostic import Diagnostic, Label, Place
from dlc.grammar.render import MAX_WIDTH, render, render_json
from dlc.grammar.span import Span

TEXT = 'Hotel | where .stars = "four"'
MISMATCH = Diagnostic(
    "DLC104",
    "`.stars` is Number, but this compares it with Text",
    Span(23, 29),
    "Text",
    (Label(Span(14, 20), "Number, from schema multiwoz, table Hotel"),),
    ("write a number: .stars = 4",),
    place=Place("val.json", "SNG0073", 4),
    text=TEXT,
)


def drawn(text: str) -> str:
    return dedent(text).strip("\n")


def test_the_text_of_a_row():
    assert render(MISMATCH) == drawn("""
        error[DLC104]: `.stars` is Number, but this compares it with Text
          ┌─ val.json · SNG0073 · turn 4 · column 24
          │ Hotel | where .stars = "four"
          │               ──────   ^^^^^^ Text
          │               Number, from schema multiwoz, table Hotel
          = help: write a number: .stars = 4
    """)


def test_a_row_of_a_file_of_rows():
    placed = replace(MISMATCH, place=Place("rows.jsonl", line=48211), severity="warning", help=())
    assert render(placed) == drawn("""
        warning[DLC104]: `.stars` is Number, but this compares it with Text
          ┌─ rows.jsonl · line 48211 · column 24
          │ Hotel | where .stars = "four"
          │               ──────   ^^^^^^ Text
          │               Number, from schema multiwoz, table Hotel
    """)


def test_several_lines_are_numbered():
    text = "user a:\n  Hotel | where\n    .stars = true;\n"
    start = text.index("true")
    labels = (Label(Span(text.index("Hotel"), text.index("Hotel") + 5), "this table"),)
    found = replace(
        MISMATCH, text=text, span=Span(start, start + 4), label="Bool", labels=labels, place=Place("a.dl"), help=()
    )
    assert render(found) == drawn("""
        error[DLC104]: `.stars` is Number, but this compares it with Text
          ┌─ a.dl · line 3 · column 14
        2 │   Hotel | where
          │   ───── this table
        3 │     .stars = true;
          │              ^^^^ Bool
    """)


def test_the_primary_place_may_come_first():
    found = replace(MISMATCH, span=Span(14, 20), label="Number", labels=(Label(Span(23, 29), "Text"),), help=())
    assert render(found) == drawn("""
        error[DLC104]: `.stars` is Number, but this compares it with Text
          ┌─ val.json · SNG0073 · turn 4 · column 15
          │ Hotel | where .stars = "four"
          │               ^^^^^^   ────── Text
          │               Number
    """)


def test_without_a_text_there_is_only_the_place():
    found = replace(MISMATCH, text=None, labels=(), place=Place("val.json.zip:val.json", "SNG0073"))
    assert render(found) == drawn("""
        error[DLC104]: `.stars` is Number, but this compares it with Text
          ── val.json.zip:val.json · SNG0073
          = help: write a number: .stars = 4
    """)
    assert render(replace(found, place=Place(), help=())) == render(found).splitlines()[0]


def test_the_end_of_a_text_can_be_marked():
    found = Diagnostic("DLC004", "the text ends here", Span(5, 5), text="Hotel")
    assert render(found).splitlines()[-1] == "  │      ^"


def test_wide_characters_take_two_columns():
    found = replace(MISMATCH, text="日本 = 中", span=Span(5, 6), labels=(Label(Span(0, 2), "Number"),), help=())
    assert render(found).splitlines()[3] == "  │ ────   ^^ Text"


@pytest.mark.parametrize("position", [0, 40, 400, 900, 1989])
def test_long_lines_are_cut_around_the_place(position):
    text = "x" * position + '"four"' + "y" * (2000 - position)
    found = replace(MISMATCH, text=text, span=Span(position, position + 6), labels=(), help=())
    line, marks = render(found).splitlines()[2:4]
    assert len(line) <= MAX_WIDTH + 6 and '"four"' in line
    assert line[marks.index("^") : marks.rindex("^") + 1] == '"four"'


def test_hostile_text_cannot_steer_the_terminal():
    found = Diagnostic("DLC001", "bad \x1b[2J\r", Span(0, 3), text="\x1b[2J\x07\u202e\n", place=Place("a\x1bb"))
    assert not set(render(found)) & {"\x1b", "\r", "\x07", "\u202e"}


def test_colours_only_frame_the_same_text():
    import re

    coloured = render(MISMATCH, color=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(MISMATCH)


def test_json():
    assert render_json(MISMATCH) == {
        "code": "DLC104",
        "severity": "error",
        "message": "`.stars` is Number, but this compares it with Text",
        "file": "val.json",
        "dialogue_id": "SNG0073",
        "turn": 4,
        "line": 1,
        "column": 24,
        "span": [23, 29],
        "label": "Text",
        "labels": [{"span": [14, 20], "text": "Number, from schema multiwoz, table Hotel"}],
        "help": ["write a number: .stars = 4"],
    }


@pytest.mark.parametrize("span", [Span(0, 0), Span(29, 29), Span(29, 99), Span(500, 600), Span(0, 29)])
def test_any_span_can_be_drawn(span):
    assert "^" in render(replace(MISMATCH, span=span))
    assert render_json(replace(MISMATCH, span=span))["column"] >= 1
