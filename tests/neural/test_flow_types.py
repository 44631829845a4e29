"""Which ground types the decoder's Lispress has: chains of constructors that the schema's signatures show, to a depth."""

import pytest

from dlc.compiler.check import Checker
from dlc.compiler.schema_text import read_schema
from dlc.compiler.types import Con
from dlc.neural.flow_types import Universe, universe
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
