"""How a step asks: one `dspy.Module` a BUTTON step, and the simulation of the agents."""
