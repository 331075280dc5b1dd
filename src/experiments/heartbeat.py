"""The sign of life that a process gives with each step of what it does.

Whoever waits for the process can tell by it one that takes long from one that hangs.
"""

_beats = 0


def beat() -> None:
    """Notes that something went on: a step, or a line that says how far it is."""
    global _beats
    _beats += 1


def count_beats() -> int:
    """Returns how often something went on since the process began."""
    return _beats
