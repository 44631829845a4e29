"""A tokenized program read by its parts, each once, is what it is read whole: corpus and odd texts, errors and places."""

import random
from pathlib import Path

import pytest

import dlc
from dlc.grammar.diagnostic import CompileError
from dlc.targets.thingtalk.read import ThingTalkReader
from dlc.targets.thingtalk.read_text import Source

SCHEMA = dlc.load_schema("multiwoz")
HOTEL = "@uk.ac.cam.multiwoz.Hotel . Hotel ( )"
HEAD = "$dialogue @org.thingpedia.dialogue.transaction . execute"


def whole(text):
    return ThingTalkReader(SCHEMA).whole(Source(text, True), "user")


@pytest.mark.parametrize(
    "rest",
    [
        "",
        f"{HOTEL} ;",
        f'{HOTEL} filter id =~ " a ; b " ; {HOTEL} ;',
        f'{HOTEL} filter id =~ " a #[ results = [ b " #[ confirm = enum proposed ] ;',
        f'{HOTEL} filter id =~ " ; " #[ results = [ ] ] ;',
        f'{HOTEL} #[ results = [ {{ id = null ^^uk.ac.cam.multiwoz.Hotel:Hotel ( " a , b }} " ) , stars = 3 }} ] ] ;',
        f"{HOTEL} #[ results = [ {{ stars = 3 }} , {{ stars = 3 , area = enum north }} ] ] #[ count = 5 ] #[ more = true ] ;",
        f"{HOTEL} filter stars >= 3 && stars >= 3 && stars <= 3 || true ( area ) ;",
        f"{HOTEL} filter stars >= 3 + 1 && stars == 3 ;",
        f"( {HOTEL} filter stars == 3 ) [ 1 ] ; [ stars ] of {HOTEL} filter stars == 3 ;",
        "@uk.ac.cam.multiwoz.Hotel . make_booking ( book_people = 3 , book_stay = NUMBER_0 ) ;",
        f'{HOTEL} filter id =~ " a && b filter c || d " && stars == 3 ;',
        f"{HOTEL} filter stars == 3 filter stars == 4 && stars == 5 ;",
        f"{HOTEL} filter ( stars == 3 || stars == 4 ) && ! ( stars == 5 ) ;",
        f"{HOTEL} filter stars == 3 &&  stars == 4 ;",
        f"[ stars , id ] of {HOTEL} filter true ( area ) && stars == 3 #[ results = [ {{ stars = 3 }} ] ] ;",
        f"[ stars ] of [ stars , id ] of {HOTEL} filter stars == 3 ;",
        f"{HOTEL.replace('( )', '( stars = 3 )')} filter stars == 4 ;",
        '@uk.ac.cam.multiwoz.Hotel . make_booking ( hotel = null ^^uk.ac.cam.multiwoz.Hotel:Hotel ( " a , b ) " ) ) ;',
        f"{HOTEL} #[ results = [ {{ stars = 3 , }} , {{ area = enum north }} ] ] #[ count = 2 ] ;",
    ],
)  # fmt: skip
def test_odd_texts(rest):
    text = f"{HEAD} ; {rest}".rstrip()
    reader = ThingTalkReader(SCHEMA)
    assert reader.read(text, "user", True) == whole(text) == reader.read(text, "user", True)


@pytest.mark.parametrize(
    ("rest", "at"),
    [
        (f"{HOTEL} filter stars >= ;", ";"),
        (f"{HOTEL} ; {HOTEL} #[ results = [ {{ stars = }} ] ] ;", "}"),
        (f"{HOTEL} ; {HOTEL} #[ results = 3 ] ;", None),
        (f"{HOTEL} ; @uk.ac.cam.multiwoz.Motel . Motel ( ) #[ confirm = enum proposed ] ;", "@uk.ac.cam.multiwoz.Motel"),
    ],
)  # fmt: skip
def test_errors_have_their_places_in_the_item(rest, at):
    text = f"{HEAD} ; {rest}"
    with pytest.raises(CompileError) as caught:
        ThingTalkReader(SCHEMA).read(text, "user", True)
    (diagnostic,) = caught.value.diagnostics
    item = rest.rpartition(" ; ")[2] if rest.count(" ; ") else rest
    span = diagnostic.span
    assert span is not None
    assert at is None or item[span.start : span.end] == at


PROGRAMS = (
    f'{HOTEL} filter area == enum north && id == null ^^uk.ac.cam.multiwoz.Hotel:Hotel ( " a b " )',
    f"[ stars , id ] of {HOTEL} filter stars >= 3 && true ( area ) #[ confirm = enum proposed ]",
    "@uk.ac.cam.multiwoz.Hotel . make_booking ( book_people = 3 , book_stay = NUMBER_0 , hotel = $? )",
    f"{HOTEL} #[ results = [ {{ stars = 3 , id = QUOTED_STRING_0 }} , {{ area = enum north }} ] ] #[ count = 2 ] #[ more = true ]",
)


def read_or_said(read, text):
    try:
        return read(text)
    except CompileError as error:
        return error.diagnostics[0].code, error.diagnostics[0].message


@pytest.mark.parametrize("seed", range(4))
def test_damage_anywhere_is_read_or_refused_as_a_whole(seed):
    """Words dropped, doubled, exchanged or taken from elsewhere: no separator is trusted for what it seems to be."""
    rng = random.Random(seed)
    odd = ['"', ",", "&&", "||", "filter", "(", ")", "[", "]", "}", "{", "#[", "of", "=", "!", "3"]
    reader = ThingTalkReader(SCHEMA)
    accepted = 0
    for _ in range(400):
        words = rng.choice(PROGRAMS).split()
        for _ in range(rng.randint(1, 2)):
            i, j = rng.randrange(len(words)), rng.randrange(len(words))
            change = rng.randrange(4)
            words[i : i + 1] = ([], [words[i]] * 2, [words[j]], [words[i], rng.choice(odd)])[change]
        text = f"{HEAD} ; {' '.join(words)} ;"
        made = read_or_said(lambda t: reader.read(t, "user", True), text)
        assert made == read_or_said(whole, text), text
        accepted += not isinstance(made, tuple)
    assert accepted > 10


@pytest.mark.corpus
def test_the_corpus_in_any_order(corpora: Path) -> None:
    """What was read before changes nothing, and neither does damage in between."""
    texts = []
    for side in ("user", "agent"):
        for line in (corpora / "multiwoz30" / f"train.{side}.tsv").read_text(encoding="utf-8").splitlines():
            columns = line.split("\t")
            texts += [text for text in (columns[1], columns[3]) if text != "null"]
    rng = random.Random(2)
    rng.shuffle(texts)
    reader = ThingTalkReader(SCHEMA)
    for text in texts[:800]:
        cut = text[: rng.randrange(len(text))]
        try:
            got = reader.read(cut, "user", True)
        except CompileError:
            pass
        else:
            assert got == whole(cut)
        assert reader.read(text, "user", True) == whole(text)
