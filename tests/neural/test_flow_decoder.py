"""The decoder over Lispress and the built-in schema: walks are well typed, gold is never masked, wrong starts refused."""

import gzip
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from tokenizers_of import STYLES, trained

from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.neural.decoder import ConstrainedDecoder
from dlc.neural.flow_contract import FlowContract
from dlc.neural.vocabulary import Vocabulary
from dlc.schemas import load_schema
from dlc.typecheck_command import run_typecheck

SCHEMA = load_schema("smcalflow")
WORDS = (
    "(let (x0 (", ") x1 (", ")) (", " x0", " x1)", " (", "(Yield", "(^(", "Event", "Dynamic", ") ", "))", ' "', '")',
    "Constraint ", "List ", "(Execute (", "refer (", "Event.start", "singleton ", "(== ", "(& (", "(< ", " 0L", "(do ",
    "extensionConstraint (", "EmptyStructConstraint)", "FenceScope)", "(Today)", "append ", "(^(Event) ", " :event (",
)  # fmt: skip
END = 256 + len(WORDS)
TOKENS = Vocabulary((*(bytes((b,)) for b in range(256)), *(w.encode() for w in WORDS), None), (END,))


@pytest.fixture(scope="module")
def decoder() -> ConstrainedDecoder:
    return ConstrainedDecoder(surface="dataflow", schema=SCHEMA, tokenizer=TOKENS)


def walk(decoder: ConstrainedDecoder, rng: random.Random, budget: int, prefix: str) -> str:
    state, said = decoder.start(1, budget=budget, prefix=prefix), []
    while not state.done[0]:
        allowed = np.flatnonzero(decoder.mask(state)[0])
        assert len(allowed), (prefix, said)
        wordy = allowed[(allowed >= 256) & (allowed != END)]
        names = [t for t in wordy if WORDS[t - 256].startswith(" x")]
        # Half of the time what is bound is used where it may be: left to chance it hardly ever is.
        liked = names if names and rng.random() < 0.5 else wordy if len(wordy) and rng.random() < 0.6 else allowed
        chosen = rng.choice(liked)
        said.append(int(chosen))
        state = decoder.advance(state, [int(chosen)])
    assert said.pop() == END and len(said) <= budget
    return prefix + b"".join(TOKENS.tokens[t] or b"" for t in said).decode()


def test_walks_are_judged_well_typed_by_the_command_line(decoder: ConstrainedDecoder, tmp_path: Path) -> None:
    """Dozens of walks, among them many that are long, that use what they bind, and that share a type variable."""
    from dlc.options import Options

    rng = random.Random(3)
    prefixes = ("", "(let (x0 (", "(let (x0 (Today) x1 (Now)) (", "(Yield (== ")
    texts = [walk(decoder, rng, rng.choice((60, 120)), prefixes[i % 4]) for i in range(60)]
    source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps({"program": text}) + "\n" for text in texts), encoding="utf-8")
    status = run_typecheck("dataflow", [str(source)], Options(schema="smcalflow"), "json", output=str(out))
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert status == 0 and len(rows) == len(texts)
    assert all(row["ok"] and row["type"] is not None for row in rows)
    contract = FlowContract(SCHEMA)
    assert [text for text in texts if contract.outside(text) is not None] == []
    bare = [re.sub(r'"(?:[^"\\]|\\.)*"', '""', text) for text in texts]
    assert sum(text.count("(") > 11 for text in bare) > 8
    assert sum(len(re.findall(r"(?<=[ (])x\d+(?=[ )])", text)) > text.count("(Today) x1") + 1 for text in bare) > 5
    assert sum("(== " in text or "(& " in text or "(append " in text for text in bare) > 10


@pytest.mark.corpus
@pytest.mark.parametrize("style", STYLES)
def test_gold_is_never_masked(style: str, corpora: Path) -> None:
    """Every fortieth distinct program here; all of them by `benchmarks/decoder_dataflow.py gold`."""
    with gzip.open(corpora / "smcalflow2" / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        turns = [turn["lispress"] for line in lines for turn in json.loads(line)["turns"]]
    distinct = list(dict.fromkeys(turns))
    tokenizer = trained(style, turns[::5], 2000)
    decoder = ConstrainedDecoder(surface="dataflow", schema=SCHEMA, tokenizer=tokenizer)
    contract = FlowContract(SCHEMA)
    lets = [text for text in distinct if text.startswith("(let")]
    for text in (*distinct[::40], *lets[::20]):
        assert contract.outside(text) is None
        state = decoder.start(1)
        for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
            assert decoder.mask(state)[0, token], (text, tokenizer.convert_ids_to_tokens(token))
            state = decoder.advance(state, [token])
        assert decoder.is_complete(state)[0] and decoder.mask(state)[0, decoder.vocabulary.ends[0]]


@pytest.mark.parametrize(
    "said",
    [
        "(Yield x0",
        "(let (x1",
        "(let (x0 (Today)) (Event.start x0",
        "(let (x0 (Today)) (Yield x1",
        "(let (x0 x0",
        "(== (Today) (Now",
        "(Event.start (Execute (^(Dynamic) ConfirmAndReturnAction",
        "(^(Date) EmptyStructConstraint) ",
        "(& (^(Event) EmptyStructConstraint) (^(Date",
        "(Yield (let",
        "(Yield  ",
        "(EventAttendance :response (ResponseStatusType.Accepted) :event",
        "(Yield 007",
        '(Yield "\\x',
        "(Holiday.easter",
        "(NoSuchFunction",
        "(^(NoSuchType",
    ],
)
def test_what_no_well_typed_program_begins_with_is_refused(decoder: ConstrainedDecoder, said: str) -> None:
    with pytest.raises(CompileError) as caught:
        decoder.start(1, prefix=said)
    assert caught.value.diagnostics[0].code == "DLC504"


@pytest.mark.parametrize(
    "said",
    [
        "(let (x0 (Today)) (Yield x0",
        "(let (x0 (Today) x1 (Now)) (== x0 x0",
        "(== (Today) (Tomorrow",
        "(Execute (^(Dynamic) ConfirmAndReturnAction))",
        "(^((Constraint Event)) EmptyStructConstraint) "[:-1],
        '(Yield "\\u00e9\u00e9',
        "(Holiday.NotListed)",
        "(EventAttendance :event",
        "(PeriodDuration.apply :duration",
    ],
)
def test_what_one_begins_with_is_not(decoder: ConstrainedDecoder, said: str) -> None:
    assert decoder.mask(decoder.start(1, prefix=said)).any()


@pytest.mark.parametrize("declared", ["fun f(x: A) -> A", "fun f(x: A) -> B fun g(y: B) -> A"])
def test_a_type_without_values_is_offered_nowhere(declared: str) -> None:
    schema = read_schema(declared.replace(" fun", "\nfun"))
    decoder = ConstrainedDecoder(surface="dataflow", schema=schema, tokenizer=TOKENS)
    assert decoder.start(1, prefix="3L").cells[0].complete
    with pytest.raises(CompileError):
        decoder.start(1, prefix="(f")


def test_a_budget_too_small_for_the_prefix_is_said(decoder: ConstrainedDecoder) -> None:
    with pytest.raises(CompileError) as caught:
        decoder.start(1, budget=2, prefix="(let (x0 (")
    assert caught.value.diagnostics[0].code == "DLC503"
