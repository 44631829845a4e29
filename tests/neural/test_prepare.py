"""What is worked out while compiling: beginnings of programs are known afterwards, and garbage is left alone."""

import gc
from typing import Any

import pytest

from dlc import load_schema
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import read_schema
from dlc.neural.decoder import UNBOUNDED, ConstrainedDecoder
from dlc.neural.growth import Uncollected
from dlc.neural.prepare import openings
from dlc.neural.vocabulary import Vocabulary

TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), b" (", b"user", b'")', None), ends=(259,))


@pytest.mark.parametrize(("surface", "name"), [("dl", "multiwoz"), ("dataflow", "small")])
def test_what_follows_a_beginning_is_known_once_compiled(surface: str, name: str, small: Schema) -> None:
    schema = small if name == "small" else load_schema(name)
    decoder = ConstrainedDecoder(surface=surface, schema=schema, tokenizer=TOKENS, executor="cpu")
    executor: Any = decoder.executor
    found = list(openings(decoder.machines[0]))
    before = executor.tables.version
    for cell in found:
        executor.bits(executor.start((0,), (cell,), (UNBOUNDED,)))
    assert len(found) > 5 and executor.tables.version == before


@pytest.fixture
def small() -> Schema:
    return read_schema("open enum E = A | B\nfun f(x: Number, y: Text) -> Number\nfun g(e: E) -> Text")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was_after_growing(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), Uncollected():
            assert not gc.isenabled()
            raise ZeroDivisionError
        assert gc.isenabled() == enabled
    finally:
        gc.enable()
