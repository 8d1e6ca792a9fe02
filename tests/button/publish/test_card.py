import ast
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets
import pytest
import yaml
from chat_templates import TRL, needs_trl, rendered
from huggingface_hub import DatasetCard
from laid_out import REPO, examples_of, finished_run, laid_out, publication, run_of
from llama_factory import accept
from strategies import weather_example

from button.export.render import render_text
from button.publish.card import cell, fenced, percent
from signatures.records import SPLITS


def card_of(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    """The card's code blocks in a language, pointed to the folder where they name the repo."""
    blocks: list[str] = re.findall(
        rf"^```{language}\n(.*?)\n^```$", card_of(laid_out().folder), re.MULTILINE | re.DOTALL
    )
    return [block.replace(REPO, str(laid_out().folder)) for block in blocks]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_the_metadata_is_what_the_hub_takes() -> None:
    card = DatasetCard(card_of(laid_out().folder))
    data = card.data.to_dict()  # type: ignore[no-untyped-call]

    assert data["license"] == "apache-2.0"
    assert data["language"] == ["en"]
    assert data["pretty_name"] == "button-test"
    assert data["task_categories"] == ["text-generation"]
    assert data["size_categories"] == ["n<1K"]
    assert {"function-calling", "synthetic"} <= set(data["tags"])
    assert [config["config_name"] for config in data["configs"]] == ["default", "button", "sharegpt", "provenance"]
    assert [config.get("default") for config in data["configs"]] == [True, None, None, None]
    assert data["configs"][2]["data_files"] == [
        {"split": split, "path": f"data/sharegpt/{split}-*"} for split in SPLITS
    ]


def test_a_row_is_shown_as_it_is_rendered_elsewhere() -> None:
    first = next(t.example for t in examples_of(finished_run()) if t.example.split == "train")
    assert render_text(first, width=96).rstrip() in card_of(laid_out().folder)


def test_the_snippet_that_loads_runs_and_prints_the_calls(capsys: pytest.CaptureFixture[str]) -> None:
    loading, _ = snippets("python")

    exec(compile(loading, "the card", "exec"), {})  # the reader does just that

    first = next(t.example for t in examples_of(finished_run()) if t.example.split == "train")
    calls = [call for turn in first.trajectory.turns if turn.role == "assistant" for call in turn.calls]
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(" ", 1)[0] for line in printed] == [call.name for call in calls]
    assert [ast.literal_eval(line.split(" ", 1)[1]) for line in printed] == [call.arguments for call in calls]


class _Trainer:
    """Stands for TRL's trainer, which needs torch; keeps what it is given."""

    made: "list[_Trainer]" = []  # noqa: RUF012

    def __init__(self, **given: Any) -> None:
        self.given = given
        self.made.append(self)

    def train(self) -> None:
        self.given["trained"] = True


@needs_trl
def test_the_snippet_for_trl_gives_its_templates_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("trl")
    fake.__dict__.update(SFTTrainer=_Trainer, SFTConfig=dict)
    monkeypatch.setitem(sys.modules, "trl", fake)
    _, training = snippets("python")

    exec(compile(training, "the card", "exec"), {})

    given = _Trainer.made[-1].given
    assert given["trained"]
    assert given["train_dataset"].column_names == ["messages", "tools"]
    assert len(given["eval_dataset"]) == laid_out().rows["validation"]
    assert TRL is not None
    settings = (TRL / "trainer" / "sft_config.py").read_text()
    assert all(re.search(rf"^    {name}: ", settings, re.MULTILINE) for name in given["args"])
    for row in given["train_dataset"]:
        text = rendered("qwen3_training", row)
        assert "<tool_call>" in text
        assert "None" not in text


def test_the_entry_for_llama_factory_leads_to_rows_that_it_takes() -> None:
    (entry,) = snippets("json")
    found = json.loads(entry)["button-test"]

    rows = datasets.load_dataset(found["hf_hub_url"], found["subset"], split=found["split"])

    assert found["formatting"] == "sharegpt"
    assert len(rows) == laid_out().rows["train"]
    for row in rows:
        accept(row[found["columns"]["messages"]])
        assert isinstance(row[found["columns"]["system"]], str)
        assert json.loads(row[found["columns"]["tools"]])


