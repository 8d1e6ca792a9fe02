"""A published set taken back: its examples as records again, from the Hub, a laid-out folder or the run itself.

The text form (config `button`) holds the transcript and the functions without loss, `provenance` all the rest; the two
are read side by side, streamed.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from button.errors import UserError
from button.export.button_text import from_button
from button.publish.finished_run import opened_run
from button.publish.forms import BUTTON, PROVENANCE
from button.publish.front_matter import persons_part
from button.publish.licences import OTHER
from button.run_folder import JOURNAL
from signatures.records import Composition, Example, Problem, Split, Trajectory

CARD = "README.md"
HUB = "hub:"
FORMS_OF = "`hub:owner/name`, `hub:owner/name@v1.0` (a branch, tag or commit), or the folder of a run"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a data set lies: a folder or a name on the Hub, there with a branch, tag or commit (None: the newest)."""

    where: str
    revision: str | None = None

    @property
    def is_folder(self) -> bool:
        return Path(self.where).is_dir()

    def __str__(self) -> str:
        return f"{self.where}@{self.revision}" if self.revision else self.where


def reference(text: str) -> Reference:
    """What `hub:owner/name@revision`, or the path of a folder, refers to. Raises UserError for anything else."""
    if text.startswith(HUB):
        where, marked, revision = text.removeprefix(HUB).partition("@")
        owner, slash, name = where.partition("/")
        if not (owner and slash and name) or "/" in name or (marked and not revision):
            raise UserError(f"{text!r} names no data set; expected {FORMS_OF}")
        return Reference(where, revision or None)
    folder = Path(text).expanduser()
    if not folder.is_dir():
        raise UserError(f"{text!r} is no folder; expected {FORMS_OF}")
    return Reference(str(folder))


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A set of examples, wherever it lies. Nothing is read before `examples` is."""

    reference: Reference

    @property
    def name(self) -> str:
        """For reports: `owner/name@v1.0`, or the folder's name."""
        return Path(self.reference.where).resolve().name if self.reference.is_folder else str(self.reference)

    def examples(self) -> Iterator[Example]:
        """Its examples in the order in which their run accepted them, one by one; every pass gives the same.

        Raises UserError for a set that cannot be reached, or that this project did not publish.
        """
        folder = Path(self.reference.where)
        if self.reference.is_folder and (folder / JOURNAL).is_file():
            with opened_run(folder, unfinished=True) as run:
                yield from (traced.example for traced in run.examples())
            return
        with reading(self.reference):
            splits = [self._rows(split) for split in _splits(self.reference)]
            for _, example in heapq.merge(*splits, key=lambda row: row[0]):
                yield example

    def _rows(self, split: Split) -> Iterator[tuple[int, Example]]:
        said, known = (_streamed(self.reference, config, split) for config in (BUTTON, PROVENANCE))
        for text, origin in zip(said, known, strict=True):
            if text["id"] != origin["id"]:
                raise UserError(
                    f"{self.reference} ({split}): row {text['id']} of '{BUTTON}' stands beside row {origin['id']} of"
                    f" '{PROVENANCE}'; expected the same rows in the same order: publish the set anew"
                )
            yield origin["position"], example_from(text, origin, split)


def load_published(ref: str) -> TakenBack:
    """The set behind `hub:owner/name@v1.0`, a laid-out folder or a run folder. Raises UserError for no such place."""
    return TakenBack(reference(ref))


def example_from(said: Mapping[str, Any], origin: Mapping[str, Any], split: Split) -> Example:
    """The example behind a row of `button` and its row of `provenance`. Raises UserError where the text is broken."""
    row = from_button(said)
    ids = _ids(origin["lineage"])
    judged = origin["verdict"] is not None and origin["verdict"]["feasible"] is not None
    sub_tasks = [{"task": part["task"], "depends_on": part["depends_on"]} for part in origin["sub_tasks"]]
    composition = Composition.model_validate(
        {
            **ids[Composition.kind],
            **{name: origin[name] for name in ("scenario", "task", "strategy")},
            "sub_tasks": sub_tasks,
            "verdict": origin["verdict"] if judged else None,
        }
    )
    uses = [part["functions"] for part in origin["sub_tasks"]]
    problem = Problem.model_validate(
        {**ids[Problem.kind], "composition": composition, "functions": row.functions, "uses": uses}
    )
    trajectory = Trajectory.model_validate(
        {**ids[Trajectory.kind], "problem": problem, "parallel": row.parallel, "turns": row.turns}
    )
    evidence = {"measures": origin["measures"], "sources": origin["sources"]}
    return Example.model_validate({**ids[Example.kind], "trajectory": trajectory, "split": split, **evidence})


def is_published(configs: Iterable[str]) -> bool:
    """Whether a data set with these configs is one that this project publishes."""
    return {BUTTON, PROVENANCE} <= set(configs)


def licence_of(place: Reference) -> str | None:
    """The licence that the card of a published set names; None for "other", or where there is no card."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        if place.is_folder:
            path = Path(place.where) / CARD
        else:
            path = Path(hf_hub_download(place.where, CARD, repo_type="dataset", revision=place.revision))
        named = persons_part(path.read_text(encoding="utf-8")).data.get("license")
    except (EntryNotFoundError, FileNotFoundError):
        return None
    return named if isinstance(named, str) and named != OTHER else None


@contextmanager
def reading(place: Reference) -> Iterator[None]:
    """Raises UserError where `datasets` cannot read the set, or its rows are none of ours."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    # RuntimeError is how `datasets` refuses a data set that is a script; the others are rows of another shape.
    except (DatasetsError, OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        first = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise UserError(
            f"the published set '{place}' cannot be read: {first}; check the name, the tag, the network and, for a"
            " private one, HF_TOKEN"
        ) from error


def _ids(lineage: list[Mapping[str, str]]) -> dict[str, dict[str, str | None]]:
    """By kind, the id of the last record of that kind, and its parent's."""
    parents = [None, *(entry["id"] for entry in lineage)]
    return {
        entry["kind"]: {"id": entry["id"], "parent": parent} for entry, parent in zip(lineage, parents, strict=False)
    }


def _splits(place: Reference) -> list[Split]:
    from datasets import get_dataset_config_names, get_dataset_split_names

    configs = get_dataset_config_names(place.where, revision=place.revision)
    if not is_published(configs):
        raise UserError(
            f"'{place}' has the configs {', '.join(configs)}; expected a set that `button publish` made, with"
            f" '{BUTTON}' and '{PROVENANCE}'"
        )
    found: list[Split] = get_dataset_split_names(place.where, PROVENANCE, revision=place.revision)
    return found


def _streamed(place: Reference, config: str, split: Split) -> Iterable[dict[str, Any]]:
    from datasets import load_dataset

    rows: Iterable[dict[str, Any]] = load_dataset(
        place.where, config, split=split, revision=place.revision, streaming=True
    )
    return rows
