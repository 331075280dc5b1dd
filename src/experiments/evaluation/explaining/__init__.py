"""Where in an image a model sees what speaks for a class."""
