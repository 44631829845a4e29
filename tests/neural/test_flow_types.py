"""Which ground types the decoder's Lispress has: chains of constructors that the schema's signatures show, to a depth.

And how they are read, as they are built: every spelling of a set says which it was, and nothing else is read."""

import random

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.schema_text import read_schema
from dlc.compiler.types import Con
from dlc.neural.automaton import Automaton, Control, Frame
from dlc.neural.flow_type_names import TypeNames
from dlc.neural.flow_types import Universe, universe
from dlc.neural.net import Net
from dlc.targets.dataflow.judge import Judge
from dlc.targets.dataflow.names import Names

SCHEMA = read_schema("""enum Area = a | b
table Place { area: Area }
fun pick[T](constraint: Spec[Ref[T]]) -> Ref[T]
fun again[T](constraint: Spec[T]) -> Ref[Spec[T]]
fun those(areas: List[Area], seen: Fn[Place, Area]) -> Bool
""")


def known(depth: int) -> Universe:
    judge = Judge(SCHEMA, Names(SCHEMA), Checker(SCHEMA))
    heads = dict.fromkeys(judge.heads())
    return universe(SCHEMA, [f for head in heads if (f := judge.function(head)) is not None], depth)


def chain(type_: Con) -> str | None:
    """The constructors around `Area`."""
    names = []
    while len(type_.args) == 1 and isinstance(type_.args[0], Con):
        names.append(type_.name)
        type_ = type_.args[0]
    return " ".join(names) if type_ == Con("Area") else None


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_constructors_go_around_others_as_signatures_show_them(depth: int) -> None:
    found = [c for t in known(depth).types if (c := chain(t)) is not None]
    chains = ["", "List", "Ref", "Spec", "Spec Ref", "Ref Spec", "Spec Ref Spec", "Ref Spec Ref"]
    chains += ["Spec Ref Spec Ref", "Ref Spec Ref Spec"]
    assert sorted(found) == sorted(c for c in chains if len(c.split()) < depth)


def test_every_number_is_that_of_its_constructor_and_argument() -> None:
    found = known(4)
    for name, numbers in found.over.items():
        for inner, outer in enumerate(numbers.tolist()):
            if outer >= 0:
                assert found.types[outer].name == name and found.inner[outer] == inner
                assert found.depth[outer] == found.depth[inner] + 1


UNIVERSE = known(4)


def read(automaton: Automaton, text: bytes) -> set[int]:
    """What a procedure returns that has read all of a text; nothing if it does not read it."""
    control: Control | None = automaton.root
    stack: list[Frame] = []
    for byte in text:
        while control is not None and (step := automaton.step(control, byte)) is None:
            control = automaton.after(stack.pop(), control.ended) if stack and control.ended else None
        if control is None or step is None:
            return set()
        control, stack = step[0], [*stack, *step[1]]
    while control is not None and stack:
        control = automaton.after(stack.pop(), control.ended) if control.ended else None
    return set(control.ended) if control is not None else set()


@pytest.mark.parametrize("seed", range(4))
def test_every_type_of_a_set_is_read_and_no_other(seed: int) -> None:
    rng = random.Random(seed)
    net = Net()
    names = TypeNames(net, UNIVERSE.types, UNIVERSE.texts)
    chosen = sorted(rng.sample(range(len(UNIVERSE.types)), rng.choice((1, 5, 20, len(UNIVERSE.types) - 3))))
    automaton = Automaton(net, names.one_of(tuple(chosen)))
    for number, text in enumerate(UNIVERSE.texts):
        wanted = {names.results[number]} if number in chosen else set()
        assert read(automaton, text.encode()) == wanted
        assert not read(automaton, text.encode()[:-1]) or text[:-1] in UNIVERSE.texts


def test_arguments_need_not_be_in_the_set() -> None:
    """A context-free grammar is over types that programs have, and those may be around types that they have not."""
    outer = [i for i, inner in enumerate(UNIVERSE.inner.tolist()) if inner >= 0 and UNIVERSE.inner[inner] >= 0][:7]
    net = Net()
    names = TypeNames(net, [UNIVERSE.types[i] for i in outer], [UNIVERSE.texts[i] for i in outer])
    automaton = Automaton(net, names.one_of(tuple(range(len(outer)))))
    for number, at in enumerate(outer):
        assert read(automaton, UNIVERSE.texts[at].encode()) == {names.results[number]}


def test_the_short_spelling_is_the_shortest_of_the_set() -> None:
    net = Net()
    names = TypeNames(net, UNIVERSE.types, UNIVERSE.texts)
    chosen = tuple(range(3, len(UNIVERSE.types), 2))
    text, result = net.short(names.one_of(chosen)) or (b"", 0)
    assert len(text) == min(len(UNIVERSE.texts[i]) for i in chosen)
    assert UNIVERSE.texts[names.results.index(result)].encode() == text
