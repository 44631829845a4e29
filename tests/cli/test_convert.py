"""`dlc convert`: the rows, the flags, every way in and out."""

import gzip
import json
import os
import pty
import subprocess
import sys
import zipfile

import pytest

import dlc
from dlc.errors import InputFailure
from dlc.sinks import TARGETS
from dlc.sources import SOURCES
from dlc.workers import ordered

WHOLE = {"dl", "slots", "thingtalk", "dataflow"}  # SQL cannot say bookings and values kept raw.
FIELDS = ["dialogue_id", "turn", "speaker", "utterance", "lang", "schema", "program", "status", "notes"]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_the_first_command(dlc_run, target):
    done = dlc_run("convert", "multiwoz", "--to", target)
    rows = done.rows()
    assert len(rows) > 90
    assert done.status == int(any(row["status"] == "rejected" for row in rows))
    assert done.status == 0 or target not in WHOLE
    for row in rows:
        assert [name for name in row if name not in ("heard", "provenance")] == FIELDS
        assert "heard" not in row or target == "dl"
        assert row["lang"] == target and row["schema"] == "multiwoz"
        assert row["speaker"] == "user" and row["turn"] % 2 == 0 and not row["dialogue_id"].endswith(".json")
        assert row["status"] == "exact" or row["notes"]
        assert all(list(note) == ["code", "message", "span"] for note in row["notes"])
    assert rows == list(dlc.convert("multiwoz", to=target))


def test_slots_are_the_states_of_the_source(dlc_run, tmp_path, corpus):
    (tmp_path / "val.json").write_text(json.dumps(corpus))
    rows = dlc_run("convert", "multiwoz", "val.json", "--to", "slots").rows()
    assert [row["program"] for row in rows] == [
        {"hotel": {"semi": {"stars": "4"}, "book": {}}},
        {"hotel": {"semi": {"stars": "4", "area": "north"}, "book": {}}},
        {"hotel": {"semi": {"parking": "yes"}, "book": {}}},
        {"hotel": {"semi": {"area": "dontcare"}, "book": {}}},
    ]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_by_way_of_dl_and_a_new_process_nothing_changes(dlc_run, target):
    straight = dlc_run("convert", "multiwoz", "--to", target)
    by_dl = dlc_run(
        "convert", "dl", "-", "--to", target, stdin=dlc_run("convert", "multiwoz", "--to", "dl").out.encode()
    )
    assert by_dl.status == straight.status
    assert [r["program"] for r in by_dl.rows()] == [r["program"] for r in straight.rows()]
    keys = ("dialogue_id", "turn", "speaker", "utterance", "schema")
    assert [[r[k] for k in keys] for r in by_dl.rows()] == [[r[k] for k in keys] for r in straight.rows()]


def test_jobs_change_nothing(dlc_run, tmp_path, corpus):
    many = {f"{i}-{name}": d for i in range(60) for name, d in corpus.items()}
    many["broken"] = {"goal": {}, "log": 7}
    (tmp_path / "val.json").write_text(json.dumps(many))
    args = ("convert", "multiwoz", "val.json", "--to", "thingtalk", "-o", "{}.jsonl", "--rejects", "{}.rejects")
    one = dlc_run(*(a.format("one") for a in args))
    three = dlc_run(*(a.format("three") for a in args), "--jobs", "3")
    assert (one.status, one.err) == (three.status, three.err) == (1, one.err)
    for kind in ("jsonl", "rejects"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"three.{kind}").read_bytes()
    assert (tmp_path / "one.rejects").read_bytes().count(b"\n") == 1


def test_a_schema_that_cannot_be_read_is_said_once_however_many_jobs(dlc_run):
    one = dlc_run("convert", "multiwoz", "--to", "dl", "--schema", "nosuch.dl")
    assert one.status == 3 and one.err.count("DLC363") == 1
    assert dlc_run("convert", "multiwoz", "--to", "dl", "--schema", "nosuch.dl", "--jobs", "2") == one


