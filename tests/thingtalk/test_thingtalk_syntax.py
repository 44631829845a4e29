"""ThingTalk texts and their trees, in both syntaxes; what is refused, where and how."""

import time

import pytest

from dlc.targets.thingtalk import ast, values
from dlc.targets.thingtalk.ast import Atom, DialogueState, FilterExpression, InputParam, Invocation, Item, Results
from dlc.targets.thingtalk.declarations import Control, ExpressionStatement, Program
from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError, token_span
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.printer import ThingTalkPrintError, number_text
from dlc.targets.thingtalk.programs import parse, parse_dialogue
from dlc.targets.thingtalk.values import Enum, Number, Placeholder, String, Value, VarRef

FILM = Invocation("org.example.cinema", "film")


def value_of(text: str, tokenized: bool = False) -> Value:
    made = parse(f"$answer ( {text} ) ;", tokenized)
    assert isinstance(made, Control) and made.value is not None
    return made.value


def expression_of(text: str) -> ast.Expression:
    made = parse(text + ";")
    assert isinstance(made, Program) and isinstance(made.statements[0], ExpressionStatement)
    return made.statements[0].expression


def filter_of(text: str) -> ast.Filter:
    made = expression_of("@org.example.cinema.film() filter " + text)
    assert isinstance(made, FilterExpression)
    return made.filter


