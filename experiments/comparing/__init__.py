"""`button compare`: two or more configs on the same seeds, and what differs."""
