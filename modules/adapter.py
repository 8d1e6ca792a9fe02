"""How a signature becomes a prompt, and an answer becomes typed fields.

A `dspy.JSONAdapter` with a short system message, built once a signature, and strict parsing: DSPy's own parser
repairs broken JSON silently, which would turn a truncated answer into a value.
"""

import functools
import json
import weakref
from typing import Any

import dspy
import orjson
from dspy.adapters.utils import serialize_for_json
from dspy.utils.exceptions import AdapterParseError
from pydantic import TypeAdapter, ValidationError


class CompactAdapter(dspy.JSONAdapter):
    """One short system message, inputs in `[[ ## name ## ]]` blocks, one JSON object back."""

    def __init__(self) -> None:
        super().__init__(use_native_function_calling=False)
        self._system: weakref.WeakKeyDictionary[type[dspy.Signature], str] = weakref.WeakKeyDictionary()

    def format_system_message(self, signature: type[dspy.Signature]) -> str:
        message = self._system.get(signature)
        if message is None:
            fields = "\n".join(
                f"- {name}: {field.json_schema_extra['desc']}" for name, field in signature.output_fields.items()
            )
            message = f"{signature.instructions}\n\nAnswer with one JSON object with these fields:\n{fields}"
            self._system[signature] = message
        return message

    def user_message_output_requirements(self, signature: type[dspy.Signature]) -> None:
        return None

    def format_assistant_message_content(
        self, signature: type[dspy.Signature], outputs: dict[str, Any], missing_field_message: str | None = None
    ) -> str:
        fields = {name: outputs.get(name, missing_field_message) for name in signature.output_fields}
        return json.dumps(serialize_for_json(fields), ensure_ascii=False)

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """The output fields of one answer; raises AdapterParseError, with the problem named, where it does not fit."""
        try:
            answer = _json(_unfenced(completion))
            if not isinstance(answer, dict):
                raise ValueError(f"the answer is a JSON {type(answer).__name__}, wanted one JSON object")
            return {name: _typed(name, field.annotation, answer) for name, field in signature.output_fields.items()}
        except ValueError as error:
            raise AdapterParseError(
                adapter_name="CompactAdapter", signature=signature, lm_response=completion, message=str(error)
            ) from error


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the answer is no valid JSON ({error}); answer with one whole JSON object") from error


def _unfenced(text: str) -> str:
    """The text inside a Markdown code fence, where a model put one around its whole answer."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") + 1 : -3]
    return text


def _typed(name: str, annotation: Any, answer: dict[str, Any]) -> Any:
    if name not in answer:
        raise ValueError(f"the field '{name}' is missing; the answer has {json.dumps(sorted(answer))}")
    try:
        return _type_adapter(annotation).validate_python(answer[name])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, (name, *first["loc"])))
        raise ValueError(f"the field '{where}' is {first['input']!r}: {first['msg']}") from error


@functools.lru_cache(maxsize=256)
def _type_adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)
