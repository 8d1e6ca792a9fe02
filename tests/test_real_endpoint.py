"""Covers lm=endpoint against a real server, llama.cpp on loopback, with a real model of 135M parameters.

What that one writes is nonsense, so rows are dropped: what is claimed is that calls, schemas, errors and counts work.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import pytest
from generating import Ran, generate

pytestmark = [pytest.mark.model, pytest.mark.slow]


@contextmanager
def llama_server(model: Path, context: int) -> Iterator[str]:
    """The address of the API of a llama.cpp server."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.cache_ram_mib = 0
    params.verbosity = -1
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture(scope="module")
def ran(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run that may make four calls, of which the first step takes three at most."""
    with llama_server(tiny_model, 2048) as address:
        return generate(
            tmp_path_factory.mktemp("real") / "run",
            *("lm=endpoint", f"lm.api_base={address}", "lm.model=any", "lm.limits.max_in_flight=1"),
            *("n=1", "seeds.limit=1", "budget.max_calls=4", "steps.task.demos=1", "steps.evolve.demos=1"),
        )


def test_a_run_on_a_real_server_makes_its_calls_and_counts_their_tokens(ran: Ran) -> None:
    assert ran.code == 3
    assert "does not list the model 'any'; it lists" in ran.said
    assert "budget.max_calls=4 is reached" in ran.said
    evolve = ran.funnel["evolve"]
    assert evolve["in"] == 1
    assert 1 <= evolve["lm_calls"] <= 3
    assert evolve["prompt_tokens"] > 100 * evolve["lm_calls"]
    assert evolve["completion_tokens"] > 1
    assert evolve["seconds"] > 0


def test_a_real_server_is_held_to_the_schemas(ran: Ran) -> None:
    with closing(sqlite3.connect(ran.out / "run.db")) as journal:
        tasks = journal.execute("SELECT body FROM records WHERE step = 'task'").fetchall()
        answers = journal.execute("SELECT body FROM answers WHERE step = 'task'").fetchall()
        drops = journal.execute("SELECT reason FROM outcomes WHERE reason IS NOT NULL").fetchall()
    assert tasks or answers
    kept = [orjson.loads(body) for (body,) in answers]
    assert all(orjson.loads(answer["text"]).keys() == {"task"} for answer in kept if answer["finish_reason"] == "stop")
    assert ("unparsable",) not in drops


def test_a_prompt_that_is_too_long_for_a_real_server_drops_its_row(tiny_model: Path, tmp_path: Path) -> None:
    with llama_server(tiny_model, 256) as address:
        ran = generate(
            tmp_path / "run",
            *("lm=endpoint", f"lm.api_base={address}", "lm.model=any", "n=1", "seeds.limit=2", "draws=1"),
            *("~step@steps.evolve", "~step@steps.dedup_evolved"),
        )
    assert ran.code == 3
    assert ran.funnel["task"]["dropped"] == {"context_overflow": 2}
