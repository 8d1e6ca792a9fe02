"""Semantic de-duplication by sentence embeddings, decided in seed order (paper, section 3.1)."""

import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import Field, validate_call

from signatures.records import AtomicTask, Drop, Outcome, Record, Scenario

if TYPE_CHECKING:
    from numpy.typing import NDArray

Cosine = Annotated[float, Field(ge=0, le=1)]
BLOCK = 1024


class Embedder(Protocol):
    """Gives one vector a text."""

    def embed(self, texts: list[str]) -> "NDArray[np.float32]": ...


class SemanticDedup:
    """Keeps a record unless an earlier kept one is at least as similar as `threshold` (cosine).

    A drop names its twin and the score. Memory: 1 KB a kept record (256 dimensions, single precision). The paper
    publishes neither its model nor its threshold; docs/design/dedup.md says how these were chosen.
    """

    @validate_call
    def __init__(self, threshold: Cosine = 0.85, of: Literal["scenario", "task"] = "scenario") -> None:
        self.takes: type[Record] = Scenario if of == "scenario" else AtomicTask
        self.gives = self.takes
        self.threshold = threshold
        self._embedder: Embedder | None = None
        self._vectors: list[NDArray[np.float32]] = []
        self._texts: list[str] = []

    def decide(self, record: Record) -> Outcome:
        """Keep `record`, or drop it with the twin and the score."""
        assert isinstance(record, Scenario | AtomicTask)
        text = record.text if isinstance(record, Scenario) else record.task
        vector = self._embed(text)
        best, score = self._nearest(vector)
        if score >= self.threshold:
            return Drop(reason="near_duplicate", detail=f"{score:.3f} like: {self._texts[best]}")
        self._add(text, vector)
        return (record,)

    def _embed(self, text: str) -> "NDArray[np.float32]":
        if self._embedder is None:
            self._embedder = load_wordllama()
        vector: NDArray[np.float32] = self._embedder.embed([text])[0].astype(np.float32)
        length = float(np.linalg.norm(vector))
        if length:
            vector /= np.float32(length)
        return vector

    def _nearest(self, vector: "NDArray[np.float32]") -> tuple[int, float]:
        best, score = -1, -1.0
        for index, block in enumerate(self._vectors):
            filled = min(BLOCK, len(self._texts) - index * BLOCK)
            scores = block[:filled] @ vector
            here = int(scores.argmax())
            if scores[here] > score:
                best, score = index * BLOCK + here, float(scores[here])
        return best, score

    def _add(self, text: str, vector: "NDArray[np.float32]") -> None:
        row = len(self._texts) % BLOCK
        if row == 0:
            self._vectors.append(np.zeros((BLOCK, len(vector)), dtype=np.float32))
        self._vectors[-1][row] = vector
        self._texts.append(text)


@functools.cache
def load_wordllama() -> Any:
    """The static embeddings that ship inside the wordllama package: 256 dimensions, no download."""
    spec = importlib.util.find_spec("wordllama")
    assert spec is not None
    assert spec.origin is not None
    from wordllama import WordLlama

    return WordLlama.load(cache_dir=Path(spec.origin).parent, disable_download=True)
