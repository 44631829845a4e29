"""Lispress as S-expressions: what is read, what is refused and where, and that printing gives the text back."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.targets.dataflow.canonical import write_canonical
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.sexp import (
    MAX_DEPTH,
    LispressError,
    Sexp,
    is_string,
    openings,
    read,
    symbol,
    symbol_name,
    write,
    write_pretty,
)
from dlc.targets.dataflow.writer import write_program


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("foo", "foo"),
        ("()", ()),
        (" ( a\t(b) ) ", ("a", ("b",))),
        ("(?= 3L)", ("?=", "3L")),
        ('(f "a (b" c)', ("f", '"a (b"', "c")),
        (r'(f "say \"hi\" \\" x)', ("f", r'"say \"hi\" \\"', "x")),
        ('("b"c)', ('"b"', "c")),
        ('(a"b")', ("a", '"b"')),
        ("^Long 3L", ("^", "Long", "3L")),
        ("^ (List Event)  (f)", ("^", ("List", "Event"), ("f",))),
        ("(^(Event) f ^T x)", (("^", ("Event",), "f"), ("^", "T", "x"))),
        ("^A ^B c", ("^", "A", ("^", "B", "c"))),
        ('#(Path "x")', ("#", ("Path", '"x"'))),
        ("(f #(Number 1)#(Number 2))", ("f", ("#", ("Number", "1")), ("#", ("Number", "2")))),
        ("(Constraint[Event] :a ; 'b)", ("Constraint[Event]", ":a", ";", "'b")),
        (r"(a\ b \(c\) \^)", (r"a\ b", r"\(c\)", r"\^")),
        ('"line\nbreak"', '"line\nbreak"'),
        ("\u00a0(é)\u2003", ("é",)),
        ("(#x)", (("#", "x"),)),
    ],
)
def test_reads(text: str, tree: Sexp) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "offset", "about"),
    [
        ("", 0, "no expression"),
        ("  ", 2, "no expression"),
        ("(f (g)", 0, "never closed"),
        ("(f (g x", 3, "never closed"),
        ("(f))", 3, "more than one"),
        (")", 0, "without an opening"),
        ("(f) (g)", 4, "more than one"),
        ("a b", 2, "more than one"),
        ('(f "abc)', 3, "string is never closed"),
        (r'(f "abc\")', 3, "string is never closed"),
        ("(f ^T)", 3, "lacks an expression"),
        ("(f ^)", 3, "lacks an expression"),
        ("(f #)", 3, "lacks an expression"),
        ("^T", 0, "lacks an expression"),
        ("#", 0, "lacks an expression"),
        ("(f a\\", 4, "nothing follows"),
        ("(" * 50_000 + "a" + ")" * 50_000, MAX_DEPTH, "deep"),
        ("#" * 50_000 + "a", MAX_DEPTH, "deep"),
        ("^T " * 50_000 + "a", 3 * MAX_DEPTH, "deep"),
        ("(" * 50_000, MAX_DEPTH, "deep"),
    ],
)
def test_refuses_with_a_place(text: str, offset: int, about: str) -> None:
    with pytest.raises(LispressError) as caught:
        read(text)
    assert caught.value.offset == offset
    assert about in caught.value.message


def test_the_deepest_text_that_is_read_is_also_written() -> None:
    text = "(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH
    assert write(read(text)) == text
    with pytest.raises(LispressError, match="deep"):
        read(f"({text})")


@pytest.mark.parametrize(
    ("opening", "closing", "levels"),
    [
        ("(f ", ")", MAX_DEPTH - 1),
        ("^T ", "", MAX_DEPTH),
        ("(let (y ", ") y)", MAX_DEPTH // 2),
        ("(lambda (^T y) ", ")", MAX_DEPTH - 2),
        ("(^(A) f :k ", ")", MAX_DEPTH - 2),
    ],
)
def test_the_deepest_programs_are_read_and_written(opening: str, closing: str, levels: int) -> None:
    text = opening * levels + "z" + closing * levels
    program = read_program(text)
    assert write_program(program) == text
    standard = write_canonical(program)
    assert write_canonical(read_program(standard)) == standard


def test_a_tree_that_nobody_could_read_is_not_written() -> None:
    tree: Sexp = "a"
    for _ in range(50_000):
        tree = (tree,)
    for writer in (write, write_pretty):
        with pytest.raises(LispressError, match="deep"):
            writer(tree)


def test_a_large_flat_text_takes_time_in_proportion() -> None:
    text = "(f" + ' (g "a\\"b" 3L)' * 50_000 + ")"
    start = time.perf_counter()
    assert write(read(text)) == text
    hostile = '"' + '\\"' * 200_000
    with pytest.raises(LispressError):
        read(hostile)
    assert time.perf_counter() - start < 5


_names = st.text(min_size=1, max_size=6)
_atoms = st.one_of(
    _names.map(symbol),
    st.sampled_from([":key", "3L", "0.5", "?=", "Constraint[Event]", '"a \\" b"', '""']),
)
_trees = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.tuples(st.just("^"), inner, inner),
        st.tuples(st.just("#"), inner),
    ),
    max_leaves=25,
)


@given(_trees)
def test_reading_is_inverse_to_both_writers(tree: Sexp) -> None:
    assert read(write(tree)) == tree
    assert read(write_pretty(tree)) == tree
    assert read(write_pretty(tree, 1)) == tree


@given(_trees)
def test_openings_are_those_of_the_tuples(tree: Sexp) -> None:
    text = write(tree)
    places = openings(text)

    def tuples(node: Sexp) -> list[Sexp]:
        return [] if isinstance(node, str) else [node] + [each for part in node for each in tuples(part)]

    assert [text[at] for at in places] == ["^#("["^#".find(str(node[:1] and node[0]))] for node in tuples(tree)]


@given(st.text(max_size=40) | st.text(alphabet='()"^#\\ ab:', max_size=40))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    try:
        tree = read(text)
    except LispressError as error:
        assert 0 <= error.offset <= len(text)
    else:
        assert read(write(tree)) == tree


@given(_names)
def test_a_symbol_may_hold_any_character(name: str) -> None:
    spelled = symbol(name)
    assert read(spelled) == spelled and not is_string(spelled)
    assert symbol_name(spelled) == name


def test_a_symbol_cannot_be_empty() -> None:
    with pytest.raises(LispressError):
        symbol("")


def test_pretty() -> None:
    text = (
        '(Yield :output (createEvent (Constraint[Event] :subject (?= #(String "lunch with the team")) :start (noon))))'
    )
    assert write_pretty(read(text)) == (
        "(Yield\n"
        "  :output (createEvent\n"
        "    (Constraint[Event]\n"
        '      :subject (?= #(String "lunch with the team"))\n'
        "      :start (noon))))"
    )
    assert write_pretty(read(text), 200) == text
