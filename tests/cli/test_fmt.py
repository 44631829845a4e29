"""`dlc fmt`: the printed language, comments kept, nothing lost."""

from importlib.resources import files
from textwrap import dedent

import pytest

from dlc.compiler.schema_text import read_schema
from dlc.formatting import format_text

UNTIDY = dedent("""\
    -- head

    user inform:Hotel|where .stars=4 ;   -- beside


    -- before
    agent request( .area ):   -- within
      Hotel -- within, too
      | where (.stars = 4);
    -- last
""")


def test_untidy():
    text = "user inform:Hotel|where .stars=4 ;   -- beside\n\n\n-- before\nagent bye:\n-- last\n"
    assert format_text(text) == "user inform: Hotel | where .stars = 4;  -- beside\n\n-- before\nagent bye:\n-- last\n"


def test_comments_within_an_item_go_before_it():
    made = format_text(UNTIDY)
    assert sorted(line.split("--")[1] for line in made.splitlines() if "--" in line) == sorted(
        line.split("--")[1] for line in UNTIDY.splitlines() if "--" in line
    )
    assert "-- before\n-- within\n-- within, too\nagent request(.area): Hotel | where .stars = 4;\n-- last\n" in made
    assert format_text(made) == made


def test_the_built_in_schema_keeps_its_meaning_and_its_comments():
    text = files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8")
    made = format_text(text)
    assert read_schema(made) == read_schema(text)
    assert made.count("--") == text.count("--")
    assert format_text(made) == made


@pytest.mark.parametrize("text", ["", "\n\n", "-- only a comment\n", "user:", "schema x", "user bye: -- x"])
def test_small_files(text):
    made = format_text(text)
    assert format_text(made) == made and made.count("--") == text.count("--")


def test_files_are_rewritten_in_place(dlc_run, tmp_path):
    (tmp_path / "a.dl").write_text("user inform:  Hotel ;\n")
    (tmp_path / "b.dl").write_text("user inform: Hotel;\n")
    done = dlc_run("fmt", "--check", "a.dl", "b.dl")
    assert (done.status, done.out) == (1, "a.dl would be changed\n")
    assert dlc_run("fmt", "a.dl", "b.dl").status == 0
    assert (tmp_path / "a.dl").read_text() == (tmp_path / "b.dl").read_text()
    assert dlc_run("fmt", "--check", "a.dl", "b.dl").status == 0


def test_standard_input(dlc_run):
    done = dlc_run("fmt", "-", stdin=b"user inform:  Hotel ;")
    assert (done.status, done.out) == (0, "user inform: Hotel;\n")


def test_a_broken_file_is_left_alone(dlc_run, tmp_path):
    (tmp_path / "a.dl").write_text("user inform:  Hotel |;\n")
    done = dlc_run("fmt", "a.dl")
    assert done.status == 1 and "a.dl · column 22" in done.err
    assert (tmp_path / "a.dl").read_text() == "user inform:  Hotel |;\n"


@pytest.mark.parametrize("content", [b"\xff", None])
def test_a_file_that_cannot_be_read(dlc_run, tmp_path, content):
    if content is not None:
        (tmp_path / "a.dl").write_bytes(content)
    assert dlc_run("fmt", "a.dl").status == 3