def test_a_dialogue_state() -> None:
    normal = (
        "$dialogue @org.example.policy.execute; "
        "@org.example.cinema.film() filter genre == enum horror && rating >= 4 "
        '#[results=[{ id="f1"^^org.example.cinema:film("The Well"), rating=4.5 }]] #[count=12] #[more=true]; '
        "@org.example.cinema.book(seats=2, film=$?) #[confirm=enum proposed];"
    )
    tokenized = (
        "$dialogue @org.example.policy . execute ; "
        "@org.example.cinema . film ( ) filter genre == enum horror && rating >= 4 "
        '#[ results = [ { id = " f1 " ^^org.example.cinema:film ( " The Well " ) , rating = 4.5 } ] ] '
        "#[ count = 12 ] #[ more = true ] ; "
        "@org.example.cinema . book ( seats = 2 , film = $? ) #[ confirm = enum proposed ] ;"
    )
    condition = ast.And((Atom("genre", "==", Enum("horror")), Atom("rating", ">=", Number(4))))
    film = values.Entity("f1", "org.example.cinema:film", "The Well")
    results = Results((values.Object((("id", film), ("rating", Number(4.5)))),), Number(12), True)
    params = (InputParam("seats", Number(2)), InputParam("film", values.Undefined()))
    tree = DialogueState(
        "org.example.policy",
        "execute",
        None,
        (
            Item(FilterExpression(FILM, condition), "confirmed", results),
            Item(Invocation("org.example.cinema", "book", params), "proposed"),
        ),
    )
    assert parse(normal) == parse(tokenized, True) == parse_dialogue(normal) == tree
    assert to_text(tree) == normal
    assert to_text(tree, True) == tokenized


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("@a.b(x=1).c(y=z)", Invocation("a.b", "c", (InputParam("y", VarRef("z")),), (InputParam("x", Number(1)),))),
        ("@org.example.cinema.film(), a == 1, b == 2", None),
        (
            "[a, b.c, count(d) as n] of @a.b()",
            ast.Projection(
                (
                    VarRef("a"),
                    VarRef("b.c"),
                    ast.Aliased(values.Computation("count", (VarRef("d"),)), "n"),
                ),
                Invocation("a", "b"),
            ),
        ),
        (
            "[a >= 3] of @a.b()",
            ast.BooleanQuestion(Atom("a", ">=", Number(3)), Invocation("a", "b")),
        ),
        (
            "[(a + b) * 2] of @a.b()",
            ast.Projection(
                (values.Computation("*", (values.Computation("+", (VarRef("a"), VarRef("b"))), Number(2))),),
                Invocation("a", "b"),
            ),
        ),
        (
            "sort(a desc of @a.b())[1]",
            ast.Index(ast.Sort(VarRef("a"), "desc", Invocation("a", "b")), (Number(1),)),
        ),
        ("@a.b()[2 : 3]", ast.Slice(Invocation("a", "b"), Number(2), Number(3))),
        ("@a.b()[-1, 2]", ast.Index(Invocation("a", "b"), (Number(-1), Number(2)))),
        ("count(@a.b())", ast.Aggregation("count", "*", Invocation("a", "b"))),
        ("max(x.y of @a.b())", ast.Aggregation("max", "x.y", Invocation("a", "b"))),
        ("@a.b() as x", ast.Alias(Invocation("a", "b"), "x")),
        (
            "@a.b() join @a.c() => @a.d()",
            ast.Chain((ast.Join(Invocation("a", "b"), Invocation("a", "c")), Invocation("a", "d"))),
        ),
        ("monitor(x, y of @a.b())", ast.Monitor(Invocation("a", "b"), ("x", "y"))),
        ("timer(interval=5min)", ast.FunctionCall("timer", (InputParam("interval", values.Measure(5, "min")),))),
    ],
)
def test_expressions(text: str, tree: ast.Expression | None) -> None:
    made = expression_of(text)
    if tree is None:
        tree = FilterExpression(FilterExpression(FILM, Atom("a", "==", Number(1))), Atom("b", "==", Number(2)))
        text = "@org.example.cinema.film() filter a == 1 filter b == 2"
    assert made == tree
    assert to_text(Program((ExpressionStatement(made),))) == text + ";"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a == 1 && b == 2 || !(c == 3)", None),
        ("a == 1 && (b == 2 && c == 3)", None),
        ("(((a == 1)))", "a == 1"),
        ("(a + 1) * 2 >= b - (c - d)", None),
        ("a - (b + c) == 1", None),
        ("!contains(tags, enum x) && true(y)", None),
        ("in_array~(name, [\"a\", 'b'])", 'in_array~(name, ["a", "b"])'),
        ("3 <= stars", "(3) <= stars"),
        ("a == any([b] of @a.b() filter c == 1)", None),
        ("any(@a.b() filter c == 1)", None),
        ("count(tags filter value == 1) >= 2", None),
        ("(tags filter value == (1 + 2)) == x", "(tags filter (value == 1 + 2)) == x"),
        ('a.b.c =~ "x" && contains == 1', None),
        ("true && !false", None),
        ("distance(geo, $location.home) <= 5km + 300m", None),
    ],
)
def test_filters_print_with_the_brackets_they_need(text: str, printed: str | None) -> None:
    made = filter_of(text)
    again = to_text(Program((ExpressionStatement(FilterExpression(FILM, made)),)))
    assert again == f"@org.example.cinema.film() filter {printed or text};"
    assert filter_of(again.partition(" filter ")[2][:-1]) == made


