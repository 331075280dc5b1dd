"""Keys of `dataset`: one dataclass for each kind of source."""
