"""`button compare` from the command line to its table and figure, on the simulated model."""

import csv
import io
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from comparing import Compared, compare
from generating import generate
from served import endpoint, served

from button.errors import UserError
from button.journal import Journal
from button.programs import program_of, save
from experiments.comparing import compare as comparing
from experiments.comparing.walks import paired, walks_in
from experiments.metrics.pipeline import PipelineMetric
from modules.task import AtomicTaskWriting

ARMS = ("n_seeds=7", "arms.no_filter=[~step@steps.judge]", "arms.one_call=[step@steps.simulate=write_trajectory]")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    return compare(tmp_path_factory.mktemp("compared"), *ARMS)


def test_every_arm_walks_the_same_seeds_in_a_run_folder_of_its_own(compared: Compared) -> None:
    assert compared.code == 0
    rows = list(csv.DictReader(io.StringIO((compared.out / "seeds.csv").read_text())))
    seeds = {arm: [row["seed"] for row in rows if row["arm"] == arm] for arm in ("base", "no_filter", "one_call")}
    assert len(seeds["base"]) == 7
    assert seeds["no_filter"] == seeds["one_call"] == seeds["base"]
    assert all((compared.out / arm / "button.jsonl").exists() for arm in seeds)


def test_the_figures_are_those_of_the_runs(compared: Compared) -> None:
    funnels = {arm: json.loads((compared.out / arm / "funnel.json").read_text()) for arm in ("base", "one_call")}
    calls = {arm: sum(count["lm_calls"] for count in funnel.values()) for arm, funnel in funnels.items()}
    found = compared.difference("one_call", "lm_calls")
    assert (found["base_value"], found["arm_value"]) == (calls["base"] / 7, calls["one_call"] / 7)
    assert found["difference"] < 0
    assert found["clear"]
    accepted = compared.difference("one_call", "accepted")
    assert accepted["arm_value"] == pytest.approx(100 * funnels["one_call"]["gate"]["out"] / 7)


def test_the_table_the_csv_and_the_json_say_the_same(compared: Compared) -> None:
    rows = list(csv.DictReader(io.StringIO((compared.out / "comparison.csv").read_text())))
    body = compared.body["differences"]
    assert [(row["arm"], row["measure"]) for row in rows] == [(row["arm"], row["measure"]) for row in body]
    assert [float(row["difference"] or "nan") for row in rows if row["difference"]] == [
        row["difference"] for row in body if row["difference"] is not None
    ]
    assert "accepted per 100 seeds" in compared.shown
    assert "LM calls per seed" in compared.shown
    assert compared.body["seeds"] == 7


