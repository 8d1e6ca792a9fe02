"""What a scenario and a task may look like in words (paper, section 3.1)."""

import re

from button.checks.details import names
from button.checks.instruments import means_in
from button.checks.placeholders import placeholders_in
from button.checks.references import open_references
from button.checks.vocabulary import fold, tokens

SCENARIO_WORDS = 10
TASK_WORDS = 30

_ASKING_BACK = re.compile(
    r"\b(?:please|could you|can you|would you)(?: please)? (?:provide|specify|clarify|confirm|share|tell me|give)"
    r"(?: me)?(?: with)? (?:your|more (?:details|information) (?:about|on) (?:your|what you))\b|"
    r"\bwhat (?:is|are) your\b|\b(?:would|do) you (?:like me|want me|prefer)\b|\bwould you like\b|"
    r"\bwhich (?:one )?(?:do|would) you\b|"
    r"\blet me know (?:what|which|how) you\b|\blet me know (?:your|if you (?:would|need|want|prefer))\b"
)
_CHATTER = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|here(?:'s| is| are)|as an ai|i(?:'m| am) sorry|i cannot|i can't|task|"
    r"scenario|sub-?task|(?:atomic|composed|subsequent|parallel) task|output|answer|response|question)\b"
    r"\s*[\d.]*\s*[:,!]|^here(?:'s| is| are)\b[^.]*:"
)
_GAP = re.compile(r"\w+[ \t]{2,}\w+")
_DANGLING = re.compile(r"(?:[,;:(\[{/\\&+=-]|\b(?:and|or|the|a|an|which|than|with the|to the))$")
_DEBRIS = re.compile(
    r"```|\[\[|\]\]|\\n|\\\"|[\"'}\]]\s*[}\]]|\ufffd|</?\w+>|\*\*|^#|^\s*[{\[]\s*\"|[\x00-\x08\x0b-\x1f]"
)
_DOUBLED = re.compile(r"(?<![\w'])([a-z]{2,}) \1(?![\w'])")

# Capitalised words that belong to general situations: languages, peoples, feasts, times.
_GENERAL_NAMES = frozenset(
    "french dutch german greek thai czech swiss arab latin jewish muslim hindu christmas easter halloween "
    "thanksgiving hanukkah ramadan diwali eid valentine's valentines mother's father's new year's lunar olympic "
    "olympics monday tuesday wednesday thursday friday saturday sunday internet bluetooth".split()
)
_PEOPLE_SUFFIX = ("ish", "ian", "ean", "ese", "can")


def words(text: str) -> int:
    """How many words `text` has: runs of characters between white space that hold a letter or a digit."""
    return sum(any(c.isalnum() for c in run) for run in text.split())


def scenario_problems(text: str) -> list[str]:
    """What is wrong with a scenario: a general phrase of two to ten words, on one line, without specifics."""
    bare = text.strip()
    if not bare:
        return ["the scenario is empty; name the situation in two to ten words"]
    problems = _shape_problems(bare, "the scenario")
    count = words(bare)
    if not 2 <= count <= SCENARIO_WORDS:
        problems.append(f"the scenario has {count} word(s); it needs 2 to {SCENARIO_WORDS}")
    if digits := re.findall(r"\d[\d.,:/-]*", bare):
        problems.append(f"the scenario holds the number {digits[0]!r}; keep it general, without numbers or dates")
    if bare[-1] in "?!\"'`)]}>|*" or bare[0] in "\"'`([{<*-#>":
        problems.append(f"the scenario begins or ends with {bare[0]!r}...{bare[-1]!r}; write the bare phrase")
    if specific := _specific_names(bare):
        problems.append(f"the scenario names {specific[0]!r}; keep it general, without names, places or brands")
    if re.search(r"\b(?:api|function|endpoint|tool call|json)s?\b", fold(bare)):
        problems.append("the scenario speaks of software interfaces; name what a person does in life")
    return problems


def task_problems(
    text: str, max_words: int = TASK_WORDS, *, self_contained: bool = True, what: str = "the task"
) -> list[str]:
    """What is wrong with a task: one line of at most `max_words` words that says what is wanted, with all details.

    `self_contained=False` allows references to what came before ("these results"): for a sub-task that uses the
    output of another. `what` is how the problems call it.
    """
    bare = text.strip()
    if not bare:
        return [f"{what} is empty; write one imperative sentence"]
    problems = _shape_problems(bare, what)
    count = words(bare)
    if count > max_words:
        problems.append(f"{what} has {count} words; it may have at most {max_words}")
    if count < (4 if self_contained else 3):
        problems.append(f"{what} is only {bare!r}; say in one sentence what is wanted, with its details")
    problems += [
        f"{what} names a means ({said!r}); say what is wanted, never with which tool, API, app or website"
        for said in means_in(bare)[:2]
    ]
    if self_contained:
        problems += [
            f"{what} refers to {said!r}, which only the speaker knows; give the value itself"
            for said in open_references(bare)[:2]
        ]
    if match := _ASKING_BACK.search(fold(bare)):
        problems.append(f"{what} asks back ({match[0]!r}); write what the person wants, with every detail given")
    return problems


def _shape_problems(bare: str, what: str) -> list[str]:
    problems = []
    if "\n" in bare:
        problems.append(f"{what} has {len(bare.splitlines())} lines; write it on one line")
    if blanks := placeholders_in(bare):
        problems.append(f"{what} holds the placeholder {blanks[0]!r}; write a concrete value or leave it out")
    folded = fold(bare)
    if match := _CHATTER.search(folded):
        problems.append(f"{what} begins with {match[0]!r}; write only {what} itself")
    if match := _DEBRIS.search(bare):
        problems.append(f"{what} holds {match[0]!r}; write plain words, without markup or JSON")
    if match := _DANGLING.search(bare.rstrip(" .")):
        problems.append(f"{what} breaks off at {bare[-20:]!r}; finish it")
    if match := _GAP.search(bare):
        problems.append(f"{what} has a gap in {match[0]!r}; write whole words with one space between them")
    if repeated := _loop(bare):
        problems.append(f"{what} repeats {repeated!r}; say everything once")
    return problems


def _specific_names(bare: str) -> list[str]:
    parts = bare.split()
    if sum(part[0].isupper() for part in parts) > max(2, len(parts) / 2):
        return []  # written in title case: capitals say nothing
    return [name for name in names(bare) if any(_is_specific(word) for word in name.split())]


def _is_specific(word: str) -> bool:
    folded = word.casefold()
    return (
        not (word.isupper() and len(word) <= 4) and folded not in _GENERAL_NAMES and not folded.endswith(_PEOPLE_SUFFIX)
    )


def _loop(text: str) -> str:
    """What a small model says again and again: a doubled word, or four words for the third time."""
    doubled = _DOUBLED.search(fold(text))
    if doubled and doubled[1] not in ("that", "had", "bora", "pago", "new", "walla", "so", "very"):
        return doubled[0]
    said = tokens(text)
    runs = [" ".join(said[i : i + 4]) for i in range(len(said) - 3)]
    return next((run for run in runs if runs.count(run) > 2), "")
