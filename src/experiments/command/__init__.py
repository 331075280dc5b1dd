"""From a command line to a checked plan; nothing heavy is imported."""
