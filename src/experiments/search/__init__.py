"""Searches the space of a config: oracles of Keras Tuner, launchers of Hydra."""
