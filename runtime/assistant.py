"""A library for dialogues: calendar, people, places and weather, over rows given to it.

Pure: the present moment is given too. What cannot be fulfilled raises Problem, with the argument that was wrong.
"""

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from .library import Library, Problem

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]


def assistant(rows: Rows, now: datetime, seconds: float = 2.0) -> Library:
    """The functions of the built-in schema `assistant`. rows: by table, values as `json_rows` makes them."""
    tables = _Tables(rows, now)
    return Library(
        {
            "find_event": lambda spec: tables.one("Event", spec),
            "next_event": tables.next_event,
            "find_person": lambda spec: tables.one("Person", spec),
            "manager_of": lambda person: tables.related("Person", tables.row("Person", person), "manager"),
            "find_place": lambda spec: tables.one("Place", spec),
            "best_place": tables.best_place,
            "place_of": lambda event: tables.related("Place", tables.row("Event", event), "place"),
            "weather": lambda place, day=None: tables.weather(tables.row("Place", place), day),
            "now": lambda: now,
            "today": now.date,
            "tomorrow": lambda: now.date() + timedelta(days=1),
            "date_of": lambda moment: moment.date(),
            "weekday": lambda day: calendar.day_name[day.weekday()].lower(),
            "days": lambda count: count * 86400,
            "make_date": tables.make_date,
            "at_hour": _at_hour,
            "create_event": _created,
            "delete_event": lambda event: {"subject": tables.row("Event", event)["subject"]},
        },
        effects=frozenset(("create_event", "delete_event")),
        seconds=seconds,
    )


class _Tables:
    def __init__(self, rows: Rows, now: datetime) -> None:
        self._rows, self._now = rows, now

    def all(self, table: str, spec: Callable[[Row], Any]) -> list[Row]:
        return [row for row in self._rows.get(table, ()) if spec(row) is True]

    def one(self, table: str, spec: Callable[[Row], Any]) -> Row:
        """The only row that meets a specification."""
        found = self.all(table, spec)
        what = table.lower()
        if not found:
            raise Problem("not_found", f"there is no such {what}")
        if len(found) > 1:
            raise Problem("ambiguous", f"there are {len(found)} such {what}s")
        return found[0]

    def row(self, table: str, value: Any) -> Row:
        """The row that a value is, or names by its key."""
        return value if isinstance(value, Mapping) else self.one(table, lambda row: row.get("id") == value)

    def related(self, table: str, row: Row, column: str) -> Row:
        """The row that a reference points to."""
        key = row.get(column)
        if key is None:
            raise Problem("not_found", f"no {column} is known", (column,))
        return self.row(table, key)

    def next_event(self, spec: Callable[[Row], Any]) -> Row:
        coming = [event for event in self.all("Event", spec) if event["start"] >= self._now]
        if not coming:
            raise Problem("not_found", "nothing like that is coming up")
        return min(coming, key=lambda event: (event["start"], event["id"]))

    def best_place(self, spec: Callable[[Row], Any]) -> Row:
        found = self.all("Place", spec)
        if not found:
            raise Problem("not_found", "there is no such place")
        return max(found, key=lambda place: (place.get("rating") or 0, place["name"]))

    def weather(self, place: Row, day: date | None = None) -> Row:
        wanted = day if day is not None else self._now.date()
        return self.one("Forecast", lambda row: row["town"] == place["town"] and row["day"] == wanted)

    def make_date(self, month: float, day: float, year: float | None = None) -> date:
        """A date of this year, unless another is given."""
        year = int(year) if year is not None else self._now.year
        if not (1 <= year <= 9999):
            raise Problem("invalid_date", f"there is no year {year}", ("year",))
        if month not in range(1, 13):
            raise Problem("invalid_date", f"there is no month {month:g}", ("month",))
        if day not in range(1, calendar.monthrange(year, int(month))[1] + 1):
            raise Problem("invalid_date", f"{calendar.month_name[int(month)]} {year} has no day {day:g}", ("day",))
        return date(year, int(month), int(day))


def _at_hour(day: date, hour: float, minute: float = 0) -> datetime:
    if hour not in range(24):
        raise Problem("invalid_time", f"there is no hour {hour:g}", ("hour",))
    if minute not in range(60):
        raise Problem("invalid_time", f"there is no minute {minute:g}", ("minute",))
    return datetime(day.year, day.month, day.day, int(hour), int(minute))


def _created(
    subject: str | None = None,
    start: datetime | None = None,
    minutes: float = 60,
    host: Any = None,
    place: Any = None,
) -> Row:
    """What would be written into a calendar."""
    for name, value in (("subject", subject), ("start", start)):
        if value is None:
            raise Problem("incomplete", f"an event needs a {name}", (name,))
    assert start is not None
    return {
        "subject": subject,
        "start": start,
        "end": start + timedelta(minutes=minutes),
        "host": host,
        "place": place,
    }
