"""Keeps the tags of a text format apart from the data between them, without loss.

Models write strings such as "</call>" now and then. Inside JSON the `<` of a reserved tag becomes the JSON escape
`\\u003c`, which every JSON reader undoes by itself. In free text (thoughts, final answers) it becomes `&lt;`; an
`&lt;` that already stood there gets one more `&amp;` level, so `unescape` gives back exactly what was there. Any other
`<` stays as it is.
"""

import json
import re
from typing import Any

TAGS = ("tool", "call", "final", "think", "tool_call", "tool_response")
_TAG = f"/?(?:{'|'.join(TAGS)})>"
_OPEN = re.compile(f"<(?={_TAG})")
_UNSAFE = re.compile(f"(?:<|&(?:amp;)*lt;)(?={_TAG})")
_ESCAPED = re.compile(f"&(?:amp;)*lt;(?={_TAG})")


def json_text(value: Any) -> str:
    """`value` as JSON, non-ASCII kept, that contains none of `TAGS`. Raises ValueError for NaN and infinities."""
    return _OPEN.sub(r"\\u003c", json.dumps(value, ensure_ascii=False, allow_nan=False))


def json_line(value: Any) -> str:
    """`value` as one line of JSON Lines, also for readers that use `str.splitlines`."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for separator in ("\x85", "\u2028", "\u2029"):
        line = line.replace(separator, f"\\u{ord(separator):04x}")
    return line + "\n"


def escape(text: str) -> str:
    """Free text that contains none of `TAGS`."""
    return _UNSAFE.sub(lambda found: "&lt;" if found[0] == "<" else f"&amp;{found[0][1:]}", text)


def unescape(text: str) -> str:
    """The inverse of `escape`."""
    return _ESCAPED.sub(lambda found: "<" if found[0] == "&lt;" else f"&{found[0][5:]}", text)
