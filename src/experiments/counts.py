"""Numbers of things, as a person writes them."""


def count_of(number: int, noun: str) -> str:
    """Returns a number and its noun: 1 file, 1,258 files."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
