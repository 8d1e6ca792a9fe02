"""The errors a user meets.

ButtonError            anything this project raises on purpose
├── UserError          something the user can mend: exit code 2, one message, no traceback
│   └── EndpointFailed the model cannot be reached or refuses us: the run stops, what is done is kept
├── StopRun            the run ends short of n, in good order
│   ├── BudgetReached  it may make no further LM call
│   └── Interrupted    the user asked it to stop
└── NoUsableAnswer     a model's answers stayed unusable after every try: becomes a drop with its reason
"""


class ButtonError(Exception):
    """The root of the project's own errors."""


class UserError(ButtonError):
    """Something the user can mend. The message says the value seen, what was expected and what to do."""


class EndpointFailed(UserError):
    """The model cannot be reached, or refuses our key or model name. The run stops; what is done is kept."""


class StopRun(ButtonError):
    """The run ends short of `n`: calls under way are finished, nothing new is started."""


class BudgetReached(StopRun):
    """The run's `budget` allows no further LM call."""


class Interrupted(StopRun):
    """The user asked the run to stop."""


class NoUsableAnswer(ButtonError):
    """A model gave no usable answer after every try.

    `reason` is short and countable (`truncated`, `unparsable`, `invalid`, `context_overflow`, ...).
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