def test_the_figure_is_a_png_of_a_readable_size(compared: Compared) -> None:
    content = (compared.out / "comparison.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert width > 1000
    assert height > 500


def test_with_an_arm_more_only_that_arm_walks_and_the_others_differ_as_before(
    compared: Compared, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(compared.out, tmp_path / "out"))
    more = compare(out, *ARMS, "arms.other=[seed=1]")
    assert more.said.count("nothing to do") == 3
    assert more.difference("other", "accepted")["pairs"] == 7
    assert more.difference("one_call", "lm_calls") == compared.difference("one_call", "lm_calls")


def test_an_arm_that_ends_short_is_gone_on_with_and_nothing_is_lost(compared: Compared, tmp_path: Path) -> None:
    out = tmp_path / "out"
    short = compare(out, *ARMS, "budget.max_calls=40")
    assert short.code == 3
    assert "arm base ended short, so nothing is compared yet" in short.said
    assert not (out / "comparison.csv").exists()
    whole = compare(out, *ARMS)
    assert whole.code == 0
    assert (out / "comparison.csv").read_bytes() == (compared.out / "comparison.csv").read_bytes()


def test_an_endpoint_that_fails_in_the_middle_is_told_with_its_arm(tmp_path: Path) -> None:
    with served() as server:
        failing = f"arms.failing=[lm=endpoint,lm.api_base={server.url},lm.model=unlisted]"
        failed = compare(tmp_path / "out", "n_seeds=2", failing)
    assert failed.code == 2
    assert "arm failing: " in failed.said
    assert "the same command goes on" in failed.said
    assert (tmp_path / "out" / "base" / "button.jsonl").exists()


def test_what_is_finished_is_compared_again_without_its_endpoint(tmp_path: Path) -> None:
    with served() as server:
        words = (*endpoint(server), "n_seeds=2", "arms.other=[seed=1]", "metrics=[trajectory]")
        whole = compare(tmp_path / "out", *words)
        asked = server.traffic.summary()["calls"]
        assert compare(tmp_path / "out", *words).shown == whole.shown
        assert server.traffic.summary()["calls"] == asked
    again = compare(tmp_path / "out", *words)
    assert (again.code, again.shown) == (0, whole.shown), again.said


def test_a_judge_that_agrees_with_nobody_is_refused_before_an_arm_runs_unless_that_is_allowed(tmp_path: Path) -> None:
    words = ("n_seeds=1", "arms.no_filter=[~step@steps.judge]", "metrics=[trajectory]", "lm@lms.judge=simulated")
    poor = (*words, "lms.judge.flaws={judge_yes: 1}")
    refused = compare(tmp_path / "out", *poor)
    assert refused.code == 2
    assert "the judge does not agree with the hand-labelled set (trajectory: kappa " in refused.said
    assert not (tmp_path / "out" / "base").exists()
    allowed = compare(tmp_path / "out", *poor, "allow_uncalibrated=true")
    assert allowed.code == 0, allowed.said
    assert "its scores say little" in allowed.said
    assert compare(tmp_path / "out", *poor).code == 2


def test_what_goes_to_mlflow_has_no_local_paths_in_it(tmp_path: Path) -> None:
    compared = compare(tmp_path / "out", "n_seeds=1", "arms.no_filter=[~step@steps.judge]")
    assert str(tmp_path) not in (compared.out / "comparison.json").read_text()
    assert compared.body["config"]["arms"]["no_filter"] == ["~step@steps.judge"]


def test_a_comparison_scores_whole_arms_with_the_metric_pipeline(tmp_path: Path) -> None:
    words = ("n_seeds=7", "arms.one_call=[step@steps.simulate=write_trajectory]", "metrics=[pipeline]")
    compared = compare(tmp_path / "out", *words, "metric.twin=0.9")
    funnel = json.loads((compared.out / "one_call" / "funnel.json").read_text())
    with closing(Journal(compared.out / "one_call" / "run.db")) as journal:
        examples = list(journal.examples())
    calls = sum(count["lm_calls"] for count in funnel.values())
    metric = PipelineMetric(twin=0.9)
    found = compared.difference("one_call", "score/pipeline")
    assert found["arm_value"] == pytest.approx(metric.of_run(examples, seeds=7, calls=calls).value)
    figures = metric.figures(examples, seeds=7, calls=calls)
    for measure, value in (
        ("accepted", figures.per_100_seeds),
        ("accepted_per_call", figures.per_1k_calls),
        ("diversity", figures.diversity),
        ("distinct", 100 * figures.distinct),
    ):
        assert compared.difference("one_call", measure)["arm_value"] == pytest.approx(value), measure


def test_a_folder_of_another_comparison_is_refused_with_the_keys_that_differ(compared: Compared) -> None:
    other = compare(compared.out, *ARMS, "n_seeds=8")
    assert other.code == 2
    assert "arm base" in other.said
    assert "seeds.limit: 7 there, 8 here" in other.said


def test_arms_that_walked_other_seeds_are_not_compared(tmp_path: Path) -> None:
    first, second = (generate(tmp_path / f"{limit}", "n=null", "draws=1", f"seeds.limit={limit}") for limit in (2, 3))
    with pytest.raises(UserError, match="did not walk the same seeds"):
        paired({"a": walks_in(first.out), "b": walks_in(second.out)})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "two arms or more"),
        (("arms.b=[steps.nothing.x=1]",), "arms.b: "),
        (("arms.b=[steps.compose.nothing=1]",), "arms.b: steps.compose.nothing: "),
        (("arms.b=[~step@steps.gate]",), "arms.b: the steps end with Trajectory"),
        (("arms.b=[lm.nothing=1]",), "arms.b: lm.nothing: "),
        (("arms.b=[seed=1]", "lm.nothing=1"), "lm.nothing: "),
        (("arms.b=[seed=1]", "metrics=[nothing]"), "there is no metric 'nothing'; they are: "),
        (("arms.b=[seed=1]", "metrics=[composition]"), "scores the step 'compose'"),
        (("arms.b=[seed=1]", "metrics=[pipeline]", "metric.judge_weight=0"), "metric.judge_weight: "),
        (("arms.b=[programs=/nope]",), "arms.b: programs=/nope: there is no program in it"),
        (("arms.b=[export.nothing=1]",), "arms.b: export.nothing: "),
        (("arms.b=[seed=1]", "seeds.nothing=1"), "seeds.nothing: "),
        (
            ("arms.b=[lm@lms.judge=endpoint,lms.judge.model=x,lms.judge.api_base=http://127.0.0.1:9/v1]",),
            "arms.b: no server answers at http://127.0.0.1:9/v1",
        ),
        (
            ("arms.b=[lm@lms.judge=endpoint,lms.judge.model=x,lms.judge.api_base=http://127.0.0.1:9/v1]",),
            "or set lms.judge.api_base to where it is",
        ),
        (("arms.b=[seed=1]", "confidence=95"), "confidence=95"),
        (("arms.b=[seed=1]", "n_seeds=0"), "n_seeds=0"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    refused = compare(tmp_path / "out", *words)
    assert refused.code == 2
    assert said in refused.said
    assert "Traceback" not in refused.said
    assert not (tmp_path / "out").exists()


def test_a_program_that_fits_no_step_of_an_arm_is_refused_before_anything_runs(tmp_path: Path) -> None:
    program = program_of("compose", AtomicTaskWriting())
    save(program, tmp_path / "tuned" / "compose.json")
    refused = compare(tmp_path / "out", f"arms.tuned=[programs={tmp_path / 'tuned'}]")
    assert refused.code == 2
    assert "arms.tuned: " in refused.said
    assert program.fingerprint in refused.said
    assert not (tmp_path / "out").exists()


def test_a_folder_keeps_one_identity_for_its_mlflow_run(tmp_path: Path) -> None:
    first, again = comparing._identity(tmp_path), comparing._identity(tmp_path)
    (tmp_path / "other").mkdir()
    assert first == again != comparing._identity(tmp_path / "other")


def test_arms_find_the_configs_in_a_folder_of_the_users_own(tmp_path: Path) -> None:
    folder = tmp_path / "my conf" / "experiment"
    folder.mkdir(parents=True)
    (folder / "terse.yaml").write_text("# @package _global_\nsteps: {task: {max_words: 25}}\n")
    words = ("--config-dir", str(folder.parent), "n_seeds=3", "arms.terse=[experiment=terse]")
    compared = compare(tmp_path / "compared", *words)
    assert compared.code == 0, compared.said
    limits = [
        yaml.safe_load((compared.out / arm / "config.yaml").read_text())["steps"]["task"]["max_words"]
        for arm in ("base", "terse")
    ]
    assert limits == [30, 25]
