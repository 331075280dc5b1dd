"""Residual networks of every depth and variant, by one builder."""
