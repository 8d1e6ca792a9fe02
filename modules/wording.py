"""How plans and functions are shown to a model; the same words everywhere, so that prompts and demos agree."""

from collections.abc import Sequence

from signatures.records import Function, SubTask, canonical_json


def numbered(sub_tasks: Sequence[SubTask], uses: Sequence[Sequence[str]] | None = None) -> str:
    """One line a sub-task: `2. <task> (needs 1) [functions: a, b]`."""
    lines = []
    for index, sub_task in enumerate(sub_tasks):
        line = f"{index + 1}. {sub_task.task}"
        if sub_task.depends_on:
            line += f" (needs {', '.join(str(earlier + 1) for earlier in sub_task.depends_on)})"
        if uses is not None:
            line += f" [functions: {', '.join(uses[index]) or 'none'}]"
        lines.append(line)
    return "\n".join(lines)


def definition(function: Function) -> str:
    """A function in the paper's five fields, as JSON."""
    return canonical_json(function.model_dump(mode="json"))


def definitions(functions: Sequence[Function]) -> str:
    """One definition a line, as a JSON list."""
    return "[" + ",\n".join(map(definition, functions)) + "]"


def is_plural(noun: str) -> bool:
    """Whether a noun, or the last of several words, looks like a plural: "fares", not "bus" or "business class"."""
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is"))
