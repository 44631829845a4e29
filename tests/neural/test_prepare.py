"""What is worked out while compiling: beginnings of programs are known afterwards, and garbage is left alone."""

import gc
import sys
from typing import Any

import numpy as np
import pytest

from dlc import load_schema
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.neural.decoder import UNBOUNDED, ConstrainedDecoder
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
def test_the_collector_is_as_it_was_after_a_step(enabled: bool, small: Schema) -> None:
    decoder = ConstrainedDecoder(surface="dataflow", schema=small, tokenizer=TOKENS, executor="cpu")
    state = decoder.start(1)
    (gc.enable if enabled else gc.disable)()
    try:
        decoder.bits(state)
        with pytest.raises(CompileError):
            decoder.advance(state, [0])
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("shape", "kind", "row"), [(10, "u4", 0), (8, "u4", 0), (9, "i4", 0), (9, "u4", 1), (9, "u4", -1)]
)
def test_a_mask_of_another_shape_is_refused(shape: int, kind: str, row: int, small: Schema) -> None:
    decoder = ConstrainedDecoder(surface="dataflow", schema=small, tokenizer=TOKENS, executor="cpu")
    with pytest.raises(CompileError) as caught:
        decoder.fill(decoder.start(1), row, np.zeros(shape, dtype=kind))
    assert caught.value.diagnostics[0].code == "DLC508"


def test_no_pass_of_the_collector_falls_into_a_step(small: Schema) -> None:
    decoder = ConstrainedDecoder(surface="dataflow", schema=small, tokenizer=TOKENS, executor="cpu")
    executor: Any = decoder.executor
    state = decoder.start(1)
    out, passes = np.empty(executor.ends.size, dtype=np.uint32), list[str]()

    def passed(phase: str, _: object) -> None:
        frame = sys._getframe(1)
        if phase == "start" and frame.f_globals["__name__"].startswith("dlc."):
            passes.append(frame.f_code.co_qualname)

    before, grown = gc.get_threshold(), executor.tables.version
    gc.callbacks.append(passed)
    gc.set_threshold(1)
    try:
        for byte in b'(f (f 1 "abc") "':
            executor.fill(state, 0, out)
            state = executor.advance(state, np.array([byte]))
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(passed)
    assert executor.tables.version > grown and passes == []
