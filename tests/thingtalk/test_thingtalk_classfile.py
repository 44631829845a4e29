"""Class files: what is found in them, what their annotations say, and their text."""

import pytest

from dlc.targets.thingtalk.classfile import (
    ArgumentFacts,
    ClassFileError,
    FunctionFacts,
    argument_facts,
    class_file_text,
    function_facts,
    read_class_file,
)
from dlc.targets.thingtalk.lexer import ThingTalkSyntaxError
from dlc.targets.thingtalk.values import ArrayType, CompoundType, EntityType, EnumType, MeasureType, Object, String

CINEMA = """
// A cinema that is nowhere.
class @org.example.cinema
#_[name="Cinema"] {
  import loader from @org.thingpedia.v2();
  import config from @org.thingpedia.config.none();

  entity film extends ^^org.example.art:work, thing #[has_ner=true];
  entity thing;

  list query work(out id : Entity(org.example.cinema:film) #[unique=true] #[string_values="org.example:films"],
                  out title : String)
  #[minimal_projection=["id"]];

  monitorable list query film extends work(
      in opt city : Enum(ely, march) #[conflict_filter=["title", 'starts']],
      out starts : Time #[slot_operator=">="] #[min_number=1] #[max_number=5.5] #[filterable=false],
      out length : Measure(ms) #_[canonical={ base=["length"], }],
      out cast : Array({ name : String, age : Number, }))
  #[minimal_projection=["id"]]
  #[require_either=[["title", "starts"], ["city"]]]
  #[confirm=false];

  action book(in req film : Entity(^^org.example.cinema:film), out code : String)
  #_[on_error={ full=["it is sold out"], closed=["it is closed"] }]
  #[strange={ x=[1, enum y, new Time(3, 0)] }];
}
"""


def test_what_is_in_a_class_file() -> None:
    cinema = read_class_file(CINEMA)
    names = [(a.name, a.direction) for a in cinema.arguments("org.example.cinema", "film")]
    assert names == [
        ("id", "out"),
        ("title", "out"),
        ("city", "in opt"),
        ("starts", "out"),
        ("length", "out"),
        ("cast", "out"),
    ]
    types = {a.name: a.type for a in cinema.arguments("org.example.cinema", "film")}
    assert types["id"] == EntityType("org.example.cinema:film")
    assert types["city"] == EnumType(("ely", "march"))
    assert types["length"] == MeasureType("ms")
    cast = types["cast"]
    assert isinstance(cast, ArrayType) and isinstance(cast.element, CompoundType)
    assert [f.name for f in cast.element.fields] == ["name", "age"]
    assert cinema.parents == {
        "org.example.cinema:film": ("org.example.art:work", "org.example.cinema:thing"),
        "org.example.cinema:thing": (),
    }
    film = cinema.functions["org.example.cinema", "film"]
    assert (film.kind, film.is_list, film.is_monitorable, film.extends) == ("query", True, True, ("work",))


def test_what_annotations_say() -> None:
    cinema = read_class_file(CINEMA)
    facts = {a.name: argument_facts(a) for a in cinema.arguments("org.example.cinema", "film")}
    assert facts["id"] == ArgumentFacts(unique=True, string_values="org.example:films")
    assert facts["title"] == ArgumentFacts()
    assert facts["city"] == ArgumentFacts(conflict_filter=("title", "starts"))
    assert facts["starts"] == ArgumentFacts(False, slot_operator=">=", min_number=1, max_number=5.5)
    assert isinstance(facts["length"].canonical, Object)
    film = function_facts(cinema.functions["org.example.cinema", "film"])
    assert film == FunctionFacts(("id",), False, (("title", "starts"), ("city",)))
    book = function_facts(cinema.functions["org.example.cinema", "book"])
    assert [code for code, _ in book.on_error] == ["full", "closed"]
    assert (book.minimal_projection, book.confirm) == (None, None)


def test_a_class_file_is_printed_so_that_it_reads_back() -> None:
    cinema = read_class_file(CINEMA)
    text = class_file_text(cinema.classes)
    again = read_class_file(text)
    assert again.classes == cinema.classes
    assert class_file_text(again.classes) == text
    assert "\n  entity film extends ^^org.example.art:work, thing\n    #[has_ner=true];\n" in text
    assert "\n  #[strange={ x=[1, enum y, new Time(3, 0)] }];\n" in text


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("class @a { } class @a { }", "@a", "this class is defined twice"),
        ("class @a { action f(); query f(); }", "@a.f", "this function is defined twice"),
        ("class @a { entity e; entity e; }", "^^a:e", "this entity type is defined twice"),
        ("class @a { query f extends g(); }", "@a.f", "extends g, which the class has not"),
        ("class @a { query f extends f(); }", "@a.f", "extends itself by way of f"),
        ("class @a { query f extends g(); query g extends h(); query h extends g(); }", "@a.f", "by way of g"),
    ],
)
def test_definitions_that_do_not_fit(text: str, where: str, message: str) -> None:
    with pytest.raises(ClassFileError) as caught:
        read_class_file(text)
    assert message in caught.value.message
    assert caught.value.where == where


@pytest.mark.parametrize(
    "annotation", ['unique="yes"', "filterable=1", "min_number=true", "slot_operator=1", "conflict_filter=[1]"]
)
def test_annotations_of_the_wrong_kind(annotation: str) -> None:
    made = read_class_file(f"class @a {{ query f(out x : Number #[{annotation}]); }}")
    with pytest.raises(ClassFileError, match=r"@a\.f\.x: #\["):
        argument_facts(made.arguments("a", "f")[0], "@a.f")


@pytest.mark.parametrize(
    "annotation", ["#[confirm=1]", "#[require_either=[1]]", "#[require_either=1]", '#_[on_error="x"]']
)
def test_annotations_of_functions_of_the_wrong_kind(annotation: str) -> None:
    made = read_class_file(f"class @a {{ action f() {annotation}; }}")
    with pytest.raises(ClassFileError, match=r"@a\.f: #\["):
        function_facts(made.functions["a", "f"], "@a")


def test_an_annotation_written_twice_counts_once() -> None:
    made = read_class_file('class @a { query f(out x : Number #[unique=false] #[unique=true] #_[canonical="n"]); }')
    assert argument_facts(made.arguments("a", "f")[0]) == ArgumentFacts(unique=True, canonical=String("n"))


def test_functions_may_extend_one_another_a_long_way_and_in_diamonds() -> None:
    chain = "".join(f"query f{i} extends f{i + 1}(out x{i} : Number); " for i in range(3000))
    made = read_class_file(f"class @a {{ {chain} query f3000(); }}")
    assert len(made.arguments("a", "f2990")) == 10
    diamond = read_class_file(
        "class @a { query t(out t : Date); query l extends t(out l : Date); query r extends t(out r : Date); "
        "query b extends l, r(out t : Time); }"
    )
    assert [a.name for a in diamond.arguments("a", "b")] == ["l", "r", "t"]


@pytest.mark.parametrize("text", ["@a.b();", "class @a { } @a.b();", "$yes;", "class @a {", ""])
def test_other_texts_are_no_class_files(text: str) -> None:
    with pytest.raises(ThingTalkSyntaxError):
        read_class_file(text)
