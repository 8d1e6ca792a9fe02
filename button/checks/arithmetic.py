"""Whether a number follows from others by the arithmetic of requests: totals, differences, shares, percentages."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from button.checks.reading import as_text

# More numbers than these make nearly every value derivable, and cost time.
MAX_OPERANDS = 30
MAX_FACTORS = 12


def derivation(value: float, operands: Sequence[float]) -> tuple[float, ...] | None:
    """The numbers among `operands` that give `value`, or None.

    Tried in this order: one of them rounded; sums, differences, products and quotients of two; a number more or less
    a fraction of it (a tip, a discount); products of three, one of which is above 20 or no integer; sums of two such
    products with a small count (two fares and three nights), or what two prices leave of a budget. 0 and 1 take no
    part, since they give everything. But for the last, the value may be rounded to the digits it shows, by at most 1 %.
    """
    pool = [number for number in dict.fromkeys(operands) if number not in (0.0, 1.0, -1.0)][-MAX_OPERANDS:]
    close = _closeness(value)
    for number in pool:
        if close(number):
            return (number,)
    for a, b in combinations(pool, 2):
        if any(close(result) for result in _of_two(a, b)):
            return (a, b)
    for a, b, c in combinations(pool[-MAX_FACTORS:], 3):
        if close(a * b * c) and any(number > 20 or not number.is_integer() for number in (a, b, c)):
            return (a, b, c)
    return _total(value, pool[-MAX_FACTORS:])


def _total(value: float, pool: list[float]) -> tuple[float, ...] | None:
    """Two items of a bill, each perhaps several times; exact, since so many sums come near anything."""
    counts = [number for number in pool if number.is_integer() and 1 < number < 32]
    prices = [number for number in pool if number not in counts]
    items = [*((price,) for price in prices), *((count, price) for count in counts for price in prices)]
    for one, other in combinations(items, 2):
        if _same(math.prod(one) + math.prod(other), value):
            return (*one, *other)
    return left_over(value, pool)


def left_over(value: float, operands: Sequence[float]) -> tuple[float, ...] | None:
    """The numbers whose difference `value` is, exactly: of two, or of the sum of two and a third (a budget)."""
    pool = [number for number in operands if abs(number) >= 10][-MAX_FACTORS:]
    for a, b in combinations(pool, 2):
        if _same(abs(a - b), abs(value)):
            return (a, b)
        for budget in pool:
            if _same(abs(a + b - budget), abs(value)) and budget not in (a, b):
                return (a, b, budget)
    return None


def _same(a: float, b: float) -> bool:
    """Whether two sums of money are one, to the cent."""
    return abs(a - b) < 0.006


def sum_of_few(value: float, operands: Sequence[float]) -> bool:
    """Whether `value` is the sum of two or three of `operands` ("two adults and a child" are 3)."""
    few = list(operands)[:MAX_FACTORS]
    return any(sum(chosen) == value for size in (2, 3) for chosen in combinations(few, size))


def _of_two(a: float, b: float) -> Iterator[float]:
    yield a + b
    yield a - b
    yield b - a
    yield a * b
    if b:
        yield a / b
    if a:
        yield b / a
    for whole, share in ((a, b), (b, a)):
        if 0 < share < 1:
            yield whole * (1 + share)
            yield whole * (1 - share)


def _closeness(value: float) -> Callable[[float], bool]:
    """A test for what `value` may be the rounded form of."""
    _, _, decimals = as_text(value).partition(".")
    slack = min(0.5 * 10.0 ** -len(decimals), abs(value) * 0.01) + 1e-9

    def close(number: float) -> bool:
        return abs(number - value) <= slack

    return close
