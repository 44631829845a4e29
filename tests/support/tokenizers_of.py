"""Tokenizers of three styles, trained where they are used: byte-level BPE without and with splitting of digits and
punctuation, and SentencePiece's way with byte fallback."""

import json
from collections.abc import Sequence
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

END = "</s>"
STYLES = ("bytes", "bytes split", "sentencepiece")
_SPLIT = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"


def trained(style: str, texts: Sequence[str], size: int) -> Any:
    """A `PreTrainedTokenizerFast` of about `size` tokens."""
    from transformers import PreTrainedTokenizerFast

    make = {"bytes": _bytes, "bytes split": _bytes_split, "sentencepiece": _sentencepiece}[style]
    return PreTrainedTokenizerFast(tokenizer_object=make(texts, size), eos_token=END)


def _bytes(texts: Sequence[str], size: int) -> Tokenizer:
    """Tokens may run over anything: brackets, names and spaces in one."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return _byte_level(tokenizer, texts, size)


def _bytes_split(texts: Sequence[str], size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(_SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    return _byte_level(tokenizer, texts, size)


def _byte_level(tokenizer: Tokenizer, texts: Sequence[str], size: int) -> Tokenizer:
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _sentencepiece(texts: Sequence[str], size: int) -> Tokenizer:
    """Spaces are marks, one before the text; what has no token is spelled in bytes."""
    spaces = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    learned = Tokenizer(models.BPE())
    learned.normalizer = spaces
    learned.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size - 258, show_progress=False))
    model = json.loads(learned.to_str())["model"]
    words = ["<unk>", END, *(f"<0x{byte:02X}>" for byte in range(256)), *sorted(model["vocab"], key=model["vocab"].get)]
    merges = [tuple(merge) for merge in model["merges"]]
    vocabulary = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>"))
    tokenizer.add_special_tokens(["<unk>", END])
    tokenizer.normalizer = spaces
    fallback = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(fallback)
    return tokenizer
