"""Signatures learned from typed programs, fully typed text, and what is said where a type is missing."""

import itertools
import random

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema import fact
from dlc.compiler.schema_text import print_schema, read_schema
from dlc.grammar.parser import parse
from dlc.targets.dataflow.harvest import Harvest, harvest
from dlc.targets.dataflow.program import Expr
from dlc.targets.dataflow.read import LispressReader
from dlc.targets.dataflow.reader import read_program
from dlc.targets.dataflow.typed import Typist
from dlc.targets.dataflow.untype import untyped
from dlc.targets.dataflow.writer import write_program

# Untyped and typed forms, invented.
PAIRS = [
    (
        "(Say (Cake.size (only (Oven.cakes (Find (Cake.size_? (?= (Size.Small))))))))",
        "^Unit (^(Size) Say :output ^Size (Cake.size :obj ^Cake (^(Cake) only :list ^(List Cake) (Oven.cakes :obj ^Oven "
        "(Find :constraint ^(Constraint Cake) (Cake.size_? :obj ^(Constraint Size) (^(Size) ?= :reference ^Size "
        "(Size.Small))))))))",
    ),
    (
        "(Say (Execute (^(Dynamic) Confirm)))",
        "^Unit (^(Dynamic) Say :output ^Dynamic (^(Dynamic) Execute :intension ^(CalflowIntension Dynamic) "
        "(^(Dynamic) Confirm)))",
    ),
    (
        "(let (x0 (Execute (refer (extensionConstraint (^(Cake) EmptyStructConstraint))))) (do (Say x0) (Say 3L)))",
        "(let (x0 ^Cake (^(Cake) Execute :intension ^(CalflowIntension Cake) (^(Cake) refer :constraint ^(Constraint "
        "(CalflowIntension Cake)) (^(Cake) extensionConstraint :constraint ^(Constraint Cake) (^(Cake) "
        "EmptyStructConstraint))))) ^Unit (^(Unit Unit) do :arg1 ^Unit (^(Cake) Say :output x0) :arg2 ^Unit (^(Long) Say "
        ":output ^Long 3L)))",
    ),
    (
        "(do (Today) (Say true))",
        "^Unit (^(Date Unit) do :arg1 ^Date (Today) :arg2 ^Unit (^(Boolean) Say :output ^Boolean true))",
    ),
    (
        '(Serve "thin" :cake (Baker.cake (Me)))',
        '^Unit (Serve :note ^String "thin" :cake ^Cake (Baker.cake :by ^Baker (Me)))',
    ),
    ("(Serve :cake (Baker.cake (Me)))", "^Unit (Serve :cake ^Cake (Baker.cake :by ^Baker (Me)))"),
    ("(Say (Whole (May)))", "^Unit (^(Span) Say :output ^Span (Whole :month ^Month (May)))"),
    (
        "(Say (Whole (May) (Year.apply 2019L)))",
        "^Unit (^(Span) Say :output ^Span (Whole :month ^Month (May) :year ^Year (Year.apply :inner ^Long 2019L)))",
    ),
    (
        "(Say (take (^(Cake) List.Empty) 2L))",
        "^Unit (^((List Cake)) Say :output ^(List Cake) (^(Cake) take :list ^(List Cake) (^(Cake) List.Empty) :number "
        "^Long 2L))",
    ),
    (
        "(Say (^(Dynamic) cast (Execute (^(Dynamic) Confirm))))",
        "^Unit (^(Cake) Say :output ^Cake (^(Dynamic) cast :t ^Dynamic (^(Dynamic) Execute :intension "
        "^(CalflowIntension Dynamic) (^(Dynamic) Confirm))))",
    ),
    (
        "(Say (& (Cake.size_? (?= (Size.Large))) (^(Cake) EmptyStructConstraint)))",
        "^Unit (^((Constraint Cake)) Say :output ^(Constraint Cake) (^(Cake) & :c1 ^(Constraint Cake) (Cake.size_? :obj "
        "^(Constraint Size) (^(Size) ?= :reference ^Size (Size.Large))) :c2 ^(Constraint Cake) (^(Cake) "
        "EmptyStructConstraint)))",
    ),
    (
        "(Say (> (Count (Me)) 0L))",
        "^Unit (^(Boolean) Say :output ^Boolean (^(Long) > :x ^Long (Count :by ^Baker (Me)) :y ^Long 0L))",
    ),
    (
        "(Say (Measure (width) (Me)))",
        "^Unit (^(Length) Say :output ^Length (^(Length) Measure :property ^(Lambda Baker Length) (width) :of ^Baker "
        "(Me)))",
    ),
]  # fmt: skip


