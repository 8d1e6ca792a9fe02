import pytest

from button.checks.arithmetic import derivation, sum_of_few


@pytest.mark.parametrize(
    ("value", "operands"),
    [
        (129.5, (129.5,)),
        (130, (129.7,)),
        (281.5, (129.5, 152.0)),
        (22.5, (129.5, 152.0)),
        (259, (2.0, 129.5)),
        (30, (120.0, 4.0)),
        (12.68, (84.5, 0.15)),
        (97.18, (84.5, 0.15)),
        (870, (2.0, 3.0, 145.0)),
        (523, (2.0, 129.5, 3.0, 88.0)),
        (82.75, (129.5, 87.75, 300.0)),
    ],
)
def test_what_requests_compute_is_derived_from_its_operands(value: float, operands: tuple[float, ...]) -> None:
    found = derivation(value, operands)
    assert found is not None
    assert set(found) <= set(operands)


@pytest.mark.parametrize("value", [135, 282.1, 260.5, 7, 524, 0.5, -22])
def test_what_is_near_is_not_derived(value: float) -> None:
    assert derivation(value, (129.5, 152.0, 2.0)) is None


def test_zero_and_one_give_nothing() -> None:
    assert derivation(130.5, (129.5, 1.0)) is None
    assert derivation(0, (129.5, 0.0)) is None


def test_few_small_numbers_add_up() -> None:
    assert sum_of_few(3, [1, 2])
    assert sum_of_few(6, [1, 2, 3])
    assert not sum_of_few(2, [2, 5])
