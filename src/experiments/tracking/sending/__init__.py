"""Brings what was written down into MLflow, at once or long afterwards."""
