"""Objects from config nodes: a `_target_` and its constructor's arguments, behind an allow-list of packages.

Hydra's own `instantiate` would take any importable name but a blocklist; here nothing outside the allow-list is even
imported, and only what a module itself defines can be named (`button.journal.os.system` cannot).
"""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from button.errors import UserError
from button.validation import refusal

TARGET = "_target_"
PARTIAL = "_partial_"
OURS = ("button", "modules", "signatures", "experiments")


def check_targets(config: Any, allow: Sequence[str] = ()) -> None:
    """Refuse a config that names, at any depth, a target outside our packages and those of `allow`."""
    for key, target in _targets(config, ""):
        _check_target(key, target, allow)


def build(component: Mapping[str, Any], where: str, *, allow: Sequence[str] = ()) -> Any:
    """The object that a config node describes; nodes inside its arguments are built too.

    `where` is the node's dotted key, for messages. With `_partial_: true` it is the callable with these arguments, to
    be called later with the others. Raises UserError for a target that is refused or not there, and for arguments
    that its constructor does not take.
    """
    if not isinstance(component.get(TARGET), str):
        raise UserError(
            f"{where} needs a {TARGET}: the dotted name of a class, such as modules.judge.CompositionFilter"
        )
    made = _resolve(component[TARGET], f"{where}.{TARGET}", allow)
    arguments = {
        str(name): _built(value, f"{where}.{name}", allow)
        for name, value in component.items()
        if name not in {TARGET, PARTIAL}
    }
    partial = component.get(PARTIAL) is True
    _check_arguments(made, arguments, where, all_given=not partial)
    if partial:
        return functools.partial(made, **arguments)
    try:
        return made(**arguments)
    except ValidationError as error:
        # A validation error of something that the constructor does inside is a bug of ours, not the user's.
        if {str(found["loc"][0]) for found in error.errors() if found["loc"]} <= arguments.keys():
            raise refusal(error, where) from error
        raise


def check_arguments(component: Mapping[str, Any], where: str, *, allow: Sequence[str] = ()) -> None:
    """Refuse a node whose constructor takes other arguments, without calling it."""
    made = _resolve(component[TARGET], f"{where}.{TARGET}", allow)
    given = {str(name): value for name, value in component.items() if name not in {TARGET, PARTIAL}}
    _check_arguments(made, given, where, all_given=component.get(PARTIAL) is not True)


def with_defaults(config: Any, allow: Sequence[str] = (), where: str = "") -> Any:
    """The config with what its nodes leave to their constructors written out, as far as JSON can say it.

    So a default that another version has changed is another config. Raises UserError for a target that is refused or
    not there.
    """
    if isinstance(config, list):
        return [with_defaults(part, allow, f"{where}.{index}") for index, part in enumerate(config)]
    if not isinstance(config, Mapping):
        return config
    given = {name: with_defaults(part, allow, f"{where}.{name}".lstrip(".")) for name, part in config.items()}
    if not isinstance(given.get(TARGET), str):
        return given
    made = _resolve(given[TARGET], f"{where}.{TARGET}", allow)
    for parameter in _parameters(made):
        if parameter.default is not parameter.empty and parameter.name not in given:
            with suppress(PydanticSerializationError):
                given[parameter.name] = to_jsonable_python(parameter.default)
    return given


def _built(value: Any, where: str, allow: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        if TARGET in value:
            return build(value, where, allow=allow)
        return {name: _built(part, f"{where}.{name}", allow) for name, part in value.items()}
    if isinstance(value, list):
        return [_built(part, f"{where}.{index}", allow) for index, part in enumerate(value)]
    return value


def _targets(config: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(config, Mapping):
        for name, value in config.items():
            below = f"{key}.{name}" if key else str(name)
            if name == TARGET:
                yield below, value
            yield from _targets(value, below)
    elif isinstance(config, list | tuple):
        for index, value in enumerate(config):
            yield from _targets(value, f"{key}.{index}")


def _check_target(key: str, target: Any, allow: Sequence[str]) -> None:
    packages = (*OURS, *allow)
    if not isinstance(target, str) or not target.startswith(tuple(f"{package}." for package in packages)):
        raise UserError(
            f"{key}={target!r} is refused: a target must lie in {', '.join(packages)}; for a class of your own add its"
            " package with allow_targets=[my_pkg]"
        )


def _resolve(target: str, key: str, allow: Sequence[str]) -> Callable[..., Any]:
    _check_target(key, target, allow)
    name, _, attribute = target.rpartition(".")
    if name.partition(".")[0] not in OURS and str(Path.cwd()) not in sys.path:
        # A user's own package lies beside them, and a console script does not look there. Last, so it hides nothing.
        sys.path.append(str(Path.cwd()))
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise UserError(f"{key}={target!r}: there is no module '{name}'") from error
    found = getattr(module, attribute, None)
    if not inspect.isclass(found) and not inspect.isfunction(found):
        raise UserError(f"{key}={target!r}: module '{name}' has no class '{attribute}'{_offers(module)}")
    _check_target(key, f"{found.__module__}.{found.__qualname__}", allow)
    return found


def _offers(module: Any) -> str:
    names = sorted(
        name
        for name, found in vars(module).items()
        if inspect.isclass(found) and found.__module__ == module.__name__ and not name.startswith("_")
    )
    return f"; it has {', '.join(names)}" if names else ""


def _check_arguments(made: Callable[..., Any], arguments: Mapping[str, Any], where: str, *, all_given: bool) -> None:
    if inspect.isclass(made) and issubclass(made, BaseModel):
        return  # pydantic says the same, about fields
    parameters = _parameters(made)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    named = {parameter.name: parameter for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL}
    for name in arguments:
        if name not in named:
            raise UserError(
                f"{where}.{name}: {made.__module__}.{made.__qualname__} takes no such argument; it takes"
                f" {', '.join(named) or 'none'}"
            )
    for name, parameter in named.items():
        if all_given and parameter.default is parameter.empty and name not in arguments:
            raise UserError(f"{where}.{name} is required: give it as {where}.{name}=...")


def _parameters(made: Callable[..., Any]) -> list[inspect.Parameter]:
    if not inspect.isclass(made):
        return list(inspect.signature(made).parameters.values())
    # A metaclass may hide the constructor's arguments (dspy.Module does), so ask the constructor itself.
    if made.__init__ is object.__init__:
        return []
    return list(inspect.signature(made.__init__).parameters.values())[1:]
