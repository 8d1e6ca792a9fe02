import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from button.config import Budget, differing_keys
from button.dedup import SemanticDedup
from button.errors import UserError
from button.targets import build, check_targets, with_defaults

DEDUP = "button.dedup.SemanticDedup"


def test_a_node_becomes_the_object_it_describes() -> None:
    found = build({"_target_": DEDUP, "threshold": 0.5}, "steps.dedup")
    assert isinstance(found, SemanticDedup)
    assert found.threshold == 0.5


def test_a_partial_node_becomes_a_callable_that_takes_the_rest() -> None:
    found = build({"_target_": DEDUP, "_partial_": True, "threshold": 0.5}, "x")
    assert found(of="task").threshold == 0.5


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.run",
        "builtins.eval",
        "buttons.dedup.X",
        "button",
        "modules",
        "",
        "signature.x.Y",
        None,
        7,
        ["a"],
    ],
)
def test_a_target_outside_the_allow_list_is_refused_with_its_key(target: Any) -> None:
    config = {"steps": {"judge": {"inner": [{"_target_": target}]}}}
    with pytest.raises(
        UserError, match=r"steps\.judge\.inner\.0\._target_=.* is refused: a target must lie in button, "
    ):
        check_targets(config)


def test_a_package_of_the_users_own_is_taken_once_it_is_allowed() -> None:
    config = {"steps": {"mine": {"_target_": "my_pkg.MyStep"}}}
    with pytest.raises(UserError, match=r"allow_targets=\[my_pkg\]"):
        check_targets(config)
    check_targets(config, ["my_pkg"])
    with pytest.raises(UserError, match="is refused"):
        check_targets({"_target_": "my_pkgs.MyStep"}, ["my_pkg"])


@pytest.mark.parametrize(
    "target", ["button.targets.sys.exit", "button.targets.Path", "button.targets.importlib.import_module"]
)
def test_what_a_module_merely_imported_cannot_be_named(target: str) -> None:
    with pytest.raises(UserError):
        build({"_target_": target}, "x")


def test_a_refused_target_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trap_pkg.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="is refused"):
        build({"_target_": "trap_pkg.Thing"}, "x")
    assert "trap_pkg" not in sys.modules


def test_a_package_beside_the_user_is_found_once_it_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside_pkg.py").write_text(
        "class Mine:\n    def __init__(self, size: int = 1) -> None:\n        self.size = size\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert build({"_target_": "beside_pkg.Mine", "size": 3}, "x", allow=["beside_pkg"]).size == 3


@pytest.mark.parametrize(
    ("component", "message"),
    [
        ({"threshold": 0.5}, r"steps\.dedup needs a _target_"),
        ({"_target_": "button.nowhere.X"}, r"steps\.dedup\._target_='button\.nowhere\.X': there is no module"),
        ({"_target_": "button.dedup.Semantic"}, r"'button\.dedup' has no class 'Semantic'; it has .*SemanticDedup"),
        ({"_target_": DEDUP, "threshold": 7}, r"steps\.dedup\.threshold=7 \(integer\): should be less than"),
        ({"_target_": DEDUP, "threshold": "high"}, r"steps\.dedup\.threshold='high' \(text\): should be a valid"),
        ({"_target_": DEDUP, "treshold": 0.5}, r"steps\.dedup\.treshold: .*Dedup takes no such argument; it takes thr"),
        ({"_target_": DEDUP, "of": "seed"}, r"steps\.dedup\.of='seed' \(text\): should be 'scenario' or 'task'"),
        ({"_target_": "button.config.Budget", "max_calls": 0}, r"steps\.dedup\.max_calls=0 \(integer\): should"),
        ({"_target_": "button.config.Budget", "calls": 0}, r"steps\.dedup\.calls: no such key here"),
        ({"_target_": "button.funnel.Funnel"}, r"steps\.dedup\.steps is required: give it as steps\.dedup\.steps="),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_key_value_and_what_is_allowed(
    component: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        build(MappingProxyType(component), "steps.dedup")


def test_a_node_inside_the_arguments_is_built_too() -> None:
    node = {"_target_": "button.funnel.Funnel", "steps": [{"_target_": "button.config.Budget", "max_calls": 3}]}
    assert list(build(node, "x").steps) == [Budget(max_calls=3)]


def test_an_error_from_inside_a_constructor_is_no_fault_of_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from button.config import Budget\nclass Broken:\n    def __init__(self):\n        Budget(max_calls=-1)\n"
    (tmp_path / "broken_pkg.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="max_calls"):
        build({"_target_": "broken_pkg.Broken"}, "x", allow=["broken_pkg"])


# Defaults


class Mine:
    def __init__(
        self, words: int, *, most: float = 0.5, kinds: tuple[str, ...] = ("a", "b"), by: object = print
    ) -> None:
        """As a user's own."""


def test_what_a_config_leaves_to_constructors_is_written_out_at_any_depth() -> None:
    mine = {"_target_": f"{__name__}.Mine", "words": 3}
    config = {"n": 1, "steps": {"dedup": {"_target_": DEDUP, "of": "task"}, "mine": {**mine, "inner": [mine]}}}
    found = with_defaults(config, [__name__])
    assert found["n"] == 1
    assert found["steps"]["dedup"] == {"_target_": DEDUP, "of": "task", "threshold": 0.85}
    filled = {**mine, "most": 0.5, "kinds": ["a", "b"]}  # JSON cannot say the default of `by`
    assert found["steps"]["mine"] == {**filled, "inner": [filled]}
    assert with_defaults(found, [__name__]) == found


def test_a_default_that_has_changed_is_another_config(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"steps": {"mine": {"_target_": f"{__name__}.Mine", "words": 3}}}
    before = with_defaults(config, [__name__])
    monkeypatch.setitem(Mine.__init__.__kwdefaults__ or {}, "most", 0.75)
    assert differing_keys(before, with_defaults(config, [__name__])) == ["steps.mine.most: 0.5 there, 0.75 here"]


def test_a_target_that_is_not_there_has_no_defaults() -> None:
    with pytest.raises(UserError, match=r"steps\.judge\._target_=.* has no class 'Filter'"):
        with_defaults({"steps": {"judge": {"_target_": "modules.judge.Filter"}}})
