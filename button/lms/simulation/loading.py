"""Reads the worlds from data/*.yaml. `common.yaml` holds what every domain shares."""

import functools
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from button.lms.simulation.fields import Field, declared, implied
from button.lms.simulation.kinds import PATTERNS
from button.lms.simulation.phrases import Phrase
from button.lms.simulation.world import COMMON, Domain, FunctionSpec, Template, World

# A longer bank ("city") is not spelt out in patterns: a text may name what the bank does not have.
SHORT_BANK = 40
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Builder:
    """Builds one domain from its file, on top of what `common` holds."""

    def __init__(self, name: str, raw: dict[str, Any], common: "_Builder | None") -> None:
        self.name = name
        self.raw = raw
        self.banks: dict[str, Any] = {**(common.banks if common else {}), **raw.get("banks", {})}
        self.declared: dict[str, Field] = dict(common.declared if common else {})
        self.declared.update({key: declared(key, body, self.banks) for key, body in raw.get("fields", {}).items()})
        for body in raw.get("functions", {}).values():
            for response, kind in body["gives"].items():
                if response not in self.declared:
                    self.declared[response] = implied(response, kind)
        self.functions: dict[str, FunctionSpec] = dict(common.functions if common else {})
        self.functions.update({key: self.function(key, body) for key, body in raw.get("functions", {}).items()})
        self.next = tuple(self.template(key, body) for key, body in raw["next"].items())

    def field(self, name: str, kind: str | None = None) -> Field:
        known = self.declared.get(name) or implied(name)
        return known if kind is None else known.of_kind(kind)

    def function(self, name: str, body: dict[str, Any]) -> FunctionSpec:
        return FunctionSpec(
            names=(name, *body["also"]),
            does=body["does"],
            takes=tuple(self.field(parameter) for parameter in body["takes"]),
            gives=tuple(self.field(response, kind) for response, kind in body["gives"].items()),
            says=tuple(body.get("says", ())),
            banks=self.banks,
        )

    def template(self, key: str, body: dict[str, Any]) -> Template:
        functions = tuple(self.functions[name] for name in body.get("use", ()))
        slots = self._slots(body["ask"])
        patterns = {name: pattern for name, slot in slots.items() if (pattern := self._pattern(slot))}
        work = tuple(body["work"].split()) if "work" in body else ()
        needed = {work[1]} if work else set()
        given: set[str] = set()
        for function in functions:
            needed |= {parameter.name for parameter in function.takes} - slots.keys() - given
            given |= {response.name for response in function.gives}
        return Template(
            key=f"{self.name}.{key}",
            topic=body.get("topic", ""),
            phrases=tuple(Phrase(text, patterns) for text in body["ask"]),
            functions=functions,
            slots=slots,
            consumes=frozenset(needed),
            gives=frozenset(given),
            work=work,
            says=tuple(body.get("says", ())),
            fresh=frozenset(body.get("fresh", ())),
            welcomes=frozenset(body.get("with", ())),
            refuses=frozenset(body.get("without", ())),
            asked_for=body.get("asked_for", False),
            alone=body.get("alone", False),
            scenes=(tuple(body.get("do", ())), tuple(body.get("what", ()))),
        )

    def _slots(self, texts: list[str]) -> dict[str, Field]:
        names = dict.fromkeys(slot for text in texts for slot in Phrase(text, {}).slots)
        return {name: self.field(name) for name in names}

    def _pattern(self, slot: Field) -> str | None:
        """What the slot may hold: one of a short bank, else what its kind looks like. None is free text."""
        kind, *words = slot.kind.split()
        if kind == "pick" and len(self.banks[words[0]]) <= SHORT_BANK:
            return "|".join(map(re.escape, self.banks[words[0]]))
        return PATTERNS.get(kind)

    def domain(self, shared: tuple[Template, ...]) -> Domain:
        return Domain(
            name=self.name,
            keywords=frozenset(self.raw["keywords"]),
            settings=tuple(self.raw["settings"]),
            openings=tuple(self.raw["openings"]),
            tasks=tuple(self.template(key, body) for key, body in self.raw["tasks"].items()),
            next=(*self.next, *shared),
            banks=self.banks,
        )


@functools.cache
def load_world() -> World:
    """The shipped world, read once a process (about 0.3 s)."""
    files = sorted((Path(__file__).parent / "data").glob("*.yaml"))
    raw = {path.stem: yaml.load(path.read_text(encoding="utf-8"), _LOADER) for path in files}  # noqa: S506, a safe loader
    common = _Builder(COMMON, raw.pop(COMMON), None)
    builders = [_Builder(name, body, common) for name, body in raw.items()]
    domains = {builder.name: builder.domain(common.next) for builder in builders}
    functions = {name: spec for builder in builders for spec in builder.functions.values() for name in spec.names}
    index: dict[str, list[tuple[Phrase, Template]]] = defaultdict(list)
    for domain in domains.values():
        for template in domain.tasks:
            for phrase in template.phrases:
                index[phrase.first_word].append((phrase, template))
    longest_first = {word: tuple(sorted(found, key=lambda pair: -pair[0].weight)) for word, found in index.items()}
    return World(domains, functions, longest_first)
