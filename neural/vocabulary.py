"""A tokenizer as the decoder sees it: the bytes of every token, in a trie; special tokens have none.

Understands the two families of Hugging Face fast tokenizers: byte-level BPE (a printable character stands for each
byte) and SentencePiece style (a mark for the space, `<0xNN>` for bytes), with added tokens as they are written.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from ..grammar.diagnostic import CompileError
from . import errors
from .net import NEVER
from .trie import Trie, build_trie

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>\Z")
_SPACE_MARK = "\u2581"


@dataclass(frozen=True)
class Vocabulary:
    """Bytes of tokens by id (None: special, or no text of its own), ids that end a sequence, and the trie.

    leading_space: the tokenizer writes a space before the first word and takes it away again when it decodes.
    """

    tokens: tuple[bytes | None, ...]
    ends: tuple[int, ...]
    leading_space: bool = False

    @cached_property
    def trie(self) -> Trie:
        """The bytes of all tokens as a tree."""
        return build_trie(self.tokens)

    def prepare(self) -> None:
        """Do now what the first use of the trie would wait for: lists of it, and loading the compiled loops."""
        from .walks import load

        self.spell(b" ")
        load(self.trie)

    @property
    def size(self) -> int:
        """Number of token ids, special ones included."""
        return len(self.tokens)

    @cached_property
    def key(self) -> str:
        """A hash of the content: equal for equal vocabularies in every process."""
        digest = hashlib.sha256(repr((self.ends, self.leading_space)).encode())
        for token in self.tokens:
            digest.update(b"\0" if token is None else len(token).to_bytes(4, "big") + token)
        return digest.hexdigest()

    def fewest(self, text: bytes) -> int:
        """The least number of tokens that spell `text`; NEVER if none do."""
        return self.spellings(text).counts[0]

    def spell(self, text: bytes) -> list[int]:
        """The least tokens that spell `text`; none if that cannot be."""
        return self.spellings(text).tokens(0)

    def spellings(self, text: bytes) -> "Spellings":
        """The least tokens that spell a text, and each end of it."""
        from .walks import spell

        size, trie = len(text) + 1, self.trie
        found = np.full((3, size), NEVER, dtype=np.int32)
        data = np.frombuffer(text, dtype=np.uint8)
        spell(trie.byte, trie.kids, trie.kid, trie.first, trie.count, trie.order, data, found[0], found[1], found[2])
        return Spellings(*found.tolist())


@dataclass(frozen=True, slots=True)
class Spellings:
    """How the ends of a text are spelled, by where they begin: in how many tokens (NEVER: in none), the first of them,
    and where it ends."""

    counts: list[int]
    after: list[int]
    first: list[int]

    def tokens(self, at: int) -> list[int]:
        """The tokens of the end that begins at a byte; none if it cannot be spelled."""
        found: list[int] = []
        while at + 1 < len(self.counts) and self.counts[at] < NEVER:
            found.append(self.first[at])
            at = self.after[at]
        return found


@cache
def _byte_characters() -> dict[str, int]:
    """The printable stand-ins of byte-level BPE: a byte that prints stands for itself, others follow from 256."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in set(printable)]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


def read_vocabulary(tokenizer: Any, ends: "tuple[int, ...] | None" = None) -> Vocabulary:
    """The vocabulary of a Hugging Face fast tokenizer (or of a bare `tokenizers.Tokenizer`).

    ends: ids that end a sequence; default the tokenizer's end-of-sequence token.
    Raises CompileError (DLC501, DLC509).
    """
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    size = max(backend.get_vocab(with_added_tokens=True).values(), default=-1) + 1
    if ends is None:
        known = getattr(tokenizer, "eos_token_id", None)
        ends = () if known is None else (known,) if isinstance(known, int) else tuple(known)
    if not ends:
        raise CompileError(errors.no_end_token())
    size = max(size, *(e + 1 for e in ends))
    described = json.loads(backend.to_str())
    marked = _uses_space_mark(described)
    added = backend.get_added_tokens_decoder()
    special = set(getattr(tokenizer, "all_special_ids", ())) | set(ends) | {i for i, t in added.items() if t.special}
    plain = {i: t.content for i, t in added.items() if not t.special}
    tokens: list[bytes | None] = [None] * size
    for text, i in backend.get_vocab(with_added_tokens=True).items():
        if i in special:
            continue
        tokens[i] = plain[i].encode() if i in plain else _bytes_of(text, marked)
    vocabulary = Vocabulary(tuple(tokens), tuple(ends), marked and _strips_first_space(described))
    single = {token[0] for token in vocabulary.tokens if token is not None and len(token) == 1}
    missing = [b for b in range(0x20, 0x7F) if b not in single]
    if missing:
        raise CompileError(errors.no_byte_coverage(len(missing), missing[0]))
    return vocabulary


def _bytes_of(text: str, marked: bool) -> bytes | None:
    if marked:
        byte = _BYTE.match(text)
        return bytes((int(byte[1], 16),)) if byte else text.replace(_SPACE_MARK, " ").encode("utf-8", "replace")
    characters = _byte_characters()
    try:
        return bytes(characters[c] for c in text)
    except KeyError:
        return None


def _uses_space_mark(described: dict[str, Any]) -> bool:
    return '"ByteLevel"' not in json.dumps([described.get("decoder"), described.get("pre_tokenizer")])


def _strips_first_space(described: dict[str, Any]) -> bool:
    text = json.dumps(described.get("decoder"))
    return '"Strip"' in text or '"Metaspace"' in text