def learned(pairs: list[tuple[str, str]]) -> list[tuple[Expr, Expr]]:
    return [(read_program(typed), read_program(short)) for short, typed in pairs]


SCHEMA = harvest(learned(PAIRS), "bakery")


@pytest.fixture(scope="module")
def typist() -> Typist:
    return Typist(SCHEMA)


def test_signatures_are_learned() -> None:
    text = print_schema(SCHEMA)
    assert read_schema(text) == SCHEMA
    lines = set(text.splitlines())
    assert {
        "open enum Size = Large | Small",
        'field Baker.cake: Cake @accessor "by"',
        'field Cake.size: Size @accessor "obj" @lift "obj"',
        "fun Confirm[T]() -> Ref[T] @targs",
        'fun Empty[T]() -> List[T] @lispress "List.Empty" @targs',
        'fun Serve(; note?: Text, cake: Cake) -> Unit @leading "1"',
        'fun Whole(month: Month; year?: Year) -> Span @leading "2"',
        'fun Year(inner: Int) -> Year @lispress "Year.apply"',
        "fun Measure[T](property: Fn[Baker, T], of: Baker) -> T",
        "fun cast[T](t: T) -> Cake @targs",
        "fun do[T, U](arg1: T, arg2: U) -> U",
        'fun `\\take`[T](list: List[T], number: Int) -> List[T] @lispress "take"',
    } <= lines


def test_the_order_of_programs_does_not_matter() -> None:
    pairs = learned(PAIRS)
    for seed in range(6):
        random.Random(seed).shuffle(pairs)
        assert harvest(pairs, "bakery") == SCHEMA


@pytest.mark.parametrize(("short", "full"), PAIRS)
def test_the_typed_form_is_inferred_and_taken_off(typist: Typist, short: str, full: str) -> None:
    result = typist.typed(short)
    assert (result.text, result.type, result.diagnostics) == (full, "Unit", ())
    assert typist.inferred(short).text == full
    assert typist.typed(full).text == full and typist.typed(full).ok
    assert write_program(untyped(read_program(full), typist.judge)) == short


@pytest.mark.parametrize(("short", "full"), PAIRS)
def test_the_typed_form_of_a_dl_turn(typist: Typist, short: str, full: str) -> None:
    reader = LispressReader(SCHEMA)
    turn, notes = reader.turn(short)
    assert turn is not None and notes == ()
    assert reader.turn(full)[0] == turn
    assert typist.typed_turn(Checker(SCHEMA).check_turn(turn)).text == full


def test_programs_share_what_was_judged() -> None:
    alone = {short: Typist(SCHEMA).typed(short) for short, _ in PAIRS}
    for order in itertools.islice(itertools.permutations(alone), 0, 40, 7):
        together = Typist(SCHEMA)
        assert {short: together.typed(short) for short in order} == alone


