"""Lays a finished run out as the folder that is published: data files, figures and card.

    README.md                                       the card, with the YAML that tells readers where the data is
    data/<config>/<split>-00000-of-00001.parquet    `button.publish.forms`; a split without rows has no file
    figures/*.png

The same run gives the same data files, byte for byte, and the same card. Rows stand in the order in which they were
accepted and columns are cut by their content (see `button.export.parquet`), so a re-publish moves little. The run is
read twice, row by row: first everything is inspected, then written; memory holds one chunk of rows a file.
"""

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from button.errors import UserError
from button.publish.card import Card, CardFacts, published_value, splits_of, write_card
from button.publish.figures import draw_figures
from button.publish.finished_run import FinishedRun, opened_run
from button.publish.forms import FORMS
from button.publish.inspection import Inspected, Selection, inspect
from button.publish.licences import published_licence
from button.publish.model_terms import models_of
from button.publish.prompts import prompts_of
from button.publish.secret_patterns import SecretPatterns, known_here
from signatures.records import SPLITS

CARD = "README.md"
DATA = "data"
FIGURES = "figures"
MOST_FILES = 48  # the Hub takes up to 50 in one commit; the upload adds one of its own
ROWS_A_CHUNK = 250
MEGABYTE = 10**6

Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1)]
Words = tuple[Name, ...]


