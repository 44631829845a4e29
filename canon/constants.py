"""Literals as values: what a constant denotes, how a value is spelled, and arithmetic on values.

A value lives on a *scale*: constants of one scale can be compared with each other. Amounts of money in
two currencies, a number and a placeholder, a naive and a zoned moment are on different scales; nothing is
assumed about how such constants compare. Amounts are exact: `int`, or `Fraction` where a literal has a
fractional part.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from ..compiler.terms import Entity, Lit, Term
from ..compiler.types import Con
from ..compiler.units import MEASURE_UNITS, TIME_UNITS, quantity_type, split_quantity

Amount = int | Fraction

# A literal with a larger exponent than this is left alone: its exact value would not fit in memory.
MAX_EXPONENT = 400

# Hours a time of day may have; train tables run past midnight (24:55).
TIME_LIMIT = 48 * 3600
DAY = 86400
_CALENDAR = frozenset(("mon", "year"))


@dataclass(frozen=True, slots=True)
class Constant:
    """A value on its scale: `number`, `int`, `text`, `bool`, `time`, `date`, `datetime`, `datetimeZ`,
    `duration`, `money:usd`, `measure:kg`."""

    scale: str
    value: Amount | str


def amount(text: str) -> Amount | None:
    """The exact value of a number's text, or None if its exponent is beyond all measure."""
    if text.isdigit():
        return int(text)
    mantissa, _, exponent = text.replace("E", "e").partition("e")
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        return None
    if len(text) > 4 * MAX_EXPONENT:
        return None
    return _plain(Fraction(mantissa) * Fraction(10) ** int(exponent or 0))


def _plain(value: Fraction) -> Amount:
    return value.numerator if value.denominator == 1 else value


@lru_cache(maxsize=1024)
def _exact(factor: float) -> Fraction:
    """A unit's factor as the fraction its definition means (5/9, not its nearest float)."""
    simple = Fraction(factor).limit_denominator(100)
    return simple if float(simple) == factor else Fraction(repr(factor))


def days_of(text: str) -> int | None:
    """Days from 0000-01-01 to an ISO date of the proleptic Gregorian calendar; None if there is no such day."""
    year, month, day = (int(part) for part in text.rsplit("-", 2))
    if not 1 <= month <= 12 or not 1 <= day <= _month_days(year, month):
        return None
    # Years count from March, so that a leap day is the last day of its year.
    shifted = year - (month <= 2)
    return (
        365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day + 59
    )


