"""The states of a training on disk, and which of them count."""
