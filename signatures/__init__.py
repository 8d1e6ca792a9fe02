"""What a model is asked: one typed `dspy.Signature` file a step, and the records that flow between them."""