def test_conjunctions_are_flat_where_they_are_written_flat() -> None:
    a, b, c = (Atom(name, "==", Number(1)) for name in "abc")
    assert filter_of("a == 1 && b == 1 && c == 1") == ast.And((a, b, c))
    assert filter_of("a == 1 && (b == 1 && c == 1)") == ast.And((a, ast.And((b, c))))
    assert filter_of("a == 1 || b == 1 && c == 1") == ast.Or((a, ast.And((b, c))))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("-5", Number(-5)),
        ("- 5", Number(-5)),
        ("0x1F", Number(31)),
        ("2.50", Number(2.5)),
        ("'it\\'s \\u0041\\x42\\n'", String("it's AB\n")),
        ("enum(filter)", Enum("filter")),
        ("$undefined", values.Undefined()),
        ("5 $usd", values.Currency(5, "usd")),
        ("6ft + 2in", values.Computation("+", (values.Measure(6, "ft"), values.Measure(2, "in")))),
        ('null^^a.b:c("x")', values.Entity(None, "a.b:c", "x")),
        ("@org.example.tv", values.Entity("org.example.tv", "tt:device")),
        ("new Time(9, 30, 15)", values.Time(9, 30, 15)),
        ("new Time(9, 30, )", values.Time(9, 30)),
        ("$time.morning", values.RelativeTime("morning")),
        ("new Date()", values.Now()),
        ('new Date("2020-02-03")', values.IsoDate("2020-02-03")),
        ("new Date(2020, 2)", values.DateParts((2020, 2))),
        ("new Date(, , 10, new Time(5, 0))", values.DateParts((None, None, 10), values.Time(5, 0))),
        ("new Date(2020, , , new Time(5, 0))", values.DateParts((2020, None), values.Time(5, 0))),
        ("new Date(5, , )", values.DateParts((5, None))),
        ("new Date(enum monday, 9, 30)", values.WeekDay("monday", values.Time(9, 30))),
        ("$start_of(week)", values.DateEdge("start_of", "week")),
        ('new Location(1, -2, "home")', values.Location(1, -2, "home")),
        ('new Location("palo alto")', values.NamedLocation("palo alto")),
        ("new ArgMap(a : Array(Number))", values.ArgMap((("a", values.ArrayType(values.SimpleType("Number"))),))),
        ("a of b", values.ArrayField("a", VarRef("b"))),
        ("$context.selection : String", values.ContextRef("selection", values.SimpleType("String"))),
        ("$result", values.Event()),
        ("{ a = 1, b.c = [2], }", values.Object((("a", Number(1)), ("b.c", values.Array((Number(2),)))))),
        ("1 - 2 - 3 * 4 ** 5", None),
    ],
)
def test_values(text: str, tree: Value | None) -> None:
    made = value_of(text)
    if tree is None:
        minus = values.Computation("-", (Number(1), Number(2)))
        power = values.Computation("**", (Number(4), Number(5)))
        tree = values.Computation("-", (minus, values.Computation("*", (Number(3), power))))
    assert made == tree
    for tokenized in (False, True):
        assert parse(to_text(Control("answer", made), tokenized), tokenized) == Control("answer", made)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("NUMBER_3", Placeholder("NUMBER_3")),
        ("- NUMBER_3 F", values.Measure(Placeholder("NUMBER_3", True), "F")),
        ("NUMBER_0 $usd", values.Currency(Placeholder("NUMBER_0"), "usd")),
        ("null ^^tt:contact ( QUOTED_STRING_1 )", values.Entity(None, "tt:contact", Placeholder("QUOTED_STRING_1"))),
        ("GENERIC_ENTITY_org.ex-a.b:c_d_0", Placeholder("GENERIC_ENTITY_org.ex-a.b:c_d_0")),
        ('"   "', String(" ")),
        ('""', String("")),
        ('" "', String("")),
        ('" say"so a  b "', String('say"so a  b')),
        ("new Date ( enum friday , TIME_0 )", values.WeekDay("friday", Placeholder("TIME_0"))),
        ("a.b", VarRef("a.b")),
        ("a . b", VarRef("a.b")),
        ("TIME_zone", VarRef("TIME_zone")),
        ("@org.example . search", values.Entity("org.example.search", "tt:function")),
    ],
)
def test_values_of_the_tokenized_syntax(text: str, tree: Value) -> None:
    assert value_of(text, tokenized=True) == tree


def test_a_placeholder_knows_its_kind() -> None:
    held = Placeholder("GENERIC_ENTITY_org.example:film_12")
    assert (held.kind, held.index, held.entity) == ("GENERIC_ENTITY_org.example:film", 12, "org.example:film")
    assert Placeholder("TIME_0").entity is None


