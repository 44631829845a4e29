"""`dlc eval`: gold against itself is right, a known fault changes each figure as worked out by hand."""

import json
import sqlite3

import pytest
from json_rows import lines, row

TABLES = [
    {
        "db_id": "zoo",
        "table_names_original": ["animal", "keeper"],
        "column_names_original": [[-1, "*"], [0, "id"], [0, "name"], [0, "age"], [1, "id"], [1, "animal_id"]],
        "foreign_keys": [[5, 1]],
    }
]
QUERIES = [
    ["SELECT name FROM animal", "SELECT name FROM animal WHERE age > 3"],
    ["SELECT count(*) FROM animal"],
]


def table(done, title):
    assert done.status == 0, done.err
    section = next(s for s in json.loads(done.out)["sections"] if s["title"].startswith(title))
    first = next(iter(section["rows"][0]))
    return {r[first]: r for r in section["rows"]}


# ---------------------------------------------------------------- slots


def states():
    north, both = (
        {"hotel": {"semi": {"area": "north"}, "book": {}}},
        {"hotel": {"semi": {"area": "north", "stars": "4"}, "book": {"people": "2"}}},
    )
    return [row(north), row(both, turn=2), row(north, "D2"), row({}, "D2", 2)]


def test_slots(dlc_run, tmp_path):
    gold = lines(tmp_path / "gold.jsonl", states())
    args = ("eval", "slots", "--gold", gold, "--format", "json")
    same = table(dlc_run(*args, "--pred", gold), "slots")["trade"]
    assert same == {
        "variant": "trade",
        "joint goal": 1.0,
        "slot accuracy": 1.0,
        "joint F1": 1.0,
        "dialogue": 1.0,
        "prefix length": 2.0,
    }
    wrong = states()
    wrong[1]["program"]["hotel"]["semi"]["stars"] = "5"
    wrong[3]["program"] = {"hotel": {"semi": {"area": "none"}}}
    pred = lines(tmp_path / "pred.jsonl", wrong)
    known = table(dlc_run(*args, "--pred", pred, "--variant", "all"), "slots")
    # One slot of thirty is wrong in one turn of four: F1 of that turn is 2*2/(3+3).
    assert known["trade"]["joint goal"] == 0.75
    assert known["trade"]["slot accuracy"] == pytest.approx(1 - 1 / 30 / 4)
    assert known["trade"]["joint F1"] == pytest.approx((3 + 2 / 3) / 4)
    assert known["trade"]["dialogue"] == 0.5 and known["trade"]["prefix length"] == 1.5
    # The `none` that TRADE forgives is a value where nothing is merged.
    assert known["strict"]["joint goal"] == 0.5
    assert known["ignore-none-dontcare"]["joint goal"] == 0.75


def test_slots_of_flat_states_and_an_inventory(dlc_run, tmp_path):
    gold = lines(tmp_path / "gold.jsonl", states())
    flat = [{"hotel-area": "north"}, {"hotel-area": "north", "hotel-stars": "4", "hotel-book people": "3"}]
    pred = lines(tmp_path / "pred.jsonl", [row(flat[0]), row(flat[1], turn=2), row(flat[0], "D2"), row(None, "D2", 2)])
    (tmp_path / "names.txt").write_text("hotel-area\nhotel-stars\nhotel-book people\nhotel-name\n")
    args = ("eval", "slots", "--gold", gold, "--pred", pred, "--inventory", "names.txt", "--format", "json")
    found = table(dlc_run(*args), "slots")["trade"]
    assert found["joint goal"] == 0.75 and found["slot accuracy"] == pytest.approx(1 - 1 / 4 / 4)


def test_slots_of_converts_own_output_as_text(dlc_run):
    assert dlc_run("convert", "multiwoz", "--to", "slots", "-o", "gold.jsonl").status == 0
    done = dlc_run("eval", "slots", "--gold", "gold.jsonl", "--pred", "gold.jsonl")
    assert done.status == 0 and done.err == ""
    assert done.out.splitlines()[2].split()[:5] == ["trade", "1.0000", "1.0000", "1.0000", "1.0000"]


# ---------------------------------------------------------------- SQL


def query_file(path, queries, gold):
    lines = ("\n".join(f"{q}\tzoo" if gold else q for q in turns) + "\n" for turns in queries)
    path.write_text("\n".join(lines))
    return path.name


