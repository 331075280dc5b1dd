"""What a run runs on: code, packages, hardware."""
