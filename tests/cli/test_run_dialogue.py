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