@pytest.fixture
def zoo(tmp_path):
    (tmp_path / "tables.json").write_text(json.dumps(TABLES))
    folder = tmp_path / "db" / "zoo"
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "zoo.sqlite")
    connection.execute("CREATE TABLE animal (id, name, age)")
    connection.execute("CREATE TABLE keeper (id, animal_id)")
    connection.executemany("INSERT INTO animal VALUES (?, ?, ?)", [(1, "ape", 2), (2, "bat", 5), (3, "cat", 9)])
    connection.commit()
    connection.close()
    return query_file(tmp_path / "gold.txt", QUERIES, True)


def test_sql(dlc_run, tmp_path, zoo):
    same = query_file(tmp_path / "same.txt", QUERIES, False)
    args = ("eval", "sql", "--gold", zoo, "--tables", "tables.json", "--format", "json")
    found = table(dlc_run(*args, "--pred", same), "sql")
    assert {name: r["exact set match"] for name, r in found.items()} == {"question": 1.0, "interaction": 1.0}
    changed = query_file(
        tmp_path / "changed.txt", [[QUERIES[0][0], "SELECT name FROM animal WHERE age < 4"], ["SELECT 1"]], False
    )
    done = dlc_run(*args, "--pred", changed, "--db", "db")
    found = table(done, "sql")
    # Two of three questions and both interactions are wrong.
    assert found["question"]["exact set match"] == pytest.approx(1 / 3)
    assert found["question"]["execution"] == pytest.approx(1 / 3)
    assert found["interaction"] == {"match": "interaction", "count": 2, "exact set match": 0.0, "execution": 0.0}
    turns = table(done, "by turn")
    assert (turns["turn 1"]["count"], turns["turn 1"]["exact set match"]) == (2, 0.5)
    assert (turns["turn 2"]["count"], turns["turn 2"]["exact set match"]) == (1, 0.0)
    assert table(done, "by hardness")["all"]["count"] == 3


def test_sql_values_count_by_execution_only(dlc_run, tmp_path, zoo):
    other = [[QUERIES[0][0], "SELECT name FROM animal WHERE age > 7"], QUERIES[1]]
    pred = query_file(tmp_path / "pred.txt", other, False)
    found = table(dlc_run("eval", "sql", "--gold", zoo, "--pred", pred, "--db", "db", "--format", "json"), "sql")
    assert found["question"]["exact set match"] == 1.0
    assert found["question"]["execution"] == pytest.approx(2 / 3)


def test_sql_rows_and_repairs(dlc_run, tmp_path, zoo):
    # The official parser ignores what follows a query; the repaired one does not read it.
    gold = lines(tmp_path / "g.jsonl", [row(QUERIES[0][0], db_id="zoo")])
    pred = lines(tmp_path / "p.jsonl", [row(QUERIES[0][0] + " ) nonsense")])
    args = ("eval", "sql", "--gold", gold, "--pred", pred, "--tables", "tables.json", "--format", "json")
    assert table(dlc_run(*args), "sql")["question"]["exact set match"] == 1.0
    repaired = table(dlc_run(*args, "--variant", "repaired"), "sql")["question"]
    assert repaired["exact set match, repaired"] == 0.0


def test_sql_gold_that_cannot_be_used(dlc_run, tmp_path, zoo):
    gold = tmp_path / "bad.txt"
    gold.write_text("SELECT name FROM animal\tzoo\nSELECT FROM WHERE\tzoo\nSELECT name FROM animal\n")
    pred = query_file(tmp_path / "pred.txt", [["SELECT 1"] * 3], False)
    done = dlc_run("eval", "sql", "--gold", "bad.txt", "--pred", pred, "--tables", "tables.json")
    assert done.status == 1 and done.out == ""
    assert done.err.count("DLC367") == 2 and "line 2" in done.err and "line 3" in done.err


# ---------------------------------------------------------------- ThingTalk

HEAD = "$dialogue @org.thingpedia.dialogue.transaction.execute; "
HOTEL = "@uk.ac.cam.multiwoz.Hotel.Hotel()"
NORTH = f"{HEAD}{HOTEL} filter area == enum north && stars == 4;"


