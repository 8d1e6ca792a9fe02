"""Concrete details and directions drawn by the program.

A model left alone names the same few people, places and sums again and again; drawn details keep rows apart, and
give a small model something to ground its arguments in.
"""

import random
import re
from datetime import date, timedelta
from typing import NamedTuple

from button.checks.moments import moments

FIRST_NAMES = (
    "Amara Tunde Ingrid Mateo Priya Yusuf Leila Bram Chloe Hiroshi Nadia Owen Farah Luca Zanele Piotr Mei Andrei Sofia"
    " Kwame Elif Rafael Astrid Dmitri Noor Callum Ximena Joon Greta Idris Beatriz Finn Talia Marcus Aiko Hana"
).split()
LAST_NAMES = (
    "Okafor Lindqvist Marchetti Banerjee Haddad Vermeer Novak Tanaka Oyelaran Castillo Petrov Kowalski Demir Bergmann"
    " Nakamura Fitzgerald Moreau Silva Jansen Rahimi Lindgren Osei Pereira Varga Hoffmann Quispe Sato Abara Whitfield"
).split()
CITIES = (
    "Lisbon Utrecht Montreal Nairobi Osaka Krakow Valencia Auckland Bogota Leipzig Bergen Porto Adelaide Chennai"
    " Tallinn Casablanca Antwerp Quito Busan Malmo Cardiff Bilbao Calgary Accra Ljubljana Cork Graz Rosario Aarhus"
    " Portland Tucson Madison Savannah Boise"
).split()
CURRENCIES = ("euros", "US dollars", "pounds", "Canadian dollars")
TIMES = ("8:30 AM", "9:15 AM", "10 AM", "11:45 AM", "1 PM", "2:30 PM", "4 PM", "5:45 PM", "7 PM", "8:15 PM")

# What a parameter may be called that takes a detail of a kind.
PARAMETER_NAMES = {
    "city": ("city", "location", "place"),
    "date": ("date",),
    "time": ("time", "start_time"),
    "people": ("number_of_people", "party_size"),
    "amount": ("max_price", "budget", "price_limit"),
    "person": ("person_name", "recipient", "customer_name"),
    "code": ("code", "reference_code"),
}

OPENINGS = ("Find", "Look up", "Check", "Get", "Find out", "Search for", "Retrieve", "See")
SIDE_STEPS = (
    "getting the weather forecast for the same place and day",
    "looking up the opening hours of a place that is needed",
    "finding out what something else that is needed costs",
    "looking up the travel time to the place",
    "checking the calendar of the same person for the same day",
    "finding the contact details of someone involved",
    "looking up the rules or requirements that apply",
    "searching for a second offer to compare with",
    "checking the stock or availability of something related",
    "getting the exchange rate that is needed",
    "looking up the ratings of a provider",
    "finding an alternative nearby",
)

DIRECTIONS = (
    "health and fitness",
    "money and banking",
    "learning and school",
    "work and careers",
    "food and cooking",
    "home repair",
    "gardening",
    "pets and animals",
    "sport and outdoor life",
    "music and arts",
    "travel by land",
    "travel by air",
    "moving house",
    "buying and selling",
    "family and children",
    "elder care",
    "community and volunteering",
    "law and paperwork",
    "science and nature",
    "weather and environment",
    "vehicles",
    "energy use",
    "small business",
    "farming",
    "events and celebrations",
    "languages and translation",
    "photography and film",
    "books and libraries",
    "games and hobbies",
    "data and reports",
    "logistics and deliveries",
    "customer service",
)


class Detail(NamedTuple):
    """A concrete detail and its kind: city, date, time, person, people, amount or code."""

    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


_PEOPLE = re.compile(r"\b\d{1,3} (?:people|persons|guests|adults)\b")
_AMOUNT = re.compile(rf"\b\d[\d,.]* (?:{'|'.join(CURRENCIES)})")
_CODE = re.compile(r"\b[A-Z]{2}-\d{4}\b")
_PERSON = re.compile(rf"\b(?:{'|'.join(FIRST_NAMES)}) (?:{'|'.join(LAST_NAMES)})\b")
_CITY = re.compile(rf"\b(?:{'|'.join(CITIES)})\b")


