"""Class and data set definitions: each rule on classes of our own, and the reference's verdicts on those and its cases."""

from pathlib import Path

import pytest
from thingtalk_oracle import Oracle

from dlc.compiler.schema import Schema
from dlc.compiler.types import NUMBER, TEXT, Con, RecordType
from dlc.grammar.diagnostic import CompileError, Diagnostic
from dlc.schemas import load_schema
from dlc.targets.thingtalk.check_classes import check_class, schema_defining
from dlc.targets.thingtalk.check_programs import check_thingtalk
from dlc.targets.thingtalk.classfile import class_file_text, parse_classes
from dlc.targets.thingtalk.read_classes import schema_of_class_file

NOBODY = Schema("nobody")


def findings(code: str, schema: Schema = NOBODY) -> list[Diagnostic]:
    """What is wrong with a text of definitions and statements."""
    return [d for d in check_thingtalk(code, schema) if d.severity == "error"]


def codes(code: str) -> list[str]:
    return [finding.code for finding in findings(code)]


def of(*members: str) -> str:
    return f"class @org.sea {{ {' '.join(members)} }}"


# (definition, codes): what the reference says is the same, as `ok` or not.
DEFINITIONS = [
    # Values of annotations.
    (of("query ebb(out h : Number #[min_number=0] #[max_number=20]);"), []),
    (of('query ebb(out h : Number #[min_number="low"]);'), ["DLC230"]),
    (of("query ebb(out h : Measure(m) #[min_number=3km]);"), []),
    (of("query ebb(out h : Measure(m) #[min_number=3kg]);"), ["DLC230"]),
    (of("query ebb(out h : Currency #[min_number=3]);"), []),
    (of("query ebb(out h : String #[max_number=3]);"), ["DLC236"]),
    (of("query ebb(in opt at : Enum(high, low) #[default=enum low]);"), []),
    (of("query ebb(in opt at : Enum(high, low) #[default=enum middle]);"), ["DLC230"]),
    (of("query ebb(in opt at : Location #[default=$location.home]);"), []),
    (of('query ebb(in opt at : Location #[default="home"]);'), ["DLC230"]),
    (of('query ebb(in opt at : Array(String) #[default=["a"]]);'), []),
    (of("query ebb(in opt at : Array(String) #[default=[1]]);"), ["DLC230"]),
    (of('query ebb(in opt at : Entity(tt:url) #[default="a"]);'), ["DLC230"]),
    (of("query ebb(in opt at : Time #[default=$now]);"), []),
    (of("query ebb(in opt at : Date #[default=new Time(5, 0)]);"), ["DLC230"]),
    (of("query ebb(in opt at : Number #[default=1 + 2]);"), ["DLC230"]),
    (of("query ebb(in opt at : Number #[default=$?]);"), ["DLC230"]),
    (of("query ebb(in opt at : Number #[shade=at]);"), ["DLC230"]),
    (of("query ebb(out box : { w : Number #[min_number=true] });"), ["DLC230"]),
    (of("query ebb(out h : Number) #[doc=5];"), ["DLC230"]),
    (of('query ebb(out h : Number) #[doc="five"] #[require_filter=true];'), []),
    (of("query ebb(out h : Number) #[require_filter=1];"), ["DLC230"]),
    ("class @org.sea #_[name=5] { }", ["DLC230"]),
    ("class @org.sea #_[name=Sea] { }", ["DLC230"]),
    ("class @org.sea #[name=Sea] { }", []),
    (of("query ebb(out h : Number) #_[canonical=low_water];"), ["DLC230"]),
    (of('query ebb(out h : Number) #_[canonical={ base=["low water"] }];'), []),
    (of("query ebb(out h : Number #_[canonical={ base=[height] }]);"), ["DLC230"]),
    (of("entity ship #_[description=ship];"), ["DLC230"]),
    (of("entity ship #[has_ner=ship];"), []),
    # Projections.
    (of('query ebb(out h : Number, out t : Time) #[default_projection=["t"]];'), []),
    (of('query ebb(out h : Number, out t : Time) #[default_projection=["tt"]];'), ["DLC231"]),
    (of('query tide(out t : Time); query ebb extends tide(out h : Number) #[default_projection=["t"]];'), ["DLC231"]),
    (of('query ebb(out box : { w : Number }) #[default_projection=["box.w"]];'), []),
    (of("query ebb(out h : Number) #[default_projection=[5]];"), ["DLC230"]),
    (of('query ebb(out id : Entity(org.sea:ebb), out h : Number) #[default_projection=["h"]];'), ["DLC230"]),
    (
        of('query ebb(out g : Number, out h : Number) #[default_projection=["h"]] #[minimal_projection=["g"]];'),
        ["DLC230"],
    ),
    (of("query ebb(out id : Entity(org.sea:ebb)) #[default_projection=[]];"), []),
    # How often a query is looked at.
    (of("monitorable query ebb(out h : Number) #[poll_interval=2h];"), []),
    (of("monitorable query ebb(out h : Number) #[poll_interval=2];"), ["DLC230"]),
    (of("query ebb(out h : Number) #[poll_interval=2h];"), ["DLC236"]),
    (of("action dig(in req h : Number) #[poll_interval=2h];"), ["DLC236"]),
    # What is extended.
    (of("query tide(out t : Time); query ebb extends tide(out h : Number); query low extends ebb();"), []),
    (of("query tide(out t : Time); query ebb extends tide(out t : Number);"), ["DLC232"]),
    (of("query tide(out t : Time); query flow extends tide(); query ebb extends flow(out t : Number);"), ["DLC232"]),
    (of("query tide(out t : Array({ a : Time })); query ebb extends tide(out t : Array({ a : Time }));"), []),
    (of("query tide(out t : Array({ a : Time })); query ebb extends tide(out t : Array({ a : Date }));"), ["DLC232"]),
    (of("query tide(out t : Entity(org.sea:a)); query ebb extends tide(out t : Entity(org.sea:b));"), []),
    (of("query ebb extends tide(out h : Number);"), ["DLC232"]),
    (of("query ebb extends ebb(out h : Number);"), ["DLC232"]),
    (of("action fill(in req h : Number); action dig extends fill();"), ["DLC232"]),
    ("class @org.sea extends @org.lake, @org.pond { }", []),
    # Types and names.
    (of("query ebb(out h : Height);"), ["DLC233"]),
    (of("query ebb(out box : { w : Width });"), ["DLC233"]),
    (of("query ebb(out h : Entity(org.sea:nowhere));"), []),
    (of("query ebb(out h : Number); action ebb(in req h : Number);"), ["DLC234"]),
    # Imports.
    (of("import loader from @org.thingpedia.v2();", "import config from @org.thingpedia.config.none();"), []),
    (of("import loader from @org.thingpedia.v2();", "import loader from @org.thingpedia.rss();"), ["DLC234"]),
    (of("import loader from @org.sea.ship();"), ["DLC235"]),
    (of("import loader from @org.thingpedia.v2(port=5);"), ["DLC235"]),
    ("abstract " + of("import config from @org.thingpedia.config.none();"), ["DLC235"]),
]