def test_thingtalk(dlc_run, tmp_path):
    asked = NORTH.replace("execute", "ask_recommend")
    gold = lines(tmp_path / "gold.jsonl", [row(NORTH), row(NORTH, turn=2), row(NORTH, "D2")])
    args = ("eval", "thingtalk", "--gold", gold, "--format", "json")
    found = table(dlc_run(*args, "--pred", gold), "thingtalk")
    assert {r["dialogue"] for r in found.values()} == {1.0} and found["exact"]["prefix length"] == 1.5
    # Another order is the same; another act has the same slots; `stars >= ;` does not parse.
    swapped = f"{HEAD}{HOTEL} filter stars == 4 && area == enum north;"
    pred = lines(tmp_path / "pred.jsonl", [row(swapped), row(asked, turn=2), row(NORTH[:-8], "D2")])
    done = dlc_run(*args, "--pred", pred)
    found = table(done, "thingtalk")
    assert found["exact"]["turn by turn"] == pytest.approx(1 / 3) and found["exact"]["dialogue"] == 0.0
    assert found["exact"]["first turn"] == 0.5 and found["exact"]["up to first error"] == pytest.approx(1 / 3)
    assert found["slots only"]["turn by turn"] == pytest.approx(2 / 3) and found["slots only"]["dialogue"] == 0.5
    assert {name: r["turns"] for name, r in table(done, "labels").items()} == {"ok": 1, "ok_slot": 1, "wrong_syntax": 1}


def test_thingtalk_slots_come_from_the_context_too(dlc_run, tmp_path):
    done = "$dialogue @org.thingpedia.dialogue.transaction.sys_recommend_one; "
    context = f"{done}{HOTEL} filter stars == 4 #[results=[]];"
    target = f"{HEAD}{HOTEL} filter area == enum north;"
    rows = [row(context, turn=2, speaker="agent", part="context"), row(target, turn=2, part="target")]
    gold = lines(tmp_path / "gold.jsonl", rows)
    # Asking for a hotel again starts over, so the prediction that repeats the stars has a slot that gold has not.
    pred = lines(tmp_path / "pred.jsonl", [row(NORTH, turn=2)])
    args = ("eval", "thingtalk", "--gold", gold, "--format", "json", "--pred")
    assert table(dlc_run(*args, pred), "thingtalk")["slots only"]["turn by turn"] == 0.0
    taxi = f"{HEAD}@uk.ac.cam.multiwoz.Train.Train() filter day == enum monday;"
    gold = lines(tmp_path / "gold.jsonl", [rows[0], row(taxi, turn=2)])
    own = lines(tmp_path / "pred.jsonl", [row(taxi, turn=2, context=context.replace("4", "3"))])
    assert table(dlc_run(*args, own), "thingtalk")["slots only"]["turn by turn"] == 0.0
    own = lines(tmp_path / "pred.jsonl", [row(taxi, turn=2, context=context)])
    assert table(dlc_run(*args, own), "thingtalk")["exact"]["turn by turn"] == 1.0


def test_thingtalk_names_by_their_rows(dlc_run, tmp_path):
    def stays(name, identifier="null"):
        return f'{HEAD}{HOTEL} filter id == {identifier}^^uk.ac.cam.multiwoz.Hotel:Hotel("{name}");'

    gold = lines(tmp_path / "gold.jsonl", [row(stays("Elm House")), row(stays("elm house"), turn=2), row(NORTH, "D2")])
    answers = [row(stays("the elm")), row(stays("oak", '"elm house"'), turn=2), row(NORTH, "D2")]
    pred = lines(tmp_path / "pred.jsonl", answers)
    (tmp_path / "rows.json").write_text(json.dumps({"hotel": [{"name": "elm house"}, {"name": "ash court"}]}))
    args = ("eval", "thingtalk", "--gold", gold, "--pred", pred, "--format", "json")
    assert table(dlc_run(*args), "thingtalk")["slots only"]["turn by turn"] == pytest.approx(1 / 3)
    found = table(dlc_run(*args, "--data", "rows.json"), "thingtalk")
    # "the elm" can only be that house; "oak" is none, and stays what was said. Exact match takes text as it is.
    assert found["slots only"]["turn by turn"] == pytest.approx(2 / 3)
    assert found["exact"]["turn by turn"] == pytest.approx(1 / 3)
    # Rows that fit no name, or no table, change nothing.
    (tmp_path / "rows.json").write_text(json.dumps({"hotel": [{"name": "elm hill"}, {"name": "elm wood"}], "moon": []}))
    found = table(dlc_run(*args, "--data", "rows.json"), "thingtalk")
    assert found["slots only"]["turn by turn"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("text", "status"), [(None, 3), ("{", 3), ("[" * 50_000, 3), ('{"hotel": 4}', 1), ('{"hotel": [4]}', 1), ("[4]", 0)]
)
def test_thingtalk_rows_that_cannot_be_used(dlc_run, tmp_path, text, status):
    gold = lines(tmp_path / "gold.jsonl", [row(NORTH)])
    if text is not None:
        (tmp_path / "rows.json").write_text(text)
    done = dlc_run("eval", "thingtalk", "--gold", gold, "--pred", gold, "--data", "rows.json")
    assert done.status == status and "Traceback" not in done.err and "internal" not in done.err
    assert (done.out == "") == (status != 0)


