"""What a model said of images that may have several labels, and how good that is."""
