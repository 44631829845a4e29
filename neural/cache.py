"""The tokenizer's part of the tables, kept on disk between processes: token bytes and the trie, by content.

Files are numpy's `.npz` without pickles, written beside their place and moved there, so that a reader never sees half
a file; one that cannot be read is built anew. The folder is the caller's, else that named by `DLC_CACHE`; without
either nothing is kept.
"""

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .trie import Trie
from .vocabulary import Vocabulary, read_vocabulary

VERSION = "1"
_TRIE = ("byte", "parent", "end", "depth", "first", "count", "order")


def cached_vocabulary(
    tokenizer: Any, ends: "tuple[int, ...] | None" = None, folder: "str | Path | None" = None
) -> Vocabulary:
    """`read_vocabulary`, from disk where it is there. Raises CompileError (DLC501, DLC509)."""
    place = folder or os.environ.get("DLC_CACHE")
    if not place:
        return read_vocabulary(tokenizer, ends)
    path = Path(place) / f"vocabulary-{_key(tokenizer, ends)}.npz"
    known = _load(path)
    if known is None:
        known = read_vocabulary(tokenizer, ends)
        _save(path, known)
    return known


def _key(tokenizer: Any, ends: "tuple[int, ...] | None") -> str:
    """All that `read_vocabulary` looks at."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    special = sorted(getattr(tokenizer, "all_special_ids", ()))
    facts = (VERSION, ends, getattr(tokenizer, "eos_token_id", None), special)
    digest = hashlib.sha256(repr(facts).encode())
    digest.update(backend.to_str().encode())
    return digest.hexdigest()[:40]


def _load(path: Path) -> Vocabulary | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        data, cuts = arrays["text"].tobytes(), arrays["cuts"].tolist()
        tokens = tuple(
            data[a:b] if has else None for a, b, has in zip(cuts, cuts[1:], arrays["has"].tolist(), strict=False)
        )
        vocabulary = Vocabulary(tokens, tuple(arrays["ends"].tolist()), bool(arrays["leading_space"]))
        vocabulary.__dict__["trie"] = Trie(**{name: arrays[name] for name in _TRIE})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return vocabulary


def _save(path: Path, vocabulary: Vocabulary) -> None:
    lengths = [len(token or b"") for token in vocabulary.tokens]
    arrays = {
        "text": np.frombuffer(b"".join(token or b"" for token in vocabulary.tokens), dtype=np.uint8),
        "cuts": np.concatenate(([0], np.cumsum(lengths))),
        "has": np.array([token is not None for token in vocabulary.tokens]),
        "ends": np.array(vocabulary.ends),
        "leading_space": np.array(vocabulary.leading_space),
    } | {name: getattr(vocabulary.trie, name) for name in _TRIE}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez(file, **arrays)
    os.replace(file.name, path)
