"""What a scenario and a task may look like in words (paper, section 3.1)."""

import re

from button.checks.details import names
from button.checks.placeholders import placeholders_in
from button.checks.vocabulary import fold, stem, tokens

SCENARIO_WORDS = 10
TASK_WORDS = 30

# How a task gives away that software will solve it. A product that the task is about ("recommend a running app") is
# none of these, so the instrument needs a word of use before it.
_INSTRUMENT = (
    r"(?:api|app|application|website|web ?site|web page|online (?:tool|service|platform)|platform|tool|function|"
    r"software|plugin|(?:python|shell|computer) (?:script|program)|chatbot|database query)"
)
_TECHNICAL = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"\bAPIs?\b|\b(?:api|sdk|json|webhook|http request|rest) (?:call|endpoint|request|key)s?\b|\bendpoints?\b", re.I),
        (rf"\b(?:using|use|via|through|utili[sz]ing|with the help of|by calling|by means of)\s+(?:[\w'.-]+\s+){{0,4}}?{_INSTRUMENT}s?\b", re.I),
        (rf"\b(?:with|from|in|on) (?:the|a|an) (?:[A-Z][\w'.-]*\s+){{1,3}}{_INSTRUMENT}\b", 0),
        (r"\b(?:call|invoke|execute|run)(?:ing)? (?:the|a|an|this) (?:[\w-]+ ){0,2}(?:function|tool|method|script|query)\b", re.I),
        (r"\bfunction calls?\b|\btool calls?\b", re.I),
        (r"(?<![\w@./-])[a-z]+[a-z0-9]*(?:_[a-z0-9]+)+(?![\w@-]|\.\w)", 0),
        (r"\b[A-Za-z_]+\(\)|\b[a-z]+[A-Za-z_]*\([^)\s]*\)", 0),
        (r"\b(?:get|set|fetch|create|update|delete|search|find|book|send|add|list)[A-Z]\w+", 0),
        (r"\b(?:on|via|using|from|through|at) [\w-]+\.(?:com|org|net|io|app|ai)\b(?!/)", re.I),
        (r"\b(?:on|via|using|through|in) (?:Google(?: \w+)?|Expedia|Yelp|Airbnb|Uber|Amazon|Spotify|Netflix|YouTube|Wikipedia|ChatGPT|Excel|TripAdvisor|Kayak|Skyscanner|OpenTable|LinkedIn|Zillow|Eventbrite|Ticketmaster)\b", 0),
    )
)  # fmt: skip

# What cannot be known from the task alone. A noun said before in the task is an antecedent.
_NOUN = (
    r"(?:list|file|document|text|article|image|photo|picture|data|dataset|table|email|message|link|url|website|page|"
    r"information|details?|items?|address|location|place|number|name|results?|output|task|scenario|situation|request|"
    r"query|products?|book|movie|song|recipe|city|country|report|paper|video|audio|code|sentence|paragraph|order|"
    r"appointment|event|meeting|person|user|customer|company|options?|ingredients|input|example|values?|parameters?)"
)
_POINTING = re.compile(rf"\b(?:this|these|those|(?:for|of|to|in|from|with|about|on|at|using|by) that) (?P<noun>{_NOUN})\b(?! of\b)")
_VAGUE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\bthe (?:given|provided|specified|attached|enclosed|mentioned|aforementioned|above|previous|selected|chosen|said|supplied) {_NOUN}\b",
        rf"\b(?:a|an|the|some) (?:specific|certain|particular|given|specified) (?:\w+ )?{_NOUN}\b",
        r"\b(?:attached|enclosed|uploaded) (?:file|document|photo|image|picture|list|spreadsheet|report|pdf)\b|\bi(?:'ve| have)? (?:attached|uploaded|pasted)\b",
        rf"\b(?:listed|mentioned|described|shown|given|stated|provided) (?:above|below|earlier|before)\b|\b(?:the )?(?:above|below) {_NOUN}\b|\bsee above\b|\bas above\b",
        r"\bmy (?:usual|regular|favou?rite|preferred|saved|current|existing|previous|default)\b|\bmy preferences?\b|\bas usual\b|\b(?:like|same as) (?:last time|before)\b",
        r"\b(?:as|like) (?:you know|we discussed|discussed|i said|i told you)\b|\bthe one (?:we|i|you) \w+",
    )
)
_THE_FOLLOWING = re.compile(r"\b(?:the following (?!day|morning|evening|night|week|weekend|month|year)|as follows\b)")
_QUOTES_ON = re.compile(r":|\"|(?<!\w)'")
# Places known only to the speaker, unless the task names one.
_HERE = re.compile(
    r"\bnear(?:by)? me\b|\baround (?:me|here)\b|\bnear here\b|\bclose to (?:me|home|here)\b|\bmy (?:current )?(?:location|area|city|town|neighbou?rhood|region|zip code|address)\b|"
    r"\bin (?:the|this) area\b|\blocal(?:ly)?\b(?= (?:area|restaurants?|shops?|stores?|weather|events?))|\byour (?:location|area|city)\b"
)  # fmt: skip

