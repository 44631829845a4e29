"""Units of quantities: which literal `60min`, `5usd`, `3kg` is a Duration, a Money or a Measure of what."""

from .types import DURATION, MONEY, Con, Type

# Seconds in a unit of time; calendar units by their usual length, for ordering only.
TIME_UNITS = {
    "ms": 0.001,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "day": 86400.0,
    "week": 604800.0,
    "mon": 2592000.0,
    "year": 31536000.0,
}

# Unit: (base unit, factor, offset): base = value * factor + offset. SI and customary definitions.
MEASURE_UNITS = {
    "m": ("m", 1.0, 0.0),
    "mm": ("m", 0.001, 0.0),
    "cm": ("m", 0.01, 0.0),
    "km": ("m", 1000.0, 0.0),
    "in": ("m", 0.0254, 0.0),
    "ft": ("m", 0.3048, 0.0),
    "yd": ("m", 0.9144, 0.0),
    "mi": ("m", 1609.344, 0.0),
    "kg": ("kg", 1.0, 0.0),
    "g": ("kg", 0.001, 0.0),
    "mg": ("kg", 0.000001, 0.0),
    "lb": ("kg", 0.45359237, 0.0),
    "oz": ("kg", 0.028349523125, 0.0),
    "C": ("C", 1.0, 0.0),
    "F": ("C", 5.0 / 9.0, -160.0 / 9.0),
    "K": ("C", 1.0, -273.15),
    "mps": ("mps", 1.0, 0.0),
    "kmph": ("mps", 1.0 / 3.6, 0.0),
    "mph": ("mps", 0.44704, 0.0),
    "m2": ("m2", 1.0, 0.0),
    "km2": ("m2", 1000000.0, 0.0),
    "m3": ("m3", 1.0, 0.0),
    "Pa": ("Pa", 1.0, 0.0),
    "bar": ("Pa", 100000.0, 0.0),
    "W": ("W", 1.0, 0.0),
    "kW": ("W", 1000.0, 0.0),
    "J": ("J", 1.0, 0.0),
    "kJ": ("J", 1000.0, 0.0),
    "cal": ("kcal", 0.001, 0.0),
    "kcal": ("kcal", 1.0, 0.0),
    "byte": ("byte", 1.0, 0.0),
    "kB": ("byte", 1000.0, 0.0),
    "KB": ("byte", 1000.0, 0.0),
    "MB": ("byte", 1000000.0, 0.0),
    "GB": ("byte", 1000000000.0, 0.0),
    "TB": ("byte", 1000000000000.0, 0.0),
    "bpm": ("bpm", 1.0, 0.0),
}


def split_quantity(literal: str) -> tuple[str, str]:
    """Amount and unit of a quantity literal."""
    end = len(literal)
    for i, char in enumerate(literal):
        if char.isalpha() or char in "µ°":
            follows = literal[i + 1 : i + 2]
            if char in "eE" and (follows.isdigit() or follows in ("+", "-")):
                continue
            end = i
            break
    return literal[:end], literal[end:]


def quantity_type(unit: str) -> Type | None:
    """Type of a quantity with this unit: three lower-case letters that are no other unit are a currency."""
    if unit in TIME_UNITS:
        return DURATION
    if unit in MEASURE_UNITS:
        return Con("Measure", (Con(MEASURE_UNITS[unit][0]),))
    if len(unit) == 3 and unit.isascii() and unit.isalpha() and unit.islower():
        return MONEY
    return None
