"""The dataflow paper's dialogues, stated in words and run on two sets of data; answers worked out in plain Python."""

import calendar
import random
import time
from datetime import datetime, timedelta

import pytest
from calendar_world import FIRST, NOW, SECOND, Conversation, library

from dlc.runtime.dialogue import Dialogue
from dlc.runtime.graph import Reference
from dlc.runtime.library import Library, Problem
from dlc.runtime.revise import atoms
from dlc.runtime.salience import Nearest

WORLDS = [FIRST, SECOND]
OUTPUT = 'refer({ .role = Path("output") })'
THAT_TIME = "Execute(refer[DateTime]({ .value is everything }))"


def events(data, subject):
    return [e for e in data["Event"] if e["subject"] == subject]


def upcoming(data, subject, after=NOW):
    return min((e for e in events(data, subject) if e["start"] >= after), key=lambda e: e["start"])


def day_name(when):
    return calendar.day_name[when.weekday()].lower()


@pytest.mark.parametrize("data", WORLDS)
def test_next_retreat_then_day_of_week_then_in_2021(data):
    talk = Conversation(data)
    first = upcoming(data, "retreat")
    assert talk.ask('next_event({ .subject = "retreat" }).start;') == first["start"]
    assert talk.ask(f"weekday({THAT_TIME});") == day_name(first["start"])
    later = upcoming(data, "retreat", datetime(2021, 1, 1))
    revised = f"Execute(revise[_, Event]({OUTPUT}, everything, {{ .start >= 2021-01-01T00:00 }}));"
    assert talk.ask(revised) == day_name(later["start"])


@pytest.mark.parametrize("data", WORLDS)
def test_the_day_after_that(data):
    talk = Conversation(data)
    start = talk.ask('find_event({ .subject = "planning" }).start;')
    assert talk.ask(f"{THAT_TIME} + days(1);") == start + timedelta(days=1)


@pytest.mark.parametrize("data", WORLDS)
def test_the_thursday_meeting_is_the_one_mentioned(data):
    talk = Conversation(data)
    mentioned = talk.ask('find_event({ .subject = "planning" });')
    talk.ask('find_event({ .subject = "all-hands" });')
    hour = mentioned["start"].strftime("%Y-%m-%dT%H:%M")
    assert talk.ask(f"Execute(refer[Event]({{ .value is {{ .start = {hour} }} }}));") == mentioned


@pytest.mark.parametrize("data", WORLDS)
def test_role_constraints_and_paths(data):
    talk = Conversation(data)
    talk.say("at_hour(make_date(month: 4, day: 12), hour: 17);")
    assert talk.ask('Execute(refer[Number]({ .role = Path("month") }));') == 4
    assert talk.ask('Execute(refer[Number]({ .role = Path("0.day") }));') == 12
    assert talk.ask('Execute(refer({ .role = Path("hour") and .value is { it > 12 } }));') == 17


@pytest.mark.parametrize("data", WORLDS)
def test_planning_then_all_hands_instead(data):
    talk = Conversation(data)
    assert talk.ask('find_event({ .subject = "planning" }).start;') == events(data, "planning")[0]["start"]
    instead = f'Execute(revise[_, Event]({OUTPUT}, everything, {{ .subject = "all-hands" }}));'
    assert talk.ask(instead) == events(data, "all-hands")[0]["start"]


@pytest.mark.parametrize("data", WORLDS)
def test_tomorrow_goes_into_a_missing_argument(data):
    talk = Conversation(data)
    failure = talk.fails('create_event(subject: "lunch");')
    assert (failure.kind, failure.proposal.arguments) == ("unconfirmed", (("subject", "lunch"),))
    replaced = talk.fails(f'Execute(substitute({OUTPUT}, {{ .role = Path("start") }}, tomorrow));')
    tomorrow = datetime.combine(NOW.date() + timedelta(days=1), datetime.min.time())
    assert dict(replaced.proposal.arguments) == {"subject": "lunch", "start": tomorrow}
    made = talk.ask("Execute(confirm);")
    assert made == {"subject": "lunch", "start": tomorrow}