@pytest.mark.parametrize(
    ("short", "code", "named", "full"),
    [
        ("(Say (Bake (Today)))", "DLC283", "`Bake`", "^Unit (Say :output (Bake ^Date (Today)))"),
        ("(Say (Cake.sice (Me)))", "DLC283", "`Cake.sice`", "^Unit (Say :output (Cake.sice ^Baker (Me)))"),
        ("(Say (Size.Huge))", "DLC284", "`Size.Huge`", "^Unit (^(Size) Say :output ^Size (Size.Huge))"),
        ("(Say (Cake.size (Me)))", "DLC287", "`Cake.size`", "^Unit (Say :output (Cake.size ^Baker (Me)))"),
        ("(Say (Today) 3L)", "DLC293", "`Say` without argument 2, here Long", None),
        ("(Say :outputs (Today))", "DLC293", "`Say` without an argument :outputs", None),
        ("(Serve \"thin\")", "DLC287", "needs an argument :cake", None),
        ("(Say x7)", "DLC288", "`x7`", "^Unit (Say :output x7)"),
        ("(Say (^(Cake Cake) Confirm))", "DLC287", "1 type arguments", None),
        ("(Say ^Date (Me))", "DLC287", "this is Baker", None),
        ("(Say #(Day \"MON\"))", "DLC287", "shows no type", None),
        ("(Say (Today)", "DLC280", "parenthesis", None),
        ("(Say (Execute (Confirm)))", "DLC285", "the type argument T of `Confirm`", PAIRS[1][1]),
        ("(Say ((f) x))", "DLC287", "shows no type", None),
        ("", "DLC280", "", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_the_rest_is_typed(
    typist: Typist, short: str, code: str, named: str, full: str | None
) -> None:
    result = typist.typed(short)
    assert code in {d.code for d in result.diagnostics}
    assert any(named in d.message for d in result.diagnostics if d.code == code)
    assert result.ok == (code in ("DLC284", "DLC285"))
    if full is not None:
        assert result.text == full
    for diagnostic in result.diagnostics:
        assert diagnostic.span is None or 0 <= diagnostic.span.start < diagnostic.span.end <= max(len(short), 1)


def test_the_nearest_names_are_suggested(typist: Typist) -> None:
    (diagnostic,) = typist.typed("(Say (Todai))").diagnostics
    assert "`Today`" in diagnostic.help[0]


def test_the_signature_is_shown_where_an_argument_is_unknown(typist: Typist) -> None:
    (diagnostic,) = typist.typed("(Say (Whole (May) (Year.apply 1L) (Today)))").diagnostics
    assert diagnostic.message == "the schema knows `Whole` without argument 3, here Date"
    assert diagnostic.help == ("signature: Whole(month: Month, year?: Year) -> Span",)


def test_type_arguments_are_inferred_from_around_the_call(typist: Typist) -> None:
    short, full = PAIRS[2]
    left_out = short.replace("^(Cake) EmptyStructConstraint", "EmptyStructConstraint")
    used = left_out.replace("(Say x0)", "(Say (Cake.size x0))")
    result = typist.typed(used)
    assert "^(Cake) EmptyStructConstraint" in result.text or result.diagnostics
    inside = typist.typed("(Find (& (Cake.size_? (?= (Size.Small))) (EmptyStructConstraint)))")
    assert inside.ok and not inside.diagnostics
    assert "(^(Cake) EmptyStructConstraint)" in inside.text
    assert typist.typed(short).text == full


def test_contradictions_leave_a_function_out() -> None:
    collected = Harvest()
    collected.add(read_program("^Unit (Say :output ^Date (Today))"))
    collected.add(read_program("^Unit (Say :output ^Long 3L)"))
    schema, found = collected.schema("broken")
    assert [f.name for f in schema.functions] == ["Today"]
    assert [d.code for d in found] == ["DLC286"] and "`Say`" in found[0].message


def test_phantom_type_arguments_are_written_even_if_no_untyped_program_was_seen() -> None:
    collected = Harvest()
    for _, full in PAIRS:
        collected.add(read_program(full))
    schema, _ = collected.schema("bakery")
    written = {f.name for f in schema.functions if fact(f.facts, "targs") is not None}
    assert written == {"Confirm", "Empty", "EmptyStructConstraint"}


@pytest.mark.parametrize("text", ["(F " * 249 + "1" + ")" * 249, "(" * 60_000, "(F" + " (G)" * 3000 + ")", '(F "a'])
def test_hostile_programs_end_in_a_diagnostic(typist: Typist, text: str) -> None:
    result = typist.typed(text)
    assert not result.ok


def test_a_turn_with_a_query_has_no_lispress(typist: Typist) -> None:
    (turn,), _ = lower_program(parse("user: Hotel | take 2;"))
    result = typist.typed_turn(Checker(SCHEMA).check_turn(turn))
    assert not result.ok and "DLC282" in {d.code for d in result.diagnostics}
