"""The seam to a language model: one method that answers one canonical request."""

from typing import Protocol

from dspy.lm15 import Request, Response


class Engine(Protocol):
    """Answers requests. Expected failures are `dspy.lm15` errors; it neither retries nor limits nor counts.

    `concurrency` is how many calls the engine can usefully hold at once; `json_schema` says whether it decodes
    under a JSON schema (`request.config.response_format`). An engine may also say that its model is `small`: steps
    then ask narrower questions, and it must give the log-probabilities of the first token (`request.config.logprobs`).
    The `sense_floors` of such an engine are the least probabilities of "yes" that count as one, by question (see
    `signatures.sense`); a question that nobody measured the model on is not among them.
    """

    concurrency: int
    json_schema: bool

    async def complete(self, request: Request) -> Response: ...

    async def aclose(self) -> None: ...
