"""Atomic task construction (paper, section 3.1)."""

import dspy


class WriteAtomicTask(dspy.Signature):
    """Write one task that a person in this situation would ask an assistant to do.

    The task is a single step of at most thirty words: something to look up, check, work out, order or arrange. It is
    reasonable: people really ask for it. It is self-contained: every name, place, date and number needed is in it, so
    nobody has to ask back; it never says "my", "your" or "the item" for something nobody knows. It says what is wanted,
    never how: no function, app or website is named, and no result is given. Use two or three of the details, only
    where they fit naturally.
    """

    scenario: str = dspy.InputField(desc="the situation")
    details: str = dspy.InputField(desc="concrete details to draw on; leave out what does not fit")
    task: str = dspy.OutputField(desc="one imperative sentence of at most thirty words")


class CompleteTask(dspy.Signature):
    """Write one task that a person in this situation would ask an assistant to do.

    Choose the form that fits the situation best, and fill in one thing that can be looked up: what people offer, what
    things cost, what is available, what the rules are. Say all that is needed to look it up, and nothing that only
    the person knows.
    """

    scenario: str = dspy.InputField(desc="the situation")
    forms: str = dspy.InputField(desc="the forms to choose from")
    task: str = dspy.OutputField(desc="one sentence in one of the forms")
