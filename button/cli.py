"""The command line: `button VERB [key=value ...]`. A verb is a primary config in conf/ and the function that runs it.

Exit codes: 0 done; 2 something the user can mend, said in one message; 3 the run ended short of `n`; 130 interrupted.
A bug is a traceback.
"""

import asyncio
import contextlib
import errno
import importlib
import io
import logging
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, TextIO

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from button.config import SWEEP_VARIABLE, settings_from
from button.errors import UserError
from button.overrides import hydra_refusal, plain, prepared, sweep_name

CONF = Path(__file__).parents[1] / "conf"
DONE, REFUSED, SHORT, INTERRUPTED = 0, 2, 3, 130
ENVIRONMENT = {
    "HYDRA_FULL_ERROR": "1",  # Hydra then raises what it would print and exit(1) for
    "LITELLM_LOCAL_MODEL_COST_MAP": "true",  # without it the first use downloads a price list
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
# What is offered of Hydra's own flags: none that loads a pickle or another verb's config.
FLAGS = {
    *("--help", "-h", "--hydra-help", "--cfg", "-c", "--resolve", "--package", "-p", "--run", "-r", "--multirun", "-m"),
    *("--shell-completion", "-sc", "--config-dir", "-cd", "--info", "-i"),
}
# No place to write, no right, no room: the user's to mend.
DISK = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOTDIR, errno.EISDIR}


