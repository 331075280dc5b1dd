"""Plain data turned into dataclasses: types, bounds, and what is said of a fault."""
