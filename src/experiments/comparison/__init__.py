"""Runs beside each other: what differs, what came of it, and which one is better."""
