import json
from pathlib import Path

import pytest
import yaml
from publishing import write_program

from button.errors import UserError
from button.programs import load
from button.publish.programs import lay_out_programs
from button.publish.settings import PublishSettings


def card_of(prompts: Path, folder: Path, published: str | None = None, **settings: object) -> str:
    folder.mkdir()
    found = PublishSettings.model_validate({"programs": prompts, "repo": "me/set", **settings})
    lay_out_programs(folder, found, published_card=published)
    return (folder / "README.md").read_text()


def test_the_programs_are_copied_as_they_are_and_the_card_shows_them(prompts: Path, tmp_path: Path) -> None:
    write_program(prompts, "compose", "Write a fence:\n```\nand <!-- button:generated:end -->")
    text = card_of(prompts, tmp_path / "laid")
    assert (tmp_path / "laid" / "judge.json").read_bytes() == (prompts / "judge.json").read_bytes()
    for step in ("compose", "judge"):
        assert f"## {step}\n\nFingerprint `{load(prompts / f'{step}.json').fingerprint}`" in text
    assert "### `ask`, 1 demo" in text
    assert "````text\nWrite a fence:\n```\nand <! -- button:generated:end -->\n````" in text
    assert yaml.safe_load(text.split("---")[1])["viewer"] is False


def test_what_a_person_added_is_kept_and_stays_once(prompts: Path, tmp_path: Path) -> None:
    first = card_of(prompts, tmp_path / "first", license="mit", title="My prompts")
    mine = first.replace("tags:\n", "datasets:\n- me/set\ntags:\n- mine\n") + "\nMine.\n"
    second = card_of(prompts, tmp_path / "second", mine, title="My prompts")
    assert second == card_of(prompts, tmp_path / "third", second, title="My prompts")
    data = yaml.safe_load(second.split("---")[1])
    assert (data["license"], data["datasets"], data["tags"].count("mine")) == ("mit", ["me/set"], 1)
    assert second.endswith("\nMine.\n")
    assert "# My prompts\n" in second


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no <step>\.json; expected the folder that button optimize wrote"):
        card_of(tmp_path / "nothing", tmp_path / "laid")


def test_a_program_under_another_name_is_refused(prompts: Path, tmp_path: Path) -> None:
    (prompts / "judge.json").rename(prompts / "task.json")
    with pytest.raises(UserError, match=r"is the program of the step 'judge': name it judge\.json"):
        card_of(prompts, tmp_path / "laid")


def test_a_program_that_was_edited_is_refused(prompts: Path, tmp_path: Path) -> None:
    content = json.loads((prompts / "judge.json").read_text())
    content["predictors"]["ask"]["instructions"] = "Say yes."
    (prompts / "judge.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="was changed after it was written"):
        card_of(prompts, tmp_path / "laid")


@pytest.mark.parametrize("secret", ["hf_" + "aB3dE5gH7j" * 4, "https://somebody:password1@host.example/v1"])
def test_a_secret_in_a_program_stops_the_publish_without_being_shown(
    secret: str, prompts: Path, tmp_path: Path
) -> None:
    write_program(prompts, "judge", f"Judge with {secret} always.")
    with pytest.raises(UserError, match=r"judge\.json, predictors\.ask\.instructions: ") as refused:
        card_of(prompts, tmp_path / "laid")
    assert secret not in str(refused.value)
    assert list((tmp_path / "laid").iterdir()) == []
