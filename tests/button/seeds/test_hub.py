import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from button.errors import UserError
from button.seeds.hub import HubSeeds

ROOT = Path(__file__).parents[3]


def test_a_folder_of_parquet_is_streamed_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "my_set"
    folder.mkdir()
    pq.write_table(pa.table({"title": ["booking a train", None, "planting a tree"]}), folder / "train.parquet")
    source = HubSeeds(str(folder))
    seeds = list(source)
    assert [(seed.text, seed.source) for seed in seeds] == [
        ("booking a train", "my_set#1"),
        ("planting a tree", "my_set#3"),
    ]
    assert source.skipped == {"empty": 1}
    assert list(source) == seeds
    assert list(HubSeeds(str(folder), limit=1)) == seeds[:1]


def test_a_known_data_set_is_recognized_and_a_named_column_goes_before(tmp_path: Path) -> None:
    row = {"query": "hello", "api_list": [{"category_name": "Travel"}], "title": "the title"}
    (tmp_path / "train.jsonl").write_text(json.dumps(row))
    (seed,) = HubSeeds(str(tmp_path))
    assert (seed.text, seed.form, seed.domain) == ("hello", "query", "Travel")
    assert [seed.text for seed in HubSeeds(str(tmp_path), column="title")] == ["the title"]


def test_a_split_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"text": "a"}')
    with pytest.raises(UserError, match=r"split dev, .* cannot be read after row 0: .*dev.*train"):
        list(HubSeeds(str(tmp_path), split="dev"))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read after row 0"):
        list(HubSeeds(str(tmp_path)))


def test_a_file_is_refused_with_the_way_to_read_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}')
    with pytest.raises(UserError, match=r"a\.jsonl is a file, .* use seeds=file seeds\.path=.*a\.jsonl"):
        HubSeeds(str(tmp_path / "a.jsonl"))


def published(folder: Path, licence: str | None = None) -> str:
    """A folder laid out as `button publish` does it, with four rows of three scenarios."""
    rows = [
        {
            "scenario": scenario,
            "domain": "travel",
            "lineage": [{"kind": "seed", "id": "0"}],
            "seed": {"license": "mit"},
        }
        for scenario in ("booking a train", "planting a tree", "booking a train", "cooking for two")
    ]
    for config in ("button", "provenance"):
        (folder / config).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), folder / config / "train.parquet")
    configs = [{"config_name": name, "data_files": f"{name}/*"} for name in ("button", "provenance")]
    data = {"configs": configs, **({"license": licence} if licence else {})}
    (folder / "README.md").write_text(f"---\n{json.dumps(data)}\n---\n")
    return str(folder)


@pytest.mark.parametrize(("licence", "noted"), [("cc-by-4.0", "cc-by-4.0"), ("other", "mit"), (None, "mit")])
def test_of_a_published_set_each_scenario_is_a_seed_under_its_licence(
    licence: str | None, noted: str, tmp_path: Path
) -> None:
    source = HubSeeds(published(tmp_path / "mine", licence))

    seeds = list(source)

    assert [(seed.text, seed.source) for seed in seeds] == [
        ("booking a train", "mine#1"),
        ("planting a tree", "mine#2"),
        ("cooking for two", "mine#4"),
    ]
    assert {(seed.form, seed.domain, seed.license) for seed in seeds} == {("scenario", "travel", noted)}
    assert source.skipped == {"repeated": 1}
    assert list(source) == seeds
    assert [seed.text for seed in HubSeeds(str(tmp_path / "mine"), config="button", column="domain", limit=1)] == [
        "travel"
    ]


def test_a_revision_is_given_once() -> None:
    with pytest.raises(
        UserError, match=r"seeds\.name=hub:me/mine@v1\.0 names a revision, and seeds\.revision=v2 another"
    ):
        HubSeeds("hub:me/mine@v1.0", revision="v2")
    with pytest.raises(UserError, match="'hub:mine' names no data set"):
        HubSeeds("hub:mine")
    assert HubSeeds("hub:me/mine", revision="v2").name == "me/mine"


def test_an_unreachable_data_set_is_named_with_what_to_do(tmp_path: Path) -> None:
    # A process of its own: `datasets` reads the switch for working offline when it is imported.
    code = (
        "import sys\nfrom button.errors import UserError\nfrom button.seeds.hub import HubSeeds\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        next(iter(HubSeeds(name)))\n    except UserError as error:\n        print(error)\n"
    )
    names = ["no-such-owner/no-such-set", "not a name"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *names], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    for name, message in zip(names, done.stdout.splitlines(), strict=True):
        assert f"data set '{name}' (config default, split train, revision default) cannot be read" in message
        assert "check the name, the network and, for a private one, HF_TOKEN" in message
