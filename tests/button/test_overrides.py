from pathlib import Path

import pytest

from button.errors import UserError
from button.overrides import prepared, sweep_name


@pytest.mark.parametrize(
    "word",
    [
        "lm.temperature=0.2",
        "lms.judge.model=x",
        "steps.dedup.threshold=0,1",
        "seeds.path=a=b",
        "export.rows=1",
        "lm.limits.x=1",
    ],
)
def test_an_argument_of_a_component_may_be_set_though_its_config_does_not_list_it(word: str) -> None:
    assert prepared([word]) == [f"++{word}"]


@pytest.mark.parametrize(
    "word",
    [
        "n=3",
        "lm=openai",
        "lm@lms.judge=openai",
        "~step@steps.judge",
        "+steps.mine.x=1",
        "budget.max_calls=3",
        "-m",
        "hydra.x=1",
    ],
)
def test_any_other_word_stays_as_it_is(word: str) -> None:
    assert prepared([word]) == [word]


def test_the_home_folder_may_be_written_as_a_tilde_which_the_shell_leaves_alone_here() -> None:
    assert prepared(["out=~/runs", "seeds.path=~/a b.txt", "n=1"]) == [
        f"out={Path.home()}/runs",
        f"++seeds.path={Path.home()}/a b.txt",
        "n=1",
    ]


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["n=1", "-m", "seed=0,1"], ["-m", "n=1", "seed=0,1"]),
        (["n=1", "--cfg", "job", "--resolve", "seed=1"], ["--cfg", "job", "--resolve", "n=1", "seed=1"]),
        (["n=1", "--info", "seed=1", "-cd", "a=b"], ["--info", "-cd", "a=b", "n=1", "seed=1"]),
        (["n=1", "-i", "defaults", "--config-dir=c", "-p"], ["-i", "defaults", "--config-dir=c", "-p", "n=1"]),
    ],
)
def test_flags_may_stand_anywhere(words: list[str], seen: list[str]) -> None:
    assert prepared(words) == seen


@pytest.mark.parametrize(
    "word", ["lm.api_key=sk-1", "+lms.judge.api_key=sk-1", "++lm.headers.Authorization=sk-1", "seeds.token=sk-1"]
)
def test_a_key_on_the_command_line_is_refused_and_not_repeated(word: str) -> None:
    with pytest.raises(UserError, match=r"keys come from the environment only") as refused:
        prepared([word])
    assert "sk-1" not in str(refused.value)


@pytest.mark.parametrize(
    ("words", "job", "name"),
    [
        (["-m", "n=1,2", "out=o"], ["n=1", "out=o"], "n-1"),
        (["-m", "--config-dir", "conf", "n=1,2"], ["n=1"], "n-1"),
        (["n=1,2", "seed=0,1", "lm=embedded"], ["n=2", "seed=1", "lm=embedded"], "n-2+seed-1"),
        (["++steps.dedup.threshold=0.8,0.9"], ["++steps.dedup.threshold=0.9"], "steps.dedup.threshold-0.9"),
        (["step@steps.compose=sequential,mixed"], ["step@steps.compose=mixed"], "step@steps.compose-mixed"),
        (["seeds=a/b,c"], ["seeds=a/b"], "seeds-a_b"),
        (["n=1"], ["n=1"], "7"),
        (["n=1,2", "out=a,b"], ["n=1", "out=a"], None),
        (["seed=1,2", "out=o-${seed}"], ["seed=1", "out=o-${seed}"], None),
    ],
)
def test_a_job_of_a_multirun_has_a_folder_named_after_what_sets_it_apart(
    words: list[str], job: list[str], name: str | None
) -> None:
    assert sweep_name(words, job, 7) == name


def test_a_long_name_is_cut_and_stays_apart() -> None:
    words = [f"seeds.path={'a' * 200},{'a' * 201}"]
    names = {sweep_name(words, [f"seeds.path={'a' * length}"], number) for number, length in enumerate((200, 201))}
    assert len(names) == 2
    assert all(name is not None and len(name) < 120 for name in names)
