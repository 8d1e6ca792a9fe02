"""What LLaMA-Factory asks of a row in its ShareGPT form, written out from its converter (data/converter.py)."""


def accept(conversations: list[dict[str, str]]) -> None:
    """Raises where LLaMA-Factory would skip the row."""
    accepted = (("human", "observation"), ("gpt", "function_call"))
    for index, message in enumerate(conversations):
        assert message["from"] in accepted[index % 2], f"invalid role tag at {index}"
    assert len(conversations) % 2 == 0, "invalid message count"