def test_what_a_syntax_cannot_write_is_refused() -> None:
    with pytest.raises(ThingTalkPrintError, match="TIME_0"):
        to_text(Control("answer", Placeholder("TIME_0")))
    with pytest.raises(ThingTalkPrintError, match="cannot hold"):
        to_text(Control("answer", String('a " b')), True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (0.00001234, "0.00001234"),
        (1.5e300, "1.5e+300"),
        (12345.678, "12345.678"),
        (-0.000002, "-0.000002"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_numbers_are_written_as_javascript_does(value: float, text: str) -> None:
    assert number_text(value) == text
    assert float(text) == float(value)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("@a.b(x=1", 8, "expected `)`, found the end of the text"),
        ('$answer("a\\\\\\");', 8, "this string has no end"),
        ("@a.b() filter stars = 3;", 20, "expected a comparison, found `=`"),
        ("@a.b() filter (stars == 3;", 25, "expected `)`"),
        ("@a.b(class=1);", 5, "expected a parameter, found `class`"),
        ('@a.b(x="never ends);', 7, "this string has no end"),
        ("@a.b(); /* never ends", 8, "this comment has no end"),
        ("@a.b(x=1-2);", 8, "expected `)`, found `-2`"),
        ("$dialogue @a.b; @c.d() #[results=[]] #[results=[]];", 47, "#[results] is written twice"),
        ("$dialogue @a.b; @c.d() #[count=1];", 23, "a statement that was executed has #[results]"),
        ("$dialogue @a.b; @c.d() #[confirm=enum proposed] #[count=1];", 16, "cannot stand beside #[confirm]"),
        ("$dialogue @ab;", 10, "expected a class and a function"),
        ("sort(a up of @a.b());", 7, "expected `asc` or `desc`"),
        ("", 0, "expected a query or action, found the end of the text"),
        ("$yes; $no;", 6, "expected the end of the text"),
        ("$answer(new Date(2020, 1, 2, 3));", 17, "1, 2, 3, 5 or 6 numbers"),
        ("$answer(new Date(,));", 17, "at least one number"),
        ("$answer(1e999);", 8, "too large"),
        ('$answer("\\u{110000}");', 8, "is no character"),
        ("@a.b() filter true == a;", 19, ""),
        ("@a.b() filter (a == 1) + 2 == 3;", 23, ""),
        ("@a.b() filter __proto__ == 1;", 14, ""),
        ("dataset @a { } @b.c();", 0, "cannot stand beside"),
        ("class @a { stream f(); }", 11, "expected `import`, `entity`, `query` or `action`"),
        ("$answer(new RecurrentTimeSpecification({ beginTime = 5 }));", 53, "no value for beginTime"),
        ("@a.b() ☂;", 7, "☂"),
    ],
)
def test_errors_say_what_and_where(text: str, offset: int, message: str) -> None:
    with pytest.raises(ThingTalkSyntaxError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.offset == offset
    assert offset <= caught.value.end <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ('$answer ( " never ends ) ;', 10),
        ("@a.b ( ) ;", 0),
        ("$answer ( 007 ) ;", 10),
        ("$answer ( a..b ) ;", 10),
        ("$answer ( null ^^tt:x ) ;", 22),
        ("@ . b ( ) ;", 0),
    ],
)
def test_errors_of_the_tokenized_syntax(text: str, offset: int) -> None:
    if text.startswith("@a.b"):
        assert parse(text, True) == parse("@a.b();")
        return
    with pytest.raises(ThingTalkSyntaxError) as caught:
        parse(text, True)
    assert caught.value.offset == offset


def test_the_place_of_a_node_is_found_in_both_syntaxes() -> None:
    for text, tokenized in (
        ("@a.b() filter x == 1 && yy == 2;", False),
        ("@a . b ( ) filter x == 1 && yy == 2 ;", True),
    ):
        made = parse(text, tokenized)
        assert isinstance(made, Program) and isinstance(made.statements[0], ExpressionStatement)
        query = made.statements[0].expression
        assert isinstance(query, FilterExpression) and isinstance(query.filter, ast.And)
        start, end = token_span(text, query.filter.operands[1].at, tokenized)
        assert text[start:end] == "yy"


