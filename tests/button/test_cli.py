import os
import subprocess
import sys
from pathlib import Path

import pytest

from button.cli import VERBS, Verb, main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, so that a run that was not refused, or Hydra, would leave its traces there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def scripted_verb(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`button generate` runs a script: `seed` says how it ends, and it writes down the folder it was given."""
    (elsewhere / "scripted_verb.py").write_text(
        "import errno\n"
        "from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "from button.errors import UserError\n"
        "ERRORS = {2: UserError('mend me'), 28: OSError(28, 'No space left on device', '/full/run.db'),\n"
        "          131: KeyboardInterrupt()}\n"
        "async def run(settings):\n"
        "    with Path('ran').open('a') as file:\n"
        "        file.write(f'{settings.out}\\n')\n"
        "    if settings.seed in ERRORS:\n"
        "        raise ERRORS[settings.seed]\n"
        "    return SimpleNamespace(exit_code=settings.seed)\n"
    )
    monkeypatch.syspath_prepend(elsewhere)
    monkeypatch.setitem(VERBS, "generate", Verb("a script", "button.config:GenerateSettings", "scripted_verb:run"))


def folders(elsewhere: Path) -> list[str]:
    """The run folders that the script was given, in the order of its runs."""
    return [str(Path(line).relative_to(elsewhere)) for line in (elsewhere / "ran").read_text().splitlines()]


def button(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "button.cli", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_process_refuses_a_wrong_value_with_exit_code_2_and_one_line(elsewhere: Path) -> None:
    ended = button("generate", "n=0")
    assert ended.returncode == 2
    assert ended.stderr.startswith("button generate: n=0 (integer): should be greater than or equal to 1")
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["n=-1"], "n=-1 (integer): should be greater than or equal to 1; it is the number of accepted trajectories"),
        (["n=2.5"], "n=2.5 (number): should be a valid integer"),
        (["n=abc"], "n='abc' (text): should be a valid integer"),
        (["n=null"], "draws=null (null): should be a number where n is null"),
        (["nn=3"], "nn=3: there is no nn here; did you mean n?; the keys here are: "),
        (["budget.max_call=3"], "did you mean budget.max_calls?; the keys of budget are: max_calls, max_cost"),
        (["+extra=1"], "extra: no such key here; the keys are: n, seed, out, "),
        (["lm=nope"], "lm=nope: there is no such option; lm can be: embedded, "),
        (["step@steps.compose=nope"], "step@steps.compose=nope: there is no such option; step can be: compose"),
        (["lm@lms.judge=magic"], "lm@lms.judge=magic: there is no such option; lm can be: embedded, "),
        (["lm@lms.jugde=embedded"], "there is no lms.jugde here; did you mean lms.judge?; the keys of lms are: "),
        (["~step@steps.nope"], "~step@steps.nope: there is no steps.nope here"),
        (["lm=null"], "a group takes the name of one of its options"),
        (["n=["], "'n=[' is not understood"),
        (["out=a (b)"], "'out=a (b)' is not understood; write key=value, and quote a value that holds special"),
        (["n=1,2"], "to run one job a value add -m"),
        (["seeds=list"], "seeds.path is required: give it as seeds.path=..."),
        (["experiment=paper", "seeds=glaive", "n=x"], "seeds.path is required"),
        (["steps.judge._target_=os.system"], "steps.judge._target_='os.system' is refused: a target must lie in "),
        (["+steps.mine._target_=my_pkg.MyStep"], "add its package with allow_targets=[my_pkg]"),
        (["+lm.inner._target_=subprocess.run"], "lm.inner._target_='subprocess.run' is refused"),
        (["steps.nope.tries=3"], "steps.nope="),
        (["lm.api_key=sk-1"], "keys come from the environment only"),
        (["show=some"], "show='some' (text): should be all, none, or a number of trajectories"),
        (["tracking.trace_ratio=2"], "tracking.trace_ratio=2 (integer): should be less than or equal to 1"),
        (["tracking=none", "tracking.uri=x"], "tracking.uri=x: there is no tracking.uri here"),
        (["out=${nope}"], "Interpolation key 'nope' not found"),
        (["--experimental-rerun", "x.pickle"], "--experimental-rerun is no flag here"),
        (["--config-name", "other"], "--config-name is no flag here"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_key_value_and_what_is_allowed(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], elsewhere: Path
) -> None:
    assert main(["generate", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("button generate: ")
    assert message in error
    assert "Traceback" not in error
    assert "sk-1" not in error
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["port=70000"], "port=70000 (integer): should be less than or equal to 65535"),
        (["faults.cut=2"], "faults.cut=2 (integer): should be less than or equal to 1"),
        (["faults.cut=0.6", "faults.slow=0.6"], "the rates of all faults add up to 1.2, expected 1 at most"),
        (["latency=3"], "latency=3: there is no latency here; did you mean latency_ms?"),
    ],
)
def test_the_simulated_server_refuses_what_does_not_fit(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *words]) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_verb_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generat"]) == 2
    assert f"'generat' is no verb; the verbs are: {', '.join(VERBS)}" in capsys.readouterr().err


def test_without_a_verb_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: button VERB" in capsys.readouterr().err
    assert main(["--help"]) == 0
    assert "usage: button VERB" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_shows_its_groups_and_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"button {verb}: ")
    assert f"  button {verb}" in out
    assert "--cfg job" in out
    assert "$(button -sc install=bash)" in out
    assert "$APP_CONFIG_GROUPS" not in out


def test_the_composed_config_is_shown_and_nothing_runs(capsys: pytest.CaptureFixture[str], elsewhere: Path) -> None:
    assert (
        main(["generate", "--cfg", "job", "n=3", "~step@steps.judge", "lm@lms.user=embedded", "steps.task.tries=5"])
        == 0
    )
    out = capsys.readouterr().out
    assert "'n': 3" in out
    assert "CompositionFilter" not in out
    assert "tries: 5" in out
    assert list(elsewhere.iterdir()) == []


def test_the_origin_of_the_config_is_shown() -> None:
    assert "step/gate" in button("generate", "--info", "defaults").stdout


@pytest.mark.usefixtures("scripted_verb")
@pytest.mark.parametrize(
    ("seed", "code", "message"),
    [
        (0, 0, ""),
        (3, 3, ""),
        (130, 130, ""),
        (2, 2, "button generate: mend me\n"),
        (
            28,
            2,
            "button generate: /full/run.db: No space left on device; make room or give another place with out=...\n",
        ),
        (131, 130, "button generate: interrupted; the same command goes on from here\n"),
    ],
)
def test_the_exit_code_says_how_the_run_ended(
    seed: int, code: int, message: str, capsys: pytest.CaptureFixture[str], elsewhere: Path
) -> None:
    assert main(["generate", f"seed={seed}", "out=o"]) == code
    assert capsys.readouterr().err == message
    assert folders(elsewhere) == ["o"]


@pytest.mark.usefixtures("scripted_verb")
def test_the_jobs_of_a_multirun_have_folders_of_their_own_and_leave_nothing_else(elsewhere: Path) -> None:
    assert main(["generate", "-m", "seed=0,3", "step@steps.compose=mixed,sequential", "out=o"]) == 3
    assert folders(elsewhere) == [
        f"o/seed-{seed}+step@steps.compose-{step}" for seed in (0, 3) for step in ("mixed", "sequential")
    ]
    left = {str(path.relative_to(elsewhere)) for path in elsewhere.rglob("*") if "__pycache__" not in path.parts}
    assert left == {"o", "o/multirun.yaml", "ran", "scripted_verb.py"}


@pytest.mark.usefixtures("scripted_verb")
def test_a_multirun_goes_on_after_a_job_that_failed_but_not_after_an_interrupt(elsewhere: Path) -> None:
    assert main(["generate", "-m", "seed=2,3,0"]) == 2
    assert len(folders(elsewhere)) == 3
    assert main(["generate", "-m", "seed=130,0"]) == 130
    assert len(folders(elsewhere)) == 4


def test_each_job_of_a_multirun_is_checked_and_the_exit_code_tells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "-m", "n=0,-1"]) == 2
    error = capsys.readouterr().err
    assert "n=0 (integer)" in error
    assert "n=-1 (integer)" in error
    assert "BUTTON_SWEEP" not in os.environ


def test_a_bug_is_a_traceback_and_no_user_error(elsewhere: Path) -> None:
    (elsewhere / "broken").mkdir()
    (elsewhere / "broken" / "__init__.py").write_text("")
    (elsewhere / "broken" / "steps.py").write_text("raise ValueError('a bug')")
    ended = button(
        "generate", "n=1", "tracking=none", "out=o", "allow_targets=[broken]", "steps.scenario._target_=broken.steps.X"
    )
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "ValueError: a bug" in ended.stderr


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("button ", "generate"),
        ("button gen", "generate"),
        ("button generate l", "lm="),
        ("button generate lm=emb", "lm=embedded"),
        ("button generate step@steps.compose=par", "step@steps.compose=parallel_then_sequential"),
        ("button simulate faults.s", "faults.slow="),
        ("button generate n=3 budget.", "budget.max_calls="),
        ("button generate lm@lms.judge=", "lm@lms.judge=embedded"),
    ],
)
def test_shell_completion_knows_verbs_groups_options_and_keys(
    line: str, offered: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    assert main(["-sc", "query=bash"]) == 0
    assert offered in capsys.readouterr().out.split()


def test_completion_works_in_a_real_bash(elsewhere: Path) -> None:
    (elsewhere / "button").write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.argv[0] = \'button\';'
                                      ' from button.cli import main; sys.exit(main())" "$@"\n')  # fmt: skip
    (elsewhere / "button").chmod(0o755)
    script = (
        'eval "$(button -sc install=bash)"; COMP_LINE="button generate lm=emb"; COMP_POINT=${#COMP_LINE}; COMP_CWORD=2;'
        ' hydra_bash_completion; echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{elsewhere}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout.split() == ["lm=embedded"]
