"""Reaches into Keras or TensorFlow to compute the same faster; each has a switch."""
