"""All of SMCalFlow and the MultiWOZ programs through DL text; inference against the typed programs."""

import gzip
import json
import random
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.compiler.sugar import print_turn
from dlc.compiler.terms import Turn
from dlc.grammar.parser import parse
from dlc.targets.dataflow.from_dl import lispress_of
from dlc.targets.dataflow.harvest import harvest
from dlc.targets.dataflow.names import Names
from dlc.targets.dataflow.program import Arg, Ascribed, Call, Expr, Let
from dlc.targets.dataflow.read import LispressReader
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.sexp import write
from dlc.targets.dataflow.to_dl import dl_turn
from dlc.targets.dataflow.typed import Typist
from dlc.targets.dataflow.write import LispressWriter
from dlc.targets.dataflow.writer import type_sexp, write_program

pytestmark = pytest.mark.corpus

Turns = list[dict[str, Any]]


@pytest.fixture(scope="module")
def built_in() -> Schema:
    return read_schema(files("dlc").joinpath("data", "smcalflow.dl").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def dialogues(corpora: Path) -> list[Turns]:
    with gzip.open(corpora / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["turns"] for line in lines]


def reparsed(turn: Turn) -> Turn:
    (back,), _ = lower_program(parse(print_turn(turn)))
    return back


@cache
def read(text: str) -> Expr:
    return read_program(text)


def learned(turns: Iterable[dict[str, Any]]) -> Schema:
    pairs = {(t["fully_typed_lispress"], t["lispress"]) for t in turns}
    return harvest([(read(full), read(short)) for full, short in sorted(pairs)], "half")


@cache
def heads(text: str) -> frozenset[str]:
    """What a program calls."""
    found = re.sub(r"\^\((?:[^()]|\([^()]*\))*\)", "", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))
    return frozenset(re.findall(r"\(\s*([^\s()]+)", found)) - {"let"}


def test_the_built_in_schema_is_what_the_corpus_teaches(built_in: Schema, smcalflow: Turns) -> None:
    taught = print_schema(learned(smcalflow)).splitlines()[1:]
    assert taught == print_schema(built_in).splitlines()[1:]


def test_every_program_comes_back_through_dl_text(built_in: Schema, smcalflow: Turns) -> None:
    reader, writer = LispressReader(built_in), LispressWriter(built_in)
    wrong, noted, plain = [], 0, 0
    for text in sorted({t["lispress"] for t in smcalflow}):
        turn, notes = reader.turn(text)
        noted += bool(notes)
        assert turn is not None
        plain += "`\\'" in print_turn(turn)
        if writer.write(reparsed(turn)).program != text:
            wrong.append(text)
    assert wrong == []
    assert (noted, plain) == (0, 0)


@pytest.mark.parametrize("form", ["v1", "typed"])
def test_other_forms_come_back_through_dl_text_without_a_schema(smcalflow: Turns, form: str) -> None:
    names = Names(None)
    key = {"v1": lambda t: t["tags"]["original_lispress"], "typed": lambda t: t["fully_typed_lispress"]}[form]
    texts = sorted({key(t) for t in smcalflow})[:: 1 if form == "v1" else 4]
    assert len(texts) > 1000
    wrong = [t for t in texts if write_program(lispress_of(reparsed(dl_turn(read(t), names)), names).program) != t]
    assert wrong == []