def test_thingtalk_gold_that_does_not_type_check(dlc_run, tmp_path):
    gold = lines(tmp_path / "gold.jsonl", [row(NORTH), row(NORTH.replace("4", '"four"'), turn=2)])
    done = dlc_run("eval", "thingtalk", "--gold", gold, "--pred", gold)
    assert done.status == 1 and "DLC367" in done.err and "line 2" in done.err


# ---------------------------------------------------------------- dataflow


def test_dataflow(dlc_run, tmp_path):
    plans = ["(Yield 1.04)", "(Yield (refer (extensionConstraint (Event))))", "(Yield (Now))"]
    gold = [row(plans[0]), row(plans[1], turn=2, refer_are_correct=False), row(plans[2], "D2"), row("", "D2", 2)]
    gold[3]["skip"] = True
    name = lines(tmp_path / "gold.jsonl", gold)
    args = ("eval", "dataflow", "--gold", name, "--format", "json", "--pred")
    same = table(dlc_run(*args, name), "dataflow: all")
    # The reference that execution found wrong is wrong whatever is predicted, unless references are put aside.
    assert same["token"]["accuracy"] == pytest.approx(2 / 3) and same["token, references aside"]["accuracy"] == 1.0
    assert same["leaderboard"]["dialogue"] == 0.5 and same["leaderboard"]["prefix length"] == 1.0
    gold[0]["program"], gold[2]["program"] = "(Yield 1.0)", None
    done = dlc_run(*args, lines(tmp_path / "pred.jsonl", gold))
    known = table(done, "dataflow: all")
    # The leaderboard rounds numbers; tokens and the report do not.
    assert [known[k]["accuracy"] for k in ("token", "leaderboard", "report")] == pytest.approx([0, 1 / 3, 0])
    assert table(done, "dataflow: turns that refer")["leaderboard"]["turns"] == 1
    assert table(done, "dataflow: turns that revise")["leaderboard"]["turns"] == 0


def test_dataflow_files_of_dialogues(dlc_run, tmp_path):
    def turn(text, right=True, skip=False):
        oracle = {"has_exception": False, "refer_are_correct": right}
        return {"lispress": text, "program_execution_oracle": oracle, "skip": skip}

    whole = {"dialogue_id": "D1", "turns": [turn("(Yield 1)"), turn("(Yield 2)", right=False), turn("x", skip=True)]}
    gold = lines(tmp_path / "gold.jsonl", [whole])
    pred = lines(tmp_path / "pred.jsonl", [row("(Yield 1)"), row("(Yield 2)", turn=2), row("", turn=4)])
    args = ("eval", "dataflow", "--gold", gold, "--pred", pred, "--variant", "leaderboard", "--format", "json")
    found = table(dlc_run(*args), "dataflow: all")
    assert found["leaderboard"]["turns"] == 2 and found["leaderboard"]["accuracy"] == 0.5
    assert found["leaderboard, references aside"]["accuracy"] == 1.0


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("metric", ["slots", "thingtalk", "dataflow"])
def test_rows_that_do_not_line_up(dlc_run, tmp_path, metric):
    program = {"slots": {}, "thingtalk": NORTH, "dataflow": "(Yield 1)"}[metric]
    gold = lines(tmp_path / "gold.jsonl", [row(program), row(program, turn=2), row(program, "D2")])
    pred = lines(tmp_path / "pred.jsonl", [row(program), row(program, "D2"), row(program, "D2"), row(program, "D3")])
    done = dlc_run("eval", metric, "--gold", gold, "--pred", pred)
    assert done.status == 1 and done.out == ""
    assert "turn 2 of D1 has no prediction" in done.err and "gold.jsonl" in done.err
    assert "turn 0 of D2 stands twice (first on line 2)" in done.err
    assert "turn 0 of D3 is predicted but not in gold" in done.err and "line 4" in done.err
    assert "Traceback" not in done.err


