"""Runs of the store: made, found by any name, followed to their folders, closed."""
