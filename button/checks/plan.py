"""Whether a trajectory does what was planned: each sub-task served, each dependency seen in the data flow."""

from collections.abc import Iterator, Sequence

from button.checks import reasons
from button.checks.reasons import Fault
from signatures.records import ArgumentSource, AssistantTurn, SubTask, Trajectory


def plan_faults(record: Trajectory, sources: Sequence[ArgumentSource]) -> Iterator[Fault]:
    """Sub-tasks whose functions were never called, and dependent ones whose calls take nothing from a result.

    A sub-task without functions (pure logic) asks for nothing, nor does a dependency on such ones only.
    """
    uses, sub_tasks = record.problem.uses, record.problem.composition.sub_tasks
    fed = {(source.turn, source.call) for source in sources if source.origin == "result"}
    called: set[str] = set()
    called_with_results: set[str] = set()
    for index, turn in enumerate(record.turns):
        for number, call in enumerate(turn.calls if isinstance(turn, AssistantTurn) else ()):
            called.add(call.name)
            if (index, number) in fed:
                called_with_results.add(call.name)
    for number, (sub_task, functions) in enumerate(zip(sub_tasks, uses, strict=False), start=1):
        names = ", ".join(functions)
        if functions and not called.intersection(functions):
            yield Fault(
                reasons.SUB_TASK_NOT_SERVED,
                f"sub-task {number} ({sub_task.task!r}) was not served: none of {names} was called",
            )
        elif (
            functions and _needs_results(sub_task, sub_tasks, uses) and not called_with_results.intersection(functions)
        ):
            yield Fault(
                reasons.DEPENDENCY_NOT_USED,
                f"sub-task {number} ({sub_task.task!r}) needs others, but no argument of {names} comes from a result",
            )


def _needs_results(sub_task: SubTask, sub_tasks: Sequence[SubTask], uses: Sequence[Sequence[str]]) -> bool:
    return any(uses[edge] or _needs_results(sub_tasks[edge], sub_tasks, uses) for edge in sub_task.depends_on)
