"""Reaches into Keras or TensorFlow: what is computed stays, it takes less."""
