"""Whole trajectories: the gate's checks, the assistant's turns, and a judge's rubric."""

from collections.abc import Mapping

from pydantic import NonNegativeInt, PositiveInt, validate_call

from button.checks.gate import TrajectoryGate
from button.checks.measures import measure
from button.checks.provenance import trace_arguments
from experiments.metrics.assistant_turn import turn_findings
from experiments.metrics.judged import JudgedMetric, Share
from experiments.metrics.metric import Finding, finding
from modules.judge_trajectory import judge_inputs, transcript
from signatures.judge import JudgeTrajectory
from signatures.records import Record, Trajectory


class TrajectoryMetric(JudgedMetric):
    """Scores what step simulate gives."""

    name = "trajectory"
    step = "simulate"
    labels = "trajectory"

    @validate_call
    def __init__(self, judge_weight: Share = 0.5, demos: NonNegativeInt = 2, tries: PositiveInt = 3) -> None:
        super().__init__(JudgeTrajectory, judge_weight=judge_weight, demos=demos, tries=tries)
        self.gate = TrajectoryGate()

    def checks(self, given: Record, record: Record) -> list[Finding]:
        assert isinstance(record, Trajectory)
        sources = trace_arguments(record.turns, record.problem.functions)
        faults = self.gate.faults(record, sources, measure(record.turns, sources))
        return [finding("passes_gate", [fault.detail for fault in faults]), *turn_findings(record)]

    def question(self, record: Record) -> Mapping[str, str]:
        assert isinstance(record, Trajectory)
        return judge_inputs(record)

    def shown(self, record: Record) -> str:
        assert isinstance(record, Trajectory)
        return transcript(record.turns)
