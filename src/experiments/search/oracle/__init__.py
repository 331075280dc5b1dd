"""Which trial comes next: Keras Tuner's oracles, asked and told."""
