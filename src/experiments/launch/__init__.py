"""A command line, from its words to its exit code."""

from experiments.launch.command_line import main

__all__ = ["main"]
