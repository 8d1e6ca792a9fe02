"""Plays ComposeSequentially and ComposeInParallel: what follows a task, what stands beside it, all in one request."""

import random

from button.lms.simulation.kinds import show
from button.lms.simulation.phrases import Phrase
from button.lms.simulation.question import Question
from button.lms.simulation.world import COMMON, Domain, Template, World, draw_slots, draw_unlike
from signatures.records import JsonObject

# How often a follower is drawn: one of the domain itself with a function, a shared one with a function, arithmetic.
_OWN, _SHARED, _ARITHMETIC = 3.0, 1.0, 0.4
# Two calls of one function, for two cities or dates, are the plainest parallel task.
_TWIN_WEIGHT = 2.0
# A twin with more values than this to change changes two of them, or it would say nearly the same.
TWIN_CHANGES = 2

_PAIRS = (
    "{a}, and then {b}.",
    "{a}. Then {b}.",
    "{a}. After that, {b}.",
    "{a}, and once that is known, {b}.",
    "{a} and {b}.",
    "{a}. With the result, {b}.",
)
_TRIPLES = (
    "{a} and {b}. Then {c}.",
    "{a}. Also {b}. With both results, {c}.",
    "{a}, {b}, and then {c}.",
    "{a}. Besides, {b}. Once both are known, {c}.",
    "{a}, and at the same time {b}. After that, {c}.",
)
# What can follow a task that is in none of the worlds.
_FOREIGN_NEXT = ("common.note", "common.send")
_FOREIGN_JOIN = (
    "Tell me in one sentence how the two results fit together.",
    "Say in a sentence whether both results fit together.",
)


def compose_sequentially(question: Question) -> JsonObject:
    """A task that needs a result of the given one, and both in one request."""
    world, rng, task = question.world, question.rng, question.inputs.get("task", "")
    found = world.find_task(task)
    if found is None:
        domain, candidates, known = _some_domain(world, rng), list(_FOREIGN_NEXT), {}
        follower = rng.choice([template for template in domain.next if template.key in candidates])
    else:
        domain, known = world.domains[found.template.domain], found.values
        followers = world.followers((found.template,))
        follower = rng.choices(followers, [_weight(template) for template in followers])[0]
    subsequent = _worded(follower, domain, rng, known)
    if question.flaw == "overlapping_sub_tasks":
        subsequent = task
    composed = rng.choice(_PAIRS).format(a=_bare(task), b=_inner(subsequent))
    if question.flaw == "missing_detail":
        composed = _without_detail(composed, known)
    return {"subsequent_task": subsequent, "composed_task": composed}


def compose_in_parallel(question: Question) -> JsonObject:
    """A task beside the given one, a third that needs results of both, and all in one request."""
    world, rng, task = question.world, question.rng, question.inputs.get("task", "")
    found = world.find_task(task)
    if found is None:
        domain = _some_domain(world, rng)
        beside = rng.choice(domain.tasks)
        parallel, known, subsequent = _worded(beside, domain, rng, {}), {}, rng.choice(_FOREIGN_JOIN)
    else:
        domain, known = world.domains[found.template.domain], found.values
        beside, follower = _join(world, domain, found.template, rng)
        values = _beside_values(beside, found.template, domain, rng, known)
        others = [phrase for phrase in beside.phrases if phrase.match(task) is None]
        parallel = rng.choice(others or list(beside.phrases)).fill(values)
        subsequent = _worded(follower, domain, rng, {**values, **known})
    if question.flaw == "overlapping_sub_tasks":
        parallel = task
    composed = rng.choice(_TRIPLES).format(a=_bare(task), b=_inner(parallel), c=_inner(subsequent))
    if question.flaw == "missing_detail":
        composed = _without_detail(composed, known)
    return {"parallel_task": parallel, "subsequent_task": subsequent, "composed_task": composed}


def _join(world: World, domain: Domain, task: Template, rng: random.Random) -> tuple[Template, Template]:
    """A task beside `task` and one that needs both."""
    pairs: list[tuple[Template, Template]] = []
    weights: list[float] = []
    for beside in domain.tasks:
        twin = beside is task
        if not twin and beside.function_names & task.function_names:
            continue
        for follower in world.followers((task, beside)):
            pairs.append((beside, follower))
            weights.append(_TWIN_WEIGHT if twin else _weight(follower))
    return rng.choices(pairs, weights)[0]


def _weight(template: Template) -> float:
    if template.work:
        return _ARITHMETIC
    return _SHARED if template.domain == COMMON else _OWN


def _beside_values(
    beside: Template, task: Template, domain: Domain, rng: random.Random, known: JsonObject
) -> JsonObject:
    """The same city and dates as the given task has; for a twin, some changed that its first function takes."""
    if beside is not task:
        return draw_slots(beside, domain.banks, rng, known)
    taken = {parameter.name for parameter in task.functions[0].takes}
    names = [name for name in task.slots if name in taken and name in known]
    picked = [name for name in names if task.slots[name].kind.startswith("pick")]
    values = {**draw_slots(task, domain.banks, rng, known), **known}
    for name in rng.sample(picked or names, 1 + (len(picked) > TWIN_CHANGES)):
        values[name] = draw_unlike(task.slots[name], domain.banks, rng, list(values.values()))
    return values


def _worded(template: Template, domain: Domain, rng: random.Random, known: JsonObject) -> str:
    phrase: Phrase = rng.choice(template.phrases)
    return phrase.fill(draw_slots(template, domain.banks, rng, known))


def _some_domain(world: World, rng: random.Random) -> Domain:
    return rng.choice(list(world.domains.values()))


def _bare(sentence: str) -> str:
    return sentence.rstrip(".!? ")


def _inner(sentence: str) -> str:
    """A sentence as it stands inside another."""
    bare = _bare(sentence)
    return bare[:1].lower() + bare[1:]


def _without_detail(composed: str, known: JsonObject) -> str:
    """The request with its last value left out."""
    said = [show(value) for value in known.values() if show(value) in composed]
    detail = said[-1] if said else composed.split()[-2]
    return composed.replace(detail, "the usual one", 1)
