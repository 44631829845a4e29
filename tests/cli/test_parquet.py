"""`--format parquet`: one table of fixed columns, whatever the source and target."""

import json

import pytest
from boats import dialogue, services

import dlc

parquet = pytest.importorskip("pyarrow.parquet")


def test_the_rows_are_those_of_jsonl(dlc_run, tmp_path):
    assert dlc_run("convert", "multiwoz", "--to", "dl", "--format", "parquet", "-o", "x.parquet").status == 0
    rows = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    lines = dlc_run("convert", "multiwoz", "--to", "dl").rows()
    absent = dict.fromkeys(("part", "heard", "provenance"))
    assert rows == [{**absent, **line} for line in lines] and len(rows) > 5


def test_every_source_and_target_has_the_same_columns(dlc_run, tmp_path):
    (tmp_path / "schema.json").write_text(json.dumps(services()))
    (tmp_path / "boats.json").write_text(json.dumps([dialogue()]))
    (tmp_path / "empty.dl").write_text("-- nothing\n")
    runs = [
        ("multiwoz", "--to", "slots"), ("multiwoz", "--to", "thingtalk"), ("multiwoz", "--to", "sql"),
        ("sgd", "boats.json", "--to", "slots", "--speakers", "both"),
        ("dl", "empty.dl", "--schema", "multiwoz", "--to", "dl"),
    ]  # fmt: skip
    found = []
    for i, run in enumerate(runs):
        dlc_run("convert", *run, "--format", "parquet", "-o", f"{i}.parquet")
        found.append(parquet.read_schema(tmp_path / f"{i}.parquet"))
    assert all(columns == found[0] for columns in found)
    states = [json.loads(row["program"]) for row in parquet.read_table(tmp_path / "0.parquet").to_pylist()]
    assert states == [row["program"] for row in dlc.convert("multiwoz", to="slots")]
    assert found[0].names == [
        "dialogue_id", "turn", "speaker", "utterance", "lang", "schema", "program", "status", "notes", "part",
        "heard", "provenance",
    ]  # fmt: skip


def test_rows_in_several_groups_and_processes(dlc_run, tmp_path, monkeypatch):
    rows = "".join(f"user: Hotel | where .stars = {i % 6};\n" for i in range(25_000))
    (tmp_path / "many.dl").write_text(rows)
    flags = ("--schema", "multiwoz", "--to", "dl", "--format", "parquet", "--jobs", "2", "-o", "x.parquet")
    assert dlc_run("convert", "dl", "many.dl", *flags).status == 0
    table = parquet.ParquetFile(tmp_path / "x.parquet")
    assert table.num_row_groups == 2
    assert [p.as_py() for p in table.read()["program"]] == rows.splitlines()


def test_datasets_loads_it_without_a_script(dlc_run, tmp_path):
    datasets = pytest.importorskip("datasets")
    assert dlc_run("convert", "multiwoz", "--to", "slots", "--format", "parquet", "-o", "x.parquet").status == 0
    loaded = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "x.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    lines = dlc_run("convert", "multiwoz", "--to", "slots").rows()
    assert [json.loads(row["program"]) for row in loaded] == [line["program"] for line in lines]
    assert loaded[0]["provenance"]["spans"] == lines[0]["provenance"]["spans"]


def test_a_run_that_fails_leaves_no_file(dlc_run, tmp_path):
    (tmp_path / "cut.json").write_text('{"A": {"log": [')
    done = dlc_run("convert", "multiwoz", "cut.json", "--to", "dl", "--format", "parquet", "-o", "x.parquet")
    assert done.status == 3 and not (tmp_path / "x.parquet").exists()


def test_without_pyarrow(dlc_run, tmp_path):
    (tmp_path / "pyarrow").mkdir()
    (tmp_path / "pyarrow" / "__init__.py").write_text("raise ImportError\n")
    done = dlc_run("convert", "multiwoz", "--to", "dl", "--format", "parquet", "-o", "x.parquet")
    assert done.status == 3 and "error[DLC378]" in done.err
