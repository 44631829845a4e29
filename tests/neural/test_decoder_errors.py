"""What the decoder refuses: tokenizers, schemas and tables that cannot work, each with its own code."""

import numpy as np
import pytest
import torch
from names_language import CAP, VOCABULARY, machine

from dlc.compiler.schema_text import read_schema
from dlc.compiler.types import Con
from dlc.grammar.diagnostic import CompileError
from dlc.neural import core
from dlc.neural.batch import BatchExecutor
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_surface import FlowLimits, dataflow_surface
from dlc.neural.gpu import DeviceExecutor
from dlc.neural.net import Net, Part
from dlc.neural.tables import Tables
from dlc.neural.vocabulary import Vocabulary

SCHEMA = read_schema("enum Area = a | b\ntable T { x: Area, n: Number }\nfun g(y: A) -> A\n")
BYTES = Vocabulary((*(bytes((b,)) for b in range(256)), None), (256,))


def code(caught: "pytest.ExceptionInfo[CompileError]") -> str:
    return caught.value.diagnostics[0].code


def tokenizer(words: list[str], end: str | None) -> object:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    model = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, []))
    from tokenizers.decoders import ByteLevel
    from tokenizers.pre_tokenizers import ByteLevel as Before

    model.pre_tokenizer, model.decoder = Before(add_prefix_space=False), ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=model, eos_token=end)


def alphabet() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


def test_a_tokenizer_that_lacks_bytes() -> None:
    with pytest.raises(CompileError) as caught:
        ConstrainedDecoder(schema=SCHEMA, tokenizer=tokenizer([c for c in alphabet() if c != "Q"] + ["</s>"], "</s>"))
    assert code(caught) == "DLC501" and "b'Q'" in caught.value.diagnostics[0].message


def test_a_tokenizer_without_an_end() -> None:
    with pytest.raises(CompileError) as caught:
        ConstrainedDecoder(schema=SCHEMA, tokenizer=tokenizer(alphabet(), None))
    assert code(caught) == "DLC509"


def test_types_without_a_value_at_the_root_are_named() -> None:
    with pytest.raises(CompileError) as caught:
        dataflow_surface(SCHEMA, len, FlowLimits(only=(Con("A"),)))
    assert code(caught) == "DLC502" and " A " in caught.value.diagnostics[0].message


def test_a_program_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net()

    def build(part: Part) -> None:
        part.text(part.start, "a", part.start)

    root = net.procedure("endless", build)
    monkeypatch.setattr(ConstrainedDecoder, "_surface", lambda self, *rest: (net, root))
    with pytest.raises(CompileError) as caught:
        ConstrainedDecoder(schema=SCHEMA, tokenizer=BYTES)
    assert code(caught) == "DLC502"


def test_exact_budgets_do_not_look_forever() -> None:
    """The only constant takes 60 tokens, 30 are left: whether some finish fits is more than 24 tokens ahead."""
    schema = read_schema(f"enum Area = {'a' * 60}\ntable T {{ x: Area }}\n")
    decoder = ConstrainedDecoder(schema=schema, tokenizer=BYTES, budgets="exact")
    with pytest.raises(CompileError) as caught:
        decoder.start(1, budget=30, prefix="user: T | where .x = a")
    assert code(caught) == "DLC512"


def test_tables_too_large_to_close() -> None:
    with pytest.raises(CompileError) as caught:
        Tables([machine()]).close(limit=50)
    assert code(caught) == "DLC513" and "50" in caught.value.diagnostics[0].message


@pytest.mark.parametrize("executor", ["cpu", "gpu"])
def test_more_names_than_a_row_has_room_for(executor: str) -> None:
    """A row whose environment is full is refused whole: no token of it is emitted."""
    running = machine()
    made = BatchExecutor([running], VOCABULARY) if executor == "cpu" else DeviceExecutor([running], VOCABULARY, "cpu")
    torch.set_num_threads(1)
    cell = running.read(running.start, b"let x0=")
    assert cell is not None and CAP < core.SLOTS
    state = made.start([0], [cell], [60])
    state.rows[:, core.NAMES] = core.SLOTS
    with pytest.raises(CompileError) as caught:
        made.advance(state, np.array([VOCABULARY.tokens.index(b"n;")]))
    assert code(caught) == "DLC514"
