"""Bad input: a clear diagnostic, the documented exit status, and no partial output that looks whole."""

import gzip
import json
import os
import signal
import subprocess
import time
import zipfile

import pytest

import dlc
from dlc.json_documents import json_units
from dlc.row_files import row_units


def diagnostics(text):
    return [line for line in text.splitlines() if line.startswith(("error[", "warning["))]


def assert_no_traceback(done):
    assert "Traceback" not in done.err


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


# ---------------------------------------------------------------- files that cannot be read to their end


def test_truncated_json_names_file_dialogue_and_place(dlc_run, tmp_path, corpus):
    text = json.dumps(corpus)
    cut = text[: text.index('"dontcare"') + 5]
    (tmp_path / "cut.json").write_text(cut, encoding="utf-8")
    done = dlc_run("convert", "multiwoz", "cut.json", "--to", "dl", "-o", "out.jsonl", "--rejects", "rejects.jsonl")
    assert done.status == 3
    assert_no_traceback(done)
    assert "error[DLC356]" in done.err and "cut.json" in done.err and "A3.json" in done.err
    assert "log[1].metadata.hotel.semi.area" in done.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cut.json"]


@pytest.mark.parametrize("cut", range(1, 420, 7))
def test_every_cut_is_reported(tmp_path, corpus, cut):
    text = json.dumps({"A1.json": corpus["A1.json"], "Ü.json": {"goal": {}, "log": [1.5, True, None, "a\\u00fc"]}})
    path = tmp_path / "cut.json"
    path.write_bytes(text.encode()[: -cut if cut < len(text.encode()) else 1])
    with pytest.raises(dlc.InputFailure) as failure:
        list(dlc.convert("multiwoz", path, to="dl"))
    assert failure.value.diagnostic.code == "DLC356"


def test_broken_syntax_names_line_and_column(dlc_run, tmp_path):
    (tmp_path / "bad.json").write_text('{"A": {"log": []},\n "B": {"log": [1,, 2]}}', encoding="utf-8")
    done = dlc_run("convert", "multiwoz", "bad.json", "--to", "dl")
    assert done.status == 3
    assert "error[DLC355]" in done.err and "line 2, column 18" in done.err


@pytest.mark.parametrize(
    "text", ["{'a': 1}", '{"a": {"log": [NaN]}}', '{"a": {"log": []}} x', '{"a" {}}', "{]", "[1 2]"]
)
def test_what_is_not_json_is_refused(dlc_run, tmp_path, text):
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    done = dlc_run("convert", "multiwoz", "bad.json", "--to", "dl")
    assert done.status == 3 and len(diagnostics(done.err)) == 1
    assert_no_traceback(done)


