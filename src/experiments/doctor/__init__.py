"""What of a machine and its packages would make a training fail, or slow."""
