"""Samples for benchmarks: drawn from models in batches, whole, within their budgets and well typed. Small runs here; the
20,000 by `benchmarks/decoder_dl.py samples` and `benchmarks/decoder_dataflow.py samples`."""

import itertools
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from dlc.compiler.check import Checker
from dlc.compiler.schema_text import read_schema
from dlc.grammar.lexer import tokenize
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.vocabulary import Vocabulary

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

SCHEMA = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
WORDS = ("user: ", "Hotel", " | where ", ".area = ", "north", " and ", ".stars = ", ";", "4")
END = 256 + len(WORDS)
TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), *(w.encode() for w in WORDS), None), (END,))
GOLD = (
    "user: Hotel | where .area = north;",
    "user: Hotel | where .area = north and .stars = 4;",
    "user: Hotel; Hotel | where .stars = 4;",
    "user: Hotel | where .stars = 4 and .area = north;",
)


def spelled(text: str) -> list[int]:
    """Tokens, the longest first."""
    ids, at = [], 0
    while at < len(text):
        word = max((w for w in WORDS if text.startswith(w, at)), key=len, default=None)
        ids += [256 + WORDS.index(word)] if word else list(text[at].encode())
        at += len(word or text[at])
    return ids


@pytest.fixture(scope="module")
def decoder() -> ConstrainedDecoder:
    return ConstrainedDecoder(schema=SCHEMA, tokenizer=TOKENS, executor="cpu")


def drawn(
    decoder: ConstrainedDecoder, name: str, begun: Iterator[Sequence[int]], count: int, budget: int, seed: int = 1
):
    from sampling import Kind, Transformer, Uniform, learnt, sampled

    makers = {
        "n-gram": lambda: learnt(decoder, [spelled(text) for text in GOLD], 0.01, batch=2),
        "uniform": lambda: Uniform(TOKENS.size),
        "transformer": lambda: Transformer(TOKENS.size, seed),
    }
    kind = Kind(name, makers[name](), begun, count)
    return list(sampled(decoder, kind, budget, np.random.default_rng(seed), batch=16))


@pytest.mark.parametrize(("name", "count"), [("n-gram", 40), ("uniform", 30), ("transformer", 10)])
def test_samples_are_well_typed_and_keep_their_budget(decoder: ConstrainedDecoder, name: str, count: int) -> None:
    from dl_samples import judged

    made = drawn(decoder, name, itertools.repeat(()), count, 50)
    assert len(made) == count and all(s.tokens <= 50 for s in made)
    assert all(len(spelled(s.text)) <= s.tokens for s in made)
    assert list(judged([s.text for s in made], Checker(SCHEMA))) == [[]] * count


def test_an_n_gram_says_mostly_what_it_learnt_and_ends_by_itself(decoder: ConstrainedDecoder) -> None:
    made = drawn(decoder, "n-gram", itertools.repeat(()), 100, 80)
    assert sum(s.text in GOLD for s in made) >= 50
    assert sum(s.forced for s in made) <= 20


def test_the_same_seed_draws_the_same(decoder: ConstrainedDecoder) -> None:
    made = [sorted(s.text for s in drawn(decoder, "n-gram", itertools.repeat(()), 30, 60, seed)) for seed in (5, 5, 6)]
    assert made[0] == made[1] != made[2]


def test_a_budget_that_overrules_the_model_is_told(decoder: ConstrainedDecoder) -> None:
    """An acts' name of any length is what a uniform model writes first: it never ends by itself."""
    made = drawn(decoder, "uniform", itertools.repeat(spelled("user: ")), 20, 12)
    assert sum(s.forced for s in made) >= 15
    free = drawn(decoder, "n-gram", itertools.repeat(spelled(GOLD[0])), 20, 200)
    assert not any(s.forced for s in free if s.text == GOLD[0]) and any(s.text == GOLD[0] for s in free)


def test_programs_go_on_from_what_they_are_begun_with(decoder: ConstrainedDecoder) -> None:
    from sampling import cut

    begun = cut([spelled(text) for text in GOLD], 30, np.random.default_rng(2))
    made = drawn(decoder, "n-gram", begun, 40, 60)
    assert len({s.given for s in made}) > 3
    for sample in made:
        assert any(spelled(sample.text)[: sample.given] == spelled(gold)[: sample.given] for gold in GOLD), sample


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    from sampling import Sample, load, save

    made = [Sample("a \u2028 b\x85", "m", 3, 0, 9, True), Sample("c", "m", 1, 1, 9, False, True, True)]
    save(made[:1], tmp_path / "x")
    save(made[1:], tmp_path / "x")
    assert load([tmp_path / "x"]) == made


def test_places_where_a_text_can_be_written(decoder: ConstrainedDecoder) -> None:
    from sampling import Openings

    openings = Openings(decoder, np.random.default_rng(3))
    openings.read((*GOLD, 'user: Hotel | where .name = @"a b";'))
    assert openings.before("\u00e9") == []  # within quotes anything could be
    found = openings.before(" and ")
    assert found and all(text.endswith(" and ") for text in found)
    assert openings.before("SELECT") == []
    for text in found:
        decoder.start(1, prefix=text)


def test_productions_read_a_program() -> None:
    from dl_samples import measures, productions

    found = [p.origin for p in productions(tokenize(GOLD[1]))]
    assert found[0] == "program" and found.count("compare") == 2 and found.count("where") == 1
    has = measures([SCHEMA]).has
    assert {"where: where expr", "number", "_and: and negation _and"} <= has(GOLD[1])
    assert "variable" in has("user: let x0 = Hotel; x0;") and "variable" not in has("user: let x0 = Hotel; Hotel;")
    assert {"datetime", "time", "negative int"} <= has("user: f(2024-03-05T10:15, 10:15, -7L);")


def test_gold_moved_to_another_database_is_well_typed() -> None:
    from dl_samples import judged, moved

    source = read_schema(
        "schema a\ntable pet { name: Text, age: Number, kind: Text }\ntable toy { pet: Text, cost: Number }"
    )
    target = read_schema(
        "schema b\ntable x { p: Number, q: Text }\ntable y { r: Text, s: Number }\ntable z { t: Number }"
    )
    texts = ["user: pet | where .age > 3 | show .name;", "user: pet | join toy on pet.name = toy.pet | show toy.cost;"]
    made = list(itertools.islice(moved({"a": texts}, {"a": source}, target, np.random.default_rng(1)), 30))
    assert list(judged(made, Checker(target))) == [[]] * 30
    assert len(set(made)) >= 3 and any("join" in text for text in made)


@pytest.mark.corpus
def test_a_sample_of_lispress(corpora: Path) -> None:
    from decoder_dataflow import corpus
    from flow_samples import setting
    from sampling import draw

    made = draw(setting(corpus(corpora)[:300], 120), 100, 100, 1, None)
    assert len(made) >= 90 and all(s.typed and s.tokens <= 120 for s in made)
    assert len({s.model for s in made}) == 8
