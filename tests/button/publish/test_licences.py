from collections.abc import Collection

import pytest

from button.errors import UserError
from button.publish.licences import SeedLicence, hub_name, published_licence


def settled(*licences: str | None, chosen: str | None = None, allowed: bool | Collection[str] = False) -> str:
    seeds = {SeedLicence(f"source{number}", licence): 3 for number, licence in enumerate(licences)}
    return published_licence(seeds, chosen=chosen, allowed=allowed)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Apache-2.0", "apache-2.0"),
        ("Apache License 2.0", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("MIT", "mit"),
        ("The MIT License", "mit"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("CC0", "cc0-1.0"),
        ("cc_by_sa_4.0", "cc-by-sa-4.0"),
        ("GPL v3", "gpl-3.0"),
        ("", ""),
    ],
)
def test_the_hubs_name_of_a_licence_is_told_from_the_ways_to_write_it(written: str, name: str) -> None:
    assert hub_name(written) == name


@pytest.mark.parametrize(
    ("licences", "chosen", "licence"),
    [
        (["Apache-2.0"], None, "apache-2.0"),
        (["mit", "cc-by-4.0"], None, "apache-2.0"),
        (["mit"], "CC-BY-4.0", "cc-by-4.0"),
        (["mit", "cc-by-sa-4.0"], None, "cc-by-sa-4.0"),
        (["cc-by-nc-4.0"], "cc-by-nc-4.0", "cc-by-nc-4.0"),
    ],
)
def test_the_seeds_ask_for_a_licence_and_a_person_may_choose_one(
    licences: list[str], chosen: str | None, licence: str
) -> None:
    assert settled(*licences, chosen=chosen) == licence


@pytest.mark.parametrize(
    ("licences", "chosen", "why"),
    [
        ([None], None, r"source0 \(3 rows\): names no licence"),
        (["mit", "my own"], None, r"source1 \(3 rows\): 'my own' is no licence that is known here"),
        (["cc-by-sa-4.0"], "apache-2.0", "cc-by-sa-4.0 asks that what is made from it carries the same licence"),
        (["cc-by-sa-4.0", "odbl"], None, "odbl asks that what is made from it"),
        (["cc-by-nc-4.0"], None, "cc-by-nc-4.0 asks that what is made from it"),
        (["cc-by-nd-4.0"], "cc-by-nd-4.0", "cc-by-nd-4.0 allows nothing to be made from it"),
    ],
)
def test_an_unknown_or_incompatible_licence_is_refused(
    licences: list[str | None], chosen: str | None, why: str
) -> None:
    with pytest.raises(UserError, match=why):
        settled(*licences, chosen=chosen)


@pytest.mark.parametrize("allowed", [True, ["my own"], ["My-Own"], ["source1"]])
def test_what_a_person_takes_upon_themselves_passes(allowed: bool | Collection[str]) -> None:
    assert settled("mit", "my own", allowed=allowed) == "other"
    assert settled("mit", "my own", allowed=allowed, chosen="cc-by-4.0") == "cc-by-4.0"


def test_allowing_one_source_allows_no_other() -> None:
    with pytest.raises(UserError, match=r"source0") as refused:
        settled(None, "my own", allowed=["source1"])
    assert "source1" not in str(refused.value)


def test_a_licence_that_is_no_name_is_refused() -> None:
    with pytest.raises(UserError, match="license='what I say!' is no name of a licence"):
        settled("mit", chosen="what I say!")
