"""Law 5 as it is meant: slots to DL text in one process, that text back to slots in another, state by state."""

import json
import subprocess
import sys
import zipfile

import pytest


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "dlc", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr[-2000:]


def held(metadata: dict) -> dict:
    """What a state holds, read off the JSON by hand: every value but "" and "not mentioned", and bookings."""
    state: dict = {}
    for domain, parts in metadata.items():
        for group, slots in parts.items():
            for slot, value in slots.items():
                if value not in ("", "not mentioned", []):
                    state.setdefault(domain, {}).setdefault(group, {})[slot] = value
    return state


@pytest.mark.corpus
def test_states_come_back_in_a_new_process(corpora, tmp_path):
    source = corpora / "multiwoz21" / "val.json.zip"
    dl, slots = tmp_path / "val.dl.jsonl", tmp_path / "val.slots.jsonl"
    run("convert", "multiwoz", str(source), "--to", "dl", "-o", str(dl))
    run("convert", "dl", str(dl), "--to", "slots", "-o", str(slots))
    with zipfile.ZipFile(source) as archive:
        dialogues = json.loads(archive.read(archive.namelist()[0]))
    found: dict = {}
    for line in slots.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["dialogue_id"], row["turn"]] = {
            domain: {group: values for group, values in parts.items() if values}
            for domain, parts in (row["program"] or {}).items()
        }
    expected = {
        (name.removesuffix(".json"), turn): held(dialogue["log"][turn + 1]["metadata"])
        for name, dialogue in dialogues.items()
        for turn in range(0, len(dialogue["log"]) - 1, 2)
    }
    assert len(expected) > 7000
    wrong = {key: (expected[key], found.get(key)) for key in expected if found.get(key) != expected[key]}
    assert not wrong, list(wrong.items())[:3]