_ASKING_BACK = re.compile(
    r"\b(?:please|could you|can you|would you)(?: please)? (?:provide|specify|clarify|confirm|share|tell me|give)(?: me)?"
    r"(?: with)? (?:your|more (?:details|information) (?:about|on) (?:your|what you))\b|\bwhat (?:is|are) your\b|"
    r"\b(?:would|do) you (?:like me|want me|prefer)\b|\bwould you like\b|\bwhich (?:one )?(?:do|would) you\b|"
    r"\blet me know (?:what|which|how) you\b|\blet me know (?:your|if you (?:would|need|want|prefer))\b"
)
_CHATTER = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|here(?:'s| is| are)|as an ai|i(?:'m| am) sorry|i cannot|i can't|task|"
    r"scenario|sub-?task|atomic task|composed task|subsequent task|parallel task|output|answer|response|question)\b\s*[\d.]*\s*[:,!]|^here(?:'s| is| are)\b[^.]*:"
)
_DANGLING = re.compile(r"(?:[,;:(\[{/\\&+=-]|\b(?:and|or|the|a|an|which|than|with the|to the))$")
_DEBRIS = re.compile(r"```|\[\[|\]\]|\\n|\\\"|[\"'}\]]\s*[}\]]|\ufffd|</?\w+>|\*\*|^#|^\s*[{\[]\s*\"|[\x00-\x08\x0b-\x1f]")
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
    problems = _shape_problems(bare, "scenario")
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


def task_problems(text: str, max_words: int = TASK_WORDS, *, self_contained: bool = True) -> list[str]:
    """What is wrong with a task: one line of at most `max_words` words that says what is wanted, with all details.

    `self_contained=False` allows references to what came before ("these results"): for a sub-task that uses the
    output of another.
    """
    bare = text.strip()
    if not bare:
        return ["the task is empty; write one imperative sentence"]
    problems = _shape_problems(bare, "task")
    count = words(bare)
    if count > max_words:
        problems.append(f"the task has {count} words; it may have at most {max_words}")
    if count < 4:
        problems.append(f"the task has only {count} word(s) ({bare!r}); say in one sentence what is wanted, with its details")
    problems.extend(technical_problems(bare))
    if self_contained:
        problems.extend(_reference_problems(bare))
    if match := _ASKING_BACK.search(fold(bare)):
        problems.append(f"the task asks back ({match[0]!r}); write what the person wants, with every detail given")
    return problems


def technical_problems(text: str) -> list[str]:
    """Where a task names how it would be solved: a function, API, app or website."""
    found = [match[0] for pattern in _TECHNICAL for match in [pattern.search(text)] if match]
    return [f"the task names a means ({said!r}); say what is wanted, never with which tool, API, app or website" for said in found[:2]]


def _shape_problems(bare: str, what: str) -> list[str]:
    problems = []
    if "\n" in bare:
        problems.append(f"the {what} has {len(bare.splitlines())} lines; write it on one line")
    if blanks := placeholders_in(bare):
        problems.append(f"the {what} holds the placeholder {blanks[0]!r}; write a concrete value or leave it out")
    folded = fold(bare)
    if match := _CHATTER.search(folded):
        problems.append(f"the {what} begins with {match[0]!r}; write only the {what} itself")
    if match := _DEBRIS.search(bare):
        problems.append(f"the {what} holds {match[0]!r}; write plain words, without markup or JSON")
    if match := _DANGLING.search(bare.rstrip(" .")):
        problems.append(f"the {what} breaks off at {bare[-20:]!r}; finish it")
    if repeated := _loop(bare):
        problems.append(f"the {what} repeats {repeated!r}; say everything once")
    return problems


def _reference_problems(bare: str) -> list[str]:
    folded = fold(bare)
    vague = [match[0] for pattern in _VAGUE for match in [pattern.search(folded)] if match]
    for match in _POINTING.finditer(folded):
        before = [stem(token) for token in tokens(folded[: match.start()])]
        summed_up = match["noun"] in ("information", "data", "details", "results") and len(before) > 6
        if not summed_up and stem(match["noun"]) not in before and not _QUOTES_ON.search(folded, match.end()):
            vague.append(match[0])
    if (following := _THE_FOLLOWING.search(folded)) and ":" not in folded[following.end() :]:
        vague.append(following[0])
    if (here := _HERE.search(folded)) and not names(bare):
        vague.append(here[0])
    return [f"the task refers to {said!r}, which only the speaker knows; give the value itself" for said in vague[:2]]


def _specific_names(bare: str) -> list[str]:
    parts = bare.split()
    if sum(part[0].isupper() for part in parts) > max(2, len(parts) / 2):
        return []  # written in title case: capitals say nothing
    return [name for name in names(bare) if any(_is_specific(word) for word in name.split())]


def _is_specific(word: str) -> bool:
    folded = word.casefold()
    return not (word.isupper() and len(word) <= 4) and folded not in _GENERAL_NAMES and not folded.endswith(_PEOPLE_SUFFIX)


def _loop(text: str) -> str:
    """What a small model says again and again: a doubled word, or four words for the third time."""
    doubled = _DOUBLED.search(fold(text))
    if doubled and doubled[1] not in ("that", "had", "bora", "pago", "new", "walla", "so", "very"):
        return doubled[0]
    said = tokens(text)
    runs = [" ".join(said[i : i + 4]) for i in range(len(said) - 3)]
    return next((run for run in runs if runs.count(run) > 2), "")
