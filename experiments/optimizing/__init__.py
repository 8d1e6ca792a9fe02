"""Finding better prompts for one step: its program, the items it is tried on, and what searches."""
