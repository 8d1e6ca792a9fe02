import pytest
from laid_out import examples_of, finished_run, rooted
from strategies import weather_example

from button.publish.finished_run import TracedExample
from button.publish.forms import domain_of
from button.publish.licences import SeedLicence
from button.publish.statistics import Statistics, mean, size_category
from signatures.records import AtomicTask, Example, Scenario


def traced(**seed: str) -> TracedExample:
    lineage = rooted(weather_example(), **seed)
    grown = lineage[-1]
    assert isinstance(grown, Example)
    return TracedExample(0, grown, lineage)


def test_a_row_is_counted_by_all_that_it_has() -> None:
    statistics = Statistics()
    statistics.add(traced(source="mine.jsonl#7"), "train")
    statistics.add(traced(source="mine.jsonl#8"), "test")

    assert (statistics.rows, dict(statistics.splits)) == (2, {"train": 1, "test": 1})
    assert (mean(statistics.calls), mean(statistics.rounds), statistics.calls_a_calling_turn) == (3, 2, 1.5)
    assert (statistics.two_calls, statistics.parallel_rows, statistics.grounded_share) == (1, 2, 1)
    assert (len(statistics.functions), len(statistics.scenarios), statistics.offered) == (2, 1, 4)
    assert statistics.seeds == {SeedLicence("mine.jsonl", "mit"): 2}
    assert statistics.domains == {"travel": 2}


def test_an_evolved_scenario_has_left_the_field_of_its_seed() -> None:
    example = traced()
    seed, scenario, *rest = example.lineage
    evolved = Scenario.derive(scenario, text="another", evolved=True)
    assert domain_of(example) == "travel"
    assert domain_of(TracedExample(0, example.example, (seed, scenario, evolved, *rest))) is None
    assert isinstance(rest[0], AtomicTask)


def test_the_rows_of_a_run_add_up() -> None:
    statistics = Statistics()
    for row in examples_of(finished_run()):
        statistics.add(row, row.example.split)
    assert (
        statistics.rows == statistics.calls.total() == statistics.strategies.total() == statistics.seeds.total() == 24
    )
    assert statistics.origins.total() == sum(len(row.example.sources) for row in examples_of(finished_run()))


@pytest.mark.parametrize(
    ("rows", "category"),
    [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (99_999, "10K<n<100K"), (10**6, "1M<n<10M"), (10**13, "n>1T")],
)
def test_a_size_category_is_the_hubs(rows: int, category: str) -> None:
    assert size_category(rows) == category
