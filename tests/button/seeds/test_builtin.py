import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import wordllama

from button.errors import UserError
from button.seeds.builtin import FILE, BuiltinSeeds, read_builtin
from button.seeds.decoding import read_lines

SCENARIOS = [(content.text, content.domain) for found in read_builtin().values() for content in found]


def test_a_scenario_is_a_general_phrase_of_three_to_ten_words() -> None:
    phrase = re.compile(r"[a-z]+ing( [a-z]+([-'][a-z]+)*'?){2,9}")  # no digits, no capitals, no marks
    assert [text for text, _ in SCENARIOS if not phrase.fullmatch(text)] == []


def test_a_domain_is_a_word_that_needs_no_quotes_on_the_command_line() -> None:
    assert [domain for _, domain in SCENARIOS if not re.fullmatch(r"[a-z]+(_[a-z]+)*", domain or "")] == []


def test_there_are_many_domains_with_ten_scenarios_each() -> None:
    counts = Counter(domain for _, domain in SCENARIOS)
    assert len(counts) >= 26
    assert min(counts.values()) >= 10
    assert len(SCENARIOS) == 434, "the docstring of BuiltinSeeds says how many there are"
    assert len(counts) == 43, "the docstring of BuiltinSeeds says how many there are"


def test_no_scenario_and_no_line_of_the_file_repeats() -> None:
    assert len({text for text, _ in SCENARIOS}) == len(SCENARIOS) == sum(1 for _ in read_lines(FILE))


def test_no_verb_opens_more_than_a_fifteenth_of_the_scenarios() -> None:
    (_, count), *_ = Counter(text.split()[0] for text, _ in SCENARIOS).most_common(1)
    assert count <= len(SCENARIOS) / 15


def test_no_two_scenarios_mean_nearly_the_same() -> None:
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    vectors = model.embed([text for text, _ in SCENARIOS], norm=True)
    likeness = np.triu(vectors @ vectors.T, k=1)
    first, second = np.unravel_index(likeness.argmax(), likeness.shape)
    assert likeness.max() < 0.7, (SCENARIOS[first], SCENARIOS[second])


def test_a_short_run_is_a_mixed_one() -> None:
    assert len({seed.domain for seed in BuiltinSeeds(limit=26)}) == 26


def test_every_pass_gives_every_scenario_in_the_same_order() -> None:
    source = BuiltinSeeds()
    seeds = list(source)
    assert sorted(seed.text for seed in seeds) == sorted(text for text, _ in SCENARIOS)
    assert len({seed.id for seed in seeds}) == len(seeds)
    assert list(source) == seeds
    assert {(seed.form, seed.source, seed.license) for seed in seeds} == {("scenario", "builtin", "Apache-2.0")}


def test_chosen_domains_alone_are_given() -> None:
    seeds = list(BuiltinSeeds(domains=["health", "travel"]))
    assert [seed.domain for seed in seeds[:3]] == ["travel", "health", "travel"]
    assert {seed.domain for seed in seeds} == {"travel", "health"}


def test_an_unknown_domain_is_refused_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"no domain astrology; there are .*, travel, "):
        BuiltinSeeds(domains=["travel", "astrology"])
