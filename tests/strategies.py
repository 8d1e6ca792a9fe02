"""Valid examples for tests: `weather_example` to read, `examples()` for hypothesis to break things with."""

from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st

from signatures.records import (
    SPLITS,
    ArgumentSource,
    AssistantTurn,
    AtomicTask,
    Call,
    Composition,
    Example,
    Function,
    JsonObject,
    Measures,
    Problem,
    Result,
    Scenario,
    Seed,
    Split,
    SubTask,
    ToolTurn,
    Trajectory,
    Turn,
    UserTurn,
    Verdict,
)

# Whole examples are big: shrinking one takes minutes and tells little more than the first that fails.
for_examples = settings(deadline=None, max_examples=25, phases=(Phase.explicit, Phase.generate))
_FRAGMENTS = (
    *("<call>", "</call>", "<final>", "</final>", "<tool>", "</tool>", "<think>", "</think>\n\n", "<tool_call>"),
    *("</tool_call>", "</tool_response>", "<", "&lt;", "&lt;call>", "&amp;lt;/final>", "&", "\\u003c", "\\", '"', "'"),
    *(
        "{",
        "}",
        "[",
        "]",
        "\n",
        "\r\n",
        "\t",
        "\x85",
        "\u2028",
        "\x00",
        "\x1b[31m",
        "[bold]",
        "None",
        "né",
        "東京",
        "🛫",
    ),
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{2,12}", fullmatch=True)
TEXTS = st.lists(st.sampled_from(_FRAGMENTS) | st.text(max_size=8), max_size=6).map("".join)
SENTENCES = TEXTS.filter(lambda text: bool(text.strip()))
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "integer": st.integers(-(2**63), 2**64 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
}
JSON_VALUES = st.recursive(
    st.none() | st.one_of(*_SCALARS.values()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
_VALUES = _SCALARS | {
    "array": st.lists(JSON_VALUES, max_size=3),
    "object": st.dictionaries(TEXTS, JSON_VALUES, max_size=3),
}


@st.composite
def _fields(draw: st.DrawFn) -> dict[str, JsonObject]:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    return {name: {"type": draw(st.sampled_from(sorted(_VALUES))), "description": draw(TEXTS)} for name in names}


@st.composite
def functions(draw: st.DrawFn, name: str) -> Function:
    """A function definition; each parameter may be required or not."""
    parameters = draw(_fields())
    return Function(
        name=name,
        description=draw(TEXTS),
        parameters=parameters,
        required=tuple(parameter for parameter in parameters if draw(st.booleans())),
        responses=draw(_fields()),
    )


@st.composite
def _calls(draw: st.DrawFn, offered: tuple[Function, ...]) -> Call:
    function = draw(st.sampled_from(offered))
    given = [name for name in function.parameters if name in function.required or draw(st.booleans())]
    return Call(
        name=function.name, arguments={name: draw(_VALUES[function.parameters[name]["type"]]) for name in given}
    )


@st.composite
def _turns(draw: st.DrawFn, offered: tuple[Function, ...], *, parallel: bool) -> tuple[Turn, ...]:
    responses = {function.name: function.responses for function in offered}
    turns: list[Turn] = [UserTurn(content=draw(SENTENCES))]
    for _ in range(draw(st.integers(0, 3))):
        calls = draw(st.lists(_calls(offered), min_size=1, max_size=3 if parallel else 1))
        turns.append(AssistantTurn(thought=draw(TEXTS), calls=tuple(calls)))
        results = [
            Result(
                name=call.name,
                arguments=call.arguments,
                results={name: draw(_VALUES[body["type"]]) for name, body in responses[call.name].items()},
            )
            for call in calls
        ]
        turns.append(ToolTurn(results=tuple(results)))
    turns.append(AssistantTurn(thought=draw(TEXTS), final=draw(SENTENCES)))
    return tuple(turns)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Any valid example: tag-like and odd text everywhere, nested arguments, both modes, all splits."""
    parallel = draw(st.booleans())
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    offered = tuple(draw(functions(name)) for name in names)
    sub_tasks = (SubTask(task=draw(SENTENCES)), SubTask(task=draw(SENTENCES), depends_on=(0,)))
    return build_example(
        scenario=draw(SENTENCES),
        sub_tasks=sub_tasks,
        functions=offered,
        uses=(tuple(names[:1]), tuple(names[1:])),
        turns=draw(_turns(offered, parallel=parallel)),
        parallel=parallel,
        split=draw(st.sampled_from(SPLITS)),
    )


def build_example(
    *,
    scenario: str,
    sub_tasks: tuple[SubTask, ...],
    functions: tuple[Function, ...],
    uses: tuple[tuple[str, ...], ...],
    turns: tuple[Turn, ...],
    parallel: bool = True,
    split: Split = "train",
) -> Example:
    """An example with its whole lineage and plain measures."""
    seed = Seed.derive(None, source="tests", text=scenario, form="scenario")
    general = Scenario.derive(seed, text=scenario)
    atomic = AtomicTask.derive(general, scenario=scenario, task=sub_tasks[0].task)
    composition = Composition.derive(
        atomic,
        scenario=scenario,
        task=" ".join(part.task for part in sub_tasks),
        strategy="parallel_then_sequential" if len(sub_tasks) > 2 else "sequential",
        sub_tasks=sub_tasks,
        verdict=Verdict(analysis="The sub-tasks cover it.", feasible=True),
    )
    problem = Problem.derive(composition, composition=composition, functions=functions, uses=uses)
    trajectory = Trajectory.derive(problem, problem=problem, parallel=parallel, turns=turns)
    rounds = [turn for turn in turns if isinstance(turn, ToolTurn)]
    sources = tuple(
        ArgumentSource(turn=index, call=number, path=name, origin="user")
        for index, turn in enumerate(turns)
        if isinstance(turn, AssistantTurn)
        for number, call in enumerate(turn.calls)
        for name in call.arguments
    )
    measures = Measures(
        calls=sum(len(turn.results) for turn in rounds),
        rounds=len(rounds),
        assistant_turns=len(rounds) + 1,
        parallel_rounds=sum(len(turn.results) > 1 for turn in rounds),
        longest_chain=len(rounds),
        grounded_share=1.0,
    )
    return Example.derive(trajectory, trajectory=trajectory, split=split, measures=measures, sources=sources)


def weather_example(
    *, parallel: bool = True, split: Split = "train", first: str = "Oslo", second: str = "Rome"
) -> Example:
    """Two forecasts (in one round where `parallel`), then a ticket to the warmer city; the third call's keys differ."""
    forecast = Function(
        name="get_forecast",
        description="Gives the temperature of a city on a day.",
        parameters={
            "city": {"type": "string", "description": "the city"},
            "day": {"type": "string", "description": "a date or weekday"},
            "unit": {"type": "string", "description": "the unit", "enum": ["celsius", "fahrenheit"]},
        },
        required=("city", "day"),
        responses={"temperature": {"type": "number", "description": "in the unit asked for"}},
    )
    ticket = Function(
        name="book_ticket",
        description="Books tickets to a city.",
        parameters={
            "city": {"type": "string", "description": "where to"},
            "seats": {"type": "array", "items": {"type": "string"}, "description": "seat numbers"},
            "options": {"type": "object", "description": "anything else"},
        },
        required=("city",),
        responses={"booking": {"type": "string", "description": "the booking's number"}},
    )
    asks = tuple(Call(name="get_forecast", arguments={"city": city, "day": "Friday"}) for city in (first, second))
    degrees = tuple({"temperature": value} for value in (-3.5, 18.25))
    book = Call(
        name="book_ticket", arguments={"city": second, "seats": ["4A", "4B"], "options": {"meal": None, "bags": 2}}
    )
    plan = f"I need both forecasts, then a ticket. {'Both' if parallel else f'{first}'} first."
    rounds = [(0, 1)] if parallel else [(0,), (1,)]
    turns: list[Turn] = [UserTurn(content=f"Book me seats 4A and 4B to the warmer of {first} and {second} on Friday.")]
    for number, picked in enumerate(rounds):
        thought = plan if number == 0 else f"{first} is known, now {second}."
        turns.append(AssistantTurn(thought=thought, calls=tuple(asks[index] for index in picked)))
        turns.append(ToolTurn(results=tuple(_answer(asks[index], degrees[index]) for index in picked)))
    turns.append(AssistantTurn(thought=f"{second} is warmer.", calls=(book,)))
    turns.append(ToolTurn(results=(_answer(book, {"booking": "ÅB-77"}),)))
    turns.append(AssistantTurn(thought="All is done.", final=f"{second} is warmer (18.25 °C); your booking is ÅB-77."))
    return build_example(
        scenario="booking a trip to the warmer city",
        sub_tasks=(
            SubTask(task=f"Find Friday's temperature in {first}."),
            SubTask(task=f"Find Friday's temperature in {second}."),
            SubTask(task="Book seats to the warmer city.", depends_on=(0, 1)),
        ),
        functions=(forecast, ticket),
        uses=(("get_forecast",), ("get_forecast",), ("book_ticket",)),
        turns=tuple(turns),
        parallel=parallel,
        split=split,
    )


def _answer(call: Call, results: JsonObject) -> Result:
    return Result(name=call.name, arguments=call.arguments, results=results)