def test_files_without_names_line_up_by_position(dlc_run, tmp_path):
    (tmp_path / "gold.lispress").write_text("(Yield 1)\n(Yield 2)\n")
    (tmp_path / "pred.lispress").write_text("(Yield 1)\n(Yield 3)\n(Yield 4)\n")
    done = dlc_run("eval", "dataflow", "--gold", "gold.lispress", "--pred", "pred.lispress")
    assert done.status == 1 and "pred.lispress" in done.err and "line 3" in done.err
    (tmp_path / "pred.lispress").write_text("(Yield 1)\n(Yield 3)\n")
    args = ("eval", "dataflow", "--gold", "gold.lispress", "--pred", "pred.lispress", "--format", "json")
    assert table(dlc_run(*args), "dataflow: all")["token"]["accuracy"] == 0.5


def test_interactions_of_other_lengths(dlc_run, tmp_path, zoo):
    pred = query_file(tmp_path / "pred.txt", [QUERIES[0][:1], QUERIES[0][1:] + QUERIES[1]], False)
    done = dlc_run("eval", "sql", "--gold", zoo, "--pred", pred, "--tables", "tables.json")
    assert done.status == 1 and "DLC366" in done.err and "pred.txt" in done.err and "line 3" in done.err


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ('{"program": \n', 1, "DLC355"),
        ('{"dialogue_id": "D1"}\n', 1, "DLC361"),
        ('{"dialogue_id": "D1", "turn": 0, "program": {"hotel": 4}}\n', 1, "DLC361"),
        ('{"dialogue_id": "D1", "turn": 0, "program": {"hotel": {"semi": {"area": ["a"]}}}}\n', 1, "DLC361"),
        ('{"program": ' + "[" * 50_000 + "\n", 1, "DLC35"),
        ("", 3, "DLC351"),
        (None, 3, "DLC350"),
    ],
)
def test_broken_predictions(dlc_run, tmp_path, text, status, code):
    gold = lines(tmp_path / "gold.jsonl", [row({})])
    if text is not None:
        (tmp_path / "pred.jsonl").write_text(text)
    done = dlc_run("eval", "slots", "--gold", gold, "--pred", "pred.jsonl")
    assert (done.status, done.out) == (status, "") and code in done.err and "pred.jsonl" in done.err
    assert "Traceback" not in done.err
    if text and status == 1:
        assert "line 1" in done.err


def test_a_broken_tables_file(dlc_run, tmp_path, zoo):
    for text, code in (("[{", "DLC355"), ("{}", "DLC360"), ('[{"db_id": "zoo"}]', "DLC360")):
        (tmp_path / "tables.json").write_text(text)
        done = dlc_run("eval", "sql", "--gold", zoo, "--pred", zoo, "--tables", "tables.json")
        assert done.status == 3 and code in done.err and "Traceback" not in done.err


def test_usage(dlc_run, tmp_path):
    gold = lines(tmp_path / "gold.jsonl", [row({})])
    for args in (
        ("eval", "bleu", "--gold", gold, "--pred", gold),
        ("eval", "slots", "--gold", gold),
        ("eval", "slots", "--gold", gold, "--pred", gold, "--variant", "official"),
        ("eval", "sql", "--gold", gold, "--pred", gold),
        ("eval", "slots", "--gold", "-", "--pred", "-"),
        ("eval", "slots", "--gold", gold, "--pred", gold, "--data", gold),
    ):
        done = dlc_run(*args)
        assert done.status == 2 and "Traceback" not in done.err, args


# ---------------------------------------------------------------- SQL by meaning


