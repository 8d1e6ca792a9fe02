import io

from hypothesis import given
from rich.cells import cell_len
from rich.console import Console
from strategies import build_example, examples, for_examples, weather_example

from button.export.render import RESULT_LIMIT, render, render_text
from signatures.records import AssistantTurn, Call, Example, Function, Result, SubTask, ToolTurn, UserTurn


def test_a_trajectory_reads_from_the_question_to_the_answer() -> None:
    example = weather_example()

    assert (
        render_text(example)
        == f"""\
booking a trip to the warmer city  parallel_then_sequential, parallel calls, {example.id}
  get_forecast(city, day, unit?)  Gives the temperature of a city on a day.
  book_ticket(city, seats?, options?)  Books tickets to a city.
user
  Book me seats 4A and 4B to the warmer of Oslo and Rome on Friday.
assistant
  I need both forecasts, then a ticket. Both first.
  → get_forecast(city="Oslo", day="Friday")
  → get_forecast(city="Rome", day="Friday")
  ← get_forecast {{"temperature": -3.5}}
  ← get_forecast {{"temperature": 18.25}}
assistant
  Rome is warmer.
  → book_ticket(city="Rome", seats=["4A", "4B"], options={{"meal": null, "bags": 2}})
  ← book_ticket {{"booking": "ÅB-77"}}
assistant
  All is done.
  Rome is warmer (18.25 °C); your booking is ÅB-77.
3 calls, 2 rounds (1 parallel), longest chain 2, 100% of the arguments grounded
"""
    )


def test_one_call_at_a_time_is_said() -> None:
    assert "one call at a time" in render_text(weather_example(parallel=False)).splitlines()[0]


def test_a_terminal_gets_colours() -> None:
    sink = io.StringIO()
    Console(file=sink, force_terminal=True, color_system="standard", width=100).print(render(weather_example()))

    assert "\x1b[1;33m→ get_forecast" in sink.getvalue()


def _with(text: str) -> Example:
    return build_example(
        scenario=text,
        sub_tasks=(SubTask(task="Try."),),
        functions=(Function(name="probe", description=text, parameters={}, responses={}),),
        uses=(("probe",),),
        turns=(
            UserTurn(content=text),
            AssistantTurn(thought=text, calls=(Call(name="probe", arguments={"text": text}),)),
            ToolTurn(results=(Result(name="probe", arguments={"text": text}, results=text),)),
            AssistantTurn(thought=text, final=text),
        ),
    )


def test_a_models_text_neither_steers_the_terminal_nor_is_taken_for_markup() -> None:
    text = render_text(_with("\x1b]0;title\x07 [bold red]really[/] :smile:"))

    places = ("scenario", "function", "question", "thought", "argument", "result", "last thought", "answer")
    assert text.count("\\u001b]0;title\\u0007 [bold red]really[/] :smile:") == len(places)
    assert "\x1b" not in text


def test_a_long_result_is_cut_with_its_length() -> None:
    text = render_text(_with("x" * 5000), width=10_000)

    result = next(line for line in text.splitlines() if "←" in line)
    assert result.endswith("x... (5002 characters)")
    assert len(result) < RESULT_LIMIT + 60


@for_examples
@given(examples())
def test_any_example_can_be_shown_within_the_width(example: Example) -> None:
    lines = render_text(example, width=80).split("\n")

    assert all(cell_len(line) <= 80 and line == line.rstrip() for line in lines)
    assert not any(character < " " or "\x7f" <= character < "\xa0" for line in lines for character in line)
