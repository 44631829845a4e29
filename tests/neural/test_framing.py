"""Free text before a program and fixed text behind it."""

import random

import numpy as np
import pytest

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.vocabulary import Vocabulary

SCHEMA = read_schema("enum Area = a | b\ntable T { x: Area, n: Number, ok: Bool }\n")
WORDS = ["user: ", "T;", "```", "``", "a```user: T", ";\n```", "</think>", "ab", "aab"]
END = 256 + len(WORDS)
TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), *(w.encode() for w in WORDS), None, None), (END,))


@pytest.mark.parametrize("executor", ["numpy", "cpu"])
@pytest.mark.parametrize(("marker", "after"), [("```", "\n```"), ("aab", ""), ("</think>", "é"), ("", "\n")])
def test_programs_in_a_frame(executor: str, marker: str, after: str) -> None:
    decoder = ConstrainedDecoder(schema=SCHEMA, tokenizer=TOKENS, executor=executor, marker=marker, after=after)
    rng, checker = random.Random(3), Checker(SCHEMA)
    thought = 0
    for _ in range(12):
        state, said = decoder.start(1, budget=40), []
        while True:
            mask = decoder.mask(state)[0]
            assert not mask[END + 1], "a special token inside free text"
            token = int(rng.choice(np.flatnonzero(mask)))
            if token == END:
                break
            said.append(token)
            state = decoder.advance(state, [token])
        text = b"".join(TOKENS.tokens[t] or b"" for t in said)
        assert len(said) <= 40 and text.endswith(after.encode())
        free, found, program = text.partition(marker.encode()) if marker else (b"", b"", text)
        assert bool(found) == bool(marker)
        thought += len(free)
        program = program.removesuffix(after.encode())
        assert compile_program(program.decode(), checker).ok, text
    assert (thought > 20) == bool(marker)


def test_a_program_needs_its_marker() -> None:
    decoder = ConstrainedDecoder(schema=SCHEMA, tokenizer=TOKENS, marker="aab")
    assert not decoder.is_complete(decoder.start(1, prefix="user: T;"))[0]
    assert decoder.is_complete(decoder.start(1, prefix="aaaabuser: T;"))[0]
    with pytest.raises(CompileError):
        decoder.start(1, prefix="aabuser: Q;")
