"""What can go wrong with a request to the local Hub: by order of a test, or because the Hub would refuse it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Fault:
    """What goes wrong with requests whose `METHOD /path` matches: the first `skip` go well, `times` then do not.

    `status` answers that; `cut` ends the connection after the first bytes; `lost` does what was asked and then ends it
    without an answer; `silent` never answers; `action` is run first. None of them: the request goes on as usual.
    """

    request: str
    times: int = 1
    skip: int = 0
    status: int | None = None
    body: str = '{"error": "Internal Error - We\'re working hard to fix this as soon as possible!"}'
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    lost: bool = False
    silent: bool = False
    action: Callable[[], object] | None = None

    def meets(self, request: str) -> bool:
        if self.times <= 0 or not re.search(self.request, request):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Refused(Exception):
    """An error answer with the headers by which the clients tell it."""

    def __init__(self, status: int, message: str, code: str | None = None, **body: str) -> None:
        super().__init__(message)
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.response = web.json_response({"error": message, **body}, status=status, headers=headers)
