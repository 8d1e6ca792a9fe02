"""Covers the fields that names stand for, of functions that another model has defined too."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.lms.simulation.fields import implied


@pytest.mark.parametrize(
    ("name", "kind"),
    [("order_code", "code OR-99999"), ("work_order_code", "code WO-99999"), ("work__order_code", "code WO-99999")],
)
def test_a_code_begins_with_the_initials_of_what_it_is_of(name: str, kind: str) -> None:
    assert implied(name).kind == kind


@given(st.text("ab_", max_size=6), st.sampled_from(["code", "id", "date", "price", "x"]))
def test_any_name_stands_for_a_field_or_for_none(stem: str, ending: str) -> None:
    with suppress(ValueError):
        assert implied(f"{stem}_{ending}").name == f"{stem}_{ending}"
