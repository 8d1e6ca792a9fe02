import hashlib
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from generating import generate
from laid_out import examples_of, finished_run, laid_out, publication, run_of
from strategies import build_example, weather_example

from button.errors import UserError
from button.export.button_text import to_button
from button.export.openai_messages import to_openai
from button.export.sharegpt import to_sharegpt
from button.publish.finished_run import TracedExample
from button.publish.forms import FORMS, PROVENANCE
from button.publish.layout import MOST_FILES, _check_count
from signatures.records import SPLITS, AssistantTurn, SubTask, UserTurn

CONFIGS = [form.name for form in FORMS]
PLAIN = [form.name for form in FORMS if form.name != "default"]


def load(folder: Path, config: str, cache: Path) -> dict[str, list[dict[str, Any]]]:
    loaded = datasets.load_dataset(str(folder), config, cache_dir=str(cache))
    return {split: [present(row) for row in rows] for split, rows in loaded.items()}


def present(value: Any) -> Any:
    """Arrow fills the keys that a message or a source lacks with None."""
    if isinstance(value, dict):
        return {key: present(part) for key, part in value.items() if part is not None}
    return [present(part) for part in value] if isinstance(value, list) else value


def expected(traced: TracedExample, config: str) -> dict[str, Any]:
    example = traced.example
    if config == "default":
        return {key: present(value) for key, value in to_openai(example).items() if key != "meta"}
    return {"id": example.id, **(to_button(example) if config == "button" else to_sharegpt(example))}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("config", ["default", "button", "sharegpt"])
def test_a_config_loads_back_with_every_row_of_the_run_in_its_split_and_order(config: str, tmp_path: Path) -> None:
    loaded = load(laid_out().folder, config, tmp_path)

    examples = examples_of(finished_run())
    assert list(loaded) == list(SPLITS), "the run of the tests has rows in all splits"
    for split, rows in loaded.items():
        assert rows == [expected(traced, config) for traced in examples if traced.example.split == split]


def test_provenance_walks_each_row_back_to_its_seed(tmp_path: Path) -> None:
    rows = {row["id"]: row for split in load(laid_out().folder, PROVENANCE, tmp_path).values() for row in split}

    for traced in examples_of(finished_run()):
        row, example = rows[traced.example.id], traced.example
        kinds = [entry["kind"] for entry in row["lineage"]]
        assert (kinds[:2], kinds[-4:]) == (["seed", "scenario"], ["composition", "problem", "trajectory", "example"])
        assert [entry["id"] for entry in row["lineage"]] == [record.id for record in traced.lineage]
        assert row["seed"]["source"] == "builtin"
        assert row["seed"]["license"] == "Apache-2.0"
        assert row["position"] == traced.position
        assert row["measures"] == example.measures.model_dump()
        assert row["sources"] == [source.model_dump(exclude_none=True) for source in example.sources]
        assert row["scenario"] == example.trajectory.problem.composition.scenario
        assert row["verdict"]["feasible"] is True
        assert [part["functions"] for part in row["sub_tasks"]] == [list(u) for u in example.trajectory.problem.uses]


def test_the_publication_counts_the_rows_of_each_split() -> None:
    examples = [traced.example for traced in examples_of(finished_run())]
    assert laid_out().rows == {split: sum(e.split == split for e in examples) for split in SPLITS}


def test_the_same_run_gives_the_same_bytes_and_fingerprint(tmp_path: Path) -> None:
    again = publication(finished_run(), tmp_path / "again")

    assert digests(again.folder) == digests(laid_out().folder)
    assert again.fingerprint == laid_out().fingerprint
    assert len(digests(again.folder)) == len(CONFIGS) * len(SPLITS) + 3


def test_the_fingerprint_tells_another_row_and_another_card(tmp_path: Path) -> None:
    dropped = examples_of(finished_run())[0].example.id
    fewer = publication(finished_run(), tmp_path / "fewer", leave_out=[dropped])
    titled = publication(finished_run(), tmp_path / "titled", title="Another")

    assert len({laid_out().fingerprint, fewer.fingerprint, titled.fingerprint}) == 3
    data = [
        {name: digest for name, digest in digests(p.folder).items() if name.startswith("data")}
        for p in (laid_out(), titled)
    ]
    assert data[0] == data[1]
    assert sum(fewer.rows.values()) == 23
    assert dropped not in {
        row["id"] for rows in load(fewer.folder, "button", tmp_path / "cache").values() for row in rows
    }


