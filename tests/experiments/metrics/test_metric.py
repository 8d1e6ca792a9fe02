import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.errors import UserError
from experiments.metrics.metric import Score, checked, dropped, finding, scored
from signatures.records import Drop

SHARES = st.floats(0, 1)


@pytest.mark.parametrize("value", [math.nan, -0.01, 1.01, math.inf])
def test_a_value_that_is_no_number_from_0_to_1_is_refused_with_the_metric_and_the_item(value: float) -> None:
    with pytest.raises(UserError, match=r"metric mine gave .* \(its value\) on item 3f2a"):
        checked(Score(value, "", {}), metric="mine", item="3f2a")


def test_a_part_out_of_range_is_refused_by_its_name() -> None:
    with pytest.raises(UserError, match="its part 'length'"):
        checked(Score(0.5, "", {"length": 2.0}), metric="mine", item="3f2a")


@given(SHARES, SHARES, SHARES, SHARES)
def test_a_score_is_the_weighted_mean_of_its_parts_and_passes_the_check(
    a: float, b: float, judged: float, weight: float
) -> None:
    score = scored("it", [finding("a", [], a), finding("b", [], b)], [finding("judged", [], judged)], weight)
    assert math.isclose(score.value, (1 - weight) * (a + b) / 2 + weight * judged, abs_tol=1e-9)
    assert checked(score) is score


def test_feedback_says_what_is_good_and_what_is_wrong_and_how_to_mend_it() -> None:
    score = scored("Task: x", [finding("length", []), finding("well_formed", ["it breaks off; finish it"])], [], 0.0)
    assert score.feedback == "Task: x\nGood: length.\nWrong, mend this:\n- well formed: it breaks off; finish it"


def test_a_drop_scores_0_and_its_reason_is_the_feedback() -> None:
    score = dropped("Given: x", Drop(reason="truncated", detail="cut off"))
    assert score.value == 0
    assert "dropped as truncated: cut off" in score.feedback