def details_of_kinds(rng: random.Random) -> tuple[Detail, ...]:
    """One detail of each kind that a form may have."""
    return (
        Detail("city", rng.choice(CITIES)),
        Detail("date", _date(rng)),
        Detail("time", rng.choice(TIMES)),
        Detail("people", f"{rng.randrange(2, 9)} people"),
        Detail("amount", _amount(rng)),
    )


def details_in(text: str) -> list[Detail]:
    """The details of kinds that this module draws from, as `text` says them, in its order."""
    when = moments(text)
    dated = [span for span in when.spans if moments(span).dates]
    timed = [span for span in when.spans if moments(span).times]
    found = [_said(text, "date", span) for span in dated]
    found += [_said(text, "time", span) for span in timed if span not in dated]
    for kind, pattern in (("people", _PEOPLE), ("amount", _AMOUNT), ("code", _CODE), ("person", _PERSON)):
        found += [(match.start(), Detail(kind, match[0])) for match in pattern.finditer(text)]
    found += [(match.start(), Detail("city", match[0])) for match in _CITY.finditer(text)]
    return [detail for _, detail in sorted(dict.fromkeys(found))]


def _said(text: str, kind: str, span: str) -> tuple[int, Detail]:
    """A detail as the text has it: spans are folded."""
    at = max(text.casefold().find(span), 0)
    return at, Detail(kind, text[at : at + len(span)])


def details(rng: random.Random) -> tuple[str, ...]:
    """A verb to begin with, and two or three details of different kinds: a place, a person, a day, a code or a sum."""
    kinds = [
        f"city {rng.choice(CITIES)}",
        f"date {_date(rng)}",
        f"person {rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
        rng.choice((f"code {new_code(rng)}", f"amount {_amount(rng)}", f"time {rng.choice(TIMES)}")),
    ]
    chosen = rng.choice(((0, 1), (0, 1), (0, 1), (0, 2), (0, 3), (1, 2)))
    return (f"begin with '{rng.choice(OPENINGS)}'", *(kinds[index] for index in chosen))


def next_steps(rng: random.Random) -> str:
    """Two kinds of steps that need an earlier result, each with what it needs to be self-contained."""
    person = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    kinds = (
        f"booking it for {person}",
        f"sending {person} a message with it",
        f"setting a reminder for it for {person}",
        f"adding it to the calendar of {person}",
        f"working out the total for {rng.randrange(2, 9)} people",
        f"converting the amount into {rng.choice(('Swiss francs', 'Japanese yen', 'Norwegian kroner'))}",
        f"ordering {rng.randrange(2, 9)} of them for {person}",
        f"saving it in the notes of {person}",
        "checking whether it is still available",
        "getting the reviews of it",
        f"sharing a summary of it with {person}",
        f"registering {person} for it",
        f"requesting a quote for it in the name of {person}",
        f"making an appointment for {person} there",
        "looking up more details of it",
        "looking up the opening hours there",
        f"reserving a place for {person}",
        f"planning the trip there for {person}",
    )
    return " or ".join(rng.sample(kinds, 2))


def side_steps(rng: random.Random) -> str:
    """Two kinds of steps that can be done beside another one, without its result."""
    return " or ".join(rng.sample(SIDE_STEPS, 2))


def direction(rng: random.Random) -> str:
    """A field of life to move a scenario into."""
    return rng.choice(DIRECTIONS)


def _date(rng: random.Random) -> str:
    day = date(2027, 1, 4) + timedelta(days=rng.randrange(700))
    return f"{day.day} {day:%B} {day.year}"


def new_code(rng: random.Random) -> str:
    """A code such as KT-5551."""
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTVWXYZ") for _ in range(2))
    return f"{letters}-{rng.randrange(1000, 10000)}"


def _amount(rng: random.Random) -> str:
    return f"{rng.choice((25, 40, 60, 85, 120, 150, 240, 380, 500, 750, 1200, 2500))} {rng.choice(CURRENCIES)}"
