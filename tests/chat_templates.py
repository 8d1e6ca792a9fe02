"""The chat templates that TRL ships, rendered as transformers does it, without either of them."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

_TRL = importlib.util.find_spec("trl")
TRL = Path(_TRL.origin).parent if _TRL and _TRL.origin else None
TEMPLATES = TRL / "chat_templates" if TRL else None
needs_trl = pytest.mark.skipif(
    TEMPLATES is None or not TEMPLATES.is_dir(),
    reason="trl's chat templates are not installed (`pip install --no-deps trl` is enough, without torch)",
)


class _GenerationTag(Extension):
    """TRL marks what is trained on with {% generation %}; for the text it means nothing."""

    tags = {"generation"}  # noqa: RUF012 (jinja2's own declaration)

    def parse(self, parser: Parser) -> list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _dumped(value: Any, ensure_ascii: bool = False, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def rendered(template: str, row: dict[str, Any]) -> str:
    """As transformers' `apply_chat_template` does it: sandbox, trimmed blocks, JSON without HTML escapes."""
    assert TEMPLATES is not None
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loopcontrols]
    )
    environment.filters["tojson"] = _dumped
    helpers: dict[str, Callable[..., Any]] = {"raise_exception": _refuse, "strftime_now": lambda _: "1 Jan 2026"}
    environment.globals.update(helpers)
    source = (TEMPLATES / f"{template}.jinja").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        messages=row["messages"], tools=row["tools"], bos_token="<s>", eos_token="</s>", add_generation_prompt=False
    )
