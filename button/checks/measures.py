"""What is counted of a trajectory: calls, rounds, and the length of its data flow."""

from collections.abc import Sequence

from signatures.records import ArgumentSource, AssistantTurn, Measures, ToolTurn, Turn


def measure(turns: Sequence[Turn], sources: Sequence[ArgumentSource]) -> Measures:
    """The measures of a transcript whose arguments come from `sources` (of `provenance.trace_arguments`)."""
    rounds = [turn for turn in turns if isinstance(turn, ToolTurn)]
    grounded = sum(source.origin != "ungrounded" for source in sources)
    return Measures(
        calls=sum(len(turn.calls) for turn in turns if isinstance(turn, AssistantTurn)),
        rounds=len(rounds),
        assistant_turns=sum(isinstance(turn, AssistantTurn) for turn in turns),
        parallel_rounds=sum(len(turn.results) > 1 for turn in rounds),
        longest_chain=longest_chain(turns, sources),
        grounded_share=grounded / len(sources) if sources else 1.0,
    )


def longest_chain(turns: Sequence[Turn], sources: Sequence[ArgumentSource]) -> int:
    """The number of calls on the longest path along which a result became an argument; 0 without calls."""
    feeding: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for source in sources:
        if source.source_turn is not None and source.source_call is not None:
            # A result stands in the turn after its call, at the same place.
            feeding.setdefault((source.turn, source.call), set()).add((source.source_turn - 1, source.source_call))
    depths: dict[tuple[int, int], int] = {}
    for index, turn in enumerate(turns):
        if isinstance(turn, AssistantTurn):
            for call in range(len(turn.calls)):
                earlier = (depths.get(giver, 0) for giver in feeding.get((index, call), ()))
                depths[index, call] = 1 + max(earlier, default=0)
    return max(depths.values(), default=0)
