"""Language models behind one seam: engines that answer a `dspy.lm15.Request`."""
