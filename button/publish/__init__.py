"""Publishing to the Hugging Face Hub: what is uploaded (layout) and how it gets there (everything else)."""
