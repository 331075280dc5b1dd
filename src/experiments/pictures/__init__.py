"""Pictures of a run: its training images and its learning curves."""
