from journeys import journey
from scripted import work_of

from experiments.metrics.assistant_turn import AssistantTurnMetric, turn_findings
from signatures.records import AssistantTurn, Call, Result, ToolTurn, Trajectory


def with_thoughts(record: Trajectory) -> Trajectory:
    """The same dialogue with thoughts that differ."""
    turns = [
        turn.model_copy(update={"thought": f"This is step {index}."}) if isinstance(turn, AssistantTurn) else turn
        for index, turn in enumerate(record.turns)
    ]
    return record.model_copy(update={"turns": tuple(turns)})


PLAYED = with_thoughts(journey(parallel=False))


def shares(record: Trajectory) -> dict[str, float]:
    return {part.name: part.share for part in turn_findings(record)}


def with_turn(index: int, turn: object) -> Trajectory:
    turns = (*PLAYED.turns[:index], turn, *PLAYED.turns[index + 1 :])
    return PLAYED.model_copy(update={"turns": turns})


def first_turn(**changes: object) -> AssistantTurn:
    turn = PLAYED.turns[1]
    assert isinstance(turn, AssistantTurn)
    return turn.model_copy(update=changes)


async def test_a_coherent_dialogue_scores_1_without_a_judge() -> None:
    score = await AssistantTurnMetric().score(PLAYED.problem, (PLAYED,), work_of())
    assert score.value == 1, score.feedback


def test_an_unknown_function_costs_its_share_of_the_calls() -> None:
    calls = sum(len(turn.calls) for turn in PLAYED.turns if isinstance(turn, AssistantTurn))
    found = shares(with_turn(1, first_turn(calls=(Call(name="nowhere", arguments={}),))))
    assert found["valid_calls"] == 1 - 1 / calls


def test_a_value_from_nowhere_lowers_provenance_alone() -> None:
    turn = first_turn()
    name = next(iter(turn.calls[0].arguments))
    call = turn.calls[0].model_copy(update={"arguments": {**turn.calls[0].arguments, name: "Ouagadougou"}})
    found = shares(with_turn(1, first_turn(calls=(call,))))
    assert found["provenance"] < 1
    assert found["valid_calls"] == 1


def test_a_thought_that_says_the_final_answer_over_is_no_thought() -> None:
    last = PLAYED.turns[-1]
    assert isinstance(last, AssistantTurn)
    found = shares(with_turn(len(PLAYED.turns) - 1, last.model_copy(update={"thought": last.final})))
    assert found["fresh_thoughts"] < 1


def test_an_answer_that_reports_nothing_is_incomplete() -> None:
    last = PLAYED.turns[-1]
    assert isinstance(last, AssistantTurn)
    found = shares(with_turn(len(PLAYED.turns) - 1, last.model_copy(update={"final": "It is all done now."})))
    assert found["complete_answer"] == 0


def test_the_same_call_again_is_needless() -> None:
    asked, told = PLAYED.turns[1], PLAYED.turns[2]
    assert isinstance(asked, AssistantTurn)
    assert isinstance(told, ToolTurn)
    again = asked.model_copy(update={"thought": "Once more."})
    record = PLAYED.model_copy(update={"turns": (*PLAYED.turns[:3], again, told, *PLAYED.turns[3:])})
    assert shares(record)["no_needless_call"] < 1


def test_a_dialogue_without_calls_has_no_valid_ones() -> None:
    spoken = AssistantTurn(thought="I know this.", final="It is warm.")
    record = PLAYED.model_copy(update={"turns": (PLAYED.turns[0], spoken)})
    found = shares(record)
    assert found["valid_calls"] == found["follows_plan"] == 0


def test_results_that_do_not_answer_their_calls_do_not_break_the_scoring() -> None:
    told = ToolTurn(results=(Result(name="x", arguments={}, results=None),))
    assert all(0 <= share <= 1 for share in shares(with_turn(2, told)).values())
