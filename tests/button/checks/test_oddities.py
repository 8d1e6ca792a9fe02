import pytest

from button.checks.oddities import acts_twice, further_steps, odd_arguments, sentences_said_twice, unlinked
from signatures.records import Call, Function, SubTask

SEARCH = Function(
    name="find_bus",
    description="Finds a bus.",
    parameters={
        "location": {"type": "string", "description": "The town"},
        "note": {"type": "string", "description": "A note"},
        "state": {"type": "string", "description": "The state", "enum": ["pending", "sent"]},
    },
    responses={"bus": {"type": "string", "description": "The bus"}},
)


@pytest.mark.parametrize(
    "task",
    [
        "Find a hotel in Turku and book it for Lea Kunz.",
        "Look up the opening hours of the museum. Then send them to Ann.",
        "Get the forecast for Oslo, then recommend clothes.",
    ],
)
def test_a_second_action_is_seen(task: str) -> None:
    assert further_steps(task)


@pytest.mark.parametrize(
    "task",
    [
        "Find a bed and breakfast in Turku for two nights.",
        "Convert 20 euros into dollars and cents.",
        "Look up the arrival and departure times of ferry 12.",
    ],
)
def test_an_and_between_things_is_no_second_action(task: str) -> None:
    assert further_steps(task) == []


def test_a_sentence_said_twice_is_found_whatever_its_case() -> None:
    assert sentences_said_twice("The bus leaves at nine. THE bus leaves at nine!") == ["THE bus leaves at nine!"]


def test_short_sentences_may_come_twice() -> None:
    assert sentences_said_twice("All done. The bus leaves at nine. All done.") == []


def test_an_argument_that_packs_several_things_into_one_is_odd() -> None:
    call = Call(name="find_bus", arguments={"location": "Bram Abara in Rosario after the concert"})
    assert "packing several things" in odd_arguments(call, SEARCH)[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"location": "Rosario"},
        {"location": "Santiago de Compostela"},
        {"note": "Bram Abara waits in Rosario after the concert"},
        {"state": "pending"},
    ],
)
def test_a_plain_value_a_note_and_an_allowed_value_are_not_odd(arguments: dict[str, str]) -> None:
    assert odd_arguments(Call(name="find_bus", arguments=arguments), SEARCH) == []


def test_a_bare_state_is_odd_as_an_argument() -> None:
    assert (
        "a state rather than a thing" in odd_arguments(Call(name="find_bus", arguments={"note": "Pending."}), SEARCH)[0]
    )


def plan(second: str) -> list[SubTask]:
    return [SubTask(task="Get the weather in Oslo."), SubTask(task=second, depends_on=(0,))]


@pytest.mark.parametrize(
    "second", ["Find a dentist in Lyon.", "Look up when the museum in Graz is open.", "Check the price of milk."]
)
def test_a_search_that_names_no_earlier_result_is_unlinked(second: str) -> None:
    assert second in unlinked(plan(second))[0]


@pytest.mark.parametrize(
    "second", ["Find clothes for this weather.", "Find the nearest shop that sells it.", "Have 7 pieces sent to Ann."]
)
def test_what_points_back_and_what_acts_on_the_result_is_linked(second: str) -> None:
    assert unlinked(plan(second)) == []


def test_a_function_of_two_actions_is_told_from_one_of_two_things() -> None:
    assert acts_twice("find_compare_and_book_room")
    assert not acts_twice("combine_plan_and_internet")
