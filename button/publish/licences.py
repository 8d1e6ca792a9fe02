"""Under which licence a set may be published, told from the licences of the seeds that its rows were made from.

Names are those of the Hub's `license` key (hf.co/docs/hub/repositories-licenses), lower case. Which row may carry
which licence is a question of law; this refuses what is plainly in conflict or not known, and leaves the rest to who
publishes.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from button.errors import UserError

# Ask for credit at most, which the card gives.
PERMISSIVE = frozenset(
    """
    apache-2.0 mit bsd bsd-2-clause bsd-3-clause isc zlib unlicense wtfpl cc0-1.0 pddl cc-by-2.0 cc-by-2.5 cc-by-3.0
    cc-by-4.0 odc-by cdla-permissive-1.0 cdla-permissive-2.0 artistic-2.0
    """.split()
)
# What is made from it must carry the same licence.
SHARE_ALIKE = frozenset(
    "cc-by-sa-3.0 cc-by-sa-4.0 odbl cdla-sharing-1.0 gpl-2.0 gpl-3.0 lgpl-3.0 agpl-3.0 mpl-2.0".split()
)
# As above, and not for every use: taken over only where it was chosen in so many words.
NON_COMMERCIAL = frozenset("cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0".split())
NO_DERIVATIVES = frozenset("cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0".split())

USUAL = "apache-2.0"
OTHER = "other"

_ALIASES = {
    "apache": "apache-2.0",
    "apache-2": "apache-2.0",
    "cc0": "cc0-1.0",
    "odbl-1.0": "odbl",
    "gpl-2": "gpl-2.0",
    "gpl-3": "gpl-3.0",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9.+-]*")


class SeedLicence(NamedTuple):
    """A source of seeds by name (a file, a data set) and the licence noted for its seeds."""

    source: str
    licence: str | None


def hub_name(licence: str) -> str:
    """The Hub's name of a licence: "Apache License 2.0" is apache-2.0, "CC BY 4.0" is cc-by-4.0."""
    words = re.sub(r"[\s_,-]+", "-", licence.strip().lower())
    words = re.sub(r"-?(licen[cs]e|version|the)(?=-|$)|^the-", "", words).strip("-")
    words = re.sub(r"-v(?=\d)", "-", words)
    return _ALIASES.get(words, words)


def published_licence(
    seeds: Mapping[SeedLicence, int], *, chosen: str | None, allowed: bool | Collection[str] = False
) -> str:
    """The licence of the set: `chosen`, else what the seeds ask for, else apache-2.0.

    `seeds` counts the rows of each source and licence. `allowed` (all, or names of licences or sources) is what the
    person who publishes takes into their own hands; a set with such seeds and no choice is "other". Raises UserError
    that names each source whose licence is unknown or does not go with that of the set.
    """
    if chosen is not None and not _NAME.fullmatch(hub_name(chosen)):
        raise UserError(f"license={chosen!r} is no name of a licence on the Hub; expected one such as apache-2.0")
    names = allowed if not isinstance(allowed, bool) else ()
    taken_on = {hub_name(name) for name in names}
    open_ones = {
        seed: rows
        for seed, rows in seeds.items()
        if allowed is not True and seed.source not in names and hub_name(seed.licence or "") not in taken_on
    }
    asked = {hub_name(seed.licence or "") for seed in open_ones} & SHARE_ALIKE
    licence = (
        hub_name(chosen) if chosen is not None else _unchosen(asked, everything_known=len(open_ones) == len(seeds))
    )
    if refused := [
        f"{_named(seed, rows)}: {why}" for seed, rows in open_ones.items() for why in _conflict(seed, licence)
    ]:
        lines = "\n  ".join(refused)
        raise UserError(
            f"the set cannot be published as {licence}, since it was made from seeds whose licence does not allow it or"
            f" is not known:\n  {lines}\nchoose license=..., note the licence of your seeds with seeds.licensed=... in"
            " a new run, or, where you have the right, allow_license=true or allow_license=[licences or sources]"
        )
    return licence


def _unchosen(asked: Collection[str], *, everything_known: bool) -> str:
    if len(asked) == 1:
        return next(iter(asked))
    return USUAL if everything_known else OTHER


def _conflict(seed: SeedLicence, licence: str) -> Iterator[str]:
    name = hub_name(seed.licence or "")
    if not name:
        yield "names no licence"
    elif name in NO_DERIVATIVES:
        yield f"{name} allows nothing to be made from it"
    elif name in SHARE_ALIKE | NON_COMMERCIAL:
        if name != licence:
            yield f"{name} asks that what is made from it carries the same licence"
    elif name not in PERMISSIVE:
        yield f"'{seed.licence}' is no licence that is known here"


def _named(seed: SeedLicence, rows: int) -> str:
    return f"{seed.source} ({rows} row{'' if rows == 1 else 's'})"
