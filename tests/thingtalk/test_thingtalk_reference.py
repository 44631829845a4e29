"""Our reading and writing held to the reference: its data, its own tests, and its verdicts on what we print."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from thingtalk_oracle import Oracle
from thingtalk_trees import tree_strategies

from dlc.targets.thingtalk import ast
from dlc.targets.thingtalk.classfile import class_file_text, read_class_file
from dlc.targets.thingtalk.declarations import ExpressionStatement, Input, Program
from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.printer import ThingTalkPrintError
from dlc.targets.thingtalk.programs import parse


@pytest.mark.corpus
def test_every_program_of_multiwoz_3_prints_back_byte_for_byte(corpora: Path) -> None:
    files = sorted((corpora / "multiwoz30").glob("*.tsv"))
    assert files
    for file in files:
        rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
        programs = {text for row in rows for text in (row[1], row[3]) if text != "null"}
        assert len(programs) > 500
        for text in programs:
            assert to_text(parse(text, True), True) == text


def syntax_cases(oracle: Oracle) -> list[str]:
    return (oracle.tests / "test_syntax.tt").read_text(encoding="utf-8").split("====")


@pytest.mark.oracle
def test_our_verdict_on_syntax_is_that_of_the_references_tests(oracle: Oracle) -> None:
    cases = syntax_cases(oracle)
    assert len(cases) > 250
    for code in cases:
        try:
            parse(code)
            read = True
        except ThingTalkSyntaxError:
            read = False
        assert read == ("** expect SyntaxError" not in code), code


def brackets_count(tree: Input) -> bool:
    """Whether the reference keeps needless brackets: around a filtered query that a truth is asked of."""
    return isinstance(tree, Program) and any(
        isinstance(s, ExpressionStatement)
        and isinstance(s.expression, ast.BooleanQuestion)
        and isinstance(s.expression.expression, ast.FilterExpression)
        for s in tree.statements
    )


def assert_same(before: dict[str, Any], after: dict[str, Any], tree: Input, tokenized: bool) -> None:
    assert after["parse"], after["error"]
    assert after["typecheck"] == before["typecheck"], after["error"]
    if not brackets_count(tree):
        assert after["canonical_tokens"] == before["canonical_tokens"]
    elif before["canonical"] is not None:
        assert parse(after["canonical"], tokenized) == parse(before["canonical"], tokenized)


@pytest.mark.oracle
@pytest.mark.parametrize("syntax", ["normal", "tokenized"])
def test_what_we_print_means_the_same_to_the_reference(oracle: Oracle, syntax: str) -> None:
    cases = [code for code in syntax_cases(oracle) if "** expect SyntaxError" not in code]
    trees = [parse(code) for code in cases]
    again = [(to_text(tree, syntax == "tokenized"), syntax) for tree in trees]
    answers = oracle.judge([(code, "normal") for code in cases] + again, oracle.tests / "thingpedia.tt")
    for i, tree in enumerate(trees):
        before, after = answers[i], answers[len(cases) + i]
        if syntax == "tokenized":
            before = {**before, "canonical": before["canonical_tokens"]}
        assert_same(before, after, tree, syntax == "tokenized")


@pytest.mark.oracle
def test_the_references_tokenized_cases(oracle: Oracle) -> None:
    """Tokens and the pretty text beside them: both read, and mean what they meant after our printing."""
    cases = oracle.cases("test_nn_syntax.js", "TEST_CASES")
    assert len(cases) > 100
    codes = [(tokens, "tokenized") for tokens, _, _, _ in cases] + [(pretty, "normal") for _, _, _, pretty in cases]
    trees = [parse(code, syntax == "tokenized") for code, syntax in codes]
    again = [(to_text(tree, s == "tokenized"), s) for tree, (_, s) in zip(trees, codes, strict=True)]
    answers = oracle.judge(codes + again, oracle.tests / "thingpedia.tt")
    for i, tree in enumerate(trees):
        before, after = answers[i], answers[len(codes) + i]
        assert after["parse"] == before["parse"]
        if before["parse"]:
            assert_same(before, after, tree, codes[i][1] == "tokenized")
    # The oracle's own values for placeholders do not fit everywhere: no SLOT_n, and no year 1000003.
    assert sum(answer["parse"] for answer in answers[: len(codes)]) > 0.98 * len(codes)


@pytest.mark.oracle
def test_the_references_printing_cases(oracle: Oracle) -> None:
    cases = oracle.cases("test_prettyprint.js", "TEST_CASES")
    assert len(cases) > 10
    trees = [parse(code) for code in cases]
    codes = [(code, "normal") for code in cases] + [(to_text(tree), "normal") for tree in trees]
    answers = oracle.judge(codes, oracle.tests / "thingpedia.tt")
    for i, tree in enumerate(trees):
        assert_same(answers[i], answers[len(cases) + i], tree, False)


@pytest.mark.oracle
@pytest.mark.corpus
def test_class_files_mean_the_same_after_printing(oracle: Oracle, corpora: Path) -> None:
    schema = corpora / "multiwoz30" / "schema.tt"
    for path in (schema, oracle.tests / "thingpedia.tt"):
        read = read_class_file(path.read_text(encoding="utf-8"))
        assert read_class_file(class_file_text(read.classes)) == read
    # Only the small one: the reference takes twenty seconds to check the other.
    source = schema.read_text(encoding="utf-8")
    printed = class_file_text(read_class_file(source).classes)
    before, after = oracle.judge([(source, "normal"), (printed, "normal")], schema)
    assert after["typecheck"] and after["canonical"] == before["canonical"]


@pytest.mark.oracle
@pytest.mark.parametrize("tokenized", [False, True])
def test_the_reference_reads_whatever_we_print(oracle: Oracle, corpora: Path, tokenized: bool) -> None:
    """Random trees. Other than of syntax it may complain: of dates out of range, of places that no map has."""
    syntax = "tokenized" if tokenized else "normal"
    printed: list[tuple[str, str]] = []

    @settings(max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(tree_strategies(tokenized).input)
    def collect(tree: Input) -> None:
        try:
            printed.append((to_text(tree, tokenized), syntax))
        except ThingTalkPrintError:
            assert tokenized

    collect()
    answers = oracle.judge(printed, corpora / "multiwoz30" / "schema.tt")
    assert sum(answer["parse"] for answer in answers) > 40
    for (text, _), answer in zip(printed, answers, strict=True):
        assert not (answer["error"] or "").startswith("SyntaxError"), (text, answer["error"])
