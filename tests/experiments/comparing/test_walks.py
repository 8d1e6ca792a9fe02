import sqlite3
from contextlib import closing

import pytest
from generating import Ran, generate

from button.errors import UserError
from experiments.comparing.walks import Walk, paired, walks_in


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    flaws = "lm.flaws={judge_no: 0.3, lost_detail: 0.3, near_duplicate: 0.3}"
    return generate(tmp_path_factory.mktemp("run"), "n=null", "draws=1", "seeds.limit=10", flaws)


def test_the_walks_of_a_run_add_up_to_its_funnel(ran: Ran) -> None:
    walks = walks_in(ran.out).values()
    assert len(walks) == 10
    assert sum(walk.lm_calls for walk in walks) == ran.calls
    tokens = sum(count["prompt_tokens"] + count["completion_tokens"] for count in ran.funnel.values())
    assert sum(walk.tokens for walk in walks) == tokens
    dropped = {
        (step, reason): times for step, count in ran.funnel.items() for reason, times in count["dropped"].items()
    }
    assert dropped
    assert sum((walk.drops for walk in walks), start=Walk("").drops) == dropped


def test_each_accepted_row_belongs_to_the_seed_that_its_parents_lead_to(ran: Ran) -> None:
    with closing(sqlite3.connect(ran.out / "run.db")) as tables:
        parents = dict(tables.execute("SELECT id, parent FROM records"))
    accepted = {example.id for example in ran.examples}
    walks = walks_in(ran.out)
    assert {example.id for walk in walks.values() for example in walk.accepted} == accepted
    for seed, walk in walks.items():
        for example in walk.accepted:
            id_ = example.id
            while parents[id_] is not None:
                id_ = parents[id_]
            assert id_ == seed


def test_arms_are_paired_by_their_seeds_in_one_order() -> None:
    one, other = ({seed: Walk(seed) for seed in seeds} for seeds in ("cab", "bca"))
    assert paired({"one": one, "other": other}) == ["a", "b", "c"]


def test_arms_that_walked_other_seeds_are_not_paired() -> None:
    one, other = ({seed: Walk(seed) for seed in seeds} for seeds in ("ab", "bc"))
    with pytest.raises(UserError, match=r"arms one and other did not walk the same seeds \(2 differ\)"):
        paired({"one": one, "other": other})
