"""Lispress as programs: keys, types, literals and variables are kept as written, and the standard form is standard."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.targets.dataflow.canonical import write_canonical
from dlc.targets.dataflow.program import (
    EMPTY,
    Arg,
    Ascribed,
    Atom,
    Call,
    Expr,
    Lambda,
    Let,
    Name,
    Opaque,
    Tagged,
    TypeExpr,
    Var,
    named,
    positional,
    string,
)
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.sexp import LispressError
from dlc.targets.dataflow.writer import write_program

_EVENT = TypeExpr("Event")


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("()", EMPTY),
        ("(F :a 1 2)", Call("F", (Arg("a", Atom("Number", "1")), Arg(None, Atom("Number", "2"))))),
        ("(F 1 :b 2)", Call("F", (Arg(None, Atom("Number", "1")), Arg("b", Atom("Number", "2"))))),
        ("(F :a)", Call("F", (Arg("a", None),))),
        ("(F :a :b x)", Call("F", (Arg("a", None), Arg("b", Name("x"))))),
        ("(singleton :list (f))", Call("singleton", named(list=Call("f")))),
        ("(^(Event) singleton ^Long 3L)",
         Call("singleton", positional(Ascribed(TypeExpr("Long"), Atom("Long", "3L"))), (_EVENT,))),
        ("^(List Event) (f)", Ascribed(TypeExpr("List", (_EVENT,)), Call("f"))),
        ("(:start (f))", Call(":start", positional(Call("f")))),
        ('(f #(Path "a.b") #(List[Path] []))',
         Call("f", positional(Tagged("Path", ('"a.b"',)), Tagged("List[Path]", ("[]",))))),
        ("(f true 1e3 -2 0.5 007 +3 12L -3L Infinity)",
         Call("f", positional(Atom("Boolean", "true"), *[Atom("Number", n) for n in ("1e3", "-2", "0.5")],
                              Name("007"), Name("+3"), Atom("Long", "12L"), Name("-3L"), Atom("Number", "Infinity")))),
        ("(let (x0 (f) y x0) (g y z x7))",
         Let((("x0", Call("f")), ("y", Var("x0"))), (Call("g", positional(Var("y"), Name("z"), Var("x7"))),))),
        ("(lambda (^Event x0) (f x0))", Lambda("x0", _EVENT, Call("f", positional(Var("x0"))))),
        ("(lambda (e) e)", Lambda("e", None, Var("e"))),
        ("(do (f) (g))", Call("do", positional(Call("f"), Call("g")))),
        ("((f) x)", Opaque((("f",), "x"))),
        (r"(f \:a \3 \true)", Call("f", positional(Name(":a"), Name("3"), Name("true")))),
        (r"(\let x)", Call("let", positional(Name("x")))),
        ("(let (true 1) true)", Let((("true", Atom("Number", "1")),), (Var("true"),))),
    ],
)  # fmt: skip
def test_reads_and_writes(text: str, program: Expr) -> None:
    assert read_program(text) == program
    assert write_program(program) == text


@pytest.mark.parametrize(
    ("text", "offset", "about"),
    [
        ("(f (let (x0) (g)))", 8, "a value for every name"),
        ("(f (let (x0 (g))))", 3, "let is written"),
        ("(f (let (x0 (g) (h) 1) 2))", 8, "binds symbols"),
        ("(lambda (x y) x)", 0, "lambda is written"),
        ("(lambda ((x)) x)", 0, "binds one symbol"),
        ("(f (^T g))", 4, "parentheses"),
        ('(f ^"T" x)', 3, "type"),
        ("(f ^() x)", 3, "type"),
        ("(f ^(List (A) ((B))) x)", 14, "begins with its name"),
        ("(f (a) #x)", 7, "#(Schema value)"),
        ("(f (a (b)) #(Foo (c)))", 11, "#(Schema value)"),
        ("(f", 0, "never closed"),
    ],
)
def test_malformed(text: str, offset: int, about: str) -> None:
    with pytest.raises(LispressError) as caught:
        read_program(text)
    assert (caught.value.offset, about in caught.value.message) == (offset, True), caught.value


def test_values() -> None:
    program = read_program(r'(f 3L 0.5 2 true "a\u00e9\n" "\q" NaN #(Foo [1]) #(Foo bar baz))')
    assert isinstance(program, Call)
    values = [arg.value.value for arg in program.args if isinstance(arg.value, Atom | Tagged)]
    assert values[:6] == [3, 0.5, 2, True, "aé\n", "\\q"]
    assert isinstance(values[6], float) and math.isnan(values[6])
    assert values[7:] == [[1], "bar baz"]


_words = st.text(min_size=1, max_size=5)
_types = st.recursive(
    st.builds(TypeExpr, _words),
    lambda inner: st.builds(TypeExpr, _words, st.lists(inner, max_size=2).map(tuple)),
    max_leaves=4,
)
_leaves = st.one_of(
    st.just(EMPTY),
    st.builds(string, st.text(max_size=8)),
    st.sampled_from([Atom("Long", "3L"), Atom("Number", "1.50"), Atom("Boolean", "true"), Tagged("A", ("1", '"b"'))]),
    _words.filter(lambda word: not (word[0] == "x" and word[1:].isascii() and word[1:].isdigit())).map(Name),
    st.integers(0, 9).map(lambda n: Var(f"x{n}")),
)


def _compound(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    keyed = st.builds(Arg, st.none() | _words, inner)
    lost = st.builds(Arg, _words, st.none())
    # A key without a value can only stand before another key or last: elsewhere it would take the next argument.
    args = st.tuples(st.lists(keyed, max_size=3), st.lists(lost, max_size=1)).map(lambda both: (*both[0], *both[1]))
    return st.one_of(
        st.builds(Call, _words, args, st.none() | st.lists(_types, max_size=2).map(tuple)),
        st.builds(Ascribed, _types, inner),
        st.lists(inner, min_size=1, max_size=2).map(
            lambda values: Let(tuple((f"x{i}", v) for i, v in enumerate(values)), (Call("f", positional(Var("x0"))),))
        ),
        st.builds(Lambda, st.just("x5"), st.none() | _types, inner),
    )


@given(st.recursive(_leaves, _compound, max_leaves=12))
def test_reading_is_inverse_to_writing(program: Expr) -> None:
    assert read_program(write_program(program)) == program


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        ("foo", "(foo)"),
        ("(f #(Number 1) #(String \"a\") #(Boolean true) #(Long 3) #(Foo bar))", '(f 1 "a" true 3L #(Foo "bar"))'),
        ("(f 1.50 1e3 007L)", "(f 1.5 1000.0 7L)"),
        ('(f "é")', '(f "\\u00e9")'),
        ("(F :b 1 :a 2)", "(F :a 2 :b 1)"),
        ("(F 1 :b 1 :a 2)", "(F 1 :b 1 :a 2)"),
        ("(singleton :list (g))", "(singleton :list (g))"),
        ("(F :b 1 :a)", "(F :a :b 1)"),
        ('(get (f) #(Path "start"))', "(:start (f))"),
        ('(get (f) #(Path "start.date"))', '(get (f) #(Path "start.date"))'),
        ("(:start (f))", "(:start (f))"),
        ("(let (y (f)) (g y))", "(g (f))"),
        ("(let (y (f)) (g y y))", "(let (x0 (f)) (g x0 x0))"),
        ("(g (let (y (f)) (h y y)) (k))", "(let (x0 (f)) (g (h x0 x0) (k)))"),
        ("(let (a (f) b (g a)) (h b b a))", "(let (x0 (f) x1 (g x0)) (h x1 x1 x0))"),
        ("(let (a (f) b (g)) (h b b a a))", "(let (x0 (g) x1 (f)) (h x0 x0 x1 x1))"),
        ("(let (y (f)) (g))", "(do (f) (g))"),
        ("(let (y (f)) (do y y))", "(let (x0 (f)) (do x0 x0))"),
        ("(let (y ^T (f)) (g ^U y))", "(g ^T (f))"),
        ("(let (y ^T (f)) (g y y))", "(let (x0 ^T (f)) (g x0 x0))"),
        ("(let (y (f)) (let (y (g y)) (h y y)))", "(let (x0 (g (f))) (h x0 x0))"),
        ("(lambda (^T e) (let (y (f e)) (g y y)))", "(lambda (^T x0) (let (x1 (f x0)) (g x1 x1)))"),
        ("(let (y (f)) (lambda (^T e) (g y y e)))", "(let (x1 (f)) (lambda (^T x0) (g x1 x1 x0)))"),
        ("(^(T) f)", "(^(T) f)"),
        ("()", "()"),
    ],
)  # fmt: skip
def test_standard_form(text: str, standard: str) -> None:
    assert write_canonical(read_program(text)) == standard
    assert write_canonical(read_program(standard)) == standard


def test_standard_form_needs_bound_variables() -> None:
    with pytest.raises(LispressError, match="x7"):
        write_canonical(read_program("(f x7)"))
    with pytest.raises(LispressError, match="y"):
        write_canonical(Let((("z", Var("y")), ("y", Call("f"))), (Var("y"),)))


def test_a_chain_of_lets_too_long_to_nest_is_refused() -> None:
    bindings = " ".join(["x0 (f)"] + [f"x{i} (f x{i - 1})" for i in range(1, 5000)])
    with pytest.raises(LispressError, match="deep"):
        write_canonical(read_program(f"(let ({bindings}) x4999)"))
