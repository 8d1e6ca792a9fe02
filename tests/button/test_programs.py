import json
from pathlib import Path
from typing import Any

import pytest
from generating import generate
from hypothesis import given
from hypothesis import strategies as st

from button.config import GenerateSettings
from button.errors import UserError
from button.programs import (
    PredictorState,
    Program,
    apply,
    chosen,
    fields_of,
    instructed,
    load,
    parsed,
    program_of,
    save,
)
from modules.compose import MixedComposition, SequentialComposition
from modules.functions import FunctionDefinition
from modules.task import AtomicTaskWriting
from signatures.task import WriteAtomicTask


def task_program(instructions: str = "Write a task.", demos: int = 1) -> Program:
    step = AtomicTaskWriting(demos=demos)
    step.ask.predict.signature = instructed(step.ask.predict.signature, instructions)
    return program_of("task", step)


def saved(folder: Path, program: Program) -> Path:
    path = folder / f"{program.step}.json"
    save(program, path)
    return path


@pytest.mark.parametrize("step", [AtomicTaskWriting(), MixedComposition(), FunctionDefinition()])
def test_a_program_of_every_predictor_comes_back_from_its_file_as_it_was(step: Any, tmp_path: Path) -> None:
    program = program_of("x", step)
    again = load(saved(tmp_path, program))
    assert again == program
    apply(again, step, "it")
    assert program_of("x", step).hash == program.hash
    assert len(program.predictors) == len(step.named_predictors())


@given(st.text(), st.dictionaries(st.text(), st.text() | st.lists(st.integers(0, 9) | st.booleans())))
def test_any_text_survives_the_file(instructions: str, demo: dict[str, Any]) -> None:
    state = PredictorState(fields=("input a (str): b",), instructions=instructions, demos=(demo,))
    program = Program(step="task", predictors={"ask.predict": state})
    body = {"format": 1, "fingerprint": program.fingerprint, "hash": program.hash, **program.model_dump(mode="json")}
    assert parsed(json.dumps(body), "it") == program


def test_a_step_asks_what_its_program_says_under_the_signatures_own_name() -> None:
    step = AtomicTaskWriting()
    apply(task_program("Write anything.", demos=1), step, "it")
    assert step.ask.predict.signature.instructions == "Write anything."
    assert step.ask.predict.signature.__name__ == "WriteAtomicTask"
    assert len(step.ask.predict.demos) == 1


def test_the_fingerprint_is_of_the_fields_and_not_of_what_is_said() -> None:
    assert task_program("One thing.", 0).fingerprint == task_program("Another.", 3).fingerprint
    described = WriteAtomicTask.with_updated_fields("task", desc="two sentences")
    retyped = WriteAtomicTask.with_updated_fields("task", type_=int)
    assert len({fields_of(signature) for signature in (WriteAtomicTask, described, retyped)}) == 3


def test_a_program_for_other_fields_is_refused_with_both_fingerprints(tmp_path: Path) -> None:
    step = AtomicTaskWriting()
    step.ask.predict.signature = step.ask.predict.signature.with_updated_fields("details", desc="hints")
    program = task_program()
    current = program_of("task", step)
    with pytest.raises(UserError, match=rf"{program.fingerprint}.*{current.fingerprint}.*fields of ask.predict differ"):
        apply(program, step, "programs/task.json")


def test_a_program_of_another_strategy_is_refused_with_the_predictors_of_both() -> None:
    program = program_of("compose", MixedComposition())
    with pytest.raises(UserError, match=r"has the predictors sequential\..*, the step (?!sequential)"):
        apply(program, SequentialComposition(), "it")


def test_a_step_without_predictors_can_be_told_nothing() -> None:
    with pytest.raises(UserError, match="object asks no model"):
        apply(task_program(), object(), "it")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: len(text) // 2], "no whole program"),
        (lambda text: text.replace("Write a task.", "Write a poem."), "changed after it was written"),
        (lambda text: text.replace("the situation", "a situation"), "changed after it was written"),
        (lambda text: text.replace('"format": 1', '"format": 7'), "format 1"),
        (lambda text: text.replace('"demos"', '"examples"'), "no whole program"),
        (lambda text: "[]", "format 1"),
    ],
)
def test_a_file_that_is_truncated_or_edited_is_refused(spoil: Any, message: str, tmp_path: Path) -> None:
    path = saved(tmp_path, task_program())
    path.write_text(spoil(path.read_text()))
    with pytest.raises(UserError, match=message):
        load(path)


