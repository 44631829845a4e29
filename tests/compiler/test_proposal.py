"""The forty-two programs DL was proposed with, against schemas made from the real sources.

They differ from the proposal where the language does: names spelled as the sources spell them, a turn without acts
written `user:`, an explicit coercion where a database declares an age as text.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turns
from dlc.grammar.parser import parse
from dlc.targets.sql.tables_json import read_tables_json

PROGRAMS = json.loads(Path(__file__).with_name("proposal.json").read_text(encoding="utf-8"))
BUILT_IN = ("multiwoz", "smcalflow")


@cache
def built_in(name: str) -> Checker:
    return Checker(read_schema((files("dlc") / "data" / f"{name}.dl").read_text(encoding="utf-8")))


def test_there_are_forty_two():
    assert len(PROGRAMS) == 42


@pytest.mark.parametrize("name", PROGRAMS)
def test_parses_and_prints(name):
    text = PROGRAMS[name]["program"]
    turns, _ = lower_program(parse(text))
    printed = print_turns(turns)
    assert lower_program(parse(printed))[0] == turns
    assert print_turns(lower_program(parse(printed))[0]) == printed


@pytest.mark.parametrize("name", [n for n, p in PROGRAMS.items() if p["schema"] in BUILT_IN])
def test_type_checks(name):
    checked = compile_program(PROGRAMS[name]["program"], built_in(PROGRAMS[name]["schema"]))
    assert checked.ok, [d.message for d in checked.diagnostics]


@pytest.mark.corpus
def test_type_checks_against_databases(corpora):
    schemas = read_tables_json(json.loads((corpora / "spider" / "tables.json").read_text(encoding="utf-8")))
    for name, case in PROGRAMS.items():
        if case["schema"] not in BUILT_IN:
            checked = compile_program(case["program"], Checker(schemas[case["schema"]]))
            assert checked.ok, (name, [d.message for d in checked.diagnostics])
