from pathlib import Path
from typing import Any

import pytest
import yaml
from laid_out import publication, run_of
from strategies import weather_example

from button.errors import UserError
from button.publish.front_matter import BEGIN, END, persons_part


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("card") / "run", [weather_example()])


def published(run: Path, folder: Path, card: str | None = None, **settings: Any) -> str:
    return (publication(run, folder, published_card=card, **settings).folder / "README.md").read_text(encoding="utf-8")


def metadata(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return found


def test_a_card_that_nobody_touched_is_written_again_to_the_byte(run: Path, tmp_path: Path) -> None:
    first = published(run, tmp_path / "set")
    assert published(run, tmp_path / "set", first) == first


def test_what_a_person_wrote_around_our_part_stays_and_our_part_is_written_anew(run: Path, tmp_path: Path) -> None:
    first = published(run, tmp_path / "set")
    edited = first.replace(BEGIN, f"# Thanks\n\nTo Ada.\n\n{BEGIN}") + "\n## Errata\n\nNone yet.\n"
    edited = edited.replace("## Limits", "## No limits at all")

    second = published(run, tmp_path / "set", edited)

    above, _, rest = second.partition(BEGIN)
    ours, _, below = rest.partition(END)
    assert above.endswith("---\n\n# Thanks\n\nTo Ada.\n\n")
    assert below == "\n\n## Errata\n\nNone yet.\n"
    assert "## Limits" in ours
    assert "No limits at all" not in second
    assert published(run, tmp_path / "set", second) == second


def test_keys_and_tags_that_a_person_added_stay(run: Path, tmp_path: Path) -> None:
    first = published(run, tmp_path / "set")
    edited = first.replace("tags:\n", "tags:\n- cooking\n").replace(
        "---\n\n", "extra_gated_prompt: Say hello\nviewer: false\n---\n\n", 1
    )

    found = metadata(published(run, tmp_path / "set", edited))

    assert found["extra_gated_prompt"] == "Say hello"
    assert found["viewer"] is False
    assert found["tags"] == [*metadata(first)["tags"], "cooking"]


def test_an_edit_of_licence_name_and_language_lasts_until_the_settings_say_otherwise(run: Path, tmp_path: Path) -> None:
    first = published(run, tmp_path / "set")
    edited = first.replace("license: apache-2.0", "license: mit").replace(
        "pretty_name: button-test", "pretty_name: Ada's"
    )
    edited = edited.replace("- en\n", "- de\n")

    kept = metadata(published(run, tmp_path / "set", edited))
    assert (kept["license"], kept["pretty_name"], kept["language"]) == ("mit", "Ada's", ["de"])
    told = metadata(published(run, tmp_path / "set", edited, license="cc-by-4.0", title="Mine", language=["fr"]))
    assert (told["license"], told["pretty_name"], told["language"]) == ("cc-by-4.0", "Mine", ["fr"])


def test_a_card_written_by_hand_stays_whole_and_ours_comes_after_it(run: Path, tmp_path: Path) -> None:
    by_hand = "---\nlicense: mit\n---\n# My set\r\n\r\nWritten by me.\r\n"

    card = published(run, tmp_path / "set", by_hand)

    above, _, rest = card.partition(BEGIN)
    assert above.endswith("---\n\n# My set\n\nWritten by me.\n\n")
    assert metadata(card)["license"] == "mit"
    assert "## Limits" in rest
    assert published(run, tmp_path / "set", card) == card


def test_a_card_without_yaml_gets_it(run: Path, tmp_path: Path) -> None:
    card = published(run, tmp_path / "set", "Just words.")
    assert metadata(card)["license"] == "apache-2.0"
    assert "Just words." in card


def test_a_config_of_a_person_stays_and_what_describes_an_earlier_set_goes(run: Path, tmp_path: Path) -> None:
    extra = {"config_name": "errata", "data_files": "errata.jsonl"}
    data = {
        "configs": [extra, {"config_name": "default", "data_files": "old/*"}],
        "dataset_info": [{"config_name": "default", "features": []}, {"config_name": "errata", "features": []}],
    }
    found = metadata(published(run, tmp_path / "set", f"---\n{yaml.safe_dump(data)}---\n"))

    assert [config["config_name"] for config in found["configs"]] == [
        *("default", "button", "sharegpt", "provenance", "errata")
    ]
    assert found["dataset_info"] == [{"config_name": "errata", "features": []}]
    alone = f"---\n{yaml.safe_dump({'dataset_info': {'features': []}})}---\n"
    assert "dataset_info" not in metadata(published(run, tmp_path / "set", alone))


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("---\nlicense: [mit\n---\n", "the YAML of the published card cannot be read"),
        ("---\n- mit\n---\n", "the YAML of the published card is a list; expected keys and values"),
        (f"words\n{BEGIN}\nours", "has 1 '<!-- button:generated:begin' and 0 "),
        (f"{END}\nwords\n{BEGIN}", "in this order"),
        (f"{BEGIN}\n{END}\n{BEGIN}\n{END}", "has 2 .* and 2 "),
    ],
)
def test_a_broken_card_is_refused_with_what_to_do(card: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        persons_part(card)
