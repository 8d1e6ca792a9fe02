"""The vocabulary: every record that walks through a run, from the seed to the training example.

Records are frozen and carry lineage: `id` is a hash of kind, parent and content, `parent` is the id of
the record it was made from, so any output line walks back to its seed.
"""

import hashlib
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field

JsonObject = dict[str, Any]
Strategy = Literal["sequential", "parallel_then_sequential"]
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces, non-ASCII kept. Numbers fit 64 bits."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def content_hash(*parts: Any) -> str:
    """16 hex digits of SHA-256 over the canonical JSON of `parts`."""
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:16]


class Value(BaseModel):
    """A frozen part of a record, compared by content."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Record(Value):
    """A frozen step of a row's life. Make one with `derive`, which computes the id."""

    kind: ClassVar[str]

    id: str
    parent: str | None

    @classmethod
    def derive(cls, parent: "Record | None", **content: Any) -> Self:
        """A new record made from `parent` (None for a seed), its id hashed from lineage and content.

        Raises pydantic.ValidationError where `content` does not fit the record.
        """
        parent_id = parent.id if parent is not None else None
        record = cls(id="", parent=parent_id, **content)
        body = record.model_dump(mode="json", exclude={"id", "parent"})
        return record.model_copy(update={"id": content_hash(cls.kind, parent_id, body)})


class Seed(Record):
    """A piece of real life to start from (paper, section 3.1).

    `form` says what `text` is: a whole conversation, one user query, or already a scenario phrase.
    """

    kind: ClassVar[str] = "seed"

    source: str
    text: str
    form: Literal["conversation", "query", "scenario"]
    domain: str | None = None
    license: str | None = None


class Scenario(Record):
    """A general life situation in at most 10 words ("booking flights"), with no specifics."""

    kind: ClassVar[str] = "scenario"

    text: str
    domain: str | None = None
    evolved: bool = False


class AtomicTask(Record):
    """One reasonable, self-contained, function-agnostic step, at most 30 words (paper, section 3.1)."""

    kind: ClassVar[str] = "atomic_task"

    scenario: str
    task: str
    details: tuple[str, ...] = ()


class SubTask(Value):
    """A part of a composition; `depends_on` are the indices of the sub-tasks whose outputs it needs."""

    task: str
    depends_on: tuple[int, ...] = ()


class Verdict(Value):
    """What the composition filter said: the analysis first, then yes or no.

    `confidence` is the judge's probability of "yes" in [0, 1], where the model gives one.
    """

    analysis: str
    feasible: bool
    confidence: float | None = None


class Composition(Record):
    """A compositional task with its sub-tasks as a DAG (edges only to earlier sub-tasks)."""

    kind: ClassVar[str] = "composition"

    scenario: str
    task: str
    strategy: Strategy
    sub_tasks: tuple[SubTask, ...]
    verdict: Verdict | None = None


class Function(Value):
    """A function definition in the paper's five fields.

    `parameters` and `responses` are flat maps from a name to a JSON-Schema body with at least `type` and
    `description`; `required` lists parameter names.
    """

    name: str
    description: str
    parameters: dict[str, JsonObject]
    required: tuple[str, ...] = ()
    responses: dict[str, JsonObject]


class Problem(Record):
    """A composition and the functions that solve it; `uses[i]` names the functions of sub-task i."""

    kind: ClassVar[str] = "problem"

    composition: Composition
    functions: tuple[Function, ...]
    uses: tuple[tuple[str, ...], ...]


class Call(Value):
    """One function call."""

    name: str
    arguments: JsonObject


class Result(Value):
    """A call and what the tool answered."""

    name: str
    arguments: JsonObject
    results: Any


class UserTurn(Value):
    """What the person says: once, at the beginning (paper, section 3.2)."""

    role: Literal["user"] = "user"
    content: str


class AssistantTurn(Value):
    """A thought, then either calls or the final answer: exactly one of the two."""

    role: Literal["assistant"] = "assistant"
    thought: str
    calls: tuple[Call, ...] = ()
    final: str | None = None


class ToolTurn(Value):
    """The results of one round, in the order of its calls."""

    role: Literal["tool"] = "tool"
    results: tuple[Result, ...]


Turn = Annotated[UserTurn | AssistantTurn | ToolTurn, Field(discriminator="role")]


class Trajectory(Record):
    """The canonical transcript of one problem, played by the user, assistant and tool agents."""

    kind: ClassVar[str] = "trajectory"

    problem: Problem
    parallel: bool
    turns: tuple[Turn, ...]


Origin = Literal["user", "result", "schema", "ungrounded"]


class ArgumentSource(Value):
    """Where one argument value of one call comes from.

    `turn` indexes the transcript, `call` the calls of that turn; `path` is the argument's name, with
    `.key` and `[i]` for nested values. For origin "result", `source_turn` and `source_call` say which call's answer
    held it.
    """

    turn: int
    call: int
    path: str
    origin: Origin
    source_turn: int | None = None
    source_call: int | None = None


class Measures(Value):
    """What the paper counts, and what it does not.

    `rounds` are tool turns, `parallel_rounds` those with more than one call; `longest_chain` is the number of
    calls on the longest path of the observed data flow (0 without calls); `grounded_share` is the share of
    argument values traced to the user, a result or the schema, in [0, 1] (1.0 without arguments).
    """

    calls: int
    rounds: int
    assistant_turns: int
    parallel_rounds: int
    longest_chain: int
    grounded_share: float


class Example(Record):
    """An accepted trajectory with its evidence, ready for export.

    `split` is decided by a hash of the words of the scenario, so near twins stay on one side.
    """

    kind: ClassVar[str] = "example"

    trajectory: Trajectory
    split: Split
    measures: Measures
    sources: tuple[ArgumentSource, ...]


class Drop(Value):
    """A record that goes no further: a short countable `reason` and the detail behind it."""

    reason: str
    detail: str = ""


Outcome = tuple[Record, ...] | Drop
