"""Byte-level BPE tokenizers of about 32k and 128k tokens for the decoder's benchmark, trained once into a folder.

    python benchmarks/vocabularies.py [--folder .benchmarks/vocabularies] [--sizes 32000 128256]

Trained on the corpora (where there are any), on Python's own standard library and on invented words, which are what
fills a large vocabulary up. The way text is split is that of current models: contractions, words with a leading
space, one to three digits, punctuation, line breaks.
"""

import argparse
import gzip
import os
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".benchmarks" / "vocabularies"
CORPORA = Path(os.environ.get("DLC_CORPORA") or ROOT.parent / "shared" / "data")
SIZES = (32_000, 128_256)
SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|user|>", "<think>", "<pad>", "<unk>", "<s>")
_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SYLLABLES = (("", "b", "br", "c", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "w", "z"),
              ("a", "e", "i", "o", "u", "ai", "ou", "ea", "é", "ü", "ы", "да", "の", "语", "한"),
              ("", "l", "n", "r", "s", "t", "nd", "rt", "ck"))  # fmt: skip


def texts() -> Iterator[str]:
    """What the tokenizers are trained on, in a fixed order."""
    for path in sorted(CORPORA.glob("*/*.json*.gz")) if CORPORA.is_dir() else ():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            while chunk := file.read(1 << 20):
                yield chunk
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        yield path.read_text(encoding="utf-8", errors="replace")
    rng = random.Random(5)
    words = ["".join(rng.choice(part) for _ in range(rng.randint(1, 4)) for part in _SYLLABLES) for _ in range(150_000)]
    for start in range(0, len(words), 500):
        few = words[start : start + 500]
        yield " ".join(few + [w.capitalize() for w in few[::3]] + few[::2])


def load(size: int, folder: Path = FOLDER) -> Any:
    """The tokenizer of a size as a `PreTrainedTokenizerFast`, trained if it is not there yet."""
    from transformers import PreTrainedTokenizerFast

    path = folder / f"{size}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        train(size).save(str(path))
    return PreTrainedTokenizerFast(tokenizer_file=str(path), eos_token=SPECIAL[1], bos_token=SPECIAL[0])


def train(size: int) -> Any:
    """A tokenizer of `size` tokens, special ones included."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence(
        [Split(Regex(_SPLIT), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = Decoder()
    trainer = BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return tokenizer


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=FOLDER)
    arguments.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    options = arguments.parse_args()
    for size in options.sizes:
        tokenizer = load(size, options.folder)
        print(f"{options.folder / f'{size}.json'}: {len(tokenizer)} tokens")


if __name__ == "__main__":
    main()
