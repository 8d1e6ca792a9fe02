"""The final answer: what each step brought, in sentences, with the arithmetic that needs no function."""

import random
from collections.abc import Mapping
from typing import Any

from button.lms.simulation.kinds import show
from button.lms.simulation.phrases import written
from button.lms.simulation.plans import Step
from button.lms.simulation.situations import Done, Situation
from button.lms.simulation.world import World
from signatures.records import JsonObject

_OPENERS = ("", "", "", "Done. ", "Here is what I found. ", "All set. ", "Here are the results. ")
_CLOSERS = ("", "", "", "", " Let me know if anything should be changed.", " I hope this helps.", " Have a good day!")
_WITHIN = (
    "The price of {price} dollars stays within your budget of {budget} dollars; {outcome} dollars are left.",
    "With {price} dollars you stay below {budget} dollars and keep {outcome} dollars.",
)
_ABOVE = (
    "The price of {price} dollars is above your budget of {budget} dollars; {outcome} dollars are missing.",
    "With {price} dollars you exceed your budget of {budget} dollars by {outcome} dollars.",
)
_SUM = ("Together they cost {outcome} dollars.", "The total of both prices is {outcome} dollars.")
_SUM_WITHIN = (
    "Together they cost {total} dollars, which stays within {budget} dollars.",
    "The total of {total} dollars fits the budget of {budget} dollars.",
)
_SUM_ABOVE = (
    "Together they cost {total} dollars, which is more than {budget} dollars.",
    "The total of {total} dollars exceeds the budget of {budget} dollars.",
)
_LOWER = (
    "{lower} is cheaper by {outcome} dollars.",
    "The lower price is that of {lower}; the difference is {outcome} dollars.",
)
_EQUAL = ("Both prices are the same.",)


def final_answer(world: World, situation: Situation, rng: random.Random) -> str:
    """All results in sentences, in the order of the steps."""
    sentences = [_sentence(world, situation, step, rng) for step in situation.steps]
    return f"{rng.choice(_OPENERS)}{' '.join(said for said in sentences if said)}{rng.choice(_CLOSERS)}"


def _sentence(world: World, situation: Situation, step: Step, rng: random.Random) -> str:
    done = situation.done.get(step.number, ())
    if step.template is not None and step.template.work:
        return _worked_out(situation, step, rng)
    if not done:
        return "The results fit together." if step.needs else ""
    values: JsonObject = {**situation.known(step)}
    for one in done:
        values.update({**one.arguments, **one.results})
    for one in reversed(done):
        spec = world.functions.get(one.name)
        for said in rng.sample(spec.says, len(spec.says)) if spec is not None else ():
            if _slots(said) <= values.keys():
                return _capital(written(said, values))
    return _listed(step, done[-1])


def _slots(said: str) -> set[str]:
    return {piece.split("}")[0] for piece in said.split("{")[1:]}


def _listed(step: Step, done: Done) -> str:
    """A result in no known words: its fields by name."""
    fields = ", ".join(f"the {name.replace('_', ' ')} is {_said(value)}" for name, value in done.results.items())
    return f"{step.task[:1].upper()}{step.task[1:].rstrip('.')}: {fields}."


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_said(inner)}" for name, inner in value.items())
    return show(value)


def _worked_out(situation: Situation, step: Step, rng: random.Random) -> str:
    template = step.template
    assert template is not None
    needed = [other for other in situation.steps if other.number in step.needs]
    prices = [_number(situation.known(other).get(template.work[1])) for other in needed]
    values, says = _arithmetic(template.work, prices, step.values, [_label(other, needed) for other in needed])
    return _capital(written(rng.choice(template.says or says), values))


def _arithmetic(
    work: tuple[str, ...], prices: list[float], values: Mapping[str, Any], labels: list[str]
) -> tuple[JsonObject, tuple[str, ...]]:
    """The outcome of the arithmetic under the names that its wordings use, and the wordings that fit it."""
    operation, *_, other = work
    operand = _number(values.get(other)) if len(work) > 2 else 1.0
    price, total = (prices or [0.0])[0], round(sum(prices), 2)
    base: JsonObject = {**values, "price": price, "total": total}
    match operation:
        case "share":
            return {**base, "outcome": round(price / operand, 2)}, ()
        case "times":
            return {**base, "outcome": round(price * operand, 2)}, ()
        case "within":
            return {**base, "outcome": round(abs(operand - price), 2)}, _WITHIN if price <= operand else _ABOVE
        case "add_within":
            return {**base, "outcome": round(abs(total - operand), 2)}, _SUM_WITHIN if total <= operand else _SUM_ABOVE
        case "lower":
            lower = labels[prices.index(min(prices))]
            same = len(set(prices)) == 1
            return {**base, "outcome": round(max(prices) - min(prices), 2), "lower": lower}, _EQUAL if same else _LOWER
        case _:
            return {**base, "outcome": total}, _SUM


def _label(step: Step, among: list[Step]) -> str:
    """What tells a step from its twin: the value that only it has."""
    others = [show(value) for other in among if other is not step for value in other.values.values()]
    own = [show(value) for value in step.values.values() if show(value) not in others]
    topic = step.template.topic if step.template else ""
    return f"{topic} for {own[0]}" if own and topic else step.task


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value else 1.0


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
