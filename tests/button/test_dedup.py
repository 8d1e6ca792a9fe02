import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from button.dedup import BLOCK, SemanticDedup
from signatures.records import AtomicTask, Drop, Record, Scenario, Seed

SEED = Seed.derive(None, source="tests", text="any", form="scenario")


class Angles:
    """An embedder for texts that are angles in degrees."""

    def embed(self, texts: list[str]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        angles = np.radians([float(text) for text in texts])
        return 3 * np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def scenario(text: str) -> Scenario:
    return Scenario.derive(SEED, text=text)


def kept(texts: list[str], threshold: float) -> list[str]:
    dedup = SemanticDedup(threshold=threshold)
    dedup._embedder = Angles()
    outcomes = [(text, dedup.decide(scenario(text))) for text in texts]
    return [text for text, outcome in outcomes if not isinstance(outcome, Drop)]


def test_a_paraphrase_is_dropped_and_names_its_twin_and_the_score() -> None:
    dedup = SemanticDedup()
    first = scenario("booking a flight to another city")
    assert dedup.decide(first) == (first,)
    other = scenario("planning a vegetable garden")
    assert dedup.decide(other) == (other,)
    drop = dedup.decide(scenario("booking flights to another city"))
    assert isinstance(drop, Drop)
    assert drop.reason == "near_duplicate"
    score, _, twin = drop.detail.partition(" like: ")
    assert twin == "booking a flight to another city"
    assert 0.85 <= float(score) < 1


def test_the_same_text_again_is_dropped_at_any_threshold() -> None:
    dedup = SemanticDedup(threshold=0.999)
    assert not isinstance(dedup.decide(scenario("watering plants")), Drop)
    assert isinstance(dedup.decide(scenario("watering plants")), Drop)


def test_tasks_are_compared_by_their_task() -> None:
    dedup = SemanticDedup(of="task")
    one, two = (AtomicTask.derive(SEED, scenario="x", task=task) for task in ("Find a dentist.", "Sell the old car."))
    assert dedup.takes is dedup.gives is AtomicTask
    assert dedup.decide(one) == (one,)
    assert dedup.decide(two) == (two,)
    assert isinstance(dedup.decide(AtomicTask.derive(SEED, scenario="y", task="Find a dentist.")), Drop)


def test_the_threshold_is_a_cosine_and_itself_too_near() -> None:
    assert kept(["0", "60", "120"], threshold=0.49) == ["0", "120"]
    assert kept(["0", "59.9"], threshold=0.5) == ["0"]
    assert kept(["0", "60.1"], threshold=0.5) == ["0", "60.1"]


def test_only_kept_records_count_as_twins() -> None:
    assert kept(["0", "10", "20"], threshold=0.97) == ["0", "20"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 359).map(str), max_size=30))
def test_a_record_stays_where_no_earlier_kept_one_is_too_near(texts: list[str]) -> None:
    stayed = kept(texts, threshold=0.9)
    expected: list[str] = []
    for text in texts:
        if all(np.cos(np.radians(int(text) - int(other))) < 0.9 for other in expected):
            expected.append(text)
    assert stayed == expected


def test_more_than_a_block_of_records_is_searched_whole() -> None:
    dedup = SemanticDedup(threshold=0.9999999)
    dedup._embedder = Angles()
    texts = [str(angle / 10) for angle in range(3599)]
    random.Random(0).shuffle(texts)
    assert len(texts) > 3 * BLOCK
    for text in texts:
        assert not isinstance(dedup.decide(scenario(text)), Drop)
    for text in (texts[0], texts[BLOCK - 1], texts[BLOCK], texts[-1]):
        drop = dedup.decide(scenario(text))
        assert isinstance(drop, Drop)
        assert drop.detail == f"1.000 like: {text}"


def test_an_empty_text_has_no_direction_and_no_twin() -> None:
    class Zeros(Angles):
        def embed(self, texts: list[str]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
            return np.zeros((len(texts), 2), dtype=np.float32)

    dedup = SemanticDedup()
    dedup._embedder = Zeros()
    records: list[Record] = [scenario("a"), scenario("b")]
    assert [dedup.decide(record) for record in records] == [(records[0],), (records[1],)]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, "high"])
def test_a_threshold_that_is_no_cosine_is_refused(threshold: float) -> None:
    with pytest.raises(ValidationError, match="threshold"):
        SemanticDedup(threshold=threshold)
