"""What a training would see and do, measured before it."""
