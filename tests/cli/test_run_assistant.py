"""`dlc run --library assistant`: whole dialogues over two sets of data, answers worked out in plain Python."""

import calendar
import json
from datetime import date, datetime, timedelta

import pytest

NOW = "2020-05-11T08:00:00"
OUTPUT = 'refer({ .role = Path("output") })'
THAT = "Execute(refer[{}]({{ .value is everything }}))"


def event(key, subject, start, minutes=60, host=None, place=None):
    end = (datetime.fromisoformat(start) + timedelta(minutes=minutes)).isoformat(timespec="minutes")
    return {"id": key, "subject": subject, "start": start, "end": end, "host": host, "place": place}


FIRST = {
    "Event": [
        event("e1", "retreat", "2020-05-14T09:00", place="l1"),
        event("e2", "retreat", "2021-03-01T09:00", place="l2"),
        event("e3", "planning", "2020-05-12T10:00", 30, "p1", "l2"),
        event("e4", "all-hands", "2020-05-13T15:00", 90, "p2"),
    ],
    "Person": [
        {"id": "p1", "name": "Adam", "phone": "1", "manager": "p2"},
        {"id": "p2", "name": "Beth", "phone": "2", "manager": None},
    ],
    "Place": [
        {"id": "l1", "name": "Lake House", "kind": "hall", "town": "ely", "rating": 4},
        {"id": "l2", "name": "Town Hall", "kind": "hall", "town": "cambridge", "rating": 5},
    ],
    "Forecast": [
        {"id": "w1", "town": "cambridge", "day": "2020-05-12", "summary": "rain", "high": 14, "low": 8},
        {"id": "w2", "town": "ely", "day": "2020-05-14", "summary": "sun", "high": 21, "low": 9},
    ],
}
SECOND = {
    "Event": [
        event("f1", "planning", "2020-06-05T14:00", 45, "q9", "m1"),
        event("f2", "all-hands", "2020-06-01T11:00", 60, "q8"),
        event("f3", "retreat", "2020-09-20T09:00", place="m1"),
        event("f4", "retreat", "2021-01-07T10:00", place="m1"),
    ],
    "Person": [
        {"id": "q9", "name": "Cleo", "phone": "3", "manager": "q8"},
        {"id": "q8", "name": "Adam", "phone": "4", "manager": None},
    ],
    "Place": [{"id": "m1", "name": "Barn", "kind": "barn", "town": "oxford", "rating": 3}],
    "Forecast": [{"id": "v1", "town": "oxford", "day": "2020-06-05", "summary": "wind", "high": 18, "low": 10}],
}
WORLDS = pytest.mark.parametrize("world", [FIRST, SECOND], ids=["first", "second"])


