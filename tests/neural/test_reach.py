"""Compiled loops over the trie against the automaton itself, byte by byte."""

import itertools
import random

import numpy as np
import pytest

from dlc import load_schema
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.net import NEVER
from dlc.neural.vocabulary import Vocabulary

LETTERS = "aeiorstxEHPT"


def vocabulary() -> Vocabulary:
    """Bytes, short words with what may stand around them, parts of characters beyond ASCII."""
    words = ["".join(w) for n in (2, 3) for w in itertools.product(LETTERS, repeat=n)]
    around = [
        f"{a}{w}{b}" for w in words[::7] for a in ("", " ", '"', ".", '("') for b in ('"', '")', ")", "\\", "\\n")
    ]
    tokens = [bytes((b,)) for b in range(256)] + [w.encode() for w in (*words, *around)]
    tokens += [
        "é".encode(),
        'é"'.encode(),
        "の"[:1].encode()[:2],
        "の".encode()[2:] + b'"',
        b"\\u00",
        b'0"',
        b"10 ",
        b"2L",
    ]
    return Vocabulary((*dict.fromkeys(tokens), None), ends=(len(dict.fromkeys(tokens)),))


@pytest.mark.parametrize(
    ("surface", "schema", "text"),
    [
        ("dataflow", "smcalflow", '(Yield (> (size (QueryEventResponse.results (FindEventWrapperWithDefaults'),
        ("dataflow", "smcalflow", '(Yield (Event.subject_? (?= "a é\\u001fb'),
        ("dataflow", "smcalflow", "(Yield (== (Holiday.EasterMonday) (Holiday.E"),
        ("dl", "multiwoz", 'user: Hotel | where .name = @"a\\n b" and .area = north | whole | show count();'),
        ("dl", "multiwoz", "user xyz(Hotel.area): Hotel as h | take 10;"),
    ],
)  # fmt: skip
def test_masks_are_what_bytes_one_by_one_allow(surface: str, schema: str, text: str) -> None:
    words = vocabulary()
    decoder = ConstrainedDecoder(surface=surface, schema=load_schema(schema), tokenizer=words)
    machine = decoder.machines[0]
    data = text.encode()
    looked = 0
    for end in range(0, len(data) + 1, 3):
        state = decoder.start(1, prefix=data[:end])
        cell = machine.read(machine.start, data[:end])
        assert cell is not None
        allowed = set(np.flatnonzero(decoder.mask(state)[0]).tolist()) - set(words.ends)
        wanted = {i for i, token in enumerate(words.tokens) if token and machine.read(cell, token) is not None}
        assert allowed == wanted, data[:end]
        looked += len(wanted)
    assert looked > 1000


def test_the_fewest_tokens_that_spell_a_text() -> None:
    words = vocabulary()
    ids = {token: i for i, token in reversed(list(enumerate(words.tokens))) if token}
    rng = random.Random(3)
    for _ in range(200):
        text = "".join(rng.choice(LETTERS + ' .("é)') for _ in range(rng.randint(0, 12))).encode()
        best = [0] + [NEVER] * len(text)
        for end in range(1, len(text) + 1):
            best[end] = min(best[start] + 1 for start in range(end) if text[start:end] in ids)
        spelled = words.spell(text)
        assert words.fewest(text) == len(spelled) == best[-1]
        assert b"".join(words.tokens[i] or b"" for i in spelled) == text
        ends = words.spellings(text)
        assert [ends.tokens(i) for i in range(len(text))] == [words.spell(text[i:]) for i in range(len(text))]


def test_what_no_token_has_is_not_spelled() -> None:
    few = Vocabulary((b"a", b"ab", None), ends=(2,))
    assert few.fewest(b"abc") == NEVER
    assert few.spell(b"abc") == []
    assert few.fewest(b"aab") == 2
