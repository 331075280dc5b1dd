"""Times and sizes, as a person says them who does not know them exactly."""

_UNITS = (("days", 86_400, 2.0), ("h", 3600, 2.0), ("min", 60, 2.0))


def about(seconds: float) -> str:
    """Returns a time with two digits at most: `45 s`, `12 min`, `3.4 h`, `2.1 days`."""
    for unit, length, least in _UNITS:
        if seconds >= least * length:
            count = seconds / length
            return f"{count:.1f} {unit}" if count < 9.95 else f"{count:,.0f} {unit}"
    return f"{max(1, round(seconds))} s"
