"""The reference's value cases: each value is read, printed in both syntaxes, taken out and filled in, and stays what it was."""

import json
from pathlib import Path

import pytest
from thingtalk_oracle import Oracle

from dlc.grammar.diagnostic import CompileError
from dlc.schemas import load_schema
from dlc.targets.thingtalk import values
from dlc.targets.thingtalk.ast import Invocation
from dlc.targets.thingtalk.declarations import ExpressionStatement, Input, Program
from dlc.targets.thingtalk.entities import filled, taken_out
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.programs import parse
from dlc.targets.thingtalk.read import ThingTalkReader

RESULT = "$dialogue @org.thingpedia.dialogue.transaction.execute; @uk.ac.cam.multiwoz.Hotel.Hotel() #[results=[{{ stars={} }}]];"
KINDS = [
    values.Boolean, values.Boolean, values.String, values.Measure, values.Number, values.Currency, values.Currency,
    values.Currency, values.Location, values.Location, values.Location, values.Location, values.IsoDate, values.Time,
    values.Time, values.Entity, values.Entity, values.Entity, values.Array, values.ArgMap, values.RecurrentTime, values.RecurrentTime,
]  # fmt: skip


def value_of(tree: Input) -> values.Value:
    assert isinstance(tree, Program)
    (statement,) = tree.statements
    assert isinstance(statement, ExpressionStatement) and isinstance(statement.expression, Invocation)
    (param,) = statement.expression.params
    return param.value


@pytest.mark.oracle
def test_the_references_values(oracle: Oracle) -> None:
    cases = oracle.values()["values"]
    assert len(cases) == 22
    trees = [parse(code) for code in cases]
    assert [type(value_of(tree)) for tree in trees] == KINDS
    # Its own printing comes back, blanks beside a colon apart.
    assert [to_text(tree).replace(" : ", ":") for tree in trees] == cases
    for tree in trees:
        assert parse(to_text(tree)) == tree == parse(to_text(tree, True), True)
        bare, held = taken_out(tree)
        assert filled(bare, json.loads(json.dumps(held))) == tree
    codes = [(code, "normal") for code in cases]
    codes += [
        (to_text(tree, tokenized), syntax)
        for tokenized, syntax in ((False, "normal"), (True, "tokenized"))
        for tree in trees
    ]
    answers = oracle.judge(codes, oracle.tests / "thingpedia.tt")
    ours, theirs = answers[22:], answers[:22] * 2
    assert all(a["parse"] for a in answers)
    assert [a["canonical_tokens"] for a in ours] == [a["canonical_tokens"] for a in theirs]


@pytest.mark.oracle
@pytest.mark.corpus
def test_what_the_reference_calls_a_constant(oracle: Oracle, corpora: Path) -> None:
    """Results hold constants: of these values we read those that DL has, and none that is no constant."""
    cases = [(code[len("@com.foo.bar(p=") : -2], constant) for code, constant in oracle.values()["constants"]]
    assert len(cases) == 14
    reader = ThingTalkReader(load_schema("multiwoz"))
    programs = [RESULT.format(text) for text, _ in cases]
    verdicts = oracle.judge([(p, "normal") for p in programs], corpora / "multiwoz30" / "schema.tt")
    outside = []
    for (text, constant), program, verdict in zip(cases, programs, verdicts, strict=True):
        assert verdict["typecheck"] == constant
        try:
            reader.read(program)
            read = ""
        except CompileError as error:
            read = error.diagnostics[0].code
        assert constant or read in ("DLC225", "DLC228"), text
        if constant and read:
            outside.append(text)
    # Edges and parts of dates are no values of DL (DLC225); the last is a name its compiler makes up for a constant.
    assert outside == ["$start_of(week)", "new Date(, , 11)", "__const_QUOTED_STRING_0"]


@pytest.mark.parametrize("value", ["2 + 2", "stars", "foo"])
def test_a_result_that_is_no_constant(value: str) -> None:
    with pytest.raises(CompileError) as caught:
        ThingTalkReader(load_schema("multiwoz")).read(RESULT.format(value))
    (found,) = caught.value.diagnostics
    assert found.code == "DLC228" and "stars" in found.message and found.span is not None
    counted = RESULT.format("4").removesuffix(";") + f" #[count={value}];"
    with pytest.raises(CompileError, match="`count` is no constant"):
        ThingTalkReader(load_schema("multiwoz")).read(counted)
