"""Tuned prompts as a repo: a folder of programs (`<step>.json`, see `button.programs`) and a card that shows them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from button.errors import UserError
from button.programs import Program, load
from button.publish.card import cell, fenced
from button.publish.front_matter import PersonsPart, assembled, persons_part
from button.publish.layout import CARD, Publication
from button.publish.secret_patterns import SecretPatterns, known_here
from button.publish.settings import PublishSettings
from signatures.records import content_hash

TAGS = ("button-instruct", "dspy", "prompts", "function-calling", "tool-use", "synthetic")


def lay_out_programs(folder: Path, settings: PublishSettings, *, published_card: str | None) -> Publication:
    """Copies the programs of the settings to `folder` and writes their card, with what a person added to it kept.

    Raises UserError where there are none, one is not whole or not named after its step, or a secret stands in one.
    """
    source = settings.source
    programs = {path.name: _program(path) for path in sorted(source.glob("*.json"))}
    if not programs:
        raise UserError(f"programs={source} holds no <step>.json; expected the folder that button optimize wrote")
    _refuse_secrets(source, list(programs))
    for name in programs:
        shutil.copyfile(source / name, folder / name)
    card = _card(settings, list(programs.values()), persons_part(published_card))
    (folder / CARD).write_text(card, encoding="utf-8")
    return Publication(folder, {}, content_hash([program.hash for program in programs.values()]))


def _program(path: Path) -> Program:
    program = load(path)
    if path.stem != program.step:
        raise UserError(f"{path} is the program of the step '{program.step}': name it {program.step}.json")
    return program


def _refuse_secrets(source: Path, names: list[str]) -> None:
    """Instructions and demos come from models and from data: either may repeat what it was shown."""
    patterns = SecretPatterns(known_here({}, source))
    found = [
        f"  {name}, {finding.where}: {finding.kind} {finding.shown}"
        for name in names
        for finding in patterns.in_value(json.loads((source / name).read_text(encoding="utf-8")))
    ]
    if found:
        lines = "\n".join(found[:20])
        raise UserError(
            f"{len(found)} place(s) look as if they held a secret, so nothing is published:\n{lines}\ntune these steps"
            " anew without it"
        )


def _card(settings: PublishSettings, programs: list[Program], part: PersonsPart) -> str:
    """The card; the licence of one's own prompts is for their author to say, and kept once it stands there."""
    ours: dict[str, Any] = {"license": settings.license} if settings.license else {}
    ours |= {"library_name": "dspy"} if settings.repo_type == "model" else {"viewer": False}  # no table to show
    added = part.data.get("tags")
    tags = [*TAGS, *(tag for tag in (added if isinstance(added, list) else ()) if tag not in TAGS)]
    data = {**part.data, **ours, "tags": tags}
    return assembled(data, "\n\n".join(_body(settings, programs)), part)


def _body(settings: PublishSettings, programs: list[Program]) -> Iterator[str]:
    repo = settings.repo
    steps = ", ".join(f"`{program.step}`" for program in programs)
    yield f"# {cell(settings.title or repo.partition('/')[2])}"
    yield (
        f"Instructions and demos for {_counted(len(programs), 'step')} of `button generate` ({steps}), tuned by"
        " `button optimize`. They are JSON: nothing in them is executed."
    )
    download = f"hf download {repo} --repo-type {settings.repo_type} --local-dir prompts"
    yield f"## Use\n\n```bash\n{download}\nbutton generate programs=prompts\n```"
    yield (
        "A program fits the fields that its step had when it was tuned; `button generate` refuses one whose fingerprint"
        " is another."
    )
    for program in programs:
        yield f"## {program.step}\n\nFingerprint `{program.fingerprint}`, content `{program.hash}`."
        for name, state in program.predictors.items():
            yield f"### `{name}`, {_counted(len(state.demos), 'demo')}\n\n{fenced(state.instructions)}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
