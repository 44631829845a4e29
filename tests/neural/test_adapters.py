"""The decoder inside other people's loops: transformers, an engine of vLLM's call order, a loop on the device."""

import json
import random
import re
from importlib.resources import files

import numpy as np
import pytest
import torch
from names_language import VOCABULARY, machine

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.neural import core
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.gpu import DeviceExecutor
from dlc.neural.grounding import Grounding
from dlc.neural.logits import constrained
from dlc.neural.loop import generate, step
from dlc.neural.serving import TypedBackend
from dlc.neural.vocabulary import Vocabulary

SCHEMA = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
WORDS = ["user", "user: ", "Hotel", " | where ", ".area = ", "north", " and ", ".stars", " = ", "book_", "any"]
END = 256 + len(WORDS)
PAD = END + 1
USER = 256 + WORDS.index("user: ")
TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), *(w.encode() for w in WORDS), None, None), (END,))
WIDTH = TOKENS.size + 5
BUDGET = 40
BEGUN = 'user: Hotel | where .name = @"'


@pytest.fixture(scope="module")
def decoder() -> ConstrainedDecoder:
    torch.set_num_threads(1)
    return ConstrainedDecoder(schema=SCHEMA, tokenizer=TOKENS, executor="cpu")


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker(SCHEMA)


def judge(rows: list[list[int]], checker: Checker, budget: int = BUDGET) -> None:
    for row in rows:
        assert row.index(END) <= budget + 1
        said = b"".join(TOKENS.tokens[t] or b"" for t in row[: row.index(END)]).decode()
        assert compile_program(said, checker).ok, said


def decoder_only() -> torch.nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=WIDTH, n_positions=120, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=END
    )
    return GPT2LMHeadModel(config).eval()


def encoder_decoder() -> torch.nn.Module:
    from transformers import BartConfig, BartForConditionalGeneration

    torch.manual_seed(4)
    config = BartConfig(
        vocab_size=WIDTH, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=120,
        bos_token_id=0, eos_token_id=END, pad_token_id=PAD, decoder_start_token_id=PAD, forced_eos_token_id=None,
    )  # fmt: skip
    return BartForConditionalGeneration(config).eval()


@pytest.mark.parametrize("model", [decoder_only, encoder_decoder])
@pytest.mark.parametrize("how", ["greedy", "sampling", "beams"])
def test_generate_is_held_to_well_typed_programs(decoder, checker, model, how) -> None:
    options = {
        "greedy": {"do_sample": False},
        "sampling": {"do_sample": True, "num_return_sequences": 2},
        "beams": {"num_beams": 3, "do_sample": False, "num_return_sequences": 2},
    }[how]
    processor = decoder.logits_processor(BUDGET, beams={"greedy": 1, "sampling": 2, "beams": 3}[how])
    prompts = torch.tensor([[PAD, PAD, 5, 7], [1, 2, 3, 4], [PAD, 8, 8, 8]])
    made = model().generate(
        prompts,
        attention_mask=(prompts != PAD).long(),
        max_new_tokens=BUDGET + 1,
        eos_token_id=END,
        pad_token_id=PAD,
        logits_processor=[processor],
        **options,
    )
    said = made[:, 4 if model is decoder_only else 1 :].tolist()
    assert len(said) == 3 * options.get("num_return_sequences", 1)
    judge(said, checker)
    assert len(processor.log_z) == 3 * processor.beams and all(z < 0 for z in processor.log_z)


def test_a_processor_that_was_not_told_of_beams_says_so(decoder) -> None:
    with pytest.raises(CompileError) as caught:
        decoder_only().generate(
            torch.ones((2, 3), dtype=torch.long),
            max_new_tokens=30,
            num_beams=4,
            do_sample=False,
            eos_token_id=END,
            pad_token_id=PAD,
            logits_processor=[decoder.logits_processor(BUDGET)],
        )
    assert caught.value.diagnostics[0].code == "DLC508"


@pytest.mark.parametrize("how", ["sampling", "beams"])
def test_generate_grounds_the_literals_of_each_prompt(decoder, checker, how) -> None:
    texts = [["the lensfield hotel"], ["bridge", "ash"], None]
    options = {"sampling": {"do_sample": True}, "beams": {"num_beams": 3, "do_sample": False}}[how]
    beams = 3 if how == "beams" else 1
    torch.manual_seed(5)
    wanted = Grounding(entities=True)
    processor = decoder.logits_processor(BUDGET, prefix=BEGUN, beams=beams, texts=texts, grounding=wanted)
    prompts = torch.tensor([[PAD, PAD, 5, 7], [1, 2, 3, 4], [PAD, 8, 8, 8]])
    made = decoder_only().generate(
        prompts, attention_mask=(prompts != PAD).long(), max_new_tokens=BUDGET + 1, eos_token_id=END, pad_token_id=PAD,
        logits_processor=[processor], **options,
    )[:, 4:].tolist()  # fmt: skip
    judge([[*BEGUN.encode(), *row] for row in made], checker, BUDGET + len(BEGUN))
    for row, some in zip(made, texts, strict=True):
        said = BEGUN + b"".join(TOKENS.tokens[t] or b"" for t in row[: row.index(END)]).decode()
        names = re.findall(r'@"((?:[^"\\]|\\.)*)"', said)
        assert names and (some is None or all(any(name in text for text in some) for name in names)), said


