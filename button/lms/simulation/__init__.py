"""The rule-based player behind lm=simulated: its worlds (data/*.yaml), and one file for each part it plays."""
