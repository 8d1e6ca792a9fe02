"""What outcomes of steps are worth: numbers in [0, 1] with the words that a reflecting model needs."""
