"""The scenarios that come with the package, so that a first run needs no file."""

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from pydantic import PositiveInt, validate_call

from button.errors import UserError
from button.seeds.json_rows import read_json_rows
from button.seeds.list import read_text
from button.seeds.source import Content
from signatures.records import Seed

FILE = Path(__file__).with_name("builtin.jsonl")


class BuiltinSeeds:
    """Hand-written everyday scenarios, one of each domain in turn, so that a short run is a mixed one.

    The scenarios of `domains`, or of all of them; 434 in 43 domains.
    """

    @validate_call
    def __init__(self, *, domains: list[str] | None = None, limit: PositiveInt | None = None) -> None:
        """`limit` is how many seeds a pass gives. Raises UserError for a domain that is not there."""
        self.name = "builtin"
        self.skipped: Counter[str] = Counter()
        self._limit = limit
        scenarios = read_builtin()
        if missing := sorted(set(domains or ()) - scenarios.keys()):
            raise UserError(f"seeds.domains: no domain {', '.join(missing)}; there are {', '.join(sorted(scenarios))}")
        self._columns = [found for domain, found in scenarios.items() if domains is None or domain in domains]

    def __iter__(self) -> Iterator[Seed]:
        turns = (content for turn in zip_longest(*self._columns) for content in turn if content is not None)
        for number, content in enumerate(turns):
            if number == self._limit:
                return
            # The row's number stays out of the source, so that an id outlives changes to the file.
            yield Seed.derive(
                None, source=self.name, text=content.text, form="scenario", domain=content.domain, license="Apache-2.0"
            )


def read_builtin() -> dict[str, list[Content]]:
    """The scenarios by domain, both in the order of the file."""
    found: dict[str, list[Content]] = {}
    for row in read_json_rows(FILE):
        content = read_text(row, column="scenario", form="scenario")
        found.setdefault(content.domain or "", []).append(content)
    return found
