import json

from hypothesis import given
from hypothesis import strategies as st

from button.funnel import Funnel

EVENTS = st.lists(
    st.tuples(st.sampled_from(("leave", "drop", "abandon", "call")), st.sampled_from("ab"), st.integers(0, 3))
)


def test_a_step_counts_what_it_takes_gives_and_drops_by_reason() -> None:
    funnel = Funnel(["judge", "simulate"])
    for _ in range(5):
        funnel.enter("judge")
    funnel.leave("judge")
    funnel.leave("judge", given=3)
    funnel.drop("judge", "not_feasible")
    funnel.drop("judge", "not_feasible")
    funnel.call("judge", prompt_tokens=100, completion_tokens=20, seconds=0.5, cost=0.001)
    funnel.call("judge", calls=2, prompt_tokens=10, completion_tokens=2, seconds=0.25, cost=0.002)
    assert funnel.steps["judge"].live == 1
    assert funnel.as_dict()["judge"] == {
        "in": 4,
        "out": 4,
        "dropped": {"not_feasible": 2},
        "lm_calls": 3,
        "prompt_tokens": 110,
        "completion_tokens": 22,
        "cost": 0.003,
        "seconds": 0.75,
    }
    assert funnel.as_dict()["simulate"]["in"] == 0


def test_totals_add_up_over_the_steps() -> None:
    funnel = Funnel(["task", "judge"])
    funnel.call("task", prompt_tokens=5, completion_tokens=1, cost=0.5)
    funnel.call("judge", prompt_tokens=7, completion_tokens=2, cost=0.25)
    assert (funnel.lm_calls, funnel.tokens, funnel.cost) == (2, 15, 0.75)


@given(EVENTS)
def test_a_saved_funnel_is_read_back_as_it_was(events: list[tuple[str, str, int]]) -> None:
    funnel = Funnel("ab")
    for event, step, number in events:
        if event == "call":
            funnel.call(step, prompt_tokens=number, cost=number / 8)
            continue
        funnel.enter(step)
        if event == "leave":
            funnel.leave(step, number)
        elif event == "drop":
            funnel.drop(step, f"reason_{number}")
        else:
            funnel.abandon(step)
    saved = json.loads(json.dumps(funnel.as_dict()))
    again = Funnel.from_dict(saved)
    assert again.as_dict() == funnel.as_dict()
    assert list(again.steps) == ["a", "b"]
    assert all(count.live == 0 for count in funnel.steps.values())
    ended = sum(event in {"leave", "drop"} for event, _, _ in events)
    assert sum(count.taken for count in again.steps.values()) == ended


def test_a_record_the_run_gave_up_counts_nowhere() -> None:
    funnel = Funnel(["task"])
    funnel.enter("task")
    funnel.abandon("task")
    assert funnel.as_dict() == Funnel(["task"]).as_dict()
