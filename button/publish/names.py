"""What the Hub and git take as the name of a repo, a branch and a tag, checked before anything is sent."""

import re

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public by its documentation

# As git's own check-ref-format has it.
_NOT_IN_A_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|(^|/)\.|\.lock(/|$)|^[-/]|[/.]$|^@$")
_LIKE_A_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def repo_name(value: object) -> str:
    """A repo's name with its owner. Raises ValueError with what is wrong."""
    if not isinstance(value, str) or value.count("/") != 1 or not all(value.split("/")):
        raise ValueError("should be owner/name, as in repo=me/my-set")
    try:
        validate_repo_id(value)
    except HFValidationError as error:
        raise ValueError(f"is no name for a repo: {str(error).rpartition(': ')[0] or error}") from error
    return value


def ref_name(value: object) -> str:
    """The name of a branch or a tag. Raises ValueError with what is wrong."""
    if not isinstance(value, str):
        raise ValueError("should be text: begin it with a letter (v1.0), or quote it: 'tag=\"1.0\"'")
    if not value or len(value) > 200 or _NOT_IN_A_REF.search(value):
        raise ValueError("is no name for a branch or tag: letters, digits and . _ - / as in v1.0 or release/1")
    if value.startswith("refs/") or value == "HEAD" or _LIKE_A_COMMIT.fullmatch(value):
        raise ValueError("is no name for a branch or tag: git reads it as something else; take one like v1.0")
    return value
