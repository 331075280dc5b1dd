"""Hydra finds plugins in the packages below `hydra_plugins`."""
