"""Seed sources: readers that yield `Seed` records in a fixed order."""
