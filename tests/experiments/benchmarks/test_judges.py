from pathlib import Path

import pytest

from button.errors import UserError
from experiments.benchmarks.judges import main, settings_of


def test_the_simulated_judge_is_measured_in_all_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lm=simulated", "lm.flaws=0", f"out={tmp_path}"]) == 0
    shown = capsys.readouterr().out
    for word in ("task", "functions", "78", "where the judge differs"):
        assert word in shown


@pytest.mark.parametrize("word", ["lm.flaws.kindness=1", "lm=nowhere", "n=none"])
def test_a_wrong_word_is_refused_in_one_message(word: str) -> None:
    with pytest.raises(UserError):
        settings_of(["lm=simulated", word])
