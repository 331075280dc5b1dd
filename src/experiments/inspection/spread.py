"""A few numbers of many, evenly apart."""


def spread(count: int, most: int) -> list[int]:
    """Returns at most `most` of 0..count - 1, evenly apart, with both ends.

    Args:
        count: How many there are, at least one.
        most: How many to take, at least two.
    """
    if count <= most:
        return list(range(count))
    return [round(place * (count - 1) / (most - 1)) for place in range(most)]
