"""How one chat-completions server differs from the next: what it calls things and which constraint it decodes under."""

from typing import Any, Literal

from dspy.lm15 import InvalidRequestError, Request
from pydantic import BaseModel, ConfigDict

from button.lms.llguidance import grammar
from button.lms.wire import chat_body
from signatures.records import JsonObject

Constraint = Literal["llguidance", "json_schema", "json_object", "none"]
WEAKER: dict[Constraint, Constraint] = {
    "llguidance": "json_schema",
    "json_schema": "json_object",
    "json_object": "none",
}
# Words with which servers refuse one schema, while they decode under others: OpenAI, vLLM and llama.cpp.
ONE_SCHEMA = (
    "invalid schema",
    "invalid json schema",
    "json schema error",
    "schema conversion",
    "features not supported",
)
THE_FORMAT = ("response_format", "json_schema", "json_object", "grammar")


class Dialect(BaseModel):
    """What to send to one server.

    `constraint`: how an answer's JSON Schema is sent: "json_schema" as OpenAI and vLLM take it, "llguidance" as
    a grammar for a llama.cpp built with it (fewer tokens, more bounds held), "json_object" or "none" for servers
    that decode under none. `max_tokens`: the name of that field; OpenAI's reasoning models take only the longer
    one. `extra_body`: top-level fields to add to each body; null takes a field out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    constraint: Constraint = "json_schema"
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    send_seed: bool = True
    extra_body: dict[str, Any] = {}

    def body(self, request: Request, *, model: str, constraint: Constraint) -> JsonObject:
        """The JSON body that asks this server's `model` for `request`, decoded under `constraint` or a weaker one."""
        body = chat_body(request)
        body["model"] = model
        if not self.send_seed:
            body.pop("seed", None)
        if "max_tokens" in body:
            body[self.max_tokens] = body.pop("max_tokens")
        if "response_format" in body:
            _constrain(body, constraint)
        body.update(self.extra_body)
        return {name: value for name, value in body.items() if value is not None}


def weaker(constraint: Constraint, error: InvalidRequestError) -> Constraint | None:
    """What to ask for instead where `error` refuses the constraint; None where it refuses something else."""
    words = str(error.message).lower()
    blames_it = any(word in words for word in (*THE_FORMAT, *ONE_SCHEMA))
    return WEAKER.get(constraint) if blames_it else None


def blames_one_schema(constraint: Constraint, error: InvalidRequestError) -> bool:
    """Whether the server refuses this one schema rather than constraints of the kind."""
    words = str(error.message).lower()
    return constraint == "json_schema" and any(word in words for word in ONE_SCHEMA)


def _constrain(body: JsonObject, constraint: Constraint) -> None:
    asked = body["response_format"]
    schema = asked.get("json_schema", {}).get("schema")
    if constraint == "none":
        del body["response_format"]
    elif constraint == "llguidance" and schema is not None:
        del body["response_format"]
        body["grammar"] = grammar(schema, small=False)
    elif constraint == "json_object":
        body["response_format"] = {"type": "json_object"}
