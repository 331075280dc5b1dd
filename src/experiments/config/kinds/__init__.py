"""What the values of single keys may be: paths, weights, phases, metrics."""
