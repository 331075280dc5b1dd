"""What a checked value may still do wrong: beside others, on this machine."""
