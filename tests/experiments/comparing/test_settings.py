from pathlib import Path
from typing import Any

import pytest
from hydra import compose as composed
from hydra import initialize_config_dir
from omegaconf import OmegaConf

from button.cli import CONF
from button.config import settings_from
from button.errors import UserError
from button.steps import build_steps
from experiments.comparing.settings import CompareSettings, arms_of

SIMULATED = {"_target_": "button.lms.simulated.Simulated", "seed": 7}
SEEDS = {"_target_": "button.seeds.builtin.BuiltinSeeds"}


def settings(**changes: Any) -> CompareSettings:
    fields = {"arms": {"base": (), "b": ("~step@steps.judge",)}, "seeds": SEEDS, "out": "compared", "lm": SIMULATED}
    return CompareSettings(**{**fields, **changes})


def test_an_arm_is_generates_config_with_its_words_and_what_all_arms_share() -> None:
    arms = arms_of(settings(n_seeds=9, draws=2, seed=5))
    assert list(arms) == ["base", "b"]
    assert "judge" in arms["base"].steps
    assert "judge" not in arms["b"].steps
    for name, arm in arms.items():
        assert (arm.n, arm.draws, arm.seed, arm.seeds["limit"]) == (None, 2, 5, 9)
        assert arm.out == Path.cwd() / "compared" / name
        assert (arm.lm, arm.show, arm.tracking) == (SIMULATED, "none", None)


def test_all_seeds_are_those_that_the_source_gives_by_itself() -> None:
    assert "limit" not in arms_of(settings(n_seeds=None))["base"].seeds


def test_an_arm_builds_on_the_models_of_the_comparison_or_takes_its_own() -> None:
    arms = arms_of(
        settings(
            arms={"base": (), "warm": ("lm.persistent=0.9",), "other": ("lm=ollama", "lm.model=tiny")},
            lms={"judge": {**SIMULATED, "seed": 8}},
        )
    )
    assert arms["warm"].lm == {**SIMULATED, "persistent": 0.9}
    assert arms["other"].lm["model"] == "tiny"
    assert [arm.lms["judge"]["seed"] for arm in arms.values()] == [8, 8, 8]


def test_an_arm_may_have_its_own_randomness() -> None:
    assert arms_of(settings(arms={"base": (), "again": ("seed=1",)}))["again"].seed == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("step@steps.judg=judge",), r"arms\.b: step@steps\.judg=judge: .*did you mean steps\.judge"),
        (("experiment=nothing",), r"arms\.b: experiment=nothing: there is no such option"),
        (("steps.x",), r"arms\.b: "),
        (("[a=1",), r"arms\.b: '\[a=1' is not understood"),
        (("seeds.limit=3",), r"arms\.b: seeds\.limit=3: all arms share `seeds`; give the comparison seeds="),
        (("seeds=file",), r"all arms share `seeds`"),
        (("n=3",), r"all arms share `n`; give the comparison n_seeds="),
        (("draws=3",), r"all arms share `draws`"),
        (("out=x",), r"all arms share `out`"),
        (("~tracking",), r"all arms share `tracking`"),
        (("lm.api_key=x",), r"arms\.b: lm\.api_key is not taken from the command line"),
        (("seed=x",), r"arms\.b: seed='x'"),
        ((), r"arms\.b: makes the same data as arms\.base"),
        (("executor.rows=3",), r"arms\.b: makes the same data as arms\.base"),
        (("+steps.mine._target_=os.system",), r"arms\.b: .*is refused"),
    ],
)
def test_a_wrong_arm_is_refused_by_its_name(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said):
        arms_of(settings(arms={"base": (), "b": words}))


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ({"base": []}, "two arms or more, there is base"),
        ({}, "two arms or more, there is none"),
        ({"base": [], "b": "seed=1"}, r"arms\.b='seed=1' \(text\): should be a list of words"),
        ({"base": [], "b": [3]}, "should be a list of words"),
        ({"base": [], "../b": []}, "should match pattern"),
    ],
)
def test_arms_that_are_none_are_refused(arms: dict[str, Any], said: str) -> None:
    config = {"arms": arms, "seeds": SEEDS, "out": "x", "lm": SIMULATED}
    with pytest.raises(UserError, match=said):
        settings_from(config, CompareSettings)


@pytest.mark.parametrize("option", sorted(path.stem for path in (CONF / "arms").glob("*.yaml")))
def test_every_set_of_arms_in_the_configs_is_one(option: str) -> None:
    more = ["++arms.b=['seed=1']"] if option == "base" else []
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = OmegaConf.to_container(composed("compare", [f"arms={option}", "lm=simulated", *more]), resolve=True)
    assert isinstance(config, dict)
    for arm in arms_of(settings_from({str(key): value for key, value in config.items()}, CompareSettings)).values():
        build_steps(arm)