def test_every_way_in_gives_the_same(dlc_run, tmp_path, corpus):
    text = json.dumps(corpus).encode()
    (tmp_path / "val.json").write_bytes(text)
    (tmp_path / "val.json.gz").write_bytes(gzip.compress(text[:50]) + gzip.compress(text[50:]))
    with zipfile.ZipFile(tmp_path / "val.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/val.json", text)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("val.json.gz", gzip.compress(text))
    plain = dlc_run("convert", "multiwoz", "val.json", "--to", "dl").out
    assert plain.count("\n") == 4
    for path in ("val.json.gz", "val.zip", "packed.zip", "v*.json"):
        assert dlc_run("convert", "multiwoz", path, "--to", "dl").out == plain, path
    for stdin in (text, gzip.compress(text), b"\xef\xbb\xbf" + text):
        assert dlc_run("convert", "multiwoz", "-", "--to", "dl", stdin=stdin).out == plain
    assert dlc_run("convert", "multiwoz", "val.json", "val.zip", "--to", "dl").out == plain * 2


def test_a_list_of_dialogues_is_not_this_layout(dlc_run, tmp_path):
    (tmp_path / "val.json").write_text(json.dumps([{"dialogue_id": "x", "turns": []}]))
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl")
    assert done.status == 3 and "DLC360" in done.err


def test_output_appears_whole_with_ordinary_rights(dlc_run, tmp_path):
    done = dlc_run("convert", "multiwoz", "--to", "dl", "-o", "out.jsonl")
    assert (done.status, done.out) == (0, "")
    path = tmp_path / "out.jsonl"
    assert path.read_text() == dlc_run("convert", "multiwoz", "--to", "dl").out
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    assert [p.name for p in tmp_path.iterdir()] == ["out.jsonl"]


def test_speakers(dlc_run):
    turns = {
        who: dlc_run("convert", "multiwoz", "--to", "dl", "--speakers", who).rows() for who in ("user", "agent", "both")
    }
    assert {r["speaker"] for r in turns["agent"]} == {"agent"} and all(r["turn"] % 2 for r in turns["agent"])
    assert len(turns["both"]) == len(turns["user"]) + len(turns["agent"])


def test_normalize(dlc_run, tmp_path, corpus):
    corpus["A1.json"]["log"][1]["metadata"]["hotel"]["semi"]["name"] = "The  Lodge's"
    corpus["A1.json"]["log"][1]["metadata"]["hotel"]["semi"]["area"] = "center"
    (tmp_path / "val.json").write_text(json.dumps(corpus))
    as_annotated, normalized = (
        dlc_run("convert", "multiwoz", "val.json", "--to", "slots", "--normalize", how).rows()[0]["program"]["hotel"][
            "semi"
        ]
        for how in ("none", "trade@1")
    )
    assert as_annotated == {"stars": "4", "name": "The  Lodge's", "area": "center"}
    assert normalized["area"] == "centre" and normalized["name"] != as_annotated["name"]


def test_bare_lines(dlc_run):
    text = b"-- a comment\n\nuser inform: Hotel | where .stars = 4;\nagent request(.area):\n"
    done = dlc_run("convert", "dl", "-", "--schema", "multiwoz", "--to", "dl", stdin=text)
    assert done.status == 0
    assert [r["program"] for r in done.rows()] == ["user inform: Hotel | where .stars = 4;", "agent request(.area):"]
    assert [r["speaker"] for r in done.rows()] == ["user", "agent"]


def test_a_line_of_several_turns_is_a_dialogue(dlc_run):
    done = dlc_run(
        "convert", "dl", "-", "--schema", "multiwoz", "--to", "dl", stdin=b"user inform: Hotel; agent bye:\n"
    )
    assert [(r["turn"], r["program"]) for r in done.rows()] == [(0, "user inform: Hotel;"), (1, "agent bye:")]


def test_a_program_without_schema_is_told_so(dlc_run):
    done = dlc_run("convert", "dl", "-", "--to", "dl", stdin=b"user inform: Hotel;\n")
    assert done.status == 1 and "DLC364" in done.err and "give --schema" in done.err


@pytest.mark.parametrize(
    "args, message",
    [
        (("convert",), "Missing argument"),
        (("convert", "multiwoz"), "Missing option"),
        (("convert", "multiwos", "--to", "dl"), "did you mean multiwoz?"),
        (("convert", "multiwoz", "--to", "thingtalks"), "did you mean thingtalk?"),
        (("convert", "multiwoz", "--to", "dl", "--jobs", "0"), "--jobs"),
        (("convert", "multiwoz", "--to", "dl", "--speakers", "nobody"), "--speakers"),
        (("convert", "multiwoz", "--to", "dl", "--normalize", "trade"), "--normalize"),
        (("convert", "multiwoz", "--to", "dl", "--format", "xml"), "--format"),
        (("convert", "multiwoz", "--to", "dl", "-o", "x", "--rejects", "x"), "name one file"),
        (("convert", "dl", "--to", "dl"), "needs a PATH"),
        (("nothing",), "No such command"),
    ],
)
def test_usage(dlc_run, args, message):
    done = dlc_run(*args)
    assert done.status == 2 and done.out == ""
    assert message in " ".join(done.err.replace("│", " ").split())