DEEP = 50_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEEP,
        "(" * DEEP + "@a.b()" + ")" * DEEP + ";",
        "$answer(" + "[" * DEEP,
        "$answer(" + "{a=" * DEEP,
        "$answer(" + "(" * DEEP + "1" + ")" * DEEP + ");",
        "$answer(" + "count(" * DEEP,
        "$answer(1" + "+ 1" * DEEP + ");",
        "$answer(1" + " ** 1" * DEEP + ");",
        "@a.b() filter " + "(" * DEEP,
        "@a.b() filter " + "!(" * DEEP,
        "@a.b() filter " + "any(@a.b() filter " * DEEP,
        "@a.b() filter " + "a == any([b] of @a.b() filter " * DEEP,
        "@a.b() filter " + "(a filter (b + " * DEEP,
        "@a.b()" + " filter x == 1" * DEEP + ";",
        "@a.b()" + " as x" * DEEP + ";",
        "@a.b()" + " join @a.b()" * DEEP + ";",
        "[x] of " * DEEP + "@a.b();",
        "[" * DEEP,
        "sort(" * DEEP,
        "sort(a asc of " * DEEP,
        "monitor(" * DEEP,
        "count(" * DEEP,
        "function f() {" * DEEP,
        "class @a { action f(in req x : " + "Array(" * DEEP,
        "class @a { action f(in req x : " + "{ y : " * DEEP,
        "$policy { " + "(" * DEEP,
        "#[a=" * DEEP,
    ],
)
def test_nesting_is_bounded(text: str) -> None:
    """Our own error, quickly, in both syntaxes."""
    spaced = text.replace("(", " ( ").replace("[", " [ ").replace("{", " { ").replace("=", " = ").replace(".", " . ")
    for source, tokenized in ((text, False), (spaced, True)):
        begun = time.perf_counter()
        with pytest.raises(ThingTalkSyntaxError):
            parse(source, tokenized)
        assert time.perf_counter() - begun < 5


def test_long_programs_that_are_not_deep_are_read() -> None:
    many = " && ".join(f"f{i} == {i}" for i in range(5000))
    made = expression_of("@a.b() filter " + many)
    assert isinstance(made, FilterExpression) and isinstance(made.filter, ast.And)
    assert len(made.filter.operands) == 5000
    state = parse_dialogue("$dialogue @p.q; " + "@a.b() filter x == 1 + 2 filter y == 3; " * 3000)
    assert len(state.items) == 3000
    assert parse_dialogue(to_text(state)) == state


@pytest.mark.parametrize(
    "text",
    [
        '"' * 100_000,
        "'\n" * 50_000,
        '"\\' * 50_000,
        "/*" * 50_000,
        "/* *" * 30_000,
        " " * 200_000,
        "\n" * 200_000 + "/",
        ' " ' * 100_000,
        '\n"\n' * 50_000,
        '" a\n' * 50_000,
        "@a" + ".a" * 100_000 + "-",
        "1" * 100_000,
        "^^a.a" * 30_000,
        "GENERIC_ENTITY_" * 10_000,
        "\x00\ud800" * 1000,
    ],
)
def test_hostile_text_is_refused_in_no_time(text: str) -> None:
    for tokenized in (False, True):
        begun = time.perf_counter()
        with pytest.raises(ThingTalkSyntaxError):
            parse(text, tokenized)
        assert time.perf_counter() - begun < 5


def test_every_prefix_of_a_program_is_refused_or_read() -> None:
    text = (
        '$dialogue @p.q(a, b) #[x=1]; [a, b + 1 as c] of sort(a asc of @a.b(x=[1, {y=enum z}]) filter !(a =~ "b") || '
        "any(@c.d()))[1 : 2] #[results=[{ a=5kg, b=new Date(enum monday, 9, 30) }]] #[error=enum e];"
    )
    assert isinstance(parse(text), DialogueState)
    whole = [i for i in range(len(text) + 1) if _reads(text[:i])]
    assert {text[:i].rstrip()[-1] for i in whole} == {";"} and len(whole) == 3


def _reads(text: str) -> bool:
    try:
        parse(text)
    except ThingTalkSyntaxError:
        return False
    return True
