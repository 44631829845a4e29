"""The tokenizer's part on disk: the same after a round trip, keyed by content, rebuilt when damaged."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from dlc.neural.cache import cached_vocabulary
from dlc.neural.vocabulary import Vocabulary, read_vocabulary


def tokenizer(*words: str) -> Tokenizer:
    alphabet = sorted(ByteLevel.alphabet())
    known = {text: i for i, text in enumerate([*alphabet, *words])}
    made = Tokenizer(BPE(known, []))
    made.pre_tokenizer = ByteLevel()
    made.add_special_tokens(["<end>"])
    return made


def same(a: Vocabulary, b: Vocabulary) -> bool:
    tries = all((getattr(a.trie, f) == getattr(b.trie, f)).all() for f in a.trie.__dataclass_fields__)
    return a == b and a.key == b.key and tries


def test_what_is_read_back_is_what_was_written(tmp_path: Path) -> None:
    made = tokenizer("ab", "abc")
    end = (made.get_vocab_size() - 1,)
    first = cached_vocabulary(made, end, tmp_path)
    (file,) = tmp_path.iterdir()
    again = cached_vocabulary(made, end, tmp_path)
    assert same(first, again) and same(first, read_vocabulary(made, end))
    assert [f.name for f in tmp_path.iterdir()] == [file.name]
    assert np.load(file, allow_pickle=False)["ends"].tolist() == list(end)


def test_another_tokenizer_is_another_file(tmp_path: Path) -> None:
    for words in (("ab",), ("ac",)):
        made = tokenizer(*words)
        assert words[0].encode() in cached_vocabulary(made, (made.get_vocab_size() - 1,), tmp_path).tokens
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 nothing", None])
def test_a_damaged_file_is_built_anew(tmp_path: Path, damage: "bytes | None") -> None:
    made = tokenizer("ab")
    end = (made.get_vocab_size() - 1,)
    first = cached_vocabulary(made, end, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:300] if damage is None else damage)
    assert same(first, cached_vocabulary(made, end, tmp_path))


def test_the_folder_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tokenizer("ab")
    end = (made.get_vocab_size() - 1,)
    monkeypatch.delenv("DLC_CACHE", raising=False)
    cached_vocabulary(made, end)
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("DLC_CACHE", str(tmp_path / "deep" / "er"))
    cached_vocabulary(made, end)
    assert len(list((tmp_path / "deep" / "er").iterdir())) == 1
