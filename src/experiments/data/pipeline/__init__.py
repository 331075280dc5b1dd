"""From a split to batches: which image at which step, in memory or from files."""
