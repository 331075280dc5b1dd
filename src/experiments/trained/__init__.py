"""A model that was trained before: its record, its weights, its network."""
