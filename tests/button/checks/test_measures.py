from hypothesis import given
from journeys import FUNCTIONS, journey, journeys

from button.checks.measures import longest_chain, measure
from button.checks.provenance import trace_arguments
from signatures.records import ArgumentSource, AssistantTurn, Call, Result, ToolTurn, Trajectory, Turn, UserTurn


def test_a_parallel_journey_is_counted() -> None:
    turns = journey(parallel=True).turns
    measures = measure(turns, trace_arguments(turns, FUNCTIONS))
    assert measures.model_dump() == {
        "calls": 3, "rounds": 2, "assistant_turns": 3, "parallel_rounds": 1, "longest_chain": 2, "grounded_share": 1.0,
    }  # fmt: skip


@given(journeys())
def test_the_chain_is_the_same_in_both_modes(trajectory: Trajectory) -> None:
    measures = measure(trajectory.turns, trace_arguments(trajectory.turns, FUNCTIONS))
    assert measures.longest_chain == 2
    assert measures.rounds == measures.assistant_turns - 1


def test_nothing_called_is_nothing_counted() -> None:
    measures = measure((UserTurn(content="Hi"), AssistantTurn(thought="x", final="Hello")), ())
    assert (measures.calls, measures.rounds, measures.longest_chain, measures.grounded_share) == (0, 0, 0, 1.0)


def test_the_chain_follows_results_into_arguments() -> None:
    turns: list[Turn] = [UserTurn(content="Hi")]
    for number in range(4):
        turns.append(AssistantTurn(thought="x", calls=(Call(name="f", arguments={"n": number}),)))
        turns.append(ToolTurn(results=(Result(name="f", arguments={"n": number}, results={}),)))

    def fed(turn: int, by: int) -> ArgumentSource:
        return ArgumentSource(turn=turn, call=0, path="n", origin="result", source_turn=by, source_call=0)

    assert longest_chain(turns, ()) == 1
    assert longest_chain(turns, (fed(3, 2), fed(5, 2), fed(7, 2))) == 2
    assert longest_chain(turns, (fed(3, 2), fed(5, 4), fed(7, 6))) == 4


def test_the_share_counts_values_that_come_from_somewhere() -> None:
    sources = tuple(
        ArgumentSource(turn=1, call=0, path=origin, origin=origin)
        for origin in ("user", "schema", "ungrounded", "result")
    )
    turns = (UserTurn(content="Hi"), AssistantTurn(thought="x", calls=(Call(name="f", arguments={}),)))
    assert measure(turns, sources).grounded_share == 0.75
