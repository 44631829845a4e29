"""`dlc run` and `dlc graph` on dataflow dialogues, good and bad."""

import json

import pytest

OUTPUT = '(refer (^(Dynamic) roleConstraint (Path.apply "output")))'
BUSY = f"(Yield (Execute (ReviseConstraint {OUTPUT} (^(Event) ConstraintTypeIntension) (Event.showAs_? (?= (ShowAsStatus.Busy))))))"
LUNCH = '(Yield (FindEventWrapperWithDefaults (Event.subject_? (?= "lunch"))))'
REVISE = (
    "(ReviseConstraint :new {} :oldLocation (Constraint[Constraint[Hotel]])"
    ' :rootLocation (roleConstraint #(Path "output")))'
)


def write(path, programs, **fields):
    rows = [{"dialogue_id": "d", "turn": 2 * k, "program": text, **fields} for k, text in enumerate(programs)]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path.name


def results(done):
    return [result for row in done.rows() for result in row["results"]]


def test_a_revision_is_run_and_inlined(dlc_run, tmp_path):
    name = write(tmp_path / "talk.jsonl", [LUNCH, BUSY, f"(Yield (Execute {OUTPUT}))"])
    done = dlc_run("run", "--lang", "dataflow", name)
    assert done.status == 0, done.err
    assert [row["turn"] for row in done.rows()] == [0, 2, 4]
    revised = 'FindEventWrapperWithDefaults({ .subject = "lunch" and .showAs = Busy })'
    assert [r["program"] for r in results(done)][1:] == [f"Yield({revised})"] * 2
    assert all(r["exception"] is None for r in results(done))


def test_a_proposal_is_confirmed(dlc_run, tmp_path):
    create = '(Yield (CreateCommitEventWrapper (CreatePreflightEventWrapper (Event.subject_? (?= "lunch")))))'
    name = write(tmp_path / "talk.jsonl", [create, "(Yield (Execute (^(Dynamic) ConfirmAndReturnAction)))"])
    proposed, confirmed = results(dlc_run("run", "--lang", "dataflow", name))
    assert proposed["exception"]["kind"] == "unconfirmed" and confirmed["exception"] is None
    assert confirmed["program"] == proposed["program"]


def test_requests_show_their_state(dlc_run, tmp_path):
    programs = ['(find (Constraint[Hotel] :area (?= "east")))', REVISE.format('(Constraint[Hotel] :stars (?= "4"))')]
    name = write(tmp_path / "talk.jsonl", programs, schema="multiwoz")
    assert [row["state"] for row in dlc_run("run", "--lang", "dataflow", name).rows()] == [
        {"hotel": {"area": "east"}},
        {"hotel": {"area": "east", "stars": "4"}},
    ]


def test_requests_are_asked_of_data(dlc_run, tmp_path):
    rows = {"Hotel": [{"name": "a", "area": "east", "stars": "4"}, {"name": "b", "area": "east", "stars": "2"}]}
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    programs = ['(find (Constraint[Hotel] :area (?= "east")))', REVISE.format('(Constraint[Hotel] :stars (?= "4"))')]
    name = write(tmp_path / "talk.jsonl", programs, schema="multiwoz")
    done = dlc_run("run", "--lang", "dataflow", name, "--data", "rows.json")
    assert [len(row["rows"]) for row in done.rows()] == [2, 1], done.err


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("(Yield x7)", "unbound"),
        ("(let (x0 x0) (Yield x0))", "unbound"),
        ("(let (x0 x1 x1 x0) (Yield x0))", "unbound"),
        (BUSY, "no_referent"),
        ("(Yield (Execute (refer)))", "malformed"),
        ('(Yield (+ "a" 3))', "malformed"),
        (f"(Yield (Execute {OUTPUT}))", "no_referent"),
    ],
)
def test_exceptions_are_values_and_the_dialogue_goes_on(dlc_run, tmp_path, program, kind):
    name = write(tmp_path / "talk.jsonl", [program, LUNCH])
    done = dlc_run("run", "--lang", "dataflow", name)
    assert done.status == 0
    failed, fine = results(done)
    assert failed["exception"]["kind"] == kind and failed["value"] is None
    assert fine["exception"] is None