def test_what_is_pickled_or_not_there_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_bytes(b"\x80\x05\x95\xff\xfe")
    with pytest.raises(UserError, match="nothing pickled is read"):
        load(tmp_path / "task.json")
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load(tmp_path / "absent.json")


def settings(**changes: Any) -> GenerateSettings:
    component = {"_target_": "modules.task.AtomicTaskWriting"}
    needed = {
        "n": 1,
        "out": "x",
        "seeds": component,
        "lm": component,
        "export": component,
        "steps": {"task": component},
    }
    return GenerateSettings.model_validate({**needed, **changes})


def test_a_file_of_one_step_goes_before_the_folder(tmp_path: Path) -> None:
    saved(tmp_path, task_program("From the folder."))
    named = saved(tmp_path / "other", task_program("From the file."))
    steps = {"task": {"_target_": "modules.task.AtomicTaskWriting", "program": str(named)}}
    assert chosen(settings()) == {}
    assert chosen(settings(programs=str(tmp_path)))["task"].predictors["ask.predict"].instructions == "From the folder."
    both = chosen(settings(programs=str(tmp_path), steps=steps))
    assert both["task"].predictors["ask.predict"].instructions == "From the file."


def test_a_folder_without_programs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no program in it"):
        chosen(settings(programs=str(tmp_path)))


def test_the_folder_of_an_optimisation_is_refused_with_that_of_its_programs(tmp_path: Path) -> None:
    saved(tmp_path / "o" / "programs", task_program("One."))
    (tmp_path / "o" / "calibration.json").write_text("{}")
    with pytest.raises(UserError, match=r"no program in it; there are some in .*/o/programs; give"):
        chosen(settings(programs=str(tmp_path / "o")))


def test_a_program_of_another_step_is_refused_by_the_names_of_both(tmp_path: Path) -> None:
    path = saved(tmp_path, task_program("One."))
    ran = generate(tmp_path / "a", "n=1", f"steps.compose.program={path}")
    assert (ran.code, "the program of steps.compose was made for step task" in ran.said) == (2, True)


def test_a_program_that_no_step_uses_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved(tmp_path, program_of("compose", MixedComposition()))
    assert chosen(settings(programs=str(tmp_path))) == {}
    assert "this run has no step compose" in caplog.text


WEAK = ("n=4", "lm.flaws=0", "lm.weakness.long_task=0.9")


def test_a_run_uses_the_programs_it_is_given_and_is_bound_to_them(tmp_path: Path) -> None:
    folder, other = tmp_path / "better", tmp_path / "other"
    cured = WriteAtomicTask.instructions + " Count the words, and stop at twenty."
    saved(folder, task_program(cured, demos=3))
    saved(other, task_program("Write a task.", demos=3))
    plain, tuned = generate(tmp_path / "a", *WEAK), generate(tmp_path / "b", *WEAK, f"programs={folder}")
    assert (plain.code, tuned.code) == (0, 0)
    assert tuned.calls < plain.calls
    assert f"task: {task_program(cured, demos=3).hash}" in (tuned.out / "config.yaml").read_text()
    assert load(tuned.out / "programs" / "task.json") == task_program(cured, demos=3)
    refused = generate(tmp_path / "b", *WEAK, f"programs={other}")
    assert refused.code == 2
    assert "programs.task:" in refused.said
    assert generate(tmp_path / "b", *WEAK, f"steps.task.program={folder}/task.json").code == 0


def test_a_run_with_a_program_that_does_not_fit_ends_with_both_fingerprints(tmp_path: Path) -> None:
    program = program_of("compose", MixedComposition())
    path = saved(tmp_path, program)
    ran = generate(tmp_path / "a", "n=1", "step@steps.compose=sequential", f"steps.compose.program={path}")
    assert ran.code == 2
    assert program.fingerprint in ran.said
    assert program_of("compose", SequentialComposition()).fingerprint in ran.said