class Ended(Protocol):
    """What a verb's function gives: how it ended."""

    @property
    def exit_code(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb does, and where its settings and its async function are (`module:name`), imported when it runs.

    The function takes the settings and gives an `Ended`, or None when done. A `server` runs until it is interrupted.
    `keys` are typed otherwise than they stand in the config: Hydra takes a key that is a group's name for the group.
    """

    summary: str
    settings: str
    run: str
    server: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


VERBS = {
    "generate": Verb(
        "make multi-turn function-calling trajectories", "button.config:GenerateSettings", "button.generate:generate"
    ),
    "optimize": Verb(
        "search better prompts for a step, measured on held-out items and tracked in MLflow",
        "experiments.optimizing.settings:OptimizeSettings",
        "experiments.optimize:optimize",
        keys={"step": "step.name"},
    ),
    "compare": Verb(
        "two or more configs on the same seeds: what differs, with intervals",
        "experiments.comparing.settings:CompareSettings",
        "experiments.comparing.compare:compare",
    ),
    "publish": Verb(
        "publish a run, or tuned prompts, to the Hugging Face Hub",
        "button.publish.settings:PublishSettings",
        "button.publish.publish:publish",
    ),
    "simulate": Verb(
        "serve an OpenAI-compatible endpoint that plays every part of the method by rule",
        "button.simulate:SimulateSettings",
        "button.simulate:run_server",
        server=True,
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line (None: that of this process) and gives its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if not words or words[0] in {"--help", "-h", "help"}:
        print(usage(), file=sys.stdout if words else sys.stderr)
        return DONE if words else REFUSED
    if words[0] == "--version":
        print(f"button {_version()}")
        return DONE
    if words[0] in {"-sc", "--shell-completion"}:
        return guarded("button", lambda: complete(words))
    if words[0] in VERBS:
        return guarded(f"button {words[0]}", lambda: run_verb(words[0], words[1:]))
    print(f"button: {words[0]!r} is no verb; the verbs are: {', '.join(VERBS)}; see button --help", file=sys.stderr)
    return REFUSED


def usage() -> str:
    """The text of `button --help`."""
    verbs = "\n".join(f"  {name:<10} {verb.summary}" for name, verb in VERBS.items())
    return (
        f"usage: button VERB [key=value ...]\n\nverbs:\n{verbs}\n\n"
        "button VERB --help says what a verb does, with its keys, options and examples.\n"
        'Completion in this shell: eval "$(button -sc install=bash)"'
    )


def guarded(name: str, action: Callable[[], int]) -> int:
    """The exit code of `action`; what the user can mend becomes one message on stderr."""
    try:
        return action()
    except UserError as error:
        message = str(error)
    except OSError as error:
        if error.errno not in DISK:
            raise
        message = f"{error.filename or 'cannot write'}: {error.strerror}; make room or give another place with out=..."
    except KeyboardInterrupt:
        print(f"{name}: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    print(f"{name}: {message}", file=sys.stderr)
    return REFUSED


def run_verb(name: str, words: Sequence[str]) -> int:
    """Runs a verb, or each job of its multirun, through Hydra. Raises UserError for a command line that is wrong."""
    _check_flags(words)
    given = prepared([spelled(word, VERBS[name].keys) for word in words])
    codes: list[int] = []
    begun: list[str] = []
    home = os.getpid()

    def task(config: DictConfig) -> None:
        begun.append(name)
        code = guarded(f"button {name}", lambda: perform(VERBS[name], config, given))
        begun.pop()
        codes.append(code)
        if code == INTERRUPTED:
            raise KeyboardInterrupt  # ends a multirun, which an error would not
        if code != DONE and os.getpid() != home:
            raise UserError(f"a job ended with exit code {code}")  # a launcher's other process has its own `codes`

    with _as_command(["button", *given], sweep=not {"-m", "--multirun"}.isdisjoint(words)):
        try:
            hydra.main(config_path=str(CONF), config_name=name, version_base="1.3")(task)()
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            if begun:
                raise  # the verb's own error
            raise UserError(hydra_refusal(error, words, CONF, name)) from error
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else DONE
        except KeyboardInterrupt:
            if INTERRUPTED not in codes:
                raise
    return next((code for code in (INTERRUPTED, REFUSED, SHORT) if code in codes), DONE)


def spelled(word: str, keys: Mapping[str, str]) -> str:
    """A word of a command line, its key as it stands in the config."""
    key, sign, value = word.partition("=")
    return f"{keys.get(key, key)}{sign}{value}"


def perform(verb: Verb, config: DictConfig, words: Sequence[str]) -> int:
    """Runs one job: its composed config, checked, into the verb's function."""
    found = plain(config)
    if HydraConfig.get().mode == RunMode.MULTIRUN and "out" in found:
        found["out"] = _job_folder(found, words)
    settings = settings_from(found, _load(verb.settings))
    _log_to_stderr()
    run: Callable[..., Any] = _load(verb.run)
    try:
        ended: Ended | None = asyncio.run(run(settings))
    except KeyboardInterrupt:
        if verb.server:
            return DONE
        raise
    return ended.exit_code if ended is not None else DONE


def complete(words: Sequence[str]) -> int:
    """Shell completion for all verbs.

    Hydra's knows one command a script and no `group@place=`, so both are taken out of the line and put back.
    """
    if not any(word.startswith("query=") for word in words):
        return run_verb(next(iter(VERBS)), words)
    typed = re.match(r"\s*\S+\s+(\S+)(\s.*)$", os.environ.get("COMP_LINE", ""))
    if typed is None:
        print(" ".join(VERBS))
        return DONE
    if typed[1] not in VERBS:
        return DONE
    line = f"button{typed[2]}"
    placed = re.search(r"(\S+)@(\S+)=\S*$", line)
    if placed is not None:
        line = line.replace(f"{placed[1]}@{placed[2]}=", f"{placed[1]}=")
    os.environ["COMP_LINE"] = line
    with contextlib.redirect_stdout(io.StringIO()) as offered:
        code = run_verb(typed[1], words)
    found = offered.getvalue()
    print(found if placed is None else found.replace(f"{placed[1]}=", f"{placed[1]}@{placed[2]}="), end="")
    return code


def _check_flags(words: Sequence[str]) -> None:
    for word in words:
        if word.startswith("-") and word.partition("=")[0] not in FLAGS:
            raise UserError(f"{word} is no flag here; values are given as key=value, and the flags are in --hydra-help")


def _job_folder(config: Mapping[str, Any], words: Sequence[str]) -> str:
    """The run folder of one job of a multirun: `out`/what sets the job apart, unless `out` itself does."""
    settings = HydraConfig.get()
    name = sweep_name(words, settings.overrides.task, settings.job.num)
    return str(Path(str(config["out"])) / name) if name is not None else str(config["out"])


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


@contextlib.contextmanager
def _as_command(argv: list[str], *, sweep: bool) -> Iterator[None]:
    """Hydra reads sys.argv; afterwards it is as before."""
    before = sys.argv
    sys.argv = argv
    if sweep:
        os.environ[SWEEP_VARIABLE] = uuid.uuid4().hex[:12]
    try:
        yield
    finally:
        sys.argv = before
        os.environ.pop(SWEEP_VARIABLE, None)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what sys.stderr is at the moment: the live display puts itself in between."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        self.addFilter(_prints_nowhere_else)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _prints_nowhere_else(record: logging.LogRecord) -> bool:
    """False for a record of a library that has a handler of its own, as huggingface_hub does: it would come twice."""
    return record.name == "root" or not logging.getLogger(record.name.partition(".")[0]).handlers


def _log_to_stderr() -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _Stderr) for handler in root.handlers):
        root.addHandler(_Stderr())
    for ours in ("button", "experiments"):
        logging.getLogger(ours).setLevel(logging.INFO)
    # It warns of each truncated answer, with advice for its own API; here that is asked again, or a counted drop.
    logging.getLogger("dspy.clients.lm").setLevel(logging.ERROR)


def _version() -> str:
    try:
        return version("button-instruct")
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
