"""A model that knows nothing, held to well-typed programs: what the types do, and what a grammar alone would do.

    python examples/constrained_decoding.py [--samples 30] [--budget 60]

A tiny randomly initialized transformer writes programs over the MultiWOZ schema three times: with nothing to hold
it, with the grammar of DL alone (any sequence the parser accepts, names taken from the schema), and with the typed
decoder. Each program is judged by the checker. Takes less than a minute on a laptop; no download.
"""

import argparse
import random
from collections.abc import Callable
from importlib.resources import files

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from dlc.compiler.check import Checker
from dlc.compiler.pipeline import compile_program
from dlc.compiler.schema import Schema
from dlc.compiler.schema_text import read_schema
from dlc.grammar.diagnostic import CompileError
from dlc.grammar.lexer import tokenize
from dlc.grammar.parser import stack_after
from dlc.neural import ConstrainedDecoder
from dlc.neural.vocabulary import Vocabulary

PROMPT = 4


def vocabulary(schema: Schema) -> Vocabulary:
    """Single bytes, the words of DL and the names of the schema, and an end-of-sequence token."""
    words = {
        "user: ",
        "agent: ",
        " | where ",
        " = ",
        " != ",
        " and ",
        " or ",
        "not ",
        " | take ",
        " | sort ",
        "any",
        "[]",
    }
    for table in schema.tables:
        words |= {table.name, *(f".{column.name}" for column in table.columns)}
    for function in schema.functions:
        words |= {function.name, *(f"{label}: " for label in function.labelled)}
    for enum in schema.enums:
        words |= {f" {member.name}" for member in enum.members}
    spelled = [bytes((b,)) for b in range(256)] + sorted(w.encode() for w in words)
    return Vocabulary((*spelled, None), (len(spelled),))


def tiny(size: int, length: int) -> GPT2LMHeadModel:
    """A transformer of random weights."""
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=size, n_positions=length, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=size - 1
    )
    return GPT2LMHeadModel(config).eval()


def sample(model: GPT2LMHeadModel, tokens: Vocabulary, samples: int, budget: int, decoder: ConstrainedDecoder | None):  # type: ignore[no-untyped-def]
    """Texts of at most `budget` tokens, held by a decoder or by nothing."""
    end = tokens.ends[0]
    prompts = torch.randint(256, (samples, PROMPT), generator=torch.Generator().manual_seed(2))
    torch.manual_seed(3)
    made = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        do_sample=True,
        max_new_tokens=budget + 1,
        eos_token_id=end,
        pad_token_id=end,
        logits_processor=[decoder.logits_processor(budget)] if decoder is not None else [],
    )
    rows = [row[: row.index(end)] if end in row else row for row in made[:, PROMPT:].tolist()]
    return [b"".join(tokens.tokens[t] or b"" for t in row).decode("utf-8", "replace") for row in rows]


def grammatical(tokens: Vocabulary, samples: int, budget: int) -> list[str]:
    """Texts that the parser can go on from, a random word at a time: what a grammar alone can promise (no end)."""
    rng, said = random.Random(4), []
    words = [token.decode() for token in tokens.tokens[256:-1] if token]
    words += [*"|;:()[],=.<>", '"x"', "4", "user", "where", "take", "sort", "in", "is", "missing", " "]
    for _ in range(samples):
        text = rng.choice(("user:", "agent:"))
        for _ in range(budget):
            if text.endswith(";") and rng.random() < 0.5:
                break
            options = [text + " " + word.strip() for word in rng.sample(words, min(len(words), 60))]
            text = next((each for each in options if parses_so_far(each)), text)
        said.append(text)
    return said


def parses_so_far(text: str) -> bool:
    """Whether some sentence of the grammar begins like this."""
    try:
        return bool(stack_after(tokenize(text)[:-1]))
    except CompileError:
        return False


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--samples", type=int, default=30)
    arguments.add_argument("--budget", type=int, default=60)
    options = arguments.parse_args()
    schema = read_schema(files("dlc").joinpath("data", "multiwoz.dl").read_text(encoding="utf-8"))
    tokens, checker = vocabulary(schema), Checker(schema)
    model = tiny(tokens.size, PROMPT + options.budget + 1)
    decoder = ConstrainedDecoder(surface="dl", schema=schema, tokenizer=tokens, executor="cpu")
    ways: dict[str, Callable[[], list[str]]] = {
        "unconstrained": lambda: sample(model, tokens, options.samples, options.budget, None),
        "grammar only": lambda: grammatical(tokens, options.samples, options.budget),
        "typed": lambda: sample(model, tokens, options.samples, options.budget, decoder),
    }
    for name, write in ways.items():
        said = write()
        fine = 0
        for text in said:
            checked = compile_program(text, checker)
            fine += checked.ok and len(checked.turns) == 1
        print(f"{name}: {fine} of {len(said)} well typed, such as {said[0][:90]!r}")


if __name__ == "__main__":
    main()
