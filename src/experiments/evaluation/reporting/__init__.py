"""What there is to tell of predictions: on the screen, as pages and as files."""