@pytest.mark.parametrize("data", WORLDS)
def test_a_missing_field_of_a_constraint(data):
    """`start` was never constrained; the revision adds it and keeps the subject."""
    talk = Conversation(data)
    talk.ask('find_event({ .subject = "retreat" });')
    later = f'Execute(substitute({OUTPUT}, {{ .role = Path("start") }}, {events(data, "retreat")[-1]["start"]:%Y-%m-%dT%H:%M}));'
    assert talk.ask(later) == events(data, "retreat")[-1]


@pytest.mark.parametrize("data", WORLDS)
def test_make_it_45_minutes_weakens_what_cannot_hold(data):
    """Start and end are fixed; a new end before the start leaves nothing, so the old start must go."""

    def satisfiable(spec):
        bounds = {}
        for atom in spec.body.args if getattr(spec.body, "fn", "") == "and" else (spec.body,):
            bounds.setdefault(atom.args[0].name, []).append(atom.fn)
        return not ("start" in bounds and "end" in bounds)

    talk = Conversation(data, satisfiable=satisfiable)
    event = events(data, "planning")[0]
    start, end = (event[k].strftime("%Y-%m-%dT%H:%M") for k in ("start", "end"))
    talk.ask(f'find_event({{ .subject = "planning" and .start = {start} }});')
    assert talk.ask(f"Execute(revise[_, Event]({OUTPUT}, everything, {{ .end = {end} }}));") == event
    spec = [n for n in talk.dialogue.graph.nodes if n.fn == "{}" and n.turn == 1][-1]
    assert {edge.role for edge in spec.inputs} == {("subject",), ("end",)}


@pytest.mark.parametrize("data", WORLDS)
def test_a_choice_that_nothing_can_meet_any_more_goes(data):
    """What was said of two fields at once stays beside a new subject while something can meet both."""
    from calendar_world import SCHEMA

    from dlc.canon.filters.decide import specification
    from dlc.compiler.check import Checker

    possible = specification(Checker(SCHEMA).schema)
    old = '{ .subject = "planning" or .subject = "never" and .start = .end }'
    for subject, left in (("planning", 2), ("retreat", 1)):
        talk = Conversation(data, satisfiable=possible)
        talk.say(f"find_event({old});")
        talk.say(f'Execute(revise[_, Event]({OUTPUT}, everything, {{ .subject = "{subject}" }}));')
        spec = [n for n in talk.dialogue.graph.nodes if n.fn == "{}" and n.turn == 1][-1]
        assert len(atoms(spec.term.body)) == left


@pytest.mark.parametrize("data", WORLDS)
def test_incomplete_ambiguous_and_absent_referents(data):
    talk = Conversation(data)
    absent = talk.fails('Execute(refer[Event]({ .value is { .subject = "never" } }));')
    assert absent.kind == "no_referent"
    nothing = talk.fails('find_event({ .subject = "never" });')
    assert nothing.kind == "not_found"
    found = talk.ask(f'Execute(revise[_, Event]({OUTPUT}, everything, {{ .subject = "planning" }}));')
    assert found == events(data, "planning")[0]


@pytest.mark.parametrize("data", WORLDS)
def test_a_referent_never_mentioned_is_searched_for(data):
    talk = Conversation(data)
    adam = next(p for p in data["Person"] if p["name"] == "Adam")
    assert talk.ask('Execute(refer[Person]({ .value is { .name = "Adam" } })).phone;') == adam["phone"]


@pytest.mark.parametrize(
    ("repair", "expected"),
    [
        ('substitute({}, {{ .role = Path("day") }}, 28)', datetime(2021, 2, 28)),
        ('substitute({}, {{ .role = Path("month") }}, 3)', datetime(2021, 3, 29)),
        ('substitute({}, {{ .role = Path("year") }}, 2020)', datetime(2020, 2, 29)),
    ],
)
def test_an_invalid_date_is_repaired_in_three_places(repair, expected):
    talk = Conversation(FIRST)
    failure = talk.fails("at_hour(make_date(year: 2021, month: 2, day: 29), hour: 0);")
    assert (failure.kind, failure.path) == ("invalid_date", ("day",))
    assert talk.ask(f"Execute({repair.format(OUTPUT)});") == expected