BOAT = of(
    "entity vessel;",
    "list query boat(out name : String, out built : Date, out length : Measure(m), out decks : Array(Number),"
    " out flags : Array(Enum(red, white)), out crew : Array({ age : Number, role : String, pay : Currency }),"
    " out hull : { width : Number, keel : { depth : Number } }, out tows : Entity(org.sea:vessel));",
    "action moor(in req at : String, in opt days : Number);",
)

# (what follows the class, codes); likewise.
PROGRAMS = [
    ("@org.sea.boat() filter count(decks) >= 1;", []),
    ('@org.sea.boat() filter count(decks) >= "one";', ["DLC104"]),
    ("@org.sea.boat() filter count(name) >= 1;", ["DLC238"]),
    ('@org.sea.boat() filter count("x" filter value =~ "x") >= 1;', ["DLC238"]),
    ("@org.sea.boat() filter sum(decks) >= 1 && avg(pay of crew) >= 3$usd;", []),
    ("@org.sea.boat() filter avg(flags) >= 1;", ["DLC238"]),
    ("@org.sea.boat() filter avg(role of crew) >= 1;", ["DLC238"]),
    ("@org.sea.boat() filter avg(rank of crew) >= 1;", ["DLC238"]),
    ("@org.sea.boat() filter count(rank of decks) >= 1;", ["DLC238"]),
    ("@org.sea.boat() filter count(flags filter value == enum red) >= 1;", []),
    ("@org.sea.boat() filter count(decks filter value >= 3) >= 1;", []),
    ('@org.sea.boat() filter count(decks filter value >= "three") >= 1;', ["DLC104"]),
    ("@org.sea.boat() filter count(crew filter value == 5) >= 1;", ["DLC227"]),
    ('@org.sea.boat() filter max(age of (crew filter role == "cook")) >= 30;', []),
    ("@org.sea.boat() filter max(age of (crew filter role == 5)) >= 30;", ["DLC104"]),
    ("@org.sea.boat() filter count(crew filter role == name) >= 1;", []),
    ("@org.sea.boat() filter hull.width >= 3 && hull.keel.depth >= 1;", []),
    ('@org.sea.boat() filter hull.width == "wide";', ["DLC104"]),
    ("@org.sea.boat() => @org.sea.moor(at=name);", []),
    ("@org.sea.boat() => @org.sea.moor(at=hull.width);", ["DLC104"]),
    ("@org.sea.moor(days=3);", []),
    ("@org.sea.sink();", ["DLC226"]),
    ("dataset @d { query (w : Number) = @org.sea.boat() filter hull.width == w; }", []),
    ("dataset @d { query (w : String) = @org.sea.boat() filter hull.width == w; }", ["DLC104"]),
    ("dataset @d { query (l : Measure(m)) = @org.sea.boat() filter length >= l; }", []),
    ("dataset @d { query (l : Measure(kg)) = @org.sea.boat() filter length >= l; }", ["DLC104"]),
    ("dataset @d { query (v : Entity(org.sea:vessel)) = @org.sea.boat() filter tows == v; }", []),
    ("dataset @d { query (v : Entity(tt:url)) = @org.sea.boat() filter tows == v; }", ["DLC104"]),
    ("dataset @d { query (f : Enum(red, white)) = @org.sea.boat() filter contains(flags, f); }", []),
    ('dataset @d { query (name : Number) = @org.sea.boat() filter name == "x"; }', []),
    ("dataset @d { query (n : Number) = @org.sea.boat() filter count(decks filter value == n) >= 1; }", []),
    ("dataset @d { query = @org.sea.boat() filter tows == unheard; }", ["DLC227"]),
    ("dataset @d { query (w : Width) = @org.sea.boat(); }", ["DLC233"]),
    ("dataset @d { action (t : String) = @org.sea.moor(at=t); }", []),
    ("dataset @d { action (t : Number) = @org.sea.moor(at=t); }", ["DLC104"]),
    ("dataset @d { action (t : String) = @org.sea(name=t).moor(at=t); }", []),
    ("dataset @d { action = @org.sea.boat() => @org.sea.moor(at=name); program = @org.sea.boat(); }", []),
    ("dataset @d { query = @org.sea.boat() => @org.sea.moor(at=name); }", ["DLC237"]),
    ("dataset @d { stream = @org.sea.boat(); }", ["DLC237"]),
    ("dataset @d { query = @org.sea.moor(); }", ["DLC237"]),
    ("dataset @d { query = @org.sea.boat() #_[utterances=[5]]; }", ["DLC237"]),
    ("dataset @d { query = @org.sea.boat() #_[preprocessed=[boats]]; }", ["DLC230"]),
    ("dataset @d #_[language=en] { query = @org.sea.boat(); }", ["DLC230"]),
    ("dataset @d #[language=en] { query = @org.sea.boat(); }", []),
]


