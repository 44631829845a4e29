"""Printing and reading back is the identity on random trees, in both syntaxes."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from thingtalk_trees import tree_strategies

from dlc.targets.thingtalk.classfile import class_file_text
from dlc.targets.thingtalk.declarations import ClassDef, Input, Program
from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.printer import ThingTalkPrintError
from dlc.targets.thingtalk.programs import parse

quiet = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize("tokenized", [False, True])
@quiet
@given(data=st.data())
def test_what_is_printed_reads_back(tokenized: bool, data: st.DataObject) -> None:
    tree: Input = data.draw(tree_strategies(tokenized).input)
    try:
        text = to_text(tree, tokenized)
    except ThingTalkPrintError as refused:
        # Only a string with a quotation mark standing alone has no spelling.
        assert tokenized and '"' in str(refused)
        assume(False)
    assert parse(text, tokenized) == tree
    assert to_text(parse(text, tokenized), tokenized) == text


@quiet
@given(st.lists(tree_strategies(False).class_, max_size=3).map(tuple))
def test_class_files_read_back(classes: tuple[ClassDef, ...]) -> None:
    text = class_file_text(classes)
    if classes:
        assert parse(text) == Program(classes)
    else:
        assert text == ""


@quiet
@given(tree=tree_strategies(True).dialogue, data=st.data())
def test_cut_programs_are_read_or_refused_with_a_place(tree: Input, data: st.DataObject) -> None:
    """Words removed, doubled or swapped: the only exception is ours, and points into the text."""
    try:
        words = to_text(tree, True).split(" ")
    except ThingTalkPrintError:
        assume(False)
    for _ in range(3):
        i, j = data.draw(st.integers(0, len(words) - 1)), data.draw(st.integers(0, len(words) - 1))
        words[i], words[j] = words[j], data.draw(st.sampled_from((words[i], words[j], "", "(", '"', "#[", "of")))
    text = " ".join(words)
    try:
        again = parse(text, True)
    except ThingTalkSyntaxError as error:
        assert 0 <= error.offset <= error.end <= len(text) + 1
    else:
        assert parse(to_text(again, True), True) == again
