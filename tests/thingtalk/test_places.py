"""Where in a ThingTalk text a finding of the type checker is: at the part without which there is none."""

import time

import pytest

from dlc.grammar.diagnostic import Diagnostic
from dlc.options import Options
from dlc.sources import source
from dlc.targets.thingtalk.print_programs import to_text
from dlc.targets.thingtalk.programs import parse
from dlc.units import Part, Unit

STATE = "$dialogue @org.thingpedia.dialogue.transaction."
OF = "@uk.ac.cam.multiwoz."
CASES = [
    (f'{OF}Hotel.Hotel() filter ⟦stars⟧ == "four";', "DLC104"),
    (f'{STATE}execute; {OF}Hotel.Hotel() filter area == enum north && ⟦stars⟧ == "four" && id =~ "x";', "DLC104"),
    (f'{STATE}execute; {OF}Train.Train(); {OF}Hotel.Hotel() filter ⟦stars⟧ == "four";', "DLC104"),
    (f'{STATE}execute; {OF}Hotel.Hotel() filter !(⟦stars⟧ == "four" || area == enum north);', "DLC104"),
    (f'{STATE}execute; {OF}Hotel.make_booking(book_people=3, ⟦book_stay⟧="two");', "DLC104"),
    (
        f'{STATE}execute; {OF}Hotel.Hotel() filter stars == 4 => {OF}Hotel.make_booking(hotel=id, ⟦book_stay⟧="two");',
        "DLC104",
    ),
    (
        f"{STATE}execute; {OF}Hotel.Hotel() #[results=[{{ stars=4 }}, {{ area=enum north, ⟦n⟧=1 }}]] #[count=3];",
        "DLC126",
    ),
    (f"{STATE}action_question(area, ⟦nosuch⟧); {OF}Hotel.make_booking();", "DLC123"),
    (f"{STATE}execute; {OF}Train.Train(); ⟦sort⟧(area asc of {OF}Hotel.Hotel());", "DLC107"),
]


def findings(text: str) -> list[Diagnostic]:
    (found,) = (
        source("thingtalk").reader(Options())(Unit("x.tt", None, (Part(1, {"program": text}, text),))).diagnostics
    )
    return list(found)


@pytest.mark.parametrize("tokenized", [False, True])
@pytest.mark.parametrize(("marked", "code"), CASES)
def test_the_place_of_a_finding(marked: str, code: str, tokenized: bool) -> None:
    text = marked.replace("⟦", "").replace("⟧", "")
    name = marked[marked.index("⟦") + 1 : marked.index("⟧")]
    if tokenized:
        text = to_text(parse(text), True)
        at = text.index(f" {name} ") + 1 if not text.startswith(name) else 0
    else:
        at = marked.index("⟦")
    (found,) = findings(text)
    assert found.code == code and found.span is not None
    assert (found.span.start, text[found.span.start : found.span.end]) == (at, name)


def test_alike_findings_have_a_place_each() -> None:
    text = f"{STATE}execute; {OF}Hotel.Hotel() #[results=[{{ stars=4, n=1 }}, {{ n=2 }}]]; {OF}Hotel.Hotel() #[results=[{{ n=3 }}]];"
    spans = [d.span for d in findings(text)]
    assert [s is not None and text[s.start : s.end + 2] for s in spans] == ["n=1", "n=2", "n=3"]


def test_a_program_with_very_many_findings_takes_no_time_for_them() -> None:
    conditions = " && ".join(f'stars == "{i}"' for i in range(1500))
    begun = time.monotonic()
    found = findings(f"{STATE}execute; {OF}Hotel.Hotel() filter {conditions};")
    assert found and all(d.span is not None for d in found) and time.monotonic() - begun < 20