@pytest.mark.parametrize(("code", "wanted"), DEFINITIONS)
def test_a_definition(code: str, wanted: list[str]) -> None:
    assert codes(code) == wanted


@pytest.mark.parametrize(("code", "wanted"), PROGRAMS)
def test_a_program_with_a_class(code: str, wanted: list[str]) -> None:
    assert codes(f"{BOAT} {code}") == wanted


@pytest.mark.oracle
def test_the_reference_says_the_same(oracle: Oracle, tmp_path: Path) -> None:
    cases = [*DEFINITIONS, *((f"{BOAT} {code}", wanted) for code, wanted in PROGRAMS)]
    verdicts = oracle.judge([(code, "normal") for code, _ in cases], oracle.tests / "thingpedia.tt")
    other = [code for (code, wanted), v in zip(cases, verdicts, strict=True) if v["typecheck"] != (not wanted)]
    assert not other


@pytest.mark.oracle
def test_the_references_own_cases(oracle: Oracle) -> None:
    """Of its 266 cases those with a class or a data set: 64 and 6. All are judged alike."""
    schema = schema_of_class_file((oracle.tests / "thingpedia.tt").read_text(encoding="utf-8"), "thingpedia")
    cases = (oracle.tests / "test_syntax.tt").read_text(encoding="utf-8").split("====")
    classes = [code for code in cases if "class @" in code]
    datasets = [code for code in cases if "dataset @" in code and "class @" not in code]
    assert (len(classes), len(datasets)) == (64, 6)
    judged = [(code, bool(findings(code, schema))) for code in classes + datasets]
    assert not [code for code, wrong in judged if wrong != ("** expect TypeError **" in code)]


