"""Folders that configs come from, and what each may say."""