# ------------------------------------------------------------------ vLLM's order of calls


def test_a_request_of_an_engine_says_what_grounds_its_literals(decoder) -> None:
    backend = TypedBackend(decoder)
    spec = {"texts": ["abc"], "sets": {"Hotel.name": ["q", "xyz"]}, "entities": True, "prefix": BEGUN}
    one = backend.compile_grammar("json", json.dumps(spec))
    plain = backend.compile_grammar("json", json.dumps({"prefix": BEGUN}))
    for grammar, right, wrong in ((one, b"xyz", b"x,"), (one, b"q", b"a"), (plain, b"a,", b"\x01")):
        assert grammar.validate_tokens([*wrong]) == [*wrong][:-1]
        assert grammar.validate_tokens([*right]) == [*right]
        assert grammar.accept_tokens("r", [*right])
        grammar.rollback(len(right))
    bitmask = backend.allocate_token_bitmask(1)
    one.fill_bitmask(bitmask, 0)
    allowed = np.flatnonzero(np.unpackbits(bitmask[0].numpy().view(np.uint8), bitorder="little"))
    assert allowed.tolist() == [ord("q"), ord("x")]


def test_the_loop_on_the_device_does_not_ground() -> None:
    on_device = ConstrainedDecoder(schema=SCHEMA, tokenizer=TOKENS, executor="gpu", device="cpu")
    assert on_device.start(1, texts=[None]) is not None
    with pytest.raises(CompileError) as caught:
        on_device.start(1, texts=[["a"]])
    assert caught.value.diagnostics[0].code == "DLC510"


def test_an_engine_of_vllm_s_call_order(decoder, checker) -> None:
    backend = TypedBackend(decoder, WIDTH)
    bitmask, rng = backend.allocate_token_bitmask(4), random.Random(2)
    running = {
        f"r{i}": backend.compile_grammar("json", json.dumps({"budget": BUDGET, "prefix": "user: " if i % 2 else ""}))
        for i in range(4)
    }
    said: dict[str, list[int]] = {name: [] for name in running}
    while not all(g.is_terminated() for g in running.values()):
        for row, (name, grammar) in enumerate(running.items()):
            if grammar.is_terminated():
                continue
            grammar.fill_bitmask(bitmask, row)
            allowed = np.flatnonzero(np.unpackbits(bitmask[row].numpy().view(np.uint8), bitorder="little"))
            assert allowed.max() < TOKENS.size
            token = int(rng.choice(allowed))
            # A draft of three tokens, of which only some hold; then all but the first are taken back.
            draft = grammar.validate_tokens([token, int(rng.choice(allowed)), PAD])
            assert 1 <= len(draft) <= 2 and draft[0] == token
            assert not grammar.accept_tokens(name, [token, PAD])
            assert grammar.accept_tokens(name, draft)
            grammar.rollback(len(draft) - 1)
            said[name].append(token)
            assert grammar.num_processed_tokens == len(said[name])
    for i, tokens in enumerate(said.values()):
        assert len(tokens) <= BUDGET + 1
        judge([([USER] if i % 2 else []) + tokens], checker)
    one = running["r0"]
    assert not one.accept_tokens("r0", [END]) and one.validate_tokens([65]) == []
    one.reset()
    assert not one.is_terminated() and one.num_processed_tokens == 0
    with pytest.raises(CompileError):
        one.rollback(1)
    backend.destroy()
    with pytest.raises(CompileError):
        backend.compile_grammar("json", "{}")


@pytest.mark.parametrize(
    "spec",
    [
        "[]",
        "{",
        '{"schema": 7}',
        '{"budget": 0}',
        '{"prefix": 3}',
        '{"schema": "x"}',
        '{"texts": "a"}',
        '{"sets": {"name": [1]}}',
        '{"words": 1}',
    ],
)
def test_requests_that_are_not_understood(decoder, spec) -> None:
    with pytest.raises(CompileError) as caught:
        TypedBackend(decoder).compile_grammar("json", spec)
    assert caught.value.diagnostics[0].code == "DLC508"


def test_bit_masks_that_do_not_fit(decoder) -> None:
    grammar = TypedBackend(decoder).compile_grammar("json", "{}")
    for bad in (torch.zeros((1, 2), dtype=torch.int32), torch.zeros((1, 90), dtype=torch.int64)):
        with pytest.raises(CompileError) as caught:
            grammar.fill_bitmask(bad, 0)
        assert caught.value.diagnostics[0].code == "DLC508"
    with pytest.raises(CompileError) as caught:
        TypedBackend(decoder, 100)
    assert caught.value.diagnostics[0].code == "DLC507"


