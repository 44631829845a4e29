"""Type findings of programs outside DL: declarations, streams, states, policies and commands, on classes of our own."""

import pytest

from dlc.compiler.schema import Column, Schema, Table, merge
from dlc.compiler.types import NUMBER, TEXT
from dlc.targets.thingtalk.check_programs import check_thingtalk
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


@pytest.mark.parametrize(
    "code",
    [
        "function f(x : Number) { @boat() filter length >= x; } f(x=3); f(x=3) filter length >= 4; f() => @paint(colour=name);",
        "f(); function f() { @boat(); }",
        "function f(x : Number) { @boat() filter length >= x; } function g(x : String) { @boat() filter name == x; }",
        "function f(p : Entity(org.sea:port)) { @call(port=p); } @boat() => f(p=home);",
        "function f(d : Enum(high, low)) { @paint(deck=d); } f(d=enum high);",
        "function f(i : Number, l : Array(Number)) { @boat()[i]; @boat()[i, 2]; @boat()[l]; @boat()[i : i]; }",
        "function f(x : String) { function g() { @boat() filter name == x; } g() => @paint(colour=name); } f(x=\"a\");",
        "function f() { return @boat(); @gull(); } f() filter length >= 3;",
        "function f() { let a = @boat(); a() => @paint(colour=name); a(); } let b = f(); b() filter name == \"x\";",
        "function f() { attimer(time=[new Time(7, 0)]) => @boat(); } f();",
        "function f() { monitor(@boat()); } f() => @paint(deck=enum low);",
        "let a = @boat(); a()[2] => @paint(colour=name); a() filter length == 3; count(a());",
        "let a = [length] of @boat(); a() filter length == 3;",
        "let a = @paint(deck=enum low); a() filter cost >= 3;",
        "max(length of @boat()) => @boat() filter length == length;",
        "function f(x : Number) { @gull(); } max(miles of Log()) as m => f(x=m.miles);",
        "[1 + miles] of sum(miles of Log()); monitor(Log()) => @gull(); count(Log());",
        "timer(base=$now, interval=2h) => @paint(deck=enum low); timer(interval=1day, frequency=3) => @boat();",
        "ontimer(date=[new Date(2021, 9, 30), new Date(2021, 9, 30, 12, 30, 0)]) => @boat();",
        "monitor(name, length of @boat()); monitor(@boat() => @boat()); monitor((@boat() join @gull()));",
        "@boat() => @paint(colour=$result); @paint(colour=$context.picked : String);",
        "@boat(near=$location.home);",
        "[distance(at, $location.work)] of @boat();",
        "$yes;", "$choice(1);", "$answer(42);", '$answer("x");',
        '$dialogue @t.sys_choose("a", "b"); @boat();',
        "$policy { true : @boat filter length >= 3 => notify; }",
        "$policy { true : now => @paint filter colour == \"red\"; }",
        "$policy { true : * => @paint; }",
    ],
)  # fmt: skip
def test_well_typed(codes, code):
    assert codes(code) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # functions and their parameters
        ("function f(x : String) { @boat() filter length >= x; }", ["DLC104"]),
        ("function f(x : Number) { @boat() filter length >= x; } f(x=\"a\");", ["DLC104"]),
        ("function f(x : Number) { @boat() filter length >= x; } @boat() => f(x=name);", ["DLC104"]),
        ("function f(x : Number) { @boat() filter length >= x; } f(y=3);", ["DLC227"]),
        ("function f(x : Number) { @boat() filter length >= x; } @boat() filter length >= x;", ["DLC227"]),
        ("function f(x : Number) { @boat(); } f(length=3);", ["DLC227"]),
        ("function f() { return @boat(); @gull(); } f() filter weight >= 3kg;", ["DLC227"]),
        ("function f(x : String) { @boat()[x]; @boat()[x : 1]; @boat()[1 : x]; }", ["DLC104"] * 3),
        ("function f(x : Array(String)) { @boat()[x]; }", ["DLC104"]),
        ("function f(x : Fish) { @boat(); }", ["DLC268"]),
        ("function f(x : Array(Fish)) { @boat(); }", ["DLC268"]),
        ("function f() { @boat(); } function f() { @gull(); }", ["DLC269"]),
        ("function f() { function g() { @boat(); } g(); } g();", ["DLC264"]),
        # what stands where
        ("function f() { attimer(time=[new Time(7, 0)]) => @paint(deck=enum low); }", ["DLC265"]),
        ("function f() { monitor(@boat()); monitor(@boat()); }", ["DLC265"]),
        ("function f() { return @boat(); return @gull(); }", ["DLC265"]),
        ("function f() { return monitor(@boat()); }", ["DLC265"]),
        ("let a = monitor(@boat());", ["DLC265"]),
        ("@paint(deck=enum low) => @boat();", ["DLC265"]),
        ("@boat() => monitor(@boat());", ["DLC265"]),
        ("count(monitor(@boat()));", ["DLC265"]),
        ("monitor(@paint(deck=enum low));", ["DLC265"]),
        ("(@boat() join @paint(deck=enum low));", ["DLC265"]),
        ("@boat() filter any(@paint(deck=enum low));", ["DLC265"]),
        # lets
        ("a(); let a = @boat();", ["DLC264"]),
        ("let a = @boat(); a(key=1);", ["DLC227"]),
        ("let a = @boat(); a() => @paint(colour=weight);", ["DLC227"]),
        ("let a = [length] of @boat(); a() filter name == \"x\";", ["DLC227"]),
        ("let a = @boat(); let a = @gull();", ["DLC269"]),
        ("nothing();", ["DLC264"]),
        # streams
        ("monitor(@boat() filter length == \"x\");", ["DLC104"]),
        ("monitor(@gull());", ["DLC270"]),
        ("monitor(@boat() => @gull());", ["DLC270"]),
        ("monitor(near of @boat());", ["DLC270"]),
        ("monitor(weight of @boat());", ["DLC227"]),
        ("timer(base=\"x\", interval=2h) => @boat();", ["DLC104"]),
        ("timer(base=$now, interval=2kg) => @boat();", ["DLC104"]),
        ("timer(every=2h) => @boat();", ["DLC227"]),
        ("attimer(time=[3]) => @boat();", ["DLC104"]),
        # values
        ("@paint(colour=$result);", ["DLC266"]),
        ("@boat() => @paint(colour=$source);", ["DLC266"]),
        ("@boat(near=$location.moon);", ["DLC266"]),
        ("timer(base=$start_of(kg), interval=2h) => @boat();", ["DLC266"]),
        ("attimer(time=[$time.tea]) => @boat();", ["DLC266"]),
        ("@boat() filter length == $context.picked : String;", ["DLC104"]),
        ("[distance(name, $location.work)] of @boat();", ["DLC104"]),
        # states and policies
        ("$dialogue @t.sys_invalid(5 + 3); @boat();", ["DLC267"]),
        ("$dialogue @t.sys_invalid(\"a\"); monitor(@boat()) filter length == \"x\";", ["DLC104"]),
        ("$policy { true : @boat filter length == \"x\" => notify; }", ["DLC104"]),
        ("$policy { true : now => @paint filter fish == 3; }", ["DLC227"]),
        ("$policy { true : @fish => notify; }", ["DLC226"]),
    ],
)  # fmt: skip
def test_ill_typed(codes, code, expected):
    assert codes(code) == expected


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
