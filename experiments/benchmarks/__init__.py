"""Measurements of the engine itself, and published benchmarks of what models learn from the data."""
