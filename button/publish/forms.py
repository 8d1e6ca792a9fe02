"""The four configs of a published set: the same rows in the same splits, each in the form that some reader takes.

`default` needs `datasets` 4.7 or newer (`Json()` features). The others are plain columns, written without a note of
their features: any reader of Parquet takes them, `datasets` 2, 3 and 4 too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from button.export.button_text import to_button
from button.export.openai_messages import features, to_openai
from button.export.sharegpt import to_sharegpt
from button.publish.finished_run import TracedExample
from button.publish.model_terms import shown_name
from signatures.records import Measures, Seed

if TYPE_CHECKING:
    from datasets import Features

Row = dict[str, Any]
PROVENANCE = "provenance"
BUTTON = "button"


@dataclass(frozen=True, slots=True)
class Form:
    """One config: its name, what it is for in a line of the card, its columns, and a row of it.

    `described` says whether the files note their `datasets` features; see `button.export.parquet.SplitWriter`.
    """

    name: str
    about: str
    columns: "Callable[[], Features]"
    row: Callable[[TracedExample], Row]
    described: bool = False


def _default_columns() -> "Features":
    from datasets import Features

    return Features({name: column for name, column in features().items() if name != "meta"})


def _default_row(traced: TracedExample) -> Row:
    row = to_openai(traced.example)
    del row["meta"]  # what it says stands in the config `provenance`
    return row


def _button_columns() -> "Features":
    from datasets import Features, List, Value

    message = {"role": Value("string"), "content": Value("string")}
    return Features({"id": Value("string"), "messages": List(message)})


def _sharegpt_columns() -> "Features":
    from datasets import Features, List, Value

    text = Value("string")
    return Features({"id": text, "conversations": List({"from": text, "value": text}), "system": text, "tools": text})


def _provenance_columns() -> "Features":
    from datasets import Features, List, Value

    text, number, share, truth = Value("string"), Value("int64"), Value("float64"), Value("bool")
    measures = {name: share if field.annotation is float else number for name, field in Measures.model_fields.items()}
    source = {"turn": number, "call": number, "path": text, "origin": text}
    return Features(
        {
            "id": text,
            "position": number,
            "scenario": text,
            "domain": text,
            "task": text,
            "strategy": text,
            "parallel": truth,
            "sub_tasks": List({"task": text, "depends_on": List(number), "functions": List(text)}),
            "verdict": {"analysis": text, "feasible": truth, "confidence": share},
            "measures": measures,
            "sources": List({**source, "source_turn": number, "source_call": number}),
            "seed": {"source": text, "form": text, "domain": text, "license": text},
            "lineage": List({"kind": text, "id": text}),
        }
    )


def _provenance_row(traced: TracedExample) -> Row:
    example, seed = traced.example, traced.seed
    problem = example.trajectory.problem
    composition = problem.composition
    return {
        "id": example.id,
        "position": traced.position,
        "scenario": composition.scenario,
        "domain": domain_of(traced),
        "task": composition.task,
        "strategy": composition.strategy,
        "parallel": example.trajectory.parallel,
        "sub_tasks": [
            {"task": part.task, "depends_on": list(part.depends_on), "functions": list(names)}
            for part, names in zip(composition.sub_tasks, problem.uses, strict=True)
        ],
        "verdict": composition.verdict.model_dump() if composition.verdict else None,
        "measures": example.measures.model_dump(),
        "sources": [source.model_dump() for source in example.sources],
        "seed": _seed(seed) if seed else None,
        "lineage": [{"kind": record.kind, "id": record.id} for record in traced.lineage],
    }


def _seed(seed: Seed) -> Row:
    # Its text stays: it may be long, and is its owner's to publish.
    return {
        "source": shown_name(seed.source),
        "form": seed.form,
        "domain": seed.domain,
        "license": seed.license,
    }


def domain_of(traced: TracedExample) -> str | None:
    """The field of life of the scenario that the row was made from; None for one that was evolved: it left its own."""
    scenarios = [record for record in traced.lineage if record.kind == "scenario"]
    return getattr(scenarios[-1], "domain", None) if scenarios else None


FORMS = (
    Form("default", "OpenAI `messages` and `tools`", _default_columns, _default_row, described=True),
    Form(
        BUTTON,
        "the paper's text form: `<tool>`, `<call>`, `<final>`",
        _button_columns,
        lambda traced: {"id": traced.example.id, **to_button(traced.example)},
    ),
    Form(
        "sharegpt",
        "LLaMA-Factory's form, strings only; loads with old versions of `datasets` too",
        _sharegpt_columns,
        lambda traced: {"id": traced.example.id, **to_sharegpt(traced.example)},
    ),
    Form(
        PROVENANCE,
        "where each row comes from: the records from seed to example, sub-tasks, the judge's verdict, measures, and"
        " the source of each argument value",
        _provenance_columns,
        _provenance_row,
    ),
)
