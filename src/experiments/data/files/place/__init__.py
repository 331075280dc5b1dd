"""The folder of a data set: where it is, what it holds and what its name means."""