@pytest.mark.parametrize("content", [b"", b"  \n\n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("source", ["multiwoz", "dl"])
def test_an_empty_file_is_no_empty_corpus(dlc_run, tmp_path, source, content):
    (tmp_path / "empty.json").write_bytes(content)
    done = dlc_run("convert", source, "empty.json", "--schema", "multiwoz", "--to", "dl", "-o", "out.jsonl")
    assert done.status == 3 and "error[DLC351]" in done.err and "empty.json" in done.err
    assert not (tmp_path / "out.jsonl").exists()


def test_other_json_is_not_taken_for_dialogues(dlc_run, tmp_path):
    write(tmp_path / "ontology.json", {"hotel-semi-area": ["north", "south"]})
    done = dlc_run("convert", "multiwoz", "ontology.json", "--to", "dl")
    assert done.status == 3 and "error[DLC360]" in done.err and done.out == ""


def test_a_missing_file(dlc_run):
    done = dlc_run("convert", "multiwoz", "nowhere.json", "--to", "dl")
    assert done.status == 3 and "error[DLC350]" in done.err and "nowhere.json" in done.err


# ---------------------------------------------------------------- archives


def test_a_zip_without_a_data_file(dlc_run, tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("README.txt", "nothing here")
        archive.writestr("__MACOSX/._val.json", "no")
    done = dlc_run("convert", "multiwoz", "data.zip", "--to", "dl")
    assert done.status == 3 and "error[DLC352]" in done.err and "data.zip" in done.err


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_a_bomb_is_stopped_at_the_bound(dlc_run, tmp_path, kind):
    head, filling = b'{"A": {"log": [', b" " * (1 << 20)
    path = tmp_path / f"bomb.json.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("val.json", "w") as file:
            file.write(head)
            for _ in range(120):
                file.write(filling)
    else:
        with gzip.open(path, "wb") as file:
            file.write(head)
            for _ in range(120):
                file.write(filling)
    done = dlc_run("convert", "multiwoz", path.name, "--to", "dl", "-o", "out.jsonl")
    assert done.status == 3 and "error[DLC354]" in done.err and path.name in done.err
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("name", ["cut.zip", "cut.gz", "garbled.zip"])
def test_a_damaged_archive(dlc_run, tmp_path, corpus, name):
    path = tmp_path / name
    data = json.dumps(corpus).encode()
    if name.endswith("gz"):
        whole = gzip.compress(data)
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("val.json", data)
        whole = path.read_bytes()
    if name.startswith("cut"):
        path.write_bytes(whole[: len(whole) // 2])
    else:
        middle = 60 + (len(whole) - 160) // 2
        path.write_bytes(whole[:middle] + bytes(255 - b for b in whole[middle : middle + 8]) + whole[middle + 8 :])
    done = dlc_run("convert", "multiwoz", name, "--to", "dl", "-o", "out.jsonl")
    assert done.status == 3 and diagnostics(done.err) and name in done.err
    assert_no_traceback(done)
    assert not (tmp_path / "out.jsonl").exists()


def test_an_encrypted_member(dlc_run, tmp_path):
    path = tmp_path / "secret.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("val.json", "{}")
    raw = bytearray(path.read_bytes())
    # The flag that says "encrypted", in the local header and in the directory.
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    done = dlc_run("convert", "multiwoz", "secret.zip", "--to", "dl")
    assert done.status == 3 and "error[DLC353]" in done.err
    assert_no_traceback(done)


def test_files_of_another_kind_beside_the_data_are_passed_over(dlc_run, tmp_path, corpus):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("ontology.json", json.dumps({"hotel-semi-area": ["north"]}))
        archive.writestr("val.json", json.dumps(corpus))
    done = dlc_run("convert", "multiwoz", "all.zip", "--to", "dl")
    assert done.status == 0 and len(done.rows()) == 4
    assert "warning[DLC360]" in done.err and "ontology.json" in done.err
    # If nothing else is there, the run has read nothing, and says so.
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("ontology.json", json.dumps({"hotel-semi-area": ["north"]}))
        archive.writestr("schema.json", json.dumps([{"service_name": "hotel"}]))
    done = dlc_run("convert", "multiwoz", "none.zip", "--to", "dl", "-o", "out.jsonl")
    assert done.status == 3 and "error[DLC352]" in done.err and not (tmp_path / "out.jsonl").exists()


# ---------------------------------------------------------------- folders


def test_a_folder_is_its_files_in_order(dlc_run, tmp_path, corpus):
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "b.json", {"A3.json": corpus["A3.json"]})
    (folder / "a.json.gz").write_bytes(gzip.compress(json.dumps({"A1.json": corpus["A1.json"]}).encode()))
    (folder / "notes.txt").write_text("no data")
    done = dlc_run("convert", "multiwoz", "data", "--to", "dl")
    assert done.status == 0 and [row["dialogue_id"] for row in done.rows()] == ["A1", "A1", "A3"]


def test_a_folder_without_data(dlc_run, tmp_path):
    (tmp_path / "data").mkdir()
    done = dlc_run("convert", "multiwoz", "data", "--to", "dl")
    assert done.status == 3 and "error[DLC352]" in done.err


def test_a_folder_where_a_file_is_written(dlc_run, tmp_path):
    (tmp_path / "data").mkdir()
    done = dlc_run("convert", "multiwoz", "--to", "dl", "-o", "data")
    assert done.status == 3 and "error[DLC370]" in done.err and done.out == ""


def test_a_folder_as_schema(dlc_run, tmp_path):
    (tmp_path / "data").mkdir()
    done = dlc_run("convert", "multiwoz", "--to", "dl", "--schema", "data")
    assert done.status == 3 and "error[DLC365]" in done.err


# ---------------------------------------------------------------- dialogues and rows that are broken alone


def test_an_unknown_slot(dlc_run, tmp_path, corpus):
    corpus["A1.json"]["log"][3]["metadata"]["hotel"]["semi"]["starz"] = "5"
    write(tmp_path / "val.json", corpus)
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl")
    assert done.status == 1 and len(done.rows()) == 4
    assert "starz" in done.err and "did you mean" in done.err
    assert "val.json · A1 · turn 2" in done.err
    (row,) = [row for row in done.rows() if row["notes"]]
    assert (row["dialogue_id"], row["turn"], row["status"]) == ("A1", 2, "approximate")
    assert row["notes"][0]["code"] == "DLC301" and ".stars = 4" in row["program"]


def test_a_value_outside_a_closed_enum(dlc_run, tmp_path, corpus):
    corpus["A1.json"]["log"][3]["metadata"]["hotel"]["semi"]["area"] = "riverside"
    write(tmp_path / "val.json", corpus)
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl")
    assert done.status == 0
    (row,) = [row for row in done.rows() if row["notes"]]
    assert row["status"] == "exact" and 'raw "riverside"' in row["program"]
    assert row["notes"][0]["code"] == "DLC302" and "riverside" in row["notes"][0]["message"]
    checked = dlc_run("typecheck", "--lang", "multiwoz", "val.json")
    assert "val.json · A1 · turn 2 · column" in checked.out and "riverside" in checked.out


def test_a_schema_that_contradicts_the_data(dlc_run, tmp_path, corpus):
    (tmp_path / "other.dl").write_text(
        'schema other\ntable Room { name: Text key @slot "semi.name" } @slot "room"\n', encoding="utf-8"
    )
    write(tmp_path / "val.json", corpus)
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl", "--schema", "other.dl")
    assert done.status == 1 and "error[DLC301]" in done.err
    assert "val.json · A1 · turn 0" in done.err
    assert all(row["status"] != "exact" for row in done.rows())


def test_a_broken_schema_file(dlc_run, tmp_path):
    (tmp_path / "broken.dl").write_text("schema broken\ntable Hotel { name Text }\n", encoding="utf-8")
    done = dlc_run("convert", "multiwoz", "--to", "dl", "--schema", "broken.dl", "-o", "out.jsonl")
    assert done.status == 3 and "broken.dl · line 2 · column 15" in done.err
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("schema", ["multiwos", "nowhere.dl"])
def test_an_unknown_schema(dlc_run, schema):
    done = dlc_run("convert", "multiwoz", "--to", "dl", "--schema", schema)
    assert done.status == 3 and "error[DLC363]" in done.err and "multiwoz, smcalflow" in done.err


def test_invalid_utf8_costs_one_dialogue(dlc_run, tmp_path, corpus):
    raw = json.dumps(corpus).encode().replace(b'"parking": "yes"', b'"parking": "y\xff"')
    (tmp_path / "val.json").write_bytes(raw)
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl", "--rejects", "rejects.jsonl")
    assert done.status == 1
    assert "error[DLC358]" in done.err and "val.json · A2.json · turn 1" in done.err
    assert [(r["dialogue_id"], r["status"]) for r in done.rows()] == [
        ("A1", "exact"),
        ("A1", "exact"),
        ("A2", "rejected"),
        ("A3", "exact"),
    ]
    (reject,) = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert reject["code"] == "DLC358" and reject["file"] == "val.json"


def test_half_a_surrogate_pair_costs_one_dialogue(dlc_run, tmp_path, corpus):
    corpus["A2.json"]["log"][0]["text"] = "\ud83d"
    write(tmp_path / "val.json", corpus)
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl")
    assert done.status == 1 and len(done.rows()) == 4 and "A2.json · turn 0" in done.err


def test_deep_json_costs_one_dialogue(dlc_run, tmp_path, corpus):
    deep = '{"goal": {}, "log": ' + "[" * 50_000 + "]" * 50_000 + "}"
    text = json.dumps(corpus)[:-1] + f', "DEEP": {deep}, "A4": {json.dumps(corpus["A2.json"])}}}'
    (tmp_path / "val.json").write_text(text, encoding="utf-8")
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl", "--rejects", "rejects.jsonl")
    assert done.status == 1 and "error[DLC357]" in done.err and "DEEP" in done.err
    assert [r["dialogue_id"] for r in done.rows()] == ["A1", "A1", "A2", "A3", "DEEP", "A4"]
    assert_no_traceback(done)


def test_bottomless_json(dlc_run, tmp_path):
    (tmp_path / "val.json").write_text('{"A": ' + '{"a":' * 50_000, encoding="utf-8")
    done = dlc_run("convert", "multiwoz", "val.json", "--to", "dl")
    assert done.status == 3 and "error[DLC356]" in done.err
    assert_no_traceback(done)


@pytest.mark.parametrize(
    "program",
    [
        "user inform: Hotel | where " + "(" * 50_000,
        "user inform: Hotel | where " + "(" * 50_000 + ".stars = 4" + ")" * 50_000 + ";",
        "user inform: Hotel | where " + "not " * 50_000 + ".stars = 4;",
        "user inform: Hotel | where .stars = " + "[" * 50_000,
        "user inform: Hotel | where .stars = 1" + " + 1" * 50_000 + ";",
        "user inform: Hotel" + " | where .stars = 4" * 50_000 + ";",
        "user inform: Hotel | where .stars" + ".stars" * 50_000 + " = 4;",
        "user inform: book_hotel(people: " + "f(" * 50_000,
    ],
    ids=["open", "round", "not", "square", "sum", "pipeline", "path", "call"],
)
def test_deep_dl_costs_one_row(tmp_path, program):
    path = tmp_path / "deep.dl"
    path.write_text(f"{program}\nuser inform: Hotel | where .stars = 4;\n", encoding="utf-8")
    told = []
    rows = list(dlc.convert("dl", path, to="dl", schema="multiwoz", on_diagnostic=told.append))
    assert [row["status"] for row in rows] == ["rejected", "exact"]
    assert told[0].place.line == 1 and told[0].code.startswith("DLC00")


def test_deep_json_rows(dlc_run, tmp_path):
    rows = ['{"program": ' + "[" * 50_000, '{"program": "user inform: Hotel | where .stars = 4;"}']
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    done = dlc_run("convert", "dl", "rows.jsonl", "--schema", "multiwoz", "--to", "dl")
    assert done.status == 1 and [r["status"] for r in done.rows()] == ["rejected", "exact"]
    assert "rows.jsonl · line 1" in done.err


def test_broken_rows_go_aside_and_the_run_goes_on(dlc_run, tmp_path):
    good = {"dialogue_id": "D", "turn": 3, "program": "user inform: Hotel | where .stars = 4;"}
    lines = [
        json.dumps(good).encode(),
        b'{"dialogue_id": "D", "turn": 4',
        b'{"dialogue_id": "D", "turn": 5, "program": "\xff"}',
        b'{"dialogue_id": "D", "turn": 6}',
        b'{"dialogue_id": "D", "turn": "x", "program": "user:"}',
        b'{"dialogue_id": "D", "turn": 7, "program": 3}',
        b'{"dialogue_id": "D", "turn": 8, "program": null}',
        b'{"dialogue_id": "D", "turn": 9, "program": "user inform: Hotle;"}',
        b'{"dialogue_id": "D", "turn": 10, "program": "user inform: Hotel", "schema": "nowhere"}',
        json.dumps({**good, "turn": 11}).encode(),
    ]
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(lines))
    done = dlc_run(
        "convert",
        "dl",
        "rows.jsonl",
        "--schema",
        "multiwoz",
        "--to",
        "dl",
        "--rejects",
        "rejects.jsonl",
        "-o",
        "o.jsonl",
    )
    assert done.status == 1
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [r["status"] for r in rows] == ["exact", *["rejected"] * 8, "exact"]
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    codes = ["DLC355", "DLC358", "DLC361", "DLC361", "DLC361", "DLC362", "DLC101", "DLC004"]
    assert [r["code"] for r in rejects] == codes
    assert [r["line"] for r in rejects] == list(range(2, 10))
    assert all(r["source"] for r in rejects)
    assert "rows.jsonl · D · turn 9 · line 8 · column 14" in done.err


def test_data_cannot_name_files_of_this_machine(dlc_run, tmp_path):
    (tmp_path / "mine.dl").write_text("schema mine\n", encoding="utf-8")
    row = {"program": "user inform: Hotel;", "schema": str(tmp_path / "mine.dl")}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    done = dlc_run("convert", "dl", "rows.jsonl", "--to", "dl")
    assert done.status == 1 and "error[DLC363]" in done.err


def test_an_enormous_value_is_refused(monkeypatch):
    monkeypatch.setattr("dlc.json_documents.MAX_VALUE", 1 << 16)
    monkeypatch.setattr("dlc.json_documents._REFILL", 1 << 14)
    monkeypatch.setattr("dlc.row_files.MAX_LINE", 1 << 16)
    from dlc.inputs import Document

    def chunks():
        yield b'{"A": "'
        while True:
            yield b"x" * 4096

    for units in (json_units, row_units):
        with pytest.raises(dlc.InputFailure) as failure:
            list(units(Document("endless", chunks)))
        assert failure.value.diagnostic.code == "DLC359"


# ---------------------------------------------------------------- output that fails


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk(dlc_run, dlc_command):
    done = dlc_run("convert", "multiwoz", "--to", "dl", "-o", "/dev/full")
    assert done.status == 3 and "error[DLC370]" in done.err and "space" in done.err
    with open("/dev/full", "wb") as full:
        again = subprocess.run(dlc_command(["convert", "multiwoz", "--to", "dl"]), stdout=full, stderr=subprocess.PIPE)
    assert again.returncode == 3 and b"error[DLC370]" in again.stderr and b"Traceback" not in again.stderr


def test_an_output_folder_that_is_not_there(dlc_run):
    done = dlc_run("convert", "multiwoz", "--to", "dl", "-o", "nowhere/out.jsonl")
    assert done.status == 3 and "error[DLC370]" in done.err and "nowhere" in done.err


def test_a_closed_pipe(dlc_command, tmp_path, corpus):
    write(tmp_path / "val.json", {f"{i}-{name}": d for i in range(4000) for name, d in corpus.items()})
    running = subprocess.Popen(
        dlc_command(["convert", "multiwoz", "val.json", "--to", "dl"]),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None and running.stderr is not None
    assert running.stdout.readline().startswith(b"{")
    running.stdout.close()
    err = running.stderr.read().decode()
    assert running.wait(60) == 3
    assert "DLC371" in err and "Traceback" not in err and "Exception" not in err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_kill_in_mid_run_leaves_nothing_that_looks_whole(dlc_command, tmp_path, number, jobs):
    (tmp_path / "out.jsonl").write_text("what was there before\n")
    os.mkfifo(tmp_path / "endless")
    args = ["convert", "dl", "endless", "--schema", "multiwoz", "--to", "dl", "-o", "out.jsonl", "--jobs", jobs]
    # Whoever runs the tests in the background has interrupts ignored, which children inherit.
    heard = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    running = subprocess.Popen(
        dlc_command(args), cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=heard
    )
    with open(tmp_path / "endless", "wb", buffering=0) as pipe:
        pipe.write(b"user inform: Hotel | where .stars = 4;\n" * 500)
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob(".out.jsonl.*.part")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        running.send_signal(number)
        status = running.wait(30)
    assert status == (-signal.SIGKILL if number == signal.SIGKILL else 3)
    assert (tmp_path / "out.jsonl").read_text() == "what was there before\n"
    if number != signal.SIGKILL:
        assert not list(tmp_path.glob(".out.jsonl.*.part"))
        assert running.stderr is not None and b"Traceback" not in running.stderr.read()
    # No worker outlives its parent.
    deadline = time.monotonic() + 10
    while alive(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(running.pid)


def alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
