"""How dates and times in an argument are traced: said, or a known number of days or minutes after one that was said."""

from datetime import date
from itertools import chain

from button.checks.grounds import Found, Grounds, latest
from button.checks.moments import Date, Moments
from button.checks.reading import Reading

_PADDING = (0, 23 * 60 + 59)


def trace_moments(when: Moments, grounds: Grounds) -> Found | None:
    """The origin of `when`: of all its dates and times the one that became known last; None where one is unknown."""
    # A date's first and last minute pad it to a timestamp.
    times = [mention for mention in when.times if not (when.dates and mention[0] in _PADDING)]
    found = [
        *(_trace_date(mention, grounds) for mention in when.dates),
        *(_trace_time(mention[0], grounds) for mention in times),
    ]
    known = [one for one in found if one is not None]
    return latest(known) if known and len(known) == len(found) else None


def _trace_date(readings: tuple[Date, ...], grounds: Grounds) -> Found | None:
    said = grounds.find(lambda reading: any(reading.says_date(day) for day in readings))
    if said:
        return said
    lengths = grounds.days()
    return grounds.find(lambda reading: any(_is_shifted(day, reading, lengths) for day in readings))


def _is_shifted(day: Date, reading: Reading, lengths: frozenset[float]) -> bool:
    """Whether `day` ends a stay of a known length that begins on a date said: after n days, or on the n-th."""
    shifts = [days_between(said, day) for said in reading.dates]
    return any(shift and (shift in lengths or shift + 1 in lengths) for shift in shifts)


def _trace_time(minute: int, grounds: Grounds) -> Found | None:
    if said := grounds.find(lambda reading: minute in reading.times):
        return said
    spans = grounds.minutes()
    return grounds.find(lambda reading: any((minute - start) % 1440 in spans for start in reading.times))


def days_between(start: Date, end: Date) -> int | None:
    """The days from `start` to `end`, a missing year taken from the other; None where either is no whole date."""
    years = (start[0] or end[0] or 2024, end[0] or start[0] or 2024)
    if not start[2] or not end[2]:
        return None
    try:
        return (date(years[1], end[1], end[2]) - date(years[0], start[1], start[2])).days
    except ValueError:  # February 30
        return None


def day_lengths(grounds: Grounds) -> frozenset[int]:
    """The days between any two dates that were said: the nights of a stay."""
    days = sorted(set(chain.from_iterable(reading.dates for reading in grounds.readings())), key=str)
    gaps = {days_between(a, b) for a in days for b in days}
    return frozenset(gap for gap in gaps if gap and gap > 0)