def test_help_lists_what_works_and_nothing_else(dlc_run):
    listed = " ".join(dlc_run("convert", "--help").out.replace("│", " ").split())
    for name in (*SOURCES, *TARGETS):
        assert name in listed
    assert "jsonl|parquet|native" in listed and "multiwoz21|multiwoz22|sgd" in listed


def on_a_terminal(command, environment, cwd):
    """Standard error of a command whose standard error is a terminal."""
    master, slave = pty.openpty()
    running = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=slave, env={**os.environ, **environment}
    )
    os.close(slave)
    seen = b""
    try:
        while piece := os.read(master, 4096):
            seen += piece
    except OSError:
        pass
    running.wait(60)
    os.close(master)
    return seen


def test_colour_and_progress_only_on_a_terminal(dlc_command, dlc_run, tmp_path, corpus):
    many = {f"{i}-{name}": d for i in range(1500) for name, d in corpus.items()}
    many["broken"] = {"goal": {}, "log": 7}
    (tmp_path / "val.json").write_text(json.dumps(many))
    args = ["convert", "multiwoz", "val.json", "--to", "thingtalk", "-o", "out.jsonl"]
    assert "\x1b" not in dlc_run(*args).err and "turns\n" not in dlc_run(*args).err
    coloured = on_a_terminal(dlc_command(args), {"NO_COLOR": ""}, tmp_path)
    assert b"\x1b[1;31merror[DLC304]" in coloured
    plain = on_a_terminal(dlc_command(args), {"NO_COLOR": "1"}, tmp_path)
    assert b"\x1b[1;31m" not in plain and b"error[DLC304]" in plain


def test_many_diagnostics_of_a_kind_are_summed_up(dlc_run):
    done = dlc_run("convert", "dl", "-", "--schema", "multiwoz", "--to", "dl", stdin=b"user inform: Hotl;\n" * 2500)
    assert done.status == 1 and len(done.rows()) == 2500
    assert done.err.count("error[DLC101]: `Hotl`") == 10 and "error[DLC101]: and 2,490 more like these" in done.err


def test_memory_does_not_grow_with_the_input(tmp_path, corpus, dlc_command):
    """Ten times the input, under a tenth more memory (the peak of each process, as the system counts it)."""
    peaks = []
    for count in (2_000, 20_000):
        with open(tmp_path / "val.json", "w") as file:
            file.write("{" + ",".join(f'"{i}": {json.dumps(corpus["A1.json"])}' for i in range(count)) + "}")
        args = ["convert", "multiwoz", "val.json", "--to", "slots", "-o", "out.jsonl"]
        running = subprocess.Popen(dlc_command(args), cwd=tmp_path)
        _, status, usage = os.wait4(running.pid, 0)
        assert status == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] < 1.25 * peaks[0]


@pytest.mark.parametrize(
    "words, offered",
    [
        ("dlc conv", ["convert"]),
        ("dlc convert mul", ["multiwoz", "multiwoz3"]),
        ("dlc convert multiwoz --to t", ["thingtalk"]),
        ("dlc convert multiwoz --speakers ", ["agent", "both", "user"]),
        ("dlc schema show --as j", ["json-schema"]),
    ],
)
def test_completion(words, offered):
    parts = words.split(" ")
    environment = {
        **os.environ,
        "_DLC_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(parts) - 1),
    }
    code = "import sys; sys.argv = ['dlc']; from dlc.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert sorted(done.stdout.split()) == offered


def test_ray_gives_the_same_rows_in_the_same_order(dlc_run, tmp_path, corpus):
    pytest.importorskip("ray", reason="an extra of its own; without it the engine says so, see below")
    (tmp_path / "val.json").write_text(json.dumps({f"{i}-{n}": d for i in range(20) for n, d in corpus.items()}))
    args = ("convert", "multiwoz", "val.json", "--to", "dl")
    assert dlc_run(*args, "--jobs", "2", "--engine", "ray") == dlc_run(*args)


def test_an_engine_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputFailure) as caught:
        list(ordered(lambda: str, [1, 2], 1, "ray"))
    assert caught.value.diagnostic.code == "DLC376"
    assert "dlc[ray]" in caught.value.diagnostic.help[0]
