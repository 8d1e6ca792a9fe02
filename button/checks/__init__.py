"""Deterministic checks of what models write; each returns problems as text, nothing is repaired silently."""