def test_filling_step_by_step():
    talk = Conversation(FIRST)
    assert talk.fails("create_event;").kind == "unconfirmed"
    talk.fails(f'Execute(substitute({OUTPUT}, {{ .role = Path("subject") }}, "lunch"));')
    talk.fails(f'Execute(substitute({OUTPUT}, {{ .role = Path("start") }}, 2020-05-12T12:00));')
    talk.fails(f'Execute(substitute({OUTPUT}, {{ .role = Path("minutes") }}, 45));')
    made = talk.ask("Execute(confirm);")
    assert made == {"subject": "lunch", "start": datetime(2020, 5, 12, 12), "minutes": 45}


def test_an_exception_stops_only_what_depends_on_it():
    talk = Conversation(FIRST)
    result = talk.say('find_event({ .subject = "none" }).start; find_event({ .subject = "planning" }).subject;')
    assert result.failures[0].kind == "not_found"
    assert result.values[1] == "planning"


def test_nothing_of_the_original_is_changed_and_the_copy_shares_it():
    talk = Conversation(FIRST)
    before = talk.ask('weekday(find_event({ .subject = "planning" and .host is everything }).start);')
    graph = talk.dialogue.graph
    old_nodes, old_root = list(graph.nodes), graph.turns[0].roots[0]
    talk.ask(f'Execute(revise[_, Event]({OUTPUT}, everything, {{ .subject = "all-hands" }}));')
    assert graph.nodes[: len(old_nodes)] == old_nodes
    assert graph.value(old_root) == before
    revised = graph.standing_for(graph.turns[1].roots[0])
    assert graph.nodes[revised].fn == "weekday"
    assert len(graph.nodes) - graph.turns[1].start < 2 * len(old_nodes) + 6


def test_the_agents_reply_can_be_referred_to():
    from dlc.compiler.lower import lower_query
    from dlc.grammar.parser import parse

    talk = Conversation(FIRST)
    event = talk.ask('find_event({ .subject = "planning" });')
    term, _ = lower_query(parse('find_person({ .name = "Adam" })', "query"))
    talk.dialogue.mention(term)
    assert talk.ask("Execute(refer[Person]({ .value is everything })).phone;") == "1"
    assert event["host"] == "p1"


def test_references_are_values():
    talk = Conversation(FIRST)
    assert isinstance(
        talk.ask("refer[Event]({ .value is everything });")
        if talk.ask('find_event({ .subject = "planning" });')
        else None,
        Reference,
    )


# ---------------------------------------------------------------- revise is not overlaying


def plain_answer(data, atoms):
    """The first event that meets (field, value) atoms, by plain Python."""
    found = [e for e in data["Event"] if all(e[f] == v for f, v in atoms.items())]
    return found[0] if found else None


class Overlay(Dialogue):
    """The mutant: a revision overlays the fields of the last specification made, as slot filling does."""

    def _places(self, root, constraint, type_):
        specs = [n.id for n in self.graph.nodes if n.fn == "{}" and n.turn < len(self.graph.turns)]
        yield from reversed(specs)


