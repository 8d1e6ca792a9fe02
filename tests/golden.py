"""Runs the cases of tests/cases/<step>/*.yaml: what a step takes, what a model answers, and what must come of it.

step       the step's config, as in conf/step/
takes      the record: its kind and its content
answers    what the model says, in order; each is asked for once
questions  what the questions must say, one list of texts a question (optional)
gives      the content of each record given (details: DRAWN are those that the program draws); or
drops      the reason of the drop, and a part of its detail
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripted import Scripted, work_of

from button.errors import NoUsableAnswer
from button.journal import KINDS
from modules.details import details
from signatures.records import Drop, Outcome, Record

CASES = Path(__file__).parent / "cases"


def cases(step: str) -> list[Any]:
    """The cases of one step, as pytest parameters."""
    files = sorted((CASES / step).glob("*.yaml"))
    assert files, f"no case in {CASES / step}"
    return [pytest.param(yaml.safe_load(file.read_text(encoding="utf-8")), id=file.stem) for file in files]


async def check(case: dict[str, Any]) -> None:
    """Run one case and compare."""
    record = record_of(case["takes"])
    engine = Scripted(*case["answers"])
    work = work_of(engine, record=case.get("randomness", "a record"))
    try:
        outcome: Outcome = await step_of(case["step"]).aforward(record, work)
    except NoUsableAnswer as error:
        outcome = Drop(reason=error.reason, detail=error.detail)
    assert len(engine.requests) == len(case["answers"])
    for prompt, texts in zip(engine.prompts(), case.get("questions", []), strict=False):
        for text in texts:
            assert text in prompt
    if "drops" in case:
        assert isinstance(outcome, Drop)
        assert outcome.reason == case["drops"]["reason"]
        assert case["drops"].get("detail", "") in outcome.detail
        return
    assert not isinstance(outcome, Drop), outcome
    drawn = details(work.random("details"))
    assert [content(given) for given in outcome] == [content(record_of(given, drawn)) for given in case["gives"]]
    assert all(given is record or given.parent == record.id for given in outcome)
    assert all(getattr(given, "composition", record) is record for given in outcome)


def record_of(case: dict[str, Any], drawn: tuple[str, ...] = ()) -> Record:
    fields = dict(case)
    if fields.get("details") == "DRAWN":
        fields["details"] = drawn
    if "composition" in fields:
        fields["composition"] = record_of(fields["composition"])
    return KINDS[fields.pop("kind")].derive(None, **fields)


def content(record: Record) -> dict[str, Any]:
    """What a record says, with its kind and without its lineage."""
    said = record.model_dump(mode="json", exclude={"id", "parent", "composition"})
    return {"kind": record.kind, **said}


def step_of(config: dict[str, Any]) -> Any:
    arguments = dict(config)
    module, _, name = arguments.pop("_target_").rpartition(".")
    return getattr(import_module(module), name)(**arguments)
