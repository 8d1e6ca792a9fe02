"""Every option of every group in conf/ composes, validates, and is built where that needs no network and no model."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from button.config import GenerateSettings, TrackingSettings, settings_from
from button.errors import UserError
from button.publish.settings import PublishSettings
from button.simulate import SimulateSettings
from button.steps import build_steps
from button.targets import TARGET, build
from experiments.optimizing.settings import OptimizeSettings

CONF = Path(__file__).parents[1] / "conf"
VALUES_FOR_MISSING = {
    "path": "seeds.jsonl",
    "name": "owner/name",
    "model": "provider/name",
    "api_base": "http://127.0.0.1:9/v1",
}
OF_OTHER_VERBS = {"arms", "metric", "optimizer"}  # groups that `generate` has no place for
OPTIONS = sorted(
    (path.parent.name, path.stem) for path in CONF.glob("*/*.yaml") if path.parent.name not in OF_OTHER_VERBS
)
NOT_BY_DEFAULT = {"judge_trajectory"}  # steps that take nobody's place
# Where an option goes, and the steps that a step takes the place of.
PLACES = {
    "sequential": "compose", "parallel_then_sequential": "compose", "mixed": "compose", "compose_directly": "compose",
    "simulate_consistent": "simulate", "write_trajectory": "simulate",
}  # fmt: skip


def composed(*words: str) -> dict[str, Any]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        found = compose("generate", list(words))
    config = OmegaConf.to_container(found, resolve=True)
    assert isinstance(config, dict)
    return {str(key): filled(value) for key, value in config.items()}


def filled(node: Any) -> Any:
    """`???` in a node's keys replaced by a value of its kind."""
    if not isinstance(node, dict):
        return node
    return {key: VALUES_FOR_MISSING[key] if value == "???" else filled(value) for key, value in node.items()}


def words_for(group: str, option: str) -> list[str]:
    if group == "step":
        return [f"{'+' * (option in NOT_BY_DEFAULT)}step@steps.{PLACES.get(option, option)}={option}"]
    return [f"{group}={option}"]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_an_option_composes_and_validates(group: str, option: str) -> None:
    settings = settings_from(composed(*words_for(group, option)), GenerateSettings)
    assert settings.steps


def test_the_defaults_compose_and_their_steps_are_built_and_fit_together() -> None:
    steps = build_steps(settings_from(composed(), GenerateSettings))
    assert (list(steps)[:1], list(steps)[-1:]) == (["scenario"], ["gate"])


@pytest.mark.parametrize("option", sorted(path.stem for path in (CONF / "step").glob("*.yaml")))
def test_a_step_is_built(option: str) -> None:
    config = composed(*words_for("step", option))["steps"][PLACES.get(option, option)]
    assert build(config, f"steps.{option}") is not None


@pytest.mark.parametrize("option", sorted(path.stem for path in (CONF / "metric").glob("*.yaml")))
def test_a_metric_is_built_and_names_the_step_it_scores(option: str) -> None:
    metric = build(yaml.safe_load((CONF / "metric" / f"{option}.yaml").read_text()), f"metric.{option}")
    assert metric.name == option
    assert metric.step in {*composed()["steps"], "pipeline"}


def test_the_trajectory_judge_stands_behind_the_gate() -> None:
    settings = settings_from(composed("+step@steps.judge_trajectory=judge_trajectory"), GenerateSettings)
    assert list(build_steps(settings))[-2:] == ["gate", "judge_trajectory"]


@pytest.mark.parametrize("option", sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml")))
def test_an_optimizer_is_built_and_composes(option: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("optimize", [f"optimizer={option}"]), resolve=True)
    assert isinstance(config, dict)
    settings = settings_from({str(key): value for key, value in config.items()}, OptimizeSettings)
    assert build(settings.optimizer, "optimizer").name == option


def test_the_config_of_a_search_has_the_steps_of_a_run_and_the_defaults_of_its_settings() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("optimize"), resolve=True)
    assert isinstance(config, dict)
    assert config["steps"] == composed()["steps"]
    assert list(config["steps"]) == list(composed()["steps"])
    defaults = OptimizeSettings.model_fields
    for key in ("sizes", "budget", "reflection", "executor"):
        assert config[key] == defaults[key].default.model_dump()
    for key in ("refusal_cost", "adopt", "allow_uncalibrated", "items", "programs", "seed"):
        assert config[key] == defaults[key].default


@pytest.mark.parametrize("option", ["builtin"])
def test_a_seed_source_that_needs_no_file_is_built(option: str) -> None:
    assert next(iter(build(composed(f"seeds={option}")["seeds"], "seeds"))).form == "scenario"


@pytest.mark.parametrize("option", ["file", "glaive", "list", "toolbench"])
def test_a_seed_source_asks_for_a_file_that_is_not_there(option: str) -> None:
    with pytest.raises(UserError, match=r"seeds\.jsonl"):
        list(build(composed(f"seeds={option}")["seeds"], "seeds"))


@pytest.mark.parametrize("option", sorted(path.stem for path in (CONF / "lm").glob("*.yaml")))
def test_a_language_model_can_be_given_to_one_role(option: str) -> None:
    settings = settings_from(composed(f"lm@lms.judge={option}"), GenerateSettings)
    assert settings.lms["judge"][TARGET]
    assert settings.lms.keys() == {"judge"}


@pytest.mark.parametrize("option", ["endpoint", "litellm", "ollama", "openai", "vllm"])
def test_a_language_model_behind_an_address_is_built_without_a_call(option: str) -> None:
    assert build(composed(f"lm={option}")["lm"], "lm").concurrency > 0


@pytest.mark.parametrize("option", sorted(path.stem for path in (CONF / "experiment").glob("*.yaml")))
def test_an_experiment_says_the_command_that_runs_it_first(option: str) -> None:
    lines = (CONF / "experiment" / f"{option}.yaml").read_text().splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith(f"# button generate experiment={option}")


def test_the_paper_is_set_up_as_published() -> None:
    found = settings_from(composed("experiment=paper"), GenerateSettings)
    assert found.n == 8000
    assert found.lm["model"] == "gpt-4o-2024-05-13"
    assert found.lms == {}
    assert found.steps["compose"][TARGET] == "modules.compose.MixedComposition"
    assert found.steps["simulate"]["parallel"] == "mixed"
    build_steps(found)


def test_the_config_of_the_simulated_server_lists_all_its_settings_with_their_defaults() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("simulate"), resolve=True)
    assert config == SimulateSettings().model_dump()


def test_the_config_of_publish_lists_all_its_settings_with_their_defaults() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("publish", ["repo=me/set", "run=mine"]), resolve=True)
    assert isinstance(config, dict)
    tracking = TrackingSettings().model_dump()
    expected = PublishSettings(repo="me/set", run=Path("mine"), tracking=TrackingSettings())
    assert config == {**expected.model_dump(mode="json"), "run": "mine", "tracking": tracking}


def test_a_command_line_goes_over_an_experiment() -> None:
    assert composed("experiment=paper", "n=5")["n"] == 5


@pytest.mark.parametrize("path", sorted(CONF.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_config_file_is_small(path: Path) -> None:
    content = yaml.safe_load(path.read_text()) or {}
    assert len(content) <= 12
    assert len(path.read_text().splitlines()) <= 40
