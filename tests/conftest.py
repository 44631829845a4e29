"""Shared by all tests: where the corpora and the ThingTalk reference are, and what their absence means.

Without them the tests that need them are skipped; with CI set, their absence is a failure.
"""

import os
import shutil
from pathlib import Path

import pytest
from thingtalk_oracle import Oracle, install

ROOT = Path(__file__).resolve().parents[1]


def corpora_folder() -> Path:
    return Path(os.environ.get("DLC_CORPORA") or ROOT.parent / "shared" / "data")


def oracle_folder() -> Path:
    return Path(os.environ.get("DLC_ORACLE") or corpora_folder().parent / "oracles" / "thingtalk")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora."""
    folder = corpora_folder()
    assert folder.is_dir(), f"no corpora at {folder}; set DLC_CORPORA"
    return folder


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """The ThingTalk reference, from $DLC_ORACLE or from beside the corpora."""
    return install(oracle_folder(), tmp_path_factory.mktemp("oracle"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("CI"):
        return
    absent = {
        "corpus": "" if corpora_folder().is_dir() else f"no corpora at {corpora_folder()}",
        "oracle": "" if oracle_folder().is_dir() and shutil.which("node") else "no ThingTalk reference or no Node",
    }
    for item in items:
        for marker, why in absent.items():
            if why and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=why))
