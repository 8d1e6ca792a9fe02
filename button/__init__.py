"""The machinery: CLI, pipeline, journal, language models, checks, exports. Knows a step only as a Protocol."""
