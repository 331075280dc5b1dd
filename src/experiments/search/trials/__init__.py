"""Trials as records: proposed, run, ended, kept."""
