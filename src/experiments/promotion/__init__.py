"""Whether a model becomes the champion of its name, and what its version carries."""