def _month_days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def date_text(days: int) -> str:
    """The ISO date a number of days after 0000-01-01."""
    shifted = days - 60
    era, rest = divmod(shifted, 146097)
    year = (rest - rest // 1460 + rest // 36524 - rest // 146096) // 365
    of_year = rest - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return f"{year + 400 * era + (month <= 2):04d}-{month:02d}-{day:02d}"


def seconds_of(text: str) -> Amount:
    """Seconds of a time of day."""
    hours, minutes, *rest = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + (_plain(Fraction(rest[0])) if rest else 0)


def time_text(seconds: Amount) -> str:
    """`14:30`, `14:30:05`, or with decimals (moments only)."""
    whole = int(seconds)
    shown = f"{whole // 3600:02d}:{whole // 60 % 60:02d}"
    if seconds % 60:
        fraction = number_text(seconds % 1)
        shown += f":{whole % 60:02d}" + (fraction[1:] if fraction and seconds % 1 else "")
    return shown


@lru_cache(maxsize=16384)
def constant(kind: str, text: str) -> Constant | None:
    """What a literal denotes; None for `raw` text and for what has no exact value (no such day, a huge exponent)."""
    match kind:
        case "text" | "bool":
            return Constant(kind, text)
        case "number" | "int":
            value = amount(text)
            return None if value is None else Constant(kind, value)
        case "time":
            seconds = seconds_of(text)
            return Constant("time", seconds) if seconds < TIME_LIMIT else None
        case "date":
            days = days_of(text)
            return None if days is None else Constant("date", days)
        case "datetime":
            zone = "Z" if text.endswith("Z") else ""
            day, _, clock = text.removesuffix("Z").partition("T")
            days = days_of(day)
            return None if days is None else Constant(f"datetime{zone}", days * DAY + seconds_of(clock))
        case "quantity":
            return _quantity(text)
    return None


def _quantity(text: str) -> Constant | None:
    digits, unit = split_quantity(text)
    value = amount(digits)
    type_ = quantity_type(unit)
    if value is None or not isinstance(type_, Con):
        return None
    if type_.name == "Money":
        return Constant(f"money:{unit}", value)
    if type_.name == "Duration":
        return Constant("duration", _plain(value * _exact(TIME_UNITS[unit])))
    base, factor, offset = MEASURE_UNITS[unit]
    return Constant(f"measure:{base}", _plain(value * _exact(factor) + _exact(offset)))


# ---------------------------------------------------------------- spelling


def number_text(value: Amount) -> str | None:
    """The shortest plain decimal, or None if the value has none (a third)."""
    if isinstance(value, int):
        return str(value)
    denominator, twos, fives = value.denominator, 0, 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator != 1:
        return None
    places = max(twos, fives)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


_DURATION_UNITS = ("h", "min", "s", "day", "week", "ms")


@lru_cache(maxsize=16384)
def spell(scale: str, value: Amount | str) -> Lit | None:
    """The one literal for a value; None if no literal has this value.

    Quantities take the unit that gives a whole amount, then the fewest digits, then the base unit first:
    60 min and 3600 s are both `1h`, 90 min stays.
    """
    match scale:
        case "text" | "bool":
            return Lit(scale, str(value))
    if isinstance(value, str):
        return None
    match scale:
        case "number":
            shown = number_text(value)
            return None if shown is None else Lit("number", shown)
        case "int":
            return Lit("int", str(value)) if isinstance(value, int) else None
        case "time":
            return Lit("time", time_text(value)) if isinstance(value, int) and 0 <= value < TIME_LIMIT else None
        case "date":
            return Lit("date", date_text(value)) if isinstance(value, int) and value >= 0 else None
        case "datetime" | "datetimeZ":
            days, seconds = divmod(value, DAY)
            if days < 0 or number_text(seconds) is None:
                return None
            return Lit("datetime", f"{date_text(int(days))}T{time_text(seconds)}{scale[8:]}")
    family, _, unit = scale.partition(":")
    if family == "money":
        shown = number_text(value)
        return None if shown is None else Lit("quantity", shown + unit)
    return _spell_quantity(value, unit if family == "measure" else None)


def _spell_quantity(value: Amount, base: str | None) -> Lit | None:
    spelled: list[tuple[bool, int, int, str]] = []
    units = _DURATION_UNITS if base is None else [u for u, (b, _, _) in MEASURE_UNITS.items() if b == base]
    units = sorted(units, key=lambda u: u != base) if base is not None else units
    for order, unit in enumerate(units):
        if base is None:
            in_unit = Fraction(value) / _exact(TIME_UNITS[unit])
        else:
            _, factor, offset = MEASURE_UNITS[unit]
            in_unit = (Fraction(value) - _exact(offset)) / _exact(factor)
        digits = number_text(_plain(in_unit))
        if digits is not None:
            spelled.append(("." in digits, len(digits), order, digits + unit))
    return Lit("quantity", min(spelled)[3]) if spelled else None


def plain_literal(term: Lit) -> Lit:
    """The literal that every literal of its value and unit system is spelled as (`4.0` is `4`, `60min` is `1h`).

    Lengths of months and years depend on the calendar, so `1mon` never becomes `30day` outside a comparison.
    """
    if term.kind in ("text", "bool", "raw", "name", "path"):
        return term
    if term.kind == "quantity" and split_quantity(term.value)[1] in _CALENDAR:
        digits, unit = split_quantity(term.value)
        value = amount(digits)
        shown = number_text(value) if value is not None else None
        return term if shown is None else Lit("quantity", shown + unit)
    known = constant(term.kind, term.value)
    if known is None:
        return term
    return spell(known.scale, known.value) or term


def plain_entity(term: Entity) -> Entity:
    """An entity whose identifier is its name, or that has no other name, is written by name.

    What tells entities apart in rows is the identifier, else the name; a name beside another identifier is kept
    for people to read.
    """
    return term if term.id is None or term.text not in (None, term.id) else Entity(term.id, None, term.type)


# ---------------------------------------------------------------- arithmetic


def compute(operator: str, left: Term, right: Term) -> Lit | None:
    """The literal `left operator right` is, where it is one for certain.

    Not folded: division by zero, remainders of negative numbers, a time of day that leaves the day, calendar
    lengths, and anything whose value no literal has.
    """
    if not (isinstance(left, Lit) and isinstance(right, Lit)):
        return None
    a, b = constant(left.kind, left.value), constant(right.kind, right.value)
    if a is None or b is None or isinstance(a.value, str) or isinstance(b.value, str):
        return None
    if any(lit.kind == "quantity" and split_quantity(lit.value)[1] in _CALENDAR for lit in (left, right)):
        return None
    result = _arithmetic(operator, a.scale, a.value, b.scale, b.value)
    return None if result is None else spell(result.scale, result.value)


def _arithmetic(operator: str, s: str, a: Amount, t: str, b: Amount) -> Constant | None:
    if t == "duration" and operator in "+-" and s in ("time", "date", "datetime", "datetimeZ"):
        return _shifted(s, a, b if operator == "+" else -b)
    if s == t and operator == "-" and s in ("time", "date", "datetime", "datetimeZ"):
        return Constant("duration", (a - b) * (DAY if s == "date" else 1))
    linear = s in ("number", "int", "duration") or s.startswith(("money:", "measure:"))
    if s == t and linear and operator in "+-" and s != "measure:C":
        return Constant(s, _plain(Fraction(a + b if operator == "+" else a - b)))
    if s == t and s in ("number", "int"):
        return _product(operator, s, a, b)
    if operator in "*/" and t == "number" and (s == "duration" or s.startswith("money:")):
        found = _product(operator, "number", a, b)
        return None if found is None else Constant(s, found.value)
    if operator == "*" and s == "number" and (t == "duration" or t.startswith("money:")):
        return Constant(t, _plain(Fraction(a * b)))
    return None


def _product(operator: str, scale: str, a: Amount, b: Amount) -> Constant | None:
    if operator == "*":
        return Constant(scale, _plain(Fraction(a * b)))
    if operator == "/" and b != 0:
        quotient = _plain(Fraction(a) / Fraction(b))
        return None if scale == "int" and not isinstance(quotient, int) else Constant(scale, quotient)
    if operator == "%" and b > 0 and a >= 0:
        return Constant(scale, _plain(Fraction(a % b)))
    return None


def _shifted(scale: str, a: Amount, by: Amount) -> Constant | None:
    if scale == "date":
        days = _plain(Fraction(by) / DAY)
        return Constant(scale, a + days) if isinstance(days, int) else None
    moved = _plain(Fraction(a + by))
    if scale == "time" and not (isinstance(moved, int) and 0 <= moved < DAY):
        return None
    return Constant(scale, moved)


def negated(term: Lit) -> Lit | None:
    """The literal `-term` is."""
    known = constant(term.kind, term.value)
    if known is None or isinstance(known.value, str) or known.scale in ("time", "date", "datetime", "datetimeZ"):
        return None
    if known.scale == "measure:C" or split_quantity(term.value)[1] in _CALENDAR:
        return None
    return spell(known.scale, -known.value)
