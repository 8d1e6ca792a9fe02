"""Coherent trajectories for tests of the checks: a flight and a hotel, then a booking that needs both.

`journey()` is one to read and to break; `journeys()` draws the people, places, dates, prices and codes.
"""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from signatures.records import (
    AssistantTurn,
    Call,
    Composition,
    Function,
    JsonObject,
    Problem,
    Result,
    SubTask,
    ToolTurn,
    Trajectory,
    Turn,
    UserTurn,
)

MONTHS = "January February March April May June July August September October November December".split()
PEOPLE = ("Maria Lopez", "Olena Shevchuk", "Kwame Osei", "Ingrid Novak", "Zoë Müller", "Liam O'Brien")
CITIES = ("Oslo", "Rome", "New York", "São Paulo", "Tallinn", "Casablanca", "Cork", "Busan")
COUNTS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")


def function(name: str, description: str, parameters: JsonObject, responses: JsonObject) -> Function:
    """A function whose fields are given as name: type or as name: body; parameters with a default are optional."""
    fields = [{name: _body(name, kind) for name, kind in given.items()} for given in (parameters, responses)]
    required = tuple(name for name, body in fields[0].items() if "default" not in body)
    return Function(name=name, description=description, parameters=fields[0], required=required, responses=fields[1])


def _body(name: str, kind: str | JsonObject) -> JsonObject:
    return {"type": kind, "description": f"the {name.replace('_', ' ')} of it"} if isinstance(kind, str) else kind


SEARCH = function(
    "search_flights",
    "Finds the cheapest flight between two cities on a date.",
    {
        "origin": "string",
        "destination": "string",
        "date": "string",
        "passengers": "integer",
        "cabin": {"type": "string", "description": "the class", "enum": ["economy", "business"], "default": "economy"},
    },
    {"flight_number": "string", "price": "number"},
)
STAY = function(
    "find_hotel",
    "Finds a hotel in a city for a number of nights.",
    {"city": "string", "check_in": "string", "nights": "integer"},
    {"hotel_name": "string", "rate": "number"},
)
BOOK = function(
    "book_trip",
    "Books a flight and a hotel for a traveler and returns the code of the booking.",
    {"flight_number": "string", "hotel_name": "string", "traveler_name": "string"},
    {"confirmation_code": "string"},
)
FUNCTIONS = (SEARCH, STAY, BOOK)


def journey(  # noqa: PLR0913 - each is a detail that a test may want to set
    *,
    person: str = "Maria Lopez",
    origin: str = "Rome",
    destination: str = "Oslo",
    day: date = date(2026, 5, 4),
    people: int = 2,
    nights: int = 3,
    flight: str = "DY1873",
    price: float = 129.5,
    hotel: str = "Fjord View",
    rate: float = 88,
    code: str = "QX7TZ2",
    parallel: bool = True,
) -> Trajectory:
    """A trajectory that every check should let pass."""
    when = f"{MONTHS[day.month - 1]} {day.day}, {day.year}"
    request = (
        f"I need the cheapest flight from {origin} to {destination} on {when} for {COUNTS[people - 2]} people and a "
        f"hotel there for {nights} nights from that day. Then book both for {person}."
    )
    search = Call(
        name="search_flights",
        arguments={"origin": origin, "destination": destination, "date": day.isoformat(), "passengers": people},
    )
    stay = Call(name="find_hotel", arguments={"city": destination, "check_in": day.isoformat(), "nights": nights})
    book = Call(name="book_trip", arguments={"flight_number": flight, "hotel_name": hotel, "traveler_name": person})
    answered = (
        answer(search, {"flight_number": flight, "price": price}),
        answer(stay, {"hotel_name": hotel, "rate": rate}),
        answer(book, {"confirmation_code": code}),
    )
    rounds = [answered[:2], answered[2:]] if parallel else [(one,) for one in answered]
    turns: list[Turn] = [UserTurn(content=request)]
    for number, results in enumerate(rounds):
        calls = tuple(Call(name=result.name, arguments=result.arguments) for result in results)
        turns.append(
            AssistantTurn(thought="I look for both first." if not number else "Next comes the booking.", calls=calls)
        )
        turns.append(ToolTurn(results=results))
    turns.append(
        AssistantTurn(
            thought="Everything is booked.",
            final=f"Flight {flight} costs ${price} per person and {hotel} ${rate} a night. Your booking is {code}.",
        )
    )
    return trajectory(request, tuple(turns), parallel=parallel)


def trajectory(request: str, turns: tuple[Turn, ...], *, parallel: bool = True) -> Trajectory:
    """A trajectory of the journey's problem."""
    composition = Composition.derive(
        None,
        scenario="booking a trip",
        task=request,
        strategy="parallel_then_sequential",
        sub_tasks=(
            SubTask(task="Find the cheapest flight."),
            SubTask(task="Find a hotel."),
            SubTask(task="Book both.", depends_on=(0, 1)),
        ),
    )
    problem = Problem.derive(
        composition,
        composition=composition,
        functions=FUNCTIONS,
        uses=(("search_flights",), ("find_hotel",), ("book_trip",)),
    )
    return Trajectory.derive(problem, problem=problem, parallel=parallel, turns=turns)


def answer(call: Call, results: Any) -> Result:
    """A call's answer, echoing it."""
    return Result(name=call.name, arguments=call.arguments, results=results)


@st.composite
def journeys(draw: st.DrawFn) -> Trajectory:
    """Any journey: other people, places, days, counts, prices and codes, in both modes."""
    cities = draw(st.permutations(CITIES))
    return journey(
        person=draw(st.sampled_from(PEOPLE)),
        origin=cities[0],
        destination=cities[1],
        day=date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 700))),
        people=draw(st.integers(2, 9)),
        nights=draw(st.integers(2, 28)),
        flight=draw(st.from_regex(r"[A-Z]{2}[1-9]\d{2,3}", fullmatch=True)),
        price=draw(st.integers(2_000, 99_999)) / 100,
        hotel=draw(st.sampled_from(("Fjord View", "Hotel Aurora", "The Old Mill", "Casa Verde"))),
        rate=draw(st.integers(30, 400)),
        code=draw(st.from_regex(r"[A-Z]{3}\d{3}", fullmatch=True)),
        parallel=draw(st.booleans()),
    )