# ---------------------------------------------------------------- the rules by which ours differ

STRICTER = {
    of("query ebb(out h : Array(Height));"): ["DLC233"],
    of("query ebb(out h : Number #[unique=5]);"): ["DLC230"],
    of("query ebb(out h : Number) #[confirm=5];"): ["DLC230"],
    of("query ebb(out h : Number); query ebb(out t : Time);"): ["DLC234"],
    of("query ebb(out h : Number, out h : Time);"): ["DLC234"],
    of("entity ship;", "entity ship;"): ["DLC234"],
    of() + of(): ["DLC234"],
    BOAT + 'dataset @d { query = @org.sea.boat() #_[utterances="boats"]; }': ["DLC237"],
}
# The reference looks only at the class file it was given for what is above an entity type.
LOOSER = {
    of(
        "entity ship;",
        "entity boat extends ship;",
        'query q(in opt s : Entity(org.sea:ship) #[default="x"^^org.sea:boat]);',
    )
}


@pytest.mark.parametrize(("code", "wanted"), STRICTER.items())
def test_what_is_wrong_and_the_reference_lets_pass(code: str, wanted: list[str]) -> None:
    """Types inside lists, annotations with a meaning, names of one kind twice, utterances that are no list."""
    assert codes(code) == wanted


@pytest.mark.parametrize("code", LOOSER)
def test_entity_types_declared_beside_a_parameter_count(code: str) -> None:
    assert codes(code) == []
    assert codes(code.replace("extends ship", "")) == ["DLC230"]


@pytest.mark.oracle
def test_the_reference_differs_there(oracle: Oracle) -> None:
    asked = [(code, "normal") for code in (*STRICTER, *LOOSER)]
    verdicts = oracle.judge(asked, oracle.tests / "thingpedia.tt")
    assert [v["typecheck"] for v in verdicts] == [True] * len(STRICTER) + [False] * len(LOOSER)


# ---------------------------------------------------------------- arguments of modules, classes inside programs


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        ('discovery.bluetooth(uuids=["a"], device_class=enum phone)', []),
        ("discovery.bluetooth(device_class=enum phone)", ["DLC235"]),
        ("discovery.bluetooth(uuids=[1])", ["DLC235"]),
        ("discovery.bluetooth(uuids=[], device_class=enum kettle)", ["DLC235"]),
        ('discovery.bluetooth(uuids=["a"], uuids=["b"])', ["DLC234"]),
        ("discovery.bluetooth(uuids=$?)", []),
        ("form(params=new ArgMap(url : String))", []),
        ("oauth2(set_state=true)", []),
        ("oauth2(set_state=client_id)", ["DLC235"]),
    ],
)
def test_arguments_of_a_module(module: str, wanted: list[str]) -> None:
    assert codes(of(f"import config from @org.thingpedia.config.{module};")) == wanted


def test_modules_of_ones_own() -> None:
    (definition,) = parse_classes(of("import loader from @org.sea.ship();"))
    assert [d.code for d in check_class(definition, NOBODY)] == ["DLC235"]
    assert not check_class(definition, NOBODY, modules=None)


def test_a_class_inside_a_program_extends_one_at_most() -> None:
    code = "class @org.sea extends @org.lake, @org.pond { action dig(); } @org.sea.dig();"
    assert codes(code) == ["DLC232"]
    assert codes(code.replace(", @org.pond", "")) == []


