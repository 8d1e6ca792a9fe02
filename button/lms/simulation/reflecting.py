"""Plays the model that proposes instructions for GEPA, MIPROv2 and SIMBA: by rule, from what the feedback says."""

import json
import random
from collections.abc import Mapping

from dspy.lm15 import Request

from button.lms.simulation.flaws import FLAWS
from button.lms.simulation.prompt import fields_of
from button.lms.simulation.weaknesses import CURES, NOTHING, cure_for
from signatures import compose, functions, play, task
from signatures.records import JsonObject

# What tells the parts apart where only their instructions are shown.
_SIGNATURES = {
    signature.__name__: " ".join(signature.instructions.split())[:60]
    for signature in (
        task.WriteAtomicTask,
        compose.ComposeSequentially,
        compose.ComposeInParallel,
        functions.DefineFunctions,
        play.PlayUser,
    )
}


def reflected(request: Request, rng: random.Random) -> str | None:
    """The answer to a request for advice, in the form that it asks for; None for any other request."""
    asked = fields_of(request.messages[-1].text or "") if request.messages else {}
    advice = _advice(asked, rng)
    if advice is None:
        return None
    if request.config.response_format is not None:
        return json.dumps(advice)
    blocks = [
        f"[[ ## {name} ## ]]\n{value if isinstance(value, str) else json.dumps(value)}"
        for name, value in advice.items()
    ]
    return "\n\n".join([*blocks, "[[ ## completed ## ]]"])


def _advice(asked: Mapping[str, str], rng: random.Random) -> JsonObject | None:
    if "examples_with_feedback" in asked:  # GEPA
        told = asked.get("current_instruction", "")
        return {"new_instruction": f"{told} {cure_for(asked['examples_with_feedback'], told).sentence}"}
    if "basic_instruction" in asked:  # MIPROv2, which shows no feedback: any rule of the part is as good
        told = asked["basic_instruction"]
        return {"proposed_instruction": f"{told} {rng.choice(_rules_for(told))}"}
    if "module_names" in asked:  # SIMBA
        shown = "\n".join(asked.get(name, "") for name in ("worse_reward_info", "better_reward_info", "modules_defn"))
        cure = cure_for(asked.get("worse_reward_info", ""), shown)
        advice = dict.fromkeys(json.loads(asked["module_names"]), cure.sentence)
        return {"discussion": "The worse one breaks a rule.", "module_advice": advice}
    return None


def _rules_for(instructions: str) -> list[str]:
    """The sentences that mend flaws of the part with these instructions, and one that mends none."""
    told = " ".join(instructions.split())
    part = next((name for name, beginning in _SIGNATURES.items() if told.startswith(beginning)), "")
    return [*(CURES[flaw].sentence for flaw in FLAWS.get(part, ()) if flaw in CURES), NOTHING.sentence]