def test_sql_by_meaning(dlc_run, tmp_path):
    entry = {
        "db_id": "harbour",
        "table_names_original": ["port", "ship"], "table_names": ["port", "ship"],
        "column_names_original": [[-1, "*"], [0, "code"], [0, "town"], [1, "id"], [1, "name"], [1, "home"]],
        "column_names": [[-1, "*"], [0, "code"], [0, "town"], [1, "id"], [1, "name"], [1, "home"]],
        "column_types": ["text", "number", "text", "number", "text", "number"],
        "primary_keys": [1, 3], "foreign_keys": [[5, 1]],
    }  # fmt: skip
    (tmp_path / "tables.json").write_text(json.dumps([entry]))
    cases = [
        ("SELECT name FROM ship", "SELECT ship.name FROM ship JOIN port ON ship.home = port.code"),  # equal, not exact
        ("SELECT count(*) FROM ship", "SELECT count(*) FROM ship"),  # equal, exact
        ("SELECT town FROM port JOIN ship ON home = code WHERE name = 'x y'", 'SELECT town FROM port JOIN ship WHERE name = "value"'),
        ("SELECT name FROM ship WHERE home = 3", "SELECT name FROM ship WHERE home = value"),  # value tried
        ("SELECT DISTINCT name FROM ship", "SELECT name FROM ship"),  # DISTINCT aside
        ("SELECT name FROM ship", "SELECT id FROM ship"),
        ("SELECT name FROM ship", "this is no query"),
    ]  # fmt: skip
    (tmp_path / "gold.txt").write_text("".join(f"{gold}\tharbour\n" for gold, _ in cases))
    (tmp_path / "pred.txt").write_text("".join(f"{answer}\n" for _, answer in cases))
    args = ("eval", "sql", "--gold", "gold.txt", "--pred", "pred.txt", "--tables", "tables.json", "--format", "json")
    done = dlc_run(*args, "--variant", "meaning")
    question = table(done, "sql: 7")["question"]
    assert question["proved equal"] == pytest.approx(5 / 7) and question["exact set match"] == pytest.approx(4 / 7)
    rows = table(done, "by meaning")
    assert rows["equal"] == {"verdict": "equal", "exact set match right": 4, "exact set match wrong": 1}
    assert rows["different"]["exact set match wrong"] == rows["unreadable"]["exact set match wrong"] == 1
    # Nothing of it without the variant.
    assert "by meaning" not in dlc_run(*args).out
    (tmp_path / "gold.txt").write_text("SELECT nosuch FROM ship\tharbour\n")
    (tmp_path / "pred.txt").write_text("SELECT name FROM ship\n")
    assert dlc_run(*args, "--variant", "meaning").status == 1


# ---------------------------------------------------------------- CoSQL's acts and responses


def test_acts(dlc_run, tmp_path):
    gold = lines(
        tmp_path / "gold.jsonl", [row("user INFORM_SQL:"), row("user AFFIRM, THANK_YOU:", turn=2), row(None, turn=4)]
    )
    (tmp_path / "pred.txt").write_text("inform sql\nAFFIRM\nGREETING\n")
    done = dlc_run("eval", "acts", "--gold", gold, "--pred", "pred.txt", "--format", "json")
    figures = table(done, "acts: 3")
    assert figures["accuracy"]["figure"] == pytest.approx(1 / 3)
    assert figures["micro F1"]["figure"] == pytest.approx(2 * 2 / (3 + 3))
    assert table(done, "by act")["THANK_YOU"]["F1"] == 0.0
    broken = lines(tmp_path / "broken.jsonl", [row("user INFORM_SQL"), row("user A:", turn=2), row(None, turn=4)])
    done = dlc_run("eval", "acts", "--gold", gold, "--pred", broken)
    assert done.status == 1 and "D1" in done.err
    nothing = lines(tmp_path / "nothing.jsonl", [row(None)])
    assert dlc_run("eval", "acts", "--gold", nothing, "--pred", nothing).status == 1


def test_responses(dlc_run, tmp_path):
    said = ["There are three ships .", "Do you want anything else ?"]
    rows_ = [{**row(None, turn=i), "speaker": "agent", "utterance": text} for i, text in enumerate(said)]
    gold = lines(tmp_path / "gold.jsonl", [*rows_, row("user AFFIRM:", turn=2, utterance="no")])
    (tmp_path / "pred.txt").write_text("There are three ships .\nDo you want more ?\n")
    same = table(dlc_run("eval", "responses", "--gold", gold, "--pred", gold, "--format", "json"), "responses: 2")
    assert same["BLEU"]["figure"] == pytest.approx(100.0)
    other = dlc_run("eval", "responses", "--gold", gold, "--pred", "pred.txt", "--variant", "none", "--format", "json")
    figures = table(other, "responses: 2")
    assert 0 < figures["BLEU"]["figure"] < 100 and "tok:none" in figures["signature"]["figure"]


def test_a_missing_metric_library_is_named(dlc_run, tmp_path, monkeypatch):
    (tmp_path / "sacrebleu.py").write_text("raise ImportError('not here')")
    (tmp_path / "a.txt").write_text("hello\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = dlc_run("eval", "responses", "--gold", "a.txt", "--pred", "a.txt")
    assert done.status == 3 and "DLC377" in done.err and "dlc[metrics]" in done.err
