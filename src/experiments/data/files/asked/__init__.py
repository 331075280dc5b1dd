"""Files that a trained model is asked about, of any number and any classes."""
