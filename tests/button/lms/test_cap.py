"""Covers how the limit follows the answers; the limiter's tests show it at work against servers."""

import random

from button.lms.cap import LONGEST_PATIENCE, Cap


def answers(cap: Cap, verdicts: list[bool], others_in_flight: int) -> None:
    for rejected in verdicts:
        cap.note(rejected=rejected, epoch=cap.epoch, others_in_flight=others_in_flight)


def test_stray_rejections_of_one_in_twenty_leave_the_limit_alone() -> None:
    cap, rng = Cap(64), random.Random(1)
    answers(cap, [rng.random() < 0.05 for _ in range(20_000)], 60)

    assert cap.limit >= 60


def test_a_full_server_is_left_with_what_it_carried() -> None:
    cap = Cap(64)
    answers(cap, [True, False] * 64, 30)

    assert cap.limit == 30


def test_one_cut_goes_down_to_a_quarter_at_most() -> None:
    cap = Cap(64)
    answers(cap, [True] * 128, 0)

    assert cap.limit == 16


def test_the_limit_never_falls_below_one() -> None:
    cap = Cap(3)
    answers(cap, [True] * 1000, 0)

    assert cap.limit == 1


def test_calls_from_before_a_cut_do_not_count_against_the_new_limit() -> None:
    cap = Cap(64)
    answers(cap, [True] * 128, 32)
    assert cap.limit == 32
    for _ in range(1000):
        cap.note(rejected=True, epoch=cap.epoch - 1, others_in_flight=0)

    assert cap.limit == 32


def test_after_calm_the_limit_grows_back_to_the_highest() -> None:
    cap = Cap(64)
    answers(cap, [True] * 128, 16)
    assert cap.limit == 16
    answers(cap, [False] * 2000, 10)

    assert cap.limit == 64


def test_a_cap_found_again_and_again_is_probed_ever_more_rarely() -> None:
    cap = Cap(64)
    answers(cap, [True] * 128, 16)
    waits = []
    for _ in range(6):
        calm = 0
        while cap.limit == 16:
            answers(cap, [False] * 32, 15)
            calm += 1
        waits.append(calm)
        answers(cap, [True] * 2 * cap.limit, 16)
        assert cap.limit == 16

    assert waits == [1, 2, 4, 8, LONGEST_PATIENCE, LONGEST_PATIENCE]
