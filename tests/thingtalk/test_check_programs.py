"""Type findings of programs outside DL: declarations, streams, states, policies and commands, on classes of our own."""

import random
import re
from pathlib import Path

import pytest
from thingtalk_oracle import Oracle

from dlc.compiler.schema import Column, Schema, Table, merge
from dlc.compiler.types import NUMBER, TEXT
from dlc.targets.thingtalk.check_programs import check_thingtalk
from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.programs import parse
from dlc.targets.thingtalk.read_classes import schema_of_class_file

CLASSES = """
class @org.sea {
  entity port;
  monitorable list query boat(in opt near : Location, out id : Entity(org.sea:boat), out name : String,
                              out deck : Enum(low, high), out length : Number, out at : Location,
                              out home : Entity(org.sea:port));
  list query gull(out name : String, out weight : Measure(kg));
  action paint(in req deck : Enum(low, high), in opt colour : String, out ref : String, out cost : Number);
  action call(in req port : Entity(org.sea:port), in opt words : String);
}
"""
KEPT = Table("log", (Column("miles", NUMBER), Column("place", TEXT)), (("thingtalk", "Log"),))

LINE = re.compile(r"(ok|DLC\d+(?: DLC\d+)*) +(.*)")
FILE = Path(__file__).with_name("programs.txt").read_text(encoding="utf-8")
CASES = [([] if m[1] == "ok" else m[1].split(), m[2]) for line in FILE.splitlines() if (m := LINE.match(line))]
# A piece of each case that the reference judges otherwise, and the rule.
RULES = {
    "d : Enum(high, low)": "an enum is its members, in whatever order",
    "Log()": "its installation here keeps no tables",
    "Array(Fish)": "names of types are looked at inside lists, too",
    "@boat(length=3)": "a query may be given any of its fields: the rows that have it",
    "f(length : String)": "a parameter of a function is one, whatever its rows have",
    "distance(at, near)": "what a query is given is a field of its rows",
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    return merge(schema_of_class_file(CLASSES, "sea"), Schema("sea", tables=(KEPT,)))


@pytest.fixture(scope="module")
def codes(schema: Schema):
    def found(code: str) -> list[str]:
        code = code.replace("@", "@org.sea.")
        in_normal = [d.code for d in check_thingtalk(code, schema) if d.severity == "error"]
        tokenized = check_thingtalk(to_text(parse(code), True), schema, tokenized=True)
        assert in_normal == [d.code for d in tokenized if d.severity == "error"]
        return in_normal

    return found


@pytest.mark.parametrize(("expected", "code"), CASES)
def test_a_case(codes, expected, code):
    assert codes(code) == expected


@pytest.mark.oracle
def test_the_reference_says_the_same(oracle: Oracle, tmp_path: Path) -> None:
    """Well typed or not, as they are written, but for the rules by which ours differ."""
    (tmp_path / "sea.tt").write_text(CLASSES, encoding="utf-8")
    faults = oracle.faults([code.replace("@", "@org.sea.") for _, code in CASES], tmp_path / "sea.tt")
    different = [code for (found, code), fault in zip(CASES, faults, strict=True) if (not found) != (fault is None)]
    assert len(CASES) > 230 and all(any(piece in code for piece in RULES) for code in different), different
    assert all(any(piece in code for code in different) for piece in RULES)


def mutated(seed: int, count: int) -> list[str]:
    """Programs with a word of theirs, or of another, in the place of one."""
    rng = random.Random(seed)
    programs = [re.findall(r'"[^"]*"|[@$]?[\w.:^]+|\S', code) for _, code in CASES if not any(p in code for p in RULES)]
    words = [word for program in programs for word in program]
    made: list[str] = []
    while len(made) < count:
        program = list(rng.choice(programs))
        program[rng.randrange(len(program))] = rng.choice(rng.choice((program, words)))
        code = " ".join(program).replace("@", "@org.sea.")
        try:
            parse(code)
        except ThingTalkSyntaxError:
            continue
        made.append(code)
    return made


@pytest.mark.oracle
def test_of_programs_that_nobody_wrote_the_reference_says_the_same(oracle: Oracle, schema: Schema, tmp_path: Path):
    """A thousand, well typed and ill typed; findings have places."""
    (tmp_path / "sea.tt").write_text(CLASSES, encoding="utf-8")
    programs = mutated(seed=5, count=1000)
    faults = oracle.faults(programs, tmp_path / "sea.tt")
    ours = [[d for d in check_thingtalk(code, schema) if d.severity == "error"] for code in programs]
    assert all(d.span is not None for found in ours for d in found)
    pairs = list(zip(programs, ours, faults, strict=True))
    different = [(code, found, fault) for code, found, fault in pairs if (not found) != (fault is None)]
    assert min(sum(fault is None for fault in faults), sum(fault is not None for fault in faults)) > 200
    assert len(different) <= 15, different


def test_what_is_passed_on_is_no_attribute_of_a_device(schema):
    code = "@org.sea.boat() => @org.sea(name=name).paint(deck=enum low);"
    assert [d.code for d in check_thingtalk(code, schema)] == ["DLC267"]
    code = 'function f(n : String) { @org.sea(name=n).paint(deck=enum low); } f(n="x");'
    assert check_thingtalk(code, schema) == ()


def test_a_finding_has_its_place(schema):
    code = 'function f(x : String) {\n  @org.sea.boat() filter name == "a" && length >= x;\n}'
    (found,) = check_thingtalk(code, schema)
    assert found.span is not None and code[found.span.start : found.span.end] == "length"
    code = "let a = @org.sea.boat(); a() filter name == 3; b();"
    spans = [d.span for d in check_thingtalk(code, schema)]
    assert [code[s.start : s.end] for s in spans if s is not None] == ["name", "b"]


def test_no_thingtalk(schema):
    (found,) = check_thingtalk("let = ;", schema)
    assert found.code == "DLC223" and found.span is not None


def test_what_follows_an_ill_typed_function_is_checked_all_the_same(schema):
    code = "function f() { @org.sea.boat() filter fish == 3; } f(); @org.sea.gull() filter weight == 3;"
    assert [d.code for d in check_thingtalk(code, schema)] == ["DLC227", "DLC104"]