def test_a_class_of_a_program_stands_beside_those_of_the_schema_or_replaces_its_namesake() -> None:
    schema = schema_of_class_file(
        "class @org.lake { query boat(out name : String); query pike(out a : Enum(b, c)); }", "x"
    )
    code = f'{BOAT} @org.sea.boat() filter hull.width >= 3; @org.lake.boat() filter name == "x"; @org.lake.pike();'
    assert findings(code, schema) == []
    assert [
        d.code for d in findings(code.replace("@org.lake.boat() filter name", "@org.lake.boat() filter hull"), schema)
    ]
    again = 'class @org.lake { query boat(out name : Number); } @org.lake.boat() filter name == "x";'
    assert [d.code for d in findings(again, schema)] == ["DLC104"]
    gone = "class @org.lake { query boat(out name : Number); } @org.lake.pike();"
    assert [d.code for d in findings(gone, schema)] == ["DLC226"]


def test_compound_values_are_records() -> None:
    schema = schema_of_class_file(BOAT, "sea")
    types = {c.name: c.type for c in schema.table["boat"].columns}
    keel = RecordType((("depth", NUMBER),))
    assert types["hull"] == RecordType((("width", NUMBER), ("keel", keel)))
    pay = RecordType((("age", NUMBER), ("role", TEXT), ("pay", Con("Money"))))
    assert types["crew"] == Con("List", (pay,))


# ---------------------------------------------------------------- class files


def test_a_class_file_given_as_schema_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "sea.tt"
    path.write_text(of('query ebb(out h : Height, out t : Time) #[default_projection=["tt"]];'), encoding="utf-8")
    with pytest.raises(CompileError) as caught:
        load_schema(str(path))
    first, second = caught.value.diagnostics
    assert (first.code, first.place.file, first.message) == (
        "DLC233",
        str(path),
        "@org.sea.ebb.h: there is no type Height",
    )
    assert (second.code, second.place.file, second.help) == ("DLC231", str(path), ("did you mean t?",))
    assert first.text is not None and first.span is not None
    assert first.text[first.span.start :].startswith("h : Height")


@pytest.mark.parametrize(
    ("code", "code_at", "marked"),
    [
        (of("query ebb(out h : Height);"), "DLC233", "h : Height"),
        (of("query ebb(out box : { w : Number #[min_number=true] });"), "DLC230", "w : Number"),
        (of("query ebb(out t : Time);", "query low extends ebb(out t : Date);"), "DLC232", "low extends"),
        (of("entity ship;", "entity ship;"), "DLC234", "ship; }"),
        (of("import loader from @org.sea.ship();"), "DLC235", "import loader"),
        (of() + of("entity ship;"), "DLC234", "@org.sea { entity"),
        (f"{BOAT} dataset @d {{ stream = @org.sea.boat(); }}", "DLC237", "@org.sea.boat(); }"),
        (
            f"{BOAT} dataset @d {{ query (w : String) = @org.sea.boat() filter hull.width == w; }}",
            "DLC104",
            "hull.width ==",
        ),
    ],
)
def test_a_finding_has_a_place(code: str, code_at: str, marked: str) -> None:
    (found,) = findings(code)
    assert found.code == code_at and found.span is not None
    assert found.span.start == code.rindex(marked) and code.count(marked) == 1


def test_a_class_file_with_modules_of_its_own_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "sea.tt"
    path.write_text(of("import loader from @org.sea.ship();", "query ebb(out h : Number);"), encoding="utf-8")
    assert [t.name for t in load_schema(str(path)).tables] == ["ebb"]


def test_a_long_chain_of_functions_is_followed_without_recursion() -> None:
    members = ["query q0(out a : Number);"]
    members += [f"query q{i} extends q{i - 1}(out a{i} : Number);" for i in range(1, 1500)]
    (definition,) = parse_classes(of(*members[:800]))
    assert not check_class(definition, NOBODY)
    looped = of("query a extends b();", "query b extends c();", "query c extends b(out x : Number);")
    assert set(codes(looped)) == {"DLC232"}


@pytest.mark.oracle
def test_real_class_files_are_well_formed(oracle: Oracle) -> None:
    for name in ("thingpedia.tt", "com.xkcd.tt"):
        classes = parse_classes((oracle.tests / name).read_text(encoding="utf-8"))
        assert classes and parse_classes(class_file_text(classes)) == classes
        schema_defining(classes, NOBODY)
        load_schema(str(oracle.tests / name))
