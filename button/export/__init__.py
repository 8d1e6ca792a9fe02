"""Exports: the paper's text format, OpenAI messages as Parquet, ShareGPT."""
