"""Other spellings of one thing: currency and language codes, countries, how often, initials."""

import re

# Each line: the spellings that a value may have (folded), and the pattern by which a text says it.
_SAME = {
    spelling: re.compile(pattern)
    for values, pattern in (
        ("usd|$|us dollar|us dollars|dollar|dollars", r"\$|(?i:\b(?:dollars?|usd|bucks)\b)"),
        ("eur|\u20ac|euro|euros", r"\u20ac|(?i:\beuros?\b|\beur\b)"),
        ("gbp|\u00a3|pound|pounds|british pounds|pound sterling", r"\u00a3|(?i:\bpounds?\b|\bgbp\b|\bsterling\b)"),
        ("jpy|\u00a5|yen|japanese yen", r"\u00a5|(?i:\byen\b|\bjpy\b)"),
        ("inr|rupee|rupees|indian rupees", r"\u20b9|(?i:\brupees?\b|\binr\b)"),
        ("cny|yuan|renminbi|rmb", r"(?i:\byuan\b|\brenminbi\b|\bcny\b|\brmb\b)"),
        ("cad|canadian dollars", r"(?i:\bcanadian dollars?\b|\bcad\b)|C\$"),
        ("aud|australian dollars", r"(?i:\baustralian dollars?\b|\baud\b)|A\$"),
        ("chf|swiss francs", r"(?i:\bfrancs?\b|\bchf\b)"),
        ("mxn|mexican pesos", r"(?i:\bpesos?\b|\bmxn\b)"),
        ("brl|brazilian reais", r"(?i:\breais\b|\bbrl\b)"),
        ("krw|korean won", r"(?i:\bkorean won\b|\bkrw\b)"),
        ("sek|swedish kronor", r"(?i:\bkrono[rn]\b|\bkrona\b|\bsek\b)"),
        ("btc|bitcoin", r"(?i:\bbitcoins?\b|\bbtc\b)"),
        ("eth|ethereum", r"(?i:\bethereum\b|\beth\b)"),
        ("en|english", r"\bEnglish\b|\benglish\b"),
        ("es|spanish", r"(?i:\bspanish\b)"),
        ("fr|french", r"(?i:\bfrench\b)"),
        ("de|german", r"(?i:\bgerman\b)"),
        ("it|italian", r"(?i:\bitalian\b)"),
        ("pt|portuguese", r"(?i:\bportuguese\b)"),
        ("ja|japanese", r"(?i:\bjapanese\b)"),
        ("zh|chinese|mandarin", r"(?i:\bchinese\b|\bmandarin\b)"),
        ("ko|korean", r"(?i:\bkorean\b)"),
        ("ar|arabic", r"(?i:\barabic\b)"),
        ("ru|russian", r"(?i:\brussian\b)"),
        ("hi|hindi", r"(?i:\bhindi\b)"),
        ("nl|dutch", r"(?i:\bdutch\b)"),
        (
            "us|usa|u.s.|united states|united states of america",
            r"\bU\.?S\.?(?:A\b|\b)|(?i:\bunited states\b)|\bAmerica\b",
        ),
        ("uk|gb|u.k.|united kingdom|great britain", r"\bU\.?K\b|(?i:\bunited kingdom\b|\bbritain\b)"),
        ("ca|canada", r"\bCanada\b"),
        ("celsius|c|metric", r"(?i:\bcelsius\b|\bcentigrade\b|\u00b0\s?c\b)"),
        ("fahrenheit|f|imperial", r"(?i:\bfahrenheit\b|\u00b0\s?f\b)"),
        ("km|kilometers|kilometres", r"(?i:\d\s?km\b|\bkilomet(?:er|re)s?\b)"),
        ("mi|miles", r"(?i:\d\s?mi\b|\bmiles?\b)"),
        ("kg|kilograms|kilogrammes", r"(?i:\d\s?kg\b|\bkilo(?:gram(?:me)?)?s?\b)"),
        ("lb|lbs", r"(?i:\d\s?lbs?\b|\bpounds?\b)"),
        ("daily|every day", r"(?i:\b(?:every|each|per|a) day\b|\bdaily\b)"),
        ("weekly|every week", r"(?i:\b(?:every|each|per|a) week\b|\bweekly\b)"),
        ("monthly|every month", r"(?i:\b(?:every|each|per|a) month\b|\bmonthly\b)"),
        ("yearly|annual|annually|every year", r"(?i:\b(?:every|each|per|a) year\b|\byearly\b|\bannual(?:ly)?\b)"),
        ("business", r"(?i:\bbusiness class\b)"),
        ("one way|oneway", r"(?i:\bone[- ]way\b)"),
        ("round trip|roundtrip|return", r"(?i:\bround[- ]?trip\b|\breturn (?:flight|ticket|trip)s?\b)"),
    )
    for spelling in values.split("|")
}
_ACRONYM = re.compile(r"[A-Z]{2,5}")


def says_otherwise(text: str, value: str) -> bool:
    """Whether `text`, as written, says `value` in another spelling: "$" for "USD", "New York City" for "NYC"."""
    bare = value.strip()
    pattern = _SAME.get(bare.casefold().replace("_", " "))
    if pattern and pattern.search(text):
        return True
    return bool(_ACRONYM.fullmatch(bare)) and _has_initials(text, bare)


def _has_initials(text: str, acronym: str) -> bool:
    letters = r"\s+(?:(?:of|the|and|for)\s+)*".join(rf"{letter}[a-z]+" for letter in acronym)
    return re.search(rf"\b{letters}\b", text) is not None
