"""How a signature becomes a prompt, and an answer becomes typed fields.

A `dspy.Adapter` with a short system message and demos rendered once, and strict parsing: DSPy's JSON parser repairs
broken JSON silently, which would turn a truncated answer into a value.
"""

import functools
import json
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import dspy
import orjson
from dspy.lm15 import Config, Message, Request, Response, TextPart
from dspy.utils.exceptions import AdapterParseError
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python


class CompactAdapter(dspy.Adapter):
    """One short system message, inputs in `[[ ## name ## ]]` blocks, one JSON object back.

    Written as a whole rather than over `dspy.JSONAdapter`, which builds type adapters and signatures anew in every
    call: about 0.9 ms over 4,185 calls of the pipeline.
    """

    def __init__(self) -> None:
        super().__init__()
        self._openings: weakref.WeakKeyDictionary[type[dspy.Signature], _Opening] = weakref.WeakKeyDictionary()
        self._types: weakref.WeakKeyDictionary[type[dspy.Signature], dict[str, Any]] = weakref.WeakKeyDictionary()

    def __call__(
        self,
        lm: dspy.LM,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """One answer to one canonical request: no detour over OpenAI-shaped messages, which DSPy 3.5 takes out."""
        return self._read(signature, lm(self._request(lm, lm_kwargs, signature, demos, inputs)))

    async def acall(
        self,
        lm: dspy.LM,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """As `__call__`, without blocking."""
        return self._read(signature, await lm.acall(self._request(lm, lm_kwargs, signature, demos, inputs)))

    def _request(
        self,
        lm: dspy.LM,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[dict[str, Any]],
        inputs: dict[str, Any],
    ) -> Request:
        system, *messages = self.format(signature, demos, inputs)
        # A rollout id keeps DSPy's cache from answering; ours are off, and what differs between samples is the seed.
        given = {**lm.kwargs, **lm_kwargs}
        settings = {key: value for key, value in given.items() if key != "rollout_id" and value is not None}
        return Request(
            model=lm.model,
            system=system["content"],
            messages=tuple(_message(row["role"], row["content"]) for row in messages),
            config=Config(**settings),
        )

    def _read(self, signature: type[dspy.Signature], response: Response) -> list[dict[str, Any]]:
        text = response.text or ""
        if not text.strip():
            raise AdapterParseError(
                adapter_name="CompactAdapter", signature=signature, lm_response=text, message="the answer is empty"
            )
        return [self.parse(signature, text)]

    def format(
        self, signature: type[dspy.Signature], demos: list[dict[str, Any]], inputs: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """System message, demos, the turns of a `dspy.History` among the inputs, and the current inputs."""
        opening = self._openings.get(signature)
        if opening is None or opening.demos is not demos:
            opening = self._openings[signature] = _Opening(signature, demos)
        messages = list(opening.messages)
        for turn in _history(inputs):
            messages += opening.exchange(turn)
        messages.append({"role": "user", "content": opening.question(inputs)})
        return messages

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """The output fields of one answer; raises AdapterParseError, with the problem named, where it does not fit."""
        try:
            answer = _json(_unfenced(completion))
            if not isinstance(answer, dict):
                raise ValueError(f"the answer is a JSON {type(answer).__name__}, wanted one JSON object")
            types = self._types.get(signature)
            if types is None:  # DSPy looks for a signature's fields anew at each access
                types = {name: field.annotation for name, field in signature.output_fields.items()}
                self._types[signature] = types
            return {name: _typed(name, annotation, answer) for name, annotation in types.items()}
        except ValueError as error:
            raise AdapterParseError(
                adapter_name="CompactAdapter", signature=signature, lm_response=completion, message=str(error)
            ) from error


@functools.lru_cache(maxsize=512)
def _message(role: Any, content: str) -> Message:
    """A message; those of the demos are made again and again."""
    return Message(role, (TextPart(content),))


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the answer is no valid JSON ({error}); answer with one whole JSON object") from error


class _Opening:
    """What every prompt of a signature begins with, rendered once for a set of demos."""

    def __init__(self, signature: type[dspy.Signature], demos: list[dict[str, Any]]) -> None:
        self.demos = demos
        self.inputs = [name for name, field in signature.input_fields.items() if field.annotation is not dspy.History]
        self.outputs = list(signature.output_fields)
        fields = "\n".join(
            f"- {name}: {field.json_schema_extra['desc']}" for name, field in signature.output_fields.items()
        )
        system = f"{signature.instructions}\n\nAnswer with one JSON object with these fields:\n{fields}"
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
        for demo in demos:
            self.messages += self.exchange(demo)

    def question(self, values: Mapping[str, Any]) -> str:
        """The inputs among `values`, those that are there."""
        return "\n\n".join(
            f"[[ ## {name} ## ]]\n{_shown(values[name])}" for name in self.inputs if values.get(name) is not None
        )

    def exchange(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A question and its answer, as two messages."""
        return [
            {"role": "user", "content": self.question(values)},
            {"role": "assistant", "content": answer_text({name: values.get(name) for name in self.outputs})},
        ]


def answer_text(fields: Mapping[str, Any]) -> str:
    """Output fields as the JSON object that a model writes."""
    return json.dumps(to_jsonable_python(dict(fields)), ensure_ascii=False)


def _history(inputs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for value in inputs.values():
        if isinstance(value, dspy.History):
            yield from value.messages


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(to_jsonable_python(value), ensure_ascii=False)


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
