"""Law 7 on random walks and under `generate`: whatever is allowed ends as a well-typed program within its budget."""

import random
from importlib.resources import files

import numpy as np
import pytest

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.vocabulary import Vocabulary

SCHEMA = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
WORDS = [
    "user",
    "user: ",
    "Hotel",
    " | where ",
    ".area = ",
    "north",
    " and ",
    ".stars",
    " = ",
    "book_",
    "execute: ",
    "any",
]
END = 256 + len(WORDS)
TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), *(w.encode() for w in WORDS), None), (END,))


@pytest.fixture(scope="module")
def decoder() -> ConstrainedDecoder:
    return ConstrainedDecoder(schema=SCHEMA, tokenizer=TOKENS)


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(SCHEMA)


def text(tokens: list[int]) -> str:
    return b"".join(TOKENS.tokens[t] or b"" for t in tokens).decode()


def test_random_walks_end_in_well_typed_programs_within_budget(decoder: ConstrainedDecoder, checker: Checker) -> None:
    rng = random.Random(7)
    for _ in range(12):
        budget = rng.choice((60, 90))
        state, said = decoder.start(1, budget=budget), []
        while not state.done[0]:
            allowed = np.flatnonzero(decoder.mask(state)[0])
            assert len(allowed), text(said)
            token = int(rng.choice(allowed))
            said.append(token)
            state = decoder.advance(state, [token])
        assert said.pop() == END and len(said) <= budget
        checked = compile_program(text(said), checker)
        assert checked.ok and len(checked.turns) == 1, text(said)


@pytest.mark.parametrize(
    "said",
    [
        "user: Hotel | where .stars = 4L + 1;",
        "user: Train | where .price = 4 + 5usd;",
        "user: Hotel | where .stars in [4, 4L];",
        "user: Hotel | where .area = monday;",
        "user: Hotel | where .leave_at = 10:00;",
        "user: Hotel | where no_value = $0;",
        "user: Hotel | where .type in if_else(true, untyped(3), [$0]);",
        "user: Hotel | where .type in first_present(first_present(untyped(3), $0), [if_else(true, $0, $0)]);",
    ],
)
def test_programs_the_checker_rejects_cannot_be_written(
    decoder: ConstrainedDecoder, checker: Checker, said: str
) -> None:
    assert not compile_program(said, checker).ok
    with pytest.raises(CompileError) as caught:
        decoder.start(1, prefix=said)
    assert caught.value.diagnostics[0].code == "DLC504"


# So many stages that what is shown last decides whether a Text can still be given.
LONG = "user: replace((Hotel" + " | show .stars" * 13 + " | show untyped(.stars)"


def test_where_the_budget_is_nearly_spent_a_well_typed_program_is_at_hand(
    decoder: ConstrainedDecoder, checker: Checker
) -> None:
    """Whatever was written, the finish that its states were given is read, ends the program, and is well typed."""
    machine, rng = decoder.machines[0], random.Random(11)
    for start in (
        "user: Train | join Hotel as b on ",
        "user: let x0 = ",
        "user: Hotel | group .area | show ",
        LONG,
        "agent a: ",
        *("user: Hotel | where .stars = 4 or (is any and is any) and (", "user: Hotel | where (is any or (") * 5,
        *("user: Hotel | where not (.area = centre and (", "user: Hotel | show .stars, now, ", "user: Hotel -> [{ ")
        * 3,
    ):
        cell = machine.read(machine.start, start.encode())
        said, left = start.encode(), 40
        while cell is not None and left:
            finish = b"".join(TOKENS.tokens[t] or b"" for t in machine.plan(cell))
            end = machine.read(cell, finish)
            assert end is not None and end.complete, (said, finish)
            if not is_utf8(said + finish):
                break
            assert compile_program((said + finish).decode(), checker).ok, (said, finish)
            row = machine.row(cell, 1 << 20)
            allowed = [t for t in range(END) if row[t >> 5] >> np.uint32(t & 31) & np.uint32(1)]
            token = rng.choice([t for t in allowed if t >= 256] or allowed) if allowed else None
            cell = machine.read(cell, TOKENS.tokens[token] or b"") if token is not None else None
            said, left = said + (TOKENS.tokens[token] or b"" if token is not None else b""), left - 1


def is_utf8(said: bytes) -> bool:
    try:
        said.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_a_token_that_is_not_allowed_is_refused_and_changes_nothing(decoder: ConstrainedDecoder) -> None:
    state = decoder.start(2, budget=60)
    before = decoder.mask(state)
    wrong = int(np.flatnonzero(~before[1])[0])
    right = int(np.flatnonzero(before[0])[0])
    with pytest.raises(CompileError) as caught:
        decoder.advance(state, [right, wrong])
    assert caught.value.diagnostics[0].code == "DLC505"
    assert (decoder.mask(state) == before).all()


def test_no_program_fits_into_one_token(decoder: ConstrainedDecoder) -> None:
    with pytest.raises(CompileError) as caught:
        decoder.start(1, budget=1)
    assert caught.value.diagnostics[0].code == "DLC503"


@pytest.mark.parametrize(
    "options", [{"do_sample": True}, {"num_beams": 3, "do_sample": False}], ids=["sampled", "beams"]
)
def test_generate_with_a_model_that_knows_nothing(decoder: ConstrainedDecoder, checker: Checker, options) -> None:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(3)
    size = TOKENS.size + 3
    config = GPT2Config(
        vocab_size=size, n_positions=160, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=END
    )
    model = GPT2LMHeadModel(config).eval()
    budget = 60
    made = model.generate(
        torch.zeros((3, 2), dtype=torch.long),
        attention_mask=torch.ones((3, 2), dtype=torch.long),
        max_new_tokens=budget + 1,
        eos_token_id=END,
        pad_token_id=END,
        logits_processor=[decoder.logits_processor(budget, beams=options.get("num_beams", 1))],
        **options,
    )
    for row in made[:, 2:].tolist():
        said = row[: row.index(END)]
        assert compile_program(text(said), checker).ok, text(said)
