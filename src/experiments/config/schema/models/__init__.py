"""Keys of `model`: builders, and what a network of each may be."""