def test_a_revision_that_matches_no_node(dlc_run, tmp_path):
    name = write(tmp_path / "talk.jsonl", ["(Yield (Today))", BUSY, LUNCH])
    assert [(r["exception"] or {}).get("kind") for r in results(dlc_run("run", "--lang", "dataflow", name))] == [
        None,
        "no_place",
        None,
    ]


@pytest.mark.parametrize(
    ("program", "code"),
    [("(Yield (", "DLC280"), ("(Yield 1))", "DLC280"), ("(f " * 2000 + ")" * 2000, "DLC280"), ('(Yield "', "DLC280")],
)
def test_what_is_no_program_is_reported_with_its_place(dlc_run, tmp_path, program, code):
    name = write(tmp_path / "talk.jsonl", [LUNCH, program, BUSY])
    for command in (("run",), ("graph",), ("graph", "--format", "mermaid")):
        done = dlc_run(*command, "--lang", "dataflow", name)
        assert done.status == 1 and code in done.err and "d · turn 2" in done.err
        assert "ReviseConstraint" in done.out or "Busy" in done.out


def test_the_graph_marks_what_it_should(dlc_run, tmp_path):
    name = write(tmp_path / "talk.jsonl", ["(Yield x7)", LUNCH, BUSY])
    dot = dlc_run("graph", "--lang", "dataflow", name).out
    assert 'label="x7 ✗ unbound", fillcolor="#f4cccc"' in dot
    assert "fillcolor=gray85" in dot and "fillcolor=gray30" in dot and "fillcolor=white" in dot
    assert "style=dashed" in dot
    mermaid = dlc_run("graph", "--lang", "dataflow", name, "--format", "mermaid").out
    assert ":::failed" in mermaid and "-.->" in mermaid and ":::current" in mermaid and ":::waiting" in mermaid


def sharing(count):
    """A program of `count` variables that each use the one before twice: as a tree, 2 to the count."""
    lets = " ".join(f"x{i} (DateRange x{i - 1} x{i - 1})" for i in range(1, count))
    return f"(let (x0 (Today) {lets}) (Yield x{count - 1}))"


def chained(count):
    """A program whose variables each use the one before."""
    lets = " ".join(f"x{i} (nextDayOfWeek x{i - 1} (Friday))" for i in range(1, count))
    return f"(let (x0 (Today) {lets}) (Yield x{count - 1}))"


def test_what_shares_too_much_to_be_written_is_run_all_the_same(dlc_run, tmp_path):
    asked = '(Yield (Execute (refer (^(Dynamic) roleConstraint (Path.apply "1.0.1.nowhere")))))'
    name = write(tmp_path / "talk.jsonl", [sharing(200), asked, LUNCH, chained(400), sharing(8)])
    done = dlc_run("run", "--lang", "dataflow", name)
    assert done.status == 0 and done.err.count("DLC407") == 2
    assert "d · turn 0 · line 1" in done.err and "d · turn 6 · line 4" in done.err
    first, referred, lunch, deep, small = results(done)
    assert first["program"] is None and first["exception"] is None and deep["program"] is None
    assert referred["exception"]["kind"] == "no_referent" and lunch["exception"] is None
    assert small["program"].count("Today") == 2**7


def test_the_graph_of_what_shares_is_as_small_as_its_text(dlc_run, tmp_path):
    name = write(tmp_path / "talk.jsonl", [sharing(200)])
    done = dlc_run("graph", "--lang", "dataflow", name)
    assert done.status == 0 and done.out.count('[label="DateRange"') == 199


@pytest.mark.parametrize("command", [("run", "--lang", "dataflow"), ("convert", "dataflow", "--to", "dl")])
def test_the_column_is_shown(dlc_run, tmp_path, command):
    name = write(tmp_path / "talk.jsonl", [LUNCH, "(Yield (Today)) (Today)"])
    done = dlc_run(*command, name)
    assert done.status == 1 and "talk.jsonl · d · turn 2 · line 2 · column 17" in done.err
    assert len(done.rows()) == (1 if command[0] == "run" else 2)
