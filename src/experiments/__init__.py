"""Trains, tracks and compares Keras image classifiers from composed configs."""

__version__ = "0.1.0"
__all__ = ["__version__"]
