"""Studies on the data and on the machine that makes it: each a verb, or a module to run, that prints what it found."""
