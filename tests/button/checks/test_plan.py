from journeys import journey

from button.checks import reasons
from button.checks.plan import plan_faults
from button.checks.provenance import trace_arguments
from signatures.records import Composition, Problem, SubTask, Trajectory


def faults(trajectory: Trajectory) -> list[str]:
    sources = trace_arguments(trajectory.turns, trajectory.problem.functions)
    return [fault.reason for fault in plan_faults(trajectory, sources)]


def planned(sub_tasks: tuple[SubTask, ...], uses: tuple[tuple[str, ...], ...]) -> Trajectory:
    """The journey, of a problem with another plan."""
    played = journey()
    composition = Composition.derive(
        None, scenario="x", task="Book a trip.", strategy="sequential", sub_tasks=sub_tasks
    )
    problem = Problem.derive(composition, composition=composition, functions=played.problem.functions, uses=uses)
    return played.model_copy(update={"problem": problem})


def test_a_plan_that_was_done_has_no_faults() -> None:
    assert faults(journey()) == []


def test_a_sub_task_whose_functions_were_not_called_was_not_served() -> None:
    played = journey(parallel=False)
    turns = tuple(turn for index, turn in enumerate(played.turns) if index not in (3, 4))
    assert faults(played.model_copy(update={"turns": turns})) == [reasons.SUB_TASK_NOT_SERVED]


def test_one_of_a_sub_tasks_functions_is_enough() -> None:
    sub_tasks = (SubTask(task="Find a trip."), SubTask(task="Book it.", depends_on=(0,)))
    assert faults(planned(sub_tasks, (("search_flights", "search_trains"), ("book_trip",)))) == []


def test_a_dependent_call_without_a_result_in_it_shows_no_dependency() -> None:
    played = journey(hotel="Oslo", flight="May 4")  # all its values are in the request
    assert faults(played) == [reasons.DEPENDENCY_NOT_USED]


def test_a_dependency_on_pure_logic_reaches_through_to_what_that_needs() -> None:
    sub_tasks = (
        SubTask(task="Find a flight."),
        SubTask(task="Compare.", depends_on=(0,)),
        SubTask(task="Book.", depends_on=(1,)),
    )
    assert faults(planned(sub_tasks, (("search_flights",), (), ("book_trip",)))) == []
    assert faults(planned(sub_tasks, (("search_flights",), (), ("find_hotel",)))) == [reasons.DEPENDENCY_NOT_USED]
    alone = (SubTask(task="Think."), SubTask(task="Find a hotel.", depends_on=(0,)))
    assert faults(planned(alone, ((), ("find_hotel",)))) == []
