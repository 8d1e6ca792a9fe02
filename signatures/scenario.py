"""Scenario extraction and evolution (paper, section 3.1)."""

import dspy


class NameScenario(dspy.Signature):
    """Name the everyday situation behind this text.

    Write one short phrase of at most ten words that says what a person is doing, such as "comparing phone plans".
    Keep it general: no names, numbers, dates, brands or tools.
    """

    text: str = dspy.InputField(desc="a conversation or a request from real life")
    scenario: str = dspy.OutputField(desc="a phrase of at most ten words, lower case, starting with a verb in -ing")


class EvolveScenario(dspy.Signature):
    """Invent a different everyday situation, inspired by the given one.

    Change the action, the subject or the setting so that it is clearly another situation, yet one that happens in
    real life. Follow the direction. Keep the form: one general phrase of at most ten words, no names or numbers.
    """

    scenario: str = dspy.InputField(desc="the situation to move away from")
    direction: str = dspy.InputField(desc="where to move: another field of life or another kind of action")
    new_scenario: str = dspy.OutputField(desc="a phrase of at most ten words, lower case, starting with a verb in -ing")
