import pytest
from strategies import weather_example

from button.means import Means
from signatures.records import Example


def test_examples_pass_unchanged_and_are_counted() -> None:
    means = Means()
    examples = [weather_example(parallel=True), weather_example(parallel=False)]
    assert list(means.over(examples)) == examples
    assert means.as_metrics() == {
        "mean/calls": 3.0,
        "mean/rounds": 2.5,
        "mean/assistant_turns": 3.5,
        "mean/parallel_rounds": 0.5,
        "mean/longest_chain": 2.5,
        "mean/grounded_share": 1.0,
        "share/parallel_rows": 0.5,
    }


def test_without_rows_there_are_no_means() -> None:
    means = Means()
    assert list(means.over([])) == []
    assert means.as_metrics() == {}


def test_examples_are_read_one_by_one() -> None:
    def endless() -> object:
        while True:
            yield weather_example()

    passing = Means().over(endless())  # type: ignore[arg-type]
    assert isinstance(next(passing), Example)


def test_two_collections_do_not_share_their_sums() -> None:
    list(Means().over([weather_example()]))
    fresh = Means()
    list(fresh.over([weather_example()]))
    assert fresh.as_metrics()["mean/calls"] == pytest.approx(3.0)
