"""A local Hub for a test, and what there is to publish."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from generating import Ran, generate
from hub_server import HubServer, hub_server
from huggingface_hub import close_session, constants
from publishing import write_program

from button.publish import patience, publishing


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A running Hub that the client is pointed to, with the token of the user `me`; waits between tries are short."""
    with hub_server() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(patience, "WAITS_S", (0.01,) * 4)
        monkeypatch.setattr(publishing, "PAUSE_S", 0.01)
        monkeypatch.setenv("HF_TOKEN", "hf_write")
        yield server
        close_session()


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A folder of two tuned prompts: the quickest thing that there is to publish."""
    folder = tmp_path / "tuned"
    for step in ("compose", "judge"):
        write_program(folder, step, f"Do {step} well.")
    return folder


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A finished run of eight rows."""
    return generate(tmp_path_factory.mktemp("published") / "demo", "n=8")
