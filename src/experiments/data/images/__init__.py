"""One image: from the bytes of a file to upright pixels of a wanted size."""