@pytest.mark.parametrize("config", PLAIN)
def test_the_other_configs_are_plain_columns_that_old_readers_take(config: str) -> None:
    """Tried by hand with `datasets` 2.21, 3.6 and 4.4: they load these, and stumble over a note of newer features."""
    for file in (laid_out().folder / "data" / config).iterdir():
        schema = pq.read_schema(file)
        assert not schema.metadata
        assert "extension" not in str(schema)
        if config == "sharegpt":
            turns = "list<element: struct<from: string, value: string>>"
            assert [str(field.type) for field in schema] == ["string", turns, "string", "string"]


def test_the_splits_can_be_cut_anew_by_scenario(tmp_path: Path) -> None:
    cut = publication(finished_run(), tmp_path / "set", test_share=1)

    assert dict(cut.rows) == {"test": 24}
    assert sorted(path.name for path in (cut.folder / "data").rglob("*.parquet")) == ["test-00000-of-00001.parquet"] * 4
    assert list(load(cut.folder, "default", tmp_path / "cache")) == ["test"]


def test_an_earlier_layout_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [weather_example(), weather_example(first="Bergen", split="test")])
    publication(run, tmp_path / "set")
    publication(run, tmp_path / "set", test_share=0, validation_share=0)
    assert not list((tmp_path / "set").rglob("test-*"))

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"mine holds thesis\.tex; expected an empty folder"):
        publication(run, tmp_path / "mine")
    assert digests(tmp_path / "mine").keys() == {"thesis.tex"}


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run=.*missing is not there"):
        publication(tmp_path / "missing", tmp_path / "set")
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match=r"photos is no run folder: it has no run\.db"):
        publication(tmp_path / "photos", tmp_path / "set")
    (tmp_path / "photos" / "run.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match=r"run\.db"):
        publication(tmp_path / "photos", tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_an_unfinished_run_is_refused_until_it_is_asked_for(tmp_path: Path) -> None:
    ran = generate(tmp_path / "run", "n=500", "budget.max_calls=120", "executor.rows=4")
    assert ran.code == 3

    with pytest.raises(UserError, match=r"is not finished: \d+ of 500 trajectories are accepted; .* unfinished=true"):
        publication(ran.out, tmp_path / "set")
    assert sum(publication(ran.out, tmp_path / "set", unfinished=True).rows.values()) == len(ran.examples) > 0


def test_a_run_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no accepted trajectory"):
        publication(run_of(tmp_path / "run", []), tmp_path / "set")


def test_a_run_without_its_funnel_is_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [weather_example()])
    (run / "funnel.json").write_text('{"seeds": 3}')
    with pytest.raises(UserError, match=r"funnel\.json cannot be read"):
        publication(run, tmp_path / "set")


def test_a_row_that_a_form_cannot_hold_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    turns = (UserTurn(content="Hi."), UserTurn(content="Hello?"), AssistantTurn(thought="", final="Yes."))
    broken = build_example(scenario="a", sub_tasks=(SubTask(task="Wait."),), functions=(), uses=((),), turns=turns)
    run = run_of(tmp_path / "run", [weather_example(), broken])

    with pytest.raises(UserError, match=r"row \w{16} cannot be published as 'sharegpt': .* leave_out=\[\w{16}\]"):
        publication(run, tmp_path / "set")
    assert list((tmp_path / "set").iterdir()) == []


def test_an_id_that_no_row_has_is_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [weather_example()])
    with pytest.raises(UserError, match="name 0123: the run has no such row"):
        publication(run, tmp_path / "set", leave_out=["0123"])


def test_more_files_than_a_commit_takes_are_refused(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"{number}").touch()
    with pytest.raises(UserError, match=rf"{MOST_FILES + 1} files, at most {MOST_FILES} .*: raise shard_mb=1"):
        _check_count(tmp_path, 1)
