"""A small calendar for dialogue tests: a schema, two sets of data, and a library over either."""

import calendar
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from dlc.compiler.check import Checker
from dlc.compiler.lower import lower_program
from dlc.compiler.schema_text import read_schema
from dlc.grammar.parser import parse
from dlc.runtime.dialogue import Dialogue, StepResult
from dlc.runtime.library import Library, Problem

SCHEMA = read_schema(
    """schema calendar
    enum Weekday = monday | tuesday | wednesday | thursday | friday | saturday | sunday
    table Person { id: Person key, name: Text, phone: Text? }
    table Event { id: Event key, subject: Text, start: DateTime, end: DateTime?, host: Person? }
    table Spot { id: Spot key, kind: Text, town: Text, rating: Number? }
    action create_event(; subject: Text, start: DateTime, minutes?: Number) -> { subject: Text, start: DateTime }
    fun find_event(Spec[Event]) -> Event
    fun find_person(Spec[Person]) -> Person
    fun weekday(DateTime) -> Weekday
    fun next_event(Spec[Event]) -> Event
    fun tomorrow() -> DateTime
    fun days(Number) -> Duration
    fun make_date(; year?: Number, month: Number, day: Number) -> DateTime
    fun at_hour(DateTime; hour?: Number) -> DateTime
    fun forecast(Spec[Spot]; day?: DateTime) -> Text
    field Person.greeting: Text
    act user say
    """
)

NOW = datetime(2020, 5, 11, 8)


def _event(key: str, subject: str, start: datetime, minutes: int = 60, host: str | None = None) -> dict[str, Any]:
    return {"id": key, "subject": subject, "start": start, "end": start + timedelta(minutes=minutes), "host": host}


FIRST = {
    "Event": [
        _event("e1", "retreat", datetime(2020, 5, 14, 9)),
        _event("e2", "retreat", datetime(2021, 3, 1, 9)),
        _event("e3", "planning", datetime(2020, 5, 12, 10), 30, "p1"),
        _event("e4", "all-hands", datetime(2020, 5, 13, 15), 90, "p2"),
        _event("e5", "standup", datetime(2020, 5, 14, 9, 30)),
    ],
    "Person": [{"id": "p1", "name": "Adam", "phone": "1"}, {"id": "p2", "name": "Beth", "phone": "2"}],
    "Spot": [{"id": "s1", "kind": "cafe", "town": "ely", "rating": 4}],
}
SECOND = {
    "Event": [
        _event("f1", "planning", datetime(2020, 6, 5, 14), 45, "q9"),
        _event("f2", "all-hands", datetime(2020, 6, 1, 11), 60, "q8"),
        _event("f3", "retreat", datetime(2020, 9, 20, 9)),
        _event("f4", "retreat", datetime(2021, 1, 7, 10)),
        _event("f5", "review", datetime(2020, 5, 21, 16)),
    ],
    "Person": [{"id": "q9", "name": "Cleo", "phone": "3"}, {"id": "q8", "name": "Adam", "phone": "4"}],
    "Spot": [],
}


def library(data: dict[str, list[dict[str, Any]]], seconds: float = 0) -> Library:
    """Functions over one set of data."""

    def first(table: str, what: str) -> Callable[[Any], Any]:
        def find(spec: Callable[[Any], Any]) -> Any:
            found = [row for row in data[table] if spec(row) is True]
            if not found:
                raise Problem("not_found", f"there is no such {what}")
            return found[0]

        return find

    def next_event(spec: Callable[[Any], Any]) -> Any:
        found = sorted((e for e in data["Event"] if spec(e) is True and e["start"] >= NOW), key=lambda e: e["start"])
        if not found:
            raise Problem("not_found", "nothing like that is coming up")
        return found[0]

    def make_date(month: int, day: int, year: int = 2020) -> datetime:
        if not 1 <= month <= 12:
            raise Problem("invalid_date", f"there is no month {month}", ("month",))
        if not 1 <= day <= calendar.monthrange(year, month)[1]:
            raise Problem("invalid_date", f"{calendar.month_name[month]} {year} has no day {day}", ("day",))
        return datetime(year, month, day)

    return Library(
        {
            "find_event": first("Event", "event"),
            "find_person": first("Person", "person"),
            "next_event": next_event,
            "weekday": lambda when: calendar.day_name[when.weekday()].lower(),
            "tomorrow": lambda: datetime.combine(NOW.date() + timedelta(days=1), datetime.min.time()),
            "days": lambda count: count * 86400,
            "make_date": make_date,
            "at_hour": lambda when, hour=9: when.replace(hour=int(hour)),
            "create_event": lambda **event: event,
        },
        effects=frozenset(("create_event",)),
        seconds=seconds,
    )


class Conversation:
    """A dialogue that is fed DL text."""

    def __init__(self, data: dict[str, list[dict[str, Any]]], **options: Any) -> None:
        self.dialogue = Dialogue(Checker(SCHEMA), options.pop("library", None) or library(data), data, **options)

    def say(self, statements: str, speaker: str = "user") -> StepResult:
        (turn,), origins = lower_program(parse(f"{speaker}: {statements}"))
        checked = self.dialogue.checker.check_turn(turn, origins[0])
        assert checked.ok, [d.message for d in checked.diagnostics]
        return self.dialogue.step(turn)

    def ask(self, statements: str) -> Any:
        """The last statement's value; fails on an exception."""
        result = self.say(statements)
        assert result.failures[-1] is None, result.failures[-1]
        return result.values[-1]

    def fails(self, statements: str) -> Any:
        """The last statement's exception."""
        failure = self.say(statements).failures[-1]
        assert failure is not None
        return failure


__all__ = ["FIRST", "NOW", "SCHEMA", "SECOND", "Conversation", "date", "library"]
