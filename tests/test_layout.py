"""How the code lies: what imports what, how long files are, what must not stand in them."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LAYERS = ["signatures", "button", "modules", "experiments"]  # each imports only itself and those before it
SOURCES = sorted(file for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))
LONGEST = 300  # lines a file; about 100 is typical
LONGEST_TEST = 400
COMES_WITH = {
    "dspy": "dspy-ai",
    "pydantic_core": "pydantic",
    "httpx2": "huggingface-hub",
}  # packages whose distribution we ask for by way of another
FORBIDDEN = re.compile(
    "|".join(rf"{name}\.{end}" for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("registry.npmjs", "org")))
    + r"|(?<![\w.$}~<>-])/(work|root|home)/"
)


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imported(file: Path) -> set[str]:
    """The top-level names of every package that `file` imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)}:{node.lineno} imports relatively"
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_imports_run_one_way(file: Path) -> None:
    layer = LAYERS.index(file.relative_to(ROOT).parts[0])
    assert imported(file).isdisjoint([*LAYERS[layer + 1 :], "tests"])


@pytest.mark.parametrize("file", [file for file in SOURCES if file.name == "__init__.py"], ids=name_of)
def test_a_packages_init_holds_a_docstring_and_no_code(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


@pytest.mark.parametrize("file", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=name_of)
def test_a_file_is_short_enough_to_read_at_once(file: Path) -> None:
    longest = LONGEST if file in SOURCES else LONGEST_TEST
    assert len(file.read_text().splitlines()) <= longest


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_no_except_swallows_everything(file: Path) -> None:
    """A broad except either raises again at its end, or says on its line why it does not."""
    lines = file.read_text().splitlines()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ExceptHandler) and is_broad(node):
            last = node.body[-1]
            raises_again = isinstance(last, ast.Raise) and last.exc is None
            says_why = re.search(r"# noqa: BLE001\W+\w+", lines[node.lineno - 1])
            assert raises_again or says_why, f"{name_of(file)}:{node.lineno}"


def is_broad(handler: ast.ExceptHandler) -> bool:
    caught = ast.walk(handler.type) if handler.type else []
    names = {name.id for name in caught if isinstance(name, ast.Name)}
    return not handler.type or not names.isdisjoint({"Exception", "BaseException"})


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_classes_are_named_after_what_they_are(file: Path) -> None:
    classes = [node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ClassDef)]
    assert not [name for name in classes if re.search("(Manager|Handler|Utils?|Helper|Base)$", name)]


def test_every_imported_package_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    declared = {normal(each) for each in [*project["dependencies"], *extras["gguf"]]}
    distributions = packages_distributions()
    for file in SOURCES:
        for package in imported(file) & distributions.keys() - set(LAYERS):
            owners = {normal(COMES_WITH.get(package, owner)) for owner in distributions[package]}
            assert owners & declared, f"{name_of(file)} imports {package}, and pyproject.toml asks for no {owners}"


def normal(requirement: str) -> str:
    """The normalised name of the distribution that a requirement asks for (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement)[0]).lower()


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout: which files are the project's own cannot be told")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    found = []
    for file in (ROOT / name for name in names if name):
        if file.is_file() and b"\0" not in (content := file.read_bytes()):
            lines = content.decode(errors="replace").splitlines()
            found += [f"{name_of(file)}:{at}: {line}" for at, line in enumerate(lines, 1) if FORBIDDEN.search(line)]
    assert not found


def targets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "_target_")
        for value in node.values():
            yield from targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets(value)


@pytest.mark.parametrize("file", sorted((ROOT / "conf").rglob("*.yaml")), ids=name_of)
def test_every_target_in_a_config_is_there(file: Path) -> None:
    for target in targets(yaml.safe_load(file.read_text())):
        assert callable(resolve_name(":".join(target.rsplit(".", 1))))
