"""The steps themselves: compilation, Keras' own loop, batches in parts."""
