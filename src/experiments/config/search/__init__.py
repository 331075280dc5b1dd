"""What a search varies and how: `hydra.sweeper` with Keras Tuner's oracles."""
