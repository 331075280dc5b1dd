"""Data sets and the one input pipeline; returns plain uint8 images and labels."""
