import hashlib
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from strategies import build_example, weather_example

from button.errors import UserError
from button.export.button_text import from_button, to_button
from button.export.dataset import ExportCounts, write_exports
from button.export.openai_messages import features, to_openai
from button.export.sharegpt import to_sharegpt
from signatures.records import SPLITS, AssistantTurn, Call, Example, Result, Split, SubTask, ToolTurn, UserTurn


def _examples(train: int, test: int, validation: int = 0) -> list[Example]:
    """Neighbours with other arguments, both modes, those of all splits in turn."""
    counts: dict[Split, int] = {"test": test, "validation": validation, "train": train}
    splits = [split for split, count in counts.items() for _ in range(count)]
    return [
        weather_example(first=f"City {number}", parallel=number % 2 == 0, split=split)
        for number, split in enumerate(splits)
    ]


def _load(out: Path, cache: Path) -> dict[str, list[dict[str, Any]]]:
    loaded = datasets.load_dataset(str(out / "dataset"), cache_dir=str(cache))
    assert all(split.features == features() for split in loaded.values())
    return {name: [_present(row) for row in split] for name, split in loaded.items()}


def _present(row: dict[str, Any]) -> dict[str, Any]:
    """Arrow fills the keys that a message lacks with None."""
    messages = [{key: value for key, value in message.items() if value is not None} for message in row["messages"]]
    return {**row, "messages": messages}


def _digests(out: Path) -> dict[str, str]:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_load_dataset_reads_every_row_back_as_objects(tmp_path: Path) -> None:
    examples = _examples(train=5, test=2, validation=1)

    counts = write_exports(tmp_path / "run", examples, rows_a_shard=3)

    assert counts == ExportCounts(train=5, validation=1, test=2)
    loaded = _load(tmp_path / "run", tmp_path / "cache")
    assert list(loaded) == ["train", "validation", "test"]
    for split, rows in loaded.items():
        assert rows == [to_openai(example) for example in examples if example.split == split]
    booking = loaded["train"][0]["messages"][-3]["tool_calls"][0]["function"]["arguments"]
    assert booking == {"city": "Rome", "seats": ["4A", "4B"], "options": {"meal": None, "bags": 2}}


def test_load_dataset_keeps_numbers_and_keys_as_they_are(tmp_path: Path) -> None:
    arguments = {"pi": 3.141592653589793, "sum": 0.1 + 0.2, "big": 2**64 - 1, "": {"é </call>": [True, None, "\x00"]}}
    call = Call(name="compute", arguments=arguments)
    example = build_example(
        scenario="computing",
        sub_tasks=(SubTask(task="Compute."),),
        functions=(),
        uses=((),),
        turns=(
            UserTurn(content="Compute it."),
            AssistantTurn(thought="", calls=(call,)),
            ToolTurn(results=(Result(name="compute", arguments=arguments, results=[1, "two", {"three": 3.0}]),)),
            AssistantTurn(thought="", final="Done."),
        ),
    )

    write_exports(tmp_path / "run", [example])

    assert _load(tmp_path / "run", tmp_path / "cache")["train"] == [to_openai(example)]


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_without_examples_has_no_file_and_the_other_loads(tmp_path: Path, split: str) -> None:
    write_exports(tmp_path / "run", _examples(**{"train": 0, "test": 0, split: 2}))

    assert [path.name for path in (tmp_path / "run" / "dataset").iterdir()] == [f"{split}-00000-of-00001.parquet"]
    assert list(_load(tmp_path / "run", tmp_path / "cache")) == [split]


def test_no_examples_leave_an_empty_dataset_folder_and_empty_files(tmp_path: Path) -> None:
    assert write_exports(tmp_path, []) == ExportCounts(train=0, validation=0, test=0)

    assert list((tmp_path / "dataset").iterdir()) == []
    assert (tmp_path / "button.jsonl").read_bytes() == (tmp_path / "sharegpt.jsonl").read_bytes() == b""


def test_the_text_files_hold_every_example_in_the_given_order(tmp_path: Path) -> None:
    examples = _examples(train=2, test=1)

    write_exports(tmp_path, examples)

    lines = (tmp_path / "button.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [to_button(example) for example in examples]
    assert [from_button(json.loads(line)).turns for line in lines] == [e.trajectory.turns for e in examples]
    lines = (tmp_path / "sharegpt.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [to_sharegpt(example) for example in examples]


def test_load_dataset_reads_the_text_files(tmp_path: Path) -> None:
    examples = _examples(train=2, test=1)
    write_exports(tmp_path, examples)

    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("button", "sharegpt")}
    for name, form in (("button", to_button), ("sharegpt", to_sharegpt)):
        loaded = datasets.load_dataset("json", data_files=files[name], cache_dir=str(tmp_path / "cache"), split="train")
        assert list(loaded) == [form(example) for example in examples]


def test_the_same_examples_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_exports(tmp_path / name, iter(_examples(train=5, test=2)), rows_a_shard=2)

    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")
    assert len(_digests(tmp_path / "one")) == 3 + 1 + 2


def test_a_new_export_replaces_the_old_shards(tmp_path: Path) -> None:
    write_exports(tmp_path, _examples(train=4, test=2), rows_a_shard=2)

    write_exports(tmp_path, _examples(train=1, test=0))

    written = ["button.jsonl", "dataset/train-00000-of-00001.parquet", "sharegpt.jsonl"]
    assert list(_digests(tmp_path)) == written


def test_a_failing_export_leaves_the_earlier_one_untouched(tmp_path: Path) -> None:
    write_exports(tmp_path, _examples(train=2, test=1))
    before = _digests(tmp_path)

    def cut_short() -> Iterator[Example]:
        yield from _examples(train=5, test=0)
        raise ConnectionError("the journal is gone")

    with pytest.raises(ConnectionError):
        write_exports(tmp_path, cut_short())
    assert _digests(tmp_path) == before
    assert not (tmp_path / ".export").exists()


def test_leftovers_of_a_killed_export_do_not_get_into_the_next(tmp_path: Path) -> None:
    leftover = tmp_path / ".export" / "dataset" / "train-00007.parquet"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a file")

    write_exports(tmp_path, _examples(train=1, test=0))

    assert [path.name for path in (tmp_path / "dataset").iterdir()] == ["train-00000-of-00001.parquet"]
    assert not (tmp_path / ".export").exists()


def test_an_example_that_no_format_can_hold_is_named(tmp_path: Path) -> None:
    turns = (UserTurn(content="Hi."), UserTurn(content="Hello?"))
    example = build_example(
        scenario="waiting", sub_tasks=(SubTask(task="Wait."),), functions=(), uses=((),), turns=turns
    )

    with pytest.raises(ValueError, match=f"example {example.id} cannot be exported"):
        write_exports(tmp_path, [example])


def test_a_shard_of_no_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="rows_a_shard is 0; expected at least 1"):
        write_exports(tmp_path, [], rows_a_shard=0)


def test_examples_are_let_go_as_they_are_written(tmp_path: Path) -> None:
    alive: list[int] = []
    made: list[weakref.ref[Example]] = []

    def stream() -> Iterator[Example]:
        for number in range(50):
            example = weather_example(first=f"City {number}")
            made.append(weakref.ref(example))
            alive.append(sum(reference() is not None for reference in made))
            yield example

    write_exports(tmp_path, stream())

    assert max(alive) <= 2
