import json
import os
import subprocess
import sys
from pathlib import Path

import datasets
import pytest
from hub_server import HubServer
from hypothesis import given
from laid_out import examples_of, finished_run, laid_out, rooted
from strategies import examples, for_examples

from button.errors import UserError
from button.publish.finished_run import TracedExample
from button.publish.forms import FORMS
from button.publish.taken_back import Reference, example_from, load_published, reference
from signatures.records import Example, Seed

ROOT = Path(__file__).parents[3]
ROWS = {form.name: form.row for form in FORMS}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_laid_out_set_gives_the_examples_of_its_run_in_their_order() -> None:
    taken = load_published(str(laid_out().folder))

    expected = [traced.example for traced in examples_of(finished_run())]
    assert list(taken.examples()) == expected
    assert list(load_published(str(finished_run())).examples()) == expected
    assert taken.name == "set"


@for_examples
@given(examples())
def test_any_example_comes_back_from_its_rows(example: Example) -> None:
    lineage = rooted(example)
    grown = lineage[-1]
    assert isinstance(grown, Example)
    said, origin = (
        json.loads(json.dumps(ROWS[form](TracedExample(7, grown, lineage)))) for form in ("button", "provenance")
    )

    assert example_from(said, origin, example.split) == grown


READING = """
import sys
from button.errors import UserError
from button.publish.taken_back import load_published
from button.seeds.hub import HubSeeds
for example in load_published("hub:me/demo@v1.0").examples():
    print("example", example.model_dump_json())
for seed in HubSeeds("hub:me/demo@v1.0"):
    print("seed", seed.model_dump_json())
try:
    list(load_published("hub:me/demo").examples())
except UserError as error:
    print(type(error).__name__, str(error))
"""


def test_a_published_set_is_read_from_the_hub_at_its_tag_and_its_scenarios_are_seeds(
    hub: HubServer, tmp_path: Path
) -> None:
    folder, repo = laid_out().folder, hub.store.create("me/demo", "dataset")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    repo.tags["v1.0"] = repo.push(files)
    repo.push(dict.fromkeys(files))

    # A process of its own: the clients read the Hub's address when they are imported.
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path)}
    environment |= {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", READING], env=environment, capture_output=True, text=True, check=True, timeout=120
    )

    said = [line.partition(" ")[::2] for line in done.stdout.splitlines()]
    examples = [traced.example for traced in examples_of(finished_run())]
    assert [Example.model_validate_json(text) for kind, text in said if kind == "example"] == examples
    seeds = [Seed.model_validate_json(text) for kind, text in said if kind == "seed"]
    train = [example for example in examples if example.split == "train"]
    assert [seed.text for seed in seeds] == list(
        dict.fromkeys(example.trajectory.problem.composition.scenario for example in train)
    )
    assert {(seed.form, seed.license) for seed in seeds} == {("scenario", "apache-2.0")}
    assert seeds[0].source == "me/demo@v1.0#1"
    assert said[-1][0] == "UserError"
    assert said[-1][1].startswith("the published set 'me/demo' cannot be read: ")


@pytest.mark.parametrize(
    ("text", "found"),
    [("hub:me/name", Reference("me/name")), ("hub:me/name@v1.0", Reference("me/name", "v1.0"))],
)
def test_a_reference_names_a_set_and_its_revision(text: str, found: Reference) -> None:
    assert reference(text) == found
    assert str(reference(text)) == text.removeprefix("hub:")


@pytest.mark.parametrize("text", ["hub:name", "hub:/name", "hub:me/", "hub:me/name@", "hub:me/a/b", "me/name", ""])
def test_what_names_no_set_is_refused_with_the_forms_that_do(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if not text:
        text = "no such folder"
    with pytest.raises(UserError, match=r"expected `hub:owner/name`, `hub:owner/name@v1\.0`"):
        reference(text)


def test_a_data_set_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"text": "a"}')
    with pytest.raises(UserError, match=r"has the configs default; expected a set that `button publish` made"):
        list(load_published(str(tmp_path)).examples())


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        list(load_published(str(tmp_path)).examples())