# ------------------------------------------------------------------ logits


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_logits_are_masked_and_log_z_is_the_mass_kept(dtype) -> None:
    allowed = torch.tensor([[True, False, True], [False, False, True]])
    logits = torch.tensor([[1.0, 2.0, 0.5, 3.0], [0.0, 1.0, -1.0, 9.0]], dtype=dtype)
    masked, log_z = constrained(logits, allowed)
    assert masked.dtype == dtype and masked.isinf().tolist() == [[False, True, False, True], [True, True, False, True]]
    kept = logits.float().softmax(-1)[:, :3].masked_fill(~allowed, 0).sum(-1).log()
    assert torch.allclose(log_z, kept, atol=1e-5)


@pytest.mark.parametrize(
    ("logits", "code"),
    [
        (torch.tensor([[0.0, float("nan"), 0.0]]), "DLC506"),
        (torch.tensor([[0.0, float("inf"), 0.0]]), "DLC506"),
        (torch.tensor([[float("-inf"), 1.0, float("-inf")]]), "DLC506"),
        (torch.zeros((1, 2)), "DLC507"),
        (torch.zeros((2, 3)), "DLC508"),
        (torch.zeros(3), "DLC508"),
        (torch.zeros((1, 3), dtype=torch.int32), "DLC508"),
        (torch.zeros((1, 3), device="meta"), "DLC508"),
    ],
)
def test_bad_logits_raise(logits, code) -> None:
    with pytest.raises(CompileError) as caught:
        constrained(logits, torch.tensor([[True, False, True]]))
    assert caught.value.diagnostics[0].code == code


# ------------------------------------------------------------------ the loop on the device


def device_loop(batch: int, budget: int) -> tuple[DeviceExecutor, object]:
    torch.set_num_threads(1)
    running = machine()
    executor = DeviceExecutor([running], VOCABULARY, "cpu")
    return executor, executor.start([0] * batch, [running.start] * batch, [budget] * batch)


def test_a_loop_on_the_device_writes_programs_and_no_more() -> None:
    executor, state = device_loop(4, 14)
    executor.tables.close()
    torch.manual_seed(1)
    head = torch.randn(VOCABULARY.size, VOCABULARY.size)
    made = generate(executor, lambda tokens: head[tokens], state, torch.randn(4, VOCABULARY.size), 16)
    assert made.state.done.all() and made.tokens[:, -1].eq(VOCABULARY.ends[0]).all()
    assert torch.allclose(made.log_z.sum(1), made.state.log_z, atol=1e-4)
    for row in made.tokens.tolist():
        said = b"".join(VOCABULARY.tokens[t] or b"" for t in row if t not in VOCABULARY.ends)
        assert executor.tables.machines[0].read(executor.tables.machines[0].start, said).complete


def test_a_loop_may_grow_its_tables_and_says_the_same() -> None:
    """Open tables, filled in between steps, lead to what closed ones do."""
    torch.manual_seed(5)
    head, first = torch.randn(VOCABULARY.size, VOCABULARY.size), torch.randn(6, VOCABULARY.size)
    found = []
    for closed in (True, False):
        executor, state = device_loop(6, 20)
        if closed:
            executor.tables.close()
        before = executor.tables.version
        made = generate(executor, lambda tokens: head[tokens], state, first, 22, grow=not closed)
        assert made.state.done.all() and (executor.tables.version > before) == (not closed)
        found.append(made)
    assert found[0].tokens.equal(found[1].tokens) and torch.equal(found[0].log_z, found[1].log_z)


def test_growing_keeps_the_tokens_that_were_drawn() -> None:
    """Rows that had their mask keep their token when a step is done again: drawing anew would prefer what is known."""
    executor, state = device_loop(3, 20)
    drawn: list[torch.Tensor] = []

    def pick(logits: torch.Tensor) -> torch.Tensor:
        drawn.append(torch.multinomial(logits.float().softmax(-1), 1)[:, 0])
        return drawn[-1]

    torch.manual_seed(2)
    executor.bits(state)
    assert not executor.step_bits(state)[1].code.any()
    tokens, _, after, wrong = step(executor, state, torch.zeros(3, VOCABULARY.size), pick, grow=True)
    assert not wrong.any() and tokens.equal(drawn[0]) and not after.rows.equal(state.rows)


def test_a_loop_on_the_device_fails_closed() -> None:
    executor, state = device_loop(2, 20)
    with pytest.raises(CompileError) as caught:
        generate(executor, lambda tokens: torch.zeros(2, VOCABULARY.size), state, torch.zeros(2, VOCABULARY.size), 3)
    assert caught.value.diagnostics[0].code == "DLC515"
    executor.tables.close()
    bad = torch.zeros(2, VOCABULARY.size)
    bad[1, 3] = float("nan")
    with pytest.raises(CompileError) as caught:
        generate(executor, lambda tokens: bad, state, bad, 3)
    assert caught.value.diagnostics[0].code == "DLC506"
    bits, after = executor.step_bits(state)
    assert bits.any() and not after.code.any()
    refused = executor.step(state, torch.tensor([VOCABULARY.ends[0], -5]))
    assert refused.code.tolist() == [core.REFUSED] * 2 and refused.rows.equal(state.rows)
