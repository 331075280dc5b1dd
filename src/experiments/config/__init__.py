"""Schema, checks and composition of configs; imports nothing heavy."""
