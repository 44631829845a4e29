"""Lispress in DL and back: one to one, through printed text, whatever a program calls."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dlc
from dlc.compiler.lower import lower_program
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import read_schema
from dlc.compiler.sugar import print_turn
from dlc.grammar.parser import parse
from dlc.targets.dataflow.from_dl import lispress_of
from dlc.targets.dataflow.names import Names, Unsayable, escaped, plain, unescaped
from dlc.targets.dataflow.program import Arg, Atom, Call, Expr, Let, Name, Tagged, TypeExpr, Var
from dlc.targets.dataflow.read import LispressReader
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.short import first_inside
from dlc.targets.dataflow.to_dl import dl_turn
from dlc.targets.dataflow.write import LispressWriter
from dlc.targets.dataflow.writer import write_program

BARE = Names(None)

LIBRARY = """
schema bakery
open enum Size = Small | Large
field Cake.size: Size @accessor "obj" @lift "obj"
field Cake.baked: Stamp @accessor "obj" @lift "obj"
field Stamp.hour: Int @accessor "obj" @lift "obj"
field Loaf.baked: Stamp @accessor "obj" @lift "obj"
fun Bake(what: Spec[Cake]) -> Cake
fun Serve(; note?: Text, cake: Cake) -> Unit @leading "1"
fun Stamp(inner: Int) -> Stamp @lispress "Stamp.apply"
fun Today() -> Stamp
fun Confirm[T]() -> Ref[T] @targs
fun Nothing[T]() -> List[T] @lispress "List.Nothing" @targs
fun Say[T](output: T) -> Unit
fun refer[T](constraint: Spec[Ref[T]]) -> Ref[T]
fun Execute[T](intension: Ref[T]) -> T
fun `&`[T](c1: Spec[T], c2: Spec[T]) -> Spec[T]
fun `?=`[T](reference: T) -> Spec[T]
fun `==`[T](x: T, y: T) -> Bool
fun negate[T](constraint: Spec[T]) -> Spec[T]
fun extensionConstraint[T](constraint: Spec[T]) -> Spec[Ref[T]]
fun roleConstraint[T](path: Path) -> Spec[Ref[T]] @targs
fun Path(inner: Text) -> Path @lispress "Path.apply"
fun EmptyStructConstraint[T]() -> Spec[T] @targs
fun `\\take`[T](list: List[T], number: Int) -> List[T] @lispress "take"
"""


@pytest.fixture(scope="module")
def bakery() -> Schema:
    return read_schema(LIBRARY)


def through_text(program: Expr, names: Names = BARE) -> tuple[str, Expr]:
    """The DL text of a program, and the program that a reader of that text gets."""
    text = print_turn(dl_turn(program, names))
    (turn,), _ = lower_program(parse(text))
    made = lispress_of(turn, names)
    assert made.unsaid == [] and made.open == []
    return text, made.program


FORMS = [
    ("(Bake (Cake.size_? (?= 3L)))", "user: Bake({ (it : Cake).size = 3L });"),
    ("(F (& (& (A.b_? (?~= 'x')) (?> 2)) c))", 'user: F({ (it : A).b ~ "x" and it > 2 and is `\'c` });'),
    ("(F (& (A.b_? c) (& (?< 1) (c))))", "user: F({ (it : A).b is `'c` and (it < 1 and is c) });"),
    ("(F (A.b_? (& (?= 1) (negate (?= 2)))))", "user: F({ (it : A).b is { it = 1 and not it = 2 } });"),
    ("(F (orConstraint (A.b_? (C.d_? (?= 1))) (?= 2)))", "user: F({ ((it : A).b: C).d = 1 or it = 2 });"),
    ("(refer (extensionConstraint (A.b_? (?= 1))))", "user: refer({ (.value: A).b = 1 });"),
    ("(refer (^(A) roleConstraint (P)))", "user: refer({ (it : Ref[A]).role = P });"),
    ("(F (^((List A)) EmptyStructConstraint))", "user: F((everything : Spec[List[A]]));"),
    ("(A.b (C.d (e)))", "user: ((e : C).d: A).b;"),
    ("(:b (:d (e)))", "user: e.d.b;"),
    ("(F (Size.Small) true 'q' 1.50 -3 12L)", 'user: F((Small : Size), true, "q", 1.50, -3, 12L);'),
    ("(> (+ 1 2) (- 3L 4L))", "user: 1 + 2 > 3L - 4L;"),
    ("(F (G) :a 1 :b (H))", "user: F(G, a: 1, b: H);"),
    ("(F :a 1 2)", "user: F(a: 1, `\\`: 2);"),
    ("(^(A (List B)) F x)", "user: F[A, List[B]](`'x`);"),
    ("(do (F) (G))", "user: F; G;"),
    ("(let (x0 (F) x1 (G x0)) (H x0 x1))", "user: let x0 = F; let x1 = G(x0); H(x0, x1);"),
    ("(let (x0 (F)) (do (G x0) (H)))", "user: let x0 = F; G(x0); H;"),
    ("(Constraint[A] :b (?= 1) :c (d))", "user: ({ .b = 1 and .c is d } : Spec[A]);"),
    ("(Constraint[Constraint[A]])", "user: Constraint[Spec[A]];"),
    ("(F #(Day 'MONDAY') #(Number 3) #(List[Path] []))", None),
    ("(and (where x) (take y 2))", "user: `\\and`(`\\where`(`'x`), `\\take`(`'y`, 2));"),
    ("(lambda (^A x0) (F x0))", "user: (fn x0 => F(x0): Fn[A, _]);"),
    ("(F ())", "user: F({});"),
    ("()", "user:"),
    ("(F x7)", "user: F(x7);"),
    ("(F ^A (G) ^(List B) 'q')", None),
]


@pytest.mark.parametrize(("lispress", "dl"), FORMS)
def test_a_form_and_its_spelling(lispress: str, dl: str | None) -> None:
    program = read_program(lispress.replace("'x'", '"x"').replace("'q'", '"q"').replace("'MONDAY'", '"MONDAY"'))
    text, back = through_text(program)
    assert back == program
    if dl is not None:
        assert text.rstrip("\n") == dl


@pytest.mark.parametrize(
    "lispress",
    ["(F (let (x0 1) x0))", "((f) x)", "(F :a)", "(let (x0 1) x0 x0)", "(let (x0 1 x0 2) x0)", "(let (it 1) (F it))"],
)
def test_what_dl_cannot_say_is_refused(lispress: str) -> None:
    with pytest.raises(Unsayable):
        through_text(read_program(lispress))


@given(st.text(min_size=1, max_size=6))
def test_escapes_are_undone(name: str) -> None:
    assert unescaped(escaped(name)) == name
    if "`" not in name and "\n" not in name:
        assert unescaped(plain(name)) == name
        assert escaped(name) != plain(name)


# ---------------------------------------------------------------- any program

HEADS = st.sampled_from(
    [
        "Bake",
        "Serve",
        "Say",
        "F",
        "g",
        "Cake.size",
        "Cake.size_?",
        "Loaf.baked_?",
        "Stamp.hour_?",
        "Stamp.apply",
        "Stamp",
    ]
    + ["Size.Small", "Size.Huge", "List.Nothing", "Confirm", "Today", "Execute", "refer", "intension", "Path.apply"]
    + ["&", "?=", "?~=", "negate", "orConstraint", "extensionConstraint", "roleConstraint", "EmptyStructConstraint"]
    + ["==", "+", ">", "take", "and", "where", "it", "any", "everything", "list", "count", "show", "coerce", "do"]
    + [":start", "Constraint[Cake]", "Constraint", "#x", "'y", "\\z", "\\'w", "x7", "Say it", "a.b", "T.f_?.g"]
)
TYPES = st.sampled_from([TypeExpr("Cake"), TypeExpr("Dynamic"), TypeExpr("List", (TypeExpr("Spec"),)), TypeExpr("A b")])
ATOMS = st.sampled_from(
    [Atom("String", '"a\\u00e9b"'), Atom("String", '"\\/"'), Atom("Long", "3L"), Atom("Number", "0.50")]
    + [
        Atom("Number", "-1e3"),
        Atom("Boolean", "true"),
        Name("foo"),
        Tagged("Day", ('"MON"',)),
        Tagged("Number", ("3",)),
    ]
)


def calls(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    args = st.lists(st.builds(Arg, st.sampled_from([None, None, "note", "cake", "x y", "\\"]), inner), max_size=3)
    types = st.none() | st.lists(TYPES, min_size=1, max_size=2).map(tuple)
    return st.builds(Call, HEADS, args.map(tuple), types)


PROGRAMS = st.recursive(ATOMS, calls, max_leaves=12)


@settings(max_examples=400, deadline=None)
@given(PROGRAMS)
def test_any_program_comes_back_without_a_schema(program: Expr) -> None:
    try:
        _, back = through_text(program)
    except Unsayable:
        return
    assert back == program


@pytest.fixture(scope="module")
def round_trip(bakery: Schema) -> Callable[[str], str | None]:
    reader, writer = LispressReader(bakery), LispressWriter(bakery)

    def run(text: str) -> str | None:
        turn, _ = reader.turn(text)
        if turn is None:
            return None
        (back,), _ = lower_program(parse(print_turn(turn)))
        return str(writer.write(back).program)

    return run


@settings(max_examples=300, deadline=None)
@given(PROGRAMS)
def test_any_program_comes_back_with_a_schema(round_trip: Callable[[str], str | None], program: Expr) -> None:
    text = write_program(program)
    assert round_trip(text) in (text, None)


SHORT = [
    ("(Bake (Cake.size_? (?= (Size.Small))))", "user: Bake({ .size = Small });"),
    ("(Bake (& (Cake.baked_? (?= (Today))) (Cake.size_? (?= (Size.Huge)))))", None),
    ('(Say (Execute (refer (^(Dynamic) roleConstraint (Path.apply "output")))))', None),
    ("(Stamp.hour (Cake.baked (Bake (^(Cake) EmptyStructConstraint))))", "user: Bake(everything).baked.hour;"),
    ('(Serve "thin" :cake (Bake (^(Cake) EmptyStructConstraint)))', None),
    ("(Serve :cake (Bake (^(Cake) EmptyStructConstraint)))", "user: Serve(cake: Bake(everything));"),
    ("(Say (^(Cake) List.Nothing))", "user: Say(Nothing[Cake]);"),
    ("(Say (Execute (^(Dynamic) Confirm)))", "user: Say(Execute(Confirm));"),
    ("(Say (Execute (^(Cake) Confirm)))", "user: Say(Execute(Confirm[Cake]));"),
    ("(Stamp (Today))", "user: `\\Stamp`(Today);"),
    ("(Stamp.apply 3L)", "user: Stamp(3L);"),
]


@pytest.mark.parametrize(("lispress", "dl"), SHORT)
def test_types_that_the_schema_restores_are_left_out(
    bakery: Schema, round_trip: Callable[[str], str | None], lispress: str, dl: str | None
) -> None:
    turn, _ = LispressReader(bakery).turn(lispress)
    assert turn is not None
    if dl is not None:
        assert print_turn(turn).rstrip("\n") == dl
    assert round_trip(lispress) == lispress


def test_a_field_of_several_types_keeps_its_owner_where_nothing_shows_it(
    bakery: Schema, round_trip: Callable[[str], str | None]
) -> None:
    text = "(Unheard (Loaf.baked_? (?= (Today))))"
    turn, notes = LispressReader(bakery).turn(text)
    assert turn is not None and "Loaf" in print_turn(turn)
    assert round_trip(text) == text
    assert any("Unheard" in note.message for note in notes)


def test_one_type_shows_the_others_theirs(bakery: Schema, round_trip: Callable[[str], str | None]) -> None:
    text = "(Unheard (Stamp.hour (Cake.baked (Execute (refer (extensionConstraint (^(Cake) EmptyStructConstraint)))))))"
    turn, _ = LispressReader(bakery).turn(text)
    assert turn is not None
    assert print_turn(turn).count("Cake") == 1
    assert round_trip(text) == text


@pytest.mark.parametrize(
    ("paths", "first"),
    [
        ([(0,)], (0,)),
        ([(0,), (0, 1), (0, 1, 2)], (0, 1, 2)),
        ([(1,), (0, 2), (0,), (0, 1)], (0, 1)),
        ([(), (2, 1), (3,)], (2, 1)),
        ([(0,), (1, 0)], (0,)),
    ],
)
def test_types_are_written_inside_and_to_the_left_first(paths: list[tuple[int, ...]], first: tuple[int, ...]) -> None:
    assert first_inside(frozenset(paths)) == first


def test_deep_and_long_programs(round_trip: Callable[[str], str | None]) -> None:
    deep = "(F " * 60 + "1" + ")" * 60
    assert round_trip(deep) == deep
    assert round_trip("(F " * 240 + "1" + ")" * 240) is None
    assert round_trip("(F " * 50_000 + "1" + ")" * 50_000) is None
    left = "(& " * 90 + "(?= 0)" + "".join(f" (?= {i}))" for i in range(90))
    assert round_trip(f"(F {left})") in (f"(F {left})", None)
    wide = "(F" + " 1" * 5000 + ")"
    assert round_trip(wide) == wide


def test_variables_are_no_functions() -> None:
    program = Let((("x0", Call("F")), ("Say", Call("G"))), (Call("Say", (Arg(None, Var("x0")),)),))
    _, back = through_text(program)
    assert back == program


@pytest.mark.parametrize(
    ("dl", "what"),
    [
        ("user: Hotel | where .area = north;", "`where`"),
        ("user: Say($0);", "placeholder"),
        ("user: Say(14:30);", "14:30"),
        ('user: Say(raw "later");', "later"),
        ("user: Say({ (it : Cake).size in [1, 2] });", "`in`"),
        ("user: Say({ .role > 3 });", "role"),
        ("user: Unheard({ .baked = Today });", ".baked"),
        ("user: let x0 = Today;", "only binds"),
        ('user: Say(upper("x"));', "`upper`"),
    ],
)
def test_what_lispress_cannot_say_is_refused_with_a_reason(bakery: Schema, dl: str, what: str) -> None:
    (turn,), _ = lower_program(parse(dl))
    written = LispressWriter(bakery).write(turn)
    assert written.program is None
    (note,) = written.notes
    assert note.code == "DLC282" and note.loss and what in note.message


def test_acts_results_and_statuses_are_noted_as_lost(bakery: Schema) -> None:
    (turn,), _ = lower_program(parse("user ask: proposed Today; Say(Today) -> [] of 2;"))
    written = LispressWriter(bakery).write(turn)
    assert written.program == "(do (Today) (Say (Today)))"
    assert len(written.notes) >= 3 and all(note.loss for note in written.notes)


def test_members_that_are_no_capitals_come_back() -> None:
    schema = read_schema("enum Day = monday | tuesday\naction book(; day: Day, people: Number) -> Unit\n")
    (written,) = dlc.write("dataflow", dlc.read("dl", "user: book(day: monday, people: 3);", schema))
    assert written.program == "(book :day (Day.monday) :people 3)" and not written.notes
    assert str(dlc.read("dataflow", written.program, schema)).strip() == "user: book(day: monday, people: 3);"
