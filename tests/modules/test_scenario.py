from typing import Any

import pytest
from golden import cases, check


@pytest.mark.parametrize("case", cases("scenario"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)
