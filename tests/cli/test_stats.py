"""`dlc stats`: figures of invented data counted by hand, of corpora as their papers print them, and bad rows."""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("DLC_CORPORA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ROWS = [
    {
        "dialogue_id": "A",
        "turn": 0,
        "utterance": "a hotel, please",
        "program": "user inform: Hotel | where .stars = 4;",
    },
    {"dialogue_id": "A", "turn": 1, "utterance": "which?", "program": "agent request(Hotel.area):"},
    {
        "dialogue_id": "A",
        "turn": 2,
        "utterance": "the best one",
        "program": "user inform: Hotel | where .stars = 4 and .area = north | sort .stars desc | at 1 | show .phone;",
    },
    {"dialogue_id": "B", "turn": 0, "utterance": "bye", "program": "user bye:"},
]


def tables(text: str) -> dict[str, list[dict[str, object]]]:
    return {section["title"]: section["rows"] for section in json.loads(text)["sections"]}


def table(found, title):
    return next(rows for name, rows in found.items() if name.startswith(title))


def counted(rows, key="what", value="count"):
    return {row[key]: row[value] for row in rows}


def test_figures_counted_by_hand(dlc_run, tmp_path):
    (tmp_path / "x.jsonl").write_text("".join(json.dumps({**row, "schema": "multiwoz"}) + "\n" for row in ROWS))
    done = dlc_run("stats", "dl", "x.jsonl", "--format", "json")
    assert done.status == 0, done.err
    found = tables(done.out)
    corpus = counted(found["corpus"])
    assert (corpus["dialogues"], corpus["turns"], corpus["user turns"], corpus["agent turns"]) == (2, 4, 3, 1)
    user, agent = table(found, "utterances")
    assert (user["count"], user["tokens"], user[".25"], user[".50"], user[".75"]) == (3, 8, 1, 3, 4)
    assert (user["vocabulary"], user["between blanks"], agent["tokens"]) == (8, 7, 2)
    title = next(name for name in found if name.startswith("programs"))
    assert title == "programs: 2 turns with statements, 2 of them distinct, 2 turns without; library of 8 names"
    applications, depth = found[title]
    # Hotel, where, =; and Hotel, where, and, =, =, north, sort, desc, at, show.
    assert (applications["sum"], applications[".25"], applications[".75"]) == (13, 3, 10)
    assert (depth[".25"], depth[".75"]) == (4, 8)
    assert counted(found["acts"], "act", "turns") == {"inform": 2, "bye": 1, "request": 1}
    kinds = counted(table(found, "constructs"), "construct", "turns")
    assert kinds == dict(where=2, projection=1, ranking=1, sort=1) | {"and": 1, "first rows": 1}
    first = table(found, "share of")
    assert first[0] == {"construct": "turns with a program", "1": 1, "2": 1}
    assert counted(table(found, "representable"), "speaker", "share") == {"user": 1.0, "agent": 1.0}


def test_broken_rows_are_counted_and_reported(dlc_run, tmp_path):
    lines = [json.dumps({**row, "schema": "multiwoz"}) for row in ROWS]
    lines[1] = lines[1][:30]
    lines[2] = json.dumps({"dialogue_id": "A", "turn": 2, "program": "user inform: Hotel | where .stars = north;"})
    (tmp_path / "x.jsonl").write_text("\n".join(lines) + "\n")
    done = dlc_run("stats", "dl", "x.jsonl", "--format", "json", "--schema", "multiwoz")
    assert done.status == 1 and "error[DLC" in done.err and "x.jsonl" in done.err
    found = tables(done.out)
    corpus = counted(found["corpus"])
    assert (corpus["turns"], corpus["broken rows"]) == (3, 1)
    assert counted(table(found, "representable"), "speaker", "represented") == {"user": 2}
    assert dlc_run("stats", "dl", "nowhere.jsonl").status == 3
    assert dlc_run("stats", "nonsense").status == 2
    assert dlc_run("stats", "dl").status == 2


def test_text_and_the_invented_corpus(dlc_run):
    done = dlc_run("stats", "multiwoz")
    assert done.status == 0 and done.out.startswith("corpus\n") and "schemas used" in done.out


@pytest.mark.corpus
def test_the_papers_figures(dlc_run):
    """Campagna et al. (2022), Table 5: 168 dialogues, 1,061 turns, 14,669 words; and what its section 6.2 and Table 3 count."""
    folder = ROOT / "multiwoz30"
    done = dlc_run(
        "stats", "multiwoz3", *(str(folder / f"train.{s}.tsv") for s in ("user", "agent")), "--format", "json"
    )
    found = tables(done.out)
    corpus = counted(found["corpus"])
    assert (corpus["dialogues"], corpus["user turns"], corpus["agent turns"]) == (168, 1061, 893)
    assert table(found, "utterances")[0]["between blanks"] == 14669
    shares = counted(table(found, "representable"), "speaker", "share")
    assert shares["user"] > 0.998 and shares["agent"] > 0.976
    moves = counted(table(found, "user turns outside"), "pattern", "share")
    assert set(moves) == {"domain switch", "multidomain", "eager action parameters", "abandoned transaction"}
    assert all(0 < share < 0.05 for share in moves.values()) and max(moves, key=moves.__getitem__) == "domain switch"


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("source", "path", "schema"),
    [
        ("smcalflow", "smcalflow2/dialogues.jsonl.gz", None),
        ("cosql", "cosql/dialogues.json.gz", "spider/tables.json"),
        ("sparc", "sparc/dialogues.json.gz", "spider/tables.json"),
        ("sgd", "sgd/train.dialogues_001.json.gz", "sgd/train.schema.json"),
    ],
)  # fmt: skip
def test_every_corpus_is_counted(dlc_run, source, path, schema):
    given = ["--schema", str(ROOT / schema)] if schema else []
    done = dlc_run("stats", source, str(ROOT / path), *given, "--format", "json")
    assert done.status in (0, 1), done.err
    found = tables(done.out)
    assert table(found, "programs") and table(found, "constructs") and table(found, "utterances")
    if source == "smcalflow":
        # Andreas et al. (2020), Table 1: quantiles of utterance lengths, on another part of the corpus.
        user = table(found, "utterances")[0]
        assert (user[".25"], user[".50"], user[".75"]) == (5, 8, 11)
