"""What is wrong with a model is said with the key that mends it, whichever role it has."""

import pytest

from button.errors import UserError
from button.lms.build import build_lms, opened_lms

SIMULATED = {"_target_": "button.lms.simulated.Simulated"}
CLOSED = "http://127.0.0.1:9/v1"


def unreachable(api_base: str = CLOSED) -> dict[str, str]:
    return {"_target_": "button.lms.endpoint.Endpoint", "model": "lm.x", "api_base": api_base}


@pytest.mark.parametrize(
    ("lm", "roles", "key"),
    [
        (unreachable(), {}, "lm.api_base"),
        (SIMULATED, {"judge": unreachable()}, "lms.judge.api_base"),
        (unreachable(), {"judge": unreachable()}, "lm.api_base"),
    ],
)
async def test_a_server_that_does_not_answer_is_told_with_the_key_of_its_address(
    lm: dict[str, str], roles: dict[str, dict[str, str]], key: str
) -> None:
    with pytest.raises(UserError, match=rf"^no server answers at {CLOSED} .*, or set {key} to where it is$"):
        async with opened_lms(lm, roles, ()):
            pass


async def test_a_host_that_is_called_as_the_key_keeps_its_name() -> None:
    with pytest.raises(UserError, match=r"host lm\.invalid:80 .* set lms\.judge\.api_base"):
        async with opened_lms(SIMULATED, {"judge": unreachable("http://lm.invalid/v1")}, ()):
            pass


def test_a_choice_of_model_is_told_as_that_of_the_role() -> None:
    with pytest.raises(UserError, match=r"^lm@lms\.judge=gguf got path=None.* wanted lms\.judge\.path=FILE"):
        build_lms(SIMULATED, {"judge": {"_target_": "button.lms.embedded.Gguf"}}, ())


def test_what_an_engine_refuses_is_told_with_the_key_of_its_role() -> None:
    with pytest.raises(UserError, match=r"^lms\.judge\.api_base is 'lm\.example'; expected an address"):
        build_lms(SIMULATED, {"judge": unreachable("lm.example")}, ())