def revise_case(rng: random.Random):
    """A dialogue whose revision goes to an older or deeper computation than the last one, and its answer.

    Returns the kind, the data, statements in order and the expected value of the last.
    """
    subjects = ("sync", "review", "lunch")
    data = {
        "Event": [
            {"id": f"e{i}", "subject": s, "start": datetime(2020, 1 + i, 1 + rng.randrange(27), 9), "end": None, "host": None}
            for i, s in enumerate(subjects * 2)
        ],
        "Person": [],
        "Spot": [],
    }  # fmt: skip
    one, two, three = rng.sample(subjects, 3)
    kind = rng.choice(("nested", "again", "two roots", "function"))

    def start(subject, after=datetime(2019, 1, 1)):
        found = [e["start"] for e in data["Event"] if e["subject"] == subject and e["start"] > after]
        return found[0] if found else None

    def find(subject):
        return f'find_event({{ .subject = "{subject}" }}).start;'

    def instead(subject, root='refer[DateTime]({ .role = Path("output") })', old="everything"):
        return f'Execute(revise[_, Event]({root}, {old}, {{ .subject = "{subject}" }}));'

    if kind == "nested":
        inner = f'find_event({{ .subject = "{one}" }}).start'
        outer = f'find_event({{ .subject = "{two}" and .start > {inner} }}).start;'
        return kind, data, [outer, instead(three, old='{ .role = Path("start.0.0") }')], start(two, start(three))
    if kind == "again":
        other = f'find_event({{ .subject = "{one}" }}).subject;'
        says = [find(one), instead(two), other, instead(three)]
        return kind, data, says, start(three)
    if kind == "two roots":
        other = f'find_event({{ .subject = "{two}" }}).subject;'
        return kind, data, [find(one), other, instead(three)], start(three)
    shift = rng.randint(1, 5)
    says = [
        find(one),
        f"weekday({THAT_TIME} + days({shift}));",
        f'Execute(transform({OUTPUT}, {{ .role = Path("0.1.0") }}, fn n => n * 2));',
    ]
    return kind, data, says, day_name(start(one) + timedelta(days=2 * shift))


def run(data, says, mutant=False):
    talk = Conversation(data)
    if mutant:
        talk.dialogue.__class__ = Overlay
    for statements in says[:-1]:
        talk.say(statements)
    try:
        result = talk.say(says[-1])
    except TypeError:
        assert mutant
        return None
    return None if result.failures[-1] is not None else result.values[-1]


def test_two_hundred_revisions_are_right_and_overlaying_is_not():
    wrong: dict[str, int] = {}
    seen: dict[str, int] = {}
    for seed in range(200):
        kind, data, says, expected = revise_case(random.Random(seed))
        seen[kind] = seen.get(kind, 0) + 1
        assert run(data, says) == expected, (seed, kind, says)
        wrong[kind] = wrong.get(kind, 0) + (run(data, says, mutant=True) != expected)
    assert min(seen.values()) >= 30
    assert all(wrong[kind] > 0.9 * seen[kind] for kind in ("two roots", "again", "function")), (wrong, seen)
    assert wrong["nested"] > 0.5 * seen["nested"], (wrong, seen)


# ---------------------------------------------------------------- bad input


def test_a_library_that_never_answers_is_given_up_on():
    forever = Library({"tomorrow": lambda: time.sleep(60)}, seconds=0.05)
    talk = Conversation(FIRST, library=forever)
    assert talk.fails("tomorrow;").kind == "timeout"


def test_a_library_that_throws_is_an_exception_of_the_dialogue():
    def broken():
        raise KeyError("oops")

    talk = Conversation(FIRST, library=Library({"tomorrow": broken}, seconds=0))
    assert talk.fails("tomorrow;").kind == "error"
    assert talk.ask("1 + 1;") == 2


def test_a_salience_model_that_finds_nothing():
    class Nothing(Nearest):
        def order(self, graph):
            return iter(())

    talk = Conversation(FIRST, salience=Nothing())
    talk.ask("1;")
    assert talk.fails(f"Execute({OUTPUT});").kind == "no_referent"


def test_a_revision_that_matches_nothing():
    talk = Conversation(FIRST)
    talk.ask("1;")
    assert talk.fails(f'Execute(revise[_, Event]({OUTPUT}, everything, {{ .subject = "x" }}));').kind == "no_place"
    assert talk.fails(f'Execute(substitute({OUTPUT}, {{ .role = Path("nowhere") }}, 1));').kind == "no_place"
    assert talk.fails("Execute(confirm);").kind == "nothing_to_confirm"


def test_a_problem_carries_its_path():
    problem = Problem("invalid_date", "no such day", ("day",))
    assert (problem.kind, problem.path, str(problem)) == ("invalid_date", ("day",), "no such day")


def test_the_library_is_exercised():
    assert library(FIRST).functions["weekday"](datetime(2020, 5, 14)) == "thursday"
