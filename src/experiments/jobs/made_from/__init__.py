"""What a result was made from: code, packages and data, corrections and splits."""
