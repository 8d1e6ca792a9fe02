"""Where a request names the means: a function, API, app or website that is to do it (paper, section 3.1)."""

import re

# A product that a task is about ("recommend a running app") is no means: an instrument needs a word of use before it.
_INSTRUMENT = (
    r"(?:api|app|application|website|web ?site|web page|online (?:tool|service|platform)|platform|tool|function|"
    r"software|plugin|(?:python|shell|computer) (?:script|program)|chatbot|database query)s?\b"
)
_USING = r"(?:using|use|via|through|utili[sz]ing|with the help of|by calling|by means of)"
_SERVICES = (
    r"Google(?: \w+)?|Expedia|Yelp|Airbnb|Uber|Amazon|Spotify|Netflix|YouTube|Wikipedia|ChatGPT|Excel|TripAdvisor|"
    r"Kayak|Skyscanner|OpenTable|LinkedIn|Zillow|Eventbrite|Ticketmaster"
)
_MEANS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bAPIs?\b|(?i:\b(?:api|sdk|json|webhook|http|rest) (?:call|endpoint|request|key)s?\b|\bendpoints?\b)",
        rf"(?i:\b{_USING}\s+(?:[\w'.-]+\s+){{0,4}}?{_INSTRUMENT})",
        rf"\b(?:with|from|in|on) (?:the|a|an) (?:[A-Z][\w'.-]*\s+){{1,3}}{_INSTRUMENT}",
        r"(?i:\b(?:call|invoke|execute|run)(?:ing)? (?:the|a|an|this) (?:[\w-]+ ){0,2}(?:function|tool|script)\b)",
        r"(?i:\b(?:function|tool) calls?\b)",
        # snake_case, but no file name, address or part of one
        r"(?<![\w@./-])[a-z]+[a-z0-9]*(?:_[a-z0-9]+)+(?![\w@-]|\.\w)",
        r"\b[A-Za-z_]+\(\)|\b[a-z]+[A-Za-z_]*\([^)\s]*\)",
        r"\b(?:get|set|fetch|create|update|delete|search|find|book|send|add|list)[A-Z]\w+",
        r"(?i:\b(?:on|via|using|from|through|at) [\w-]+\.(?:com|org|net|io|app|ai)\b(?!/))",
        rf"\b(?:on|via|using|through|in) (?:{_SERVICES})\b",
    )
)


def means_in(text: str) -> list[str]:
    """The pieces of `text` that name a means."""
    return [match[0] for pattern in _MEANS for match in [pattern.search(text)] if match]