class LayoutSettings(BaseModel):
    """What a user may say of the set; null leaves it to the published card, the run or the usual."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Name | None = Field(None, description="the name that the card shows; null: the repo's")
    license: Name | None = Field(None, description="the Hub's name of a licence; null: what the seeds ask for")
    allow_license: bool | Words = Field(
        False, description="true, or the licences or sources of seeds that you may publish although they are refused"
    )
    language: Words | None = Field(None, description="codes such as [en]; null: English")
    authors: Words = Field((), description="for the citation: ['Ada Lovelace', ...]")
    year: Annotated[int, Field(ge=2024, le=9999)] | None = Field(None, description="for the citation")
    test_share: Share | None = Field(None, description="cut the splits anew by scenario; null: as the run did")
    validation_share: Share | None = Field(None, description="see test_share")
    leave_out: Words = Field((), description="ids of rows that stay unpublished")
    accept_rows: Words = Field((), description="ids of rows that look as if they held a secret, and do not")
    unfinished: bool = Field(False, description="true: publish also a run that stopped short of its n")
    shard_mb: Annotated[int, Field(ge=1)] = Field(500, description="megabytes after which a data file ends")


@dataclass(frozen=True, slots=True)
class Publication:
    """A laid-out set: its folder, the rows of each split that has any, and a hash of data files and generated card.

    Figures are not part of the `fingerprint`: they follow from the data, and another matplotlib draws other bytes.
    """

    folder: Path
    rows: Mapping[str, int]
    fingerprint: str


def lay_out(
    run: Path, folder: Path, *, repo: str, overrides: LayoutSettings, published_card: str | None
) -> Publication:
    """Lay the run in `run` out in `folder`, which is empty, new, or holds an earlier layout, which is replaced.

    `published_card` is the README.md that the repo has now: what a person added to it is kept. Raises UserError for a
    run that is none, unfinished or empty, for seeds whose licence does not allow it, for rows that look as if they held
    secrets, and for a published card that cannot be read; the folder is then as it was, or empty.
    """
    with opened_run(run, unfinished=overrides.unfinished) as source:
        patterns = SecretPatterns(known_here(source.config, run))
        selection = Selection(frozenset(overrides.leave_out), overrides.test_share, overrides.validation_share)
        inspected = inspect(source, selection, patterns, overrides.accept_rows)
        licence = published_licence(
            inspected.statistics.seeds,
            chosen=overrides.license or _text(published_value(published_card, "license")),
            allowed=overrides.allow_license,
        )
        _cleared(folder)
        try:
            _write_data(source, selection, folder / DATA, overrides.shard_mb * MEGABYTE)
            figures = draw_figures(folder, inspected.statistics, source.funnel)
            facts = _facts(source, inspected, repo, licence, figures, overrides, published_card)
            card = write_card(facts, published_card)
            _check_card(card, patterns)
            (folder / CARD).write_text(card.text, encoding="utf-8")
            _check_count(folder, overrides.shard_mb)
        except BaseException:  # raised again: half a layout must not be taken for one
            _cleared(folder)
            raise
        return Publication(folder, splits_of(inspected.statistics), _fingerprint(folder, card))


def _facts(
    source: FinishedRun,
    inspected: Inspected,
    repo: str,
    licence: str,
    figures: tuple[str, ...],
    overrides: LayoutSettings,
    published_card: str | None,
) -> CardFacts:
    language = published_value(published_card, "language")
    spoken = [language] if isinstance(language, str) else language
    return CardFacts(
        repo=repo,
        title=overrides.title or _text(published_value(published_card, "pretty_name")) or repo.rpartition("/")[2],
        licence=licence,
        allowed=bool(overrides.allow_license),
        language=overrides.language or tuple(map(str, spoken or ())) or ("en",),
        authors=overrides.authors,
        year=overrides.year,
        statistics=inspected.statistics,
        funnel=source.funnel,
        models=models_of(source.config),
        prompts=prompts_of(source.config, source.folder),
        row=inspected.shown,
        figures=figures,
    )


def _write_data(source: FinishedRun, selection: Selection, folder: Path, bytes_a_shard: int) -> None:
    # Imported here because it brings pyarrow and `datasets`, which `--help` need not wait for.
    from button.export.parquet import SplitWriter

    with ExitStack() as stack:
        writers = {}
        for form in FORMS:
            (folder / form.name).mkdir(parents=True)
            for split in SPLITS:
                writer = SplitWriter(
                    folder / form.name,
                    split,
                    columns=form.columns(),
                    described=form.described,
                    bytes_a_shard=bytes_a_shard,
                    rows_a_chunk=ROWS_A_CHUNK,
                )
                stack.callback(writer.close)
                writers[form.name, split] = writer
        for traced, split in selection.of(source):
            for form in FORMS:
                try:
                    writers[form.name, split].add(form.row(traced))
                except ValueError as error:
                    raise UserError(
                        f"row {traced.example.id} cannot be published as '{form.name}': {error}; leave it out with"
                        f" leave_out=[{traced.example.id}]"
                    ) from error
    for writer in writers.values():
        writer.finish()


def _cleared(folder: Path) -> None:
    """An empty folder. Raises UserError where it holds anything but an earlier layout."""
    folder.mkdir(parents=True, exist_ok=True)
    ours = {CARD, DATA, FIGURES}
    if foreign := sorted(path.name for path in folder.iterdir() if path.name not in ours and path.name[0] != "."):
        raise UserError(f"{folder} holds {', '.join(foreign[:5])}; expected an empty folder: choose another")
    for name in (DATA, FIGURES):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / CARD).unlink(missing_ok=True)


def _check_card(card: Card, patterns: SecretPatterns) -> None:
    """The card shows a chosen few facts; this makes sure of it."""
    for found in patterns.in_value(card.generated):
        raise UserError(
            f"the card would show a secret ({found.kind} {found.shown}): look for it in the names of the run's steps,"
            " models and seeds, in its prompts and in your title and authors"
        )


def _check_count(folder: Path, shard_mb: int) -> None:
    count = sum(path.is_file() for path in folder.rglob("*"))
    if count > MOST_FILES:
        raise UserError(
            f"the set would have {count} files, at most {MOST_FILES} go into one commit: raise shard_mb={shard_mb}"
        )


def _fingerprint(folder: Path, card: Card) -> str:
    found = hashlib.sha256(card.generated.encode())
    for path in sorted((folder / DATA).rglob("*.parquet")):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.update(f"\n{path.relative_to(folder).as_posix()} {digest}".encode())
    return found.hexdigest()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
