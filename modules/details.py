"""Concrete details and directions drawn by the program.

A model left alone names the same few people, places and sums again and again; drawn details keep rows apart, and
give a small model something to ground its arguments in.
"""

import random
from datetime import date, timedelta

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

OPENINGS = ("Find", "Look up", "Check", "Get", "Search for", "List", "Work out", "Find out", "Compare", "Retrieve")
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


def details(rng: random.Random) -> tuple[str, ...]:
    """A verb to begin with, and four details of different kinds: a person, a place, a date or a time, a number."""
    day = date(2026, 1, 5) + timedelta(days=rng.randrange(700))
    when = f"date {day.day} {day:%B} {day.year}"
    return (
        f"begin with '{rng.choice(OPENINGS)}'",
        f"person {rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
        f"city {rng.choice(CITIES)}",
        f"{when}, {rng.choice(TIMES)}" if rng.random() < 0.3 else when,
        rng.choice((f"number {rng.randrange(2, 30)}", f"code {_code(rng)}", f"amount {_amount(rng)}")),
    )


def ideas(rng: random.Random) -> str:
    """Three kinds of tasks that a next step may be, each with what it needs to be self-contained."""
    person = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    kinds = (
        f"booking or reserving it for {person}",
        f"sending {person} a message about it",
        "setting a reminder for it",
        f"adding it to the calendar of {person}",
        f"working out the total for {rng.randrange(2, 9)} people",
        f"converting the amount into {rng.choice(('Swiss francs', 'Japanese yen', 'Norwegian kroner', 'Mexican pesos'))}",
        f"ordering {rng.randrange(2, 9)} of them",
        "finding the way there",
        f"saving it in the notes of {person}",
        "checking whether it is still available",
        "getting the reviews of the best one",
        "estimating how long it takes",
        "getting the weather for that place and day",
        f"sharing a summary of it with {person}",
        f"registering {person} for it",
        f"requesting a quote for it in the name of {person}",
        f"making an appointment for {person} there",
        "looking up the details of the best result",
        "looking up the opening hours there",
        "finding a cheaper alternative to it",
    )
    return ", ".join(rng.sample(kinds, 3))


def direction(rng: random.Random) -> str:
    """A field of life to move a scenario into."""
    return rng.choice(DIRECTIONS)


def _code(rng: random.Random) -> str:
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTVWXYZ") for _ in range(2))
    return f"{letters}-{rng.randrange(1000, 10000)}"


def _amount(rng: random.Random) -> str:
    return f"{rng.choice((25, 40, 60, 85, 120, 150, 240, 380, 500, 750, 1200, 2500))} {rng.choice(CURRENCIES)}"
