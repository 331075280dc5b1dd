"""What a config holds: one dataclass a key, one family a module."""
