"""What a server's failures look like while its calls are asked again: for the display of a run."""

from dataclasses import dataclass

from dspy import lm15


@dataclass(frozen=True, slots=True)
class Trouble:
    """A server that has answered nothing since `failure`: `calls` wait for another try, `gives_up_s` is a guess."""

    failure: lm15.LM15Error
    calls: int
    gives_up_s: float

    def __str__(self) -> str:
        waiting = "1 call waits" if self.calls == 1 else f"{self.calls} calls wait"
        return (
            f"{_doing(self.failure)}: retrying, {waiting} for another try, gives up in about"
            f" {max(self.gives_up_s, 0):.0f} s unless it answers"
        )


def _doing(failure: lm15.LM15Error) -> str:
    if isinstance(failure, lm15.TimeoutError):
        return "does not answer in time"
    if isinstance(failure, lm15.TransportError):
        return "cannot be reached"
    status = getattr(failure, "status", None)
    return f"answers {status}" if status not in (None, 200) else "answers what is no chat completion"