def test_multiwoz_programs_come_back_through_dl_text(corpora: Path) -> None:
    with gzip.open(corpora / "multiwoz21" / "val.dataflow.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = sorted({json.loads(line)["lispress"] for line in lines})
    names = Names(None)
    assert len(texts) > 2000
    wrong = [t for t in texts if write_program(lispress_of(reparsed(dl_turn(read(t), names)), names).program) != t]
    assert wrong == []


def test_typed_text_is_inferred(built_in: Schema, smcalflow: Turns) -> None:
    typist = Typist(built_in)
    results = [(typist.typed(t["lispress"]), t["fully_typed_lispress"]) for t in smcalflow]
    assert [full for result, full in results if result.text != full] == []
    assert [result for result, _ in results if result.diagnostics] == []


def test_typed_text_is_inferred_from_the_short_dl(built_in: Schema, smcalflow: Turns) -> None:
    reader, typist, checker = LispressReader(built_in), Typist(built_in), Checker(built_in)
    pairs = sorted({(t["lispress"], t["fully_typed_lispress"]) for t in smcalflow})[::2]
    for short, full in pairs:
        turn, _ = reader.turn(short)
        assert turn is not None
        assert typist.typed_turn(checker.check_turn(turn)).text == full


def test_half_a_corpus_types_the_other_half(dialogues: list[Turns]) -> None:
    for seed in range(5):
        order = list(range(len(dialogues)))
        random.Random(seed).shuffle(order)
        half = len(order) // 2
        first = [turn for i in order[:half] for turn in dialogues[i]]
        second = [turn for i in order[half:] for turn in dialogues[i]]
        schema = learned(first)
        typist = Typist(schema)
        known = frozenset[str]().union(*(heads(t["lispress"]) for t in first))
        covered = 0
        for turn in second:
            result = typist.typed(turn["lispress"])
            unknown = heads(turn["lispress"]) - known
            lacking = _unknown_arguments(turn, schema)
            if not unknown and not lacking:
                covered += 1
                assert (result.text, result.diagnostics) == (turn["fully_typed_lispress"], ())
                continue
            said = " ".join(d.message for d in result.diagnostics if d.code in ("DLC283", "DLC284", "DLC293"))
            assert all(f"`{name}`" in said for name in unknown), (unknown, said)
            # Names of positional arguments are not in the text: the function and the argument's place and type are.
            assert all(f"`{head}` without argument {i + 1}, here {type_}" in said for head, i, type_ in lacking)
            assert result.ok == (result.text == turn["fully_typed_lispress"])
        assert covered / len(second) > 0.975


def _unknown_arguments(turn: dict[str, Any], schema: Schema) -> list[tuple[str, int, str]]:
    """Arguments of known functions that the schema's half of the corpus never showed: function, place and type."""
    names = Names(schema).function
    pending = [read(turn["fully_typed_lispress"])]
    lacking: list[tuple[str, int, str]] = []
    while pending:
        expr = pending.pop()
        if isinstance(expr, Let):
            pending += [value for _, value in expr.bindings] + list(expr.body)
        elif isinstance(expr, Call):
            function = names.get(expr.head)
            known = {p.name for p in function.params} if function is not None else set()
            for i, arg in enumerate(expr.args):
                if function is not None and arg.name not in known:
                    type_ = write(type_sexp(arg.value.type)) if isinstance(arg.value, Ascribed) else ""
                    lacking.append((expr.head, i, type_))
                pending += [arg.value] if arg.value is not None else []
        else:
            pending += [expr.expr] if isinstance(expr, Ascribed) else []
    return lacking


def _without_type_arguments(expr: Expr) -> Expr:
    if isinstance(expr, Call):
        args = [Arg(a.name, None if a.value is None else _without_type_arguments(a.value)) for a in expr.args]
        return Call(expr.head, tuple(args))
    if isinstance(expr, Let):
        bindings = [(name, _without_type_arguments(value)) for name, value in expr.bindings]
        return Let(tuple(bindings), tuple(_without_type_arguments(each) for each in expr.body))
    return expr


def test_type_arguments_are_inferred_where_anything_shows_them(built_in: Schema, smcalflow: Turns) -> None:
    typist = Typist(built_in)
    with_types = [t for t in smcalflow if "^" in t["lispress"]]
    equal = 0
    for turn in with_types:
        result = typist.typed(write_program(_without_type_arguments(read(turn["lispress"]))))
        assert result.ok
        if result.text == turn["fully_typed_lispress"]:
            equal += 1
        else:
            assert "DLC285" in {d.code for d in result.diagnostics}
    assert equal / len(with_types) >= 0.965


def test_a_small_schema_loses_nothing(dialogues: list[Turns]) -> None:
    schema = learned(turn for turns in dialogues[:30] for turn in turns)
    reader, writer = LispressReader(schema), LispressWriter(schema)
    texts = sorted({turn["lispress"] for turns in dialogues[30:] for turn in turns})[::8]
    unknown = 0
    for text in texts:
        turn, notes = reader.turn(text)
        assert turn is not None
        unknown += bool(notes)
        assert writer.write(reparsed(turn)).program == text
    assert unknown > 100