@pytest.fixture
def talk(dlc_run, tmp_path):
    """The results of a dialogue's statements, one a turn."""

    def run(world, *statements):
        (tmp_path / "world.json").write_text(json.dumps(world))
        rows = [{"dialogue_id": "d", "turn": 2 * k, "program": f"user: {text}"} for k, text in enumerate(statements)]
        (tmp_path / "talk.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
        done = dlc_run("run", "talk.jsonl", "--library", "assistant", "--data", "world.json", "--now", NOW)
        assert done.status == 0, done.err
        return [result for row in done.rows() for result in row["results"]]

    return run


def named(world, table, **wanted):
    return [row for row in world[table] if all(row[k] == v for k, v in wanted.items())]


@WORLDS
def test_the_next_retreat_then_its_day_then_in_2021(talk, world):
    results = talk(
        world,
        'next_event({ .subject = "retreat" }).start;',
        f"weekday(date_of({THAT.format('DateTime')}));",
        f"Execute(revise[_, Event]({OUTPUT}, everything, {{ .start >= 2021-01-01T00:00 }}));",
    )
    starts = sorted(e["start"] for e in named(world, "Event", subject="retreat") if e["start"] >= NOW)
    later = min(s for s in starts if s >= "2021")
    day = [calendar.day_name[datetime.fromisoformat(s).weekday()].lower() for s in (starts[0], later)]
    assert [r["value"] for r in results] == [starts[0] + ":00", day[0], day[1]]


@WORLDS
def test_weather_where_a_meeting_is_and_who_manages_its_host(talk, world):
    planning = named(world, "Event", subject="planning")[0]
    place = named(world, "Place", id=planning["place"])[0]
    day = planning["start"][:10]
    forecast = named(world, "Forecast", town=place["town"], day=day)[0]
    host = named(world, "Person", id=planning["host"])[0]
    manager = named(world, "Person", id=host["manager"])[0]
    results = talk(
        world,
        'find_event({ .subject = "planning" });',
        f"weather(place_of({THAT.format('Event')}), day: date_of({THAT.format('Event')}.start)).summary;",
        'manager_of(find_event({ .subject = "planning" }).host).name;',
    )
    assert [r["value"] for r in results[1:]] == [forecast["summary"], manager["name"]]


@WORLDS
def test_ambiguous_then_told_which(talk, world):
    first, _ = sorted(named(world, "Event", subject="retreat"), key=lambda e: e["start"])
    results = talk(
        world,
        'find_event({ .subject = "retreat" });',
        f"Execute(revise[_, Event]({OUTPUT}, everything, {{ .start < 2021-01-01T00:00 }}));",
        'find_place({ .kind = "castle" });',
    )
    assert [(r["exception"] or {}).get("kind") for r in results] == ["ambiguous", None, "not_found"]
    assert results[1]["value"]["id"] == first["id"]


@WORLDS
def test_a_meeting_made_step_by_step_and_confirmed(talk, world):
    tomorrow = date(2020, 5, 12)
    results = talk(
        world,
        'create_event(subject: "lunch");',
        f'Execute(substitute({OUTPUT}, {{ .role = Path("start") }}, at_hour(tomorrow, hour: 12)));',
        f'Execute(substitute({OUTPUT}, {{ .role = Path("minutes") }}, 45));',
        "Execute(confirm);",
    )
    assert [r["exception"]["kind"] for r in results[:3]] == ["unconfirmed"] * 3
    made = results[3]["value"]
    assert (made["subject"], made["start"], made["end"]) == (
        "lunch",
        f"{tomorrow}T12:00:00",
        f"{tomorrow}T12:45:00",
    )


@pytest.mark.parametrize(
    ("repair", "expected"), [("day", "2021-02-28"), ("month", "2021-03-29"), ("year", "2020-02-29")]
)
def test_an_invalid_date_repaired_in_three_places(talk, repair, expected):
    new = {"day": 28, "month": 3, "year": 2020}[repair]
    results = talk(
        FIRST,
        "make_date(year: 2021, month: 2, day: 29);",
        f'Execute(substitute({OUTPUT}, {{ .role = Path("{repair}") }}, {new}));',
    )
    assert results[0]["exception"] == {
        "kind": "invalid_date",
        "message": "February 2021 has no day 29",
        "path": "day",
    }
    assert results[1]["value"] == expected


@pytest.mark.parametrize(
    "statement",
    [
        "make_date(year: 0, month: 1, day: 1);",
        "make_date(month: 1.5, day: 1);",
        "at_hour(today, hour: 24);",
        "at_hour(today, hour: 1, minute: 60);",
        'manager_of(find_person({ .name = "Beth" }));',
        "create_event(start: now);",
        "weather(find_place({ .town = \"ely\" }));",
    ],
)  # fmt: skip
def test_what_cannot_be_is_an_exception_with_its_place(talk, statement):
    failed, fine = talk(FIRST, statement, "1 + 1;")
    assert failed["exception"] is not None and failed["value"] is None and fine["value"] == 2


def test_usage_and_rows_that_do_not_fit(dlc_run, tmp_path):
    (tmp_path / "talk.dl").write_text("user: now;\n")
    assert dlc_run("run", "talk.dl", "--library", "assistant").status == 2
    assert dlc_run("run", "talk.dl", "--library", "butler", "--data", "w.json").status == 2
    (tmp_path / "w.json").write_text('{"Event": 3}')
    assert dlc_run("run", "talk.dl", "--library", "assistant", "--data", "w.json").status == 3