def test_the_entry_for_axolotl_leads_to_messages_and_tools() -> None:
    (entry,) = snippets("yaml")
    (found,) = yaml.safe_load(entry)["datasets"]

    (row,) = datasets.load_dataset(found["path"], found["name"], split=f"{found['split']}[:1]")

    assert found["type"] == "chat_template"
    assert row[found["field_messages"]][0]["role"] == "system"
    assert row[found["field_tools"]][0]["type"] == "function"


def test_statistics_and_funnel_are_those_of_the_run() -> None:
    text = card_of(laid_out().folder)
    measures = [traced.example.measures for traced in examples_of(finished_run())]
    funnel = json.loads((finished_run() / "funnel.json").read_text())

    assert f"| tool rounds | {sum(m.rounds for m in measures) / 24:.2f} | 2.60 |" in text
    assert f"| calls | {sum(m.calls for m in measures) / 24:.2f} | |" in text
    assert "| argument values traced to their source | 100 % | |" in text
    for step, count in funnel.items():
        dropped = ", ".join(f"{cell(reason)} {rows}" for reason, rows in count["dropped"].items())
        assert f"| {cell(step)} | {count['in']} | {count['out']} | {dropped} |" in text


def test_models_prompts_and_cautions_stand_in_the_card() -> None:
    text = card_of(laid_out().folder)
    assert "**Do not train on it.**" in text
    assert "Name the everyday situation behind this text." in text
    assert "arXiv" in text or "arxiv.org/abs/2410.12952" in text
    assert f"url    = {{https://huggingface.co/datasets/{REPO}}}" in text


def test_the_figures_of_the_card_are_there_and_light() -> None:
    figures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", card_of(laid_out().folder))
    assert len(figures) == 2
    for name in figures:
        content = (laid_out().folder / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 60_000


PRIVATE = {
    "lm": {
        "_target_": "button.lms.endpoint.Endpoint",
        "api_base": "http://gpu7.corp.example:9999/v1",
        "model": f"/{'srv'}/checkpoints/ada-secret-dir/button-ft",
        "api_key_env": "CORP_GATEWAY_VARIABLE",
        "dialect": {"extra_body": {"tenant": "blue-tenant"}},
    },
    "lms": {"judge": {"_target_": "button.lms.stock.Stock", "model": "anthropic/judge-model"}},
    "out": f"/{'srv'}/outputs/ada-run",
    "tracking": {"uri": "http://mlflow.corp.example:5000"},
    "seeds": {"_target_": "button.seeds.list.ListSeeds", "path": f"/{'srv'}/ada-seeds/calls.csv"},
}


def test_addresses_paths_and_settings_of_the_run_reach_no_file(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [weather_example()], config=PRIVATE, source=f"/{'srv'}/ada-seeds/calls.csv#1")
    folder = publication(run, tmp_path / "set").folder

    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for private in (b"corp.example", b"ada-", b"srv/", b"CORP_GATEWAY", b"blue-tenant", str(tmp_path).encode()):
        assert private not in everything
    text = card_of(folder)
    assert "| button-ft | scenario, evolve, task," in text
    assert "| anthropic/judge-model | judge | served by anthropic: its terms of use apply" in text
    assert "| calls.csv | mit | 1 |" in text


def test_what_data_says_cannot_end_a_block_or_the_generated_part(tmp_path: Path) -> None:
    nasty = weather_example(first="Oslo\n```\n# Ha <!-- button:generated:end --> |")
    run = run_of(tmp_path / "run", [nasty])
    first = publication(run, tmp_path / "set")
    text = card_of(first.folder)

    assert text.count("<!-- button:generated:end") == 1
    assert "````text\n" in text
    assert card_of(publication(run, tmp_path / "again", published_card=text).folder) == text


def test_the_licence_of_the_set_follows_the_seeds(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [weather_example()], license="CC BY-SA 4.0")
    assert "license: cc-by-sa-4.0" in card_of(publication(run, tmp_path / "set").folder)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a|b\n<i>`c`", "a\\|b \\<i\\>\\`c\\`"), ("near_duplicate", "near_duplicate"), ("_a_", "\\_a\\_")],
)
def test_a_cell_cannot_be_left(value: str, expected: str) -> None:
    assert cell(value) == expected


def test_a_fence_is_longer_than_any_inside() -> None:
    assert fenced("a\n````\nb", "json") == "`````json\na\n````\nb\n`````"


@pytest.mark.parametrize(("share", "text"), [(1, "100 %"), (0.99999, "99.9 %"), (0.5, "50.0 %"), (0, "0.0 %")])
def test_a_share_is_never_rounded_up_to_all(share: float, text: str) -> None:
    assert percent(share) == text
