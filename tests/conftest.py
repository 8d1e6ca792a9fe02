"""What holds for every test: no network, no telemetry, no key of the developer's, and nothing written outside tmp."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

# Libraries read these when they are first imported, so they are set before any of them is.
_SCRATCH = tempfile.mkdtemp(prefix="button-tests-")
atexit.register(shutil.rmtree, _SCRATCH, ignore_errors=True)
os.environ.update(
    {
        "DSPY_CACHEDIR": f"{_SCRATCH}/dspy",
        "HF_HOME": f"{_SCRATCH}/huggingface",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "TOKENIZERS_PARALLELISM": "false",
    }
)
for _name in [name for name in os.environ if name.endswith("_API_KEY") or name in ("HF_TOKEN", "OPENAI_BASE_URL")]:
    del os.environ[_name]

# A busy machine must not fail a test; and a change that did not cause it must not meet a new example in CI.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

pytest.register_assert_rewrite("golden", "walks")


@pytest.fixture(autouse=True)
def _own_tracking_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test's runs are tracked, if at all, in a store of its own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The GGUF file of SmolLM2-135M: real and fast, and what it writes is nonsense."""
    from button.lms.weights import embedded_weights, is_cached

    if not is_cached("135m"):
        pytest.skip("the 135m weights are not on this machine: make weights SIZE=135m")
    return embedded_weights("135m")
