"""The end of sweeps and searches: the parent run, the table, the pictures."""
