"""Hydra's own node of a config: honoured or refused, key by key."""
