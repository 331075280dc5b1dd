"""Runs of before: listed, named, read again, repeated, and what of them can go."""
