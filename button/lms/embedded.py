"""A small local model in this process: llama.cpp (xllamacpp) with grammar-constrained decoding.

The server object also opens a keyless port on loopback (see SECURITY.md). One slot, one call at a time: on two cores
more slots bring nothing and make sampled text differ from run to run.
"""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Literal

from dspy.lm15 import ContextLengthError, InvalidRequestError, Request, Response, ServerError
from pydantic import Field, PositiveInt, validate_call

from button.errors import UserError
from button.lms.gguf import gguf_file
from button.lms.limiter import Limits
from button.lms.llguidance import grammar
from button.lms.weights import embedded_weights
from button.lms.wire import chat_body, response_of

MOST_THREADS = 8  # more wait for memory
# What "yes" was measured to mean, by size and question; nobody measured the smaller ones.
SENSE_FLOORS = {"1.5b": {"MakesSense": 0.9, "StepsSuffice": 0.72}}
Probability = Annotated[float, Field(ge=0, le=1)]
MISSING = (
    "lm=embedded and lm=gguf need the package xllamacpp, which is not installed: run `make setup` in a checkout or"
    " `pip install xllamacpp`, or use lm=endpoint or lm=simulated"
)


class LlamaCpp:
    """An engine over one GGUF file. `threads` are CPU threads (None: one a core, at most 8; fewer are faster where
    other programs keep the cores busy), `context` the tokens of prompt and answer together. A model that is not
    `small` is asked as the paper asks, whatever its size.
    """

    concurrency = 1
    json_schema = True

    def __init__(
        self,
        path: Path,
        *,
        threads: int | None,
        context: int,
        cache_prompt: bool,
        small: bool,
        sense_floors: Mapping[str, float],
    ) -> None:
        self.path = path
        self.small = small
        self.sense_floors = dict(sense_floors)
        self.threads = threads or min(len(os.sched_getaffinity(0)), MOST_THREADS)
        self.context = context
        self.cache_prompt = cache_prompt
        self.limits = Limits(max_in_flight=1)
        self._server: Any = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="llama.cpp")

    async def complete(self, request: Request) -> Response:
        body = self._body(request)
        answer = await asyncio.get_running_loop().run_in_executor(self._worker, self._complete, body)
        _refuse(answer)
        # llama.cpp names the model by its path, which is nobody's business.
        return response_of({**answer, "model": self.path.stem}, request.model)

    async def aclose(self) -> None:
        self._server = None
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        if self._server is None:
            self._server = self._load()
        return self._server.handle_chat_completions(body)  # type: ignore[no-any-return]

    def _load(self) -> Any:
        try:
            import xllamacpp
        except ModuleNotFoundError as error:
            raise UserError(MISSING) from error
        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.n_ctx = self.context
        params.n_parallel = 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        params.cpuparams.poll = params.cpuparams_batch.poll = 0  # spinning threads starve on a shared machine
        params.cache_ram_mib = 512 if self.cache_prompt else 0
        params.verbosity = -1
        return xllamacpp.Server(params)

    def _body(self, request: Request) -> dict[str, Any]:
        body = chat_body(request)
        body["cache_prompt"] = self.cache_prompt
        schema = (body.pop("response_format", None) or {}).get("json_schema", {}).get("schema")
        if schema is not None:
            body["grammar"] = grammar(schema, small=self.small)
        return body


class Embedded(LlamaCpp):
    """lm=embedded: Qwen2.5-Coder-Instruct, 1.5B or 0.5B parameters, whose weights come in packages.

    `cache_prompt` reuses the unchanged beginning of prompts, which saves most of the time that a prompt takes; but
    sampled text then depends on the prompts that came before, so a run is repeated to the letter only with
    `cache_prompt=False` and a fixed number of `threads`. `sense_floors` are the least probabilities
    of "yes" that count as one, by question (None: as measured for the size; {}: none).
    """

    @validate_call
    def __init__(
        self,
        size: Literal["1.5b", "0.5b", "135m"] = "1.5b",
        threads: PositiveInt | None = None,
        context: PositiveInt = 8192,
        cache_prompt: bool = True,
        small: bool = True,
        sense_floors: dict[str, Probability] | None = None,
    ) -> None:
        super().__init__(
            embedded_weights(size),
            threads=threads,
            context=context,
            cache_prompt=cache_prompt,
            small=small,
            sense_floors=SENSE_FLOORS.get(size, {}) if sense_floors is None else sense_floors,
        )


class Gguf(LlamaCpp):
    """lm=gguf: any GGUF file, by `path`, or by `repo` and `file` on the Hugging Face Hub."""

    @validate_call
    def __init__(  # noqa: PLR0913 - each is a key of the config
        self,
        path: Path | None = None,
        repo: str | None = None,
        file: str | None = None,
        sha256: str | None = None,
        *,
        threads: PositiveInt | None = None,
        context: PositiveInt = 8192,
        cache_prompt: bool = True,
        small: bool = True,
        sense_floors: dict[str, Probability] | None = None,
    ) -> None:
        found = gguf_file(path, repo, file, sha256)
        super().__init__(
            found,
            threads=threads,
            context=context,
            cache_prompt=cache_prompt,
            small=small,
            sense_floors=sense_floors or {},
        )


def _refuse(answer: dict[str, Any]) -> None:
    """Raise what an error that llama.cpp returned (it raises none) means."""
    error = answer.get("error")
    if error is None:
        return
    message = f"llama.cpp: {error.get('message', error)}"
    if error.get("type") == "exceed_context_size_error":
        raise ContextLengthError(message)
    raise InvalidRequestError(message) if error.get("code") == 400 else ServerError(message)
