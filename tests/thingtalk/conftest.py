"""Shared by the ThingTalk tests: the reference implementation."""

import os
from pathlib import Path

import pytest
from thingtalk_oracle import Oracle, install


@pytest.fixture(scope="session")
def oracle(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """The reference, from $DLC_ORACLE or from beside the corpora."""
    folder = Path(os.environ.get("DLC_ORACLE") or corpora.parent / "oracles" / "thingtalk")
    return install(folder, tmp_path_factory.mktemp("oracle"))
