"""The colour behind what is transparent in an image."""

from collections.abc import Sequence

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
_NAMED: dict[str, Colour] = {"white": WHITE, "black": (0, 0, 0)}


def choose_colour(background: str | Sequence[int]) -> Colour:
    """Returns red, green and blue, 0 to 255, of `white`, `black` or three numbers."""
    if isinstance(background, str):
        return _NAMED[background]
    red, green, blue = background
    return red, green, blue
